/**
 * StreamDeframer: whole STUN and ChannelData messages out of a stream (RFC 8656 §3.1, §12.5). Both tell their length in their
 * first four bytes, so a reader is never out of step; who is, for the stream carries something else, says so and stops.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, NO_BYTES, ownBytes, readU16, readU32 } from '../core/bytes.ts';
import { isChannelData } from './channel-data.ts';

/** Bytes from which the length of a message is known. */
const PREFIX_LENGTH = 4;
const STUN_HEADER_LENGTH = 20;
const MAGIC_COOKIE = 0x2112_a442;

/**
 * Feed what comes by `push`, then ask for the `next` message until there is none. It holds one message that is not whole at
 * the most, 65,555 bytes.
 */
export class StreamDeframer {
  #buffer: Bytes = NO_BYTES;
  #start = 0;
  #end = 0;
  #isBroken = false;

  /** True once something has come that is neither STUN nor ChannelData. The stream is of no use any more. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Bytes held of messages that `next` has not given. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** Takes the next bytes of the stream, a copy of them. */
  push(chunk: Uint8Array): void {
    if (this.#isBroken) return;
    this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole message, padding included, in memory of its own; `undefined` until more has come. */
  next(): Bytes | undefined {
    const length = this.#nextLength();
    if (length === undefined || this.size < length) return undefined;
    const message = copyBytes(this.#buffer, this.#start, this.#start + length);
    this.#start += length;
    return message;
  }

  #nextLength(): number | undefined {
    if (this.#isBroken || this.size < PREFIX_LENGTH) return undefined;
    const view = this.#buffer.subarray(this.#start, this.#end);
    const length = readU16(view, 2);
    if (isChannelData(view)) return PREFIX_LENGTH + length + (-length & 3);
    const isStun = view[0]! < 4 && length % 4 === 0 && (view.length < 8 || readU32(view, 4) === MAGIC_COOKIE);
    if (isStun) return STUN_HEADER_LENGTH + length;
    this.#isBroken = true;
    this.#buffer = NO_BYTES;
    this.#start = this.#end = 0;
    return undefined;
  }

  /** Moves what is held to the front, into a larger buffer where it must be: it doubles, so bytes are copied a few times at the most. */
  #makeRoom(more: number): void {
    if (this.#end + more <= this.#buffer.length) return;
    const held = this.#buffer.subarray(this.#start, this.#end);
    const needed = held.length + more;
    if (needed > this.#buffer.length || this.#start < held.length) {
      const larger = ownBytes(Math.max(needed, 2 * held.length));
      larger.set(held);
      this.#buffer = larger;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = held.length;
  }
}
