/** RTCP packets to draw from: any that can be written, as fast-check makes them. */
import fc from 'fast-check';
import type { Bytes } from '../../../src/core/bytes.ts';
import type { RtcpPacket } from '../../../src/rtp/index.ts';
import { rtcpLength, writeRtcp } from '../../../src/rtp/index.ts';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const words = fc
  .array(u32, { maxLength: 8 })
  .map((values) =>
    Uint8Array.from(values.flatMap((value) => [value >>> 24, value >>> 16, value >>> 8, value])),
  );
const text = fc.string({ unit: 'grapheme', maxLength: 20 });

const reports = fc.array(
  fc.record({
    ssrc: u32,
    fractionLost: u8,
    packetsLost: fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
    highestSequenceNumber: u32,
    jitter: u32,
    lastSenderReport: u32,
    delaySinceLastSenderReport: u32,
  }),
  { maxLength: 31 },
);

const sdesItem = fc.record({
  type: fc.oneof(
    fc.constantFrom('cname', 'name', 'email', 'phone', 'loc', 'tool', 'note', 'mid', 'rtp-stream-id'),
    fc.constantFrom<'repaired-rtp-stream-id'>('repaired-rtp-stream-id'),
    fc.constantFrom(8, 9, 14, 200, 255),
  ),
  text,
});

const xrBlock = fc.oneof(
  fc.record({ type: fc.constant('receiver-reference-time'), ntpSeconds: u32, ntpFraction: u32 }),
  fc.record({
    type: fc.constant('delay-since-last-receiver-report'),
    reports: fc.array(fc.record({ ssrc: u32, lastReceiverReport: u32, delay: u32 }), { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('other'),
    blockType: fc.constantFrom(1, 2, 3, 6, 7, 250),
    typeSpecific: u8,
    data: words,
  }),
);

/** In the order in which a NACK is read: each behind the one before, none twice. */
const nacked = fc
  .tuple(u16, fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }))
  .map(([first, steps]) => {
    let number = first;
    return [first, ...steps.map((step) => (number = (number + step) & 0xffff))];
  });

const delta = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 5, arbitrary: u8 },
  { weight: 1, arbitrary: fc.integer({ min: -0x8000, max: 0x7fff }) },
);

/** Runs of one status, as loss and quiet make them, beside what is mixed. */
const deltas = fc
  .array(
    fc.oneof(
      fc.array(delta, { minLength: 1, maxLength: 20 }),
      fc
        .tuple(delta, fc.integer({ min: 1, max: 200 }))
        .map(([one, times]) => Array<typeof one>(times).fill(one)),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((runs) => runs.flat());

const ccfbStream = fc.record({
  ssrc: u32,
  firstSequenceNumber: u16,
  packets: fc.array(
    fc.option(
      fc.record({
        ecn: fc.integer({ min: 0, max: 3 }),
        arrivedBefore: fc.integer({ min: 0, max: 0x1fff }),
      }),
    ),
    { maxLength: 40 },
  ),
});

/** A packet of any type, such that reading gives it back. */
export const rtcpPacket: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    type: fc.constant('sender-report'),
    ssrc: u32,
    ntpSeconds: u32,
    ntpFraction: u32,
    rtpTimestamp: u32,
    packetCount: u32,
    octetCount: u32,
    reports,
  }),
  fc.record({ type: fc.constant('receiver-report'), ssrc: u32, reports }),
  fc.record({
    type: fc.constant('source-description'),
    chunks: fc.array(fc.record({ ssrc: u32, items: fc.array(sdesItem, { maxLength: 6 }) }), { maxLength: 6 }),
  }),
  fc.record(
    { type: fc.constant('bye'), ssrcs: fc.array(u32, { maxLength: 31 }), reason: text },
    { requiredKeys: ['type', 'ssrcs'] },
  ),
  fc.record({
    type: fc.constant('app'),
    ssrc: u32,
    subtype: fc.integer({ min: 0, max: 31 }),
    name: fc.string({ unit: 'binary-ascii', minLength: 4, maxLength: 4 }),
    data: words,
  }),
  fc.record({ type: fc.constant('extended-report'), ssrc: u32, blocks: fc.array(xrBlock, { maxLength: 5 }) }),
  fc.record({ type: fc.constant('nack'), senderSsrc: u32, mediaSsrc: u32, sequenceNumbers: nacked }),
  fc.record({ type: fc.constant('pli'), senderSsrc: u32, mediaSsrc: u32 }),
  fc.record({
    type: fc.constant('fir'),
    senderSsrc: u32,
    entries: fc.array(fc.record({ ssrc: u32, sequenceNumber: u8 }), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('remb'),
    senderSsrc: u32,
    bitrate: fc
      .tuple(fc.integer({ min: 0, max: 2 ** 18 - 1 }), fc.integer({ min: 0, max: 63 }))
      .map(([mantissa, exponent]) => mantissa * 2 ** exponent),
    ssrcs: fc.array(u32, { maxLength: 255 }),
  }),
  fc.record({
    type: fc.constant('transport-feedback'),
    senderSsrc: u32,
    mediaSsrc: u32,
    baseSequenceNumber: u16,
    referenceTime: fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
    feedbackCount: u8,
    deltas,
  }),
  fc.record({
    type: fc.constant('congestion-feedback'),
    senderSsrc: u32,
    reportTimestamp: u32,
    streams: fc.array(ccfbStream, { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('application-feedback'),
    senderSsrc: u32,
    mediaSsrc: u32,
    data: words.filter((data) => String.fromCharCode(...data.subarray(0, 4)) !== 'REMB'),
  }),
);

/** These packets, one behind the other. */
export function compoundOf(...packets: readonly RtcpPacket[]): Bytes {
  const lengths = packets.map(rtcpLength);
  const compound = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const packet of packets) at += writeRtcp(packet, compound, at);
  return compound;
}

/** Bytes written as hexadecimal; blanks are for the reader. */
export function hex(text: string): Bytes {
  return Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
