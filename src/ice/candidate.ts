/**
 * Candidates (RFC 8445 §5.1): what an agent may be reached at, and the checks at the door that make one usable.
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
import { candidatePriority } from './priority.ts';

/** A candidate, with the fields of an SDP `candidate` line (RFC 8839 §5.1). One component: RTP and RTCP share it. */
export interface IceCandidate {
  readonly type: IceCandidateType;
  readonly protocol: Protocol;
  /** An IP address in canonical text; from a remote description also an mDNS name, which is then not used. */
  readonly address: string;
  readonly port: number;
  /** Equal for candidates of one type, base address and protocol (RFC 8445 §5.1.1.3). */
  readonly foundation: string;
  readonly component: 1;
  /** 1 – 2^31−1 in theory, any unsigned 32-bit number on the wire. */
  readonly priority: number;
  readonly relatedAddress?: string | undefined;
  readonly relatedPort?: number | undefined;
  readonly tcpType?: 'active' | 'passive' | 'so' | undefined;
  readonly usernameFragment?: string | undefined;
}

/** A local candidate with its base: the address datagrams are really sent from and arrive at (RFC 8445 §4). */
export interface LocalCandidate extends IceCandidate {
  readonly base: TransportAddress;
}

/** Characters of a name (RFC 1035 §2.3.4), which an address may be. */
const MAX_ADDRESS_LENGTH = 255;

/** What the host says about one of its addresses. */
export interface LocalCandidateInit {
  readonly type: 'host' | 'srflx' | 'relay';
  /** `tcp`: peers connect to this address (RFC 6544 passive); we never connect to one of theirs. */
  readonly protocol: Protocol;
  readonly address: string;
  /** 1–65535 */
  readonly port: number;
  /** Unsigned 32-bit; default by RFC 8445 §5.1.2 with IPv6 and IPv4 interleaved (RFC 8421). */
  readonly priority?: number;
  /** 1–32 ice-chars; default computed. */
  readonly foundation?: string;
  /** The bound address behind a server-reflexive candidate, required for `srflx` (a 1:1 NAT, for example). */
  readonly base?: TransportAddress;
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

/** What the host says of a local candidate. */
export const LOCAL_CANDIDATE_RULES: OptionRules<LocalCandidateInit> = {
  type: required(oneOf(['host', 'srflx', 'relay'])),
  protocol: required(oneOf(['udp', 'tcp'])),
  ...PLACE_RULES,
  priority: integer(0, 0xffff_ffff),
  foundation: foundationRule,
  base: fields(PLACE_RULES),
};

/**
 * The shape of a peer's candidate. What is well-formed and of no use (a name, a component that is not ours) is for
 * `judgeRemoteCandidate`.
 */
export const REMOTE_CANDIDATE_RULES: OptionRules<IceCandidate> = {
  type: required(oneOf(['host', 'srflx', 'prflx', 'relay'])),
  protocol: required(oneOf(['udp', 'tcp'])),
  address: required(text(1, MAX_ADDRESS_LENGTH)),
  port: required(integer(0, 65_535)),
  foundation: required(text(1, 32)),
  component: required(integer(1, 256)),
  priority: required(integer(0, 0xffff_ffff)),
  relatedAddress: text(0, MAX_ADDRESS_LENGTH),
  relatedPort: integer(0, 65_535),
  tcpType: oneOf(['active', 'passive', 'so']),
  usernameFragment: text(0, 256),
};

/** What separates the type preference of a TCP candidate from that of its UDP like: RFC 6544 §4.2 leaves it to us. */
const TCP_PENALTY = 36 * 2 ** 24;

/**
 * Completes a local candidate that has passed its rules. Throws `ERR_BAD_ARGUMENT` for `srflx` without a base.
 * @param rank how many candidates of the same type and family were there before.
 */
export function makeLocalCandidate(init: LocalCandidateInit, rank: number): LocalCandidate {
  const { type, protocol, priority, foundation } = init;
  const own = canonicalPlace(init);
  if (type === 'srflx' && init.base === undefined)
    throw badArgument('base', 'the address behind "srflx"', init.base);
  const base = init.base === undefined ? own : canonicalPlace(init.base);
  return {
    type,
    protocol,
    address: own.address,
    port: own.port,
    foundation: foundation ?? makeFoundation(type, protocol, base.address),
    component: 1,
    priority: priority ?? defaultPriority(type, protocol, own.address, rank),
    ...(protocol === 'tcp' ? { tcpType: 'passive' } : {}),
    ...(type === 'host' ? {} : { relatedAddress: base.address, relatedPort: base.port }),
    base,
  };
}

/** Why a remote candidate is not used: the name under which it is counted. */
export type CandidateRefusal = 'candidate-tcp' | 'candidate-mdns' | 'candidate-unusable';

/**
 * Canonicalises a remote candidate, or says why it cannot be used. We connect to no TCP candidate, active ones connect to
 * us and are found by their checks (RFC 6544 §7.1); names are not resolved: an mDNS
 * peer is found by the checks it sends, and resolving any other name would let a peer choose what we look up.
 */
export function judgeRemoteCandidate(candidate: IceCandidate): IceCandidate | CandidateRefusal {
  if (typeof (candidate as IceCandidate | null)?.address !== 'string') return 'candidate-unusable';
  if (candidate.protocol !== 'udp') return 'candidate-tcp';
  if (candidate.address.toLowerCase().endsWith('.local')) return 'candidate-mdns';
  // A zone means something on the peer's host alone.
  const address = candidate.address.includes('%') ? undefined : canonicalAddress(candidate.address);
  if (address === undefined || !isUnicast(address) || !isPort(candidate.port)) return 'candidate-unusable';
  if ((candidate.component as number) !== 1 || !isU32(candidate.priority)) return 'candidate-unusable';
  return { ...candidate, address };
}

/** The candidate behind a mapped address nobody told us about, on either side (RFC 8445 §7.2.5.3.1, §7.3.1.3). */
export function peerReflexive(at: TransportAddress, protocol: Protocol, priority: number): IceCandidate {
  return {
    type: 'prflx',
    protocol,
    address: at.address,
    port: at.port,
    foundation: makeFoundation('prflx', protocol, at.address),
    component: 1,
    priority,
  };
}

/** One protocol, one family, and link-local IPv6 only with its like (RFC 8445 §6.1.2.2). */
export function canPair(local: LocalCandidate, remote: IceCandidate): boolean {
  const a = local.base.address;
  const b = remote.address;
  if (local.protocol !== remote.protocol) return false;
  return a.includes(':') === b.includes(':') && isLinkLocalIpv6(a) === isLinkLocalIpv6(b);
}

/** One address, one port, one protocol: one candidate, whatever else differs. */
export function isSameTransport(a: IceCandidate, b: IceCandidate): boolean {
  return a.protocol === b.protocol && sameAddress(a, b);
}

/** RFC 6544 §4.2: TCP after UDP of the same type, and 4 of the 7 steps of the direction preference for a passive one. */
function defaultPriority(type: IceCandidateType, protocol: Protocol, address: string, rank: number): number {
  const preference = localPreference(address, rank);
  if (protocol === 'udp') return candidatePriority(type, preference);
  return candidatePriority(type, 4 * 8192 + (preference >> 3)) - TCP_PENALTY;
}

/** RFC 8421 §4: IPv6 first, then the families alternate, so that neither starves the other. */
function localPreference(address: string, rank: number): number {
  return Math.max(0, 65535 - 2 * rank - (address.includes(':') ? 0 : 1));
}

/** A short hash stands for (type, base, protocol); the text needs no meaning, only equality. FNV-1a. */
function makeFoundation(type: IceCandidateType, protocol: Protocol, baseAddress: string): string {
  let hash = 0x811c_9dc5;
  for (const byte of encodeUtf8(`${type} ${protocol} ${baseAddress}`))
    hash = Math.imul(hash ^ byte, 0x0100_0193);
  return String(hash >>> 0);
}

/** Of a place that has been judged. */
function canonicalPlace({ address, port }: TransportAddress): TransportAddress {
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
