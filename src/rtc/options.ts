/** What an `Rtc` can be told at construction. Everything has a safe default but the certificate. */
import type { ChannelOptions } from '../channel/index.ts';
import type { RandomSource } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { Certificate, DtlsOptions } from '../dtls/index.ts';
import type { IceOptions } from '../ice/index.ts';
import type { SetupPreference } from '../negotiation/index.ts';
import type { PathMtuOptions, SctpOptions } from '../sctp/index.ts';

export interface RtcOptions {
  /** Made once a process with `selfSignedCertificate()`; any number of connections share it. */
  readonly certificate: Certificate;
  /** Default: `jsCrypto()`. Servers in Node pass `nodeCrypto()` of `sansrtc/crypto/node`. */
  readonly crypto?: CryptoProvider | undefined;
  /** Default: the platform's cryptographic generator. Tests pass a `SeededRandom`; a seed must never reach production. */
  readonly random?: RandomSource | undefined;
  /** The time at construction, milliseconds on the caller's clock. Default 0; the first input corrects it. */
  readonly now?: number | undefined;
  /**
   * Answer connectivity checks without sending any (RFC 8445 §2.5): for servers on public addresses. Default false.
   */
  readonly iceLite?: boolean | undefined;
  /** Which DTLS role to ask for in SDP: `auto` follows RFC 8842 (offer actpass, answer active). Default `auto`. */
  readonly setup?: SetupPreference | undefined;
  /** Refuse descriptions that break the RFCs though they can be understood. Default false. */
  readonly strictSdp?: boolean | undefined;
  /**
   * How long a connection may wait for its peer's description (or for `start()`), ms, more than 0, default 120000; `Infinity`:
   * as long as it likes. It counts from the first input, anew from each offer of ours, and ends the connection
   * (`signaling-timeout`).
   */
  readonly signalingTimeout?: number | undefined;
  /**
   * Largest message this end accepts, bytes; announced as `a=max-message-size` (RFC 8841). Default 262144.
   * Range 1024 … 2^30.
   */
  readonly maxMessageSize?: number | undefined;
  /**
   * UDP payload sent from the start, bytes: what every path is taken to carry. Default 1200, range 576 … 65507. Path MTU
   * probing goes beyond it, and below it when such datagrams vanish.
   */
  readonly mtu?: number | undefined;
  /**
   * Find out what the path carries (RFC 8899), once enough data flows; false: datagrams stay at `mtu`. Default: up to 1472
   * bytes over IPv4, 1452 over IPv6, which is an Ethernet frame.
   */
  readonly pathMtu?: Omit<PathMtuOptions, 'overhead'> | false | undefined;
  /** Deadlines, limits and timing of each layer; see their own documentation. */
  readonly ice?: Partial<Omit<IceOptions, 'crypto' | 'random' | 'role' | 'lite'>> | undefined;
  readonly dtls?:
    | Partial<
        Pick<
          DtlsOptions,
          | 'handshakeTimeout'
          | 'retransmitTimeout'
          | 'versions'
          | 'groups'
          | 'cipherSuites'
          | 'srtpProfiles'
          | 'dangerouslyAcceptAnyFingerprint'
        >
      >
    | undefined;
  readonly sctp?: Partial<Omit<SctpOptions, 'random' | 'maxMessageSize' | 'mtu' | 'pathMtu'>> | undefined;
  readonly channels?: Partial<ChannelOptions> | undefined;
}

export const DEFAULT_MAX_MESSAGE_SIZE = 262_144;
export const DEFAULT_MTU = 1200;
export const SCTP_PORT = 5000;
/** UDP payload of an Ethernet frame of 1500 bytes, without and with IPv6's larger header. */
export const ETHERNET_PAYLOAD_IPV4 = 1472;
export const ETHERNET_PAYLOAD_IPV6 = 1452;
