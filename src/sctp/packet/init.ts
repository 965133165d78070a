/**
 * INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3): tag(4) a_rwnd(4) outbound(2) inbound(2) initial TSN(4) parameters.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes, readU16, readU32, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure, isFailure } from '../../core/decode.ts';
import { CHUNK, PARAMETER } from '../constants.ts';
import { decodeParameters, unknownRule, wholeParameter, writeParameter } from './parameters.ts';

const TOO_SHORT = decodeFailure('malformed-init');

/** RFC 9653 §8.2: error detection method 1 is SCTP over DTLS. */
const EDMID_DTLS = 1;

/** INIT or INIT ACK, decoded (RFC 9260 §3.3.2, §3.3.3). */
export interface InitChunk {
  readonly tag: number;
  /** Advertised receiver window, in bytes. */
  readonly window: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  readonly initialTsn: number;
  /** RFC 3758 §3.1: the sender can be told to skip TSNs. Read from the supported extensions too: pion says it there alone. */
  readonly forwardTsn: boolean;
  /** Chunk types of Supported Extensions (RFC 5061 §4.2.7), empty when the parameter is absent. */
  readonly extensions: readonly number[];
  /** RFC 9653 §3: DTLS below checks integrity, so that a checksum of zero is acceptable. */
  readonly zeroChecksum: boolean;
  /** The state cookie of an INIT ACK. */
  readonly cookie?: Bytes | undefined;
  /** Parameters to report to their sender, whole. In an INIT ACK of ours: the peer's. */
  readonly unrecognized: readonly Bytes[];
}

/** Types that are understood, or known and of no use over DTLS: addresses, ECN, AUTH, ASCONF, padding. */
const IGNORED: ReadonlySet<number> = new Set([
  5, 6, 9, 11, 12, 0x8000, 0x8002, 0x8003, 0x8004, 0x8005, 0xc001, 0xc002, 0xc003, 0xc004, 0xc005, 0xc006, 8,
]);

/** Decodes the value of an INIT or INIT ACK chunk. What it keeps is copied. */
export function decodeInit(body: Uint8Array): InitChunk | DecodeFailure {
  if (body.length < 16) return TOO_SHORT;
  const parameters = decodeParameters(body.subarray(16));
  if (isFailure(parameters)) return parameters;
  let forwardTsn = false;
  let zeroChecksum = false;
  let extensions: number[] = [];
  let cookie: Bytes | undefined;
  const unrecognized: Bytes[] = [];
  for (const parameter of parameters) {
    if (parameter.type === PARAMETER.forwardTsnSupported) forwardTsn = true;
    else if (parameter.type === PARAMETER.zeroChecksumAcceptable) zeroChecksum = isDtls(parameter.value);
    else if (parameter.type === PARAMETER.supportedExtensions) extensions = [...parameter.value];
    else if (parameter.type === PARAMETER.stateCookie) cookie = copyBytes(parameter.value);
    else if (!IGNORED.has(parameter.type)) {
      const rule = unknownRule(parameter.type >> 14);
      if (rule.report) unrecognized.push(wholeParameter(parameter));
      if (!rule.skip) break;
    }
  }
  return {
    tag: readU32(body, 0),
    window: readU32(body, 4),
    outboundStreams: readU16(body, 8),
    inboundStreams: readU16(body, 10),
    initialTsn: readU32(body, 12),
    forwardTsn: forwardTsn || extensions.includes(CHUNK.forwardTsn),
    zeroChecksum,
    extensions,
    cookie,
    unrecognized,
  };
}

/** A whole chunk, with header, without padding at its end. */
export function encodeInit(type: typeof CHUNK.init | typeof CHUNK.initAck, init: InitChunk): Bytes {
  const writer = new Writer(128)
    .u8(type)
    .u8(0)
    .u16(0)
    .u32(init.tag)
    .u32(init.window)
    .u16(init.outboundStreams)
    .u16(init.inboundStreams)
    .u32(init.initialTsn);
  if (init.cookie !== undefined) writeParameter(writer, PARAMETER.stateCookie, init.cookie);
  if (init.forwardTsn) writeParameter(writer, PARAMETER.forwardTsnSupported, new Uint8Array(0));
  if (init.zeroChecksum)
    writeParameter(writer, PARAMETER.zeroChecksumAcceptable, Uint8Array.of(0, 0, 0, EDMID_DTLS));
  let end = writer.length;
  if (init.extensions.length > 0) {
    writeParameter(writer, PARAMETER.supportedExtensions, Uint8Array.from(init.extensions));
    end = writer.length - padding(init.extensions.length);
  }
  for (const parameter of init.unrecognized) {
    writeParameter(writer, PARAMETER.unrecognized, parameter);
    end = writer.length - padding(parameter.length);
  }
  // The chunk's length leaves out the padding of its last parameter (RFC 9260 §3.2).
  return writer.patchU16(2, end).finish().slice(0, end);
}

function isDtls(value: Uint8Array): boolean {
  return value.length === 4 && readU32(value, 0) === EDMID_DTLS;
}

function padding(length: number): number {
  return -length & 3;
}
