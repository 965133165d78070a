/**
 * ICE candidates as text (RFC 8839 §5.1, RFC 6544 §4.5 for TCP), one grammar for `a=candidate` lines and for candidates
 * that are trickled (RFC 8838; W3C `RTCIceCandidateInit`):
 *
 *   candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> [raddr <a>] [rport <p>] *(<name> <value>)
 *
 * A host name (mDNS) stays a name: resolving it is the host's business.
 */
import { canonicalAddress } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import { isIceText, isTolerableIceText, isVisible, parseDecimal } from './token.ts';

/** Characters of one candidate: a trickled one comes without the bounds of a description. */
const MAX_CANDIDATE_LENGTH = 1024;

const TYPES = ['host', 'srflx', 'prflx', 'relay'] as const;
const TCP_TYPES = ['active', 'passive', 'so'] as const;

/** One ICE candidate as its line gives it. */
export interface SdpCandidate {
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
  readonly protocol: 'udp' | 'tcp';
  /** An IP address in canonical text, or the host name that came. */
  readonly address: string;
  /** 1–65535; 0 only for `tcp`. */
  readonly port: number;
  /** 1–32 characters. */
  readonly foundation: string;
  /** 1–256; WebRTC uses 1 alone. */
  readonly component: number;
  /** 32 bits, unsigned. */
  readonly priority: number;
  readonly relatedAddress?: string | undefined;
  readonly relatedPort?: number | undefined;
  readonly tcpType?: 'active' | 'passive' | 'so' | undefined;
  /** The `ufrag` extension: which ICE generation it belongs to. */
  readonly usernameFragment?: string | undefined;
  /** What else came (`generation`, `network-id`, …), in order; written back as it is. */
  readonly extensions?: readonly SdpCandidateExtension[] | undefined;
}

/** A name and a value behind the type that nobody here knows. */
export interface SdpCandidateExtension {
  readonly name: string;
  readonly value: string;
}

/** W3C `RTCIceCandidateInit`: how a candidate travels over signalling. */
export interface CandidateInit {
  /** `candidate:…`; the empty string says that no more will come. */
  readonly candidate: string;
  readonly sdpMid?: string | null | undefined;
  readonly sdpMLineIndex?: number | null | undefined;
  readonly usernameFragment?: string | null | undefined;
}

/** The foundation of a candidate without one: some cameras leave it out, and browsers take that. */
const NO_FOUNDATION = '0';

/**
 * Reads `candidate:…`, with or without `a=` before it.
 * `candidate-unsupported`: well-formed and of no use, because its transport or type is not known, its username fragment
 * can be nobody's, or its address has a zone (which means something on the peer's host alone).
 * @param strict by RFC 8839 to the letter: a foundation, and ice-chars alone
 */
export function parseCandidateLine(text: string, strict: boolean = false): SdpCandidate | SdpError {
  const start = text.startsWith('a=') ? 2 : 0;
  if (!text.startsWith('candidate:', start)) return invalid('"candidate:"');
  return parseCandidate(text.slice(start + 'candidate:'.length), strict);
}

/** Reads a trickled candidate, or `'end-of-candidates'` for an empty one (W3C webrtc-pc §4.8.1). */
export function parseCandidateInit(
  init: CandidateInit,
  strict: boolean = false,
): SdpCandidate | 'end-of-candidates' | SdpError {
  if (init.candidate === '') return 'end-of-candidates';
  const candidate = parseCandidateLine(init.candidate, strict);
  if (isSdpError(candidate) || candidate.usernameFragment !== undefined) return candidate;
  const usernameFragment = init.usernameFragment ?? undefined;
  if (usernameFragment === undefined) return candidate;
  return isUsernameFragment(usernameFragment, strict) ? { ...candidate, usernameFragment } : nobodys();
}

function isUsernameFragment(text: string, strict: boolean): boolean {
  return strict ? isIceText(text, 4, 256) : isTolerableIceText(text, 4, 256);
}

/** Reads the value of `a=candidate`. */
export function parseCandidate(value: string, strict: boolean = false): SdpCandidate | SdpError {
  if (value.length > MAX_CANDIDATE_LENGTH) return invalid(`at most ${MAX_CANDIDATE_LENGTH} characters`);
  const [given = '', components, transport, priorities, address, ports, typ, typeName, ...rest] = value
    .trimEnd()
    .split(' ');
  const foundation = given === '' && !strict ? NO_FOUNDATION : given;
  if (foundation.length > 32 || !isVisible(foundation)) return invalid('a foundation of 1–32 characters');
  const component = parseDecimal(components ?? '', 256);
  if (component === undefined || component === 0) return invalid('a component of 1–256');
  const protocol = transport?.toLowerCase();
  if (protocol === undefined) return invalid('a transport');
  if (protocol !== 'udp' && protocol !== 'tcp') return unsupported('transport udp or tcp');
  const priority = parseDecimal(priorities ?? '', 0xffff_ffff);
  if (priority === undefined) return invalid('a priority of 32 bits');
  if (address === undefined || !isVisible(address)) return invalid('an address');
  if (address.includes('%')) return unsupported('an address without a zone');
  const port = parseDecimal(ports ?? '', 65_535);
  if (port === undefined || (port === 0 && protocol === 'udp')) return invalid('a port of 1–65535');
  if (typ !== 'typ' || typeName === undefined) return invalid('"typ" and a type');
  const type = TYPES.find((known) => known === typeName);
  if (type === undefined) return unsupported('type host, srflx, prflx or relay');
  const extensions = parseExtensions(rest, strict);
  if (isSdpError(extensions)) return extensions;
  return {
    type,
    protocol,
    address: canonicalAddress(address) ?? address,
    port,
    foundation,
    component,
    priority,
    ...extensions,
  };
}

type Extensions = Pick<
  SdpCandidate,
  'relatedAddress' | 'relatedPort' | 'tcpType' | 'usernameFragment' | 'extensions'
>;

/** Every stack has an order of its own here, so any order will do. */
function parseExtensions(words: readonly string[], strict: boolean): Extensions | SdpError {
  if (words.length % 2 !== 0) return invalid('a value for every extension');
  let known: Extensions = {};
  const extensions: SdpCandidateExtension[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i]!;
    const value = words[i + 1]!;
    if (!isVisible(name) || !isVisible(value)) return invalid('visible words with single spaces between');
    switch (name) {
      case 'raddr':
        known = { ...known, relatedAddress: canonicalAddress(value) ?? value };
        break;
      case 'rport': {
        const relatedPort = parseDecimal(value, 65_535);
        if (relatedPort === undefined) return invalid('an "rport" of 0–65535');
        known = { ...known, relatedPort };
        break;
      }
      case 'tcptype': {
        const tcpType = TCP_TYPES.find((type) => type === value);
        if (tcpType === undefined) return unsupported('tcptype active, passive or so');
        known = { ...known, tcpType };
        break;
      }
      case 'ufrag':
        if (!isUsernameFragment(value, strict)) return nobodys();
        known = { ...known, usernameFragment: value };
        break;
      default:
        extensions.push({ name, value });
    }
  }
  return extensions.length === 0 ? known : { ...known, extensions };
}

/** Writes `candidate:…`. Throws `ERR_BAD_ARGUMENT` for text that would not be read back as one word. */
export function writeCandidateLine(candidate: SdpCandidate): string {
  return `candidate:${writeCandidate(candidate)}`;
}

/** Writes the value of `a=candidate`. */
export function writeCandidate(candidate: SdpCandidate): string {
  const { foundation, component, protocol, priority, address, port, type } = candidate;
  const words = [foundation, `${component}`, protocol, `${priority}`, address, `${port}`, 'typ', type];
  if (candidate.relatedAddress !== undefined) words.push('raddr', candidate.relatedAddress);
  if (candidate.relatedPort !== undefined) words.push('rport', `${candidate.relatedPort}`);
  if (candidate.tcpType !== undefined) words.push('tcptype', candidate.tcpType);
  for (const { name, value } of candidate.extensions ?? []) words.push(name, value);
  if (candidate.usernameFragment !== undefined) words.push('ufrag', candidate.usernameFragment);
  for (const word of words)
    if (!isVisible(word)) throw badArgument('candidate', 'words without spaces', word);
  return words.join(' ');
}

/** The shape in which browsers exchange it. */
export function candidateInit(
  candidate: SdpCandidate,
  sdpMid: string | undefined,
  sdpMLineIndex: number,
): CandidateInit {
  return {
    candidate: writeCandidateLine(candidate),
    sdpMid: sdpMid ?? null,
    sdpMLineIndex,
    usernameFragment: candidate.usernameFragment ?? null,
  };
}

function invalid(expected: string): SdpError {
  return sdpError('candidate-invalid', `a candidate needs ${expected}`);
}

/** No session has such a fragment, so the candidate is of none. */
function nobodys(): SdpError {
  return unsupported('a username fragment of 4–256 ICE characters');
}

function unsupported(expected: string): SdpError {
  return sdpError('candidate-unsupported', `expected ${expected}`);
}
