/** Feedback of an application's own (RFC 4585 §6.4): who says it, of which source, and data. REMB is one that is known. */
import { writeU32 } from '../../core/bytes.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, WORDS, writeHeader } from './form.ts';
import { FORMAT, PACKET_TYPE } from './packet-types.ts';
import type { ApplicationFeedback } from './packet.ts';

/** Bytes with the header in front of the data. */
const FIXED_LENGTH = 12;

/** Feedback of an application's own as bytes. */
export const APPLICATION_FEEDBACK: PacketForm<ApplicationFeedback> = {
  rules: { type: ANY_TYPE, senderSsrc: U32, mediaSsrc: U32, data: WORDS },

  read(body) {
    const senderSsrc = body.u32();
    const mediaSsrc = body.u32();
    if (body.failed) return undefined;
    return { type: 'application-feedback', senderSsrc, mediaSsrc, data: body.view(body.remaining & ~3) };
  },

  length({ data }) {
    return FIXED_LENGTH + data.length;
  },

  write({ senderSsrc, mediaSsrc, data }, into, at, length) {
    const body = writeHeader(into, at, PACKET_TYPE.payloadFeedback, FORMAT.application, length);
    writeU32(into, body, senderSsrc);
    writeU32(into, body + 4, mediaSsrc);
    into.set(data, at + FIXED_LENGTH);
  },
};
