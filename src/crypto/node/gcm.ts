/**
 * AES-GCM (SP 800-38D) for Node: AES by OpenSSL, on the processor's AES instructions, and GHASH by the kernel.
 *
 * Node makes an object of OpenSSL's for each record, with a weak handle that the garbage collector has to look at, and a call into
 * OpenSSL and the buffer it answers with cost several times what the encryption does. So one cipher object of AES-ECB a key
 * encrypts counter blocks, those of eight records by one call: nonces of records are an iv ⊕ a count, so whatever the iv
 * is, the eight nonces that differ in their last three bits belong to eight records in a row.
 *
 *   E(J0) ‖ E(inc32 J0) ‖ … of eight nonces  ← one call
 *   seal: text ⊕ key stream → GHASH → tag ⊕ E(J0)      open: GHASH → tag compared without an early exit → text ⊕ key stream
 *
 * A long record pays OpenSSL more than the object costs, and a few records of a handshake do not pay for the cipher.
 */
import type { Cipher, KeyObject } from 'node:crypto';
import { createCipheriv } from 'node:crypto';
import { NO_BYTES, copyBytes } from '../../core/bytes.ts';
import { checkNonce, checkRange } from '../aead-arguments.ts';
import type { Kernel, Place } from '../kernel/kernel.ts';
import { BLOCK, HashKey, OPENS, SEALS, kernel } from '../kernel/kernel.ts';
import type { AeadAlgorithm, AeadKey } from '../provider.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from '../provider.ts';
import { NodeAeadKey } from './aead.ts';

/** Records before the cipher is made: making it costs as much as two. */
const RECORDS_OF_A_HANDSHAKE = 4;
/** Where a nonce has its last byte. */
const LAST = AEAD_NONCE_LENGTH - 1;
/** Records whose key streams are made together: a power of two, for they share all of the nonce but its last bits. */
const GROUP = 8;
/** Bytes of plaintext; beyond it OpenSSL's GHASH saves more than the object costs. Eight key streams fit the kernel. */
const LONGEST = 2048;

/** A key of AES-128-GCM or AES-256-GCM, which finds out by itself what is cheaper for a record. */
export class NodeGcmKey implements AeadKey {
  readonly #key: SharedKey;
  readonly #kernel: Kernel | undefined = kernel();
  #streams: KeyStreams | undefined;
  #records = 0;

  constructor(key: SharedKey) {
    this.#key = key;
  }

  forSequence(): AeadKey {
    return new NodeGcmKey(this.#key);
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    const streams = this.#streamsFor(additionalData, length);
    if (streams === undefined) {
      this.#key.whole.seal(nonce, additionalData, buffer, offset, length);
      return;
    }
    checkNonce(nonce);
    checkRange(buffer, offset, length, AEAD_TAG_LENGTH);
    const stream = streams.use(SEALS, nonce, length);
    streams.kernel.seal(stream, additionalData, buffer, offset, length);
  }

  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): number {
    const plainLength = length - AEAD_TAG_LENGTH;
    const streams = this.#streamsFor(additionalData, plainLength);
    if (streams === undefined) return this.#key.whole.open(nonce, additionalData, buffer, offset, length);
    checkNonce(nonce);
    checkRange(buffer, offset, length, 0);
    if (plainLength < 0) return -1;
    if (streams.has(nonce, plainLength)) {
      const stream = streams.use(OPENS, nonce, plainLength);
      return streams.kernel.open(stream, additionalData, buffer, offset, plainLength);
    }
    // It may be forged, and then it costs itself alone: the streams of the records in a row stay until one is authentic.
    streams.useAlone(OPENS, nonce, plainLength);
    const opened = streams.kernel.open(0, additionalData, buffer, offset, plainLength);
    if (opened >= 0) streams.make(nonce, plainLength);
    return opened;
  }

  /** `undefined` for a record that OpenSSL is to do as a whole. */
  #streamsFor(additionalData: Uint8Array, length: number): KeyStreams | undefined {
    const kernel = this.#kernel;
    // Written so that NaN is OpenSSL's, too, which checks it.
    if (kernel === undefined || !(length <= LONGEST) || !kernel.takes(additionalData, length))
      return undefined;
    if (this.#streams === undefined && this.#records++ >= RECORDS_OF_A_HANDSHAKE) {
      this.#streams = new KeyStreams(kernel, this.#key.blocks);
    }
    return this.#streams;
  }
}

/** What all sequences of records under one key share. */
export class SharedKey {
  /** OpenSSL's AES-GCM. */
  readonly whole: NodeAeadKey;
  readonly #key: KeyObject;
  #blocks: BlockCipher | undefined;

  constructor(algorithm: Exclude<AeadAlgorithm, 'chacha20-poly1305'>, key: KeyObject) {
    this.#key = key;
    this.whole = new NodeAeadKey(algorithm, key);
  }

  /** Its AES, made at the first call. */
  get blocks(): BlockCipher {
    return (this.#blocks ??= new BlockCipher(this.#key));
  }
}

/** AES of one key, and the hash key of AES-GCM. */
class BlockCipher {
  readonly cipher: Cipher;
  readonly hashKey: HashKey;

  constructor(key: KeyObject) {
    this.cipher = blockCipher(key);
    this.hashKey = new HashKey(copyBytes(this.cipher.update(new Uint8Array(BLOCK))));
  }
}

/** The key streams of a key, a group of records at a time. */
class KeyStreams {
  readonly kernel: Kernel;
  readonly #cipher: Cipher;
  readonly #hashKey: HashKey;
  /** Of the group whose key streams were made last, its last bits zero. */
  readonly #nonce: Uint8Array = new Uint8Array(AEAD_NONCE_LENGTH);
  /** The key streams of that group, by the nonce's last bits. */
  #streams: Uint8Array = NO_BYTES;
  /** Blocks of each; 0 before the first. */
  #blocks = 0;
  /** The longest that this group has needed. */
  #needed = 0;

  constructor(kernel: Kernel, { cipher, hashKey }: BlockCipher) {
    this.kernel = kernel;
    this.#cipher = cipher;
    this.#hashKey = hashKey;
  }

  /** Whether the key stream of a record of `length` bytes is there. */
  has(nonce: Uint8Array, length: number): boolean {
    return blocksOf(length) <= this.#blocks && this.#isOfGroup(nonce);
  }

  /** Gives `place` of the kernel what a record of `length` bytes takes. @returns where its key stream begins, E(J0) first */
  use(place: Place, nonce: Uint8Array, length: number): number {
    if (!this.has(nonce, length)) this.make(nonce, length);
    this.#needed = Math.max(this.#needed, blocksOf(length));
    this.kernel.useHashKey(place, this.#hashKey);
    const at = (nonce[LAST]! & (GROUP - 1)) * this.#blocks * BLOCK;
    return this.kernel.useStreamOf(place, this.#streams, at, blocksOf(length) * BLOCK);
  }

  /** The same for a record by itself: its key stream is the first one of `place`, and nothing is kept of it. */
  useAlone(place: Place, nonce: Uint8Array, length: number): void {
    this.kernel.useHashKey(place, this.#hashKey);
    this.kernel.useStreams(place, this.#cipher.update(this.kernel.counters(nonce, 1, blocksOf(length))));
  }

  #isOfGroup(nonce: Uint8Array): boolean {
    const group = this.#nonce;
    // From the end: that is where nonces differ.
    if (((nonce[LAST]! ^ group[LAST]!) & -GROUP) !== 0) return false;
    for (let i = LAST - 1; i >= 0; i--) if (nonce[i] !== group[i]) return false;
    return true;
  }

  /**
   * Makes the key streams of the group that `nonce` is of, as long as the one before has needed: what is long now is followed by what
   * is long, and memory follows.
   */
  make(nonce: Uint8Array, length: number): void {
    const blocks = blocksOf(length);
    const isSameGroup = this.#blocks > 0 && this.#isOfGroup(nonce);
    const longest = Math.max(blocks, this.#needed);
    this.#needed = isSameGroup ? longest : blocks;
    this.#blocks = longest;
    for (let i = 0; i < AEAD_NONCE_LENGTH; i++) this.#nonce[i] = nonce[i]!;
    this.#nonce[LAST] = nonce[LAST]! & -GROUP;
    this.#streams = this.#cipher.update(this.kernel.counters(this.#nonce, GROUP, longest));
  }
}

/** AES block by block, with one object for as many as there will be. */
export function blockCipher(key: KeyObject): Cipher {
  const name = key.symmetricKeySize === 16 ? 'aes-128-ecb' : 'aes-256-ecb';
  return createCipheriv(name, key, null).setAutoPadding(false);
}

/** Blocks of a key stream, E(J0) among them. */
function blocksOf(length: number): number {
  return 1 + Math.ceil(length / BLOCK);
}
