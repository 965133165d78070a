/** SourceSwitch: packets of a source that was left, in the places that were kept for them. */
import { expect, test } from 'vitest';
import type { OutgoingPacket, RtpEvent, RtpStream } from '../../../src/media/index.ts';
import type { SourceSwitchOptions } from '../../../src/media/index.ts';
import { SourceSwitch } from '../../../src/media/forward/source-switch.ts';
import { sentVp8, vp8 } from './picture.ts';
import { rtpEvent, stream } from './source.ts';

/** One switch, and packets that come at a time. */
class Bench {
  readonly switching: SourceSwitch;
  now = 0;

  constructor(options: SourceSwitchOptions = {}) {
    this.switching = new SourceSwitch(options);
  }

  event(of: RtpStream, sequence: number, payload: Uint8Array = vp8({ id: sequence & 0x7fff })): RtpEvent {
    return rtpEvent({ stream: of, sequence, time: sequence * 3000, receivedAt: this.now, payload });
  }

  send(of: RtpStream, sequence: number, payload?: Uint8Array): OutgoingPacket | undefined {
    return this.switching.forward(this.event(of, sequence, payload));
  }

  /** The numbers that these are sent as. */
  sequences(of: RtpStream, ...sequences: number[]): (number | undefined)[] {
    return sequences.map((sequence) => this.send(of, sequence)?.sequence);
  }

  get counters(): SourceSwitch['counters'] {
    return this.switching.counters;
  }
}

test('each has its own number, timestamp and picture id, and does not move those that go on', () => {
  const bench = new Bench();
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  bench.send(a, 10);
  bench.send(a, 13);
  bench.now = 40;
  bench.switching.select(b);
  const next = bench.send(b, 500);
  expect([next?.sequence, next?.timestamp, sentVp8(next).pictureId]).toEqual([14, 39_000 + 3600, 14]);
  const late = [11, 12].map((sequence) => bench.send(a, sequence));
  expect(late.map((packet) => [packet?.sequence, packet?.timestamp])).toEqual([
    [11, 33_000],
    [12, 36_000],
  ]);
  expect(late.map((packet) => sentVp8(packet).pictureId)).toEqual([11, 12]);
  const then = bench.send(b, 501);
  expect([then?.sequence, then?.timestamp, sentVp8(then).pictureId]).toEqual([15, 42_600 + 3000, 15]);
  expect(bench.counters).toMatchObject({ packetsForwarded: 6, packetsForwardedLate: 2, placesGivenUp: 0 });
});

test('they come before the next source begins, too, and in a pause', () => {
  const bench = new Bench();
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  bench.sequences(a, 1, 3, 5);
  bench.switching.select(b);
  expect(bench.sequences(a, 2)).toEqual([2]);
  bench.switching.select(undefined);
  expect(bench.sequences(a, 4, 6, 7)).toEqual([4, undefined, undefined]);
  bench.switching.select(b);
  expect(bench.sequences(b, 70)).toEqual([6]);
});

test('numbers behind the last one sent are taken back: none is missing right at the switch', () => {
  const bench = new Bench();
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  bench.sequences(a, 1, 3);
  // Padding behind a loss: 4 keeps a place that nobody knows of.
  expect(bench.send(a, 5, new Uint8Array(0))).toBeUndefined();
  expect(bench.switching.inspect()).toMatchObject({ lastSequence: 4 });
  bench.switching.select(b);
  expect(bench.sequences(b, 90)).toEqual([4]);
  expect(bench.sequences(a, 4, 2)).toEqual([undefined, 2]);
});

test('a place is filled where what comes late is left out', () => {
  const bench = new Bench();
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  bench.sequences(a, 1, 3);
  bench.switching.select(b);
  bench.sequences(b, 50);
  const filled = bench.send(a, 2, new Uint8Array(0));
  expect([filled?.sequence, filled?.payload.length, filled?.timestamp]).toEqual([2, 0, 6000]);
  expect(bench.counters).toMatchObject({ placesFilled: 1, packetsForwardedLate: 0 });
});

test('for lateTimeout, and no longer: what has not come by then is given up', () => {
  for (const [lateTimeout, at, isSent] of [
    [undefined, 2999, true],
    [undefined, 3000, false],
    [100, 99, true],
    [100, 100, false],
    [0, 0, false],
  ] as const) {
    const bench = new Bench({ lateTimeout });
    const [a, b] = [stream(), stream()];
    bench.switching.select(a);
    bench.sequences(a, 1, 3);
    bench.switching.select(b);
    bench.now = at;
    expect(bench.sequences(a, 2)).toEqual([isSent ? 2 : undefined]);
    expect(bench.counters.placesGivenUp).toBe(isSent ? 0 : 1);
  }
});

test('back to a source that was left a moment ago: late ones of both turns have their places, and what went by between has none', () => {
  const bench = new Bench();
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  bench.sequences(a, 1, 4);
  bench.switching.select(b);
  expect(bench.sequences(b, 71, 73)).toEqual([5, 7]);
  bench.sequences(a, 5, 7);
  bench.switching.select(a);
  // 3 is of the first turn, 6 of none; 7 has been seen, and the turn begins with what is newer.
  expect(bench.sequences(a, 3, 6, 7, 8, 10)).toEqual([3, undefined, undefined, 8, 10]);
  expect(bench.sequences(a, 2, 9)).toEqual([2, 9]);
  expect(bench.sequences(b, 72)).toEqual([6]);
});

test('a source does not begin with what was overtaken, whose followers have gone by; one that counts anew begins anywhere', () => {
  const bench = new Bench({ memory: 64 });
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  bench.sequences(a, 1, 2);
  bench.sequences(b, 1000, 1002);
  bench.switching.select(b);
  expect(bench.sequences(b, 1001, 999, 1003)).toEqual([undefined, undefined, 3]);
  bench.switching.select(a);
  bench.switching.select(b);
  expect(bench.sequences(b, 20, 21)).toEqual([4, 5]);
  expect(bench.counters.packetsTooLate).toBe(2);
});

test('of four sources at a time, and not of one that has begun to count anew', () => {
  const bench = new Bench({ memory: 64 });
  const streams = Array.from({ length: 6 }, () => stream());
  for (const of of streams) {
    bench.switching.select(of);
    bench.sequences(of, 1, 3);
  }
  const sent = streams.map((of) => bench.send(of, 2)?.sequence);
  expect(sent).toEqual([undefined, 5, 8, 11, 14, 17]);
  expect(bench.counters.placesGivenUp).toBe(1);

  const again = new Bench({ memory: 64 });
  const [a, b] = [stream(), stream()];
  again.switching.select(a);
  again.sequences(a, 5000, 5002);
  again.switching.select(b);
  again.sequences(b, 1);
  again.switching.select(a);
  expect(again.sequences(a, 5010, 5012, 300, 301)).toEqual([5004, 5006, undefined, 5007]);
  expect(again.counters).toMatchObject({ sourceRestarts: 1, placesGivenUp: 2 });
  expect(again.sequences(a, 302)).toEqual([5008]);
});

test('audio, with the marker where a source begins and not on what comes late', () => {
  const bench = new Bench();
  const [a, b] = [stream({ kind: 'audio' }), stream({ kind: 'audio' })];
  bench.switching.select(a);
  const first = [1, 3].map((sequence) => bench.send(a, sequence, Uint8Array.of(8)));
  bench.switching.select(b);
  const late = bench.send(a, 2, Uint8Array.of(8));
  const next = bench.send(b, 30, Uint8Array.of(8));
  expect([...first, late, next].map((packet) => [packet?.sequence, packet?.marker])).toEqual([
    [1, true],
    [3, false],
    [2, false],
    [4, true],
  ]);
});

test('over the wrap of the numbers, of either source', () => {
  const bench = new Bench();
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  const first = bench.sequences(a, 65_534, 65_537);
  bench.switching.select(b);
  const next = bench.sequences(b, 131_071, 131_073);
  const late = [bench.sequences(a, 65_536, 65_535), bench.sequences(b, 131_072)].flat();
  expect([...first, ...next, ...late].map((sequence) => (sequence ?? NaN) - 32_766)).toEqual([
    0, 3, 4, 6, 2, 1, 5,
  ]);
});

test('what is waited for is seen, and goes when it has come', () => {
  const bench = new Bench();
  const [a, b] = [stream(), stream()];
  bench.switching.select(a);
  bench.sequences(a, 1, 4);
  bench.now = 7;
  bench.switching.select(b);
  expect(bench.switching.isLate(bench.event(a, 2))).toBe(true);
  expect(bench.switching.isLate(bench.event(a, 5))).toBe(false);
  expect(bench.switching.isLate(bench.event(b, 2))).toBe(false);
  expect(bench.switching.inspect()).toMatchObject({ left: [{ ssrc: a.ssrc, missing: 2, leftAt: 0 }] });
  bench.sequences(a, 2);
  expect(bench.switching.inspect()).toMatchObject({ left: [{ missing: 1 }] });
  bench.sequences(a, 3);
  bench.sequences(b, 1);
  bench.switching.select(a);
  expect(bench.switching.inspect()).toMatchObject({ left: [] });
});
