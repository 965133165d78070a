/**
 * Feedback on arrivals held against the texts that define it, section by section: draft-holmer-rmcat-transport-wide-cc-extensions-01 and
 * RFC 8888.
 */
import { describe, expect, it } from 'vitest';
import type { CongestionFeedback, RtcpPacket, TransportFeedback } from '../../../src/rtp/index.ts';
import { readRtcp, rtcpLength, writeRtcp } from '../../../src/rtp/index.ts';
import { hex } from './packets.ts';

/** The one packet of these bytes; `undefined`: it is malformed. */
function read(bytes: string): RtcpPacket | undefined {
  const { packets, malformed } = readRtcp(hex(bytes));
  expect(packets.length + malformed).toBe(1);
  return packets[0];
}

/** The bytes of a packet from `from` on, in hexadecimal. */
function written(packet: RtcpPacket, from: number): string {
  const into = new Uint8Array(rtcpLength(packet));
  writeRtcp(packet, into, 0);
  return [...into.subarray(from)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

describe('transport-wide feedback', () => {
  const FIRST = 20;

  /** Chunks and deltas behind what every feedback begins with. @param count of packets, 4 hexadecimal digits */
  function deltasOf(count: string, rest: string): TransportFeedback['deltas'] | undefined {
    const padded = rest.padEnd(Math.ceil(rest.length / 8) * 8, '0');
    const length = (4 + padded.length / 8).toString(16).padStart(4, '0');
    const packet = read(`8fcd${length} 00000001 00000002 0001${count} 000001 00 ${padded}`);
    return packet?.type === 'transport-feedback' ? packet.deltas : undefined;
  }

  const feedback = (deltas: TransportFeedback['deltas']): TransportFeedback => ({
    type: 'transport-feedback',
    senderSsrc: 1,
    mediaSsrc: 2,
    baseSequenceNumber: 1,
    referenceTime: 1,
    feedbackCount: 0,
    deltas,
  });

  it('§3.1.3, the first example: a run of 221 packets not received', () => {
    expect(deltasOf('00de', '00dd200104')).toEqual([...new Array<null>(221).fill(null), 4]);
  });

  it('§3.1.1: the symbol 3 is reserved; the second examples of §3.1.3 and §3.1.4, of an older draft, have it', () => {
    expect(deltasOf('0018', '6018')).toBeUndefined();
    expect(deltasOf('0007', 'cd5004040404')).toBeUndefined();
  });

  it('§3.1.4, the first example: one bit a packet, and 1 is received, though the text above it has it the other way round', () => {
    const came = [0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0].map((bit) => (bit === 1 ? 4 : null));
    expect(deltasOf('000e', '9f1c0404040404040404')).toEqual(came);
    expect(written(feedback(came), FIRST).startsWith('9f1c04')).toBe(true);
  });

  it('§3.1.4: symbols beyond the last packet say nothing', () => {
    expect(deltasOf('0002', 'a00004')).toEqual([4, null]);
  });

  it('§3.1.5: 8 bits without a sign up to 63.75 ms, 16 bits with one beyond and below', () => {
    expect(written(feedback([255]), FIRST)).toBe('2001ff00');
    expect(written(feedback([256]), FIRST)).toBe('40010100');
    expect(written(feedback([-1]), FIRST)).toBe('4001ffff');
    expect(deltasOf('0002', '40027fff8000')).toEqual([0x7fff, -0x8000]);
    expect(() => written(feedback([0x8000]), FIRST)).toThrow();
  });

  it('§3.1: the reference time has a sign', () => {
    const packet = read('8fcd0005 00000001 00000002 00010001 ffffff 07 20010400');
    expect(packet).toMatchObject({ referenceTime: -1, feedbackCount: 7, deltas: [4] });
  });
});

describe('congestion control feedback', () => {
  const report = (streams: CongestionFeedback['streams']): CongestionFeedback => ({
    type: 'congestion-feedback',
    senderSsrc: 1,
    reportTimestamp: 0xaabbccdd,
    streams,
  });

  it('§3.1: a packet that did not come is 0 in all bits, and what else is said of one is ignored', () => {
    const stream = { ssrc: 2, firstSequenceNumber: 3, packets: [null, { ecn: 3, arrivedBefore: 0x1fff }] };
    expect(written(report([stream]), 0)).toBe('8bcd0005000000010000000200030002' + '0000ffff' + 'aabbccdd');
    expect(read('8bcd0005 00000001 00000002 00030002 7fffffff aabbccdd')).toEqual(report([stream]));
  });

  it('§3.1: an odd number of packets ends with 16 bits of 0, whose value nobody reads', () => {
    const stream = { ssrc: 2, firstSequenceNumber: 3, packets: [{ ecn: 1, arrivedBefore: 512 }] };
    expect(written(report([stream]), 0)).toBe('8bcd0005000000010000000200030001' + 'a2000000' + 'aabbccdd');
    expect(read('8bcd0005 00000001 00000002 00030001 a200ffff aabbccdd')).toEqual(report([stream]));
  });

  it('§3.1: a stream of which nothing came may be reported with no packets', () => {
    const streams = [
      { ssrc: 2, firstSequenceNumber: 3, packets: [] },
      { ssrc: 4, firstSequenceNumber: 5, packets: [null] },
    ];
    const bytes = '8bcd0007000000010000000200030000' + '000000040005000100000000' + 'aabbccdd';
    expect(written(report(streams), 0)).toBe(bytes);
    expect(read(bytes)).toEqual(report(streams));
  });

  it('§3.1: of more than 16384 packets no report speaks', () => {
    const packets = new Array<null>(16_385).fill(null);
    expect(() => written(report([{ ssrc: 2, firstSequenceNumber: 0, packets }]), 0)).toThrow();
    expect(read('8bcd0005 00000001 00000002 00034001 00000000 aabbccdd')).toBeUndefined();
  });

  it('§3.1: it says who sends it and when, without a stream, too', () => {
    expect(written(report([]), 0)).toBe('8bcd000200000001aabbccdd');
    expect(read('8bcd0002 00000001 aabbccdd')).toEqual(report([]));
  });
});
