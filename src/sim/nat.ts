/**
 * Nat: the translator between an inside and its one outside address, as RFC 4787 sorts them: which datagrams share a
 * mapping, and whose datagrams may come in through it. Where it stands, realm.ts knows.
 *
 * Out: the inside source gets a mapping (or renews one) and leaves from its outside port. In: the outside port names
 * the mapping, the filter decides, the datagram goes on to the inside address. The translation takes no time; it
 * happens when a datagram leaves and when it arrives.
 */
import type { TransportAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { flag, having, integer, oneOf, text, wait } from '../core/options.ts';

/** On what of the other side's address a mapping or a filter depends (RFC 4787 §4.1, §5). */
export type NatBehaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** Options of `network.nat()`. */
export interface NatOptions {
  readonly name?: string | undefined;
  /** Default `endpoint-independent`, as RFC 4787 REQ-1 asks for. */
  readonly mapping?: NatBehaviour | undefined;
  /** Default `address-and-port-dependent`: most home routers, and the strictest. */
  readonly filtering?: NatBehaviour | undefined;
  /** Whether hosts behind it reach each other by their outside addresses (RFC 4787 §6). Default false. */
  readonly hairpin?: boolean | undefined;
  /** Milliseconds without outbound traffic until a mapping is forgotten. Default 120,000 (the least of REQ-5). */
  readonly timeout?: number | undefined;
  /** Whether inbound traffic keeps a mapping alive too (REQ-6 leaves it open). Default false. */
  readonly refreshInbound?: boolean | undefined;
  /** False: it lets no UDP out, as networks do that pass the web alone. Default true. */
  readonly udp?: boolean | undefined;
  /** How many outside ports it has, from `FIRST_NAT_PORT` up. Default: all, 25,536. */
  readonly ports?: number | undefined;
  /** A NAT whose inside this one stands in: a carrier's. Default: none, it stands on the internet. */
  readonly behind?: Nat | undefined;
}

/** What a NAT of one kind maps and lets through. */
export type NatKind = Pick<NatOptions, 'mapping' | 'filtering'>;

/** The four classic kinds, by the names of RFC 3489 §5. */
export const NAT_KINDS: Readonly<
  Record<'fullCone' | 'restrictedCone' | 'portRestrictedCone' | 'symmetric', NatKind>
> = {
  fullCone: { mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
  restrictedCone: { mapping: 'endpoint-independent', filtering: 'address-dependent' },
  portRestrictedCone: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  symmetric: { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' },
};

/** Outside ports are given out in order from here; a port is not used again before all others have been. */
export const FIRST_NAT_PORT = 40000;
const MAX_NAT_PORTS = 65536 - FIRST_NAT_PORT;

const behaviour: OptionRule = oneOf([
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
]);

/** What each option of a NAT may be. */
export const NAT_RULES: OptionRules<NatOptions> = {
  name: text(),
  mapping: behaviour,
  filtering: behaviour,
  hairpin: flag,
  timeout: wait,
  refreshInbound: flag,
  udp: flag,
  ports: integer(1, MAX_NAT_PORTS),
  behind: having('a NAT', ['reset', 'mappings']),
};

interface Mapping {
  readonly key: string;
  readonly inside: TransportAddress;
  readonly outside: TransportAddress;
  /** Remote endpoints sent to, as the filter sees them, with the time until which they may answer. */
  readonly permissions: Map<string, number>;
  expiresAt: number;
}

/** A NAT, made by `network.nat()`: hosts stand behind it by their option `behind`. */
export class Nat {
  readonly kind = 'nat';
  readonly name: string;
  /** The outside address. */
  readonly address: string;
  readonly hairpin: boolean;
  readonly udp: boolean;
  readonly #mapping: NatBehaviour;
  readonly #filtering: NatBehaviour;
  readonly #timeout: number;
  readonly #refreshInbound: boolean;
  readonly #byInside = new Map<string, Mapping>();
  readonly #byPort = new Map<number, Mapping>();
  readonly #ports: number;
  #nextPort = 0;

  /** Made by `network.nat()`, which has judged the options. */
  constructor(address: string, options: NatOptions) {
    this.address = address;
    this.name = options.name ?? `nat ${address}`;
    this.hairpin = options.hairpin ?? false;
    this.udp = options.udp ?? true;
    this.#mapping = options.mapping ?? 'endpoint-independent';
    this.#filtering = options.filtering ?? 'address-and-port-dependent';
    this.#timeout = options.timeout ?? 120_000;
    this.#ports = options.ports ?? MAX_NAT_PORTS;
    this.#refreshInbound = options.refreshInbound ?? false;
  }

  /** Forgets every mapping, as a restart does. The next datagram out gets a new port. */
  reset(): void {
    this.#byInside.clear();
    this.#byPort.clear();
  }

  /** The mappings in force at `now`, for looking. */
  mappings(now: number): { readonly inside: string; readonly outside: string; readonly expiresAt: number }[] {
    return [...this.#byPort.values()]
      .filter((mapping) => mapping.expiresAt > now)
      .map((mapping) => ({
        inside: formatAddress(mapping.inside),
        outside: formatAddress(mapping.outside),
        expiresAt: mapping.expiresAt,
      }));
  }

  /** A datagram leaves: the source it has outside; `undefined` when every port is taken. */
  outbound(
    source: TransportAddress,
    destination: TransportAddress,
    now: number,
  ): TransportAddress | undefined {
    const key = `${formatAddress(source)}>${scope(this.#mapping, destination)}`;
    const mapping = this.#live(this.#byInside.get(key), now) ?? this.#map(key, source, now);
    if (mapping === undefined) return undefined;
    mapping.expiresAt = now + this.#timeout;
    mapping.permissions.set(scope(this.#filtering, destination), now + this.#timeout);
    return mapping.outside;
  }

  /** A datagram comes in: where it goes inside; `undefined` when it is filtered or nothing is mapped. */
  inbound(source: TransportAddress, port: number, now: number): TransportAddress | undefined {
    const mapping = this.#live(this.#byPort.get(port), now);
    if (mapping === undefined) return undefined;
    const permission = scope(this.#filtering, source);
    const permittedUntil = mapping.permissions.get(permission) ?? -Infinity;
    if (this.#filtering !== 'endpoint-independent' && permittedUntil <= now) return undefined;
    if (this.#refreshInbound) {
      mapping.expiresAt = now + this.#timeout;
      mapping.permissions.set(permission, now + this.#timeout);
    }
    return mapping.inside;
  }

  /** Who an outside port belongs to, without passing through: names the link a datagram will take. */
  owner(port: number, now: number): TransportAddress | undefined {
    return this.#live(this.#byPort.get(port), now)?.inside;
  }

  #live(mapping: Mapping | undefined, now: number): Mapping | undefined {
    if (mapping === undefined || mapping.expiresAt > now) return mapping;
    this.#byInside.delete(mapping.key);
    this.#byPort.delete(mapping.outside.port);
    return undefined;
  }

  #map(key: string, inside: TransportAddress, now: number): Mapping | undefined {
    const port = this.#freePort(now);
    if (port === undefined) return undefined;
    const mapping: Mapping = {
      key,
      inside,
      outside: { address: this.address, port },
      permissions: new Map(),
      expiresAt: now,
    };
    this.#byInside.set(key, mapping);
    this.#byPort.set(port, mapping);
    return mapping;
  }

  #freePort(now: number): number | undefined {
    for (let tried = 0; tried < this.#ports; tried++) {
      const port = FIRST_NAT_PORT + this.#nextPort;
      this.#nextPort = (this.#nextPort + 1) % this.#ports;
      if (this.#live(this.#byPort.get(port), now) === undefined) return port;
    }
    return undefined;
  }
}

/** The part of a remote address that a behaviour looks at. */
function scope(behaviour: NatBehaviour, remote: TransportAddress): string {
  switch (behaviour) {
    case 'endpoint-independent':
      return '';
    case 'address-dependent':
      return remote.address;
    case 'address-and-port-dependent':
      return formatAddress(remote);
  }
}
