/** The mask that hides record numbers, from AES (RFC 9147 §4.2.3): one block of the ciphertext, encrypted. */
import { readU32, writeU32 } from '../../core/bytes.ts';
import { checkMask } from '../aead-arguments.ts';
import type { MaskKey } from '../provider.ts';
import { Aes } from './aes.ts';

/** A key for the masks of record numbers under AES-GCM. */
export class AesMask implements MaskKey {
  readonly aes: Aes;

  /** @param key 16 or 32 bytes; the caller checks. */
  constructor(key: Uint8Array) {
    this.aes = new Aes(key);
  }

  compute(sample: Uint8Array, offset: number, mask: Uint8Array): void {
    checkMask(sample, offset, mask);
    const { aes } = this;
    aes.encrypt(
      readU32(sample, offset),
      readU32(sample, offset + 4),
      readU32(sample, offset + 8),
      readU32(sample, offset + 12),
    );
    for (let i = 0; i < 4; i++) writeU32(mask, 4 * i, aes.block[i]!);
  }
}
