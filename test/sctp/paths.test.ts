/** Bulk flows over paths of every kind, in virtual time: what they carry, what they queue, and what they leave to others. */
import { describe, expect, test } from 'vitest';
import type { SctpOptions } from '../../src/sctp/index.ts';
import { howMany } from '../how-many.ts';
import type { Flow, PathConditions } from './path.ts';
import { megabits, Path, quantile } from './path.ts';

interface Figures {
  /** Megabits a second of user data. */
  readonly goodput: number;
  readonly meanWait: number;
  readonly p95Wait: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** One bulk flow, measured after `settle` milliseconds for `duration`. */
function bulk(
  conditions: PathConditions,
  options: Partial<SctpOptions> = {},
  settle = 2500,
  duration = 2500,
): Figures {
  const path = new Path(conditions);
  const flow = path.add(options);
  path.run(settle);
  return measure(path, flow, duration);
}

function measure(path: Path, flow: Flow, duration: number): Figures {
  path.resetFigures();
  path.run(duration);
  expect(flow.closed).toBe(false);
  return {
    goodput: megabits(flow.delivered, duration),
    meanWait: path.waits.reduce((sum, wait) => sum + wait, 0) / path.waits.length,
    p95Wait: quantile(path.waits, 0.95),
    counters: flow.sender.inspect().counters,
  };
}

describe('one flow', () => {
  test('100 Mbit/s over 100 ms is filled, with a short queue', () => {
    const { goodput, p95Wait } = bulk({ rate: 100, roundTrip: 100 }, {}, 2500, howMany(1000, 2500));
    expect(goodput).toBeGreaterThan(90);
    expect(p95Wait).toBeLessThan(50);
  });

  const lossy = { rate: 100, roundTrip: 100, loss: 0.01 };

  test('one percent of random loss on it costs little', () => {
    const [settle, duration] = [howMany(2000, 4000), howMany(1000, 3000)];
    expect(bulk(lossy, {}, settle, duration).goodput).toBeGreaterThan(80);
  });

  test('New Reno has three percent of it then', () => {
    expect(bulk(lossy, { congestion: 'new-reno' }).goodput).toBeLessThan(4);
  });

  test('a receive window that may not grow is what limits it there', () => {
    const { goodput } = bulk(lossy, { receiveWindow: 1_572_864 }, 1500, howMany(1000, 3000));
    expect(goodput).toBeGreaterThan(50);
    expect(goodput).toBeLessThan(75);
  });

  test('the receive window grows for a long path, up to its bound, and is announced', () => {
    const path = new Path({ rate: 60, roundTrip: 250 });
    const flow = path.add({ receiveWindowMax: 2_000_000 });
    path.run(5000);
    const { receive, counters } = flow.receiver.inspect();
    expect(receive?.windowSize).toBe(2_000_000);
    expect(counters['receive-window-grown']).toBe(1);
    expect(flow.sender.inspect().send.peerWindow).toBeGreaterThan(1_700_000);
  });

  test('it does not for a short one', () => {
    const path = new Path({ rate: 200, roundTrip: 5, loss: 0.01 });
    const flow = path.add();
    path.run(1000);
    expect(flow.receiver.inspect().receive?.windowSize).toBe(1_572_864);
  });

  test('a receiver that knows no round trip asks for it', () => {
    const path = new Path({ rate: 100, roundTrip: 100 });
    path.conditions.mtu = 1;
    const flow = path.add();
    path.run(400);
    // The first INIT is lost, and what was repeated gives no sample.
    path.conditions.mtu = 2000;
    path.run(3500);
    expect(flow.receiver.inspect().counters['heartbeats-sent']).toBe(1);
    expect(flow.receiver.roundTripTime).toBeGreaterThan(90);
    expect(flow.receiver.inspect().receive?.windowSize).toBeGreaterThan(1_572_864);
  });

  test.each([20, 2, 50].slice(0, howMany(1, 3)))(
    'a round trip of %i ms is filled without loss, and well used with one percent',
    (roundTrip) => {
      expect(bulk({ rate: 20, roundTrip }).goodput).toBeGreaterThan(18.5);
      expect(bulk({ rate: 20, roundTrip, loss: 0.01 }).goodput).toBeGreaterThan(16);
    },
  );

  test('1 Mbit/s is filled without a packet a round being lost', () => {
    const { goodput, p95Wait } = bulk({ rate: 1, roundTrip: 50 }, {}, 5000, 10_000);
    expect(goodput).toBeGreaterThan(0.85);
    expect(p95Wait).toBeLessThan(50);
  });

  test('a queue of ten packets is not drowned', () => {
    const path = new Path({ rate: 20, roundTrip: 50, queue: 12_000 });
    const flow = path.add();
    path.run(4000);
    const { goodput } = measure(path, flow, 6000);
    expect(goodput).toBeGreaterThan(12);
    expect(path.drops / path.waits.length).toBeLessThan(0.03);
  });

  test('path MTU probing: the flow goes on in larger packets, and through a path that narrows', () => {
    const path = new Path({ rate: 20, roundTrip: 50, mtu: 1435 });
    const flow = path.add({ pathMtu: {} });
    path.run(2000);
    const wide = measure(path, flow, 2000);
    expect(wide.goodput).toBeGreaterThan(18.5);
    expect(flow.sender.inspect().pathMtu.size).toBe(1432 + 37);
    expect((wide.goodput * 250_000) / path.waits.length).toBeGreaterThan(1300);
    path.conditions.mtu = 1160;
    // Nothing comes through: three T3 tell, each twice as long as the one before.
    path.run(3000, () => flow.sender.inspect().pathMtu.size < 1400);
    path.run(500);
    expect(flow.sender.inspect().pathMtu.size).toBe(1160 + 37);
    expect(measure(path, flow, 2000).goodput).toBeGreaterThan(18.5);
  });

  test('half of the acknowledgements lost costs nothing', () => {
    const path = new Path({ rate: 20, roundTrip: 50 });
    const flow = path.add();
    path.run(1000);
    path.conditions.ackLoss = 0.5;
    path.run(2000);
    expect(measure(path, flow, 3000).goodput).toBeGreaterThan(18.5);
  });

  test('packets that overtake each other are not sent again', () => {
    const few = bulk({ rate: 20, roundTrip: 50, lateShare: 0.05, lateness: 5 });
    expect(few.goodput).toBeGreaterThan(18);
    const all = bulk({ rate: 20, roundTrip: 50, lateShare: 1, lateness: 30 });
    expect(all.goodput).toBeGreaterThan(16);
    expect(all.counters['retransmitted-chunks']).toBeLessThan(300);
  });

  test.each([
    ['shallow', 60_000],
    ['deep', 2_000_000],
  ])('a path that falls from 50 to 5 Mbit/s before a %s queue is followed, and taken back', (_, queue) => {
    const path = new Path({ rate: 50, roundTrip: 50, queue });
    const flow = path.add();
    path.run(2000);
    path.conditions.rate = 5;
    path.run(5000);
    const slow = measure(path, flow, 3000);
    expect(slow.goodput).toBeGreaterThan(4);
    expect(slow.meanWait).toBeLessThan(200);
    path.conditions.rate = 50;
    path.run(5000);
    expect(measure(path, flow, 1000).goodput).toBeGreaterThan(30);
  });
});

describe('two flows on one path', () => {
  /** Megabits a second of each, the second one having joined later. */
  function share(first: 'bbr' | 'new-reno', second: 'bbr' | 'new-reno', conditions: PathConditions): number {
    const path = new Path(conditions);
    const a = path.add({ congestion: first });
    path.run(3000);
    const b = path.add({ congestion: second });
    path.run(12_000);
    path.resetFigures();
    path.run(15_000);
    expect(megabits(a.delivered + b.delivered, 15_000)).toBeGreaterThan(conditions.rate * 0.8);
    return Math.min(a.delivered, b.delivered) / (a.delivered + b.delivered);
  }

  const pairs = [
    ['bbr', 'bbr'],
    ['bbr', 'new-reno'],
    ['new-reno', 'bbr'],
  ] as const;

  test.each(pairs.slice(0, howMany(1, 3)))('%s, then %s: each has a fifth at the least', (first, second) => {
    expect(share(first, second, { rate: 10, roundTrip: 50 })).toBeGreaterThan(0.2);
  });
});

describe('what is small', () => {
  /** Milliseconds until `size` bytes have arrived. */
  function exchange(congestion: 'bbr' | 'new-reno', size: number): number {
    const path = new Path({ rate: 100, roundTrip: 100 });
    const flow = path.add({ congestion }, false);
    path.run(1000);
    const began = path.now;
    flow.sender.send(1, { ppid: 53, data: new Uint8Array(size) });
    flow.sender.handleTimeout(path.now);
    path.run(30_000, () => flow.delivered >= size);
    return path.now - began;
  }

  test.each([1000, 11_000, 30_000])('%i bytes are there as soon as unpaced', (size) => {
    expect(exchange('bbr', size)).toBe(exchange('new-reno', size));
  });

  test('a burst after idling goes at the pace the path had, not at that of the idle time', () => {
    const path = new Path({ rate: 100, roundTrip: 50 });
    const flow = path.add({}, false);
    path.run(500);
    for (let i = 0; i < 30; i++) {
      flow.sender.send(1, { ppid: 53, data: new Uint8Array(100) });
      path.run(100);
    }
    const began = path.now;
    const before = flow.delivered;
    flow.sender.send(1, { ppid: 53, data: new Uint8Array(100_000) });
    path.run(5000, () => flow.delivered - before >= 100_000);
    expect(path.now - began).toBeLessThan(200);
  });

  test('TLP: a single packet that is lost does not wait for T3', () => {
    const path = new Path({ rate: 100, roundTrip: 20 });
    const flow = path.add({}, false);
    path.run(1000);
    flow.sender.send(1, { ppid: 53, data: new Uint8Array(100) });
    path.run(500);
    const began = path.now;
    path.survivors = 0;
    flow.sender.send(1, { ppid: 53, data: new Uint8Array(100) });
    // The next one, too, would be lost: the probe.
    path.survivors = -1;
    path.run(5000, () => flow.delivered >= 200);
    expect(path.now - began).toBeLessThan(60);
    expect(flow.sender.inspect().counters).toMatchObject({
      'tail-loss-probes': 1,
      'retransmission-timeouts': 0,
    });
  });

  test('TLP: a tail that is lost does not wait for T3', () => {
    const path = new Path({ rate: 100, roundTrip: 20 });
    const flow = path.add({}, false);
    path.run(1000);
    const began = path.now;
    // Six packets, of which the last two are lost.
    path.survivors = 4;
    flow.sender.send(1, { ppid: 53, data: new Uint8Array(6500) });
    path.run(5000, () => flow.delivered >= 6500);
    expect(path.now - began).toBeLessThan(150);
    const counters = flow.sender.inspect().counters;
    expect(counters).toMatchObject({ 'tail-loss-probes': 1, 'retransmission-timeouts': 0 });
  });
});
