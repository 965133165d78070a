/**
 * A look at a datagram for routing, before anything is decoded or believed: which ICE agent is a Binding request for?
 * Nothing is verified here. Bind an address to an agent only once the agent has verified MESSAGE-INTEGRITY.
 */
import { readU16 } from '../core/bytes.ts';
import { decodeUtf8 } from '../core/text.ts';
import { isStun } from './message.ts';
import {
  HEADER_LENGTH,
  MAX_ATTRIBUTES,
  MAX_USERNAME_LENGTH,
  StunAttributeType,
  StunMethod,
  messageType,
} from './registry.ts';

/** The two username fragments of an ICE check, as its sender wrote them (RFC 8445 §7.2.2). */
export interface StunUsername {
  /** Who the check is for: the receiving agent's own fragment. */
  readonly receiver: string;
  readonly sender: string;
}

const BINDING_REQUEST = messageType(StunMethod.binding, 'request');
const COLON = 0x3a;

/** True for a Binding request, by its type alone: cheap enough to ask of every datagram. */
export function isStunRequest(data: Uint8Array): boolean {
  return isStun(data) && readU16(data, 0) === BINDING_REQUEST;
}

/** The username of a Binding request; `undefined` for any other datagram and for a malformed username. */
export function stunRequestUsername(data: Uint8Array): StunUsername | undefined {
  if (!isStunRequest(data)) return undefined;
  let at = HEADER_LENGTH;
  for (let count = 0; count < MAX_ATTRIBUTES && at + 4 <= data.length; count++) {
    const type = readU16(data, at);
    const length = readU16(data, at + 2);
    const end = at + 4 + length;
    if (end > data.length || type === StunAttributeType.messageIntegrity) return undefined;
    if (type === StunAttributeType.username) return splitUsername(data.subarray(at + 4, end));
    at = end + (-length & 3);
  }
  return undefined;
}

/** Splits at the one colon: ice-chars contain none (RFC 8839 §5.4), so a second one is an error. */
export function splitUsername(value: Uint8Array): StunUsername | undefined {
  const colon = value.indexOf(COLON);
  if (colon < 0 || value.length > MAX_USERNAME_LENGTH || value.indexOf(COLON, colon + 1) >= 0)
    return undefined;
  return { receiver: decodeUtf8(value.subarray(0, colon)), sender: decodeUtf8(value.subarray(colon + 1)) };
}
