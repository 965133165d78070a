/**
 * Classes of addresses: how far from us an address may be, as far as it can be read off it.
 *
 * A peer's description names addresses that we send checks to, so it must not be able to make a server on the internet
 * knock at loopback, at its cloud's metadata service (link-local) or at the private network behind it. Which candidates of
 * a peer are tried of our own accord is therefore decided by class, as plain data (`IceOptions.remoteAddressClasses`).
 *
 * An IPv6 address that stands for an IPv4 one has that one's class: a translator or a tunnel would take us there.
 */
import { parseIp } from '../core/address.ts';
import { readU16, readU32 } from '../core/bytes.ts';

/**
 * - `loopback`: 127.0.0.0/8, ::1
 * - `link-local`: 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291)
 * - `private`: RFC 1918, RFC 6598 (carriers' NATs, 100.64.0.0/10), 192.0.0.0/24 (RFC 6890), fc00::/7 (RFC 4193),
 *   fec0::/10 (RFC 3879), 64:ff9b:1::/48 (RFC 8215)
 * - `public`: everything else
 */
export type AddressClass = 'public' | 'private' | 'link-local' | 'loopback';

/** All classes. */
export const ADDRESS_CLASSES: readonly AddressClass[] = ['public', 'private', 'link-local', 'loopback'];

/** The class of a unicast IP address; `public` for text that is no IP address. */
export function addressClass(address: string): AddressClass {
  const bytes = parseIp(address);
  if (bytes === undefined) return 'public';
  const v4 = embeddedIpv4(bytes);
  return v4 === undefined ? classOfIpv6(bytes) : classOfIpv4(v4);
}

/** Neither unspecified (0.0.0.0 reaches loopback on some systems) nor multicast, reserved or broadcast. */
export function isUnicast(address: string): boolean {
  const bytes = parseIp(address);
  if (bytes === undefined) return false;
  if (bytes.length === 16 && (bytes[0] === 0xff || bytes.every((byte) => byte === 0))) return false;
  if (isIpv6Loopback(bytes)) return true;
  const v4 = embeddedIpv4(bytes);
  return v4 === undefined || (v4[0] !== 0 && v4[0]! < 224);
}

function classOfIpv4(bytes: Uint8Array): AddressClass {
  const [a = 0, b = 0, c = 0] = bytes;
  if (a === 127) return 'loopback';
  if (a === 169 && b === 254) return 'link-local';
  const isRfc1918 = a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168);
  const isShared = a === 100 && b >= 64 && b < 128;
  return isRfc1918 || isShared || (a === 192 && b === 0 && c === 0) ? 'private' : 'public';
}

function classOfIpv6(bytes: Uint8Array): AddressClass {
  if (isIpv6Loopback(bytes)) return 'loopback';
  const start = readU16(bytes, 0);
  if ((start & 0xffc0) === 0xfe80) return 'link-local';
  const isUniqueLocal = (start & 0xfe00) === 0xfc00;
  const isSiteLocal = (start & 0xffc0) === 0xfec0;
  const isLocalTranslator = readU32(bytes, 0) === 0x0064_ff9b && readU16(bytes, 4) === 1;
  return isUniqueLocal || isSiteLocal || isLocalTranslator ? 'private' : 'public';
}

/** The IPv4 address that `bytes` is or stands for. (IPv4-mapped addresses are IPv4 already, see core/address.) */
export function embeddedIpv4(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === 4) return bytes;
  if (isIpv6Loopback(bytes)) return undefined;
  const start = readU32(bytes, 0);
  const isZero = (from: number, to: number): boolean => bytes.subarray(from, to).every((byte) => byte === 0);
  // IPv4-compatible (RFC 4291 §2.5.5.1) and the well-known prefix of NAT64 (RFC 6052).
  if (isZero(4, 12) && (start === 0 || start === 0x0064_ff9b)) return bytes.subarray(12);
  // 6to4 (RFC 3056).
  if (readU16(bytes, 0) === 0x2002) return bytes.subarray(2, 6);
  // Teredo (RFC 4380 §4): the client's address, every bit turned.
  if (start === 0x2001_0000) return bytes.slice(12).map((byte) => ~byte);
  // ISATAP (RFC 5214 §6.1).
  const interfaceId = readU32(bytes, 8);
  return interfaceId === 0x0000_5efe || interfaceId === 0x0200_5efe ? bytes.subarray(12) : undefined;
}

function isIpv6Loopback(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
