/**
 * FIR (RFC 5104 §4.3.1): keyframes are wanted, once for each number. The media's SSRC is 0; each entry names its own:
 *
 *     SSRC │ number (8), 0 (24)
 */
import { writeU32 } from '../../core/bytes.ts';
import { fields } from '../../core/options.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, U8, elements, writeHeader } from './form.ts';
import { FORMAT, PACKET_TYPE } from './packet-types.ts';
import type { FullIntraRequest } from './packet.ts';

type Entry = FullIntraRequest['entries'][number];

/** Bytes with the header in front of the first entry. */
const FIXED_LENGTH = 12;
const ENTRY_LENGTH = 8;

/** Full intra requests as bytes. */
export const FIR: PacketForm<FullIntraRequest> = {
  rules: {
    type: ANY_TYPE,
    senderSsrc: U32,
    entries: elements(fields<Entry>({ ssrc: U32, sequenceNumber: U8 }), 1, Infinity),
  },

  read(body) {
    const senderSsrc = body.u32();
    body.skip(4);
    if (body.failed || body.remaining < ENTRY_LENGTH) return undefined;
    const entries: Entry[] = [];
    while (body.remaining >= ENTRY_LENGTH) {
      entries.push({ ssrc: body.u32(), sequenceNumber: body.u8() });
      body.skip(3);
    }
    return { type: 'fir', senderSsrc, entries };
  },

  length({ entries }) {
    return FIXED_LENGTH + ENTRY_LENGTH * entries.length;
  },

  write({ senderSsrc, entries }, into, start, length) {
    let at = writeHeader(into, start, PACKET_TYPE.payloadFeedback, FORMAT.fir, length);
    writeU32(into, at, senderSsrc);
    writeU32(into, at + 4, 0);
    at += 8;
    for (const { ssrc, sequenceNumber } of entries) {
      writeU32(into, at, ssrc);
      writeU32(into, at + 4, sequenceNumber * 0x100_0000);
      at += ENTRY_LENGTH;
    }
  },
};
