/** The contract of a transport: what it is made of and begun with, and what comes out of it. */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { Failure } from '../core/errors.ts';
import type { RandomSource } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { Certificate, CipherSuite, Dtls, DtlsOptions, DtlsRole, Fingerprint } from '../dtls/index.ts';
import type { IceAgent, IceOptions, IceParameters, IceRole, IceState, IceStats } from '../ice/index.ts';
import type { PacketKind } from '../core/machine.ts';
import type { SrtpProfile } from '../core/srtp-keys.ts';
import type { SrtpInspection, SrtpSupport } from '../srtp/index.ts';

/** A path as a datagram shows it: where it comes from and where it goes. */
export interface DatagramPath {
  readonly protocol: Protocol;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
}

/** An ECN codepoint of the IP header (RFC 3168 §5, RFC 9331): `ce` says that a router is congested. */
export type Ecn = 'not-ect' | 'ect(0)' | 'ect(1)' | 'ce';

/** One datagram to send from `source` to `destination`. */
export interface Transmit extends DatagramPath {
  readonly type: 'transmit';
  /**
   * The UDP payload; it belongs to the caller and is never reused. Its `buffer` may be shared with other payloads: copy what
   * is kept for long or transferred to another thread.
   */
  readonly data: Bytes;
  /** The codepoint to send it with, where the host can; absent: `not-ect`. */
  readonly ecn?: Ecn | undefined;
}

/**
 * Whether a connection needs its paths to itself, or its datagrams tell themselves whose they are (RFC 9146): `undecided` until
 * the DTLS handshake has shown what the peer can do.
 */
export type PathUse = 'exclusive' | 'undecided' | 'shared';

/** W3C `RTCDtlsTransportState`. */
export type DtlsTransportState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';

/** What a transport is made of. Sizes are bytes of UDP payload. */
export interface TransportOptions {
  readonly certificate: Certificate;
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  /** Shared with the users of the path. */
  readonly clock: Clock;
  /** RFC 8445 §2.5: answer checks, send none. */
  readonly iceLite: boolean;
  /** What every path is taken to carry. */
  readonly mtu: number;
  /** What may be tried on a path, by its address family. */
  readonly largestDatagram: Readonly<Record<4 | 6, number>>;
  readonly ice?: Partial<IceOptions> | undefined;
  readonly dtls?: Partial<DtlsOptions> | undefined;
  /**
   * SRTP, for a path that carries RTP as well: its profiles are offered, and RTP is taken and sent once one is agreed on. Without it
   * RTP is dropped.
   */
  readonly srtp?: SrtpSupport | undefined;
}

/** What each end must know of the other one, and of its part, before a path can be sought. */
export interface TransportStart {
  readonly ice: IceParameters;
  readonly iceRole: IceRole;
  readonly dtlsRole: DtlsRole;
  /** The peer's certificate must match one of these (RFC 8122). */
  readonly fingerprints: readonly Fingerprint[];
  /** What each end's description said of `a=setup`, for diagnosis. */
  readonly localSetup?: string | undefined;
  readonly remoteSetup?: string | undefined;
}

/** What a transport tells. */
export type TransportEvent =
  | { readonly type: 'icestatechange'; readonly state: IceState }
  | { readonly type: 'dtlsstatechange'; readonly state: DtlsTransportState }
  /** As ICE says it: addresses of a name of the peer's are wanted, for `handleResolved`. */
  | { readonly type: 'resolve'; readonly name: string }
  /** The facts of the path are others, or the path is secured: see `Transport.facts`. */
  | { readonly type: 'pathchange' }
  /** ICE has selected a pair, or another one. */
  | { readonly type: 'selectedpairchange' }
  /** As ICE says it: a restart would lead to a better path. */
  | { readonly type: 'restartwanted' }
  | { readonly type: 'warning'; readonly failure: Failure }
  /** No pair of an ICE restart worked; the one of before is in use. */
  | { readonly type: 'icerestartfailed'; readonly failure: Failure }
  /** Over, and not by our `close`. Without a failure: the peer said close_notify. */
  | { readonly type: 'closed'; readonly failure?: Failure | undefined };

/** Who looks at what passes through a transport in plaintext; for tracing. */
export interface TransportTap {
  /** A plain packet, valid during the call alone. */
  packet(direction: 'in' | 'out', kind: PacketKind, packet: Uint8Array): void;
  /** Who takes the keys of the DTLS connection, if anybody does; asked when it begins. */
  readonly keyLog: DtlsOptions['keyLog'];
}

/** What has gone over a path, both ways: DTLS and what it carries, and SRTP, not ICE's own datagrams. Bytes are of UDP payload. */
export interface Traffic {
  packetsSent: number;
  bytesSent: number;
  packetsReceived: number;
  bytesReceived: number;
}

/** What `Transport.stats` tells: the facts behind W3C's stats of a transport, its certificates and its ICE. */
export interface TransportStats {
  readonly traffic: Readonly<Traffic>;
  readonly ice: IceStats;
  readonly dtlsState: DtlsTransportState;
  /** `undefined` before DTLS has begun. */
  readonly dtlsRole: DtlsRole | undefined;
  /** `undefined` before the handshake is complete. */
  readonly cipherSuite: CipherSuite | undefined;
  /** `undefined` while there is no SRTP. */
  readonly srtpProfile: SrtpProfile | undefined;
  readonly localCertificate: Certificate;
  /** The peer's, once its DTLS has shown it. */
  readonly remoteCertificate: Pick<Certificate, 'der' | 'fingerprint'> | undefined;
  /** `undefined` before signalling has decided it. */
  readonly iceRole: IceRole | undefined;
}

/** Datagrams that were dropped without having reached a protocol; those that SRTP refuses it counts itself. */
export type TransportCounter =
  | 'droppedUnknownProtocol'
  /** RTP or RTCP, and there is no SRTP here. */
  | 'droppedRtp'
  /** RTP or RTCP before there are keys for it, or where the handshake has agreed on none. */
  | 'droppedUnkeyedRtp'
  /** RTP or RTCP, authentic, beyond what may wait to be delivered. */
  | 'droppedUndeliveredRtp'
  /** DTLS, RTP or RTCP from a path that ICE has not validated. */
  | 'droppedUnvalidatedPath'
  | 'droppedEarlyDatagrams';

/** What `Transport.inspect` shows. */
export interface TransportInspection {
  readonly dtlsRole: DtlsRole | null;
  readonly setups: { readonly local: string | null; readonly remote: string | null };
  readonly ice: ReturnType<IceAgent['inspect']>;
  readonly dtls: ReturnType<Dtls['inspect']> | null;
  /** `null` while there is none. */
  readonly srtp: SrtpInspection | null;
  readonly earlyDatagrams: number;
  /** Packets of RTP and RTCP that wait to be delivered. */
  readonly undeliveredRtp: number;
  readonly counters: Record<TransportCounter, number>;
}
