/** APP (RFC 3550 §6.7): SSRC, a name of four characters, and data of an application's own. */
import { writeU32 } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import { integer, required } from '../../core/options.ts';
import { encodeUtf8 } from '../../core/text.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, WORDS, writeHeader } from './form.ts';
import { PACKET_TYPE } from './packet-types.ts';
import type { App } from './packet.ts';

/** Bytes with the header in front of the data. */
const FIXED_LENGTH = 12;

/** Packets of an application's own as bytes. */
export const APP: PacketForm<App> = {
  rules: {
    type: ANY_TYPE,
    ssrc: U32,
    subtype: required(integer(0, 31)),
    name: required((value, name) => {
      if (typeof value !== 'string' || !/^[\0-\x7f]{4}$/.test(value)) {
        throw badArgument(name, 'four characters of ASCII', value);
      }
    }),
    data: WORDS,
  },

  read(body, subtype) {
    const ssrc = body.u32();
    const name = body.view(4);
    if (body.failed || name.some((byte) => byte > 0x7f)) return undefined;
    return {
      type: 'app',
      ssrc,
      subtype,
      name: String.fromCharCode(...name),
      data: body.view(body.remaining & ~3),
    };
  },

  length({ data }) {
    return FIXED_LENGTH + data.length;
  },

  write({ ssrc, subtype, name, data }, into, at, length) {
    const body = writeHeader(into, at, PACKET_TYPE.app, subtype, length);
    writeU32(into, body, ssrc);
    into.set(encodeUtf8(name), body + 4);
    into.set(data, at + FIXED_LENGTH);
  },
};
