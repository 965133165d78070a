/** How long a gap stands before it is asked for: by what the path reorders, on a virtual clock. */
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../src/core/random.ts';
import type { ReceiveOptions } from '../../../src/media/receive/options.ts';
import { Reordering } from '../../../src/media/receive/reordering.ts';
import { freshSeed } from '../../seed.ts';
import type { PacketInit } from './rig.ts';
import { Rig, VIDEO, VP8, VP8_KEYFRAME, media } from './rig.ts';

const SSRC = 5;
const WITHOUT_RTX = media(2, '1', 'video', [{ ...VP8, rtxPayloadType: undefined }]);

/** What the path does with one packet: how much later it comes; `undefined`: not at all. */
type Fate = (index: number) => number | undefined;

/** What has been asked for: when, counted from the time at which the gap could be seen. */
interface Asked {
  readonly sequence: number;
  readonly at: number;
}

/** A sender of a packet each 5 ms, answering requests after a round trip. */
class Link {
  readonly rig: Rig;
  readonly asked: Asked[] = [];
  readonly #roundTripTime: number;
  readonly #usesRtx: boolean;
  #sequence = 1;
  #rtxSequence = 1;
  #flights: { readonly at: number; readonly packet: PacketInit }[] = [];

  constructor(roundTripTime: number, usesRtx = true, options: ReceiveOptions = {}) {
    this.rig = new Rig([usesRtx ? VIDEO : WITHOUT_RTX], options);
    this.#roundTripTime = roundTripTime;
    this.#usesRtx = usesRtx;
    const facts = { writable: true, largestDatagram: 1200, overhead: 0, generation: 1 };
    this.rig.receiver.setPath({ ...facts, roundTripTime });
    this.rig.take({ ssrc: SSRC, mid: '1', sequence: 0, payload: VP8_KEYFRAME });
  }

  /** Sends `count` packets. @returns how many requests there were for packets */
  run(count: number, fate: Fate): number {
    const before = this.asked.length;
    const end = this.rig.now + 5 * count;
    let index = 0;
    while (this.rig.now < end) {
      if (this.rig.now % 5 === 0) this.#sendNext(fate(index++));
      this.#pass();
    }
    return this.asked.length - before;
  }

  #sendNext(late: number | undefined): void {
    const sequence = this.#sequence++;
    if (late !== undefined) this.#send({ ssrc: SSRC, sequence, timestamp: 450 * sequence }, late);
  }

  #send(packet: PacketInit, after: number): void {
    this.#flights.push({ at: this.rig.now + after, packet });
  }

  #pass(): void {
    for (const { at, packet } of this.#flights) if (at === this.rig.now) this.rig.take(packet);
    this.#flights = this.#flights.filter(({ at }) => at > this.rig.now);
    for (const feedback of this.rig.wait(1)) {
      if (feedback.type !== 'nack') continue;
      for (const sequence of feedback.sequenceNumbers) {
        this.asked.push({ sequence, at: this.rig.now });
        const timestamp = 450 * sequence;
        const repair = {
          ssrc: 50,
          payloadType: 97,
          sequence: this.#rtxSequence++,
          repairs: sequence,
          timestamp,
        };
        this.#send(this.#usesRtx ? repair : { ssrc: SSRC, sequence, timestamp }, this.#roundTripTime);
      }
    }
  }
}

/** Every tenth packet comes 30 ms late. */
const reordered: Fate = (index) => (index % 10 === 5 ? 30 : 0);

/** Every twentieth is lost. */
const lossy: Fate = (index) => (index % 20 === 5 ? undefined : 0);

describe.each([1, 15, 40, 200])('over a round trip of %i ms', (roundTripTime) => {
  test('30 ms of reordering: a handful of requests until that is known, and none afterwards', () => {
    const link = new Link(roundTripTime);
    expect(link.run(200, reordered)).toBeLessThanOrEqual(8);
    expect(link.run(4000, reordered)).toBe(0);
    expect(link.rig.receiver.counters.get('unrecoveredPackets')).toBe(0);
  });

  test('anything up to 30 ms, at random: next to none', () => {
    const seed = freshSeed('reordering');
    const random = new SeededRandom(seed);
    const link = new Link(roundTripTime);
    const fate: Fate = () => (random.unit() < 0.1 ? Math.floor(random.unit() * 31) : 0);
    link.run(1000, fate);
    // 400 packets are late, half of them later than 10 ms.
    expect(link.run(4000, fate), `seed ${seed}`).toBeLessThanOrEqual(8);
  });

  test.each([
    { name: 'RTX', usesRtx: true },
    { name: 'packets sent again as they were', usesRtx: false },
  ])('loss and no reordering: asked for after 10 ms, as ever, with $name', ({ usesRtx }) => {
    const link = new Link(roundTripTime, usesRtx);
    const lost = 1000 / 20;
    link.run(1000, lossy);
    const first = new Map<number, number>();
    for (const { sequence, at } of link.asked) if (!first.has(sequence)) first.set(sequence, at);
    expect(first.size).toBe(lost);
    // A packet each 5 ms from 1000 on: the gap is seen when the next one comes, and asked for at the end of a millisecond.
    for (const [sequence, at] of first) expect(at).toBe(1000 + 5 * sequence + 10);
  });
});

test('reordering that is over is forgotten', () => {
  const link = new Link(40);
  link.run(200, reordered);
  link.run(4000, () => 0);
  const before = link.asked.length;
  const begin = link.rig.now;
  link.run(200, lossy);
  const [first] = link.asked.slice(before);
  // The sixth packet of them is lost, the seventh tells.
  expect(first?.at).toBe(begin + 30 + 10);
});

test('where what is sent again cannot be told from what is late, only what comes unasked is learnt of', () => {
  const link = new Link(40, false);
  expect(link.run(400, (index) => (index % 10 === 5 ? 14 : 0))).toBe(0);
  expect(link.run(400, (index) => (index % 10 === 5 ? 30 : 0))).toBe(40);
});

test('the gate of a missing packet is no longer for a longer wait', () => {
  const rig = new Rig([VIDEO], { nackTimeout: 25, nackDelay: 60 });
  rig.take({ ssrc: SSRC, mid: '1', sequence: 1, payload: VP8_KEYFRAME });
  rig.take({ ssrc: SSRC, sequence: 3 });
  expect(rig.wait(24)).toEqual([]);
  expect(rig.wait(1).map(({ type }) => type)).toEqual(['pli']);
  expect(rig.receiver.counters.get('unrecoveredPackets')).toBe(1);
});

test('the wait stays as it was by an option', () => {
  const link = new Link(40, true, { maxNackDelay: 0 });
  expect(link.run(400, reordered)).toBe(40);
});

describe('Reordering', () => {
  test('waits half as much longer for one odd packet, and no longer than its bound for any number of them', () => {
    const reordering = new Reordering(10, 100);
    expect(reordering.delay(0)).toBe(10);
    reordering.observe(100, 0);
    expect(reordering.delay(0)).toBe(55);
    for (let at = 0; at < 100; at++) reordering.observe(100, at);
    expect(reordering.delay(100)).toBeLessThanOrEqual(100);
    expect(reordering.delay(100)).toBeGreaterThan(95);
  });

  test('takes no notice of what it would not have waited for', () => {
    const reordering = new Reordering(10, 100);
    for (const lateness of [100.5, 3000, 1e12]) reordering.observe(lateness, 0);
    expect(reordering.delay(0)).toBe(10);
    reordering.observe(8, 0);
    expect(reordering.delay(0)).toBe(10);
  });

  test('forgets step by step', () => {
    const reordering = new Reordering(10, 100);
    reordering.observe(80, 0);
    const delays = [0, 10_000, 20_000, 60_000].map((now) => reordering.delay(now));
    expect(delays).toEqual([55, 32.5, 10, 10]);
  });

  test('a bound below the least wait is that', () => {
    const reordering = new Reordering(50, 20);
    reordering.observe(20, 0);
    expect(reordering.delay(0)).toBe(50);
  });
});
