/** BYE (RFC 3550 §6.6): SSRCs that leave, then, as it may be, a length (8) and a reason up to a whole word. */
import { writeU32 } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import { text } from '../../core/options.ts';
import { decodeUtf8, encodeUtf8 } from '../../core/text.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, elements, writeHeader } from './form.ts';
import { PACKET_TYPE, RTCP_HEADER_LENGTH } from './packet-types.ts';
import type { Bye } from './packet.ts';

/** Bytes of a reason, at the most: its length has eight bits. */
const MAX_REASON = 255;

/** Goodbyes as bytes. */
export const BYE: PacketForm<Bye> = {
  rules: {
    type: ANY_TYPE,
    ssrcs: elements(U32, 0, 31),
    reason(value, name) {
      text()(value, name);
      if (encodeUtf8(value as string).length > MAX_REASON) {
        throw badArgument(name, `${MAX_REASON} bytes at the most`, value);
      }
    },
  },

  read(body, count) {
    const ssrcs: number[] = [];
    if (body.remaining < 4 * count) return undefined;
    for (let i = 0; i < count; i++) ssrcs.push(body.u32());
    if (body.remaining === 0) return { type: 'bye', ssrcs };
    const reason = decodeUtf8(body.view(body.u8()));
    return body.failed ? undefined : { type: 'bye', ssrcs, reason };
  },

  length({ ssrcs, reason }) {
    return RTCP_HEADER_LENGTH + 4 * ssrcs.length + reasonLength(reason);
  },

  write({ ssrcs, reason }, into, start, length) {
    let at = writeHeader(into, start, PACKET_TYPE.bye, ssrcs.length, length);
    for (const ssrc of ssrcs) {
      writeU32(into, at, ssrc);
      at += 4;
    }
    if (reason === undefined) return;
    const bytes = encodeUtf8(reason);
    into.fill(0, at, start + length);
    into[at] = bytes.length;
    into.set(bytes, at + 1);
  },
};

function reasonLength(reason: string | undefined): number {
  return reason === undefined ? 0 : (1 + encodeUtf8(reason).length + 3) & ~3;
}
