/** Packets in one line, and without what applications say. */
import { describe, expect, it } from 'vitest';
import type { RtcpPacket } from '../../src/rtp/index.ts';
import { readRtcp } from '../../src/rtp/index.ts';
import {
  blankApplicationRtcp,
  blankRtpPayload,
  rtcpSummary,
  rtpSummary,
  srtpSummary,
} from '../../src/rtp/summary.ts';
import { compoundOf, hex } from './rtcp/packets.ts';

const RTP = hex('b1e00011 00015f90 000004d2 00000007 bede0001 10aa0000 01020304 0002');

describe('RTP', () => {
  it('in the clear: what is in the header, and how long the payload is', () => {
    expect(rtpSummary(RTP)).toBe('RTP 96 marker sequence 17 time 90000 of 1234, 4 bytes');
    expect(rtpSummary(RTP.subarray(0, 11))).toBe('RTP malformed, 11 bytes');
  });

  it('sealed: what is left in the clear', () => {
    expect(srtpSummary(RTP)).toBe('SRTP 96 sequence 17 of 1234, 30 bytes');
    expect(srtpSummary(RTP.subarray(0, 11))).toBe('SRTP malformed, 11 bytes');
    expect(srtpSummary(hex('80c80001 00000005 ffff'))).toBe('SRTCP of 5, 10 bytes');
    expect(srtpSummary(hex('80c80001'))).toBe('SRTCP malformed, 4 bytes');
  });

  it('without its payload: header and padding stay', () => {
    expect(blankRtpPayload(RTP)).toEqual(
      hex('b1e00011 00015f90 000004d2 00000007 bede0001 10aa0000 00000000 0002'),
    );
    expect(blankRtpPayload(hex('0102'))).toEqual(hex('0000'));
  });
});

const of = { senderSsrc: 1, mediaSsrc: 2 };
const PACKETS: readonly (readonly [RtcpPacket, string])[] = [
  [{ type: 'receiver-report', ssrc: 1, reports: [] }, 'RR of 1 reports 0'],
  [{ type: 'source-description', chunks: [{ ssrc: 1, items: [] }] }, 'SDES of 1'],
  [{ type: 'bye', ssrcs: [1, 2] }, 'BYE of 1 2'],
  [{ type: 'app', ssrc: 1, subtype: 0, name: 'te\nt', data: hex('01020304') }, 'APP of 1 "te\\nt"'],
  [{ type: 'extended-report', ssrc: 1, blocks: [] }, 'XR of 1'],
  [{ type: 'nack', ...of, sequenceNumbers: [100, 102, 500] }, 'NACK of 1 to 2: 100+1 500'],
  [{ type: 'pli', ...of }, 'PLI of 1 to 2'],
  [
    {
      type: 'fir',
      senderSsrc: 1,
      entries: [
        { ssrc: 2, sequenceNumber: 0 },
        { ssrc: 3, sequenceNumber: 0 },
      ],
    },
    'FIR of 1 to 2 3',
  ],
  [{ type: 'remb', senderSsrc: 1, bitrate: 2_000_000, ssrcs: [] }, 'REMB of 1 2000000 bit/s'],
  [
    {
      type: 'transport-feedback',
      ...of,
      baseSequenceNumber: 9,
      referenceTime: 0,
      feedbackCount: 0,
      deltas: [0, null, 1],
    },
    'transport-wide feedback of 1: 3 from 9',
  ],
  [
    { type: 'congestion-feedback', senderSsrc: 1, reportTimestamp: 0, streams: [] },
    'congestion control feedback of 1',
  ],
  [{ type: 'application-feedback', ...of, data: hex('01020304') }, 'application feedback of 1 to 2'],
];

describe('RTCP', () => {
  it.each(PACKETS)('%j', (packet, said) => {
    expect(rtcpSummary(compoundOf(packet))).toBe(`RTCP ${said}`);
  });

  it('several, some that are not known, and one that ends early', () => {
    const pli = compoundOf({ type: 'pli', ...of });
    const bytes = hex(`${Buffer.from(pli).toString('hex')} 80d00000 83cd0000 82ce0000 81ce0002 00000001`);
    expect(rtcpSummary(bytes)).toBe(
      'RTCP PLI of 1 to 2, type 208, feedback 205/3, feedback 206/2, malformed',
    );
    expect(rtcpSummary(compoundOf(...Array<RtcpPacket>(9).fill({ type: 'pli', ...of })))).toMatch(
      /(PLI of 1 to 2, ){8}…$/,
    );
  });

  it('without what applications say: their data are zeros, all else stays', () => {
    const packets = PACKETS.map(([packet]) => packet);
    const blanked = packets.map((packet) =>
      'data' in packet ? { ...packet, data: hex('00000000') } : packet,
    );
    expect(readRtcp(blankApplicationRtcp(compoundOf(...packets))).packets).toEqual(blanked);
    expect(blankApplicationRtcp(hex('80cc0009 01020304'))).toEqual(hex('00000000 00000000'));
  });
});
