/**
 * Candidates (RFC 8445 §5.1): what an agent may be reached at, and the checks at the door that make one usable.
 *
 *     what the host says ──▶ local candidate, with its base ──▶ as the peer is told: without what is ours alone
 *     what the peer says ──▶ remote candidate, or why not
 *
 * Past this file every address is canonical text, so that the packet path compares strings and nothing else.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import { canonicalAddress, sameAddress } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { fields, integer, oneOf, required, text } from '../core/options.ts';
import { encodeUtf8 } from '../core/text.ts';
import { isUnicast } from './address-class.ts';
import type { IceCandidateType } from './priority.ts';
import { TCP_PENALTY, candidatePriority } from './priority.ts';

/** A candidate, with the fields of an SDP `candidate` line (RFC 8839 §5.1). One component: RTP and RTCP share it. */
export interface IceCandidate {
  readonly type: IceCandidateType;
  readonly protocol: Protocol;
  /** An IP address in canonical text, or an mDNS name (`isMdnsName`) that stands for it. */
  readonly address: string;
  readonly port: number;
  /** Equal for candidates of one type, base address and protocol (RFC 8445 §5.1.1.3). */
  readonly foundation: string;
  readonly component: 1;
  /** 1 – 2^31−1 in theory, any unsigned 32-bit number on the wire. */
  readonly priority: number;
  readonly relatedAddress?: string | undefined;
  readonly relatedPort?: number | undefined;
  readonly tcpType?: TcpType | undefined;
  readonly usernameFragment?: string | undefined;
}

/** A candidate of the peer's. */
export interface RemoteIceCandidate extends IceCandidate {
  /** The mDNS name that the peer has told in place of the address: whoever is told of the candidate is not to have both. */
  readonly resolvedFrom?: string | undefined;
}

/** Who connects, over TCP (RFC 6544 §4.5): this side, the other one, or both at once (simultaneous open). */
export type TcpType = 'active' | 'passive' | 'so';

/** How the host reaches its relay (RFC 8656 §2.1, W3C `RTCIceServerTransportProtocol`). */
export type RelayProtocol = 'udp' | 'tcp' | 'tls';

/** A local candidate, and what the host alone knows of it. */
export interface LocalCandidate extends IceCandidate {
  /** The address datagrams are really sent from and arrive at (RFC 8445 §4); of a relayed candidate, its own. */
  readonly base: TransportAddress;
  readonly relayProtocol?: RelayProtocol | undefined;
  /** Of the server that it was learnt from. */
  readonly url?: string | undefined;
  /** Bytes that a relay's framing adds to each datagram, at the most. */
  readonly overhead?: number | undefined;
  /** The name that the peer is told in place of the address. */
  readonly announced?: string | undefined;
}

/** Characters of a name (RFC 1035 §2.3.4), which an address may be. */
const MAX_ADDRESS_LENGTH = 255;

/** What the host says about one of its addresses. */
export interface LocalCandidateInit {
  readonly type: 'host' | 'srflx' | 'relay';
  /** `tcp` (RFC 6544): `tcpType` says who connects. A relayed candidate is `udp`, however its relay is reached. */
  readonly protocol: Protocol;
  readonly address: string;
  /** 1–65535; the peer is told 9 of an active one, whatever it is. */
  readonly port: number;
  /** Unsigned 32-bit; default by RFC 8445 §5.1.2 with IPv6 and IPv4 interleaved (RFC 8421). */
  readonly priority?: number | undefined;
  /** 1–32 ice-chars; default computed. */
  readonly foundation?: string | undefined;
  /**
   * The bound address behind a server-reflexive candidate, required for `srflx` (a 1:1 NAT, for example). Of an active TCP
   * candidate, also required: the address that it connects from, with a port that is no other candidate's; the host connects
   * when the first datagram from there to a destination is to be sent, and may do so from any port.
   */
  readonly base?: TransportAddress | undefined;
  /** Of a TCP candidate; `passive` by default. */
  readonly tcpType?: TcpType | undefined;
  /** Of a relayed candidate; `udp` by default. It ranks those of one address family (RFC 8445 §5.1.2.2). */
  readonly relayProtocol?: RelayProtocol | undefined;
  /** The STUN or TURN server's. The peer is not told. */
  readonly url?: string | undefined;
  /**
   * What a candidate that is not a host's was learnt through (RFC 8839 §5.1): default for `srflx` its base; otherwise, and
   * wherever it is to stay hidden, the peer is told 0.0.0.0 or ::, port 9.
   */
  readonly relatedAddress?: string | undefined;
  readonly relatedPort?: number | undefined;
  /**
   * Bytes that the relay's framing adds to each datagram at the most, 0–200: 36 of an indication for peers of IPv4, 48 of
   * IPv6. Datagrams over the path are so much smaller. Default 0.
   */
  readonly overhead?: number | undefined;
  /**
   * A random name, `<UUID>.local`, that the peer is told in place of a host candidate's address (multicast DNS). Whoever gives
   * it answers for it on the local network.
   */
  readonly announced?: string | undefined;
}

/** Names a local candidate: by its own address, or by that of its base, which stands for all candidates on it. */
export interface LocalCandidateAddress extends TransportAddress {
  readonly protocol: Protocol;
}

const unicastRule: OptionRule = (value, name) => {
  const address = typeof value === 'string' ? canonicalAddress(value) : undefined;
  if (address === undefined || !isUnicast(address)) throw badArgument(name, 'a unicast IP address', value);
};

const foundationRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || !isFoundation(value)) throw badArgument(name, '1 to 32 ice-chars', value);
};

const PLACE_RULES: OptionRules<TransportAddress> = {
  address: required(unicastRule),
  port: required(integer(1, 65_535)),
};

const ipRule: OptionRule = (value, name) => {
  const isIp = typeof value === 'string' && canonicalAddress(value) !== undefined;
  if (!isIp) throw badArgument(name, 'an IP address', value);
};

const mdnsNameRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || !isMdnsName(value)) throw badArgument(name, '"<UUID>.local"', value);
};

const protocolRule = oneOf(['udp', 'tcp']);
const tcpTypeRule = oneOf(['active', 'passive', 'so']);

/** What the host says of a local candidate. */
export const LOCAL_CANDIDATE_RULES: OptionRules<LocalCandidateInit> = {
  type: required(oneOf(['host', 'srflx', 'relay'])),
  protocol: required(protocolRule),
  ...PLACE_RULES,
  priority: integer(0, 0xffff_ffff),
  foundation: foundationRule,
  base: fields(PLACE_RULES),
  tcpType: tcpTypeRule,
  relayProtocol: oneOf(['udp', 'tcp', 'tls']),
  url: text(1, MAX_ADDRESS_LENGTH + 64),
  relatedAddress: ipRule,
  relatedPort: integer(0, 65_535),
  overhead: integer(0, 200),
  announced: mdnsNameRule,
};

/** What names a local candidate. */
export const LOCAL_CANDIDATE_ADDRESS_RULES: OptionRules<LocalCandidateAddress> = {
  protocol: required(protocolRule),
  ...PLACE_RULES,
};

/**
 * The shape of a peer's candidate. What is well-formed and of no use (a name, a component that is not ours) is for
 * `judgeRemoteCandidate`.
 */
export const REMOTE_CANDIDATE_RULES: OptionRules<IceCandidate> = {
  type: required(oneOf(['host', 'srflx', 'prflx', 'relay'])),
  protocol: required(protocolRule),
  address: required(text(1, MAX_ADDRESS_LENGTH)),
  port: required(integer(0, 65_535)),
  foundation: required(text(1, 32)),
  component: required(integer(1, 256)),
  priority: required(integer(0, 0xffff_ffff)),
  relatedAddress: text(0, MAX_ADDRESS_LENGTH),
  relatedPort: integer(0, 65_535),
  tcpType: tcpTypeRule,
  usernameFragment: text(0, 256),
};

/** RFC 6544 §4.2: which TCP candidates are preferred, 0–7; behind a NAT simultaneous open comes first. */
const DIRECTION_PREFERENCE: Readonly<Record<'host' | 'reflexive', Readonly<Record<TcpType, number>>>> = {
  host: { active: 6, passive: 4, so: 2 },
  reflexive: { so: 6, active: 4, passive: 2 },
};

/** RFC 6544 §4.5: the port of an active candidate, to which nobody connects; and of an address that is not told. */
const DISCARD_PORT = 9;

/** What a relayed candidate loses of its local preference by the way to its relay: a datagram is best sent as one. */
const RELAY_PENALTY: Readonly<Record<RelayProtocol, number>> = { udp: 0, tcp: 16_384, tls: 32_768 };

/**
 * Completes a local candidate that has passed its rules. Throws `ERR_BAD_ARGUMENT` for members that do not go together.
 * @param rank how many candidates of the same type and family come before
 * @param baseName what its base is announced as, if it is
 */
export function makeLocalCandidate(
  init: LocalCandidateInit,
  rank: number,
  baseName: string | undefined,
): LocalCandidate {
  checkTogether(init);
  const { type, protocol, priority, foundation, relayProtocol = 'udp', url, overhead, announced } = init;
  const tcpType = protocol === 'tcp' ? (init.tcpType ?? 'passive') : undefined;
  const given = canonicalPlace(init);
  const own = tcpType === 'active' ? { ...given, port: DISCARD_PORT } : given;
  const base = init.base === undefined ? own : canonicalPlace(init.base);
  return {
    type,
    protocol,
    address: own.address,
    port: own.port,
    foundation: foundation ?? makeFoundation(type, protocol, announced ?? baseName ?? base.address, url),
    component: 1,
    priority: priority ?? defaultPriority(type, tcpType, relayProtocol, own.address, rank),
    ...(tcpType === undefined ? {} : { tcpType }),
    ...(type === 'host' ? {} : relatedTo(init, base)),
    base,
    ...(type === 'relay' ? { relayProtocol } : {}),
    ...(url === undefined ? {} : { url }),
    ...(overhead === undefined || overhead === 0 ? {} : { overhead }),
    ...(announced === undefined ? {} : { announced: announced.toLowerCase() }),
  };
}

/** Throws `ERR_BAD_ARGUMENT`. */
function checkTogether(init: LocalCandidateInit): void {
  const { type, protocol, base, tcpType, relayProtocol, relatedAddress, announced } = init;
  if (type === 'srflx' && base === undefined) throw badArgument('base', 'the address behind "srflx"', base);
  if (type === 'relay' && protocol !== 'udp') throw badArgument('protocol', '"udp" for "relay"', protocol);
  if (tcpType !== undefined && protocol !== 'tcp') throw badArgument('tcpType', 'nothing for UDP', tcpType);
  if (tcpType === 'active' && base === undefined)
    throw badArgument('base', 'the address that "active" connects from', base);
  if (relayProtocol !== undefined && type !== 'relay')
    throw badArgument('relayProtocol', `nothing for "${type}"`, relayProtocol);
  if (relatedAddress !== undefined && type === 'host')
    throw badArgument('relatedAddress', 'nothing for "host"', relatedAddress);
  if (announced !== undefined && type !== 'host')
    throw badArgument('announced', `nothing for "${type}"`, announced);
}

function relatedTo(
  { type, address, relatedAddress, relatedPort = DISCARD_PORT }: LocalCandidateInit,
  base: TransportAddress,
): Pick<IceCandidate, 'relatedAddress' | 'relatedPort'> {
  if (relatedAddress !== undefined) {
    return { relatedAddress: canonicalAddress(relatedAddress), relatedPort };
  }
  return type === 'srflx'
    ? { relatedAddress: base.address, relatedPort: base.port }
    : nothingRelated(address);
}

/** RFC 8839 §5.1: how an address that is to stay hidden is written. */
function nothingRelated(address: string): Pick<IceCandidate, 'relatedAddress' | 'relatedPort'> {
  return { relatedAddress: address.includes(':') ? '::' : '0.0.0.0', relatedPort: DISCARD_PORT };
}

/**
 * A local candidate as the peer is told.
 * @param hidesRelated its related address is to stay hidden
 */
export function toldCandidate(local: LocalCandidate, hidesRelated: boolean): IceCandidate {
  const { type, protocol, address, port, foundation, priority, announced, tcpType } = local;
  const { relatedAddress, relatedPort } = hidesRelated ? nothingRelated(address) : local;
  return {
    type,
    protocol,
    address: announced ?? address,
    port,
    foundation,
    component: 1,
    priority,
    ...(tcpType === undefined ? {} : { tcpType }),
    ...(type === 'host' ? {} : { relatedAddress, relatedPort }),
  };
}

/** A name as browsers publish it for a host candidate: nothing but a random UUID (draft-ietf-mmusic-mdns-ice-candidates §3.1.1). */
export function isMdnsName(name: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local$/i.test(name);
}

/** Why a remote candidate is not used: the name under which it is counted. */
export type CandidateRefusal = 'candidate-tcp' | 'candidate-mdns' | 'candidate-unusable';

/**
 * Canonicalises a remote candidate, or says why it cannot be used. Its address is an IP address or a name as browsers
 * publish them, in small letters. Any other name would let a peer choose what is looked up. Active TCP candidates are nobody's
 * destination: they connect to us, and are found by their checks (RFC 6544 §5.2, §7.1).
 */
export function judgeRemoteCandidate(candidate: IceCandidate): IceCandidate | CandidateRefusal {
  if (typeof (candidate as IceCandidate | null)?.address !== 'string') return 'candidate-unusable';
  const isConnectable = candidate.tcpType === 'passive' || candidate.tcpType === 'so';
  if (candidate.protocol === 'tcp' && !isConnectable) return 'candidate-tcp';
  const name = candidate.address.toLowerCase();
  // A zone means something on the peer's host alone.
  const address = candidate.address.includes('%') ? undefined : canonicalAddress(candidate.address);
  if ((candidate.component as number) !== 1 || !isU32(candidate.priority)) return 'candidate-unusable';
  if (!isPort(candidate.port)) return 'candidate-unusable';
  if (isMdnsName(name)) return { ...candidate, address: name };
  if (name.endsWith('.local')) return 'candidate-mdns';
  if (address === undefined || !isUnicast(address)) return 'candidate-unusable';
  return { ...candidate, address };
}

/** The candidate behind a mapped address nobody told us about, on either side (RFC 8445 §7.2.5.3.1, §7.3.1.3). */
export function peerReflexive(
  at: TransportAddress,
  protocol: Protocol,
  priority: number,
  tcpType: TcpType | undefined,
): IceCandidate {
  return {
    type: 'prflx',
    protocol,
    ...(tcpType === undefined ? {} : { tcpType }),
    address: at.address,
    port: at.port,
    foundation: makeFoundation('prflx', protocol, at.address),
    component: 1,
    priority,
  };
}

/** How the peer of a TCP candidate connects (RFC 6544 §5.2). */
const OPPOSITE: Readonly<Record<TcpType, TcpType>> = { active: 'passive', passive: 'active', so: 'so' };

/** The direction of whoever is at the other end of a candidate of ours; `undefined` over UDP. */
export function oppositeDirection({ tcpType }: IceCandidate): TcpType | undefined {
  return tcpType === undefined ? undefined : OPPOSITE[tcpType];
}

/**
 * Whether checks begin at `local` for `remote`: one protocol, one family, and link-local IPv6 only with its like (RFC 8445
 * §6.1.2.2); over TCP active with passive and `so` with `so`, while a passive one waits for the peer (RFC 6544 §6.2).
 */
export function canPair(local: LocalCandidate, remote: IceCandidate): boolean {
  const a = local.base.address;
  const b = remote.address;
  if (local.protocol !== remote.protocol || local.tcpType === 'passive') return false;
  if (oppositeDirection(local) !== remote.tcpType) return false;
  return a.includes(':') === b.includes(':') && isLinkLocalIpv6(a) === isLinkLocalIpv6(b);
}

/** One address, one port, one protocol: one candidate, whatever else differs. */
export function isSameTransport(a: IceCandidate, b: IceCandidate): boolean {
  return a.protocol === b.protocol && sameAddress(a, b);
}

/** RFC 6544 §4.2: TCP after UDP of the same type, and the direction in the three upper bits of its local preference. */
function defaultPriority(
  type: LocalCandidateInit['type'],
  tcpType: TcpType | undefined,
  relayProtocol: RelayProtocol,
  address: string,
  rank: number,
): number {
  // RFC 8421 §4: IPv6 first, then the families alternate, so that neither starves the other.
  const order = 2 * rank + (address.includes(':') ? 0 : 1);
  if (tcpType === undefined) {
    const penalty = type === 'relay' ? RELAY_PENALTY[relayProtocol] : 0;
    return candidatePriority(type, Math.max(0, 65_535 - penalty - order));
  }
  const direction = DIRECTION_PREFERENCE[type === 'host' ? 'host' : 'reflexive'][tcpType];
  return candidatePriority(type, direction * 8192 + Math.max(0, 8191 - order)) - TCP_PENALTY;
}

/**
 * A short hash stands for (type, base, protocol, server); the text needs no meaning, only equality. FNV-1a.
 * @param base its address, or the name that it goes by: an address would be guessed from its hash
 */
function makeFoundation(type: IceCandidateType, protocol: Protocol, base: string, server?: string): string {
  let hash = 0x811c_9dc5;
  const from = server === undefined ? '' : ` ${server}`;
  for (const byte of encodeUtf8(`${type} ${protocol} ${base}${from}`))
    hash = Math.imul(hash ^ byte, 0x0100_0193);
  return String(hash >>> 0);
}

/** Of a place that has been judged. */
export function canonicalPlace({ address, port }: TransportAddress): TransportAddress {
  return { address: canonicalAddress(address) ?? address, port };
}

function isLinkLocalIpv6(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65535;
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

function isFoundation(text: string): boolean {
  return /^[A-Za-z0-9+/]{1,32}$/.test(text);
}
