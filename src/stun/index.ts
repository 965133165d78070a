/**
 * STUN messages (RFC 8489): decode, verify, write. The entry point `sansrtc/stun`.
 *
 * @module
 */
export type { StunClass } from './registry.ts';
export { StunAttributeType, StunErrorCode, StunMethod, TRANSACTION_ID_LENGTH } from './registry.ts';
export type { StunAttribute, StunDecodeFailure, StunDecodeReason, StunMessage } from './message.ts';
export {
  STUN_DECODE_REASONS,
  attributeAddress,
  attributeText,
  attributeU32,
  attributeValue,
  attributeXorAddress,
  decodeStun,
  errorCodeOf,
  errorReasonOf,
  hasAttribute,
  isStun,
  transactionIdOf,
  unknownAttributes,
  valueOf,
  xorAddressOf,
} from './message.ts';
export { shortTermKey, verifyIntegrity, verifyIntegritySha256 } from './integrity.ts';
export type { LongTermCredentials, PasswordAlgorithm, SecurityFeatures } from './long-term.ts';
export {
  decodePasswordAlgorithms,
  encodePasswordAlgorithms,
  longTermKey,
  nonceCookie,
  securityFeatures,
  userhash,
} from './long-term.ts';
export { StunWriter } from './writer.ts';
export type { StunUsername } from './peek.ts';
export { splitUsername, isStunRequest, stunRequestUsername } from './peek.ts';
