/**
 * SRTP under AES-GCM (RFC 7714): the header is authenticated, what is behind it is encrypted, the tag of 16 bytes comes last.
 *
 *     RTP    nonce = salt ⊕ (00 00 │ SSRC │ roll-over counter │ sequence number)     (§8.1)
 *     RTCP   nonce = salt ⊕ (00 00 │ SSRC │ 00 00 │ index)                            (§9.1)
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, readU32, writeU32 } from '../core/bytes.ts';
import type { SrtpMasterKey } from '../core/srtp-keys.ts';
import type { AeadAlgorithm, AeadKey, CryptoProvider } from '../crypto/provider.ts';
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from '../crypto/provider.ts';
import { deriveSessionKeys } from './key-derivation.ts';
import type { PacketCiphers, RtcpCipher, RtpCipher } from './packet-cipher.ts';
import { ENCRYPTED, RTCP_HEADER, RTCP_TRAILER } from './packet-cipher.ts';

/** The ciphers of one direction. What is left of the derived keys outside of the provider is wiped. */
export function gcmCiphers(
  crypto: CryptoProvider,
  algorithm: Exclude<AeadAlgorithm, 'chacha20-poly1305'>,
  master: SrtpMasterKey,
): PacketCiphers {
  const rtp = deriveSessionKeys(crypto, 'rtp', master, 0);
  const rtcp = deriveSessionKeys(crypto, 'rtcp', master, 0);
  const ciphers = {
    rtp: new GcmRtpCipher(crypto.aead(algorithm, rtp.cipherKey), rtp.salt),
    rtcp: new GcmRtcpCipher(crypto.aead(algorithm, rtcp.cipherKey), rtcp.salt),
  };
  rtp.cipherKey.fill(0);
  rtcp.cipherKey.fill(0);
  return ciphers;
}

/** Of the packet at hand. */
const nonce: Bytes = /* @__PURE__ */ new Uint8Array(AEAD_NONCE_LENGTH);

/** RTP under AES-GCM. */
export class GcmRtpCipher implements RtpCipher {
  readonly tagLength: number = AEAD_TAG_LENGTH;
  readonly #key: AeadKey;
  readonly #salt: Bytes;

  /** @param salt 12 bytes */
  constructor(key: AeadKey, salt: Bytes) {
    this.#key = key;
    this.#salt = salt;
  }

  seal(buffer: Bytes, offset: number, headerLength: number, length: number, index: number): void {
    this.#setNonce(buffer, offset, index);
    const header = additionalData(buffer, offset, headerLength);
    this.#key.seal(nonce, header, buffer, offset + headerLength, length - headerLength);
  }

  open(packet: Bytes, headerLength: number, index: number): boolean {
    this.#setNonce(packet, 0, index);
    const header = additionalData(packet, 0, headerLength);
    return this.#key.open(nonce, header, packet, headerLength, packet.length - headerLength) >= 0;
  }

  forSource(): RtpCipher {
    const key = this.#key.forSequence?.();
    return key === undefined ? this : new GcmRtpCipher(key, this.#salt);
  }

  #setNonce(buffer: Bytes, offset: number, index: number): void {
    const salt = this.#salt;
    const rollOver = Math.floor(index / 0x1_0000);
    nonce[0] = salt[0]!;
    nonce[1] = salt[1]!;
    nonce[2] = salt[2]! ^ buffer[offset + 8]!;
    nonce[3] = salt[3]! ^ buffer[offset + 9]!;
    nonce[4] = salt[4]! ^ buffer[offset + 10]!;
    nonce[5] = salt[5]! ^ buffer[offset + 11]!;
    nonce[6] = salt[6]! ^ (rollOver >>> 24);
    nonce[7] = salt[7]! ^ (rollOver >>> 16);
    nonce[8] = salt[8]! ^ (rollOver >>> 8);
    nonce[9] = salt[9]! ^ rollOver;
    nonce[10] = salt[10]! ^ buffer[offset + 2]!;
    nonce[11] = salt[11]! ^ buffer[offset + 3]!;
  }
}

/** RTCP under AES-GCM: header and trailer are authenticated, and all of a packet that is not encrypted (§9.2, §9.3). */
export class GcmRtcpCipher implements RtcpCipher {
  readonly tagLength: number = AEAD_TAG_LENGTH;
  readonly trailerFromEnd: number = RTCP_TRAILER;
  readonly #key: AeadKey;
  readonly #salt: Bytes;
  readonly #additionalData: Bytes = new Uint8Array(RTCP_HEADER + RTCP_TRAILER);

  /** @param salt 12 bytes */
  constructor(key: AeadKey, salt: Bytes) {
    this.#key = key;
    this.#salt = salt;
  }

  seal(buffer: Bytes, offset: number, length: number, index: number): void {
    const trailer = ENCRYPTED + index;
    this.#setNonce(buffer, offset, index);
    this.#setAdditionalData(buffer, offset, trailer);
    this.#key.seal(nonce, this.#additionalData, buffer, offset + RTCP_HEADER, length - RTCP_HEADER);
    writeU32(buffer, offset + length + AEAD_TAG_LENGTH, trailer);
  }

  open(packet: Bytes, trailer: number): boolean {
    const end = packet.length - RTCP_TRAILER;
    this.#setNonce(packet, 0, trailer % ENCRYPTED);
    if (trailer < ENCRYPTED) {
      const tagAt = end - AEAD_TAG_LENGTH;
      const whole = new Uint8Array(tagAt + RTCP_TRAILER);
      whole.set(packet.subarray(0, tagAt));
      writeU32(whole, tagAt, trailer);
      return this.#key.open(nonce, whole, packet, tagAt, AEAD_TAG_LENGTH) >= 0;
    }
    this.#setAdditionalData(packet, 0, trailer);
    return this.#key.open(nonce, this.#additionalData, packet, RTCP_HEADER, end - RTCP_HEADER) >= 0;
  }

  #setAdditionalData(buffer: Bytes, offset: number, trailer: number): void {
    for (let i = 0; i < RTCP_HEADER; i++) this.#additionalData[i] = buffer[offset + i]!;
    writeU32(this.#additionalData, RTCP_HEADER, trailer);
  }

  #setNonce(buffer: Bytes, offset: number, index: number): void {
    const salt = this.#salt;
    nonce.set(salt);
    for (let i = 0; i < 4; i++) nonce[2 + i]! ^= buffer[offset + 4 + i]!;
    writeU32(nonce, 8, (readU32(salt, 8) ^ index) >>> 0);
  }
}

/** Longest header of which there is an array ready: headers with all extensions that are common. */
const LONGEST_READY = 128;
/** Arrays of each length, for the packet at hand: a view of its own would cost it an object. */
const ready: Bytes[] = [];

/** The `length` bytes at `offset`, valid until the next call. */
function additionalData(buffer: Bytes, offset: number, length: number): Bytes {
  if (length > LONGEST_READY) return buffer.subarray(offset, offset + length);
  while (ready.length <= length) ready.push(NO_BYTES);
  let copy = ready[length]!;
  if (copy.length !== length) copy = ready[length] = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = buffer[offset + i]!;
  return copy;
}
