/**
 * FrameReader: frames (RFC 4571 §2: a length in two bytes, then so many bytes) out of a stream that comes in chunks.
 *
 * What has come of a frame that is not whole is kept in a buffer that grows by doubling, up to the frame's length: each byte
 * is copied a few times at the most, however small the chunks are. A whole frame within a chunk is not copied at all.
 */

/** Bytes of a frame's length, in front of it. */
export const LENGTH_BYTES = 2;

const NOTHING = Buffer.alloc(0);

/** Frames out of one stream: feed a chunk, then ask for the next frame until there is none. */
export class FrameReader {
  /** Of the last chunk, what has not been looked at. */
  #chunk: Buffer = NOTHING;
  /** The beginning of a frame, its length included; `#kept` bytes of it are there. */
  #partial: Buffer = NOTHING;
  #kept = 0;

  /** Takes the next chunk, which is kept until `next` answers `undefined`. */
  feed(chunk: Buffer): void {
    this.#chunk = this.#chunk.length === 0 ? chunk : Buffer.concat([this.#chunk, chunk]);
  }

  /**
   * The next whole frame, the caller's to keep; `undefined` when more must come first. `too-long`: the stream is none of
   * ours, and this must not be asked again.
   */
  next(maxFrameSize: number): Uint8Array | 'too-long' | undefined {
    if (this.#kept > 0) return this.#nextFromPartial(maxFrameSize);
    const chunk = this.#chunk;
    const length = chunk.length < LENGTH_BYTES ? 0 : chunk.readUInt16BE(0);
    if (length > maxFrameSize) return 'too-long';
    const end = LENGTH_BYTES + length;
    if (chunk.length < end) {
      this.#move(chunk.length);
      return undefined;
    }
    this.#chunk = end === chunk.length ? NOTHING : chunk.subarray(end);
    return chunk.subarray(LENGTH_BYTES, end);
  }

  #nextFromPartial(maxFrameSize: number): Uint8Array | 'too-long' | undefined {
    if (this.#kept < LENGTH_BYTES) this.#move(LENGTH_BYTES - this.#kept);
    if (this.#kept < LENGTH_BYTES) return undefined;
    const length = this.#partial.readUInt16BE(0);
    if (length > maxFrameSize) return 'too-long';
    const end = LENGTH_BYTES + length;
    this.#move(end - this.#kept);
    if (this.#kept < end) return undefined;
    const frame = this.#partial.subarray(LENGTH_BYTES, end);
    this.#partial = NOTHING;
    this.#kept = 0;
    return frame;
  }

  /** Moves up to `wanted` bytes of the chunk to the partial frame. */
  #move(wanted: number): void {
    const count = Math.min(wanted, this.#chunk.length);
    const needed = this.#kept + count;
    if (needed > this.#partial.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.#partial.length));
      this.#partial.copy(larger, 0, 0, this.#kept);
      this.#partial = larger;
    }
    this.#chunk.copy(this.#partial, this.#kept, 0, count);
    this.#kept = needed;
    // A view of a few bytes would keep the whole chunk alive, and so would an empty one.
    this.#chunk = count === this.#chunk.length ? NOTHING : this.#chunk.subarray(count);
  }
}
