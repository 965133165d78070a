/** Options of an `Rtc`: what it can be told at construction, the rules for it, and every default. */
import type { ChannelOptions } from '../channel/index.ts';
import { CHANNEL_OPTION_RULES } from '../channel/index.ts';
import { readU32 } from '../core/bytes.ts';
import type { OptionHints, OptionRules } from '../core/options.ts';
import {
  checkOptions,
  flag,
  having,
  integer,
  nested,
  number,
  oneOf,
  only,
  or,
  ownOptions,
  required,
  wait,
  without,
} from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomRule, splitRandom, systemRandom } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { MediaSupport } from '../media/index.ts';
import { cryptoRule, jsCrypto } from '../crypto/index.ts';
import type { Certificate, DtlsOptions } from '../dtls/index.ts';
import { DTLS_OPTION_RULES, certificateRule, checkDtlsOptions } from '../dtls/index.ts';
import type { IceOptions } from '../ice/index.ts';
import { ICE_OPTION_RULES } from '../ice/index.ts';
import type {
  BundlePolicy,
  NegotiationOptions,
  SetupPreference,
  SourceNaming,
} from '../negotiation/index.ts';
import { MEDIA_OPTION_RULES } from '../negotiation/index.ts';
import type { PathMtuOptions, SctpOptions } from '../sctp/index.ts';
import { PATH_MTU_RULES, SCTP_OPTION_RULES } from '../sctp/index.ts';
import type { TransportOptions } from '../transport/index.ts';
import type { ConnectionGates } from './gates.ts';
import { DEFAULT_CONNECTION_GATES } from './gates.ts';

/** The options of `new Rtc`: everything but `certificate` has a safe default. */
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
   * What becomes of an offer of the peer's while one of ours is out: true: ours is taken back, what it wished is kept, and theirs is
   * answered; false: theirs is refused (`glare`). One of the two ends is to be polite. Default false.
   */
  readonly polite?: boolean | undefined;
  /**
   * Which sections of an offer tell the transport, for peers that know nothing of BUNDLE: all (`max-compat`, the default, as Chromium
   * writes), one of each kind of media (`balanced`), or the first alone (`must-bundle`). One transport is used always.
   */
  readonly bundlePolicy?: BundlePolicy | undefined;
  /** Media: `rtpMedia()` of `sansrtc/media`. Default: none; sections of media can be negotiated, and nothing flows. */
  readonly media?: MediaSupport | undefined;
  /** What this end can do with audio and video, in order of preference. Default: the codecs that browsers have. */
  readonly codecs?: NegotiationOptions['codecs'];
  /** URIs of the RTP header extensions that it can do. Default: those that this library knows. */
  readonly headerExtensions?: NegotiationOptions['headerExtensions'];
  /**
   * How long a connection may wait for its peer's description (or for `start()`), ms, more than 0, default 120000; `Infinity`:
   * as long as it likes. It counts from the first input, anew from each offer of ours and each of the peer's that is applied, and
   * ends the connection (`signaling-timeout`). An answer, provisional or not, ends the wait.
   */
  readonly signalingTimeout?: number | undefined;
  /**
   * How long a connection that was up may be without a path, ms, more than 0, default 60000; `Infinity`: as long as it likes.
   * What waits for the peer stands still meanwhile. The end is `path-down`.
   */
  readonly pathDownTimeout?: number | undefined;
  /**
   * How often the peer may restart ICE in a minute, default 30: more of its offers are refused (`ice-restart-limit`). Each makes
   * us check the addresses of a description anew.
   */
  readonly maxRestartsPerMinute?: number | undefined;
  /**
   * Largest message this end accepts, bytes; announced as `a=max-message-size` (RFC 8841). Default 262144.
   * Range 1024 … 2^30.
   */
  readonly maxMessageSize?: number | undefined;
  /**
   * UDP payload sent from the start, bytes: what every path is taken to carry. Default 1200, range 576 … 65507. Path MTU
   * probing goes beyond it, and below it when such datagrams vanish. RTP may be up to 1280, unless this is below 1200: browsers
   * send as much, and what they send can be forwarded.
   */
  readonly mtu?: number | undefined;
  /**
   * Find out what the path carries (RFC 8899), once enough data flows; false: datagrams but for RTP stay at `mtu`. Default: up to 1472
   * bytes over IPv4, 1452 over IPv6, which is an Ethernet frame.
   */
  readonly pathMtu?: Omit<PathMtuOptions, 'overhead'> | false | undefined;
  /** Deadlines, limits and timing of each layer; see their own documentation. */
  readonly ice?: Partial<Omit<IceOptions, (typeof DECIDED_FOR_ICE)[number]>> | undefined;
  readonly dtls?: Partial<Pick<DtlsOptions, (typeof DTLS_NAMES)[number]>> | undefined;
  readonly sctp?: Partial<Omit<SctpOptions, (typeof DECIDED_FOR_SCTP)[number]>> | undefined;
  readonly channels?: Partial<Omit<ChannelOptions, (typeof DECIDED_FOR_CHANNELS)[number]>> | undefined;
}

/** What a host may say of DTLS; the rest follows from the connection. */
const DTLS_NAMES = [
  'handshakeTimeout',
  'retransmitTimeout',
  'versions',
  'groups',
  'cipherSuites',
  'srtpProfiles',
  'connectionId',
  'dangerouslyAcceptAnyFingerprint',
] as const;

const DECIDED_FOR_ICE = ['crypto', 'random', 'clock', 'role', 'lite'] as const;

/** What `Rtc` decides for its association: options of its own, and what the descriptions say. */
const DECIDED_FOR_SCTP = [
  'clock',
  'random',
  'maxMessageSize',
  'mtu',
  'pathMtu',
  'localPort',
  'remotePort',
  'remoteMaxMessageSize',
] as const;

const DECIDED_FOR_CHANNELS = ['clock', 'onActivity', 'connection'] as const;

/** RFC 8841 §5.2 leaves the port to us; browsers say 5000. */
export const SCTP_PORT = 5000;

/** Bytes of UDP payload in an Ethernet frame of 1500, by address family. */
const ETHERNET_PAYLOAD = { 4: 1472, 6: 1452 } as const;

/** What each option must be. */
export const RTC_OPTION_RULES: OptionRules<RtcOptions> = {
  certificate: required(certificateRule),
  crypto: cryptoRule,
  random: randomRule,
  now: number(-Number.MAX_VALUE),
  iceLite: flag,
  setup: oneOf(['auto', 'active', 'passive']),
  strictSdp: flag,
  polite: flag,
  media: having('media of rtpMedia() of sansrtc/media', ['create']),
  ...MEDIA_OPTION_RULES,
  maxMessageSize: integer(1024, 2 ** 30),
  mtu: integer(576, 65_507),
  signalingTimeout: wait,
  pathDownTimeout: wait,
  maxRestartsPerMinute: integer(1),
  pathMtu: or(false, nested(without(PATH_MTU_RULES, 'overhead'))),
  ice: nested(without(ICE_OPTION_RULES, ...DECIDED_FOR_ICE)),
  dtls: nested(only(DTLS_OPTION_RULES, ...DTLS_NAMES)),
  sctp: nested(without(SCTP_OPTION_RULES, ...DECIDED_FOR_SCTP)),
  channels: nested(without(CHANNEL_OPTION_RULES, ...DECIDED_FOR_CHANNELS)),
};

const ADD_CANDIDATES =
  'an Rtc has no sockets and asks no servers: give it each address it can be reached at with addLocalCandidate()';

const GATHER =
  'an Rtc has no sockets and asks no servers: "gather" of the driver or of an Endpoint does, with "iceServers"';

/** For those who come from `RTCPeerConnection` and the like. */
export const RTC_OPTION_HINTS: OptionHints = new Map([
  ['iceServers', GATHER],
  ['iceTransportPolicy', 'its name is "transportPolicy", among the options "ice"'],
  ['iceCandidatePoolSize', GATHER],
  ['announcedAddress', ADD_CANDIDATES],
  ['announcedIp', ADD_CANDIDATES],
  ['rtcpMuxPolicy', 'RTP and RTCP share the path always'],
  ['certificates', 'give one "certificate"'],
  ['role', 'the DTLS role is asked for with "setup", the ICE role follows from who offers'],
]);

/** The options of an `Rtc`, with every default in its place. */
export interface RtcSettings {
  readonly now: number;
  readonly random: RandomSource;
  readonly strictSdp: boolean;
  readonly polite: boolean;
  readonly maxRestartsPerMinute: number;
  readonly maxMessageSize: number;
  /** Bytes of UDP payload. */
  readonly mtu: number;
  readonly pathMtu: PathMtuOptions | undefined;
  readonly gates: ConnectionGates;
  readonly transport: Omit<TransportOptions, 'clock'>;
  readonly media: MediaSupport | undefined;
  /** How descriptions and RTCP name what is sent; `undefined` without media. */
  readonly sources: SourceNaming | undefined;
  readonly sctp: RtcOptions['sctp'];
  readonly channels: RtcOptions['channels'];
}

/** Fills in the defaults. Throws `ERR_BAD_ARGUMENT` for an option that is unknown or out of its range. */
export function rtcSettings(options: RtcOptions): RtcSettings {
  checkOptions('Rtc', options, RTC_OPTION_RULES, RTC_OPTION_HINTS);
  const { certificate, crypto = jsCrypto(), random = systemRandom, mtu = 1200, pathMtu = {} } = options;
  const own = <T extends object>(given: T | undefined): T | undefined => given && ownOptions(given);
  const dtls = own(options.dtls);
  checkDtlsOptions({ ...dtls, role: 'client', certificate, crypto, random });
  const largest = pathMtu === false ? mtu : pathMtu.max;
  return {
    now: options.now ?? 0,
    random,
    strictSdp: options.strictSdp ?? false,
    polite: options.polite ?? false,
    maxRestartsPerMinute: options.maxRestartsPerMinute ?? 30,
    maxMessageSize: options.maxMessageSize ?? 262_144,
    mtu,
    pathMtu: pathMtu === false ? undefined : ownOptions(pathMtu),
    gates: {
      signaling: options.signalingTimeout ?? DEFAULT_CONNECTION_GATES.signaling,
      pathDown: options.pathDownTimeout ?? DEFAULT_CONNECTION_GATES.pathDown,
    },
    transport: {
      certificate,
      crypto,
      random,
      iceLite: options.iceLite ?? false,
      mtu,
      largestDatagram: largest === undefined ? ETHERNET_PAYLOAD : { 4: largest, 6: largest },
      ice: own(options.ice),
      dtls,
      srtp: options.media?.srtp,
    },
    media: options.media,
    sources: options.media && sourceNaming(splitRandom(random, 'sources')),
    sctp: own(options.sctp),
    channels: own(options.channels),
  };
}

/** A seed for SSRCs, and a name of 96 random bits (RFC 7022 §4.2). */
function sourceNaming(random: RandomSource): SourceNaming {
  const bytes = new Uint8Array(16);
  random.fill(bytes);
  const cname = [...bytes.subarray(4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { seed: readU32(bytes, 0), cname };
}
