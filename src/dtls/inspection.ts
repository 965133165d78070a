/** The inspection of an association: everything there is to see of it, plain and JSON-safe; no secrets. */
import type { Failure } from '../core/errors.ts';
import type { Fingerprint } from './certificate/fingerprint.ts';
import type { DtlsCipherSuite } from './cipher-suites.ts';
import type { DtlsCounter } from './counting.ts';
import type { FlightInspection } from './flight.ts';
import type { SrtpProfile } from '../core/srtp-keys.ts';
import type { DtlsState, DtlsTimer, DtlsRole } from './states.ts';

/** What `Dtls.inspect()` shows. */
export interface DtlsInspection {
  readonly role: DtlsRole;
  readonly state: DtlsState;
  readonly setups: { readonly local: string | null; readonly remote: string | null };
  /** As in RTCTransportStats: `FEFD` for DTLS 1.2, `FEFC` for 1.3, null before it is negotiated. */
  readonly tlsVersion: string | null;
  /** As in RTCTransportStats: the IANA name. */
  readonly dtlsCipher: DtlsCipherSuite | null;
  /** As in RTCTransportStats: the IANA name of the SRTP protection profile; null where none was agreed on. */
  readonly srtpCipher: SrtpProfile | null;
  /** Bytes of the connection ids agreed on, ours (in what the peer sends) and the peer's; null: none were. */
  readonly connectionIds: { readonly local: number; readonly remote: number } | null;
  readonly localFingerprint: Fingerprint;
  readonly remoteFingerprint: Fingerprint | null;
  readonly remoteFingerprintVerified: boolean;
  readonly handshake: HandshakeInspection;
  readonly queued: {
    readonly events: number;
    readonly alerts: number;
    readonly data: number;
    readonly heldRecords: number;
  };
  /** Armed timers and their deadlines in ms. */
  readonly timers: Partial<Record<DtlsTimer, number>>;
  readonly counters: Record<DtlsCounter, number>;
  /** Why it is over; missing while it is not, and after the peer's close_notify. */
  readonly end?: Failure;
}

/** What `Dtls.inspect()` shows of the handshake. */
export interface HandshakeInspection {
  /** Named for the message waited for, or `start`, or `complete`. */
  readonly state: string;
  readonly group: string | null;
  readonly flight: FlightInspection;
  /** Milliseconds. */
  readonly retransmitTimeout: number;
  readonly datagramsSent: number;
  readonly bytesSent: number;
  /** True once protected data has shown that the peer has our last flight. */
  readonly peerConfirmed: boolean;
  readonly suspectsRoleConflict: boolean;
  /** DTLS 1.3: records of the peer's handshake that we have not acknowledged for good. */
  readonly acknowledgements: number;
  readonly reassembly: { readonly messages: number; readonly bytes: number };
}
