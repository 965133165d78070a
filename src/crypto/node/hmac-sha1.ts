/**
 * HMAC-SHA-1 (RFC 2104) on OpenSSL's one-shot hash: a call that makes no object, and answers with a string of as many characters as the
 * digest has bytes, costs a fifth of a `createHmac`. Key and message lie behind one another in memory that is written over by the next message.
 */
import * as nodeCrypto from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, copyBytes } from '../../core/bytes.ts';
import { checkRange } from '../aead-arguments.ts';
import type { HmacKey } from '../provider.ts';

const BLOCK = 64;
const MAC_LENGTH = 20;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Bytes of memory at first: a datagram. */
const USUAL_LENGTH = 2048;

/** Absent from Node before 20.12, and from hosts that do as it does. */
const oneShot = nodeCrypto.hash as typeof nodeCrypto.hash | undefined;

/** Of the message at hand. */
let inner: Bytes = NO_BYTES;
const outer: Bytes = /* @__PURE__ */ new Uint8Array(BLOCK + MAC_LENGTH);
const answer: Bytes = /* @__PURE__ */ new Uint8Array(MAC_LENGTH);

/** A key of HMAC-SHA-1; both of its pads are kept. */
export class OneShotHmacSha1 implements HmacKey {
  static readonly isThere: boolean = oneShot !== undefined;
  readonly #innerKey: Bytes;
  readonly #outerKey: Bytes;

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK ? digest(key) : key;
    this.#innerKey = padded(short, INNER_PAD);
    this.#outerKey = padded(short, OUTER_PAD);
  }

  mac(...parts: readonly Uint8Array[]): Bytes {
    let length = 0;
    for (const part of parts) length += part.length;
    reserve(length);
    let at = BLOCK;
    for (const part of parts) {
      inner.set(part, at);
      at += part.length;
    }
    return copyBytes(this.#macOf(length));
  }

  macOf(buffer: Uint8Array, offset: number, length: number, suffix: Uint8Array): Uint8Array {
    checkRange(buffer, offset, length, 0);
    reserve(length + suffix.length);
    inner.set(buffer.subarray(offset, offset + length), BLOCK);
    inner.set(suffix, BLOCK + length);
    return this.#macOf(length + suffix.length);
  }

  /** Of the `length` bytes in `inner` behind the key. */
  #macOf(length: number): Uint8Array {
    inner.set(this.#innerKey);
    outer.set(this.#outerKey);
    writeDigest(inner.subarray(0, BLOCK + length), outer, BLOCK);
    writeDigest(outer, answer, 0);
    return answer;
  }
}

function reserve(length: number): void {
  if (inner.length < BLOCK + length) inner = new Uint8Array(Math.max(BLOCK + length, USUAL_LENGTH));
}

function digest(message: Uint8Array): Bytes {
  const bytes = new Uint8Array(MAC_LENGTH);
  writeDigest(message, bytes, 0);
  return bytes;
}

function writeDigest(message: Uint8Array, into: Bytes, at: number): void {
  const text = oneShot?.('sha1', message, 'binary') ?? '';
  for (let i = 0; i < MAC_LENGTH; i++) into[at + i] = text.charCodeAt(i);
}

function padded(key: Uint8Array, pad: number): Bytes {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!;
  return block;
}
