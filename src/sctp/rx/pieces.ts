/**
 * Pieces: the bytes of a message in the making, from its beginning or from somewhere in it, in order. A fragment is copied to where
 * the one before it ends, so that there is no array for each, and no packet stays in memory because of a part of it.
 *
 * A message that is as long as its sender's last one has a single piece of just that length: the host gets it as it is, and each byte
 * was copied once. Any other message is copied together in the end. What a piece has room for beyond its bytes is bounded: `RESERVE`
 * for all messages together, beside that never more than half of the bytes that a message has already.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';

/** Bytes that all messages of an association together may have set aside for what they are expected to become. */
const RESERVE = 262_144;
/** Bytes of a piece, at the most, if nothing is expected. */
const LONGEST_PIECE = 65_536;

interface Piece {
  readonly data: Bytes;
  length: number;
  next: Piece | undefined;
}

/** What a stream knows of how long its messages are. */
export interface Expectation {
  /** Bytes of its last message that came in fragments, until another one has begun; 0: not known. */
  lastLength: number;
}

/**
 * What the message that begins may become. It is expected once: a large message that has come pays for one large array, not for
 * one at each of the many beginnings of messages that are given up again.
 */
export function takeExpected(stream: Expectation): number {
  const { lastLength } = stream;
  stream.lastLength = 0;
  return lastLength;
}

/** What all messages of an association have set aside. */
export class Reserve {
  bytes = 0;
}

/** Bytes in order. `head` to `tail`; none while it is empty. */
export class Pieces {
  bytes = 0;
  #head: Piece | undefined;
  #tail: Piece | undefined;
  /** What the first piece has taken of the reserve. */
  #reserved = 0;
  readonly #reserve: Reserve;

  /** @param reserve shared by all of an association */
  constructor(reserve: Reserve) {
    this.#reserve = reserve;
  }

  /**
   * Appends a copy of `payload`.
   * @param expected bytes that the whole message may have; 0: not known. It counts for the first fragment alone.
   */
  append(payload: Uint8Array, expected: number): void {
    const { length } = payload;
    let tail = this.#tail;
    if (tail === undefined || tail.length + length > tail.data.length)
      tail = this.#addPiece(length, expected);
    tail.data.set(payload, tail.length);
    tail.length += length;
    this.bytes += length;
  }

  /** Appends what `others` has, which is theirs no more. */
  join(others: Pieces): void {
    if (others.#head === undefined) return;
    if (this.#tail === undefined) this.#head = others.#head;
    else this.#tail.next = others.#head;
    this.#tail = others.#tail;
    this.bytes += others.bytes;
    this.#reserved += others.#reserved;
    others.#reserved = 0;
    others.clear();
  }

  /** All bytes, in memory of their own. Nothing is left. */
  take(): Bytes {
    const head = this.#head;
    const { bytes } = this;
    let data: Bytes;
    if (head?.length === bytes && head.data.length === bytes) {
      ({ data } = head);
    } else {
      data = new Uint8Array(bytes);
      let at = 0;
      for (let piece = head; piece !== undefined; piece = piece.next) {
        data.set(piece.length === piece.data.length ? piece.data : piece.data.subarray(0, piece.length), at);
        at += piece.length;
      }
    }
    this.clear();
    return data;
  }

  /** Drops all bytes. */
  clear(): void {
    this.#head = undefined;
    this.#tail = undefined;
    this.bytes = 0;
    this.#reserve.bytes -= this.#reserved;
    this.#reserved = 0;
  }

  #addPiece(length: number, expected: number): Piece {
    const size = this.#pieceSize(length, expected);
    const piece: Piece = { data: new Uint8Array(size), length: 0, next: undefined };
    if (this.#tail === undefined) this.#head = piece;
    else this.#tail.next = piece;
    this.#tail = piece;
    return piece;
  }

  #pieceSize(length: number, expected: number): number {
    if (this.#head === undefined && expected > length && this.#reserve.bytes + expected <= RESERVE) {
      this.#reserved = expected;
      this.#reserve.bytes += expected;
      return expected;
    }
    return Math.max(length, Math.min(this.bytes >> 1, LONGEST_PIECE));
  }
}

/**
 * A payload that cannot be appended yet, in memory that may be kept. A view keeps its whole packet alive: one that is not nearly all of it is copied,
 * or a peer could make us hold more than it is charged for.
 */
export function kept(payload: Uint8Array, owned: boolean): Uint8Array {
  return owned && payload.length * 8 >= payload.buffer.byteLength * 7 ? payload : copyBytes(payload);
}
