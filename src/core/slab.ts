/**
 * Memory for bytes that do not live long: cut, one after the other, from slabs that they share.
 *
 * An array of more than 64 bytes is an allocation of the C library's to every JavaScript engine, and a release, on
 * another thread, when it is collected. For a datagram of a hundred bytes the two cost more than sealing it, and the more
 * there is in the process, the more they cost. A slab is one allocation for a hundred datagrams.
 *
 * A slab is released with the last of its pieces. So what is kept (a key, a certificate, a message) has memory of its own,
 * and what is gone in the same turn comes from here. No byte of a slab is given out twice: pieces are zero, and nobody
 * else's. What is sent never shares a slab with what was opened: whoever sends a whole `buffer` by mistake tells nothing.
 */

/** `Bytes`, whose file stands on this one. */
type Piece = Uint8Array<ArrayBuffer>;

const SLAB_LENGTH = 16_384;
/** What is longer gains nothing, and would leave much of a slab unused. */
const LONGEST_PIECE = 2048;
/** Engines keep arrays shorter than this on their own heap. */
const SHORTEST_PIECE = 65;

class Slab {
  #buffer: ArrayBuffer | undefined;
  #used = SLAB_LENGTH;

  cut(length: number): Piece {
    if (length < SHORTEST_PIECE || length > LONGEST_PIECE) return new Uint8Array(length);
    if (this.#buffer === undefined || this.#used + length > SLAB_LENGTH) {
      this.#buffer = new ArrayBuffer(SLAB_LENGTH);
      this.#used = 0;
    }
    const piece = new Uint8Array(this.#buffer, this.#used, length);
    this.#used += length;
    return piece;
  }
}

/**
 * Room in a slab for what is about to be sent and has no length yet: whoever has opened it writes at `offset` of `bytes`, and
 * then closes it. Nobody else gets memory of this slab meanwhile. It is not zero.
 */
export interface WireRoom {
  readonly bytes: Piece;
  offset: number;
}

/** The room to be opened next; `undefined` while it is open. */
let nextRoom: WireRoom | undefined;

/** Opens room for `length` bytes. */
export function openRoom(length: number): WireRoom {
  const room = nextRoom;
  nextRoom = undefined;
  return room !== undefined && room.offset + length <= room.bytes.length
    ? room
    : { bytes: new Uint8Array(Math.max(length, SLAB_LENGTH)), offset: 0 };
}

/** Closes a room in which nothing was written that is wanted. */
export function closeRoom(room: WireRoom): void {
  nextRoom = room;
}

/** Closes a room in which `length` bytes were written: they are a piece by themselves, nobody else's from now on. */
export function takeFromRoom(room: WireRoom, length: number): Piece {
  const piece = new Uint8Array(room.bytes.buffer, room.offset, length);
  room.offset += length;
  nextRoom = room;
  return piece;
}

const inside = /* @__PURE__ */ new Slab();
const wire = /* @__PURE__ */ new Slab();

/** `length` zero bytes to work in. Their `buffer` is shared with others of the kind: it must not be transferred. */
export function briefBytes(length: number): Piece {
  return inside.cut(length);
}

/** A copy to work in, like `briefBytes`. */
export function briefCopy(bytes: Uint8Array): Piece {
  const copy = briefBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** `length` zero bytes for what is about to be sent. Their `buffer` is shared with others of the kind. */
export function wireBytes(length: number): Piece {
  return wire.cut(length);
}

/** A copy of `bytes` from `start` to `end` that is about to be sent, like `wireBytes`. */
export function wireCopy(bytes: Uint8Array, start = 0, end: number = bytes.length): Piece {
  const copy = wireBytes(end - start);
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  return copy;
}
