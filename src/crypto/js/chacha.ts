/**
 * ChaCha20-Poly1305 (RFC 8439) on noble's: unlike AES-GCM it has nothing to prepare per key, so a library call per record
 * costs no more than it must. The mask of record numbers (RFC 9147 §4.2.3) is our own: noble throws for the highest
 * block counter, and here the counter is the peer's to choose.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { checkMask, checkNonce, checkRange } from '../aead-arguments.ts';
import type { AeadKey, MaskKey } from '../provider.ts';
import { AEAD_TAG_LENGTH, MASK_SAMPLE_LENGTH } from '../provider.ts';

/** A key of ChaCha20-Poly1305, copied. */
export class ChaChaKey implements AeadKey {
  readonly #key: Bytes;

  /** @param key 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.#key = copyBytes(key);
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    checkNonce(nonce);
    checkRange(buffer, offset, length, AEAD_TAG_LENGTH);
    const plaintext = buffer.subarray(offset, offset + length);
    buffer.set(chacha20poly1305(this.#key, nonce, additionalData).encrypt(plaintext), offset);
  }

  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): number {
    checkNonce(nonce);
    checkRange(buffer, offset, length, 0);
    if (length < AEAD_TAG_LENGTH) return -1;
    const sealed = buffer.subarray(offset, offset + length);
    try {
      buffer.set(chacha20poly1305(this.#key, nonce, additionalData).decrypt(sealed), offset);
    } catch {
      // A wrong tag: noble's only way of saying so.
      return -1;
    }
    return length - AEAD_TAG_LENGTH;
  }
}

/** "expand 32-byte k", little-endian (RFC 8439 §2.3). */
const SIGMA: readonly number[] = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

const DOUBLE_ROUNDS = 10;

/** A key for the masks of record numbers under ChaCha20-Poly1305. */
export class ChaChaMask implements MaskKey {
  /** Constants, key, and room for the sample, which takes the places of counter and nonce. */
  readonly #input: Uint32Array = new Uint32Array(16);
  readonly #state: Uint32Array = new Uint32Array(16);

  /** @param key 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.#input.set(SIGMA);
    for (let i = 0; i < 8; i++) this.#input[4 + i] = readLittleEndian(key, 4 * i);
  }

  compute(sample: Uint8Array, offset: number, mask: Uint8Array): void {
    checkMask(sample, offset, mask);
    const input = this.#input;
    const state = this.#state;
    for (let i = 0; i < 4; i++) input[12 + i] = readLittleEndian(sample, offset + 4 * i);
    state.set(input);
    for (let i = 0; i < DOUBLE_ROUNDS; i++) {
      quarterRound(state, 0, 4, 8, 12);
      quarterRound(state, 1, 5, 9, 13);
      quarterRound(state, 2, 6, 10, 14);
      quarterRound(state, 3, 7, 11, 15);
      quarterRound(state, 0, 5, 10, 15);
      quarterRound(state, 1, 6, 11, 12);
      quarterRound(state, 2, 7, 8, 13);
      quarterRound(state, 3, 4, 9, 14);
    }
    for (let i = 0; i < MASK_SAMPLE_LENGTH; i++) {
      const word = (state[i >> 2]! + input[i >> 2]!) | 0;
      mask[i] = word >>> (8 * (i & 3));
    }
  }
}

/** RFC 8439 §2.1. */
function quarterRound(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  state[a]! += state[b]!;
  state[d] = rotateLeft(state[d]! ^ state[a]!, 16);
  state[c]! += state[d];
  state[b] = rotateLeft(state[b]! ^ state[c]!, 12);
  state[a]! += state[b];
  state[d] = rotateLeft(state[d] ^ state[a]!, 8);
  state[c]! += state[d];
  state[b] = rotateLeft(state[b] ^ state[c]!, 7);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function readLittleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
