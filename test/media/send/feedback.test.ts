/** What the peer says of what we send: keyframe requests, estimates, results, reports; and what our reports say. */
import { describe, expect, test } from 'vitest';
import type { MediaStreamEvent } from '../../../src/media/index.ts';
import { sendSettings } from '../../../src/media/send/options.ts';
import type { CongestionFeedback } from '../../../src/rtp/index.ts';
import { middleOf, millisecondsOf } from '../../../src/rtp/index.ts';
import type { MediaInit } from './sent.ts';
import { OPUS, SendingRig, VP8, audio, payload, video } from './sent.ts';

const pli = (ssrc: number) => ({ type: 'pli' as const, senderSsrc: 1, mediaSsrc: ssrc });
const fir = (ssrc: number, sequenceNumber: number) => ({
  type: 'fir' as const,
  senderSsrc: 1,
  entries: [{ ssrc, sequenceNumber }],
});
const request = (reason: 'pli' | 'fir'): MediaStreamEvent => ({
  type: 'keyframerequest',
  mediaId: 0,
  rid: undefined,
  reason,
});

describe('PLI, FIR', () => {
  test('each is told as a request for a keyframe, with the encoding that it means', () => {
    const sources = [{ rid: 'hi', ssrc: 1000, rtxSsrc: 2000 }];
    const rig = new SendingRig([video({ rids: ['hi'], sources })]);
    rig.handle(pli(1000));
    expect(rig.takeEvents()).toEqual([{ type: 'keyframerequest', mediaId: 0, rid: 'hi', reason: 'pli' }]);
    const other = new SendingRig([video()]).handle(fir(1000, 0));
    expect(other.takeEvents()).toEqual([request('fir')]);
    expect(other.sending.stats()[0]).toMatchObject({ pliCount: 0, firCount: 1 });
  });

  test('those that come within the interval are told together, at its end', () => {
    const rig = new SendingRig([video()]).handle(pli(1000));
    rig.tell(100).handle(pli(1000)).handle(pli(1000));
    expect(rig.takeEvents()).toEqual([request('pli')]);
    expect([rig.sending.nextTimeout(), rig.sending.timeoutReason()]).toEqual([500, 'keyframeRequest']);
    rig.tell(500);
    expect(rig.takeEvents()).toEqual([request('pli')]);
    expect(rig.sending.nextTimeout()).toBe(Infinity);
    rig.tell(900).handle(pli(1000));
    expect(rig.takeEvents()).toEqual([]);
    rig.tell(1000);
    expect(rig.takeEvents()).toEqual([request('pli')]);
    expect(rig.counted()).toEqual({ keyframeRequestsThrottled: 3 });
    expect(rig.sending.stats()[0]).toMatchObject({ pliCount: 4 });
  });

  test('a FIR is a request once for each number', () => {
    const rig = new SendingRig([video()], { keyframeRequestInterval: 0 });
    for (const number of [7, 7, 7, 8, 8]) rig.handle(fir(1000, number));
    expect(rig.takeEvents()).toEqual([request('fir'), request('fir')]);
    expect(rig.counted()).toEqual({ keyframeRequestsRepeated: 3 });
  });

  test('of a source that is not ours asks nobody', () => {
    const rig = new SendingRig([video()]).handle(pli(5)).handle(fir(6, 1));
    expect(rig.takeEvents()).toEqual([]);
    expect(rig.counted()).toEqual({ sentSourcesUnknown: 2 });
  });

  test('a flood of them fills no queue: one a stream and interval', () => {
    const rig = new SendingRig([video()]);
    for (let i = 0; i < 10_000; i++) rig.handle(pli(1000)).handle(fir(1000, i & 0xff));
    expect(rig.events.size).toBe(1);
  });
});

test('REMB is told as it came', () => {
  const rig = new SendingRig([video()]).handle({ type: 'remb', senderSsrc: 1, bitrate: 5e5, ssrcs: [1000] });
  expect(rig.takeEvents()).toEqual([{ type: 'remb', bitrate: 5e5, ssrcs: [1000] }]);
});

test('an event for which there is no room is counted', () => {
  const rig = new SendingRig([video()]);
  for (let i = 0; i < 300; i++) rig.handle({ type: 'remb', senderSsrc: 1, bitrate: i, ssrcs: [] });
  expect(rig.counted()).toEqual({ sendEventsDropped: 300 - 256 });
});

test('transport-wide feedback becomes results, per packet: sent, arrived, when', () => {
  const rig = new SendingRig([video(), audio()]);
  const sizes: number[] = [];
  for (const id of [1, 0, 1]) {
    rig.write({}, id);
    sizes.push(...rig.poll().map(({ bytes }) => bytes.length));
    rig.tell(rig.now + 10);
  }
  rig.handle({
    type: 'transport-feedback',
    senderSsrc: 1,
    mediaSsrc: 3000,
    baseSequenceNumber: 0,
    referenceTime: 1,
    feedbackCount: 0,
    deltas: [4, null, 40],
  });
  const common = [
    { transportSequence: 0, mediaId: 1, ssrc: 3000, size: sizes[0], sentAt: 0, arrivedAt: 65 },
    { transportSequence: 1, mediaId: 0, ssrc: 1000, size: sizes[1], sentAt: 10, arrivedAt: undefined },
    { transportSequence: 2, mediaId: 1, ssrc: 3000, size: sizes[2], sentAt: 20, arrivedAt: 75 },
  ];
  expect(rig.takeEvents()).toEqual([{ type: 'packetresults', results: common }]);
});

describe('feedback by source (RFC 8888)', () => {
  const told = (streams: CongestionFeedback['streams']): CongestionFeedback => ({
    type: 'congestion-feedback',
    senderSsrc: 1,
    reportTimestamp: 65_536,
    streams,
  });
  const came = { ecn: 0, arrivedBefore: 512 };

  test('tells what became of packets without transport-wide numbers, RTX among them', () => {
    const rig = new SendingRig([
      video({ headerExtensions: [], codecs: [{ ...VP8, rtcpFeedback: ['nack', 'ack ccfb'] }] }),
    ]);
    rig.write({});
    const [packet] = rig.poll();
    const [again] = rig.nack(1000, packet?.sequenceNumber ?? 0).poll();
    rig.handle(
      told([
        { ssrc: 1000, firstSequenceNumber: packet?.sequenceNumber ?? 0, packets: [null] },
        { ssrc: 2000, firstSequenceNumber: again?.sequenceNumber ?? 0, packets: [came] },
      ]),
    );
    const common = { mediaId: 0, sentAt: 0 };
    const results = [
      { ...common, transportSequence: 0, ssrc: 1000, size: packet?.bytes.length, arrivedAt: undefined },
      { ...common, transportSequence: 1, ssrc: 2000, size: again?.bytes.length, arrivedAt: 500 },
    ];
    expect(rig.takeEvents()).toEqual([{ type: 'packetresults', results }]);
    expect(rig.sending.feedbackCounters.get('congestionFeedbacks')).toBe(1);
  });

  test('where it was not agreed on is understood from the first one on', () => {
    const rig = new SendingRig([video({ headerExtensions: [] })]);
    const numbers: number[] = [];
    for (let i = 0; i < 2; i++) {
      rig.write({});
      numbers.push(...rig.poll().map(({ sequenceNumber }) => sequenceNumber));
      rig.handle(told([{ ssrc: 1000, firstSequenceNumber: numbers[i] ?? 0, packets: [came] }]));
    }
    expect(rig.takeEvents()).toMatchObject([{ type: 'packetresults', results: [{ ssrc: 1000 }] }]);
    expect(rig.sending.feedbackCounters.get('unknownFeedbackPackets')).toBe(1);
  });

  test('of nothing that was sent tells nothing', () => {
    const rig = new SendingRig([video()]);
    rig.handle(told([{ ssrc: 9, firstSequenceNumber: 0, packets: [came, null] }])).handle(told([]));
    expect(rig.takeEvents()).toEqual([]);
  });
});

test('how much is remembered for feedback is an option', () => {
  const rig = new SendingRig([video()], { sentPackets: { maxSentPackets: 256 } });
  for (let i = 0; i < 300; i++) {
    rig.write({});
    rig.poll();
  }
  expect(rig.sending.feedbackCounters.get('untoldSentPackets')).toBe(44);
  expect(() => sendSettings({ sentPackets: { maxSentPackets: 1 } })).toThrow(/maxSentPackets/);
});

describe('sender reports', () => {
  test('SR counters, NTP time by the offset, and the timestamp of that moment', () => {
    const rig = new SendingRig([audio()], { ntpOffset: 3_900_000_000_000 });
    rig.tell(100).write({ timestamp: 48_000, payload: payload(0, 160) }, 1);
    rig.poll();
    rig.tell(120).write({ timestamp: 48_960, payload: payload(0, 150) }, 1);
    rig.poll();
    const [report, ...others] = rig.sending.senderReports(1120);
    expect(others).toEqual([]);
    expect(report).toMatchObject({ ssrc: 3000, packetCount: 2, octetCount: 310, reports: [] });
    expect(report?.rtpTimestamp).toBe(48_960 + 48_000);
    const ntp = millisecondsOf(report?.ntpSeconds ?? 0, report?.ntpFraction ?? 0);
    expect(ntp).toBeCloseTo(3_900_000_001_120, 2);
  });

  test('of what has sent since the last one alone', () => {
    const rig = new SendingRig([video(), audio()]);
    expect(rig.sending.senderReports(0)).toEqual([]);
    rig.write({});
    rig.poll();
    expect(rig.sending.senderReports(0).map(({ ssrc }) => ssrc)).toEqual([1000]);
    expect(rig.sending.senderReports(10)).toEqual([]);
    rig.write({}, 1);
    rig.poll();
    expect(rig.sending.senderReports(20).map(({ ssrc }) => ssrc)).toEqual([3000]);
  });

  test('count the timestamp from the first packet of a picture, over a wrap, and not from a late one', () => {
    const rig = new SendingRig([video()]);
    const write = (now: number, timestamp: number): void => {
      rig.tell(now).write({ timestamp });
      rig.poll();
    };
    write(0, 2 ** 32 - 90);
    write(10, 2 ** 32 + 810);
    write(15, 2 ** 32 + 810);
    write(20, 2 ** 32 - 90);
    expect(rig.sending.senderReports(110)[0]?.rtpTimestamp).toBe(810 + 9000);
  });

  test('a host whose media time goes back gets reports of the new time', () => {
    const rig = new SendingRig([video()]);
    for (const timestamp of [5_000_000, 5, 0]) {
      rig.write({ timestamp });
      rig.poll();
      expect(rig.sending.senderReports(rig.now)[0]?.rtpTimestamp).toBe(
        timestamp === 0 ? 5 + 1800 : timestamp,
      );
      rig.tell(rig.now + 20);
    }
  });

  test('none follows a BYE, until something is sent again', () => {
    const rig = new SendingRig([audio()]);
    rig.write({}, 1);
    rig.poll();
    expect(rig.sending.setMedia([audio({ direction: 'recvonly' })], rig.now)).toEqual([3000]);
    expect(rig.sending.senderReports(rig.now)).toEqual([]);
    rig.sending.setMedia([audio()], rig.now);
    expect(rig.sending.senderReports(rig.now)).toEqual([]);
    rig.write({}, 1);
    rig.poll();
    expect(rig.sending.senderReports(rig.now)).toMatchObject([{ ssrc: 3000, packetCount: 2 }]);
  });
});

describe('BYE', () => {
  test('names the sources that have sent, each once (RFC 3550 §6.3.7)', () => {
    const rig = new SendingRig([video(), audio()]);
    expect(rig.sending.leave()).toEqual([]);
    rig.write({});
    const [packet] = rig.poll();
    rig.nack(1000, packet?.sequenceNumber ?? 0).poll();
    expect(rig.sending.leave()).toEqual([1000, 2000]);
    expect(rig.sending.leave()).toEqual([]);
  });

  /** A connection that has sent audio, video and RTX. */
  function sending(init: MediaInit = {}): SendingRig {
    const rig = new SendingRig([video(init), audio()]);
    rig.write({});
    rig.write({}, 1);
    const packets = rig.poll();
    rig.nack(1000, packets.find(({ ssrc }) => ssrc === 1000)?.sequenceNumber ?? 0).poll();
    return rig;
  }

  test.each([
    ['is over', []],
    ['is inactive', [video({ direction: 'inactive' })]],
    ['is received alone', [video({ direction: 'recvonly' })]],
    ['has no codec left', [video({ codecs: [] })]],
  ])('one media that %s: of its source and that of RTX, and no other', (_, left) => {
    const rig = sending();
    expect(rig.sending.setMedia([...left, audio()], rig.now)).toEqual([1000, 2000]);
    expect(rig.sending.setMedia([...left, audio()], rig.now)).toEqual([]);
    expect(rig.sending.leave()).toEqual([3000]);
  });

  test('a source that gives way to another one', () => {
    const rig = sending();
    const other = video({ sources: [{ ssrc: 1001, rtxSsrc: 2000 }] });
    expect(rig.sending.setMedia([other, audio()], rig.now)).toEqual([1000]);
    expect(rig.sending.leave()).toEqual([2000, 3000]);
  });

  test('what is only agreed on anew, or paused, does not leave', () => {
    const rig = new SendingRig([video({ rids: ['a'], sources: [{ rid: 'a', ssrc: 1000 }] })]);
    rig.sender(0, 'a').write({ payload: payload(0), timestamp: 0 });
    rig.poll();
    const agreed = video({ mid: 'z', rids: ['a'], sources: [{ rid: 'a', ssrc: 1000 }] });
    const encodings = [{ rid: 'a', active: false }];
    expect(rig.sending.setMedia([agreed], rig.now)).toEqual([]);
    expect(rig.sending.setMedia([{ ...agreed, send: { ...agreed.send, encodings } }], rig.now)).toEqual([]);
  });

  test('what comes back has the sources that it had, and goes on with their numbers', () => {
    const rig = sending();
    const { ssrc } = rig.sender();
    rig.write({});
    const [last] = rig.poll();
    rig.sending.setMedia([video({ direction: 'recvonly', sources: [] }), audio()], rig.now);
    rig.sending.setMedia([video({ sources: [] }), audio()], rig.now);
    expect(rig.sender().ssrc).toBe(ssrc);
    rig.write({});
    const [next] = rig.poll();
    expect(next?.sequenceNumber).toBe((last?.sequenceNumber ?? 0) + 1);
    expect(rig.sending.setMedia([audio()], rig.now)).toEqual([1000]);
  });
});

describe('report blocks', () => {
  /** A packet and a report at 1000 ms: what a block refers to it by. */
  function reported(rig: SendingRig): number {
    rig.tell(1000).write({}, 1);
    rig.poll();
    const [report] = rig.sending.senderReports(1000);
    return middleOf(report?.ntpSeconds ?? 0, report?.ntpFraction ?? 0);
  }

  test('loss, jitter and round trip by LSR and DLSR', () => {
    const rig = new SendingRig([audio()]);
    const lastSenderReport = reported(rig);
    rig.tell(1300);
    const number = 65_536 + 5;
    const measures = { fractionLost: 64, packetsLost: 3, jitter: 480, highestSequenceNumber: number };
    rig.report(3000, { ...measures, lastSenderReport, delaySinceLastSenderReport: 65_536 / 4 });
    rig.report(3000, { ...measures, lastSenderReport, delaySinceLastSenderReport: 65_536 / 5 });
    const remote = rig.sending.stats()[0]?.remote;
    expect(remote).toMatchObject({ packetsLost: 3, fractionLost: 0.25, jitter: 0.01 });
    expect(remote?.roundTripTime).toBeCloseTo(0.1, 3);
    expect(remote?.totalRoundTripTime).toBeCloseTo(0.15, 3);
    expect(remote?.roundTripTimeMeasurements).toBe(2);
  });

  test('what was received is what was expected without what was lost', () => {
    const rig = new SendingRig([audio()]);
    const numbers: number[] = [];
    for (let i = 0; i < 10; i++) {
      rig.write({}, 1);
      numbers.push(...rig.poll().map(({ sequenceNumber }) => sequenceNumber));
    }
    rig.report(3000, { highestSequenceNumber: numbers[9] ?? 0, packetsLost: 2 });
    expect(rig.sending.stats()[0]?.remote).toMatchObject({ packetsReceived: 8, roundTripTime: undefined });
  });

  test('one that tells a round trip that cannot be is counted, and measures nothing', () => {
    const rig = new SendingRig([audio()]);
    const lastSenderReport = reported(rig);
    rig.report(3000, { lastSenderReport, delaySinceLastSenderReport: 65_536 });
    rig.report(3000, { lastSenderReport: (lastSenderReport - 65_536 * 100) >>> 0 });
    rig.report(3000, { lastSenderReport: 1, delaySinceLastSenderReport: 0xffff_ffff });
    expect(rig.sending.stats()[0]?.remote?.roundTripTime).toBeUndefined();
    expect(rig.counted()['roundTripsRefused']).toBeGreaterThanOrEqual(2);
  });

  test('the round trip that they tell is the one within most of which nothing is sent twice', () => {
    const rig = new SendingRig([video()]);
    rig.tell(1000).write({});
    const [packet] = rig.poll();
    const number = packet?.sequenceNumber ?? 0;
    const [report] = rig.sending.senderReports(1000);
    const lastSenderReport = middleOf(report?.ntpSeconds ?? 0, report?.ntpFraction ?? 0);
    rig.tell(1200).report(1000, { highestSequenceNumber: number, lastSenderReport });
    expect(rig.nack(1000, number).poll()).toHaveLength(1);
    rig.tell(1340);
    expect(rig.nack(1000, number).poll()).toHaveLength(0);
    rig.tell(1360);
    expect(rig.nack(1000, number).poll()).toHaveLength(1);
  });

  test('in sender reports count as those in receiver reports; unknown sources change nothing', () => {
    const rig = new SendingRig([audio()]);
    const block = {
      ssrc: 3000,
      fractionLost: 0,
      packetsLost: 1,
      highestSequenceNumber: 0,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    };
    rig.handle({
      type: 'sender-report',
      ssrc: 1,
      ntpSeconds: 0,
      ntpFraction: 0,
      rtpTimestamp: 0,
      packetCount: 0,
      octetCount: 0,
      reports: [block, { ...block, ssrc: 77 }],
    });
    expect(rig.sending.stats()[0]?.remote).toMatchObject({ packetsLost: 1 });
    expect(rig.counted()).toEqual({ sentSourcesUnknown: 1 });
  });

  test('a peer whose reports never come sees mid on every packet', () => {
    const rig = new SendingRig([audio()]);
    for (let i = 0; i < 20; i++) rig.write({}, 1);
    expect(rig.poll().every((packet) => packet.extension(1) !== undefined)).toBe(true);
  });
});

test('stats name the codec of what was sent last, not that of a tone', () => {
  const rig = new SendingRig([audio()]);
  rig.write({}, 1);
  rig.sender(1).writeDtmf('1');
  rig.run(500);
  expect(rig.sending.stats()[0]?.codec).toBe(OPUS);
  expect(new SendingRig([video()]).sending.stats()[0]?.codec).toBe(VP8);
});
