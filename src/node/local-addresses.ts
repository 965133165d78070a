/**
 * LocalAddresses: the addresses of this host that a socket can offer as host candidates, and the one a given peer is reached from.
 *
 * A socket bound to one address has exactly that one. A socket bound to the wildcard has all of its interfaces', and
 * dgram does not tell which of them a datagram was sent to; so the local end of a path is chosen by subnet, the way the
 * kernel chooses the source of our answers. The choice depends on the remote address alone: a path never flips.
 */
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { addressFamily, canonicalAddress, sameAddress, type TransportAddress } from '../core/address.ts';
import { filterInterfaces, type InterfaceFilter, type Interfaces } from './interface-filter.ts';

/** Remote addresses whose local end is remembered; the memory is emptied when it is full. */
const REMEMBERED_REMOTES = 4096;

/** Addresses of a socket that are there now and were not before, and the other way round. */
export interface AddressChange {
  readonly added: readonly TransportAddress[];
  readonly removed: readonly TransportAddress[];
}

interface Local {
  readonly local: TransportAddress;
  readonly subnet?: BlockList;
}

/** The local ends of one bound socket: those to offer, and the one that a remote address is reached from. */
export class LocalAddresses {
  readonly #bound: TransportAddress;
  /** The one address of a socket has been seen to be an interface's, which may lose it. */
  #isOfInterface = false;
  #found: readonly Local[];
  readonly #remembered = new Map<string, TransportAddress>();

  /** @param bound where the socket is bound: a canonical address or a wildcard, and the port it got. */
  constructor(bound: TransportAddress, interfaces: () => Interfaces = networkInterfaces) {
    this.#bound = bound;
    // Asking the system costs a tenth of a millisecond, and clients open a socket each.
    const found = isWildcard(bound.address) ? enumerate(bound, interfaces()) : [];
    this.#found = found.length > 0 ? found : [{ local: withoutWildcard(bound) }];
  }

  /** In the order in which they should be preferred; empty while no interface has one. */
  get all(): readonly TransportAddress[] {
    return this.#found.map(({ local }) => local);
  }

  /** Looks again. What stays keeps its place, what is new comes after it. */
  refresh(interfaces: Interfaces): AddressChange {
    const before = this.#found;
    const now = this.#find(interfaces);
    const kept = before.filter(({ local }) => now.some((other) => sameAddress(other.local, local)));
    const added = now.filter(({ local }) => !kept.some((other) => sameAddress(other.local, local)));
    const removed = before.filter((one) => !kept.includes(one));
    this.#found = [...kept, ...added];
    this.#remembered.clear();
    return { added: added.map(({ local }) => local), removed: removed.map(({ local }) => local) };
  }

  #find(interfaces: Interfaces): Local[] {
    if (isWildcard(this.#bound.address)) return enumerate(this.#bound, interfaces);
    const isThere = has(interfaces, this.#bound.address);
    const isGone = this.#isOfInterface && !isThere;
    this.#isOfInterface ||= isThere;
    return isGone ? [] : [{ local: this.#bound }];
  }

  /** The local end of the path to and from `remote`, a canonical IP address. */
  towards(remote: string): TransportAddress {
    const [first, second] = this.#found;
    if (first === undefined) return withoutWildcard(this.#bound);
    if (second === undefined) return first.local;
    const known = this.#remembered.get(remote);
    if (known !== undefined) return known;
    const local = this.#choose(remote, first.local);
    if (this.#remembered.size >= REMEMBERED_REMOTES) this.#remembered.clear();
    this.#remembered.set(remote, local);
    return local;
  }

  #choose(remote: string, first: TransportAddress): TransportAddress {
    const family = addressFamily(remote) === 6 ? 6 : 4;
    const onSubnet = this.#found.find(
      ({ subnet }) => subnet?.check(remote, family === 6 ? 'ipv6' : 'ipv4') === true,
    );
    if (onSubnet !== undefined) return onSubnet.local;
    return this.#found.find(({ local }) => addressFamily(local.address) === family)?.local ?? first;
  }
}

/**
 * The addresses of this host that peers can be offered, IPv4 and IPv6, without ports: one socket for each
 * (`UdpDriver.listen({ addresses: hostAddresses() })`) knows where a datagram was sent to, which a wildcard does not.
 */
export function hostAddresses(
  interfaces: Interfaces = networkInterfaces(),
  filter?: InterfaceFilter,
): string[] {
  const admitted = filterInterfaces(interfaces, filter);
  return enumerate({ address: '::', port: 0 }, admitted).map(({ local }) => local.address);
}

/** True for the address that stands for all of the host, of either family. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function enumerate(
  bound: TransportAddress,
  interfaces: Interfaces,
): { local: TransportAddress; subnet: BlockList }[] {
  const entries = Object.values(interfaces).flatMap((list) => list ?? []);
  const usable = entries.filter(
    ({ family, address }) =>
      // A socket on "::" takes both families. Link-local IPv6 is of no use to a peer without our zone.
      (family === 'IPv4' || bound.address === '::') && !address.toLowerCase().startsWith('fe80:'),
  );
  // RFC 8445 §5.1.1.1: loopback addresses are no candidates; on a host that has nothing else they are all there is.
  const external = usable.filter(({ internal }) => !internal);
  return (external.length > 0 ? external : usable).map(({ address, family, cidr }) => {
    const subnet = new BlockList();
    const prefix = Number((cidr ?? '').split('/')[1] ?? (family === 'IPv4' ? 32 : 128));
    subnet.addSubnet(address, prefix, family === 'IPv4' ? 'ipv4' : 'ipv6');
    return { local: { address: canonicalAddress(address) ?? address, port: bound.port }, subnet };
  });
}

function has(interfaces: Interfaces, address: string): boolean {
  const entries = Object.values(interfaces).flatMap((list) => list ?? []);
  return entries.some((entry) => canonicalAddress(entry.address) === address);
}

/** A host without any interface still has itself to talk to. */
function withoutWildcard(bound: TransportAddress): TransportAddress {
  if (!isWildcard(bound.address)) return bound;
  return { address: bound.address === '::' ? '::1' : '127.0.0.1', port: bound.port };
}
