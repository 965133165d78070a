/**
 * AES in counter mode on OpenSSL. One cipher object of AES-ECB a key encrypts the counter blocks: an object of `aes-128-ctr`
 * for each packet costs more than encrypting a short one does.
 *
 * A call into OpenSSL costs as much as the encryption of a packet. So where there is a kernel the key streams of eight packets are made
 * by one call: counters of SRTP are an iv ⊕ (an index · 2^16), so the eight that differ in the last three bits of that index belong to eight
 * packets in a row (see ./gcm.ts).
 */
import type { Cipher } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, copyBytes, readU32, writeU32 } from '../../core/bytes.ts';
import { checkCounter } from '../aead-arguments.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { BLOCK, SEALS, kernel } from '../kernel/kernel.ts';
import type { CounterKey } from '../provider.ts';
import { COUNTER_LENGTH } from '../provider.ts';
import { blockCipher } from './gcm.ts';

/** Packets before key streams are made for those to come: few keys see more. */
const PACKETS_OF_A_QUIET_KEY = 4;
/** Where a counter has the low bits of SRTP's index, in front of two bytes that count blocks. */
const INDEX_AT = 13;
/** From one index to the next in the last word of a counter. */
const STEP = 0x1_0000;
/** Packets whose key streams are made together: a power of two. */
const GROUP = 8;
/** Bytes of text up to which eight key streams fit the kernel. */
const LONGEST = 2048;

/** Counter blocks in the making, for whoever asks at the moment. */
let blocks: Bytes = NO_BYTES;

/** A key of AES in counter mode. The caller's buffer alone is written to. */
export class NodeCounterKey implements CounterKey {
  readonly #cipher: Cipher;
  readonly #kernel: Kernel | undefined = kernel();
  #packets = 0;
  /** The first counter of the group whose key streams were made last. */
  readonly #counter: Bytes = new Uint8Array(COUNTER_LENGTH);
  /** The key streams of that group, and the blocks of each; 0 before the first. */
  #streams: Uint8Array = NO_BYTES;
  #blocks = 0;
  /** The blocks of the longest text of the group. */
  #needed = 0;

  constructor(cipher: Cipher) {
    this.#cipher = cipher;
  }

  /** @param key 16 or 32 bytes; the caller checks. */
  static of(key: Uint8Array): NodeCounterKey {
    return new NodeCounterKey(blockCipher(createSecretKey(key)));
  }

  forSequence(): CounterKey {
    return new NodeCounterKey(this.#cipher);
  }

  apply(counter: Uint8Array, buffer: Uint8Array, offset: number, length: number): void {
    checkCounter(counter, buffer, offset, length);
    if (length === 0) return;
    const shared = this.#kernel;
    const isGrouped = length <= LONGEST && counter[14] === 0 && counter[15] === 0;
    if (shared !== undefined && isGrouped && this.#packets++ >= PACKETS_OF_A_QUIET_KEY) {
      const needed = Math.ceil(length / BLOCK);
      if (needed > this.#blocks || !this.#isOfGroup(counter)) this.#make(shared, counter, needed);
      this.#needed = Math.max(this.#needed, needed);
      const at = (counter[INDEX_AT]! & (GROUP - 1)) * this.#blocks * BLOCK;
      const stream = shared.useStreamOf(SEALS, this.#streams, at, needed * BLOCK);
      shared.applyStream(SEALS, stream, buffer, offset, length);
      return;
    }
    const stream = this.#cipher.update(counterBlocks(counter, Math.ceil(length / BLOCK)));
    for (let i = 0; i < length; i++) buffer[offset + i]! ^= stream[i]!;
  }

  #isOfGroup(counter: Uint8Array): boolean {
    const group = this.#counter;
    if (((counter[INDEX_AT]! ^ group[INDEX_AT]!) & -GROUP) !== 0) return false;
    for (let i = INDEX_AT - 1; i >= 0; i--) if (counter[i] !== group[i]) return false;
    return true;
  }

  /** Makes the key streams of the group of `counter`, as long as the group before has needed. */
  #make(shared: Kernel, counter: Uint8Array, needed: number): void {
    const isSameGroup = this.#blocks > 0 && this.#isOfGroup(counter);
    const longest = Math.max(needed, this.#needed);
    this.#needed = isSameGroup ? longest : needed;
    this.#blocks = longest;
    for (let i = 0; i < INDEX_AT; i++) this.#counter[i] = counter[i]!;
    this.#counter[INDEX_AT] = counter[INDEX_AT]! & -GROUP;
    this.#streams = copyBytes(this.#cipher.update(shared.counterBlocks(this.#counter, GROUP, longest, STEP)));
  }
}

/** `count` blocks, each one more than the one before; valid until the next call. */
function counterBlocks(counter: Uint8Array, count: number): Bytes {
  const length = count * BLOCK;
  if (blocks.length < length) blocks = new Uint8Array(Math.max(length, 2048));
  const last = readU32(counter, BLOCK - 4);
  for (let i = 0, at = 0; i < count; i++, at += BLOCK) {
    blocks.set(counter, at);
    writeU32(blocks, at + BLOCK - 4, (last + i) >>> 0);
    if (last + i >= 2 ** 32) carry(blocks, at);
  }
  return blocks.subarray(0, length);
}

/** Adds one to the twelve bytes above the word that has wrapped. */
function carry(block: Bytes, offset: number): void {
  for (let at = offset + BLOCK - 5; at >= offset; at--) {
    const byte = (block[at]! + 1) & 0xff;
    block[at] = byte;
    if (byte !== 0) return;
  }
}
