/**
 * Candidate filters: which candidates are used at all, ours or the peer's, as plain data.
 *
 *     { types: ['relay'] }                               nothing but relays
 *     { families: [4], deny: ['203.0.113.0/24'] }        IPv4, but for one network
 *
 * Beside them `remoteAddressClasses` says which addresses of the peer's are tried of our own accord; that one is safe by default.
 */
import type { Protocol } from '../core/address.ts';
import { parseIp } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { listOf, oneOf, ownOptions } from '../core/options.ts';
import { embeddedIpv4 } from './address-class.ts';
import type { IceCandidate } from './candidate.ts';
import type { IceCandidateType } from './priority.ts';

/** What a candidate must be to be used; what is left out is open. */
export interface CandidateFilter {
  /** Of one of these types. A peer that is known by its checks alone is `prflx`. */
  readonly types?: readonly IceCandidateType[] | undefined;
  /** Over one of these. */
  readonly protocols?: readonly Protocol[] | undefined;
  /** Of one of these address families. */
  readonly families?: readonly (4 | 6)[] | undefined;
  /** In one of these networks, `192.0.2.0/24` or `2001:db8::/32`. */
  readonly allow?: readonly string[] | undefined;
  /** In none of these, nor standing for an IPv4 address that is (mapped, NAT64, 6to4, Teredo, ISATAP). */
  readonly deny?: readonly string[] | undefined;
}

interface Network {
  /** Its first address, 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

const networkRule: OptionRule = (value, name) => {
  const isNetwork = typeof value === 'string' && parseNetwork(value) !== undefined;
  if (!isNetwork) throw badArgument(name, 'a network, 192.0.2.0/24 or 2001:db8::/32', value);
};

const familyRule: OptionRule = (value, name) => {
  if (value !== 4 && value !== 6) throw badArgument(name, '4, 6', value);
};

/** What each member must be. */
export const CANDIDATE_FILTER_RULES: OptionRules<CandidateFilter> = {
  types: listOf(oneOf(['host', 'srflx', 'prflx', 'relay'])),
  protocols: listOf(oneOf(['udp', 'tcp'])),
  families: listOf(familyRule),
  allow: listOf(networkRule),
  deny: listOf(networkRule),
};

/** A filter that has passed its rules, made to be asked. */
export class CandidateRules {
  readonly #filter: CandidateFilter;
  readonly #allow: readonly Network[] | undefined;
  readonly #deny: readonly Network[];

  constructor(filter: CandidateFilter) {
    this.#filter = ownOptions(filter);
    this.#allow = filter.allow?.flatMap((text) => parseNetwork(text) ?? []);
    this.#deny = (filter.deny ?? []).flatMap((text) => parseNetwork(text) ?? []);
  }

  /** Whether a candidate is used. Its address is an IP address. */
  accepts({ type, protocol, address }: Pick<IceCandidate, 'type' | 'protocol' | 'address'>): boolean {
    const { types, protocols, families } = this.#filter;
    if (types?.includes(type) === false || protocols?.includes(protocol) === false) return false;
    const bytes = parseIp(address);
    if (bytes === undefined) return false;
    if (families?.includes(bytes.length === 4 ? 4 : 6) === false) return false;
    if (this.#allow?.some((network) => contains(network, bytes)) === false) return false;
    const meant = embeddedIpv4(bytes) ?? bytes;
    return !this.#deny.some((network) => contains(network, bytes) || contains(network, meant));
  }
}

/** `undefined` for text that is no network. Bits beyond the prefix do not count. */
function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix = '', ...rest] = text.split('/');
  if (rest.length > 0 || address.includes('%') || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  const bytes = parseIp(address);
  const bits = Number(prefix);
  return bytes === undefined || bits > 8 * bytes.length ? undefined : { bytes, bits };
}

function contains({ bytes, bits }: Network, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== address[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (bytes[whole]! ^ address[whole]!) >> (8 - rest) === 0;
}
