/**
 * HostCandidates: the host candidates that a driver gives to each of its connections: its UDP sockets, the port where it listens on
 * TCP, and what it connects from, as they are announced; and how they follow the host's interfaces.
 */
import { formatAddress, type TransportAddress } from '../core/address.ts';
import type { LocalCandidateAddress, LocalCandidateInit } from '../ice/index.ts';
import type { Rtc } from '../rtc.ts';
import type { AnnouncedAddresses } from './announced-addresses.ts';
import type { HostServices } from './host-services.ts';
import type { Interfaces } from './interface-filter.ts';
import { LocalAddresses } from './local-addresses.ts';
import type { TcpDialer } from './tcp-dialer.ts';
import type { UdpSockets } from './udp-sockets.ts';

/** The port that is said of a candidate that nobody connects to (RFC 6544 §4.5). */
const DISCARD_PORT = 9;

/** Where the candidates of one driver come from. */
export interface HostCandidateSources {
  readonly sockets: UdpSockets;
  /** Where TCP is listened on; the address may be a wildcard. */
  readonly listening: TransportAddress | undefined;
  readonly dialer: TcpDialer<Rtc> | undefined;
  readonly announced: AnnouncedAddresses;
  readonly services: HostServices;
  readonly interfaces: () => Interfaces;
}

/** Bases that have come and gone with the interfaces. */
export interface HostChange {
  readonly added: readonly LocalCandidateAddress[];
  readonly removed: readonly LocalCandidateAddress[];
}

/** The host candidates of one driver's connections. */
export class HostCandidates {
  readonly #sources: HostCandidateSources;
  readonly #tcp: LocalAddresses | undefined;

  constructor(sources: HostCandidateSources) {
    const { listening, interfaces } = sources;
    this.#sources = sources;
    this.#tcp = listening && new LocalAddresses(listening, interfaces);
  }

  /** Where peers can connect by TCP. */
  get tcpAddresses(): readonly TransportAddress[] {
    return this.#tcp?.all ?? [];
  }

  /**
   * The candidates of a connection, best first; those of active TCP are reserved for it.
   * @param among the bases wanted; all by default
   */
  candidatesOf(rtc: Rtc, among?: readonly LocalCandidateAddress[]): LocalCandidateInit[] {
    const { sockets, announced } = this.#sources;
    const wanted = among && new Set(among.map(keyOf));
    const bound = [
      ...announced.candidates('udp', sockets.addresses),
      ...announced.candidates('tcp', this.tcpAddresses),
    ];
    return [
      ...bound.filter((candidate) => wanted?.has(keyOf(baseOf(candidate))) !== false),
      ...this.#active(rtc, wanted),
    ].map((candidate) => this.#named(candidate));
  }

  /** Looks at the interfaces again. */
  refresh(): HostChange {
    const { sockets, interfaces } = this.#sources;
    const now = interfaces();
    const udp = sockets.refresh(now);
    const tcp = this.#tcp?.refresh(now) ?? { added: [], removed: [] };
    const both = (which: 'added' | 'removed'): LocalCandidateAddress[] => [
      ...udp[which].map((place) => ({ protocol: 'udp' as const, ...place })),
      ...tcp[which].map((place) => ({ protocol: 'tcp' as const, ...place })),
    ];
    return { added: both('added'), removed: both('removed') };
  }

  /** One an address that UDP has too: whatever it is, TCP leaves from there as well. */
  #active(rtc: Rtc, wanted: ReadonlySet<string> | undefined): LocalCandidateInit[] {
    const { sockets, dialer } = this.#sources;
    if (dialer === undefined) return [];
    const addresses = sockets.addresses
      .filter((place) => wanted?.has(keyOf({ protocol: 'udp', ...place })) !== false)
      .map(({ address }) => address);
    return [...new Set(addresses)].flatMap((address): LocalCandidateInit[] => {
      const base = dialer.reserve(rtc, address);
      if (base === undefined) return [];
      return [{ type: 'host', protocol: 'tcp', tcpType: 'active', address, port: DISCARD_PORT, base }];
    });
  }

  /** An address that is announced is meant to be seen, one of our own goes by a name where names are published. */
  #named(candidate: LocalCandidateInit): LocalCandidateInit {
    const isOwn = candidate.address === baseOf(candidate).address;
    const announced = isOwn ? this.#sources.services.nameOf(candidate.address) : undefined;
    return announced === undefined ? candidate : { ...candidate, announced };
  }
}

function baseOf({ protocol, address, port, base }: LocalCandidateInit): LocalCandidateAddress {
  return { protocol, ...(base ?? { address, port }) };
}

function keyOf({ protocol, address, port }: LocalCandidateAddress): string {
  return `${protocol} ${formatAddress({ address, port })}`;
}
