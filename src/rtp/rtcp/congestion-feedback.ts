/**
 * Congestion control feedback (RFC 8888 §3.1): which packets of each stream have come, when, and how they were marked.
 *
 *     SSRC of who says it │ of each stream: SSRC │ first sequence number (16), packets (16) │ of each: came (1) ECN (2) before the report (13) …
 *     │ 0, to the end of the word │ … │ time of the report
 */
import type { Reader } from '../../core/bytes.ts';
import { writeU16, writeU32 } from '../../core/bytes.ts';
import { fields, integer, or, required } from '../../core/options.ts';
import type { PacketForm } from './form.ts';
import { ANY_TYPE, U16, U32, elements, writeHeader } from './form.ts';
import { FORMAT, PACKET_TYPE, RTCP_HEADER_LENGTH } from './packet-types.ts';
import type { CongestionFeedback } from './packet.ts';

type Stream = CongestionFeedback['streams'][number];
type Arrival = NonNullable<Stream['packets'][number]>;

/** Packets of a stream that a report speaks of at the most (RFC 8888 §3.1). */
export const MAX_REPORTED_PACKETS = 16_384;

/** Bytes of a stream in front of its packets. */
const STREAM_HEADER = 8;
const TIMESTAMP = 4;

const ARRIVAL = fields<Arrival>({
  ecn: required(integer(0, 3)),
  arrivedBefore: required(integer(0, 0x1fff)),
});

const STREAM = fields<Stream>({
  ssrc: U32,
  firstSequenceNumber: U16,
  packets: elements(or(null, ARRIVAL), 0, MAX_REPORTED_PACKETS),
});

/** Congestion control feedback as bytes. */
export const CONGESTION_FEEDBACK: PacketForm<CongestionFeedback> = {
  rules: { type: ANY_TYPE, senderSsrc: U32, reportTimestamp: U32, streams: elements(STREAM, 0, Infinity) },

  read(body, _, room) {
    const senderSsrc = body.u32();
    const streams: Stream[] = [];
    let left = room;
    while (body.remaining > TIMESTAMP) {
      const stream = readStream(body, left);
      if (stream === undefined) return undefined;
      left -= stream.packets.length;
      streams.push(stream);
    }
    const reportTimestamp = body.u32();
    return body.failed ? undefined : { type: 'congestion-feedback', senderSsrc, reportTimestamp, streams };
  },

  length({ streams }) {
    let length = RTCP_HEADER_LENGTH + 4 + TIMESTAMP;
    for (const { packets } of streams) length += STREAM_HEADER + packetsLength(packets.length);
    return length;
  },

  write({ senderSsrc, reportTimestamp, streams }, into, start, length) {
    let at = writeHeader(into, start, PACKET_TYPE.transportFeedback, FORMAT.congestion, length);
    writeU32(into, at, senderSsrc);
    at += 4;
    for (const { ssrc, firstSequenceNumber, packets } of streams) {
      writeU32(into, at, ssrc);
      writeU16(into, at + 4, firstSequenceNumber);
      writeU16(into, at + 6, packets.length);
      at += STREAM_HEADER;
      for (const packet of packets) {
        writeU16(into, at, packet === null ? 0 : 0x8000 | (packet.ecn << 13) | packet.arrivedBefore);
        at += 2;
      }
      if (packets.length % 2 !== 0) {
        writeU16(into, at, 0);
        at += 2;
      }
    }
    writeU32(into, at, reportTimestamp);
  },
};

function readStream(body: Reader, room: number): Stream | undefined {
  const ssrc = body.u32();
  const firstSequenceNumber = body.u16();
  const count = body.u16();
  if (count > room || count > MAX_REPORTED_PACKETS || body.remaining < packetsLength(count)) return undefined;
  const packets: Stream['packets'][number][] = [];
  for (let i = 0; i < count; i++) {
    const metric = body.u16();
    const came = metric >> 15 !== 0;
    packets.push(came ? { ecn: (metric >> 13) & 3, arrivedBefore: metric & 0x1fff } : null);
  }
  body.skip(packetsLength(count) - 2 * count);
  return body.failed ? undefined : { ssrc, firstSequenceNumber, packets };
}

function packetsLength(count: number): number {
  return (2 * count + 3) & ~3;
}
