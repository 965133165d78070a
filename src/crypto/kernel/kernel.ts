/**
 * Kernel: the inner loops of AES-GCM, of AES in counter mode and of HMAC-SHA-1 in WebAssembly with SIMD, compiled from ./assembly. All keys
 * of a process share one instance and its memory, which does not grow: a key keeps 256 bytes of its own, and is expanded where it is
 * used when another one has been there since. What is made of a hash key is kept with the key once that happens often.
 *
 * Neither AES nor GHASH looks anything up at an address that depends on a secret: AES is a circuit on bit slices, GHASH takes
 * its tables of sixteen entries by byte shuffles. What is loaded last stays in the memory until the next key comes.
 *
 * Where WebAssembly is missing or forbidden (a page whose policy lacks `wasm-unsafe-eval`, an engine without SIMD or
 * without a compiler), `kernel()` answers `undefined`, and the keys in JavaScript do the work.
 */
import { readU32 } from '../../core/bytes.ts';
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

/** Bytes of HMAC-SHA-1, and of a state of SHA-1. */
const MAC_LENGTH = 20;
/** Bytes of a block of SHA-1. */
const SHA_BLOCK = 64;

/** Longest message of HMAC-SHA-1, with what is padded behind it. */
export const LONGEST_MESSAGE: number = TEXT_LENGTH - 128 - AROUND;

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
  macKeyAt(): number;
  macAt(): number;
  tablesAt(place: Place): number;
  tablesLength(): number;
  countersAt(): number;
  streamsAt(place: Place): number;
  expandKey(place: Place, keyLength: number): void;
  useKey(place: Place, rounds: number): void;
  useHashKey(place: Place): void;
  completeTables(place: Place): void;
  makeStream(place: Place, first: number, blocks: number): void;
  writeCounters(nonces: number, blocks: number, first: number, step: number): void;
  applyStream(place: Place, stream: number, text: number, length: number): void;
  makeMacKey(key: number): void;
  hmacSha1(text: number, length: number): void;
  seal(place: Place, stream: number, text: number, length: number, additionalLength: number): void;
  open(place: Place, stream: number, text: number, length: number, additionalLength: number): number;
}

/** The part of the JavaScript API that is used; the libraries of types that have it have browsers or Node with it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** How often a hash key finds that another one has been there since, before what is made of it is kept: a kilobyte. */
const SWITCHES_OF_A_QUIET_KEY = 16;

/** A hash key H of 16 bytes, for `Kernel.useHashKey`. */
export class HashKey {
  readonly bytes: Uint8Array;
  /** What is made of it, once that is kept. */
  tables: Uint8Array | undefined;
  switches = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The instance, its memory, and who has used it last. */
export class Kernel {
  // Plain fields: read for every record.
  readonly exports: KernelExports;
  readonly bytes: Uint8Array;
  readonly streamsAt: readonly [number, number];
  /** Whose round keys, whose hash key, and whose key streams each place has. */
  readonly keyOf: [object | undefined, object | undefined] = [undefined, undefined];
  readonly hashKeyOf: [object | undefined, object | undefined] = [undefined, undefined];
  readonly streamsOf: [object | undefined, object | undefined] = [undefined, undefined];
  /** Of whose key streams each place was given one by itself last. */
  readonly streamOf: [object | undefined, object | undefined] = [undefined, undefined];
  readonly #textAt: number;
  readonly #additionalDataAt: number;
  readonly #nonceAt: number;
  readonly #keyAt: number;
  readonly #hashKeyAt: number;
  readonly #macKeyAt: number;
  readonly #mac: Uint8Array;
  readonly #tablesAt: readonly [number, number];
  readonly #tablesLength: number;
  readonly #countersAt: number;
  /** Views of the text as long as the last ones, of the counters likewise: records of a length follow each other. */
  readonly #texts: [Uint8Array, Uint8Array];
  #counters: Uint8Array;
  #macKey: Uint8Array | undefined;
  #lastPlace: Place = OPENS;

  constructor(exports: KernelExports) {
    this.exports = exports;
    this.bytes = new Uint8Array(exports.memory.buffer);
    this.streamsAt = [exports.streamsAt(SEALS), exports.streamsAt(OPENS)];
    this.#textAt = exports.textAt();
    this.#additionalDataAt = exports.additionalDataAt();
    this.#nonceAt = exports.nonceAt();
    this.#keyAt = exports.keyAt();
    this.#hashKeyAt = exports.hashKeyAt();
    this.#macKeyAt = exports.macKeyAt();
    this.#mac = this.bytes.subarray(exports.macAt(), exports.macAt() + MAC_LENGTH);
    this.#tablesAt = [exports.tablesAt(SEALS), exports.tablesAt(OPENS)];
    this.#tablesLength = exports.tablesLength();
    this.#countersAt = exports.countersAt();
    this.#texts = [this.bytes.subarray(0, 0), this.bytes.subarray(0, 0)];
    this.#counters = this.bytes.subarray(0, 0);
  }

  /** Whether a record fits. */
  takes(additionalData: Uint8Array, length: number): boolean {
    return length <= LONGEST_TEXT && additionalData.length <= ADDITIONAL_DATA_LENGTH;
  }

  /** The round keys of a key of AES of 16 or 32 bytes, and the hash key behind them. */
  expandKey(key: Uint8Array): Uint8Array {
    this.keyOf[SEALS] = undefined;
    this.bytes.set(key, this.#keyAt);
    this.exports.expandKey(SEALS, key.length);
    const roundKeys = BLOCK * (key.length / 4 + 7);
    const expanded = new Uint8Array(roundKeys + BLOCK);
    expanded.set(this.bytes.subarray(this.#keyAt, this.#keyAt + roundKeys));
    expanded.set(this.bytes.subarray(this.#hashKeyAt, this.#hashKeyAt + BLOCK), roundKeys);
    return expanded;
  }

  /** Makes `place` one of the round keys of `expanded`, an answer of `expandKey`. */
  useKey(place: Place, expanded: Uint8Array): void {
    if (this.keyOf[place] === expanded) return;
    this.bytes.set(expanded, this.#keyAt);
    this.exports.useKey(place, expanded.length / BLOCK - 2);
    this.keyOf[place] = expanded;
  }

  /** A place that has the round keys of `expanded`: the one that has them already, or they are put where they were not put last. */
  placeOf(expanded: Uint8Array): Place {
    if (this.keyOf[SEALS] === expanded) return SEALS;
    if (this.keyOf[OPENS] === expanded) return OPENS;
    this.#lastPlace = this.#lastPlace === SEALS ? OPENS : SEALS;
    this.useKey(this.#lastPlace, expanded);
    return this.#lastPlace;
  }

  /** Makes `place` one of the hash key H. */
  useHashKey(place: Place, hashKey: HashKey): void {
    if (this.hashKeyOf[place] === hashKey) return;
    this.hashKeyOf[place] = hashKey;
    const at = this.#tablesAt[place];
    if (hashKey.tables !== undefined) {
      this.bytes.set(hashKey.tables, at);
      return;
    }
    this.bytes.set(hashKey.bytes, this.#hashKeyAt);
    this.exports.useHashKey(place);
    if (++hashKey.switches < SWITCHES_OF_A_QUIET_KEY) return;
    this.exports.completeTables(place);
    hashKey.tables = this.bytes.slice(at, at + this.#tablesLength);
  }

  /** Makes the key stream of a nonce of AES-GCM, as the first of `place`, for `length` bytes. `useKey` has been called. */
  makeStream(place: Place, nonce: Uint8Array, length: number): void {
    this.#setNonce(nonce);
    this.streamsOf[place] = undefined;
    this.exports.makeStream(place, 1, 1 + Math.ceil(length / BLOCK));
  }

  /** Makes the key stream that begins with the block `counter`, whose last word counts without a carry, likewise. */
  makeCounterStream(place: Place, counter: Uint8Array, length: number): void {
    this.#setNonce(counter);
    this.streamsOf[place] = undefined;
    this.exports.makeStream(place, readU32(counter, AEAD_NONCE_LENGTH), Math.ceil(length / BLOCK));
  }

  /** Gives `place` key streams, at the most `STREAMS_LENGTH` bytes. */
  useStreams(place: Place, streams: Uint8Array): void {
    if (this.streamsOf[place] === streams) return;
    this.bytes.set(streams, this.streamsAt[place]);
    this.streamsOf[place] = streams;
  }

  /**
   * Gives `place` the key stream that is the `length` bytes at `at` of `streams`, those of a group of records. Who comes twice in a row
   * brings the whole group: the next ones will be its own. Among many keys each brings what it needs.
   * @returns where the key stream begins in `place`
   */
  useStreamOf(place: Place, streams: Uint8Array, at: number, length: number): number {
    if (this.streamsOf[place] === streams) return at;
    if (this.streamOf[place] === streams) {
      this.useStreams(place, streams);
      return at;
    }
    this.bytes.set(streams.subarray(at, at + length), this.streamsAt[place]);
    this.streamsOf[place] = undefined;
    this.streamOf[place] = streams;
    return 0;
  }

  /**
   * Counter blocks of `nonces` nonces, `blocks` of each from J0 on: of `nonce`, whose last bits are zero, and of those that count on from it in
   * the last byte. Valid until the next call.
   */
  counters(nonce: Uint8Array, nonces: number, blocks: number): Uint8Array {
    return this.#writeCounters(nonce, nonces, blocks, 1, 0);
  }

  /**
   * Counter blocks for counter mode: `blocks` from `counter` on, and as many from each of `counters` − 1 further ones, whose last word is
   * `step` more than the one before. Valid until the next call.
   */
  counterBlocks(counter: Uint8Array, counters: number, blocks: number, step: number): Uint8Array {
    return this.#writeCounters(counter, counters, blocks, readU32(counter, AEAD_NONCE_LENGTH), step);
  }

  /** Adds the key stream that begins at `stream` in `place` to `length` bytes at `offset`, which are no more than `LONGEST_TEXT`. */
  applyStream(place: Place, stream: number, buffer: Uint8Array, offset: number, length: number): void {
    const { bytes, exports } = this;
    const text = this.#textAt;
    if (isClose(buffer, offset, length)) {
      bytes.set(buffer, text);
      exports.applyStream(place, stream, text + offset, length);
      buffer.set(this.#text(place, buffer.length));
    } else {
      bytes.set(buffer.subarray(offset, offset + length), text);
      exports.applyStream(place, stream, text, length);
      buffer.set(this.#text(place, length), offset);
    }
  }

  /** Both states of SHA-1 behind a key of HMAC of at the most 64 bytes, for `hmacSha1`. */
  expandMacKey(key: Uint8Array): Uint8Array {
    const { bytes, exports } = this;
    const at = this.#textAt;
    bytes.fill(0, at, at + SHA_BLOCK);
    bytes.set(key, at);
    exports.makeMacKey(at);
    bytes.fill(0, at, at + SHA_BLOCK);
    this.#macKey = undefined;
    return bytes.slice(this.#macKeyAt, this.#macKeyAt + 2 * MAC_LENGTH);
  }

  /**
   * HMAC-SHA-1 of the `length` bytes at `offset` and of `suffix` behind them, together no more than `LONGEST_MESSAGE`. `key` is an answer
   * of `expandMacKey`. The answer is valid until the next call.
   */
  hmacSha1(
    key: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
    suffix: Uint8Array,
  ): Uint8Array {
    const { bytes } = this;
    const isWhole = isClose(buffer, offset, length);
    const text = this.#textAt + (isWhole ? offset : 0);
    bytes.set(isWhole ? buffer : buffer.subarray(offset, offset + length), this.#textAt);
    for (let i = 0; i < suffix.length; i++) bytes[text + length + i] = suffix[i]!;
    return this.#macOf(key, text, length + suffix.length);
  }

  /** HMAC-SHA-1 of `parts` behind one another, likewise. */
  hmacSha1OfParts(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    let length = 0;
    for (const part of parts) {
      this.bytes.set(part, this.#textAt + length);
      length += part.length;
    }
    return this.#macOf(key, this.#textAt, length);
  }

  #macOf(key: Uint8Array, text: number, length: number): Uint8Array {
    if (this.#macKey !== key) this.bytes.set(key, this.#macKeyAt);
    this.#macKey = key;
    this.exports.hmacSha1(text, length);
    return this.#mac;
  }

  #writeCounters(nonce: Uint8Array, nonces: number, blocks: number, first: number, step: number): Uint8Array {
    this.#setNonce(nonce);
    this.exports.writeCounters(nonces, blocks, first, step);
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
