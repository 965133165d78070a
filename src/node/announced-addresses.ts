/**
 * AnnouncedAddresses: addresses at which peers reach a socket though it is not bound there: behind a 1:1 NAT, a published port of a
 * container, a cloud's public address.
 *
 *   bound 10.0.0.5:3478 ──announced 203.0.113.7──▶ a host candidate 203.0.113.7:3478, whose base is the bound address
 *
 * To the peer it is a host candidate like any other; the bound address behind it is not told, unless it is to be kept.
 */
import { addressFamily, canonicalAddress, type Protocol, type TransportAddress } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { fields, integer, required } from '../core/options.ts';
import type { LocalCandidateInit } from '../ice/index.ts';

/** Where peers reach one of our addresses. */
export interface AnnouncedAddress {
  /** An IP address. */
  readonly address: string;
  /** Default: the port that is bound. */
  readonly port?: number | undefined;
  /** As `port`, of ICE over TCP. */
  readonly tcpPort?: number | undefined;
  /** The bound address that it stands for. Default: the first one of its family. */
  readonly local?: string | undefined;
}

/** An IP address without a zone, which means something on this host alone (RFC 4007 §6). */
export const addressRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || value.includes('%') || canonicalAddress(value) === undefined) {
    throw badArgument(name, 'an IP address without a zone', value);
  }
};

const RULES: OptionRules<AnnouncedAddress> = {
  address: required(addressRule),
  port: integer(1, 0xffff),
  tcpPort: integer(1, 0xffff),
  local: addressRule,
};

const entryRule = fields(RULES);

/** The rule of one entry: text, or an `AnnouncedAddress`. */
export const announcedRule: OptionRule = (value, name) => {
  if (typeof value === 'string') addressRule(value, name);
  else entryRule(value, name);
};

/** What is announced for the addresses of one driver. */
export class AnnouncedAddresses {
  readonly #entries: readonly AnnouncedAddress[];
  readonly #keepsBound: boolean;

  /** @param keepsBound peers are told the bound addresses, too */
  constructor(entries: readonly (string | AnnouncedAddress)[], keepsBound: boolean) {
    this.#entries = entries.map((entry) => {
      const { address, local, ...ports } = typeof entry === 'string' ? { address: entry } : entry;
      const own = local === undefined ? undefined : canonicalAddress(local);
      return { ...ports, address: canonicalAddress(address) ?? address, local: own };
    });
    this.#keepsBound = keepsBound;
  }

  /** The host candidates of what is bound, best first. */
  candidates(protocol: Protocol, bound: readonly TransportAddress[]): LocalCandidateInit[] {
    return bound.flatMap((place) => {
      const announced = this.#entriesOf(place, bound).map((entry) => candidateOf(entry, protocol, place));
      const own: LocalCandidateInit = { type: 'host', protocol, ...place };
      return announced.length === 0 ? [own] : this.#keepsBound ? [...announced, own] : announced;
    });
  }

  #entriesOf(place: TransportAddress, bound: readonly TransportAddress[]): AnnouncedAddress[] {
    const family = addressFamily(place.address);
    const first = bound.find(({ address }) => addressFamily(address) === family);
    return this.#entries.filter(({ address, local }) =>
      local === undefined
        ? addressFamily(address) === family && place === first
        : local === place.address && isFirstOf(place, bound),
    );
  }
}

function candidateOf(
  { address, port, tcpPort }: AnnouncedAddress,
  protocol: Protocol,
  { address: base, port: bound }: TransportAddress,
): LocalCandidateInit {
  const announced = (protocol === 'udp' ? port : tcpPort) ?? bound;
  return { type: 'host', protocol, address, port: announced, base: { address: base, port: bound } };
}

/** One address may be bound at several ports. */
function isFirstOf(place: TransportAddress, bound: readonly TransportAddress[]): boolean {
  return bound.find(({ address }) => address === place.address) === place;
}
