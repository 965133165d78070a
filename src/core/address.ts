/**
 * Transport addresses: an IP address in text and a port, the shape that sockets of every platform hand out.
 *
 * Text is compared as text on the packet path, so it has one canonical form: IPv4 dotted decimal, IPv6 as RFC 5952
 * writes it, no zone, IPv4-mapped IPv6 as IPv4. `canonicalAddress` makes it at the door, once.
 */
import type { Bytes } from './bytes.ts';
import { readU16 } from './bytes.ts';

/** What carries a datagram. Over TCP each one is a frame of RFC 4571. */
export type Protocol = 'udp' | 'tcp';

/** An IP address in canonical text and a port, 0–65535. Node's `rinfo` has this shape. */
export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

/** True if address and port are the same text and number: both must be canonical. */
export function sameAddress(a: TransportAddress, b: TransportAddress): boolean {
  return a.port === b.port && a.address === b.address;
}

/** `192.0.2.1:3478`, `[2001:db8::1]:3478`. For people and keys off the packet path. */
export function formatAddress(a: TransportAddress): string {
  return a.address.includes(':') ? `[${a.address}]:${String(a.port)}` : `${a.address}:${String(a.port)}`;
}

/** 4 or 6; `undefined` when `address` is not an IP address (an mDNS name, for example). */
export function addressFamily(address: string): 4 | 6 | undefined {
  const bytes = parseIp(address);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? 4 : 6;
}

/** Canonical text of an IP address, `undefined` when it is none. Zones (`%eth0`) are cut off. */
export function canonicalAddress(address: string): string | undefined {
  const bytes = parseIp(address);
  return bytes === undefined ? undefined : formatIp(bytes);
}

/** The 4 or 16 bytes of an IP address in text; IPv4-mapped IPv6 yields 4. `undefined` when it is none. */
export function parseIp(text: string): Bytes | undefined {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  return bare.includes(':') ? parseIpv6(bare) : parseIpv4(bare);
}

/** Text of 4 or 16 bytes in canonical form (RFC 5952). */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(readU16(bytes, i));
  const { start, length } = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`;
}

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function parseIpv4(text: string): Bytes | undefined {
  const parts = IPV4.exec(text);
  if (parts === null) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = Number(parts[i + 1]);
    if (part > 255) return undefined;
    bytes[i] = part;
  }
  return bytes;
}

function parseIpv6(text: string): Bytes | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = parseGroups(halves[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const given = head.length + tail.length;
  // "::" stands for at least one group of zeros.
  if (halves.length === 1 ? given !== 16 : given > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (group.includes('.')) {
      const embedded = i === groups.length - 1 && mayEndInIpv4 ? parseIpv4(group) : undefined;
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
