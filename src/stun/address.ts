/**
 * Address values (RFC 8489 §14.1, §14.2): one zero byte, the family (1 or 2), the port, then 4 or 16 bytes. The XOR forms
 * hide address and port from NATs that rewrite what looks like an address: with the magic cookie, then the transaction id.
 */
import type { TransportAddress } from '../core/address.ts';
import { formatIp, parseIp } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { readU16, writeU16, writeU32 } from '../core/bytes.ts';
import { badArgument } from '../core/errors.ts';
import { MAGIC_COOKIE } from './registry.ts';

const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;

/** True if the `length` bytes at `offset` have the shape of an address value. */
export function isAddressValue(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < 4) return false;
  const family = bytes[offset + 1]!;
  return family === FAMILY_IPV4 ? length === 8 : family === FAMILY_IPV6 && length === 20;
}

/** One that is not hidden. @param value an address value, as `isAddressValue` checked it. */
export function decodeAddress(value: Uint8Array): TransportAddress {
  return { address: formatIp(value.subarray(4)), port: readU16(value, 2) };
}

/** One that is not hidden. Throws `ERR_BAD_ARGUMENT` when `address.address` is no IP address. */
export function encodeAddress(address: TransportAddress): Bytes {
  const ip = ipOf(address);
  const value = new Uint8Array(4 + ip.length);
  value[1] = ip.length === 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  writeU16(value, 2, address.port);
  value.set(ip, 4);
  return value;
}

/** @param value an address value, as `isAddressValue` checked it. */
export function decodeXorAddress(value: Uint8Array, transactionId: Uint8Array): TransportAddress {
  const mask = xorMask(transactionId);
  const ip = value.slice(4);
  for (let i = 0; i < ip.length; i++) ip[i]! ^= mask[i]!;
  return { address: formatIp(ip), port: readU16(value, 2) ^ readU16(mask, 0) };
}

/** Throws `ERR_BAD_ARGUMENT` when `address.address` is no IP address. */
export function encodeXorAddress(address: TransportAddress, transactionId: Uint8Array): Bytes {
  const value = encodeAddress(address);
  const mask = xorMask(transactionId);
  writeU16(value, 2, address.port ^ readU16(mask, 0));
  for (let i = 4; i < value.length; i++) value[i]! ^= mask[i - 4]!;
  return value;
}

function ipOf({ address }: TransportAddress): Bytes {
  const ip = parseIp(address);
  if (ip === undefined) throw badArgument('address', 'an IP address', address);
  return ip;
}

function xorMask(transactionId: Uint8Array): Bytes {
  const mask = new Uint8Array(16);
  writeU32(mask, 0, MAGIC_COOKIE);
  mask.set(transactionId, 4);
  return mask;
}
