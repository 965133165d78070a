/**
 * Checks on the wire (RFC 8445 §7.1, §7.2.2): Binding requests and their answers.
 *
 *     request   USERNAME receiver:sender, ICE-CONTROLLING | ICE-CONTROLLED, [USE-CANDIDATE, [NOMINATION]], PRIORITY
 *                                                                                                        key: receiver's password
 *     success   XOR-MAPPED-ADDRESS                                                                       the same key
 *     error     ERROR-CODE, [UNKNOWN-ATTRIBUTES]                                                         the same key
 *
 * All end in MESSAGE-INTEGRITY and FINGERPRINT. Answers are never longer than what they answer.
 */
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { readU32 } from '../core/bytes.ts';
import type { HmacKey } from '../crypto/provider.ts';
import type { StunMessage } from '../stun/index.ts';
import {
  StunAttributeType as Type,
  StunErrorCode,
  StunMethod,
  StunWriter,
  attributeValue,
  hasAttribute,
  splitUsername,
  transactionIdOf,
  verifyIntegrity,
} from '../stun/index.ts';
import type { IceRole } from './role.ts';

/** Comprehension-required attributes an ICE agent understands. */
export const UNDERSTOOD: ReadonlySet<number> = /* @__PURE__ */ new Set<number>([
  Type.mappedAddress,
  Type.username,
  Type.messageIntegrity,
  Type.errorCode,
  Type.unknownAttributes,
  Type.realm,
  Type.nonce,
  Type.messageIntegritySha256,
  Type.xorMappedAddress,
  Type.priority,
  Type.useCandidate,
]);

/** What a check says. */
export interface CheckContent {
  readonly transactionId: Uint8Array;
  readonly receiver: string;
  readonly sender: string;
  readonly role: IceRole;
  readonly tieBreaker: Uint8Array;
  readonly priority: number;
  readonly nominate: boolean;
  /** Of the nomination, for a peer that has renomination; 0: none. */
  readonly nomination: number;
}

/** A Binding request (RFC 8445 §7.1). @param key of the receiver's password */
export function writeCheck(content: CheckContent, key: HmacKey): Bytes {
  const writer = new StunWriter('request', StunMethod.binding, content.transactionId)
    .text(Type.username, `${content.receiver}:${content.sender}`)
    .attribute(content.role === 'controlling' ? Type.iceControlling : Type.iceControlled, content.tieBreaker);
  if (content.nominate) writer.flag(Type.useCandidate);
  if (content.nominate && content.nomination > 0) writer.u32(Type.nomination, content.nomination);
  return writer.u32(Type.priority, content.priority).integrity(key).fingerprint().finish();
}

/** @param mapped where the request came from */
export function writeSuccess(request: StunMessage, mapped: TransportAddress, key: HmacKey): Bytes {
  return new StunWriter('success', StunMethod.binding, transactionIdOf(request))
    .xorAddress(Type.xorMappedAddress, mapped)
    .integrity(key)
    .fingerprint()
    .finish();
}

/** The answer 487 to a check that claims our own role (RFC 8445 §7.3.1.1). */
export function writeRoleConflict(request: StunMessage, key: HmacKey): Bytes {
  return new StunWriter('error', StunMethod.binding, transactionIdOf(request))
    .errorCode(StunErrorCode.roleConflict)
    .integrity(key)
    .fingerprint()
    .finish();
}

/** The answer 420 to a check with comprehension-required attributes that are `unknown` (RFC 8489 §6.3.1). */
export function writeUnknownAttributes(
  request: StunMessage,
  unknown: readonly number[],
  key: HmacKey,
): Bytes {
  return new StunWriter('error', StunMethod.binding, transactionIdOf(request))
    .errorCode(StunErrorCode.unknownAttribute)
    .unknownAttributes(unknown)
    .integrity(key)
    .fingerprint()
    .finish();
}

/** Whether the username of a request names us by this fragment. Nothing is verified. */
export function isAddressedTo(request: StunMessage, usernameFragment: string): boolean {
  const value = attributeValue(request, Type.username);
  return value !== undefined && splitUsername(value)?.receiver === usernameFragment;
}

/** Whether a request is for us and authentic. Whatever is not is dropped without a word. */
export type RequestVerdict =
  | { readonly accepted: true; readonly sender: string }
  | { readonly accepted: false; readonly reason: 'bad-username' | 'bad-integrity' | 'foreign-username' };

/**
 * @param local our fragment and the key of our password, which authenticates requests: no need to know the peer for that
 * @param remoteFragment the peer's fragment, once its description has come; requests of another session are not answered,
 *   since we would not take the data that follows them
 */
export function judgeRequest(
  message: StunMessage,
  local: { readonly usernameFragment: string; readonly key: HmacKey },
  remoteFragment: string | undefined,
): RequestVerdict {
  const value = attributeValue(message, Type.username);
  const username = value === undefined ? undefined : splitUsername(value);
  if (username === undefined || username.receiver !== local.usernameFragment) {
    return { accepted: false, reason: 'bad-username' };
  }
  if (!verifyIntegrity(message, local.key)) return { accepted: false, reason: 'bad-integrity' };
  if (remoteFragment !== undefined && username.sender !== remoteFragment) {
    return { accepted: false, reason: 'foreign-username' };
  }
  return { accepted: true, sender: username.sender };
}

/** The role a request claims, with its tie-breaker; `undefined` when it says nothing about roles. */
export function claimedRole(
  message: StunMessage,
): { readonly role: IceRole; readonly tieBreaker: Uint8Array } | undefined {
  const controlling = attributeValue(message, Type.iceControlling);
  if (controlling !== undefined) return { role: 'controlling', tieBreaker: controlling };
  const controlled = attributeValue(message, Type.iceControlled);
  return controlled === undefined ? undefined : { role: 'controlled', tieBreaker: controlled };
}

/**
 * Whether a request nominates its pair: `undefined` if not; otherwise the value, 0 for USE-CANDIDATE alone. A NOMINATION nominates
 * by itself (libwebrtc sends it so); one of no value is none.
 * @param renomination false: values mean nothing to us
 */
export function claimedNomination(message: StunMessage, renomination: boolean): number | undefined {
  const value = renomination ? attributeValue(message, Type.nomination) : undefined;
  const nomination = value?.length === 4 ? readU32(value, 0) : 0;
  return nomination > 0 || hasAttribute(message, Type.useCandidate) ? nomination : undefined;
}
