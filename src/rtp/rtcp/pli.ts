/** PLI (RFC 4585 §6.3.1): a keyframe is wanted; who says it, and of which source. */
import { writeU32 } from '../../core/bytes.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, writeHeader } from './form.ts';
import { FORMAT, PACKET_TYPE } from './packet-types.ts';
import type { PictureLossIndication } from './packet.ts';

/** Picture loss indications as bytes. */
export const PLI: PacketForm<PictureLossIndication> = {
  rules: { type: ANY_TYPE, senderSsrc: U32, mediaSsrc: U32 },

  read(body) {
    const senderSsrc = body.u32();
    const mediaSsrc = body.u32();
    return body.failed ? undefined : { type: 'pli', senderSsrc, mediaSsrc };
  },

  length() {
    return 12;
  },

  write({ senderSsrc, mediaSsrc }, into, at, length) {
    const body = writeHeader(into, at, PACKET_TYPE.payloadFeedback, FORMAT.pli, length);
    writeU32(into, body, senderSsrc);
    writeU32(into, body + 4, mediaSsrc);
  },
};
