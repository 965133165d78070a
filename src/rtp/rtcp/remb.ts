/**
 * REMB (draft-alvestrand-rmcat-remb-03 §2.2): what a receiver thinks that it can receive, as feedback of an application's own.
 *
 *     SSRC of who says it │ 0 │ 'REMB' │ SSRCs (8), exponent (6), mantissa (18) │ SSRCs …
 */
import type { Reader } from '../../core/bytes.ts';
import { readU32, writeU24, writeU32 } from '../../core/bytes.ts';
import { number, required } from '../../core/options.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, elements, writeHeader } from './form.ts';
import { FORMAT, PACKET_TYPE } from './packet-types.ts';
import type { Remb } from './packet.ts';

/** `REMB`, in ASCII. */
const IDENTIFIER = 0x52_45_4d_42;
/** Bytes with the header in front of the first SSRC. */
const FIXED_LENGTH = 20;
const MANTISSA = 2 ** 18;
const MAX_BITRATE = (MANTISSA - 1) * 2 ** 63;

/** True for feedback of an application's own that says it is one. @param body behind the header of the packet */
export function isRemb(body: Reader): boolean {
  return body.remaining >= 12 && readU32(body.bytes, body.offset + 8) === IDENTIFIER;
}

/** Estimates as bytes; of a rate that does not fit 18 bits the lower ones are cut off. */
export const REMB: PacketForm<Remb> = {
  rules: {
    type: ANY_TYPE,
    senderSsrc: U32,
    bitrate: required(number(0, MAX_BITRATE)),
    ssrcs: elements(U32, 0, 255),
  },

  read(body) {
    const senderSsrc = body.u32();
    body.skip(8);
    const count = body.u8();
    const rate = body.u24();
    if (body.failed || body.remaining < 4 * count) return undefined;
    const ssrcs: number[] = [];
    for (let i = 0; i < count; i++) ssrcs.push(body.u32());
    return { type: 'remb', senderSsrc, bitrate: (rate % MANTISSA) * 2 ** (rate >> 18), ssrcs };
  },

  length({ ssrcs }) {
    return FIXED_LENGTH + 4 * ssrcs.length;
  },

  write({ senderSsrc, bitrate, ssrcs }, into, start, length) {
    let exponent = 0;
    while (Math.floor(bitrate / 2 ** exponent) >= MANTISSA) exponent++;
    let at = writeHeader(into, start, PACKET_TYPE.payloadFeedback, FORMAT.application, length);
    writeU32(into, at, senderSsrc);
    writeU32(into, at + 4, 0);
    writeU32(into, at + 8, IDENTIFIER);
    into[at + 12] = ssrcs.length;
    writeU24(into, at + 13, exponent * MANTISSA + Math.floor(bitrate / 2 ** exponent));
    at += 16;
    for (const ssrc of ssrcs) {
      writeU32(into, at, ssrc);
      at += 4;
    }
  },
};
