/**
 * SR (RFC 3550 §6.4.1): what a source has sent, and its clock beside its timestamps.
 *
 *     SSRC │ NTP time (64) │ RTP timestamp │ packets │ bytes │ report blocks …
 */
import { writeU32 } from '../../core/bytes.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, writeHeader } from './form.ts';
import { PACKET_TYPE, RTCP_HEADER_LENGTH } from './packet-types.ts';
import type { SenderReport } from './packet.ts';
import { REPORT_BLOCKS, REPORT_BLOCK_LENGTH, readReportBlocks, writeReportBlocks } from './report-block.ts';

const SENDER_INFO_LENGTH = 24;

/** Sender reports as bytes. */
export const SENDER_REPORT: PacketForm<SenderReport> = {
  rules: {
    type: ANY_TYPE,
    ssrc: U32,
    ntpSeconds: U32,
    ntpFraction: U32,
    rtpTimestamp: U32,
    packetCount: U32,
    octetCount: U32,
    reports: REPORT_BLOCKS,
  },

  read(body, count) {
    if (body.remaining < SENDER_INFO_LENGTH) return undefined;
    const ssrc = body.u32();
    const ntpSeconds = body.u32();
    const ntpFraction = body.u32();
    const rtpTimestamp = body.u32();
    const packetCount = body.u32();
    const octetCount = body.u32();
    const reports = readReportBlocks(body, count);
    if (reports === undefined) return undefined;
    return {
      type: 'sender-report',
      ssrc,
      ntpSeconds,
      ntpFraction,
      rtpTimestamp,
      packetCount,
      octetCount,
      reports,
    };
  },

  length({ reports }) {
    return RTCP_HEADER_LENGTH + SENDER_INFO_LENGTH + REPORT_BLOCK_LENGTH * reports.length;
  },

  write(report, into, at, length) {
    const body = writeHeader(into, at, PACKET_TYPE.senderReport, report.reports.length, length);
    writeU32(into, body, report.ssrc);
    writeU32(into, body + 4, report.ntpSeconds);
    writeU32(into, body + 8, report.ntpFraction);
    writeU32(into, body + 12, report.rtpTimestamp);
    writeU32(into, body + 16, report.packetCount);
    writeU32(into, body + 20, report.octetCount);
    writeReportBlocks(report.reports, into, body + SENDER_INFO_LENGTH);
  },
};
