/**
 * Writing a STUN message: header, attributes in the order of the calls, then `integrity`, then `fingerprint`.
 *
 * No SOFTWARE and no reason phrases unless the caller adds them: responses should not grow beyond their requests.
 */
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { Writer, concatBytes } from '../core/bytes.ts';
import { encodeUtf8 } from '../core/text.ts';
import type { HmacKey } from '../crypto/provider.ts';
import { encodeAddress, encodeXorAddress } from './address.ts';
import { fingerprint } from './crc32.ts';
import { INTEGRITY_LENGTH, INTEGRITY_SHA256_LENGTH } from './integrity.ts';
import {
  HEADER_LENGTH,
  MAGIC_COOKIE,
  StunAttributeType as Type,
  TRANSACTION_ID_LENGTH,
  messageType,
} from './registry.ts';
import type { StunClass } from './registry.ts';

/**
 * One message under construction.
 *
 *   new StunWriter('request', StunMethod.binding, transactionId).text(…).integrity(key).fingerprint().finish()
 */
export class StunWriter {
  readonly #writer = new Writer(128);

  /** @param transactionId 12 bytes: fresh and unpredictable for a request, the request's for a response. */
  constructor(stunClass: StunClass, method: number, transactionId: Uint8Array) {
    this.#writer
      .u16(messageType(method, stunClass))
      .u16(0)
      .u32(MAGIC_COOKIE)
      .raw(transactionId.subarray(0, TRANSACTION_ID_LENGTH));
  }

  attribute(type: number, value: Uint8Array): this {
    this.#writer.u16(type).u16(value.length).raw(value).pad(4);
    return this;
  }

  flag(type: number): this {
    this.#writer.u16(type).u16(0);
    return this;
  }

  u32(type: number, value: number): this {
    this.#writer.u16(type).u16(4).u32(value);
    return this;
  }

  text(type: number, text: string): this {
    return this.attribute(type, encodeUtf8(text));
  }

  /** XOR-MAPPED-ADDRESS and its TURN kin. Throws `ERR_BAD_ARGUMENT` when the address is no IP address. */
  xorAddress(type: number, address: TransportAddress): this {
    const transactionId = this.#writer.view().subarray(8, HEADER_LENGTH);
    return this.attribute(type, encodeXorAddress(address, transactionId));
  }

  /** ALTERNATE-SERVER and MAPPED-ADDRESS. Throws `ERR_BAD_ARGUMENT` when the address is no IP address. */
  address(type: number, address: TransportAddress): this {
    return this.attribute(type, encodeAddress(address));
  }

  /** ERROR-CODE. @param code 300–699 */
  errorCode(code: number, reason = ''): this {
    const value = new Uint8Array([0, 0, Math.floor(code / 100), code % 100]);
    return this.attribute(Type.errorCode, concatBytes(value, encodeUtf8(reason)));
  }

  unknownAttributes(types: readonly number[]): this {
    this.#writer.u16(Type.unknownAttributes).u16(types.length * 2);
    for (const type of types) this.#writer.u16(type);
    this.#writer.pad(4);
    return this;
  }

  /** MESSAGE-INTEGRITY over everything so far; only `integritySha256` and FINGERPRINT may follow. @param key an HMAC-SHA1 */
  integrity(key: HmacKey): this {
    this.#setLength(4 + INTEGRITY_LENGTH);
    return this.attribute(Type.messageIntegrity, key.mac(this.#writer.view()));
  }

  /** MESSAGE-INTEGRITY-SHA256 over everything so far; only FINGERPRINT may follow. @param key an HMAC-SHA256 */
  integritySha256(key: HmacKey, length: number = INTEGRITY_SHA256_LENGTH): this {
    this.#setLength(4 + length);
    return this.attribute(Type.messageIntegritySha256, key.mac(this.#writer.view()).subarray(0, length));
  }

  /** FINGERPRINT, the last attribute. */
  fingerprint(): this {
    this.#setLength(8);
    return this.u32(Type.fingerprint, fingerprint(this.#writer.view(), this.#writer.length));
  }

  finish(): Bytes {
    this.#setLength(0);
    return this.#writer.finish();
  }

  /** The length field as it will be once `more` bytes have followed: both checksums cover it. */
  #setLength(more: number): void {
    this.#writer.patchU16(2, this.#writer.length - HEADER_LENGTH + more);
  }
}
