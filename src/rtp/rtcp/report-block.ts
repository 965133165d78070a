/**
 * A report block of RFC 3550 §6.4.1: how one source is received.
 *
 *     SSRC │ fraction lost (8), packets lost (24, signed) │ highest sequence number │ jitter │ last SR │ delay since last SR
 */
import type { Bytes, Reader } from '../../core/bytes.ts';
import { writeU24, writeU32 } from '../../core/bytes.ts';
import type { OptionRule, OptionRules } from '../../core/options.ts';
import { fields, integer, required } from '../../core/options.ts';
import { U32, U8, elements } from './form.ts';

/** How one source is received, as one end tells the other. */
export interface ReportBlock {
  readonly ssrc: number;
  /** Of the interval, in 1/256, 0–255. */
  readonly fractionLost: number;
  /** −2^23 … 2^23−1: duplicates make it negative. */
  readonly packetsLost: number;
  /** Extended: 16 bits of cycles before the 16 bits of the number. */
  readonly highestSequenceNumber: number;
  /** In units of the timestamp. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report; 0: none has come. */
  readonly lastSenderReport: number;
  /** 1/65536 s since then; 0: none has come. */
  readonly delaySinceLastSenderReport: number;
}

/** Report blocks that one packet has at the most: their count has five bits. */
export const MAX_REPORT_BLOCKS = 31;

/** Bytes of a report block. */
export const REPORT_BLOCK_LENGTH = 24;

const RULES: OptionRules<ReportBlock> = {
  ssrc: U32,
  fractionLost: U8,
  packetsLost: required(integer(-0x80_0000, 0x7f_ffff)),
  highestSequenceNumber: U32,
  jitter: U32,
  lastSenderReport: U32,
  delaySinceLastSenderReport: U32,
};

/** The rule of the report blocks of a packet. */
export const REPORT_BLOCKS: OptionRule = elements(fields(RULES), 0, MAX_REPORT_BLOCKS);

/** Report blocks by packets that can hold them: 31 in each but the last, which is there, empty, where there are none. */
export function splitReports(reports: readonly ReportBlock[]): readonly (readonly ReportBlock[])[] {
  const packets: (readonly ReportBlock[])[] = [];
  for (let at = 0; at === 0 || at < reports.length; at += MAX_REPORT_BLOCKS) {
    packets.push(reports.slice(at, at + MAX_REPORT_BLOCKS));
  }
  return packets;
}

/** `undefined`: there are fewer than `count`. */
export function readReportBlocks(body: Reader, count: number): ReportBlock[] | undefined {
  if (body.remaining < count * REPORT_BLOCK_LENGTH) return undefined;
  const reports: ReportBlock[] = [];
  for (let i = 0; i < count; i++) {
    reports.push({
      ssrc: body.u32(),
      fractionLost: body.u8(),
      packetsLost: (body.u24() << 8) >> 8,
      highestSequenceNumber: body.u32(),
      jitter: body.u32(),
      lastSenderReport: body.u32(),
      delaySinceLastSenderReport: body.u32(),
    });
  }
  return reports;
}

/** Writes them one after the other. */
export function writeReportBlocks(reports: readonly ReportBlock[], into: Bytes, start: number): void {
  let at = start;
  for (const report of reports) {
    writeU32(into, at, report.ssrc);
    into[at + 4] = report.fractionLost;
    writeU24(into, at + 5, report.packetsLost);
    writeU32(into, at + 8, report.highestSequenceNumber);
    writeU32(into, at + 12, report.jitter);
    writeU32(into, at + 16, report.lastSenderReport);
    writeU32(into, at + 20, report.delaySinceLastSenderReport);
    at += REPORT_BLOCK_LENGTH;
  }
}
