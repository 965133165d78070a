/** A STUN message in one line: `STUN Binding success XOR-MAPPED-ADDRESS 192.0.2.1:5000`. */
import { formatAddress } from '../../core/address.ts';
import { isFailure } from '../../core/decode.ts';
import type { StunAttribute, StunMessage } from '../../stun/index.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  attributeText,
  attributeU32,
  attributeXorAddress,
  decodeStun,
  errorCodeOf,
} from '../../stun/index.ts';
import { quote } from './quote.ts';

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
