/** Congestion control feedback (RFC 8888) as its receiver gives it. */
import { describe, expect, it } from 'vitest';
import { CongestionRecorder } from '../../../src/media/feedback/congestion-recorder.ts';
import type { CongestionFeedback } from '../../../src/rtp/index.ts';
import { rtcpLength } from '../../../src/rtp/index.ts';

const SENDER = 5;
const NTP = 0xabcd_0000;

function poll(recorder: CongestionRecorder, now: number): CongestionFeedback[] {
  const all: CongestionFeedback[] = [];
  for (;;) {
    const feedback = recorder.pollFeedback(SENDER, NTP, now);
    if (feedback === undefined) return all;
    all.push(feedback);
  }
}

function came(arrivedBefore: number, ecn = 0): { ecn: number; arrivedBefore: number } {
  return { ecn, arrivedBefore };
}

describe('CongestionRecorder', () => {
  it('packets in order', () => {
    const recorder = new CongestionRecorder();
    recorder.record(1, 100, 0);
    recorder.record(1, 101, 50);
    expect(recorder.nextTimeout()).toBe(100);
    expect(poll(recorder, 100)).toEqual([
      {
        type: 'congestion-feedback',
        senderSsrc: SENDER,
        reportTimestamp: NTP,
        streams: [{ ssrc: 1, firstSequenceNumber: 100, packets: [came(102), came(51)] }],
      },
    ]);
    expect(recorder.nextTimeout()).toBe(Infinity);
  });

  it('reordered packets, within a report and behind one: what was told of has come in reports that overlap, too (§3.1)', () => {
    const recorder = new CongestionRecorder();
    for (const [sequence, at] of [
      [1, 0],
      [3, 10],
      [2, 20],
      [5, 30],
    ] as const)
      recorder.record(1, sequence, at);
    expect(poll(recorder, 100)[0]?.streams[0]?.packets).toEqual([
      came(102),
      came(82),
      came(92),
      null,
      came(72),
    ]);
    recorder.record(1, 4, 110);
    expect(poll(recorder, 200)[0]?.streams).toEqual([
      { ssrc: 1, firstSequenceNumber: 4, packets: [came(92), came(174)] },
    ]);
  });

  it('sequence numbers wrap', () => {
    const recorder = new CongestionRecorder();
    for (const sequence of [65_534, 65_535, 1]) recorder.record(1, sequence, 100);
    expect(poll(recorder, 200)[0]?.streams).toEqual([
      { ssrc: 1, firstSequenceNumber: 65_534, packets: [came(102), came(102), null, came(102)] },
    ]);
  });

  it('packets that are missing, between reports too', () => {
    const recorder = new CongestionRecorder();
    recorder.record(1, 1, 0);
    poll(recorder, 100);
    recorder.record(1, 4, 150);
    expect(poll(recorder, 250)[0]?.streams).toEqual([
      { ssrc: 1, firstSequenceNumber: 2, packets: [null, null, came(102)] },
    ]);
  });

  it('each stream counts for itself; one that is quiet or forgotten is left out', () => {
    const recorder = new CongestionRecorder();
    recorder.record(1, 10, 0);
    recorder.record(2, 500, 0);
    recorder.record(3, 7, 0);
    recorder.forget(3);
    expect(poll(recorder, 100)[0]?.streams.map(({ ssrc }) => ssrc)).toEqual([1, 2]);
    recorder.record(2, 501, 150);
    expect(poll(recorder, 300)[0]?.streams.map(({ ssrc }) => ssrc)).toEqual([2]);
  });

  it('marks are told; of duplicates the first arrival, and congestion if any met it', () => {
    const recorder = new CongestionRecorder();
    recorder.record(1, 1, 0, 0, 1);
    recorder.record(1, 2, 0, 0, 2);
    recorder.record(1, 1, 50, 0, 3);
    recorder.record(1, 2, 50, 0, 1);
    expect(poll(recorder, 100)[0]?.streams[0]?.packets).toEqual([came(102, 3), came(102, 2)]);
  });

  it('a time too long ago says so, and one after the report that it is unknown', () => {
    const recorder = new CongestionRecorder();
    recorder.record(1, 1, 0);
    recorder.record(1, 2, 9_001);
    expect(recorder.pollFeedback(SENDER, NTP, 9_000)?.streams[0]?.packets).toEqual([
      came(0x1ffe),
      came(0x1fff),
    ]);
  });

  it('numbers left out are told of up to a bound, whatever the number of streams', () => {
    const recorder = new CongestionRecorder({ maxArrivals: 512, maxStreams: 8 });
    for (let round = 0; round < 4; round++) {
      for (let ssrc = 1; ssrc <= 8; ssrc++) recorder.record(ssrc, (round * 400) & 0xffff, round * 100);
      const packets = poll(recorder, round * 100 + 100).flatMap(({ streams }) =>
        streams.flatMap((stream) => stream.packets),
      );
      expect(packets.length).toBe(round === 0 ? 8 : 512);
    }
    // 3 intervals of 8 streams with 400 numbers each.
    expect(recorder.counters.get('untoldArrivals')).toBe(3 * (8 * 400 - 512));
    expect(recorder.nextTimeout()).toBe(Infinity);
    recorder.record(8, 1201, 500);
    expect(poll(recorder, 600)[0]?.streams).toEqual([
      { ssrc: 8, firstSequenceNumber: 1201, packets: [came(102)] },
    ]);
  });

  it('nothing is told of streams that are not there any more', () => {
    const recorder = new CongestionRecorder({ maxStreams: 2 });
    recorder.record(1, 10, 0);
    recorder.record(2, 10, 0);
    recorder.retain(new Map([[2, undefined]]));
    recorder.record(3, 10, 0);
    expect(poll(recorder, 100)[0]?.streams.map(({ ssrc }) => ssrc)).toEqual([2, 3]);
  });

  it('§3.1: more than 8189/1024 s before the report is too long ago, and exactly so much is not', () => {
    const largest = (8189 * 1000) / 1024;
    const recorder = new CongestionRecorder();
    recorder.record(1, 1, 1000);
    recorder.record(1, 2, 1000.1);
    expect(poll(recorder, 1000 + largest + 0.1)[0]?.streams[0]?.packets).toEqual([
      came(0x1ffe),
      came(0x1ffd),
    ]);
  });

  it('is bounded under loss and throughput: memory, streams, and the size of a packet', () => {
    const recorder = new CongestionRecorder({ maxStreams: 3 });
    let told = 0;
    for (let i = 0; i < 60_000; i++) {
      if (i % 3 !== 0) for (const ssrc of [1, 2, 3, 4]) recorder.record(ssrc, (i * 2) & 0xffff, i / 5, 1200);
      for (const feedback of poll(recorder, i / 5)) {
        expect(rtcpLength(feedback)).toBeLessThanOrEqual(540);
        told++;
      }
    }
    expect(told).toBeGreaterThan(100);
    const { streams } = recorder.inspect() as { streams: { capacity: number }[] };
    expect(streams).toHaveLength(3);
    for (const { capacity } of streams) expect(capacity).toBeLessThanOrEqual(4096);
    expect(recorder.counters.get('surplusStreamArrivals')).toBe(40_000);
    expect(recorder.counters.get('untoldArrivals')).toBe(0);
  });
});
