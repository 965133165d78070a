import { describe, expect, test } from 'vitest';
import { RtcpOutbox } from '../../src/media/rtcp-outbox.ts';
import type { RtcpPacket, SenderReport } from '../../src/rtp/index.ts';
import { readRtcp } from '../../src/rtp/index.ts';

const LIMIT = 1180;
const into = new Uint8Array(1500);

function sent(outbox: RtcpOutbox, limit = LIMIT): RtcpPacket[][] {
  const datagrams: RtcpPacket[][] = [];
  for (let length = outbox.write(into, 8, limit); length > 0; length = outbox.write(into, 8, limit)) {
    expect(length).toBeLessThanOrEqual(limit);
    const { packets, malformed, unknown } = readRtcp(into.slice(8, 8 + length));
    expect({ malformed, unknown }).toEqual({ malformed: 0, unknown: 0 });
    datagrams.push(packets);
  }
  return datagrams;
}

const types = (datagrams: RtcpPacket[][]): string[][] => datagrams.map((one) => one.map(({ type }) => type));

const report = (ssrc: number): SenderReport => ({
  type: 'sender-report',
  ssrc,
  ntpSeconds: 1,
  ntpFraction: 2,
  rtpTimestamp: 3,
  packetCount: 4,
  octetCount: 5,
  reports: [],
});

const PLI: RtcpPacket = { type: 'pli', senderSsrc: 7, mediaSsrc: 8 };

describe('compounds', () => {
  test('a report begins with SR, or RR where nothing is sent, and says the CNAME (RFC 3550 §6.1)', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.pushReports([], []);
    outbox.pushReports([report(9)], []);
    const datagrams = sent(outbox);
    expect(types(datagrams)).toEqual([
      ['receiver-report', 'source-description'],
      ['sender-report', 'source-description'],
    ]);
    expect(datagrams[1]?.[1]).toMatchObject({
      chunks: [{ ssrc: 9, items: [{ type: 'cname', text: 'name' }] }],
    });
  });

  test('each source has a report of its own', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.pushReports([report(1), report(2), report(3)], []);
    expect(sent(outbox).map(([first]) => first)).toMatchObject([{ ssrc: 1 }, { ssrc: 2 }, { ssrc: 3 }]);
  });

  test('feedback goes behind a report, or an empty one and a CNAME', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.push(PLI);
    expect(types(sent(outbox))).toEqual([['receiver-report', 'source-description', 'pli']]);
    outbox.push(PLI);
    outbox.pushReports([], []);
    expect(types(sent(outbox))).toEqual([['receiver-report', 'source-description', 'pli']]);
  });

  test('feedback goes alone where reduced size is agreed on (RFC 5506)', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.isReduced = true;
    outbox.push(PLI);
    outbox.push(PLI);
    expect(types(sent(outbox))).toEqual([['pli', 'pli']]);
  });

  test('what does not fit goes with the next datagram, and what fits into none is counted', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.isReduced = true;
    for (let i = 0; i < 20; i++) outbox.push(PLI);
    expect(types(sent(outbox, 100)).map(({ length }) => length)).toEqual([8, 8, 4]);
    const numbers = Array.from({ length: 100 }, (_, i) => (i * 20) & 0xffff);
    outbox.push({ type: 'nack', senderSsrc: 7, mediaSsrc: 8, sequenceNumbers: numbers });
    outbox.push(PLI);
    expect(types(sent(outbox, 100))).toEqual([['pli']]);
    expect(outbox.dropped).toBe(1);
  });

  test('feedback that fits a datagram of its own is never dropped, however little fits beside it', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.isReduced = true;
    const numbers = Array.from({ length: 18 }, (_, i) => (i * 20) & 0xffff);
    outbox.pushReports([], []);
    for (let i = 0; i < 3; i++) {
      outbox.push({ type: 'nack', senderSsrc: 7, mediaSsrc: 8, sequenceNumbers: numbers });
    }
    const datagrams = [['receiver-report', 'source-description'], ['nack'], ['nack'], ['nack']];
    expect(types(sent(outbox, 100))).toEqual(datagrams);
    expect(outbox.dropped).toBe(0);
  });

  test('BYE goes behind a report (RFC 3550 §6.1), in as many packets as it takes, and is in nobody’s way', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.push(PLI);
    outbox.pushBye([]);
    outbox.pushBye(Array.from({ length: 40 }, (_, i) => i));
    const datagrams = sent(outbox);
    const bye = ['receiver-report', 'source-description', 'bye'];
    expect(types(datagrams)).toEqual([[...bye, 'pli'], bye]);
    const byes = datagrams.flat().filter((packet) => packet.type === 'bye');
    expect(byes.map(({ ssrcs }) => ssrcs.length)).toEqual([31, 9]);
  });

  test('BYE of more sources than one packet names is several, each behind a report', () => {
    const outbox = new RtcpOutbox(7, 'name');
    outbox.pushBye(Array.from({ length: 70 }, (_, index) => index));
    const bye = ['receiver-report', 'source-description', 'bye'];
    expect(types(sent(outbox))).toEqual([bye, bye, bye]);
    expect(outbox.dropped).toBe(0);
  });

  test('no more waits than is bounded', () => {
    const outbox = new RtcpOutbox(7, 'name');
    for (let i = 0; i < 1000; i++) outbox.push(PLI);
    expect(outbox.size).toBe(256);
    expect(outbox.dropped).toBe(744);
  });
});
