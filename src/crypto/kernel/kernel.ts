/**
 * Kernel: the inner loops of AES-GCM in WebAssembly with SIMD, compiled from ./assembly. All keys of a process share one instance and
 * its memory, which does not grow: a key keeps 256 bytes of its own, and is expanded where it is used when another one
 * has been there since.
 *
 * Neither AES nor GHASH looks anything up at an address that depends on a secret: AES is a circuit on bit slices, GHASH takes
 * its tables of sixteen entries by byte shuffles. What is loaded last stays in the memory until the next key comes.
 *
 * Where WebAssembly is missing or forbidden (a page whose policy lacks `wasm-unsafe-eval`, an engine without SIMD or
 * without a compiler), `kernel()` answers `undefined`, and the keys in JavaScript do the work.
 */
import { fromBase64 } from '../../core/text.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from '../provider.ts';
import { KERNEL } from './module.ts';

/** Bytes of a block of AES. */
export const BLOCK = 16;

/** The place of keys that seal. */
export const SEALS = 0;
/** The place of keys that open. */
export const OPENS = 1;
/** A connection that seals and opens in turns expands neither key again. */
export type Place = typeof SEALS | typeof OPENS;

/** Bytes of text with what is around it, and of additional data, as ./assembly/memory.ts has it. */
const TEXT_LENGTH = 20_480;
const ADDITIONAL_DATA_LENGTH = 64;
/** Bytes of key streams in a place. */
export const STREAMS_LENGTH = 36_864;

/** Bytes around a record that are brought along, both ways: a view of the part alone would cost more. */
const AROUND = 64;

/** Longest plaintext that the kernel takes; more of additional data than a record ever has goes elsewhere, too. */
export const LONGEST_TEXT: number = TEXT_LENGTH - AEAD_TAG_LENGTH - AROUND;

/** What the module exports; ./assembly/index.ts says what each does. */
interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  textAt(): number;
  additionalDataAt(): number;
  nonceAt(): number;
  keyAt(): number;
  hashKeyAt(): number;
  countersAt(): number;
  streamsAt(place: Place): number;
  expandKey(place: Place, keyLength: number): void;
  useKey(place: Place, rounds: number): void;
  useHashKey(place: Place): void;
  makeStream(place: Place, blocks: number): void;
  writeCounters(nonces: number, blocks: number): void;
  seal(place: Place, stream: number, text: number, length: number, additionalLength: number): void;
  open(place: Place, stream: number, text: number, length: number, additionalLength: number): number;
}

/** The part of the JavaScript API that is used; the libraries of types that have it have browsers or Node with it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** The instance, its memory, and who has used it last. */
export class Kernel {
  // Plain fields: read for every record.
  readonly exports: KernelExports;
  readonly bytes: Uint8Array;
  readonly streamsAt: readonly [number, number];
  /** Whose key, and whose key streams, each place has. */
  readonly keyOf: [object | undefined, object | undefined] = [undefined, undefined];
  readonly streamsOf: [object | undefined, object | undefined] = [undefined, undefined];
  readonly #textAt: number;
  readonly #additionalDataAt: number;
  readonly #nonceAt: number;
  readonly #keyAt: number;
  readonly #hashKeyAt: number;
  readonly #countersAt: number;
  /** Views of the text as long as the last ones, of the counters likewise: records of a length follow each other. */
  readonly #texts: [Uint8Array, Uint8Array];
  #counters: Uint8Array;

  constructor(exports: KernelExports) {
    this.exports = exports;
    this.bytes = new Uint8Array(exports.memory.buffer);
    this.streamsAt = [exports.streamsAt(SEALS), exports.streamsAt(OPENS)];
    this.#textAt = exports.textAt();
    this.#additionalDataAt = exports.additionalDataAt();
    this.#nonceAt = exports.nonceAt();
    this.#keyAt = exports.keyAt();
    this.#hashKeyAt = exports.hashKeyAt();
    this.#countersAt = exports.countersAt();
    this.#texts = [this.bytes.subarray(0, 0), this.bytes.subarray(0, 0)];
    this.#counters = this.bytes.subarray(0, 0);
  }

  /** Whether a record fits. */
  takes(additionalData: Uint8Array, length: number): boolean {
    return length <= LONGEST_TEXT && additionalData.length <= ADDITIONAL_DATA_LENGTH;
  }

  /** The round keys of a key of AES of 16 or 32 bytes, and the hash key behind them. What `SEALS` had is lost. */
  expandKey(key: Uint8Array): Uint8Array {
    this.#forget(SEALS);
    this.bytes.set(key, this.#keyAt);
    this.exports.expandKey(SEALS, key.length);
    const roundKeys = BLOCK * (key.length / 4 + 7);
    const expanded = new Uint8Array(roundKeys + BLOCK);
    expanded.set(this.bytes.subarray(this.#keyAt, this.#keyAt + roundKeys));
    expanded.set(this.bytes.subarray(this.#hashKeyAt, this.#hashKeyAt + BLOCK), roundKeys);
    return expanded;
  }

  /** Makes `place` one of `expanded`, an answer of `expandKey`. */
  useKey(place: Place, expanded: Uint8Array): void {
    if (this.keyOf[place] === expanded) return;
    this.#forget(place);
    const rounds = expanded.length / BLOCK - 2;
    this.bytes.set(expanded, this.#keyAt);
    this.bytes.set(expanded.subarray(expanded.length - BLOCK), this.#hashKeyAt);
    this.exports.useKey(place, rounds);
    this.keyOf[place] = expanded;
  }

  /** Makes `place` one of the hash key H, for somebody who brings key streams. */
  useHashKey(place: Place, hashKey: Uint8Array): void {
    if (this.keyOf[place] === hashKey) return;
    this.#forget(place);
    this.bytes.set(hashKey, this.#hashKeyAt);
    this.exports.useHashKey(place);
    this.keyOf[place] = hashKey;
  }

  /** Makes the key stream of a nonce, as the first of `place`, for `length` bytes. `useKey` has been called. */
  makeStream(place: Place, nonce: Uint8Array, length: number): void {
    this.#setNonce(nonce);
    this.exports.makeStream(place, 1 + Math.ceil(length / BLOCK));
  }

  /** Gives `place` key streams, at the most `STREAMS_LENGTH` bytes. */
  useStreams(place: Place, streams: Uint8Array): void {
    if (this.streamsOf[place] === streams) return;
    this.bytes.set(streams, this.streamsAt[place]);
    this.streamsOf[place] = streams;
  }

  /**
   * Counter blocks of `nonces` nonces, `blocks` of each from J0 on: of `nonce`, whose last bits are zero, and of those that count on from it in
   * the last byte. Valid until the next call.
   */
  counters(nonce: Uint8Array, nonces: number, blocks: number): Uint8Array {
    this.#setNonce(nonce);
    this.exports.writeCounters(nonces, blocks);
    const length = nonces * blocks * BLOCK;
    if (this.#counters.length !== length) {
      this.#counters = this.bytes.subarray(this.#countersAt, this.#countersAt + length);
    }
    return this.#counters;
  }

  /** As `AeadKey.seal`, by the key of `SEALS` and its key stream that begins at `stream`. */
  seal(stream: number, additionalData: Uint8Array, buffer: Uint8Array, offset: number, length: number): void {
    const { bytes, exports } = this;
    const text = this.#textAt;
    this.#setAdditionalData(additionalData);
    if (isClose(buffer, offset, length + AEAD_TAG_LENGTH)) {
      bytes.set(buffer, text);
      exports.seal(SEALS, stream, text + offset, length, additionalData.length);
      buffer.set(this.#text(SEALS, buffer.length));
    } else {
      bytes.set(buffer.subarray(offset, offset + length), text);
      exports.seal(SEALS, stream, text, length, additionalData.length);
      buffer.set(this.#text(SEALS, length + AEAD_TAG_LENGTH), offset);
    }
  }

  /** As `AeadKey.open`, by the key of `OPENS` and its key stream that begins at `stream`; `length` without the tag. */
  open(
    stream: number,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): number {
    const { bytes, exports } = this;
    const text = this.#textAt;
    const whole = length + AEAD_TAG_LENGTH;
    this.#setAdditionalData(additionalData);
    if (isClose(buffer, offset, whole)) {
      bytes.set(buffer, text);
      if (exports.open(OPENS, stream, text + offset, length, additionalData.length) < 0) return -1;
      buffer.set(this.#text(OPENS, buffer.length));
    } else {
      bytes.set(buffer.subarray(offset, offset + whole), text);
      if (exports.open(OPENS, stream, text, length, additionalData.length) < 0) return -1;
      buffer.set(this.#text(OPENS, length), offset);
    }
    return length;
  }

  #text(place: Place, length: number): Uint8Array {
    const text = this.#texts[place];
    return text.length === length
      ? text
      : (this.#texts[place] = this.bytes.subarray(this.#textAt, this.#textAt + length));
  }

  #forget(place: Place): void {
    this.keyOf[place] = undefined;
    this.streamsOf[place] = undefined;
  }

  #setNonce(nonce: Uint8Array): void {
    const { bytes } = this;
    const at = this.#nonceAt;
    for (let i = 0; i < AEAD_NONCE_LENGTH; i++) bytes[at + i] = nonce[i]!;
  }

  #setAdditionalData(additionalData: Uint8Array): void {
    const { bytes } = this;
    const at = this.#additionalDataAt;
    for (let i = 0; i < additionalData.length; i++) bytes[at + i] = additionalData[i]!;
  }
}

/** Whether the buffer is hardly longer than the record in it. */
function isClose(buffer: Uint8Array, offset: number, length: number): boolean {
  return offset <= AROUND && buffer.length - length <= AROUND;
}

/** `null`: there is none. */
let shared: Kernel | undefined | null;

/** The kernel of this process, made at the first call; `undefined` where it cannot be. */
export function kernel(): Kernel | undefined {
  shared ??= instantiate() ?? null;
  return shared ?? undefined;
}

function instantiate(): Kernel | undefined {
  const { WebAssembly: api } = globalThis as { readonly WebAssembly?: WebAssemblyApi };
  const binary = fromBase64(KERNEL);
  if (api === undefined || binary === undefined) return undefined;
  try {
    return new Kernel(new api.Instance(new api.Module(binary)).exports as KernelExports);
  } catch {
    // CompileError: a policy, or no SIMD. RangeError: an engine that compiles so much only off the main thread.
    return undefined;
  }
}
