/** Role, states and timers of an association. */

export type { DtlsRole } from '../core/roles.ts';

/** `closed` is over as it should be, by `close` or the peer's close_notify; `failed` is over for a reason. */
export type DtlsState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';

/** What an association waits for. README.md says when each is armed, and for how long. */
export type DtlsTimer =
  /** DTLS 1.3: the rest of a flight of the peer's, before the part that has come is acknowledged. */
  | 'dtlsAck'
  /** The answer to our flight, before it goes out again. */
  | 'dtlsRetransmit'
  /** A first sign of the peer's handshake, before a warning says that there is none. */
  | 'dtlsHint'
  /** The end of the handshake, before the association fails. */
  | 'dtlsHandshake';

/** All timers, in the order in which those that are due at the same time fire. */
export const DTLS_TIMERS: readonly DtlsTimer[] = ['dtlsAck', 'dtlsRetransmit', 'dtlsHint', 'dtlsHandshake'];
