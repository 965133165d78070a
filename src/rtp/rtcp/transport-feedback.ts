/**
 * Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): which packets have come, and when.
 *
 *     SSRCs of who says it and of the media │ first sequence number (16), packets (16) │ reference time (24), number of the feedback (8) │
 *     chunks of what became of each packet (16 each) … │ how long after the one before each came (8 or 16 each) … │ 0, to the end of the word
 */
import type { Reader } from '../../core/bytes.ts';
import { readU16, writeU16, writeU24, writeU32 } from '../../core/bytes.ts';
import { integer, or, required } from '../../core/options.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U16, U32, U8, elements, writeHeader } from './form.ts';
import { FORMAT, PACKET_TYPE } from './packet-types.ts';
import type { TransportFeedback } from './packet.ts';
import { STATUS, isMissingRun, statusIn, statusOf, statusesIn, writeStatuses } from './packet-statuses.ts';

/** Bytes with the header in front of the first chunk. */
const FIXED_LENGTH = 20;

type Deltas = TransportFeedback['deltas'];

/** Transport-wide feedback as bytes. It says something of one packet at the least, or Chromium takes it for malformed. */
export const TRANSPORT_FEEDBACK: PacketForm<TransportFeedback> = {
  rules: {
    type: ANY_TYPE,
    senderSsrc: U32,
    mediaSsrc: U32,
    baseSequenceNumber: U16,
    referenceTime: required(integer(-0x80_0000, 0x7f_ffff)),
    feedbackCount: U8,
    deltas: elements(or(null, required(integer(-0x8000, 0x7fff))), 1, 0xffff),
  },

  read(body, _, room) {
    const senderSsrc = body.u32();
    const mediaSsrc = body.u32();
    const baseSequenceNumber = body.u16();
    const count = body.u16();
    const referenceTime = (body.u24() << 8) >> 8;
    const feedbackCount = body.u8();
    // A chunk of two bytes may speak of 8,191 packets that did not come: the list is as long as if that were true.
    if (body.failed || count === 0 || count > room) return undefined;
    const deltas = readDeltas(body, count);
    return (
      deltas && {
        type: 'transport-feedback',
        senderSsrc,
        mediaSsrc,
        baseSequenceNumber,
        referenceTime,
        feedbackCount,
        deltas,
      }
    );
  },

  length({ deltas }) {
    return (FIXED_LENGTH + 2 * writeStatuses(deltas) + deltasLength(deltas) + 3) & ~3;
  },

  write(feedback, into, start, length) {
    const { deltas } = feedback;
    const body = writeHeader(into, start, PACKET_TYPE.transportFeedback, FORMAT.transportWide, length);
    writeU32(into, body, feedback.senderSsrc);
    writeU32(into, body + 4, feedback.mediaSsrc);
    writeU16(into, body + 8, feedback.baseSequenceNumber);
    writeU16(into, body + 10, deltas.length);
    writeU24(into, body + 12, feedback.referenceTime);
    into[body + 15] = feedback.feedbackCount;
    let at = start + FIXED_LENGTH;
    at += 2 * writeStatuses(deltas, into, at);
    for (const delta of deltas) {
      if (delta === null) continue;
      const length = statusOf(delta);
      if (length === STATUS.small) into[at] = delta;
      else writeU16(into, at, delta);
      at += length;
    }
    into.fill(0, at, start + length);
  },
};

/** The deltas stand behind all chunks: these are walked over once to find them, and once more beside them. */
function readDeltas(body: Reader, count: number): (number | null)[] | undefined {
  const chunks = body.offset;
  for (let given = 0; given < count;) {
    const more = statusesIn(body.u16(), count - given);
    if (more === 0) return undefined;
    given += more;
  }
  const deltas = new Array<number | null>(count).fill(null);
  for (let first = 0, at = chunks; first < count; at += 2) {
    const chunk = readU16(body.bytes, at);
    const given = statusesIn(chunk, count - first);
    if (!isMissingRun(chunk) && !readChunk(body, chunk, deltas, first, given)) return undefined;
    first += given;
  }
  return deltas;
}

/** The deltas of one chunk. @returns false: they end early, or the status is reserved */
function readChunk(
  body: Reader,
  chunk: number,
  deltas: (number | null)[],
  first: number,
  given: number,
): boolean {
  for (let i = 0; i < given && !body.failed; i++) {
    const status = statusIn(chunk, i);
    if (status === STATUS.small) deltas[first + i] = body.u8();
    else if (status === STATUS.large) deltas[first + i] = (body.u16() << 16) >> 16;
    else if (status !== STATUS.missing) return false;
  }
  return !body.failed;
}

/** A status is as large as the delta that it says is there. */
function deltasLength(deltas: Deltas): number {
  let length = 0;
  for (const delta of deltas) length += statusOf(delta);
  return length;
}
