/**
 * AES-GCM (SP 800-38D) for Node: OpenSSL's for long records, its parts for short ones.
 *
 * Node makes an object of OpenSSL's for each record, with a weak handle that the garbage collector has to look at: more work
 * than sealing a short record. So up to `SHORT` bytes one cipher object of AES-ECB a key encrypts the counter blocks (on the
 * processor's AES instructions, as ever), and GHASH is ours. Both are made when a key is used for more than the few
 * records of a handshake, for making them costs as much as two records.
 *
 * A call into OpenSSL and the buffer it answers with cost several times what the encryption does. Nonces of records are an iv
 * ⊕ a count, so whatever the iv is, the four nonces that differ in their last two bits belong to four records in a row:
 * one call makes the key streams of all four.
 *
 *   E(J0) ‖ E(inc32 J0) ‖ … of four nonces  ← one call
 *   seal: text ⊕ key stream → GHASH → tag ⊕ E(J0)      open: GHASH → tag compared without an early exit → text ⊕ key stream
 */
import type { Cipher, KeyObject } from 'node:crypto';
import { createCipheriv } from 'node:crypto';
import { NO_BYTES, readU32, writeU32 } from '../../core/bytes.ts';
import { checkNonce, checkRange } from '../aead-arguments.ts';
import { Ghash } from '../js/gcm.ts';
import type { AeadAlgorithm, AeadKey } from '../provider.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from '../provider.ts';
import { NodeAeadKey } from './aead.ts';

/** Bytes of plaintext; beyond it OpenSSL's GHASH saves more than the object costs. */
const SHORT = 448;
/** Records before the parts for short ones are made. */
const RECORDS_OF_A_HANDSHAKE = 4;
const BLOCK = 16;
/** Where a nonce has its last byte. */
const LAST = AEAD_NONCE_LENGTH - 1;

/** Records whose key streams are made together: a power of two, for they share all of the nonce but its last bits. */
const GROUP = 4;

/** Counter blocks of a group of records, J0 first in each. Written anew for each: nothing stays. */
const counters: Uint8Array = new Uint8Array(GROUP * BLOCK * (1 + SHORT / BLOCK));

/** A key of AES-128-GCM or AES-256-GCM, which finds out by itself what is cheaper for a record. */
export class NodeGcmKey implements AeadKey {
  readonly #key: KeyObject;
  readonly #whole: NodeAeadKey;
  #parts: GcmParts | undefined;
  #records = 0;

  constructor(algorithm: Exclude<AeadAlgorithm, 'chacha20-poly1305'>, key: KeyObject) {
    this.#key = key;
    this.#whole = new NodeAeadKey(algorithm, key);
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    this.#for(length).seal(nonce, additionalData, buffer, offset, length);
  }

  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): number {
    return this.#for(length - AEAD_TAG_LENGTH).open(nonce, additionalData, buffer, offset, length);
  }

  #for(length: number): AeadKey {
    if (!(length <= SHORT)) return this.#whole;
    if (this.#parts === undefined) {
      if (this.#records++ < RECORDS_OF_A_HANDSHAKE) return this.#whole;
      this.#parts = new GcmParts(this.#key);
    }
    return this.#parts;
  }
}

/** The parts of GCM, for records of up to `SHORT` bytes. */
class GcmParts implements AeadKey {
  readonly #cipher: Cipher;
  readonly #ghash: Ghash;
  /** Of the group whose key streams were made last; its last bits do not count. */
  readonly #nonce: Uint8Array = new Uint8Array(AEAD_NONCE_LENGTH);
  /** The key streams of that group, by the nonce's last bits. */
  #streams: Uint8Array = NO_BYTES;
  /** Bytes of each; 0 before the first. */
  #streamLength = 0;

  constructor(key: KeyObject) {
    const name = key.symmetricKeySize === 16 ? 'aes-128-ecb' : 'aes-256-ecb';
    this.#cipher = createCipheriv(name, key, null).setAutoPadding(false);
    const h = this.#cipher.update(new Uint8Array(BLOCK));
    this.#ghash = new Ghash(readU32(h, 0), readU32(h, 4), readU32(h, 8), readU32(h, 12));
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
    const at = this.#keyStream(nonce, length);
    const streams = this.#streams;
    combine(buffer, offset, length, streams, at);
    const ghash = this.#authenticate(additionalData, buffer, offset, length);
    const end = offset + length;
    writeU32(buffer, end, ghash.y0 ^ readU32(streams, at));
    writeU32(buffer, end + 4, ghash.y1 ^ readU32(streams, at + 4));
    writeU32(buffer, end + 8, ghash.y2 ^ readU32(streams, at + 8));
    writeU32(buffer, end + 12, ghash.y3 ^ readU32(streams, at + 12));
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
    const plainLength = length - AEAD_TAG_LENGTH;
    if (plainLength < 0) return -1;
    const at = this.#keyStream(nonce, plainLength);
    const streams = this.#streams;
    const ghash = this.#authenticate(additionalData, buffer, offset, plainLength);
    const end = offset + plainLength;
    const difference =
      (ghash.y0 ^ readU32(streams, at) ^ readU32(buffer, end)) |
      (ghash.y1 ^ readU32(streams, at + 4) ^ readU32(buffer, end + 4)) |
      (ghash.y2 ^ readU32(streams, at + 8) ^ readU32(buffer, end + 8)) |
      (ghash.y3 ^ readU32(streams, at + 12) ^ readU32(buffer, end + 12));
    if (difference !== 0) return -1;
    combine(buffer, offset, plainLength, streams, at);
    return plainLength;
  }

  /** Where in `#streams` the key stream of `nonce` begins, E(J0) first. */
  #keyStream(nonce: Uint8Array, length: number): number {
    const needed = BLOCK * (1 + Math.ceil(length / BLOCK));
    const place = nonce[LAST]! & (GROUP - 1);
    if (needed > this.#streamLength || !this.#isOfGroup(nonce)) this.#makeStreams(nonce, needed);
    return place * this.#streamLength;
  }

  #isOfGroup(nonce: Uint8Array): boolean {
    let difference = (nonce[LAST]! ^ this.#nonce[LAST]!) & ~(GROUP - 1);
    for (let i = 0; i < LAST; i++) difference |= nonce[i]! ^ this.#nonce[i]!;
    return difference === 0;
  }

  // SP 800-38D §7.1: with a 96-bit nonce J0 is nonce ‖ 1, and the text is counted from 2.
  #makeStreams(nonce: Uint8Array, length: number): void {
    this.#nonce.set(nonce);
    this.#streamLength = length;
    const first = nonce[LAST]! & ~(GROUP - 1);
    for (let place = 0, at = 0; place < GROUP; place++) {
      for (let count = 1; count <= length / BLOCK; count++, at += BLOCK) {
        counters.set(nonce, at);
        counters[at + LAST] = first | place;
        writeU32(counters, at + AEAD_NONCE_LENGTH, count);
      }
    }
    this.#streams = this.#cipher.update(counters.subarray(0, GROUP * length));
  }

  #authenticate(additionalData: Uint8Array, text: Uint8Array, offset: number, length: number): Ghash {
    const ghash = this.#ghash;
    ghash.reset();
    ghash.update(additionalData, 0, additionalData.length);
    ghash.update(text, offset, length);
    // Both lengths in bits, 64 bits each; a shift by 29 is the part of length · 8 above 32 bits.
    ghash.block(additionalData.length >>> 29, additionalData.length << 3, 0, length << 3);
    return ghash;
  }
}

/** The key stream begins behind the block that is kept for the tag. */
function combine(buffer: Uint8Array, offset: number, length: number, streams: Uint8Array, at: number): void {
  for (let i = 0; i < length; i++) buffer[offset + i]! ^= streams[at + BLOCK + i]!;
}
