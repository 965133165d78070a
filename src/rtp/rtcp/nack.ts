/**
 * Generic NACK (RFC 4585 §6.2.1): packets that are wanted again, as a sequence number (16) and a bit for each of the 16 behind it.
 */
import { readU16, writeU16, writeU32 } from '../../core/bytes.ts';
import { add16 } from '../../core/serial.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U16, U32, elements, writeHeader } from './form.ts';
import { FORMAT, PACKET_TYPE } from './packet-types.ts';
import type { Nack } from './packet.ts';

/** Bytes with the header in front of the first entry. */
const FIXED_LENGTH = 12;

/** Negative acknowledgements as bytes. */
export const NACK: PacketForm<Nack> = {
  rules: { type: ANY_TYPE, senderSsrc: U32, mediaSsrc: U32, sequenceNumbers: elements(U16, 1, 0x1_0000) },

  read(body, _, room) {
    const senderSsrc = body.u32();
    const mediaSsrc = body.u32();
    if (body.failed || body.remaining < 4) return undefined;
    const sequenceNumbers: number[] = [];
    while (body.remaining >= 4) {
      const first = body.u16();
      const following = body.u16();
      sequenceNumbers.push(first);
      for (let i = 0; following >> i !== 0; i++) {
        if (((following >> i) & 1) !== 0) sequenceNumbers.push(add16(first, i + 1));
      }
      if (sequenceNumbers.length > room) return undefined;
    }
    return { type: 'nack', senderSsrc, mediaSsrc, sequenceNumbers };
  },

  length({ sequenceNumbers }) {
    let entries = 0;
    let first = -1;
    for (const number of sequenceNumbers) {
      if (first >= 0 && add16(number, -first) <= 16) continue;
      first = number;
      entries++;
    }
    return FIXED_LENGTH + 4 * entries;
  },

  write({ senderSsrc, mediaSsrc, sequenceNumbers }, into, start, length) {
    const body = writeHeader(into, start, PACKET_TYPE.transportFeedback, FORMAT.nack, length);
    writeU32(into, body, senderSsrc);
    writeU32(into, body + 4, mediaSsrc);
    let at = body + 4;
    let first = -1;
    for (const number of sequenceNumbers) {
      const ahead = add16(number, -first);
      if (first >= 0 && ahead <= 16) {
        if (ahead > 0) writeU16(into, at + 2, readU16(into, at + 2) | (1 << (ahead - 1)));
        continue;
      }
      first = number;
      at += 4;
      writeU16(into, at, number);
      writeU16(into, at + 2, 0);
    }
  },
};
