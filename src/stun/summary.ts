/** Summary: a STUN message as a trace shows it, in one line, and without the addresses that it tells. */
import { formatAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, readU16 } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { quote } from '../core/text.ts';
import { decodeXorAddress, encodeXorAddress, isAddressValue } from './address.ts';
import type { StunAttribute, StunMessage } from './message.ts';
import { attributeText, attributeU32, attributeXorAddress, decodeStun, errorCodeOf } from './message.ts';
import { StunMethod, StunAttributeType as Type } from './registry.ts';

/** `STUN Binding success XOR-MAPPED-ADDRESS 192.0.2.1:5000`. Never throws, whatever the bytes are. */
export function stunSummary(data: Uint8Array): string {
  const message = decodeStun(data);
  if (isFailure(message)) return `STUN, ${data.length} bytes, malformed: ${message.reason}`;
  const method = METHODS.get(message.method) ?? `method 0x${message.method.toString(16)}`;
  const attributes = message.attributes.map((attribute) => describe(message, attribute));
  return ['STUN', method, message.class, ...attributes].join(' ');
}

function describe(message: StunMessage, { type }: StunAttribute): string {
  const name = ATTRIBUTES.get(type) ?? `0x${type.toString(16).padStart(4, '0')}`;
  const value = valueOf(message, type);
  return value === undefined ? name : `${name} ${value}`;
}

/** The first attribute of a type counts, so that is the one shown (RFC 8489 §14). */
function valueOf(message: StunMessage, type: number): string | undefined {
  switch (type) {
    case Type.username:
      return quote(attributeText(message, type) ?? '');
    case Type.priority:
      return String(attributeU32(message, type));
    case Type.errorCode:
      return String(errorCodeOf(message));
    case Type.xorMappedAddress:
    case Type.xorPeerAddress:
    case Type.xorRelayedAddress: {
      const address = attributeXorAddress(message, type);
      return address === undefined ? undefined : formatAddress(address);
    }
    default:
      return undefined;
  }
}

/** Registry names from ours: `xorMappedAddress` is XOR-MAPPED-ADDRESS, `channelBind` is ChannelBind. */
const ATTRIBUTES: ReadonlyMap<number, string> = /* @__PURE__ */ names(Type, (name) =>
  name.replaceAll(/[A-Z]/g, '-$&').toUpperCase(),
);
const METHODS: ReadonlyMap<number, string> = /* @__PURE__ */ names(
  StunMethod,
  (name) => name.charAt(0).toUpperCase() + name.slice(1),
);

function names(
  registry: Readonly<Record<string, number>>,
  rename: (name: string) => string,
): Map<number, string> {
  return new Map(Object.entries(registry).map(([name, number]) => [number, rename(name)]));
}

// --- addresses ---

/** Type, length and transaction id come before the attributes (RFC 8489 §5), and type and length before each value. */
const MESSAGE_HEADER = 20;
const TRANSACTION_ID_AT = 8;
const ATTRIBUTE_HEADER = 4;

const ADDRESS_ATTRIBUTES: ReadonlySet<number> = /* @__PURE__ */ new Set<number>([
  Type.mappedAddress,
  Type.alternateServer,
  Type.xorMappedAddress,
  Type.xorPeerAddress,
  Type.xorRelayedAddress,
]);

/**
 * A copy of a STUN message in which `replacementOf` has replaced every address, IPs in text; what cannot be replaced is
 * zeroed. MESSAGE-INTEGRITY and FINGERPRINT do not fit any more.
 */
export function replaceStunAddresses(message: Uint8Array, replacementOf: (ip: string) => string): Bytes {
  const copy = copyBytes(message);
  const transactionId = copy.subarray(TRANSACTION_ID_AT, MESSAGE_HEADER);
  for (let at = MESSAGE_HEADER; at + ATTRIBUTE_HEADER <= copy.length;) {
    const length = readU16(copy, at + 2);
    const value = copy.subarray(at + ATTRIBUTE_HEADER, at + ATTRIBUTE_HEADER + length);
    if (ADDRESS_ATTRIBUTES.has(readU16(copy, at))) replaceAddress(value, transactionId, replacementOf);
    at += ATTRIBUTE_HEADER + length + (-length & 3);
  }
  return copy;
}

function replaceAddress(
  value: Uint8Array,
  transactionId: Uint8Array,
  replacementOf: (ip: string) => string,
): void {
  if (isAddressValue(value, 0, value.length)) {
    const { address, port } = decodeXorAddress(value, transactionId);
    const shown = encodeXorAddress({ address: replacementOf(address), port }, transactionId);
    if (shown.length === value.length) {
      value.set(shown);
      return;
    }
  }
  value.fill(0);
}
