/** Messages of a TURN client: what its requests and indications say, and what responses to Allocate tell (RFC 8656 §6–§12). */
import { addressFamily } from '../core/address.ts';
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { StunMessage } from '../stun/index.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeAddress,
  attributeText,
  attributeU32,
  attributeXorAddress,
  xorAddressOf,
} from '../stun/index.ts';
import type { AddressFamily } from './contract.ts';

/** What a request asks for. */
export type Ask =
  | {
      readonly type: 'allocate';
      /** Milliseconds; `undefined`: what the server likes. */
      readonly lifetime: number | undefined;
      /** `4`: that of IPv4, `6`: of IPv6, `both`: one of each. */
      readonly families: AddressFamily | 'both';
    }
  /** `lifetime` 0: the allocation is not needed any more. */
  | { readonly type: 'refresh'; readonly lifetime: number }
  /** All ports of an IP address. */
  | { readonly type: 'permission'; readonly address: string }
  | { readonly type: 'channel'; readonly number: number; readonly peer: TransportAddress };

/** The method by which each is asked for. */
export const METHODS: Readonly<Record<Ask['type'], number>> = {
  allocate: StunMethod.allocate,
  refresh: StunMethod.refresh,
  permission: StunMethod.createPermission,
  channel: StunMethod.channelBind,
};

/** REQUESTED-TRANSPORT: UDP, an IANA protocol number in the first byte. */
const UDP = 17 << 24;
/** REQUESTED-ADDRESS-FAMILY and its kin: IPv6, in the first byte. */
const IPV6 = 2 << 24;

/** A port for CreatePermission, which does not look at it (§9.1). */
const ANY_PORT = 0;

/** Attributes below 0x8000 that a client understands in responses and in Data indications. */
export const UNDERSTOOD: ReadonlySet<number> = new Set<number>([
  Type.mappedAddress,
  Type.username,
  Type.errorCode,
  Type.unknownAttributes,
  Type.channelNumber,
  Type.lifetime,
  Type.xorPeerAddress,
  Type.data,
  Type.realm,
  Type.nonce,
  Type.xorRelayedAddress,
  Type.requestedAddressFamily,
  Type.requestedTransport,
  Type.passwordAlgorithm,
  Type.userhash,
  Type.xorMappedAddress,
  Type.reservationToken,
]);

/** Begins a request; its signature follows. */
export function writeAsk(ask: Ask, transactionId: Uint8Array): StunWriter {
  const writer = new StunWriter('request', METHODS[ask.type], transactionId);
  switch (ask.type) {
    case 'allocate':
      writer.u32(Type.requestedTransport, UDP);
      if (ask.lifetime !== undefined) writer.u32(Type.lifetime, seconds(ask.lifetime));
      if (ask.families === 6) writer.u32(Type.requestedAddressFamily, IPV6);
      if (ask.families === 'both') writer.u32(Type.additionalAddressFamily, IPV6);
      return writer;
    case 'refresh':
      return writer.u32(Type.lifetime, seconds(ask.lifetime));
    case 'permission':
      return writer.xorAddress(Type.xorPeerAddress, { address: ask.address, port: ANY_PORT });
    case 'channel':
      return writer.u32(Type.channelNumber, ask.number * 0x1_0000).xorAddress(Type.xorPeerAddress, ask.peer);
  }
}

/** A Send indication (§11.1). */
export function encodeSend(peer: TransportAddress, data: Uint8Array, transactionId: Uint8Array): Bytes {
  return new StunWriter('indication', StunMethod.send, transactionId)
    .xorAddress(Type.xorPeerAddress, peer)
    .attribute(Type.data, data)
    .finish();
}

/** A Binding indication, which nobody answers: it keeps a NAT's mapping (RFC 8445 §11). */
export function encodeKeepAlive(transactionId: Uint8Array): Bytes {
  return new StunWriter('indication', StunMethod.binding, transactionId).finish();
}

/** What a success of Allocate says. */
export interface AllocationAnswer {
  /** In the server's order, one of each family at the most. */
  readonly relayed: readonly TransportAddress[];
  readonly mapped: TransportAddress;
  /** Milliseconds. */
  readonly lifetime: number;
}

/** Reads a success of Allocate; `undefined` when one of its parts is missing, or an address is of no use. */
export function readAllocation(message: StunMessage): AllocationAnswer | undefined {
  const mapped = attributeXorAddress(message, Type.xorMappedAddress);
  const lifetime = lifetimeOf(message);
  const relayed: TransportAddress[] = [];
  for (const attribute of message.attributes) {
    if (attribute.type !== Type.xorRelayedAddress) continue;
    const address = xorAddressOf(message, attribute);
    const family = addressFamily(address.address);
    if (address.port > 0 && !relayed.some((other) => addressFamily(other.address) === family))
      relayed.push(address);
  }
  if (mapped === undefined || lifetime === undefined || relayed.length === 0) return undefined;
  return { relayed, mapped, lifetime };
}

/** LIFETIME, milliseconds. */
export function lifetimeOf(message: StunMessage): number | undefined {
  const value = attributeU32(message, Type.lifetime);
  return value === undefined ? undefined : value * 1000;
}

/** Where a 300 sends us (RFC 8489 §10): the address, and the name of whom to expect there. */
export function readRedirect(
  message: StunMessage,
): { readonly server: TransportAddress; readonly domain: string | undefined } | undefined {
  const server = attributeAddress(message, Type.alternateServer);
  if (server === undefined || server.port === 0) return undefined;
  return { server, domain: attributeText(message, Type.alternateDomain) };
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
