/**
 * Memory for bytes that do not live long: cut, one after the other, from slabs that they share.
 *
 * An array of more than 64 bytes is an allocation of the C library's to every JavaScript engine, and a release, on
 * another thread, when it is collected. For a datagram of a hundred bytes the two cost more than sealing it, and the more
 * there is in the process, the more they cost. A slab is one allocation for a hundred datagrams.
 *
 * A slab is released with the last of its pieces. So what is kept (a key, a certificate, a message) has memory of its own,
 * and what leaves the process in the same turn comes from here. No byte of a slab is given out twice: pieces are zero, and
 * nobody else's.
 */
import type { Bytes } from './bytes.ts';

const SLAB_LENGTH = 16_384;
/** What is longer gains nothing, and would leave much of a slab unused. */
const LONGEST_PIECE = 2048;
/** Engines keep arrays up to this length on their own heap. */
const SHORTEST_PIECE = 65;

let slab: ArrayBuffer | undefined;
let used = SLAB_LENGTH;

/** `length` zero bytes that will not live long. Their `buffer` is shared: it must not be transferred. */
export function briefBytes(length: number): Bytes {
  if (length < SHORTEST_PIECE || length > LONGEST_PIECE) return new Uint8Array(length);
  if (slab === undefined || used + length > SLAB_LENGTH) {
    slab = new ArrayBuffer(SLAB_LENGTH);
    used = 0;
  }
  const piece = new Uint8Array(slab, used, length);
  used += length;
  return piece;
}

/** A copy that will not live long. Its `buffer` is shared: it must not be transferred. */
export function briefCopy(bytes: Uint8Array, start = 0, end: number = bytes.length): Bytes {
  const copy = briefBytes(end - start);
  if (start === 0 && end === bytes.length) copy.set(bytes);
  else copy.set(bytes.subarray(start, end));
  return copy;
}
