/** XR (RFC 3611 §2): SSRC, then blocks of any type. */
import { writeU32 } from '../../core/bytes.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, elements, writeHeader } from './form.ts';
import { PACKET_TYPE, RTCP_HEADER_LENGTH } from './packet-types.ts';
import type { ExtendedReport } from './packet.ts';
import type { XrBlock } from './xr.ts';
import { XR_BLOCK, readXrBlock, writeXrBlock, xrBlockLength } from './xr.ts';

/** Extended reports as bytes. */
export const EXTENDED_REPORT: PacketForm<ExtendedReport> = {
  rules: { type: ANY_TYPE, ssrc: U32, blocks: elements(XR_BLOCK, 0, Infinity) },

  read(body) {
    const ssrc = body.u32();
    if (body.failed) return undefined;
    const blocks: XrBlock[] = [];
    while (body.remaining > 0) {
      const block = readXrBlock(body);
      if (block === undefined) return undefined;
      blocks.push(block);
    }
    return { type: 'extended-report', ssrc, blocks };
  },

  length({ blocks }) {
    let length = RTCP_HEADER_LENGTH + 4;
    for (const block of blocks) length += xrBlockLength(block);
    return length;
  },

  write({ ssrc, blocks }, into, start, length) {
    let at = writeHeader(into, start, PACKET_TYPE.extendedReport, 0, length);
    writeU32(into, at, ssrc);
    at += 4;
    for (const block of blocks) {
      writeXrBlock(block, into, at);
      at += xrBlockLength(block);
    }
  },
};
