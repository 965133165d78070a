/** Numbers of RFC 9260 and its extensions: chunk types, flags, parameter types, error causes, fixed sizes. */

/** Chunk types (RFC 9260 §3.2, RFC 3758 §3.2, RFC 6525 §3.1, RFC 4820 §3, RFC 8260 §2). */
export const CHUNK = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  ecne: 12,
  cwr: 13,
  shutdownComplete: 14,
  iData: 64,
  reconfig: 130,
  pad: 132,
  forwardTsn: 192,
  iForwardTsn: 194,
} as const;

/** The E bit of a DATA chunk (RFC 9260 §3.3.1): the last fragment of a message. */
export const FLAG_END = 1;
/** The B bit of a DATA chunk: the first fragment of a message. */
export const FLAG_BEGIN = 2;
/** The U bit of a DATA chunk: the message is delivered as soon as it is whole. */
export const FLAG_UNORDERED = 4;
/** The I bit of a DATA chunk: its SACK is not to be delayed (RFC 7053). */
export const FLAG_IMMEDIATE = 8;

/** The T bit of ABORT and SHUTDOWN COMPLETE: the verification tag is reflected (RFC 9260 §8.5.1). */
export const FLAG_REFLECTED = 1;

/** Parameter types (RFC 9260 §3.3.2, §3.3.3, §3.3.5; RFC 6525 §4; RFC 5061 §4.2.7; RFC 3758 §3.1). */
export const PARAMETER = {
  heartbeatInfo: 1,
  stateCookie: 7,
  unrecognized: 8,
  outgoingReset: 13,
  incomingReset: 14,
  ssnTsnReset: 15,
  reconfigResponse: 16,
  addOutgoingStreams: 17,
  addIncomingStreams: 18,
  zeroChecksumAcceptable: 0x8001,
  supportedExtensions: 0x8008,
  forwardTsnSupported: 0xc000,
} as const;

/** Error causes (RFC 9260 §3.3.10). */
export const CAUSE = {
  invalidStream: 1,
  missingParameter: 2,
  staleCookie: 3,
  outOfResource: 4,
  unrecognizedChunk: 6,
  invalidParameter: 7,
  unrecognizedParameters: 8,
  noUserData: 9,
  cookieInShutdown: 10,
  userInitiatedAbort: 12,
  protocolViolation: 13,
} as const;

/** Results of a re-configuration response (RFC 6525 §4.4). */
export const RESET_RESULT = {
  nothingToDo: 0,
  performed: 1,
  denied: 2,
  wrongStream: 3,
  alreadyInProgress: 4,
  badSequenceNumber: 5,
  inProgress: 6,
} as const;

/** Bytes of a packet's own header: ports, verification tag and checksum. */
export const COMMON_HEADER_SIZE = 12;
/** Bytes of a chunk header: type, flags and length. */
export const CHUNK_HEADER_SIZE = 4;
/** Chunk header, TSN, stream, SSN and PPID. */
export const DATA_HEADER_SIZE = 16;
/** Chunk header, TSN, stream, reserved, MID, and PPID or FSN (RFC 8260 §2.1). */
export const I_DATA_HEADER_SIZE = 20;

/** Chunks end on a multiple of four bytes (RFC 9260 §3.2). */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

/**
 * What a message that was accepted for sending costs at the least in bytes of its buffer: one byte of it is some four hundred
 * bytes of memory.
 */
export const MIN_CHARGE = 512;

/** What a message of `length` bytes counts in the send buffer. */
export function charge(length: number): number {
  return length < MIN_CHARGE ? MIN_CHARGE : length;
}
