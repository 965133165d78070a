/**
 * What became of packets, in chunks of 16 bits (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.1–§3.1.4):
 *
 *     0 status (2) run length (13)     1 0 status (1) × 14     1 1 status (2) × 7
 */
import type { Bytes } from '../../core/bytes.ts';
import { writeU16 } from '../../core/bytes.ts';

/** Statuses of a packet: it did not come, it came, and its delta has one byte, or two. The fourth is reserved. */
export const STATUS = { missing: 0, small: 1, large: 2 } as const;

type Status = (typeof STATUS)[keyof typeof STATUS];
type Deltas = readonly (number | null)[];

const MAX_RUN = 0x1fff;
const ONE_BIT_STATUSES = 14;
const TWO_BIT_STATUSES = 7;

/** The status of a packet that came `delta` after the one before; `null`: it did not. */
export function statusOf(delta: number | null | undefined): Status {
  if (delta === null || delta === undefined) return STATUS.missing;
  return delta >= 0 && delta <= 0xff ? STATUS.small : STATUS.large;
}

/** How many statuses a chunk gives where `most` are wanted; 0 for a run of none, which says nothing, and which honest peers do not write. */
export function statusesIn(chunk: number, most: number): number {
  if (chunk >> 15 === 0) return Math.min(chunk & MAX_RUN, most);
  return Math.min((chunk & 0x4000) === 0 ? ONE_BIT_STATUSES : TWO_BIT_STATUSES, most);
}

/** One status of a chunk. */
export function statusIn(chunk: number, place: number): number {
  if (chunk >> 15 === 0) return chunk >> 13;
  return (chunk & 0x4000) === 0 ? (chunk >> (13 - place)) & 1 : (chunk >> (12 - 2 * place)) & 3;
}

/** True for a run of packets that did not come: it has no deltas, however long it is. */
export function isMissingRun(chunk: number): boolean {
  return chunk >> 13 === STATUS.missing;
}

/** Writes the chunks of `deltas`, the shortest that hold what comes next, or only counts them. @returns how many */
export function writeStatuses(deltas: Deltas, into?: Bytes, start = 0): number {
  let chunks = 0;
  for (let first = 0; first < deltas.length; chunks++) {
    const run = runLength(deltas, first);
    const isLast = first + run === deltas.length;
    const left = Math.min(ONE_BIT_STATUSES, deltas.length - first);
    let chunk: number;
    if (run >= ONE_BIT_STATUSES || isLast) {
      chunk = (statusOf(deltas[first]) << 13) | run;
      first += run;
    } else if (!hasLarge(deltas, first, left)) {
      chunk = 0x8000 | statusBits(deltas, first, ONE_BIT_STATUSES, 1);
      first += ONE_BIT_STATUSES;
    } else if (run >= TWO_BIT_STATUSES) {
      chunk = (statusOf(deltas[first]) << 13) | run;
      first += run;
    } else {
      chunk = 0xc000 | statusBits(deltas, first, TWO_BIT_STATUSES, 2);
      first += TWO_BIT_STATUSES;
    }
    if (into !== undefined) writeU16(into, start + 2 * chunks, chunk);
  }
  return chunks;
}

function runLength(deltas: Deltas, first: number): number {
  const status = statusOf(deltas[first]);
  let run = 1;
  while (run < MAX_RUN && first + run < deltas.length && statusOf(deltas[first + run]) === status) run++;
  return run;
}

function hasLarge(deltas: Deltas, first: number, count: number): boolean {
  for (let i = first; i < first + count; i++) if (statusOf(deltas[i]) === STATUS.large) return true;
  return false;
}

/** `count` statuses of so many bits, the first one highest; beyond the last delta they are 0. */
function statusBits(deltas: Deltas, first: number, count: number, bits: number): number {
  let chunk = 0;
  for (let i = 0; i < count; i++) chunk = (chunk << bits) | statusOf(deltas[first + i]);
  return chunk;
}
