/** What each end must know of the other one before a connection can start. */
import type { DtlsRole, Fingerprint } from '../dtls/index.ts';
import type { IceParameters, IceRole } from '../ice/index.ts';

/** SDP carries it; `Rtc.start` takes it as it is. */
export interface TransportParameters {
  readonly ice: IceParameters;
  readonly iceRole: IceRole;
  readonly dtlsRole: DtlsRole;
  /**
   * The peer's certificate must match one of these (RFC 8122). None only where `dtls.dangerouslyAcceptAnyFingerprint` says
   * that any will do.
   */
  readonly fingerprints: readonly Fingerprint[];
  /** Default 5000. */
  readonly sctpPort?: number | undefined;
  /** Largest message the peer accepts, bytes; `Infinity` for no limit. Default 65536 (RFC 8841 §6.1). */
  readonly maxMessageSize?: number | undefined;
  /** What each end's description said of `a=setup`, for diagnosis. */
  readonly localSetup?: string | undefined;
  readonly remoteSetup?: string | undefined;
}
