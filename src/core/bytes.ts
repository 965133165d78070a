/**
 * Reading and writing network byte order.
 *
 * A `Reader` is a cursor over a view: it checks the length once per field and answers 0 past the end, with `failed`
 * set, so that a decoder reads straight through and asks once. A `Writer` grows; what it hands out is a fresh copy.
 */
import { briefBytes } from './slab.ts';

/** Bytes this library hands out. The alias keeps `Uint8Array<ArrayBuffer>` out of the types of older compilers. */
export type Bytes = ReturnType<typeof Uint8Array.of>;

/** The empty array, for whoever has nothing to answer with. All share it. */
export const NO_BYTES: Bytes = new Uint8Array(0);

/** A big-endian cursor. Reading past the end yields 0 or an empty view and sets `failed`; it never throws. */
export class Reader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;
  failed = false;

  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : readU16(this.bytes, at);
  }

  u24(): number {
    const at = this.#take(3);
    return at < 0 ? 0 : readU24(this.bytes, at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : readU32(this.bytes, at);
  }

  u48(): number {
    const at = this.#take(6);
    return at < 0 ? 0 : readU48(this.bytes, at);
  }

  /** A view of the next `length` bytes: it shares memory with the input. */
  view(length: number): Uint8Array {
    const at = this.#take(length);
    return at < 0 ? NO_BYTES : this.bytes.subarray(at, at + length);
  }

  /** A fresh copy of the next `length` bytes. */
  copy(length: number): Bytes {
    const at = this.#take(length);
    return at < 0 ? NO_BYTES : copyBytes(this.bytes, at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** A reader of the next `length` bytes alone; this one moves past them. */
  sub(length: number): Reader {
    const at = this.#take(length);
    return at < 0 ? new Reader(NO_BYTES) : new Reader(this.bytes, at, at + length);
  }

  #take(length: number): number {
    if (length < 0 || length > this.end - this.offset) {
      this.failed = true;
      this.offset = this.end;
      return -1;
    }
    const at = this.offset;
    this.offset += length;
    return at;
  }
}

/** A growing big-endian buffer. `finish()` copies, so that a writer can be reused and results are never shared. */
export class Writer {
  #bytes: Bytes;
  #length = 0;
  readonly #allocate: (length: number) => Bytes;

  /** @param allocate for a writer that lives longer than a turn: `ownBytes`, or it would keep whole slabs alive. */
  constructor(capacity = 256, allocate: (length: number) => Bytes = briefBytes) {
    this.#allocate = allocate;
    this.#bytes = allocate(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    writeU16(this.#bytes, at, value);
    return this;
  }

  u24(value: number): this {
    const at = this.#grow(3);
    writeU24(this.#bytes, at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    writeU32(this.#bytes, at, value);
    return this;
  }

  u48(value: number): this {
    const at = this.#grow(6);
    writeU48(this.#bytes, at, value);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Zero bytes; padding is always zero, never memory's leftovers. */
  zeros(count: number): this {
    const at = this.#grow(count);
    this.#bytes.fill(0, at, at + count);
    return this;
  }

  /** Zeros up to the next multiple of `alignment` bytes of the whole length. */
  pad(alignment: number): this {
    return this.zeros((alignment - (this.#length % alignment)) % alignment);
  }

  /** Overwrites two bytes written before, usually a length field. */
  patchU16(at: number, value: number): this {
    writeU16(this.#bytes, at, value);
    return this;
  }

  patchU24(at: number, value: number): this {
    writeU24(this.#bytes, at, value);
    return this;
  }

  patchU32(at: number, value: number): this {
    writeU32(this.#bytes, at, value);
    return this;
  }

  /** A view of what has been written so far; it is valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  finish(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  reset(): this {
    this.#length = 0;
    return this;
  }

  // Grow first, then touch the buffer: the array may be replaced here.
  #grow(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const larger = this.#allocate(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }
}

/** The unsigned 16 bits at `at`. Like its kin it checks no bounds: the caller knows that they are there. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** The unsigned 24 bits at `at`, unchecked. */
export function readU24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

/** The unsigned 32 bits at `at`, unchecked. */
export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** 48 bits fit a double exactly; BigInt would allocate on every record. */
export function readU48(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at) * 0x1_0000_0000 + readU32(bytes, at + 2);
}

/** Writes the low 16 bits of `value` at `at`, unchecked: bytes behind the end are lost. */
export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes the low 24 bits of `value` at `at`, unchecked. */
export function writeU24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}

/** Writes the low 32 bits of `value` at `at`, unchecked. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes `value`, 0 to 2^48 − 1, at `at`, unchecked. */
export function writeU48(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, Math.floor(value / 0x1_0000_0000));
  writeU32(bytes, at + 2, value >>> 0);
}

/** Zero bytes in memory of their own. */
export function ownBytes(length: number): Bytes {
  return new Uint8Array(length);
}

/** Up to so many bytes a loop costs less than the view that `set` would need. */
const SHORT_COPY = 64;

/** A copy in memory of its own. (`slice` of a subclass such as Node's would share it.) */
export function copyBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): Bytes {
  const copy = new Uint8Array(end - start);
  if (start === 0 && end === bytes.length) copy.set(bytes);
  else if (copy.length > SHORT_COPY) copy.set(bytes.subarray(start, end));
  else for (let i = 0; i < copy.length; i++) copy[i] = bytes[start + i]!;
  return copy;
}

/** What holds bytes in JavaScript: a buffer, or any view of one. */
export type ByteSource = ArrayBufferLike | ArrayBufferView;

/**
 * The bytes of a buffer, a `DataView` or any typed array (a Float32Array's are those of its memory), as a view of the same
 * memory; of another realm, too, whose classes are not ours (an iframe, a `vm` context, a test runner's). `undefined` for
 * anything else, and for memory that has been transferred away: it reads as empty, and nobody means that.
 */
export function bytesOf(data: unknown): Uint8Array | undefined {
  const bytes = data instanceof Uint8Array ? data : foreignBytes(data);
  return bytes?.length === 0 && isDetached(bytes.buffer) ? undefined : bytes;
}

function foreignBytes(data: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return isBuffer(data) && !isDetached(data) ? new Uint8Array(data) : undefined;
}

/** `instanceof` knows one realm alone; the tag is the same in all of them. */
function isBuffer(data: unknown): data is ArrayBufferLike {
  const tag = Object.prototype.toString.call(data);
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]';
}

/** Engines that do not tell (before ES2024) read it as empty. */
function isDetached(buffer: ArrayBufferLike): boolean {
  return (buffer as { readonly detached?: boolean }).detached === true;
}

/** All parts, one after the other, in memory of their own. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Plain comparison, for public bytes only. For tags, MACs and passwords use `equalConstantTime`. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Compares without an early exit, so that the time taken does not tell how much of a forged MAC was right. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
