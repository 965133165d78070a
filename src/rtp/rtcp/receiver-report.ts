/** RR (RFC 3550 §6.4.2): SSRC, then report blocks. */
import { writeU32 } from '../../core/bytes.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, writeHeader } from './form.ts';
import { PACKET_TYPE, RTCP_HEADER_LENGTH } from './packet-types.ts';
import type { ReceiverReport } from './packet.ts';
import { REPORT_BLOCKS, REPORT_BLOCK_LENGTH, readReportBlocks, writeReportBlocks } from './report-block.ts';

/** Receiver reports as bytes. */
export const RECEIVER_REPORT: PacketForm<ReceiverReport> = {
  rules: { type: ANY_TYPE, ssrc: U32, reports: REPORT_BLOCKS },

  read(body, count) {
    if (body.remaining < 4) return undefined;
    const ssrc = body.u32();
    const reports = readReportBlocks(body, count);
    return reports && { type: 'receiver-report', ssrc, reports };
  },

  length({ reports }) {
    return RTCP_HEADER_LENGTH + 4 + REPORT_BLOCK_LENGTH * reports.length;
  },

  write({ ssrc, reports }, into, at, length) {
    const body = writeHeader(into, at, PACKET_TYPE.receiverReport, reports.length, length);
    writeU32(into, body, ssrc);
    writeReportBlocks(reports, into, body + 4);
  },
};
