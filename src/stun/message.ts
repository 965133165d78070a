/**
 * Decoding a STUN message (RFC 8489 §5, §14).
 *
 *     0                   1                   2                   3
 *     0 0 +  message type (14) + message length (16, without the header, a multiple of 4)
 *     magic cookie 0x2112A442
 *     transaction id (96 bits)
 *     attributes: type (16) + length (16, without padding) + value + padding to 4 bytes
 *
 * One pass: header, then each attribute, with everything checked that can be checked without a key. What comes out cannot
 * be malformed, and shows only what MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 covers: what an attacker appends behind it is not visible at all
 * (RFC 8489 §14.5). Attributes are read by `attributeValue` and its kin; the first occurrence wins (§14).
 */
import type { TransportAddress } from '../core/address.ts';
import { NO_BYTES, readU16, readU32 } from '../core/bytes.ts';
import type { DecodeFailure } from '../core/decode.ts';
import { decodeFailure } from '../core/decode.ts';
import { decodeUtf8 } from '../core/text.ts';
import { decodeAddress, decodeXorAddress, isAddressValue } from './address.ts';
import { fingerprint } from './crc32.ts';
import {
  HEADER_LENGTH,
  MAGIC_COOKIE,
  MAX_ATTRIBUTES,
  MAX_QUOTED_LENGTH,
  MAX_USERNAME_LENGTH,
  StunAttributeType as Type,
  classOf,
  methodOf,
} from './registry.ts';
import type { StunClass } from './registry.ts';

/** Where one attribute's value lies in its message. */
export interface StunAttribute {
  readonly type: number;
  readonly offset: number;
  readonly length: number;
}

/** A decoded message: a view of the datagram it came in, good for as long as that is not changed. */
export interface StunMessage {
  readonly bytes: Uint8Array;
  readonly class: StunClass;
  readonly method: number;
  /** In wire order, without FINGERPRINT, either MESSAGE-INTEGRITY and anything behind the first of these. */
  readonly attributes: readonly StunAttribute[];
  /** Where the MESSAGE-INTEGRITY attribute starts, -1 if there is none. Verify it with `verifyIntegrity`. */
  readonly integrityOffset: number;
  /** The same of MESSAGE-INTEGRITY-SHA256, for `verifyIntegritySha256`; it may follow MESSAGE-INTEGRITY. */
  readonly integritySha256Offset: number;
  /** A FINGERPRINT was present; it has been verified. */
  readonly hasFingerprint: boolean;
}

/** Why a datagram is no acceptable STUN message. */
export const STUN_DECODE_REASONS = [
  'not-stun',
  'stun-bad-length',
  'stun-attribute-overrun',
  'stun-bad-attribute',
  'stun-too-many-attributes',
  'stun-after-fingerprint',
  'stun-bad-fingerprint',
] as const;

/** Why bytes are no STUN message: the name of a counter. */
export type StunDecodeReason = (typeof STUN_DECODE_REASONS)[number];

/** What `decodeStun` answers instead of a message. */
export interface StunDecodeFailure extends DecodeFailure {
  readonly reason: StunDecodeReason;
}

const NOT_STUN = failure('not-stun');
const BAD_LENGTH = failure('stun-bad-length');
const ATTRIBUTE_OVERRUN = failure('stun-attribute-overrun');
const BAD_ATTRIBUTE = failure('stun-bad-attribute');
const TOO_MANY_ATTRIBUTES = failure('stun-too-many-attributes');
const AFTER_FINGERPRINT = failure('stun-after-fingerprint');
const BAD_FINGERPRINT = failure('stun-bad-fingerprint');

function failure(reason: StunDecodeReason): StunDecodeFailure {
  return decodeFailure(reason) as StunDecodeFailure;
}

/** True if the datagram belongs to STUN on a shared port: first byte 0–3 (RFC 7983 §7), magic cookie, room for a header. */
export function isStun(data: Uint8Array): boolean {
  return data.length >= HEADER_LENGTH && data[0]! < 4 && readU32(data, 4) === MAGIC_COOKIE;
}

/** Decodes one datagram. FINGERPRINT is verified here if there is one, MESSAGE-INTEGRITY by whoever has the key. */
export function decodeStun(data: Uint8Array): StunMessage | StunDecodeFailure {
  const end = data.length;
  if (end < HEADER_LENGTH || data[0]! > 0x3f || readU32(data, 4) !== MAGIC_COOKIE) return NOT_STUN;
  if (end % 4 !== 0 || HEADER_LENGTH + readU16(data, 2) !== end) return BAD_LENGTH;

  const attributes: StunAttribute[] = [];
  let count = 0;
  let integrityOffset = -1;
  let integritySha256Offset = -1;
  let covered = true;
  let hasFingerprint = false;
  for (let at = HEADER_LENGTH; at < end;) {
    if (hasFingerprint) return AFTER_FINGERPRINT;
    if (++count > MAX_ATTRIBUTES) return TOO_MANY_ATTRIBUTES;
    const type = readU16(data, at);
    const length = readU16(data, at + 2);
    const offset = at + 4;
    if (offset + length > end) return ATTRIBUTE_OVERRUN;
    if (!isWellFormed(data, type, offset, length)) return BAD_ATTRIBUTE;
    switch (type) {
      case Type.fingerprint:
        if (readU32(data, offset) !== fingerprint(data, at)) return BAD_FINGERPRINT;
        hasFingerprint = true;
        break;
      case Type.messageIntegrity:
        if (covered) integrityOffset = at;
        covered = false;
        break;
      case Type.messageIntegritySha256:
        if (integritySha256Offset < 0) integritySha256Offset = at;
        covered = false;
        break;
      default:
        if (covered) attributes.push({ type, offset, length });
    }
    at = offset + length + (-length & 3);
  }
  const messageType = readU16(data, 0);
  return {
    bytes: data,
    class: classOf(messageType),
    method: methodOf(messageType),
    attributes,
    integrityOffset,
    integritySha256Offset,
    hasFingerprint,
  };
}

/** The value's length and shape, for every attribute whose definition fixes them. */
function isWellFormed(data: Uint8Array, type: number, offset: number, length: number): boolean {
  switch (type) {
    case Type.useCandidate:
      return length === 0;
    case Type.priority:
    case Type.fingerprint:
    case Type.channelNumber:
    case Type.lifetime:
    case Type.requestedTransport:
    case Type.requestedAddressFamily:
      return length === 4;
    case Type.iceControlled:
    case Type.iceControlling:
      return length === 8;
    case Type.userhash:
      return length === 32;
    case Type.messageIntegrity:
      return length === 20;
    case Type.messageIntegritySha256:
      return length >= 16 && length <= 32 && length % 4 === 0;
    case Type.username:
      return length <= MAX_USERNAME_LENGTH;
    case Type.realm:
    case Type.nonce:
      return length <= MAX_QUOTED_LENGTH;
    case Type.unknownAttributes:
      return length % 2 === 0;
    case Type.errorCode:
      return isErrorCodeValue(data, offset, length);
    case Type.mappedAddress:
    case Type.alternateServer:
    case Type.xorMappedAddress:
    case Type.xorPeerAddress:
    case Type.xorRelayedAddress:
      return isAddressValue(data, offset, length);
    default:
      return true;
  }
}

/** RFC 8489 §14.8: 21 reserved bits, which the receiver ignores, the class 3–6 and the number 0–99. */
function isErrorCodeValue(data: Uint8Array, offset: number, length: number): boolean {
  if (length < 4) return false;
  const hundreds = data[offset + 2]! & 7;
  return hundreds >= 3 && hundreds <= 6 && data[offset + 3]! <= 99;
}

/** A view of the 12 bytes that tie a response to its request. */
export function transactionIdOf(message: StunMessage): Uint8Array {
  return message.bytes.subarray(8, HEADER_LENGTH);
}

/** True if an attribute of `type` is there, whatever its value. */
export function hasAttribute(message: StunMessage, type: number): boolean {
  return message.attributes.some((attribute) => attribute.type === type);
}

/** A view of the value of the first attribute of `type`. */
export function attributeValue(message: StunMessage, type: number): Uint8Array | undefined {
  for (const attribute of message.attributes) {
    if (attribute.type === type) return valueOf(message, attribute);
  }
  return undefined;
}

/** A view of one attribute's value: for attributes that may repeat (XOR-PEER-ADDRESS). */
export function valueOf(message: StunMessage, attribute: StunAttribute): Uint8Array {
  return message.bytes.subarray(attribute.offset, attribute.offset + attribute.length);
}

/** The first attribute of `type` as a 32-bit number; `undefined` if there is none, or it has another length. */
export function attributeU32(message: StunMessage, type: number): number | undefined {
  const value = attributeValue(message, type);
  return value?.length === 4 ? readU32(value, 0) : undefined;
}

/** The first attribute of `type` as UTF-8; `undefined` if there is none. */
export function attributeText(message: StunMessage, type: number): string | undefined {
  const value = attributeValue(message, type);
  return value === undefined ? undefined : decodeUtf8(value);
}

/** An XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS or XOR-RELAYED-ADDRESS, its address in canonical text. */
export function attributeXorAddress(message: StunMessage, type: number): TransportAddress | undefined {
  const value = attributeValue(message, type);
  return value === undefined ? undefined : decodeXorAddress(value, transactionIdOf(message));
}

/** The address of one attribute that is hidden so, for attributes that may repeat (XOR-RELAYED-ADDRESS, XOR-PEER-ADDRESS). */
export function xorAddressOf(message: StunMessage, attribute: StunAttribute): TransportAddress {
  return decodeXorAddress(valueOf(message, attribute), transactionIdOf(message));
}

/** MAPPED-ADDRESS or ALTERNATE-SERVER, its address in canonical text. */
export function attributeAddress(message: StunMessage, type: number): TransportAddress | undefined {
  const value = attributeValue(message, type);
  return value === undefined ? undefined : decodeAddress(value);
}

/** ERROR-CODE, 300–699; its reason phrase is for people and read by `errorReasonOf`. */
export function errorCodeOf(message: StunMessage): number | undefined {
  const value = attributeValue(message, Type.errorCode);
  return value === undefined ? undefined : (value[2]! & 7) * 100 + value[3]!;
}

/** The reason phrase of ERROR-CODE: the peer's words, to be shown and not acted upon. Empty if there is none. */
export function errorReasonOf(message: StunMessage): string {
  return decodeUtf8(attributeValue(message, Type.errorCode)?.subarray(4) ?? NO_BYTES);
}

/**
 * Comprehension-required attributes that are not among the `understood` ones: a request with any is answered 420, a
 * response or indication with any is discarded (RFC 8489 §6.3).
 */
export function unknownAttributes(message: StunMessage, understood: ReadonlySet<number>): number[] {
  const unknown: number[] = [];
  for (const { type } of message.attributes) {
    if (type < 0x8000 && !understood.has(type) && !unknown.includes(type)) unknown.push(type);
  }
  return unknown;
}
