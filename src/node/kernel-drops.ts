/**
 * Kernel drops (F3c): what the kernel dropped for want of receive buffer, where the system tells it: Linux, `/proc/net/udp{,6}`.
 *
 *     sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 *   1234: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 31337 2 ffff8880… 0
 *
 * Addresses are 32-bit words in the byte order of the host, each as eight hexadecimal digits.
 */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { parseIp, type TransportAddress } from '../core/address.ts';
import { isDeno } from './deno.ts';

/** Datagrams the kernel dropped at the socket bound to `local`; `undefined` where the system does not tell. */
export function kernelDrops(
  local: TransportAddress,
  read: (file: string) => string = readText,
): number | undefined {
  // Deno reads no file of /proc without all permissions, and would ask for them at a prompt.
  if (process.platform !== 'linux' || isDeno()) return undefined;
  try {
    return dropsIn(read(local.address.includes(':') ? '/proc/net/udp6' : '/proc/net/udp'), local);
  } catch {
    return undefined; // no /proc in this container
  }
}

function readText(file: string): string {
  return readFileSync(file, 'latin1');
}

/** The `drops` column of the row of `local`; `undefined` if there is none. */
export function dropsIn(table: string, local: TransportAddress): number | undefined {
  const wanted = hexAddress(local);
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === wanted) return Number(columns.at(-1));
  }
  return undefined;
}

function hexAddress({ address, port }: TransportAddress): string {
  const bytes = parseIp(address) ?? new Uint8Array(4);
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const word = [...bytes.subarray(at, at + 4)];
    if (endianness() === 'LE') word.reverse();
    words.push(word.map((byte) => hex(byte, 2)).join(''));
  }
  return `${words.join('')}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
