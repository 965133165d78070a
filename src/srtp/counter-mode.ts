/**
 * SRTP under AES in counter mode and HMAC-SHA-1 (RFC 3711 §4.1.1, §4.2.1): what is behind the header is encrypted; the tag is of the
 * whole packet, and of the roll-over counter, which is not sent.
 *
 *     counter = salt · 2^16 ⊕ SSRC · 2^64 ⊕ index · 2^16
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, writeU32 } from '../core/bytes.ts';
import type { SrtpMasterKey } from '../core/srtp-keys.ts';
import type { CounterKey, CryptoProvider, HmacKey } from '../crypto/provider.ts';
import { COUNTER_LENGTH } from '../crypto/provider.ts';
import { deriveSessionKeys } from './key-derivation.ts';
import type { PacketCiphers, RtcpCipher, RtpCipher } from './packet-cipher.ts';
import { ENCRYPTED, RTCP_HEADER, RTCP_TRAILER } from './packet-cipher.ts';

/** RFC 3711 §5.2: bytes of a key of HMAC-SHA-1. */
const AUTHENTICATION_KEY = 20;
/** RTCP has 80 bits with either profile (RFC 5764 §4.1.2). */
const RTCP_TAG = 10;

/**
 * The ciphers of one direction. What is left of the derived keys outside of the provider is wiped.
 * @param tagLength of RTP, bytes
 */
export function counterModeCiphers(
  crypto: CryptoProvider,
  tagLength: number,
  master: SrtpMasterKey,
): PacketCiphers {
  const rtp = deriveSessionKeys(crypto, 'rtp', master, AUTHENTICATION_KEY);
  const rtcp = deriveSessionKeys(crypto, 'rtcp', master, AUTHENTICATION_KEY);
  const ciphers = {
    rtp: new CounterModeRtpCipher(
      crypto.counterMode(rtp.cipherKey),
      crypto.hmac('sha-1', rtp.authenticationKey),
      rtp.salt,
      tagLength,
    ),
    rtcp: new CounterModeRtcpCipher(
      crypto.counterMode(rtcp.cipherKey),
      crypto.hmac('sha-1', rtcp.authenticationKey),
      rtcp.salt,
    ),
  };
  for (const { cipherKey, authenticationKey } of [rtp, rtcp]) {
    cipherKey.fill(0);
    authenticationKey.fill(0);
  }
  return ciphers;
}

/** Of the packet at hand. */
const counter: Bytes = /* @__PURE__ */ new Uint8Array(COUNTER_LENGTH);
const rollOverBytes: Bytes = /* @__PURE__ */ new Uint8Array(4);

/** RTP in counter mode. */
export class CounterModeRtpCipher implements RtpCipher {
  readonly tagLength: number;
  readonly #key: CounterKey;
  readonly #authentication: HmacKey;
  readonly #salt: Bytes;

  /** @param salt 14 bytes */
  constructor(key: CounterKey, authentication: HmacKey, salt: Bytes, tagLength: number) {
    this.#key = key;
    this.#authentication = authentication;
    this.#salt = salt;
    this.tagLength = tagLength;
  }

  seal(buffer: Bytes, offset: number, headerLength: number, length: number, index: number): void {
    this.#setCounter(buffer, offset, index);
    this.#key.apply(counter, buffer, offset + headerLength, length - headerLength);
    const tag = this.#mac(buffer, offset, length, index);
    for (let i = 0; i < this.tagLength; i++) buffer[offset + length + i] = tag[i]!;
  }

  open(packet: Bytes, headerLength: number, index: number): boolean {
    const length = packet.length - this.tagLength;
    const tag = this.#mac(packet, 0, length, index);
    if (!isEqual(tag, packet, length, this.tagLength)) return false;
    this.#setCounter(packet, 0, index);
    this.#key.apply(counter, packet, headerLength, length - headerLength);
    return true;
  }

  forSource(): RtpCipher {
    const key = this.#key.forSequence?.();
    if (key === undefined) return this;
    return new CounterModeRtpCipher(key, this.#authentication, this.#salt, this.tagLength);
  }

  #mac(buffer: Bytes, offset: number, length: number, index: number): Uint8Array {
    writeU32(rollOverBytes, 0, Math.floor(index / 0x1_0000));
    return macOf(this.#authentication, buffer, offset, length, rollOverBytes);
  }

  #setCounter(buffer: Bytes, offset: number, index: number): void {
    setCounter(this.#salt, buffer, offset + 8);
    const rollOver = Math.floor(index / 0x1_0000);
    counter[8]! ^= rollOver >>> 24;
    counter[9]! ^= rollOver >>> 16;
    counter[10]! ^= rollOver >>> 8;
    counter[11]! ^= rollOver;
    counter[12]! ^= buffer[offset + 2]!;
    counter[13]! ^= buffer[offset + 3]!;
  }
}

/** RTCP in counter mode; the trailer stands in front of the tag (RFC 3711 §3.4). */
export class CounterModeRtcpCipher implements RtcpCipher {
  readonly tagLength: number = RTCP_TAG;
  readonly trailerFromEnd: number = RTCP_TRAILER + RTCP_TAG;
  readonly #key: CounterKey;
  readonly #authentication: HmacKey;
  readonly #salt: Bytes;

  /** @param salt 14 bytes */
  constructor(key: CounterKey, authentication: HmacKey, salt: Bytes) {
    this.#key = key;
    this.#authentication = authentication;
    this.#salt = salt;
  }

  seal(buffer: Bytes, offset: number, length: number, index: number): void {
    this.#apply(buffer, offset, length, index);
    writeU32(buffer, offset + length, ENCRYPTED + index);
    const end = length + RTCP_TRAILER;
    const tag = macOf(this.#authentication, buffer, offset, end, NO_BYTES);
    for (let i = 0; i < RTCP_TAG; i++) buffer[offset + end + i] = tag[i]!;
  }

  open(packet: Bytes, trailer: number): boolean {
    const end = packet.length - RTCP_TAG;
    const tag = macOf(this.#authentication, packet, 0, end, NO_BYTES);
    if (!isEqual(tag, packet, end, RTCP_TAG)) return false;
    if (trailer >= ENCRYPTED) this.#apply(packet, 0, end - RTCP_TRAILER, trailer % ENCRYPTED);
    return true;
  }

  #apply(buffer: Bytes, offset: number, length: number, index: number): void {
    setCounter(this.#salt, buffer, offset + 4);
    counter[10]! ^= index >>> 24;
    counter[11]! ^= index >>> 16;
    counter[12]! ^= index >>> 8;
    counter[13]! ^= index;
    this.#key.apply(counter, buffer, offset + RTCP_HEADER, length - RTCP_HEADER);
  }
}

function macOf(key: HmacKey, buffer: Bytes, offset: number, length: number, suffix: Bytes): Uint8Array {
  return (
    key.macOf?.(buffer, offset, length, suffix) ?? key.mac(buffer.subarray(offset, offset + length), suffix)
  );
}

/** `counter` ← salt · 2^16 ⊕ SSRC · 2^64, with the SSRC that stands at `at`. */
function setCounter(salt: Bytes, buffer: Bytes, at: number): void {
  for (let i = 0; i < 14; i++) counter[i] = salt[i]!;
  for (let i = 0; i < 4; i++) counter[4 + i]! ^= buffer[at + i]!;
  counter[14] = 0;
  counter[15] = 0;
}

/** Whether the `length` bytes at `at` begin `tag`; how long it takes does not tell where they differ. */
function isEqual(tag: Uint8Array, packet: Bytes, at: number, length: number): boolean {
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= tag[i]! ^ packet[at + i]!;
  return difference === 0;
}
