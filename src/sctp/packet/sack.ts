/**
 * SACK (RFC 9260 §3.3.4): cumulative TSN(4) a_rwnd(4) gap blocks(2) duplicates(2), then blocks of start(2) end(2) as
 * distances from the cumulative TSN, then duplicate TSNs(4).
 */
import { readU16, readU32 } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

const BAD_SACK = decodeFailure('malformed-sack');

/** Bytes of a SACK chunk without blocks and duplicates, with its header. */
export const SACK_SIZE = 16;

/** A SACK, decoded (RFC 9260 §3.3.4). */
export interface SackChunk {
  readonly cumulativeTsn: number;
  readonly window: number;
  /** start₀, end₀, start₁, end₁, …: ascending and disjoint, distances ≥ 2 from the cumulative TSN. */
  readonly blocks: readonly number[];
  readonly duplicates: readonly number[];
}

const NONE: readonly number[] = [];

/** Decodes the value of a SACK chunk. Reversed blocks go, and those that touch the cumulative TSN; others are put in order and melted together. */
export function decodeSack(body: Uint8Array): SackChunk | DecodeFailure {
  if (body.length < 12) return BAD_SACK;
  const blockCount = readU16(body, 8);
  const duplicateCount = readU16(body, 10);
  if (body.length !== 12 + 4 * (blockCount + duplicateCount)) return BAD_SACK;
  return {
    cumulativeTsn: readU32(body, 0),
    window: readU32(body, 4),
    blocks: blockCount === 0 ? NONE : readBlocks(body, blockCount),
    duplicates: duplicateCount === 0 ? NONE : readDuplicates(body, 12 + 4 * blockCount, duplicateCount),
  };
}

function readBlocks(body: Uint8Array, count: number): readonly number[] {
  const blocks: number[] = [];
  let ascending = true;
  for (let i = 0; i < count; i++) {
    const start = readU16(body, 12 + 4 * i);
    const end = readU16(body, 14 + 4 * i);
    // What lies right behind the cumulative TSN would have moved it: a block there reports what it denies.
    if (start <= 1 || start > end) continue;
    if (start <= (blocks.at(-1) ?? 0)) ascending = false;
    blocks.push(start, end);
  }
  return ascending ? blocks : inOrder(blocks);
}

function inOrder(blocks: readonly number[]): readonly number[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < blocks.length; i += 2) pairs.push([blocks[i]!, blocks[i + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  const ordered: number[] = [];
  for (const [start, end] of pairs) {
    const last = ordered.length - 1;
    if (last > 0 && start <= ordered[last]! + 1) ordered[last] = Math.max(ordered[last]!, end);
    else ordered.push(start, end);
  }
  return ordered;
}

function readDuplicates(body: Uint8Array, from: number, count: number): readonly number[] {
  const duplicates: number[] = [];
  for (let i = 0; i < count; i++) duplicates.push(readU32(body, from + 4 * i));
  return duplicates;
}
