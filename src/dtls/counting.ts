/** The counters of one connection: every datagram, record or message that has no effect is counted under a name. */
import { Counters } from '../core/counters.ts';

/** The names of all counters. */
export const DTLS_COUNTERS = [
  /** Datagrams outside of `start` … end. */
  'datagramsIgnored',
  /** Records cut short by the datagram's end, or whose header is no DTLS. */
  'recordsMalformed',
  'recordsOversized',
  /** In plaintext, of a content type that has no meaning here; a protected one ends the association. */
  'recordsUnknownType',
  /** Epochs that exist in neither past nor future. */
  'recordsWrongEpoch',
  /** With a connection id that is not ours, or where none was agreed on: the rest of the datagram goes with it. */
  'recordsUnknownConnectionId',
  /** DTLS 1.2: protected records without the connection id that was agreed on. */
  'recordsWithoutConnectionId',
  'recordsReplayed',
  /** Not authentic. */
  'recordsForged',
  /** Of an epoch before its keys, beyond the bound. */
  'recordsHeldDropped',
  /** Plaintext when only protected records count: after the handshake, or application data at any time. */
  'plaintextIgnored',
  'fragmentsMalformed',
  /** In plaintext what must be protected, such as Finished. */
  'fragmentsWrongEpoch',
  /** Repeated messages and pieces of messages. */
  'fragmentsRepeated',
  'fragmentsTooLong',
  'fragmentsTooFarAhead',
  'fragmentsNoRoom',
  /** ClientHellos to a client: its own come back, or another's. */
  'hellosReflected',
  'hellosIgnored',
  /** Unauthenticated, malformed or mere warnings. */
  'alertsIgnored',
  /** Plaintext, malformed, or not of DTLS 1.3. */
  'acksIgnored',
  /** The peer's attempts to shake hands again. */
  'renegotiationsRefused',
  /** Application records dropped because nobody polled, or too many came before `connected`. */
  'dataDropped',
  /** Flights repeated by the timer. */
  'retransmissions',
  /** Times the timer was late, and did not repeat the flight yet: this host was busy, and the answer may wait in its socket. */
  'retransmissionsDeferred',
  /** Flights repeated because the peer repeated what they answer. */
  'repetitions',
  /** Repetitions of the peer's that came too soon after our flight had been repeated. */
  'repetitionsSuppressed',
  /** KeyUpdates passed over because too many have come in a minute; the peer repeats them. */
  'keyUpdatesDeferred',
] as const;
/** The name of a counter. */
export type DtlsCounter = (typeof DTLS_COUNTERS)[number];

/** The counters of one association. */
export type DtlsCounters = Counters<DtlsCounter>;

/** All counters at 0. */
export function dtlsCounters(): DtlsCounters {
  return new Counters(DTLS_COUNTERS);
}
