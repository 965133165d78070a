/**
 * The Data Channel Establishment Protocol (RFC 8832): two messages under PPID 50, always reliable and ordered, on the
 * stream they speak of. The opener sends OPEN, the other side answers ACK, a single byte.
 *
 * ```
 *  0                   1                   2                   3
 * +---------------+---------------+-------------------------------+
 * | type = 0x03   | channel type  | priority                      |
 * +---------------+---------------+-------------------------------+
 * | reliability parameter: retransmissions or milliseconds        |
 * +-------------------------------+-------------------------------+
 * | label length                  | protocol length               |
 * +-------------------------------+-------------------------------+
 * | label, then protocol: UTF-8, without padding                  |
 * ```
 */
import type { Bytes } from '../core/bytes.ts';
import { Reader, Writer } from '../core/bytes.ts';
import type { DecodeFailure } from '../core/decode.ts';
import { decodeFailure } from '../core/decode.ts';
import { decodeUtf8, encodeUtf8, isUtf8 } from '../core/text.ts';

/** RFC 8832 §5.1: what OPEN says about the channel. Both sides send with this reliability. */
export interface DcepOpen {
  readonly type: 'open';
  /** At most 65535 bytes of UTF-8; may be empty. */
  readonly label: string;
  /** The subprotocol, at most 65535 bytes of UTF-8; empty: unspecified. */
  readonly protocol: string;
  /** 0–65535; RFC 8831 §6.4 names 128, 256, 512 and 1024. */
  readonly priority: number;
  readonly ordered: boolean;
  /** Retransmissions before a message is given up. Excludes `maxPacketLifeTime`. */
  readonly maxRetransmits?: number | undefined;
  /** Milliseconds after which a message is given up. Excludes `maxRetransmits`. */
  readonly maxPacketLifeTime?: number | undefined;
}

/** DATA_CHANNEL_ACK (RFC 8832 §5.2). */
export interface DcepAck {
  readonly type: 'ack';
}

/** A DCEP message, decoded. */
export type DcepMessage = DcepOpen | DcepAck;

/** The longest label, and the longest protocol, that the length fields can say, in bytes. */
export const DCEP_MAX_TEXT = 0xffff;

const TYPE_ACK = 0x02;
const TYPE_OPEN = 0x03;

const RELIABLE = 0x00;
const PARTIAL_RETRANSMIT = 0x01;
const PARTIAL_LIFETIME = 0x02;
const UNORDERED = 0x80;

/** The longest label and protocol that a decoder takes, in bytes. */
export interface DcepLimits {
  readonly maxLabelLength: number;
  readonly maxProtocolLength: number;
}

const EMPTY = decodeFailure('dcep-empty');
const UNKNOWN_TYPE = decodeFailure('dcep-unknown-type');
const UNKNOWN_CHANNEL_TYPE = decodeFailure('dcep-unknown-channel-type');
const BAD_LENGTH = decodeFailure('dcep-bad-length');
const TEXT_TOO_LONG = decodeFailure('dcep-text-too-long');
const BAD_UTF8 = decodeFailure('dcep-bad-utf8');

const ACK: DcepAck = Object.freeze({ type: 'ack' });

/** The bytes of an OPEN. The caller has checked the limits of `DcepOpen`. */
export function encodeOpen(open: Omit<DcepOpen, 'type'>): Bytes {
  const label = encodeUtf8(open.label);
  const protocol = encodeUtf8(open.protocol);
  return new Writer(12 + label.length + protocol.length)
    .u8(TYPE_OPEN)
    .u8(kindOf(open) | (open.ordered ? 0 : UNORDERED))
    .u16(open.priority)
    .u32(open.maxRetransmits ?? open.maxPacketLifeTime ?? 0)
    .u16(label.length)
    .u16(protocol.length)
    .raw(label)
    .raw(protocol)
    .finish();
}

/** A DATA_CHANNEL_ACK: one byte. */
export function encodeAck(): Bytes {
  return Uint8Array.of(TYPE_ACK);
}

/** Reads one DCEP message. The result shares no memory with `data`. */
export function decodeDcep(data: Uint8Array, limits: DcepLimits): DcepMessage | DecodeFailure {
  if (data.length === 0) return EMPTY;
  if (isAck(data)) return ACK;
  if (data[0] === TYPE_OPEN) return decodeOpen(data, limits);
  return UNKNOWN_TYPE;
}

/** True if `data` is an ACK; it has no fields that could be wrong, so whatever follows its type is ignored. */
export function isAck(data: Uint8Array): boolean {
  return data[0] === TYPE_ACK;
}

function decodeOpen(data: Uint8Array, limits: DcepLimits): DcepOpen | DecodeFailure {
  const reader = new Reader(data, 1);
  const channelType = reader.u8();
  const priority = reader.u16();
  const parameter = reader.u32();
  const labelLength = reader.u16();
  const protocolLength = reader.u16();
  const label = reader.view(labelLength);
  const protocol = reader.view(protocolLength);
  if (reader.failed || reader.remaining > 0) return BAD_LENGTH;
  if (labelLength > limits.maxLabelLength || protocolLength > limits.maxProtocolLength) return TEXT_TOO_LONG;
  const kind = channelType & ~UNORDERED;
  // 0x7f and 0xff are reserved (RFC 8832 §8.2.2), the rest unassigned.
  if (kind > PARTIAL_LIFETIME) return UNKNOWN_CHANNEL_TYPE;
  if (!isUtf8(label) || !isUtf8(protocol)) return BAD_UTF8;
  return {
    type: 'open',
    label: decodeUtf8(label),
    protocol: decodeUtf8(protocol),
    priority,
    ordered: (channelType & UNORDERED) === 0,
    // RFC 8832 §5.1: on a reliable channel the parameter is ignored.
    maxRetransmits: kind === PARTIAL_RETRANSMIT ? parameter : undefined,
    maxPacketLifeTime: kind === PARTIAL_LIFETIME ? parameter : undefined,
  };
}

function kindOf(open: Omit<DcepOpen, 'type'>): number {
  if (open.maxRetransmits !== undefined) return PARTIAL_RETRANSMIT;
  return open.maxPacketLifeTime !== undefined ? PARTIAL_LIFETIME : RELIABLE;
}
