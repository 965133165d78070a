/** What was sent when, slot by slot: the order, the sample of a SACK, what is overdue, how late something may be. */
import { describe, expect, test } from 'vitest';
import { Transmissions } from '../../src/sctp/tx/transmissions.ts';

const BYTES = 100;

/** Chunks in the slots of a ring, each of 100 bytes. */
class Bench {
  now = 1000;
  readonly sent = new Transmissions(16);
  #inFlight = 0;

  record(...slots: number[]): void {
    for (const slot of slots) {
      this.sent.record(slot, this.now, true, this.#inFlight === 0);
      this.#inFlight++;
    }
  }

  /** One SACK for chunks sent once (`again`: more often), in that order. */
  sack(slots: readonly number[], { again = false, overtaken = false } = {}): void {
    this.sent.beginSack();
    for (const slot of slots) {
      this.sent.acknowledged(slot, BYTES, this.now, again, overtaken);
      this.sent.unlink(slot);
      this.#inFlight--;
    }
    this.sent.endSack(this.now);
  }

  /** What is in flight from the last to the first, by taking it out. */
  drained(): number[] {
    const slots: number[] = [];
    for (let slot = this.sent.last; slot >= 0; slot = this.sent.last) {
      slots.push(slot);
      this.sent.unlink(slot);
    }
    return slots;
  }
}

describe('the order of sending', () => {
  test.each<[string, number[], number[]]>([
    ['none', [], [3, 2, 1, 0]],
    ['the first', [0], [3, 2, 1]],
    ['one between', [2], [3, 1, 0]],
    ['the last', [3], [2, 1, 0]],
    ['the first two', [0, 1], [3, 2]],
    ['all', [0, 1, 2, 3], []],
  ])('%s gone: the others stay in theirs', (_, gone, left) => {
    const bench = new Bench();
    bench.record(0, 1, 2, 3);
    gone.forEach((slot) => bench.sent.unlink(slot));
    expect(bench.drained()).toEqual(left);
    bench.record(5);
    expect(bench.drained()).toEqual([5]);
  });

  test('a ring that doubles keeps the order, the times and the marks', () => {
    const bench = new Bench();
    bench.sent.noteAppLimited(0);
    bench.record(14);
    bench.now += 10;
    bench.record(15, 0);
    bench.sent.grow(32, (slot) => (slot < 8 ? slot + 16 : slot));
    bench.now += 40;
    bench.sack([14]);
    expect([bench.sent.roundTripTime, bench.sent.isAppLimited]).toEqual([50, true]);
    expect(bench.sent.overdueAt(0)).toBe(Infinity);
    bench.sack([16]);
    expect([bench.sent.roundTripTime, bench.sent.overdueAt(0)]).toEqual([40, 1050]);
    expect(bench.drained()).toEqual([15]);
  });
});

describe('the sample of a SACK', () => {
  test('is of the chunk sent last, in whatever order it is told', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const bench = new Bench();
      bench.record(0);
      bench.now += 30;
      bench.record(1);
      bench.now += 70;
      bench.sack(order);
      expect([bench.sent.roundTripTime, bench.sent.priorDelivered, bench.sent.delivered]).toEqual([
        70, 0, 200,
      ]);
    }
  });

  test('is none in a SACK that tells nothing new, and of what was sent again no round trip', () => {
    const bench = new Bench();
    bench.record(0, 1);
    bench.now += 50;
    bench.sack([0]);
    expect(bench.sent.roundTripTime).toBe(50);
    bench.sack([]);
    expect([
      bench.sent.roundTripTime,
      bench.sent.priorDelivered,
      bench.sent.deliveryRate,
      bench.sent.isAppLimited,
    ]).toEqual([-1, -1, 0, false]);
    bench.sack([1], { again: true });
    expect([bench.sent.roundTripTime, bench.sent.priorDelivered, bench.sent.minRoundTripTime]).toEqual([
      -1, 0, 50,
    ]);
  });

  test('has the rate of the slower of sending and acknowledging', () => {
    const bench = new Bench();
    bench.record(0);
    bench.now += 20;
    bench.record(1, 2);
    bench.now += 30;
    bench.sack([0]);
    expect(bench.sent.deliveryRate).toBe(100 / 50);
    bench.now += 20;
    // 1 and 2 were sent in 20 ms, and came through in 70 since nothing was delivered.
    bench.sack([1, 2]);
    expect(bench.sent.deliveryRate).toBe(300 / 70);
  });

  test.each([
    [45, 0],
    [50, 2],
  ])(
    'over %d ms, with a shortest round trip of 50, has the rate %d: less would promise too much',
    (delay, rate) => {
      const bench = new Bench();
      bench.record(0);
      bench.now += 50;
      bench.sack([0]);
      bench.record(1);
      bench.now += delay;
      bench.sack([1], { again: true });
      expect([bench.sent.priorDelivered, bench.sent.deliveryRate]).toEqual([100, rate]);
    },
  );

  test('of what was sent and acknowledged at one time has no rate', () => {
    const bench = new Bench();
    bench.record(0);
    bench.sack([0]);
    expect([bench.sent.roundTripTime, bench.sent.deliveryRate]).toEqual([0, 0]);
  });

  test('is marked as the application’s until what was in flight when it fell silent is delivered, and a byte more', () => {
    const bench = new Bench();
    bench.record(0);
    bench.sent.noteAppLimited(BYTES);
    bench.now += 10;
    bench.sack([0]);
    bench.record(1);
    bench.now += 10;
    bench.sack([1]);
    expect(bench.sent.isAppLimited).toBe(true);
    bench.record(2);
    bench.now += 10;
    bench.sack([2]);
    expect(bench.sent.isAppLimited).toBe(false);
  });

  test('the shortest round trip stays until the path is another one', () => {
    const bench = new Bench();
    for (const [slot, roundTrip] of [50, 30, 70].entries()) {
      bench.record(slot);
      bench.now += roundTrip;
      bench.sack([slot]);
    }
    expect(bench.sent.minRoundTripTime).toBe(30);
    bench.sent.forgetPath();
    expect(bench.sent.minRoundTripTime).toBe(Infinity);
  });
});

describe('what is overdue', () => {
  test('what was sent before something acknowledged, later than it took by the window', () => {
    const bench = new Bench();
    bench.record(0);
    bench.now += 5;
    bench.record(1, 2);
    expect(bench.sent.overdueAt(20)).toBe(Infinity);
    bench.now = 1105;
    bench.sack([1]);
    expect(bench.sent.overdueAt(20)).toBe(1000 + 100 + 20);
    expect([1119.99, 1119.9995, 1120].map((now) => bench.sent.overdue(now, 20))).toEqual([-1, 0, 0]);
    bench.sent.unlink(0);
    // What was sent with or after it is not judged.
    expect([bench.sent.overdueAt(0), bench.sent.overdue(9999, 0)]).toEqual([Infinity, -1]);
  });

  test('nothing while nothing is in flight', () => {
    expect(new Transmissions(16).overdueAt(0)).toBe(Infinity);
  });
});

describe('how late something may be, in quarters of a round trip', () => {
  /** Slots sent, taken for lost, sent again and acknowledged after `delay`: the first transmission's acknowledgement or not. */
  function resent(bench: Bench, slot: number, delay: number): void {
    bench.record(slot);
    bench.now += delay;
    bench.sack([slot], { again: true });
  }

  test('none at first; one when something sent once was overtaken, or came after it was given up', () => {
    const [overtaken, late] = [new Bench(), new Bench()];
    overtaken.record(0);
    overtaken.sack([0], { overtaken: true });
    late.sent.noteLate();
    expect([new Bench(), overtaken, late].map(({ sent }) => sent.reorderingQuarters)).toEqual([0, 1, 1]);
    overtaken.record(0);
    overtaken.sack([0], { overtaken: true });
    late.sent.noteLate();
    expect([overtaken, late].map(({ sent }) => sent.reorderingQuarters)).toEqual([1, 1]);
  });

  test.each([
    [87, 1],
    [87.5, 0],
    [100, 0],
  ])('sent again and acknowledged after %d of 100 ms: %d', (delay, quarters) => {
    const bench = new Bench();
    bench.record(0);
    bench.now += 100;
    bench.sack([0]);
    resent(bench, 1, delay);
    expect(bench.sent.reorderingQuarters).toBe(quarters);
  });

  test('one more a round, four at the most; another path begins with none', () => {
    const bench = new Bench();
    bench.record(0);
    bench.now += 100;
    bench.sack([0]);
    bench.record(1, 2);
    bench.now += 1;
    bench.sack([1, 2], { again: true });
    expect(bench.sent.reorderingQuarters).toBe(1);
    const seen = [3, 4, 5, 6, 7].map((slot) => {
      resent(bench, slot, 1);
      return bench.sent.reorderingQuarters;
    });
    expect(seen).toEqual([2, 3, 4, 4, 4]);
    bench.sent.forgetPath();
    expect(bench.sent.reorderingQuarters).toBe(0);
  });
});
