/** Summary: an SCTP packet as a trace shows it, in one line, and without what its messages say. */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, readU16, readU32 } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { quote } from '../core/text.ts';
import {
  CHUNK,
  DATA_HEADER_SIZE,
  FLAG_BEGIN,
  FLAG_END,
  FLAG_UNORDERED,
  I_DATA_HEADER_SIZE,
} from './constants.ts';
import { decodeCauses } from './packet/causes.ts';
import { decodeForwardTsn, decodeIForwardTsn } from './packet/forward-tsn.ts';
import { decodeInit } from './packet/init.ts';
import { ChunkCursor, checkPacket } from './packet/packet.ts';
import type { ReconfigParameter } from './packet/reconfig.ts';
import { decodeReconfig } from './packet/reconfig.ts';
import { decodeSack } from './packet/sack.ts';

/** Chunks of a line; one packet can hold hundreds. */
const MAX_CHUNKS = 16;

/** Where in a DATA or I-DATA chunk its fields are (RFC 9260 §3.3.1, RFC 8260 §2.1). */
const TSN_AT = 4;
const STREAM_AT = 8;

/**
 * What a DATA or I-DATA chunk carries, for people: the payload protocol identifier, the user data, and whether that is a whole
 * message or a fragment that tells its identifier.
 */
export type DescribePayload = (ppid: number, data: Uint8Array, isWhole: boolean) => string;

/**
 * `SCTP SACK 17 window 5242880, DATA 4 stream 0 PPID 53 12 bytes`; what the data is, `describePayload` says. Never throws,
 * whatever the bytes are.
 */
export function sctpSummary(packet: Uint8Array, describePayload: DescribePayload = payloadSize): string {
  // RFC 9653: over DTLS both ends may have agreed on none.
  const bad = checkPacket(packet, true);
  if (bad !== undefined) return `SCTP, ${packet.length} bytes, malformed: ${bad.reason}`;
  const cursor = new ChunkCursor();
  cursor.begin(packet);
  const parts: string[] = [];
  while (cursor.next()) {
    if (parts.length === MAX_CHUNKS) {
      parts.push('…');
      break;
    }
    parts.push(describeChunk(cursor, describePayload));
  }
  return `SCTP ${parts.join(', ')}`;
}

function payloadSize(ppid: number, data: Uint8Array): string {
  return `PPID ${ppid} ${data.length} bytes`;
}

function describeChunk(cursor: ChunkCursor, describePayload: DescribePayload): string {
  const { type, body } = cursor;
  switch (type) {
    case CHUNK.data:
      return describeData('DATA', cursor, DATA_HEADER_SIZE, describePayload);
    case CHUNK.iData:
      return describeData('I-DATA', cursor, I_DATA_HEADER_SIZE, describePayload);
    case CHUNK.init:
      return describeInit('INIT', body);
    case CHUNK.initAck:
      return describeInit('INIT ACK', body);
    case CHUNK.sack:
      return describeSack(body);
    case CHUNK.abort:
      return describeCauses('ABORT', body);
    case CHUNK.error:
      return describeCauses('ERROR', body);
    case CHUNK.reconfig:
      return describeReconfig(body);
    case CHUNK.forwardTsn: {
      const forward = decodeForwardTsn(body);
      return isFailure(forward) ? 'FORWARD TSN malformed' : `FORWARD TSN ${forward.newCumulativeTsn}`;
    }
    case CHUNK.iForwardTsn: {
      const forward = decodeIForwardTsn(body);
      return isFailure(forward) ? 'I-FORWARD-TSN malformed' : `I-FORWARD-TSN ${forward.newCumulativeTsn}`;
    }
    default:
      return NAMES.get(type) ?? `chunk ${type}`;
  }
}

function describeData(
  name: string,
  { whole: chunk, flags }: ChunkCursor,
  headerSize: number,
  describePayload: DescribePayload,
): string {
  if (chunk.length < headerSize) return `${name} malformed`;
  const parts = [`${name} ${readU32(chunk, TSN_AT)} stream ${readU16(chunk, STREAM_AT)}`];
  const payload = chunk.subarray(headerSize);
  const isWhole = (flags & FLAG_BEGIN) !== 0 && (flags & FLAG_END) !== 0;
  // The last field of both headers; later fragments of an I-DATA message have their number there instead (RFC 8260 §2.1).
  const ppid = readU32(chunk, headerSize - 4);
  const isNumbered = headerSize === I_DATA_HEADER_SIZE && (flags & FLAG_BEGIN) === 0;
  if (isNumbered) parts.push(`fragment ${ppid}, ${payload.length} bytes`);
  else parts.push(describePayload(ppid, payload, isWhole));
  if ((flags & FLAG_UNORDERED) !== 0) parts.push('unordered');
  if (!isWhole)
    parts.push((flags & FLAG_BEGIN) !== 0 ? 'first' : (flags & FLAG_END) !== 0 ? 'last' : 'middle');
  return parts.join(' ');
}

function describeInit(name: string, body: Uint8Array): string {
  const init = decodeInit(body);
  if (isFailure(init)) return `${name} malformed`;
  const { initialTsn, window, outboundStreams, inboundStreams } = init;
  return `${name} TSN ${initialTsn} window ${window} streams ${outboundStreams}/${inboundStreams}`;
}

function describeSack(body: Uint8Array): string {
  const sack = decodeSack(body);
  if (isFailure(sack)) return 'SACK malformed';
  const parts = [`SACK ${sack.cumulativeTsn} window ${sack.window}`];
  if (sack.blocks.length > 0) parts.push(`gaps ${describeBlocks(sack.cumulativeTsn, sack.blocks)}`);
  if (sack.duplicates.length > 0) parts.push(`${sack.duplicates.length} duplicates`);
  return parts.join(' ');
}

/** Blocks come as distances from the cumulative TSN; people want the TSNs. */
function describeBlocks(cumulativeTsn: number, blocks: readonly number[]): string {
  const tsns = blocks.map((distance) => (cumulativeTsn + distance) >>> 0);
  const ranges: string[] = [];
  for (let i = 0; i + 1 < tsns.length && ranges.length < MAX_CHUNKS; i += 2) {
    ranges.push(tsns[i] === tsns[i + 1] ? `${tsns[i]!}` : `${tsns[i]!}–${tsns[i + 1]!}`);
  }
  return ranges.join(' ');
}

function describeCauses(name: string, body: Uint8Array): string {
  const causes = decodeCauses(body).slice(0, MAX_CHUNKS);
  const texts = causes.map(({ code, text }) => `cause ${code}${text === undefined ? '' : ` ${quote(text)}`}`);
  return [name, ...texts].join(' ');
}

function describeReconfig(body: Uint8Array): string {
  const parameters = decodeReconfig(body);
  if (isFailure(parameters)) return 'RE-CONFIG malformed';
  return `RE-CONFIG ${parameters.map(describeParameter).join(', ')}`;
}

function describeParameter(parameter: ReconfigParameter): string {
  switch (parameter.type) {
    case 'outgoing-reset': {
      const { streams } = parameter;
      return streams.length === 0
        ? 'reset of all streams'
        : `reset of ${streams.slice(0, MAX_CHUNKS).join(' ')}`;
    }
    case 'response':
      return `response ${parameter.result}`;
    case 'other-request':
      return `request ${parameter.parameter}`;
  }
}

const NAMES: ReadonlyMap<number, string> = /* @__PURE__ */ new Map<number, string>([
  [CHUNK.heartbeat, 'HEARTBEAT'],
  [CHUNK.heartbeatAck, 'HEARTBEAT ACK'],
  [CHUNK.shutdown, 'SHUTDOWN'],
  [CHUNK.shutdownAck, 'SHUTDOWN ACK'],
  [CHUNK.shutdownComplete, 'SHUTDOWN COMPLETE'],
  [CHUNK.cookieEcho, 'COOKIE ECHO'],
  [CHUNK.cookieAck, 'COOKIE ACK'],
  [CHUNK.ecne, 'ECNE'],
  [CHUNK.cwr, 'CWR'],
  [CHUNK.iForwardTsn, 'I-FORWARD TSN'],
  [CHUNK.pad, 'PAD'],
]);

// --- user data ---

/**
 * A copy of a packet with its user data zeroed, but for that of payload protocol identifiers that `keeps` is true for. A packet that
 * cannot be read is zeroed as a whole.
 */
export function blankUserData(packet: Uint8Array, keeps: (ppid: number) => boolean): Bytes {
  const copy = copyBytes(packet);
  if (checkPacket(copy, true) !== undefined) return copy.fill(0);
  const cursor = new ChunkCursor();
  cursor.begin(copy);
  while (cursor.next()) {
    const { type, flags, whole } = cursor;
    if (type !== CHUNK.data && type !== CHUNK.iData) continue;
    const headerSize = type === CHUNK.data ? DATA_HEADER_SIZE : I_DATA_HEADER_SIZE;
    // A fragment that is not the first of its message has no PPID in I-DATA: its number must not pass for one.
    const hasPpid = type === CHUNK.data || (flags & FLAG_BEGIN) !== 0;
    if (whole.length < headerSize || (hasPpid && keeps(readU32(whole, headerSize - 4)))) continue;
    whole.subarray(headerSize).fill(0);
  }
  return copy;
}
