/**
 * Wire: the way of a datagram between two interfaces.
 *
 *   sender's interface → out through the NATs in front of it → the link's verdict → (time passes)
 *   → in through the NATs in front of the receiver → receiver's interface → the machine that has the port
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import { copyBytes } from '../core/bytes.ts';
import type { SeededRandom } from '../core/random.ts';
import type { ResolvedConditions } from './conditions.ts';
import { SWAP_LIMIT } from './faults.ts';
import type { Arrival, NetworkInterface, Runner } from './host.ts';
import { Link } from './link.ts';
import type { Verdict } from './link.ts';
import type { DatagramLog, Loss } from './log.ts';
import type { SimTransmit } from './machine.ts';
import type { Nat } from './nat.ts';
import type { End, Realms } from './realm.ts';

/** A copy of a datagram under way. */
export interface Flight extends Arrival {
  /** Where it heads; becomes the inside address as it comes in through a NAT. */
  destination: TransportAddress;
  /** Who has the destination's address: an interface, or the NAT to come in through. */
  readonly end: End;
  /** It has arrived, or arrives by another plan (a swap). */
  done: boolean;
}

/** Plans the arrival of a flight. */
export type PlanArrival = (at: number, flight: Flight) => void;

/** The way of a datagram out to whoever has its destination's address. */
export interface Route {
  /** As it is seen outside. */
  readonly source: TransportAddress;
  readonly end: End;
}

/** UDP and IP headers, in bytes. */
const HEADERS_IPV4 = 28;
const HEADERS_IPV6 = 48;

/**
 * Everything between the interfaces of one network. It decides what becomes of a datagram; the network plans when.
 */
export class Wire {
  readonly #realms: Realms;
  readonly #log: DatagramLog;
  readonly #random: SeededRandom;
  readonly #defaults: ResolvedConditions;
  readonly #plan: PlanArrival;
  /** By sender, then by receiver; made on first use. */
  readonly #links = new Map<NetworkInterface, Map<End, Link>>();
  /** Swapped datagrams that wait for the next one of their link. */
  readonly #held = new Map<Link, Flight>();

  constructor(
    realms: Realms,
    log: DatagramLog,
    random: SeededRandom,
    defaults: ResolvedConditions,
    plan: PlanArrival,
  ) {
    this.#realms = realms;
    this.#log = log;
    this.#random = random;
    this.#defaults = defaults;
    this.#plan = plan;
  }

  get defaults(): ResolvedConditions {
    return this.#defaults;
  }

  /** The direction from an interface to another one, or to a NAT behind which nobody has been reached yet. */
  link(from: NetworkInterface, to: End): Link {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map<End, Link>();
      this.#links.set(from, links);
    }
    const known = links.get(to);
    if (known !== undefined) return known;
    const name = `${endName(from)} → ${endName(to)}`;
    const made = new Link(name, this.#defaults, this.#random.split(name));
    links.set(to, made);
    return made;
  }

  /** Every link that has been made. */
  *links(): Iterable<Link> {
    for (const links of this.#links.values()) yield* links.values();
  }

  send(from: NetworkInterface, sender: string, transmit: SimTransmit, now: number): void {
    const { destination, data } = transmit;
    const record = this.#log.sent(sender, transmit, now);
    const route = this.leave(from, transmit.source, destination, 'udp', now);
    if (typeof route === 'string') {
      this.#log.refused(record, route);
      return;
    }
    const link = this.link(from, this.ownerOf(route.end, destination.port, now));
    const verdict = link.carry(now, data.length + (from.family === 4 ? HEADERS_IPV4 : HEADERS_IPV6));
    record.link = link.name;
    record.linkIndex = verdict.index;
    const held = this.#held.get(link);
    if (held !== undefined) this.#held.delete(link);
    if (verdict.loss === undefined) {
      const flight = { record, data, source: route.source, destination, end: route.end, done: false };
      this.#depart(link, verdict, flight);
    } else {
      this.#log.refused(record, verdict.loss);
    }
    // Planned after the one that overtakes it: of two arrivals at one time, the one planned first comes first.
    if (held !== undefined) this.#release(held, verdict.arrival);
  }

  /** A flight arrives: the machine it is for, or `undefined` when it is lost at the last hop. */
  arrive(flight: Flight, now: number): Runner | undefined {
    flight.done = true;
    const target = this.enter(flight, flight.destination.port, now);
    if (typeof target === 'string') {
      this.#log.lost(flight.record, target);
      return undefined;
    }
    flight.destination = target.inside;
    const listener = target.at.host.listener(flight.destination.port);
    if (listener === undefined) this.#log.lost(flight.record, 'no-listener');
    return listener;
  }

  #depart(link: Link, verdict: Verdict, flight: Flight): void {
    const { data, record } = flight;
    if (verdict.corruptMask !== 0 && data.length > 0) {
      data[verdict.corruptAt % data.length]! ^= verdict.corruptMask;
      record.corrupted = true;
    }
    if (verdict.swapped) this.#held.set(link, flight);
    this.#log.departed();
    this.#plan(verdict.swapped ? verdict.arrival + SWAP_LIMIT : verdict.arrival, flight);
    if (verdict.duplicateArrival === Infinity) return;
    this.#log.departed();
    this.#plan(verdict.duplicateArrival, { ...flight, data: copyBytes(data) });
  }

  #release(held: Flight, arrival: number): void {
    if (held.done) return;
    held.done = true;
    this.#plan(arrival, { ...held, done: false });
  }

  /** Out through the NATs in front of the sender, until somebody has the destination's address. */
  leave(
    from: NetworkInterface,
    local: TransportAddress,
    destination: TransportAddress,
    protocol: Protocol,
    now: number,
  ): Route | Loss {
    if (!from.isUp) return 'interface-down';
    if (destination.address.includes(':') !== (from.family === 6)) return 'no-route';
    let source = local;
    let realm = this.#realms.of(from);
    let passed: Nat | undefined;
    for (;;) {
      const end = realm.find(destination.address);
      if (end !== undefined) {
        const turnsBack = end === passed;
        return turnsBack && !passed?.hairpin ? 'nat-no-hairpin' : { source, end };
      }
      if (realm.exit === undefined) return 'no-route';
      passed = realm.exit.nat;
      if (protocol === 'udp' && !passed.udp) return 'nat-filtered';
      const outside = passed.outbound(source, destination, now);
      if (outside === undefined) return 'nat-ports-exhausted';
      source = outside;
      realm = realm.exit.outside;
    }
  }

  /** In through the NATs in front of the receiver. */
  enter(
    route: Route,
    port: number,
    now: number,
  ): { readonly at: NetworkInterface; readonly inside: TransportAddress } | Loss {
    let end: End | undefined = route.end;
    let inside: TransportAddress = { address: end.address, port };
    while (end.kind === 'nat') {
      const mapped = end.inbound(route.source, inside.port, now);
      if (mapped === undefined) return 'nat-filtered';
      inside = mapped;
      end = this.#realms.behind(end).find(inside.address);
      if (end === undefined) return 'no-route';
    }
    return end.isUp ? { at: end, inside } : 'interface-down';
  }

  /** The interface a datagram will come out at, as far as mappings tell: it names the link. */
  ownerOf(end: End, port: number, now: number): End {
    if (end.kind === 'interface') return end;
    const inside = end.owner(port, now);
    const next = inside === undefined ? undefined : this.#realms.behind(end).find(inside.address);
    return inside === undefined || next === undefined ? end : this.ownerOf(next, inside.port, now);
  }
}

function endName(end: End): string {
  return end.kind === 'nat' ? end.name : `${end.host.name} ${end.address}`;
}
