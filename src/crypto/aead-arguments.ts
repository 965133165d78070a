/** Arguments of an AEAD key, checked before it touches a buffer: a misuse is the caller's, never the peer's doing. */
import { badArgument } from '../core/errors.ts';
import type { AeadAlgorithm } from './provider.ts';
import { AEAD_KEY_LENGTHS, AEAD_NONCE_LENGTH, COUNTER_LENGTH, MASK_SAMPLE_LENGTH } from './provider.ts';

/** The key must have its algorithm's length. */
export function checkKey(algorithm: AeadAlgorithm, key: Uint8Array): void {
  const length = AEAD_KEY_LENGTHS[algorithm];
  if (key.length !== length) throw badArgument('key', `${length} bytes for ${algorithm}`, key.length);
}

/** A nonce has 12 bytes with every algorithm. */
export function checkNonce(nonce: Uint8Array): void {
  if (nonce.length !== AEAD_NONCE_LENGTH) {
    throw badArgument('nonce', `${AEAD_NONCE_LENGTH} bytes`, nonce.length);
  }
}

/** `length` bytes at `offset`, and `room` bytes behind them, must lie in the buffer. */
export function checkRange(buffer: Uint8Array, offset: number, length: number, room: number): void {
  // Written so that NaN fails too.
  const fits = offset >= 0 && length >= 0 && offset + length + room <= buffer.length;
  if (!fits) {
    throw badArgument(
      'length',
      `${room} bytes of room behind offset + length in ${buffer.length}`,
      offset + length,
    );
  }
}

/** A sample of ciphertext must lie in its buffer, and the mask must have room. */
export function checkMask(sample: Uint8Array, offset: number, mask: Uint8Array): void {
  checkRange(sample, offset, MASK_SAMPLE_LENGTH, 0);
  checkRange(mask, 0, MASK_SAMPLE_LENGTH, 0);
}

/** AES-128 and AES-256; nothing that the library speaks uses AES-192. */
export function checkCounterKey(key: Uint8Array): void {
  if (key.length !== 16 && key.length !== 32) throw badArgument('key', '16 or 32 bytes', key.length);
}

/** A counter is a block of AES, and what it is applied to must lie in its buffer. */
export function checkCounter(counter: Uint8Array, buffer: Uint8Array, offset: number, length: number): void {
  if (counter.length !== COUNTER_LENGTH) {
    throw badArgument('counter', `${COUNTER_LENGTH} bytes`, counter.length);
  }
  checkRange(buffer, offset, length, 0);
}
