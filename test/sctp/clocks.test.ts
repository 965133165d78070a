/** The retransmission time-out, and the table of deadlines. */
import { describe, expect, test } from 'vitest';
import { Clock } from '../../src/core/clock.ts';
import { Deadlines } from '../../src/sctp/association/deadlines.ts';
import { RtoEstimator } from '../../src/sctp/tx/rto.ts';

const LIMITS = { initial: 500, min: 200, max: 60_000, backoffCap: 3000 };

function rto(...samples: number[]): RtoEstimator {
  const made = new RtoEstimator(LIMITS);
  for (const sample of samples) made.sample(sample);
  return made;
}

describe('RtoEstimator (RFC 9260 §6.3.1)', () => {
  test('initially 500 ms, and no round-trip time', () => {
    expect([rto().timeout, rto().smoothed]).toEqual([500, undefined]);
  });

  test('the first sample is the round-trip time, and half of it the variance', () => {
    expect([rto(200).smoothed, rto(200).timeout]).toEqual([200, 600]);
  });

  test.each([
    ['negative', -1],
    ['larger than the longest time-out', 60_001],
    ['not a number', NaN],
  ])('a sample that is %s is none', (_, sample) => {
    const made = rto(100, sample);
    expect([made.smoothed, made.timeout]).toEqual([100, rto(100).timeout]);
  });

  test('never below the floor nor above the ceiling', () => {
    expect(new RtoEstimator({ ...LIMITS, min: 5000, backoffCap: 9000 }).timeout).toBe(500);
    const slow = rto(59_000, 1, 59_000, 1, 59_000);
    expect(slow.base).toBe(60_000);
    const fast = new RtoEstimator({ ...LIMITS, min: 1000 });
    for (let i = 0; i < 50; i++) fast.sample(1);
    expect(fast.timeout).toBe(1000);
  });

  test('stable samples: it settles just above them, as far as a delayed SACK may take', () => {
    const made = rto(...Array.from({ length: 100 }, () => 120));
    expect(made.smoothed).toBe(120);
    expect(made.timeout).toBe(120 + 220);
  });

  test('an eighth of each sample goes into the round trip, a quarter of its distance into the variance', () => {
    // 4 · (50 + (|100 - 900| - 50) / 4) and 100 + (900 - 100) / 8
    expect([rto(100, 900).smoothed, rto(100, 900).timeout]).toEqual([200, 200 + 4 * 237.5]);
    // The variance by now is 237.5 + (|200 - 1000| - 237.5) / 4, the round trip 200 + (1000 - 200) / 8.
    expect([rto(100, 900, 1000).smoothed, rto(100, 900, 1000).timeout]).toEqual([300, 300 + 4 * 378.125]);
  });

  test('the shortest round trip is the least of all samples, and Infinity before the first', () => {
    expect([rto(), rto(300), rto(300, 100, 200), rto(300, 100, -1)].map(({ shortest }) => shortest)).toEqual([
      Infinity,
      300,
      100,
      100,
    ]);
  });

  test.each([0, 0.5, 60_000])('%d ms, within the range, is a sample', (sample) => {
    expect([rto(sample).smoothed, rto(sample).shortest]).toEqual([sample, sample]);
  });

  test('unstable samples raise it above the largest; stable ones bring it back', () => {
    const made = rto(...Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 100 : 300)));
    expect(made.timeout).toBeGreaterThan(300);
    for (let i = 0; i < 60; i++) made.sample(100);
    expect(made.timeout).toBeLessThan(325);
  });

  test('it stays above the round-trip time, whatever that does', () => {
    const made = rto();
    for (let i = 0; i < 500; i++) {
      made.sample(50 + ((i * 37) % 200));
      expect(made.timeout).toBeGreaterThan(made.smoothed ?? Infinity);
    }
  });

  test('backing off doubles up to the cap, then stays; a sample ends it', () => {
    const made = rto(100);
    const seen = Array.from({ length: 40 }, () => {
      made.backOff();
      return made.timeout;
    });
    expect(seen.slice(0, 4)).toEqual([640, 1280, 2560, 3000]);
    expect(new Set(seen.slice(3))).toEqual(new Set([3000]));
    made.sample(100);
    expect(made.timeout).toBeLessThan(400);
  });

  test('`resetBackoff` ends it without a sample', () => {
    const made = rto(100);
    made.backOff();
    made.backOff();
    made.resetBackoff();
    expect([made.timeout, made.smoothed]).toEqual([320, 100]);
  });

  test('a round trip above the cap is waited for all the same', () => {
    const made = rto(4000);
    made.backOff();
    expect(made.timeout).toBe(12_000);
  });
});

describe('Deadlines', () => {
  /** Deadlines and their clock as an association that owns it moves them. */
  class Dated extends Deadlines {
    readonly clock: Clock;

    constructor(clock: Clock) {
      super(clock);
      this.clock = clock;
    }

    observe(now: number): void {
      this.clock.observe(now, {
        nextTimeout: () => this.next(),
        thaw: (missed) => {
          this.thaw(missed);
        },
      });
    }
  }

  function deadlines(now = 1000): Dated {
    const made = new Dated(new Clock());
    made.observe(now);
    return made;
  }

  test('initially nothing is armed', () => {
    const made = deadlines();
    expect([made.next(), made.nextName(), made.takeDue(), made.armed()]).toEqual([
      Infinity,
      undefined,
      undefined,
      {},
    ]);
  });

  test('due at its exact time, once', () => {
    const made = deadlines();
    made.start('t3', 500);
    made.observe(1499);
    expect(made.takeDue()).toBeUndefined();
    made.observe(1500);
    expect([made.takeDue(), made.takeDue(), made.isArmed('t3')]).toEqual(['t3', undefined, false]);
  });

  test('`start` leaves a running one alone, `restart` replaces it, `stop` never lets it fire late', () => {
    const made = deadlines();
    made.start('t3', 500);
    made.start('t3', 900);
    expect(made.armed()).toEqual({ t3: 1500 });
    made.restart('t3', 900);
    expect(made.armed()).toEqual({ t3: 1900 });
    made.stop('t3');
    made.observe(5000);
    expect(made.takeDue()).toBeUndefined();
  });

  test('a row may be armed again while it fires', () => {
    const made = deadlines();
    made.start('t1', 100);
    made.observe(1100);
    expect(made.takeDue()).toBe('t1');
    made.restart('t1', 200);
    expect([made.takeDue(), made.next()]).toEqual([undefined, 1300]);
  });

  test('the earliest first, and no length, however small, leaves a deadline in the past', () => {
    const made = deadlines();
    made.start('t3', 20);
    made.start('sack', 0);
    expect([made.nextName(), made.next() > 1000]).toEqual(['sack', true]);
    made.observe(1020);
    expect([made.takeDue(), made.takeDue()]).toEqual(['sack', 't3']);
  });

  test('S27: time that goes back is time that stands still', () => {
    const made = deadlines(1000);
    made.start('t3', 500);
    made.observe(-5);
    made.observe(NaN);
    expect([made.clock.now, made.next()]).toEqual([1000, 1500]);
  });

  test('S27: a jump of a day fires each protocol timer once, and the gates have the day added', () => {
    const made = deadlines();
    made.start('t3', 500);
    made.start('dataProgress', 30_000);
    made.observe(86_400_000);
    expect([made.takeDue(), made.takeDue()]).toEqual(['t3', undefined]);
    expect(made.next()).toBe(1000 + 30_000 + (86_400_000 - 1500));
  });

  test('what an undated call arms counts from the next time seen', () => {
    const made = deadlines();
    made.clock.callWithoutTime();
    made.start('dataProgress', 30_000);
    expect(made.next()).toBe(31_000);
    made.observe(20_000);
    expect(made.next()).toBe(50_000);
  });

  test('`hold` stops the rows that wait for the peer with what they have left; the others go on', () => {
    const made = deadlines();
    made.start('dataProgress', 30_000);
    made.start('shutdown', 60_000);
    made.observe(11_000);
    made.hold();
    expect(made.armed()).toEqual({ shutdown: 61_000 });
    expect(made.isArmed('dataProgress')).toBe(true);
    made.observe(31_000);
    made.release();
    expect(made.armed()).toEqual({ shutdown: 61_000, dataProgress: 51_000 });
  });

  test('`awake` leaves out what the path was down and the host stood still', () => {
    const made = deadlines();
    expect(made.awake).toBe(1000);
    made.observe(2000);
    made.hold();
    made.observe(52_000);
    expect(made.awake).toBe(2000);
    made.release();
    made.observe(53_000);
    expect(made.awake).toBe(3000);
    made.start('t3', 500);
    made.observe(63_500);
    expect(made.awake).toBe(3500);
  });

  test('`shorten` brings a deadline forward, never back, and keeps when it began', () => {
    const made = deadlines();
    made.start('shutdown', 30_000);
    made.observe(6000);
    made.shorten('shutdown', 10_000);
    expect([made.next(), made.elapsed('shutdown')]).toEqual([16_000, 5000]);
    made.shorten('shutdown', 90_000);
    expect(made.next()).toBe(16_000);
  });
});
