/**
 * Ownership: which connection a path belongs to. Between one of our sockets and one of the peer's there is one path, and
 * DTLS carries nothing that tells two connections on it apart, so it belongs to one of them.
 *
 *   check sent there, or an authentic one come from there ──▶ claimant
 *   ICE holds the path valid, and nobody owns it ──▶ owner
 *   somebody owns it ──▶ the newcomer's own check over it has been answered ──▶ owner, and the other a loser
 *
 * An authentic check alone moves nothing that is owned: its sender proves who it is, not where, and whoever has
 * credentials of its own can write any source address. An answer to our check proves it, for only who receives at that
 * address has seen the transaction id. So a page that reloads and a NAT that reuses a port move the path within a round
 * trip, and a neighbour who spoofs an address moves nothing. Of two connections that live and share a pair of sockets
 * the younger claim has the path; the loser gets it back when the other leaves, or has been silent for
 * `takeoverSilence`, so that they do not take it from each other with every check.
 *
 * A lite end sends no checks and has no such proof: it waits for the owner's silence. TCP is a proof of its own.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { PathAddresses, Rtc } from '../rtc.ts';
import type { Route } from './routes.ts';
import { RouteTable } from './routes.ts';

/** Options of the endpoint that are about paths. */
export interface OwnershipOptions {
  /** Most remote addresses one connection may have to do with at once; see `Endpoint`. */
  readonly maxRoutesPerConnection: number;
  /** Milliseconds. */
  readonly takeoverSilence: number;
  readonly onSharedPath: ((meeting: SharedPath) => boolean) | undefined;
}

/** Two connections of one endpoint meet one remote address over one of their own. */
export interface SharedPath extends PathAddresses {
  /** The connection that is about to send its first check there. */
  readonly rtc: Rtc;
  /** The one that owns the path, or has sent a check there before. */
  readonly other: Rtc;
  /**
   * An authentic check of `rtc`'s peer has come from there: it may be a page that reloaded behind the same port. False: we
   * know the address from signalling alone.
   */
  readonly authenticated: boolean;
}

/** What ownership knows of a connection. */
export interface RouteHolder<User> {
  readonly rtc: Rtc;
  /** In the order of their latest proof. */
  readonly routes: Set<Route<User>>;
}

/** What is counted about paths; docs/operations.md says what each means. */
export type OwnershipCounter =
  'routesBound' | 'routesTakenOver' | 'routesContested' | 'routesEvicted' | 'routesShunned';

/** The counters of the endpoint. */
export interface OwnershipCounters {
  add(name: OwnershipCounter): void;
}

/** Claimants of one path at once: before it has an owner each gets a copy of what comes. */
const MAX_CLAIMANTS = 16;

/**
 * Who owns which path, and who else has to do with it. It tells a connection
 * when a path is no longer its own, and when it is again; what comes over the path is the endpoint's to deliver.
 */
export class Ownership<User extends RouteHolder<User>> {
  readonly #routes: Readonly<Record<Protocol, RouteTable<User>>> = {
    udp: new RouteTable('udp'),
    tcp: new RouteTable('tcp'),
  };
  readonly #options: OwnershipOptions;
  readonly #counters: OwnershipCounters;

  constructor(options: OwnershipOptions, counters: OwnershipCounters) {
    this.#options = options;
    this.#counters = counters;
  }

  get size(): number {
    return this.#routes.udp.size + this.#routes.tcp.size;
  }

  find(protocol: Protocol, local: TransportAddress, remote: TransportAddress): Route<User> | undefined {
    return this.#routes[protocol].get(local, remote);
  }

  /**
   * `user` is about to send a check over this path.
   * @returns false if the check must not be sent: the host has given the connection another socket
   */
  checking(user: User, protocol: Protocol, local: TransportAddress, remote: TransportAddress): boolean {
    const route = this.#routes[protocol].getOrAdd(local, remote);
    if (route.owner === user || route.claimants.has(user)) return true;
    if (route.shunned.has(user) || this.#shuns(user, route)) {
      this.#counters.add('routesShunned');
      return false;
    }
    this.#claim(user, route);
    return true;
  }

  /**
   * A STUN message of `user`'s peer has come over this path, and the connection has seen it.
   * @param provenBefore what `rtc.pathProvenAt` said before
   */
  heard(
    user: User,
    protocol: Protocol,
    local: TransportAddress,
    remote: TransportAddress,
    provenBefore: number,
    now: number,
  ): void {
    const { rtc } = user;
    if (!rtc.isAuthenticatedPath(local, remote, protocol) && !rtc.isValidPath(local, remote, protocol))
      return;
    const route = this.#routes[protocol].getOrAdd(local, remote);
    const isProof = rtc.pathProvenAt(local, remote, protocol) > provenBefore;
    if (route.owner === user) {
      if (isProof) this.#hold(user, route);
    } else if (route.owner === undefined) {
      if (rtc.isValidPath(local, remote, protocol)) this.#bind(user, route);
      else this.#claim(user, route);
    } else if (this.#mayTakeOver(user, route, route.owner, isProof, now)) {
      this.#takeFrom(route.owner, route);
      this.#counters.add('routesTakenOver');
      this.#bind(user, route);
    } else {
      this.#claim(user, route);
      // A full newcomer that has not been answered yet may still be; who has proved all it can has lost.
      if (isProof && rtc.isValidPath(local, remote, protocol)) this.#lose(user, route);
    }
  }

  /** Two lite ends send no checks: `user` has a path because signalling says so, and sends over it. */
  using(user: User, protocol: Protocol, local: TransportAddress, remote: TransportAddress): void {
    const route = this.#routes[protocol].getOrAdd(local, remote);
    if (route.owner === user) return;
    if (route.owner === undefined) {
      this.#bind(user, route);
    } else {
      this.#claim(user, route);
      this.#lose(user, route);
    }
  }

  /** `user` leaves. */
  release(user: User): void {
    for (const route of user.routes) this.#let(user, route);
  }

  #mayTakeOver(user: User, route: Route<User>, owner: User, isProof: boolean, now: number): boolean {
    const { rtc } = user;
    const { protocol, local, remote } = route;
    if (!isProof || !rtc.isValidPath(local, remote, protocol)) return false;
    const silence = now - owner.rtc.pathProvenAt(local, remote, protocol);
    if (silence > this.#options.takeoverSilence) return true;
    const isReturnRoutable = rtc.localParameters.ice.lite !== true || protocol === 'tcp';
    return isReturnRoutable && !route.losers.has(user);
  }

  #shuns(user: User, route: Route<User>): boolean {
    const { onSharedPath } = this.#options;
    const [firstClaimant] = route.claimants;
    const other = route.owner ?? firstClaimant;
    if (onSharedPath === undefined || other === undefined) return false;
    const { protocol, local, remote } = route;
    const authenticated = user.rtc.isAuthenticatedPath(local, remote, protocol);
    if (!onSharedPath({ protocol, local, remote, rtc: user.rtc, other: other.rtc, authenticated }))
      return false;
    route.shunned.add(user);
    this.#hold(user, route);
    return true;
  }

  #claim(user: User, route: Route<User>): void {
    if (route.claimants.has(user) || route.claimants.size >= MAX_CLAIMANTS) return;
    route.claimants.add(user);
    this.#hold(user, route);
  }

  #bind(user: User, route: Route<User>): void {
    route.owner = user;
    route.claimants.delete(user);
    if (route.losers.delete(user)) user.rtc.setPathHeld(addressesOf(route), true);
    this.#counters.add('routesBound');
    this.#hold(user, route);
  }

  #takeFrom(owner: User, route: Route<User>): void {
    route.owner = undefined;
    this.#lose(owner, route);
  }

  /** Told once: until it has the path again. */
  #lose(user: User, route: Route<User>): void {
    if (route.losers.has(user)) return;
    this.#counters.add('routesContested');
    user.rtc.setPathHeld(addressesOf(route), false);
    route.losers.add(user);
    this.#hold(user, route);
  }

  /** At the limit what is merely claimed goes first: a path in use must not be lost to addresses that anybody can name. */
  #hold(user: User, route: Route<User>): void {
    user.routes.delete(route);
    user.routes.add(route);
    if (user.routes.size <= this.#options.maxRoutesPerConnection) return;
    const [oldest] = user.routes; // sets keep the order of insertion
    let evicted = oldest;
    for (const held of user.routes) {
      if (held.owner === user || held === route) continue;
      evicted = held;
      break;
    }
    if (evicted === undefined) return;
    this.#let(user, evicted);
    this.#counters.add('routesEvicted');
  }

  #let(user: User, route: Route<User>): void {
    user.routes.delete(route);
    route.claimants.delete(user);
    route.losers.delete(user);
    route.shunned.delete(user);
    if (route.owner === user) route.owner = undefined;
    const users = route.claimants.size + route.losers.size + route.shunned.size;
    if (route.owner === undefined && users === 0) this.#routes[route.protocol].delete(route);
  }
}

function addressesOf({ protocol, local, remote }: PathAddresses): PathAddresses {
  return { protocol, local, remote };
}
