/** Packets as tests read and forge them. */
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes, readU16, readU32, writeU16, writeU32 } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeAbort, encodeCause } from '../../src/sctp/packet/causes.ts';
import { decodeForwardTsn, encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { decodeInit, encodeInit } from '../../src/sctp/packet/init.ts';
import { ChunkCursor, PacketWriter, verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { decodeReconfig, encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import type { SackChunk } from '../../src/sctp/packet/sack.ts';
import { decodeSack } from '../../src/sctp/packet/sack.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';

export interface RawChunk {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
  readonly whole: Uint8Array;
}

export function chunksOf(packet: Uint8Array): RawChunk[] {
  const cursor = new ChunkCursor();
  cursor.begin(packet);
  const chunks: RawChunk[] = [];
  while (cursor.next()) {
    chunks.push({ type: cursor.type, flags: cursor.flags, body: cursor.body, whole: cursor.whole });
  }
  return chunks;
}

const NAMES = new Map<number, string>(Object.entries(CHUNK).map(([name, type]) => [type, name]));

/** The chunk names of a packet, `sack+data`. */
export function kinds(packet: Uint8Array): string {
  return chunksOf(packet)
    .map(({ type }) => NAMES.get(type) ?? String(type))
    .join('+');
}

export function allKinds(packets: readonly Uint8Array[]): string[] {
  return packets.map(kinds);
}

/** The decoded SACK of a packet that has one. */
export function sackOf(packet: Uint8Array): SackChunk {
  const chunk = chunksOf(packet).find(({ type }) => type === CHUNK.sack);
  const sack = decodeSack(chunk?.body ?? new Uint8Array(0));
  if (isFailure(sack)) throw new Error('no SACK');
  return sack;
}

export interface WireData {
  readonly tsn: number;
  readonly flags: number;
  readonly streamId: number;
  readonly ssn: number;
  readonly ppid: number;
  readonly payload: Uint8Array;
}

export function dataOf(packet: Uint8Array): WireData[] {
  return chunksOf(packet)
    .filter(({ type }) => type === CHUNK.data)
    .map(({ flags, body }) => ({
      flags,
      tsn: readU32(body, 0),
      streamId: readU16(body, 4),
      ssn: readU16(body, 6),
      ppid: readU32(body, 8),
      payload: body.subarray(12),
    }));
}

export function dataChunk(data: Partial<WireData> & { readonly tsn: number }): Bytes {
  const head = new Uint8Array(12);
  writeU32(head, 0, data.tsn);
  writeU16(head, 4, data.streamId ?? 0);
  writeU16(head, 6, data.ssn ?? 0);
  writeU32(head, 8, data.ppid ?? 53);
  return encodeChunk(CHUNK.data, data.flags ?? 3, concatBytes(head, data.payload ?? Uint8Array.of(1)));
}

export function sackChunk(sack: Partial<SackChunk> & { readonly cumulativeTsn: number }): Bytes {
  const { blocks = [], duplicates = [] } = sack;
  const body = new Uint8Array(12 + 2 * blocks.length + 4 * duplicates.length);
  writeU32(body, 0, sack.cumulativeTsn);
  writeU32(body, 4, sack.window ?? 1_000_000);
  writeU16(body, 8, blocks.length / 2);
  writeU16(body, 10, duplicates.length);
  blocks.forEach((edge, i) => writeU16(body, 12 + 2 * i, edge));
  duplicates.forEach((tsn, i) => writeU32(body, 12 + 2 * blocks.length + 4 * i, tsn));
  return encodeChunk(CHUNK.sack, 0, body);
}

/** A packet of whole chunks, with a right checksum. */
export function packetOf(tag: number, ...chunks: readonly Uint8Array[]): Bytes {
  const buffer = new Uint8Array(65_536);
  const writer = new PacketWriter();
  writer.begin(buffer, 0, buffer.length, { source: 5000, destination: 5000 }, tag);
  for (const chunk of chunks) writer.chunk(chunk);
  return buffer.slice(0, writer.finish());
}

/** The packet with its checksum made right again, after somebody has changed it. */
export function rechecksummed(packet: Uint8Array): Bytes {
  const buffer = packet.slice();
  if (buffer.length < 12) return buffer;
  const body = buffer.slice(12);
  const writer = new PacketWriter();
  writer.begin(
    buffer,
    0,
    buffer.length,
    { source: readU16(packet, 0), destination: readU16(packet, 2) },
    verificationTagOf(packet),
  );
  writer.raw(body);
  writer.finish();
  return buffer;
}

/** Decodes a chunk and encodes it again by the library's own codecs; the input itself for opaque ones. */
export function reencode(chunk: RawChunk): Bytes {
  switch (chunk.type) {
    case CHUNK.init:
    case CHUNK.initAck: {
      const init = decodeInit(chunk.body);
      if (isFailure(init)) throw new Error(init.reason);
      return encodeInit(chunk.type, init);
    }
    case CHUNK.sack: {
      const sack = decodeSack(chunk.body);
      if (isFailure(sack)) throw new Error(sack.reason);
      return sackChunk(sack);
    }
    case CHUNK.data: {
      const [data] = dataOf(packetOf(1, chunk.whole));
      if (data === undefined) throw new Error('no data');
      return dataChunk(data);
    }
    case CHUNK.reconfig: {
      const parameters = decodeReconfig(chunk.body);
      if (isFailure(parameters)) throw new Error(parameters.reason);
      const [first] = parameters;
      if (first?.type === 'outgoing-reset') return encodeOutgoingReset(first);
      if (first?.type === 'response') return encodeResponse(first.sequence, first.result);
      throw new Error('an unknown request');
    }
    case CHUNK.forwardTsn: {
      const forward = decodeForwardTsn(chunk.body);
      if (isFailure(forward)) throw new Error(forward.reason);
      return encodeForwardTsn(forward);
    }
    case CHUNK.abort:
      return chunk.body.length === 0
        ? encodeChunk(CHUNK.abort, chunk.flags, chunk.body)
        : encodeCause(CHUNK.abort, readU16(chunk.body, 0), chunk.body.subarray(4, readU16(chunk.body, 2)));
    default:
      return encodeChunk(chunk.type, chunk.flags, chunk.body);
  }
}

export function abortChunk(text = 'test'): Bytes {
  return encodeAbort({ code: 12, text });
}
