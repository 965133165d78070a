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
 *
 * Connections with DTLS connection ids share a path, and need no owner (connection-ids.ts). Whether the peer has them its
 * handshake tells. So the first one to meet a remote address goes ahead, and those of which we control who meets it next
 * wait for what it finds, which is sooner than they could be given a socket each:
 *
 *   undecided ──the first handshake over the path: ids both ways──▶ sharer, and so may the others be
 *             └──none──▶ exclusive: all that is said above
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { PathAddresses, PathUse, Rtc } from '../rtc.ts';
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
  /** Whether it shares paths; `Ownership.decided` is told of a change. */
  readonly pathUse: PathUse;
  /** In the order of their latest proof. */
  readonly routes: Set<Route<User>>;
}

/** What is counted about paths; docs/operations.md says what each means. */
export type OwnershipCounter =
  | 'routesBound'
  | 'routesTakenOver'
  | 'routesContested'
  | 'routesEvicted'
  | 'routesShunned'
  | 'routesShared'
  | 'checksDeferred';

/** The counters of the endpoint. */
export interface OwnershipCounters {
  add(name: OwnershipCounter): void;
}

/** Claimants of one path at once: before it has an owner each gets a copy of what comes. */
const MAX_CLAIMANTS = 16;

/** How long further connections wait for what the first one over a path finds out of its peer, milliseconds. */
const FIRST_CONTACT = 3000;

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
   * @returns false if the check must not be sent: the host has given the connection another socket, or it is too early
   */
  checking(
    user: User,
    protocol: Protocol,
    local: TransportAddress,
    remote: TransportAddress,
    now: number,
  ): boolean {
    const route = this.#routes[protocol].getOrAdd(local, remote, now);
    if (isOn(user, route)) return true;
    if (this.isTooEarly(user, route, now)) {
      this.#counters.add('checksDeferred');
      return false;
    }
    if (route.shunned.has(user) || this.#shuns(user, route)) {
      this.#counters.add('routesShunned');
      return false;
    }
    this.#claim(user, route);
    return true;
  }

  /**
   * The first connection over a path is about to find out whether the peer has connection ids, and `user` has to wait for that.
   * The end that controls parts from others, so it waits: of two ends that both did, neither would come first.
   */
  isTooEarly(user: User, route: Route<User>, now: number): boolean {
    if (user.pathUse !== 'undecided' || route.peersShare !== undefined) return false;
    if (now - route.since >= FIRST_CONTACT || isOn(user, route) || !user.rtc.isControlling) return false;
    const isFirst = (other: User | undefined): boolean =>
      other?.pathUse === 'undecided' && other.rtc.isControlling;
    if (isFirst(route.owner)) return true;
    for (const claimant of route.claimants) if (isFirst(claimant)) return true;
    return false;
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
    const route = this.#routes[protocol].getOrAdd(local, remote, now);
    const isProof = rtc.pathProvenAt(local, remote, protocol) > provenBefore;
    if (user.pathUse === 'shared') {
      if (rtc.isValidPath(local, remote, protocol)) this.#share(user, route);
      if (isProof) this.#hold(user, route);
    } else if (route.owner === user) {
      if (isProof) this.#hold(user, route);
    } else if (route.owner === undefined) {
      if (rtc.isValidPath(local, remote, protocol)) this.#bind(user, route);
      else this.#claim(user, route);
    } else if (areUndecided(user, route.owner)) {
      this.#claim(user, route);
      if (isProof && route.peersShare !== true) this.#prefer(user, route, route.owner);
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
  using(
    user: User,
    protocol: Protocol,
    local: TransportAddress,
    remote: TransportAddress,
    now: number,
  ): void {
    const route = this.#routes[protocol].getOrAdd(local, remote, now);
    if (route.owner === user) return;
    if (user.pathUse === 'shared') {
      this.#share(user, route);
    } else if (route.owner === undefined) {
      this.#bind(user, route);
    } else if (areUndecided(user, route.owner)) {
      this.#claim(user, route);
    } else {
      this.#claim(user, route);
      this.#lose(user, route);
    }
  }

  /** The handshake of `user` has shown whether it shares its paths. */
  decided(user: User): void {
    const { rtc, pathUse } = user;
    for (const route of [...user.routes]) {
      if (!rtc.isValidPath(route.local, route.remote, route.protocol)) continue;
      route.peersShare = pathUse === 'shared';
      if (pathUse === 'shared') {
        this.#share(user, route);
      } else if (route.owner !== undefined && route.owner !== user) {
        // Two handshakes were under way, and this one needs the path to itself.
        if (route.owner.pathUse === 'undecided') {
          this.#takeFrom(route.owner, route);
          this.#bind(user, route);
        } else {
          this.#lose(user, route);
        }
      }
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
    if (onSharedPath === undefined || other === undefined || mayShare(user, other, route)) return false;
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

  /** What nobody is named in goes to the latest to be answered, until it is known whether both may stay. */
  #prefer(user: User, route: Route<User>, owner: User): void {
    route.owner = undefined;
    this.#claim(owner, route);
    if (user.rtc.isValidPath(route.local, route.remote, route.protocol)) this.#bind(user, route);
  }

  #share(user: User, route: Route<User>): void {
    if (route.sharers.has(user)) return;
    route.sharers.add(user);
    route.claimants.delete(user);
    if (route.owner === user) route.owner = undefined;
    if (route.losers.delete(user)) user.rtc.setPathHeld(addressesOf(route), true);
    this.#counters.add('routesShared');
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
    route.sharers.delete(user);
    route.shunned.delete(user);
    if (route.owner === user) route.owner = undefined;
    const users = route.claimants.size + route.losers.size + route.sharers.size + route.shunned.size;
    if (route.owner === undefined && users === 0) this.#routes[route.protocol].delete(route);
  }
}

function addressesOf({ protocol, local, remote }: PathAddresses): PathAddresses {
  return { protocol, local, remote };
}

/** Neither of the two knows yet whether its peer has connection ids. */
function areUndecided<User extends RouteHolder<User>>(a: User, b: User): boolean {
  return a.pathUse === 'undecided' && b.pathUse === 'undecided';
}

/** As far as is known, the two need not keep off each other. */
function mayShare<User extends RouteHolder<User>>(user: User, other: User, route: Route<User>): boolean {
  return user.pathUse !== 'exclusive' && other.pathUse !== 'exclusive' && route.peersShare !== false;
}

/** `user` has to do with the path already. */
function isOn<User extends RouteHolder<User>>(user: User, route: Route<User>): boolean {
  return route.owner === user || route.claimants.has(user) || route.sharers.has(user);
}
