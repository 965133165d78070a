/**
 * AES in counter mode on OpenSSL. One cipher object of AES-ECB a key encrypts the counter blocks: an object of `aes-128-ctr`
 * for each packet costs more than encrypting a short one does.
 */
import type { Cipher } from 'node:crypto';
import { createCipheriv, createSecretKey } from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, readU32, writeU32 } from '../../core/bytes.ts';
import { checkCounter } from '../aead-arguments.ts';
import type { CounterKey } from '../provider.ts';

const BLOCK = 16;

/** Counter blocks in the making, for whoever asks at the moment. */
let blocks: Bytes = NO_BYTES;

/** A key of AES in counter mode. The caller's buffer alone is written to. */
export class NodeCounterKey implements CounterKey {
  readonly #cipher: Cipher;

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv(`aes-${8 * key.length}-ecb`, createSecretKey(key), null);
    this.#cipher.setAutoPadding(false);
  }

  apply(counter: Uint8Array, buffer: Uint8Array, offset: number, length: number): void {
    checkCounter(counter, buffer, offset, length);
    if (length === 0) return;
    const stream = this.#cipher.update(counterBlocks(counter, Math.ceil(length / BLOCK)));
    for (let i = 0; i < length; i++) buffer[offset + i]! ^= stream[i]!;
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
