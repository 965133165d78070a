/** InterfaceFilter: which of a host's addresses are offered to peers, as plain data. */
import { BlockList } from 'node:net';
import type { networkInterfaces } from 'node:os';
import { addressFamily, canonicalAddress } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { listOf, oneOf, text } from '../core/options.ts';

/** What `os.networkInterfaces()` answers; a parameter so that tests need no second network card. */
export type Interfaces = ReturnType<typeof networkInterfaces>;

/** Which addresses: those that every key admits. A key that is left out admits all. */
export interface InterfaceFilter {
  /** Names of interfaces, `eth0`; one that ends in `*` stands for all that begin so. */
  readonly names?: readonly string[] | undefined;
  /** Names of interfaces that are passed over, as above: `docker*`, `tun*`. */
  readonly exceptNames?: readonly string[] | undefined;
  readonly family?: 'IPv4' | 'IPv6' | undefined;
  /** Networks in CIDR notation, `10.0.0.0/8`, or addresses. */
  readonly networks?: readonly string[] | undefined;
  /** Networks whose addresses are passed over. */
  readonly exceptNetworks?: readonly string[] | undefined;
}

const networkRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || parseNetwork(value) === undefined) {
    throw badArgument(name, 'a network in CIDR notation, or an IP address', value);
  }
};

/** The rules of a filter in options. */
export const INTERFACE_FILTER_RULES: OptionRules<InterfaceFilter> = {
  names: listOf(text(1), 1),
  exceptNames: listOf(text(1)),
  family: oneOf(['IPv4', 'IPv6']),
  networks: listOf(networkRule, 1),
  exceptNetworks: listOf(networkRule),
};

/** The interfaces and addresses that the filter admits. */
export function filterInterfaces(interfaces: Interfaces, filter: InterfaceFilter | undefined): Interfaces {
  if (filter === undefined) return interfaces;
  const { names, exceptNames = [], family, networks, exceptNetworks = [] } = filter;
  const wanted = networks === undefined ? undefined : blockListOf(networks);
  const unwanted = blockListOf(exceptNetworks);
  const admitted: Interfaces = {};
  for (const [name, entries = []] of Object.entries(interfaces)) {
    if (names !== undefined && !isNamed(name, names)) continue;
    if (isNamed(name, exceptNames)) continue;
    admitted[name] = entries.filter((entry) => {
      if (family !== undefined && entry.family !== family) return false;
      const type = entry.family === 'IPv6' ? 'ipv6' : 'ipv4';
      return wanted?.check(entry.address, type) !== false && !unwanted.check(entry.address, type);
    });
  }
  return admitted;
}

function isNamed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network !== undefined) list.addSubnet(network.address, network.prefix, network.type);
  }
  return list;
}

function parseNetwork(text: string): { address: string; prefix: number; type: 'ipv4' | 'ipv6' } | undefined {
  const [bare = '', length, ...rest] = text.split('/');
  const address = bare.includes('%') ? undefined : canonicalAddress(bare);
  if (address === undefined || rest.length > 0) return undefined;
  const isV6 = addressFamily(address) === 6;
  const longest = isV6 ? 128 : 32;
  const prefix = length === undefined ? longest : /^\d{1,3}$/.test(length) ? Number(length) : Infinity;
  return prefix > longest ? undefined : { address, prefix, type: isV6 ? 'ipv6' : 'ipv4' };
}
