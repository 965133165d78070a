/** How received streams are reported to their sender (RFC 3550 §6.4.1, A.3, A.8), and what its reports tell. */
import { describe, expect, test } from 'vitest';
import type { ExtendedReport, ReportBlock, SenderReport } from '../../../src/rtp/index.ts';
import { middleOf, ntpOf } from '../../../src/rtp/index.ts';
import { AUDIO, NTP_OFFSET, OWN_SSRC, Rig, SIMULCAST, VIDEO } from './rig.ts';

/** Audio from source 1 with these numbers. */
function audio(...sequences: readonly number[]): Rig {
  const rig = new Rig([AUDIO]);
  for (const sequence of sequences) rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence });
  return rig;
}

function blockOf(rig: Rig): ReportBlock | undefined {
  return rig.receiver.reportBlocks(rig.now)[0];
}

function senderReport(ssrc: number, at: number): SenderReport {
  const { seconds, fraction } = ntpOf(NTP_OFFSET + at);
  return {
    type: 'sender-report',
    ssrc,
    ntpSeconds: seconds,
    ntpFraction: fraction,
    rtpTimestamp: 48_000,
    packetCount: 100,
    octetCount: 5000,
    reports: [],
  };
}

describe('a report block', () => {
  test('there is none before any packet', () => {
    expect(new Rig([AUDIO]).receiver.reportBlocks(1000)).toEqual([]);
  });

  test('after packets: nothing lost, the highest number', () => {
    expect(blockOf(audio(10, 11, 12))).toEqual({
      ssrc: 1,
      fractionLost: 0,
      packetsLost: 0,
      highestSequenceNumber: 12,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    });
  });

  test('there is none again until something else has come', () => {
    const rig = audio(10);
    rig.receiver.reportBlocks(rig.now);
    expect(rig.receiver.reportBlocks(rig.now)).toEqual([]);
    rig.take({ ssrc: 1, payloadType: 111, sequence: 11 });
    expect(rig.receiver.reportBlocks(rig.now)).toHaveLength(1);
  });

  test('the highest number counts its cycles', () => {
    expect(blockOf(audio(65_534, 65_535, 0, 1))).toMatchObject({
      highestSequenceNumber: 65_537,
      packetsLost: 0,
    });
  });

  test('loss: of all, and of the interval', () => {
    const rig = audio(1, 2, 4, 8);
    expect(blockOf(rig)).toMatchObject({ packetsLost: 4, fractionLost: 128 });
    for (const sequence of [9, 10, 11, 12]) rig.take({ ssrc: 1, payloadType: 111, sequence });
    expect(blockOf(rig)).toMatchObject({ packetsLost: 4, fractionLost: 0 });
  });

  test('reordering is no loss, in the interval or over its end', () => {
    const rig = audio(1, 3, 2, 6);
    expect(blockOf(rig)).toMatchObject({ packetsLost: 2, fractionLost: 85 });
    for (const sequence of [4, 5]) rig.take({ ssrc: 1, payloadType: 111, sequence });
    expect(blockOf(rig)).toMatchObject({ packetsLost: 0, fractionLost: 0 });
  });

  test('duplicates do not make loss good', () => {
    expect(blockOf(audio(1, 2, 2, 2, 2, 4))).toMatchObject({ packetsLost: 1 });
  });

  test('what RTX brings back stays lost on the path, and is received in the stats', () => {
    const rig = new Rig([VIDEO]);
    for (const sequence of [1, 3]) rig.take({ ssrc: 5, mid: '1', sequence });
    rig.take({ ssrc: 50, mid: '1', payloadType: 97, sequence: 9, repairs: 2 });
    expect(rig.receiver.reportBlocks(rig.now)).toMatchObject([
      { ssrc: 5, packetsLost: 1 },
      { ssrc: 50, packetsLost: 0, highestSequenceNumber: 9 },
    ]);
    expect(rig.receiver.stats()).toMatchObject([
      {
        ssrc: 5,
        packetsReceived: 3,
        retransmittedPacketsReceived: 1,
        retransmittedBytesReceived: 3,
        packetsLost: 1,
      },
    ]);
  });

  test('jitter by RFC 3550 A.8, in units of the clock', () => {
    const rig = new Rig([AUDIO]);
    let expected = 0;
    // 20 ms of media each, with arrivals 30 and 10 ms apart by turns: 10 ms of 48 kHz off each time.
    for (let sequence = 0; sequence < 50; sequence++) {
      const packet = { ssrc: 1, mid: '0', payloadType: 111, sequence, timestamp: 960 * sequence };
      rig.take(packet, sequence % 2 === 0 ? 30 : 10);
      if (sequence > 0) expected += (480 - expected) / 16;
    }
    expect(blockOf(rig)?.jitter).toBe(Math.floor(expected));
    expect(rig.receiver.stats()[0]?.jitter).toBeCloseTo(expected / 48_000, 9);
  });

  test('jitter does not jump where timestamps wrap', () => {
    const rig = new Rig([AUDIO]);
    for (let sequence = 0; sequence < 20; sequence++) {
      const timestamp = 2 ** 32 - 9600 + 960 * sequence;
      rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence, timestamp }, 20);
    }
    expect(blockOf(rig)?.jitter).toBe(0);
  });

  test('the last sender report and the delay since it', () => {
    const rig = audio(1);
    const report = senderReport(1, 500);
    rig.receiver.handleSenderReport(report, rig.now);
    rig.wait(1250);
    expect(blockOf(rig)).toMatchObject({
      lastSenderReport: middleOf(report.ntpSeconds, report.ntpFraction),
      delaySinceLastSenderReport: 1.25 * 65_536,
    });
  });
});

describe('reports of the peer', () => {
  test('tell its clock beside the timestamps', () => {
    const rig = audio(1);
    rig.receiver.handleSenderReport(senderReport(1, 500), rig.now);
    const [event] = rig.drain();
    expect(event).toMatchObject({ type: 'senderreport', stream: { ssrc: 1 }, time: 2 ** 32 + 48_000 });
    expect(event?.type === 'senderreport' && event.ntpTime).toBeCloseTo(NTP_OFFSET + 500, 2);
    expect(rig.receiver.stats()[0]?.remote).toMatchObject({
      packetsSent: 100,
      bytesSent: 5000,
      reportsSent: 1,
    });
  });

  test('of a source that is not received are counted', () => {
    const rig = audio(1);
    rig.receiver.handleSenderReport(senderReport(9, 500), rig.now);
    expect(rig.drain()).toEqual([]);
    expect(rig.receiver.counters.get('unknownReports')).toBe(1);
  });

  test('answers to reference times measure the round trip (RFC 3611 §4.5)', () => {
    const rig = audio(1);
    rig.receiver.handleSenderReport(senderReport(1, 500), rig.now);
    const { seconds, fraction } = ntpOf(NTP_OFFSET + rig.now - 250);
    const lastReceiverReport = middleOf(seconds, fraction);
    const answer = (ssrc: number, delay: number): ExtendedReport => ({
      type: 'extended-report',
      ssrc: 1,
      blocks: [{ type: 'delay-since-last-receiver-report', reports: [{ ssrc, lastReceiverReport, delay }] }],
    });
    // For another one, and from the future: nothing.
    rig.receiver.handleExtendedReport(answer(OWN_SSRC + 1, 0), rig.now);
    rig.receiver.handleExtendedReport(answer(OWN_SSRC, 65_536), rig.now);
    expect(rig.receiver.stats()[0]?.remote?.roundTripTime).toBeUndefined();
    rig.receiver.handleExtendedReport(answer(OWN_SSRC, 0.2 * 65_536), rig.now);
    expect(rig.receiver.stats()[0]?.remote?.roundTripTime).toBeCloseTo(0.05, 3);
    expect(rig.receiver.stats()[0]?.remote).toMatchObject({ roundTripTimeMeasurements: 1 });
  });
});

test('stats name the stream, and the sources for REMB are those of media', () => {
  const rig = new Rig([SIMULCAST]);
  rig.take({ ssrc: 5, mid: '1', rid: 'h' });
  rig.take({ ssrc: 50, mid: '1', payloadType: 97, repairedRid: 'h', repairs: 1 });
  expect(rig.receiver.stats()).toMatchObject([
    {
      mediaId: 2,
      kind: 'video',
      mid: '1',
      rid: 'h',
      ssrc: 5,
      codec: { payloadType: 96 },
      packetsReceived: 1,
      bytesReceived: 3,
      headerBytesReceived: 20,
    },
  ]);
  expect(rig.receiver.ssrcs).toEqual([5]);
});
