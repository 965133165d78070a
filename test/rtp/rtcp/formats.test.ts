/** RTCP packets byte for byte, as the RFCs draw them, read and written. */
import { describe, expect, it } from 'vitest';
import type { ReportBlock, RtcpPacket } from '../../../src/rtp/index.ts';
import { isRtcp, readRtcp, rtcpLength, splitReports, writeRtcp } from '../../../src/rtp/index.ts';
import { compoundOf, hex } from './packets.ts';

const REPORT: ReportBlock = {
  ssrc: 0x01020304,
  fractionLost: 0x80,
  packetsLost: -2,
  highestSequenceNumber: 0x0001ffff,
  jitter: 7,
  lastSenderReport: 0xaabbccdd,
  delaySinceLastSenderReport: 0x10000,
};
const REPORT_HEX = '01020304 80fffffe 0001ffff 00000007 aabbccdd 00010000';

const FORMATS: readonly (readonly [name: string, packet: RtcpPacket, bytes: string])[] = [
  [
    'SR (RFC 3550 §6.4.1)',
    {
      type: 'sender-report',
      ssrc: 0xdeadbeef,
      ntpSeconds: 0xe0000001,
      ntpFraction: 0x80000000,
      rtpTimestamp: 90_000,
      packetCount: 3,
      octetCount: 0xffffffff,
      reports: [REPORT],
    },
    `81c8000c deadbeef e0000001 80000000 00015f90 00000003 ffffffff ${REPORT_HEX}`,
  ],
  [
    'RR (RFC 3550 §6.4.2)',
    { type: 'receiver-report', ssrc: 1, reports: [REPORT, REPORT] },
    `82c9000d 00000001 ${REPORT_HEX} ${REPORT_HEX}`,
  ],
  ['RR without reports', { type: 'receiver-report', ssrc: 1, reports: [] }, '80c90001 00000001'],
  [
    'SDES (RFC 3550 §6.5)',
    {
      type: 'source-description',
      chunks: [
        { ssrc: 1, items: [{ type: 'cname', text: 'ab' }] },
        {
          ssrc: 2,
          items: [
            { type: 'mid', text: '0' },
            { type: 'rtp-stream-id', text: 'h' },
            { type: 'repaired-rtp-stream-id', text: 'h' },
            { type: 8, text: '' },
          ],
        },
      ],
    },
    `82ca0007 00000001 01026162 00000000 00000002 0f01300c 01680d01 68080000`,
  ],
  ['BYE (RFC 3550 §6.6)', { type: 'bye', ssrcs: [1, 2] }, '82cb0002 00000001 00000002'],
  ['BYE with a reason', { type: 'bye', ssrcs: [1], reason: 'bye!' }, '81cb0003 00000001 04627965 21000000'],
  [
    'APP (RFC 3550 §6.7)',
    { type: 'app', ssrc: 1, subtype: 5, name: 'test', data: hex('01020304') },
    '85cc0003 00000001 74657374 01020304',
  ],
  [
    'XR with RRTR and DLRR (RFC 3611 §4.4, §4.5)',
    {
      type: 'extended-report',
      ssrc: 1,
      blocks: [
        { type: 'receiver-reference-time', ntpSeconds: 2, ntpFraction: 3 },
        {
          type: 'delay-since-last-receiver-report',
          reports: [{ ssrc: 4, lastReceiverReport: 5, delay: 6 }],
        },
        { type: 'other', blockType: 7, typeSpecific: 1, data: hex('00000009') },
      ],
    },
    `80cf000a 00000001 04000002 00000002 00000003 05000003 00000004 00000005 00000006 07010001 00000009`,
  ],
  [
    'NACK (RFC 4585 §6.2.1)',
    { type: 'nack', senderSsrc: 1, mediaSsrc: 2, sequenceNumbers: [65_535, 0, 15, 16, 17] },
    '81cd0004 00000001 00000002 ffff8001 00100001',
  ],
  ['PLI (RFC 4585 §6.3.1)', { type: 'pli', senderSsrc: 1, mediaSsrc: 2 }, '81ce0002 00000001 00000002'],
  [
    'FIR (RFC 5104 §4.3.1)',
    { type: 'fir', senderSsrc: 1, entries: [{ ssrc: 2, sequenceNumber: 255 }] },
    '84ce0004 00000001 00000000 00000002 ff000000',
  ],
  [
    'REMB (draft-alvestrand-rmcat-remb-03 §2.2)',
    { type: 'remb', senderSsrc: 1, bitrate: 0x3ffff * 2 ** 5, ssrcs: [2, 3] },
    '8fce0006 00000001 00000000 52454d42 0217ffff 00000002 00000003',
  ],
  [
    'transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1)',
    {
      type: 'transport-feedback',
      senderSsrc: 1,
      mediaSsrc: 2,
      baseSequenceNumber: 0xfffe,
      referenceTime: -2,
      feedbackCount: 9,
      deltas: [1, null, 255, 256, -1, 0],
    },
    '8fcd0007 00000001 00000002 fffe0006 fffffe09 d1a4 01ff 0100 ffff 00000000',
  ],
  [
    'congestion control feedback (RFC 8888 §3.1)',
    {
      type: 'congestion-feedback',
      senderSsrc: 1,
      reportTimestamp: 0x0a0b0c0d,
      streams: [
        {
          ssrc: 2,
          firstSequenceNumber: 0xffff,
          packets: [{ ecn: 1, arrivedBefore: 512 }, null, { ecn: 3, arrivedBefore: 0x1ffe }],
        },
        { ssrc: 3, firstSequenceNumber: 4, packets: [] },
      ],
    },
    '8bcd0008 00000001 00000002 ffff0003 a2000000 fffe0000 00000003 00040000 0a0b0c0d',
  ],
  [
    'feedback of an application (RFC 4585 §6.4)',
    { type: 'application-feedback', senderSsrc: 1, mediaSsrc: 2, data: hex('4142434400000001') },
    '8fce0004 00000001 00000002 41424344 00000001',
  ],
];

describe('formats', () => {
  it.each(FORMATS)('%s', (_, packet, bytes) => {
    expect(Buffer.from(compoundOf(packet)).toString('hex')).toBe(bytes.replaceAll(' ', ''));
    expect(rtcpLength(packet)).toBe(hex(bytes).length);
    expect(readRtcp(hex(bytes))).toEqual({ packets: [packet], malformed: 0, unknown: 0 });
  });

  it('a NACK names exact gaps as a number and a bitmap', () => {
    const entries = (...sequenceNumbers: readonly number[]): string =>
      Buffer.from(
        compoundOf({ type: 'nack', senderSsrc: 0, mediaSsrc: 0, sequenceNumbers }).subarray(12),
      ).toString('hex');
    expect(entries(100)).toBe('00640000');
    expect(entries(100, 101)).toBe('00640001');
    expect(entries(100, 116)).toBe('00648000');
    expect(entries(100, 117)).toBe('0064000000750000');
    expect(entries(65_535, 3)).toBe('ffff0008');
    expect(entries(...Array.from({ length: 17 }, (_, i) => i))).toBe('0000ffff');
    // Not in order: those behind the first are in its bitmap all the same, those in front begin anew.
    expect(entries(10, 12, 11, 9)).toBe('000a000300090000');
    expect(entries(10, 10)).toBe('000a0000');
  });

  it('a REMB cuts off what does not fit its 18 bits', () => {
    const read = (bitrate: number): unknown =>
      readRtcp(compoundOf({ type: 'remb', senderSsrc: 1, bitrate, ssrcs: [] })).packets[0];
    expect(read(262_143)).toMatchObject({ bitrate: 262_143 });
    expect(read(262_145)).toMatchObject({ bitrate: 262_144 });
    expect(read(1_234_567.8)).toMatchObject({ bitrate: 1_234_560 });
    expect(read(0)).toMatchObject({ bitrate: 0 });
  });

  it('views are of the bytes that were read', () => {
    const bytes = compoundOf({ type: 'app', ssrc: 1, subtype: 0, name: 'view', data: hex('01020304') });
    const [packet] = readRtcp(bytes).packets;
    bytes[12] = 0xff;
    expect(packet).toMatchObject({ data: hex('ff020304') });
  });

  it('reports are split by what a packet holds, and none are one packet without', () => {
    expect(splitReports([])).toEqual([[]]);
    const sizes = (count: number): number[] =>
      splitReports(Array<ReportBlock>(count).fill(REPORT)).map(({ length }) => length);
    expect(sizes(31)).toEqual([31]);
    expect(sizes(32)).toEqual([31, 1]);
    expect(sizes(93)).toEqual([31, 31, 31]);
  });
});

describe('RTCP beside RTP (RFC 5761 §4)', () => {
  it('packet types 192 to 223 are RTCP, with version 2 alone', () => {
    const isIt = (first: number, second: number): boolean => isRtcp(Uint8Array.of(first, second, 0, 0));
    for (let second = 0; second < 256; second++)
      expect(isIt(0x80, second)).toBe(second >= 192 && second <= 223);
    expect([0x00, 0x40, 0xc0].map((first) => isIt(first, 200))).toEqual([false, false, false]);
    expect(isRtcp(Uint8Array.of(0x80, 200, 0))).toBe(false);
  });
});

describe('what can be no packet is refused, and nothing is written', () => {
  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['nothing', undefined, /packet/],
    ['an unknown type', { type: 'slice-loss' }, /packet.type/],
    ['a type of Object.prototype', { type: 'constructor' }, /packet.type/],
    ['an SSRC beyond 32 bits', { type: 'pli', senderSsrc: 2 ** 32, mediaSsrc: 0 }, /senderSsrc/],
    ['an SSRC that is missing', { type: 'pli', senderSsrc: 1 }, /mediaSsrc/],
    ['32 report blocks', { type: 'receiver-report', ssrc: 1, reports: Array(32).fill(REPORT) }, /reports/],
    [
      'a fraction beyond 8 bits',
      { type: 'receiver-report', ssrc: 1, reports: [{ ...REPORT, fractionLost: 256 }] },
      /fractionLost/,
    ],
    [
      'no sequence numbers',
      { type: 'nack', senderSsrc: 1, mediaSsrc: 1, sequenceNumbers: [] },
      /sequenceNumbers/,
    ],
    [
      'a sequence number that is none',
      { type: 'nack', senderSsrc: 1, mediaSsrc: 1, sequenceNumbers: [NaN] },
      /sequenceNumbers/,
    ],
    [
      'more NACKs than a length can say',
      {
        type: 'nack',
        senderSsrc: 1,
        mediaSsrc: 1,
        sequenceNumbers: Array.from({ length: 65_536 }, (_, i) => (i * 17) & 0xffff),
      },
      /bytes at the most/,
    ],
    ['an infinite rate', { type: 'remb', senderSsrc: 1, bitrate: Infinity, ssrcs: [] }, /bitrate/],
    ['a negative rate', { type: 'remb', senderSsrc: 1, bitrate: -1, ssrcs: [] }, /bitrate/],
    ['a delta beyond 16 bits', feedback([0x8000]), /deltas/],
    ['feedback on nothing', feedback([]), /deltas/],
    [
      'a description beyond 255 bytes',
      {
        type: 'source-description',
        chunks: [{ ssrc: 1, items: [{ type: 'cname', text: 'ä'.repeat(128) }] }],
      },
      /text/,
    ],
    [
      'a type of description 0',
      { type: 'source-description', chunks: [{ ssrc: 1, items: [{ type: 0, text: '' }] }] },
      /type/,
    ],
    ['a reason beyond 255 bytes', { type: 'bye', ssrcs: [], reason: 'ä'.repeat(128) }, /reason/],
    ['a name of five', { type: 'app', ssrc: 1, subtype: 0, name: 'fives', data: new Uint8Array(0) }, /name/],
    [
      'data of no whole words',
      { type: 'app', ssrc: 1, subtype: 0, name: 'four', data: new Uint8Array(3) },
      /data/,
    ],
    ['a block of no type', { type: 'extended-report', ssrc: 1, blocks: [{}] }, /type/],
    [
      'a block of an unknown type',
      { type: 'extended-report', ssrc: 1, blocks: [{ type: 'loss-rle' }] },
      /type/,
    ],
    [
      'more packets than a report has',
      {
        type: 'congestion-feedback',
        senderSsrc: 1,
        reportTimestamp: 0,
        streams: [{ ssrc: 1, firstSequenceNumber: 0, packets: Array(16_385).fill(null) }],
      },
      /packets/,
    ],
  ];

  it.each(bad)('%s', (_, packet, sentence) => {
    const into = new Uint8Array(400_000);
    expect(() => writeRtcp(packet as RtcpPacket, into, 0)).toThrow(sentence);
    expect(into.every((byte) => byte === 0)).toBe(true);
  });

  it('a place without the room', () => {
    const pli: RtcpPacket = { type: 'pli', senderSsrc: 1, mediaSsrc: 2 };
    const into = new Uint8Array(12);
    for (const offset of [1, -1, 0.5]) expect(() => writeRtcp(pli, into, offset)).toThrow(/offset/);
    expect(into.every((byte) => byte === 0)).toBe(true);
    expect(writeRtcp(pli, into, 0)).toBe(12);
  });
});

function feedback(deltas: readonly number[]): unknown {
  return {
    type: 'transport-feedback',
    senderSsrc: 1,
    mediaSsrc: 1,
    baseSequenceNumber: 0,
    referenceTime: 0,
    feedbackCount: 0,
    deltas,
  };
}
