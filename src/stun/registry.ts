/**
 * Numbers of the STUN registry that this library uses: RFC 8489 §18 (STUN), RFC 8445 §16 (ICE), RFC 8656 §18 (TURN).
 */

/** The class of a message (RFC 8489 §5). */
export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** The fixed value in bytes 4–7 that tells STUN from everything else on the port (RFC 8489 §5). */
export const MAGIC_COOKIE = 0x2112_a442;

/** Bytes before the first attribute. */
export const HEADER_LENGTH = 20;
/** Bytes. */
export const TRANSACTION_ID_LENGTH = 12;

/** USERNAME of an ICE check is two fragments of up to 256 characters and a colon (RFC 8839 §5.4). */
export const MAX_USERNAME_LENGTH = 513;

/** NONCE and REALM are of less than 128 characters (RFC 8489 §14.9, §14.10): bytes of RFC 5389's reckoning, which is the larger. */
export const MAX_QUOTED_LENGTH = 763;

/** More attributes than any real message has; a datagram of thousands of empty ones is refused. */
export const MAX_ATTRIBUTES = 64;

/** Methods: those of TURN are there to be told apart. */
export const StunMethod = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const;

/** Attribute types. Below 0x8000 the receiver must understand the attribute or refuse the message (RFC 8489 §14). */
export const StunAttributeType = {
  mappedAddress: 0x0001,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  evenPort: 0x0018,
  requestedTransport: 0x0019,
  dontFragment: 0x001a,
  messageIntegritySha256: 0x001c,
  passwordAlgorithm: 0x001d,
  userhash: 0x001e,
  xorMappedAddress: 0x0020,
  reservationToken: 0x0022,
  priority: 0x0024,
  useCandidate: 0x0025,
  additionalAddressFamily: 0x8000,
  addressErrorCode: 0x8001,
  passwordAlgorithms: 0x8002,
  alternateDomain: 0x8003,
  icmp: 0x8004,
  software: 0x8022,
  alternateServer: 0x8023,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
  nomination: 0xc001,
} as const;

/** Error codes of ERROR-CODE that are sent or acted upon. */
export const StunErrorCode = {
  tryAlternate: 300,
  badRequest: 400,
  unauthenticated: 401,
  forbidden: 403,
  unknownAttribute: 420,
  allocationMismatch: 437,
  staleNonce: 438,
  addressFamilyNotSupported: 440,
  wrongCredentials: 441,
  unsupportedTransport: 442,
  peerAddressFamilyMismatch: 443,
  allocationQuotaReached: 486,
  roleConflict: 487,
  serverError: 500,
  insufficientCapacity: 508,
} as const;

const CLASSES: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

/** The 14-bit message type: the method's bits with the two class bits woven in (RFC 8489 §5, figure 3). */
export function messageType(method: number, stunClass: StunClass): number {
  const bits = CLASSES.indexOf(stunClass);
  return (
    (method & 0x00f) |
    ((method & 0x070) << 1) |
    ((method & 0xf80) << 2) |
    ((bits & 1) << 4) |
    ((bits & 2) << 7)
  );
}

/** The method of a 14-bit message type. */
export function methodOf(type: number): number {
  return (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2);
}

/** The class of a 14-bit message type. */
export function classOf(type: number): StunClass {
  return CLASSES[((type >> 4) & 1) | ((type >> 7) & 2)]!;
}
