/**
 * SDES (RFC 3550 §6.5): who the sources are. One chunk a source, each up to a word:
 *
 *     SSRC │ type (8) length (8) text │ … │ 0, to the end of the word
 */
import type { Reader } from '../../core/bytes.ts';
import { writeU32 } from '../../core/bytes.ts';
import type { OptionRule } from '../../core/options.ts';
import { fields, integer, oneOf, required, text } from '../../core/options.ts';
import { decodeUtf8, encodeUtf8 } from '../../core/text.ts';
import { badArgument } from '../../core/errors.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U32, elements, writeHeader } from './form.ts';
import { PACKET_TYPE, RTCP_HEADER_LENGTH } from './packet-types.ts';
import type { SdesItem, SourceDescription } from './packet.ts';

type Chunk = SourceDescription['chunks'][number];
type Item = Chunk['items'][number];

/** Their numbers are the places (RFC 3550 §12.2; RFC 7941, RFC 8843 §16.2 and RFC 8852 §5 registered the last three). */
const ITEMS: readonly (SdesItem | undefined)[] = [
  undefined,
  'cname',
  'name',
  'email',
  'phone',
  'loc',
  'tool',
  'note',
  undefined,
  undefined,
  undefined,
  undefined,
  'rtp-stream-id',
  'repaired-rtp-stream-id',
  undefined,
  'mid',
];

/** Bytes of the text of an item, at the most: its length has eight bits. */
const MAX_TEXT = 255;

const itemText: OptionRule = required((value, name) => {
  text()(value, name);
  if (encodeUtf8(value as string).length > MAX_TEXT)
    throw badArgument(name, `${MAX_TEXT} bytes at the most`, value);
});

const itemType: OptionRule = required((value, name) => {
  if (typeof value === 'number') integer(1, 255)(value, name);
  else oneOf(ITEMS.filter((item) => typeof item === 'string'))(value, name);
});

const ITEM = fields<Item>({ type: itemType, text: itemText });
const CHUNK = fields<Chunk>({ ssrc: U32, items: elements(ITEM, 0, 255) });

/** Source descriptions as bytes. */
export const SOURCE_DESCRIPTION: PacketForm<SourceDescription> = {
  rules: { type: ANY_TYPE, chunks: elements(CHUNK, 0, 31) },

  read(body, count) {
    const chunks: Chunk[] = [];
    for (let i = 0; i < count; i++) {
      const chunk = readChunk(body);
      if (chunk === undefined) return undefined;
      chunks.push(chunk);
    }
    return { type: 'source-description', chunks };
  },

  length({ chunks }) {
    let length = RTCP_HEADER_LENGTH;
    for (const chunk of chunks) length += chunkLength(chunk);
    return length;
  },

  write({ chunks }, into, start, length) {
    let at = writeHeader(into, start, PACKET_TYPE.sourceDescription, chunks.length, length);
    into.fill(0, at, start + length);
    for (const chunk of chunks) {
      writeU32(into, at, chunk.ssrc);
      let item = at + 4;
      for (const { type, text } of chunk.items) {
        const bytes = encodeUtf8(text);
        into[item] = typeof type === 'number' ? type : ITEMS.indexOf(type);
        into[item + 1] = bytes.length;
        into.set(bytes, item + 2);
        item += 2 + bytes.length;
      }
      at += chunkLength(chunk);
    }
  },
};

function readChunk(body: Reader): Chunk | undefined {
  const start = body.offset;
  const ssrc = body.u32();
  const items: Item[] = [];
  for (let number = body.u8(); number !== 0 && !body.failed; number = body.u8()) {
    items.push({ type: ITEMS[number] ?? number, text: decodeUtf8(body.view(body.u8())) });
  }
  body.skip((start - body.offset) & 3);
  return body.failed ? undefined : { ssrc, items };
}

/** With one to four zeros at its end. */
function chunkLength({ items }: Chunk): number {
  let length = 4;
  for (const { text } of items) length += 2 + encodeUtf8(text).length;
  return (length & ~3) + 4;
}
