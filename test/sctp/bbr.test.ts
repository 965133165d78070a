/** The model-based controller: its phases one by one, and what holds whatever it is told. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bbr } from '../../src/sctp/index.ts';
import { Pacer } from '../../src/sctp/tx/send-window.ts';
import { Bench, MTU } from './bbr-bench.ts';

describe('the phases', () => {
  test('startup: the window doubles each round, and nothing is paced before three first windows are delivered', () => {
    const bench = new Bench(10_000, 100);
    bench.round();
    expect([bench.phase, bench.cc.window, bench.cc.pacingRate]).toEqual(['startup', 20_000, Infinity]);
    bench.round();
    expect(bench.cc.window).toBe(40_000);
    bench.round();
    expect(bench.cc.window).toBe(80_000);
    expect(bench.cc.pacingRate * 100).toBeGreaterThan(80_000);
    expect(bench.cc.pacingRate).toBeLessThan(Infinity);
  });

  test('startup ends when three rounds bring no more; drain empties the queue; down and cruise follow', () => {
    const bench = new Bench(1000, 100);
    expect(bench.reach('drain')).toBeLessThan(12);
    expect(bench.figure('bandwidth')).toBeCloseTo(1000, -1);
    expect(bench.cc.pacingRate).toBeLessThan(600);
    bench.reach('cruise');
    expect(bench.figure('roundTrip')).toBeCloseTo(100, 0);
    expect(bench.cc.pacingRate).toBeCloseTo(990, -1);
    expect(bench.cc.window).toBeGreaterThan(100_000);
    expect(bench.cc.window).toBeLessThan(320_000);
  });

  test('startup does not end because the application has no more to say', () => {
    const bench = new Bench(10_000, 100);
    bench.appLimited = true;
    for (let i = 0; i < 50; i++) bench.round(500);
    expect(bench.phase).toBe('startup');
    // A burst that follows finds at least what a new association would have.
    expect(bench.cc.window).toBeGreaterThanOrEqual(10 * MTU);
    expect(bench.cc.pacingRate * 100).toBeGreaterThanOrEqual(10 * MTU);
  });

  test('startup ends at once when a round that brings no more loses too much', () => {
    const bench = new Bench(1000, 100);
    for (let i = 0; i < 4; i++) bench.round();
    bench.loss = 0.2;
    expect(bench.reach('drain')).toBeLessThan(6);
    expect(bench.figure('cap')).toBeLessThan(1_000_000);
  });

  test('cruise probes: refill for a round, up at 1.25, then down; a faster path is found', () => {
    const bench = new Bench(1000, 100);
    bench.reach('cruise');
    bench.rate = 2000;
    const began = bench.now;
    bench.reach('refill');
    expect(bench.now - began).toBeGreaterThan(1500);
    expect(bench.now - began).toBeLessThan(3500);
    bench.reach('up');
    expect(bench.cc.pacingRate / bench.figure('bandwidth')).toBeCloseTo(1.25 * 0.99, 2);
    bench.reach('down');
    bench.reach('cruise');
    expect(bench.figure('bandwidth')).toBeGreaterThan(1150);
    for (let i = 0; i < 200; i++) bench.round();
    expect(bench.figure('bandwidth')).toBeGreaterThan(1900);
  });

  test('probe-rtt: a shortest round trip not seen for ten seconds is looked for with half a window', () => {
    const bench = new Bench(1000, 50);
    bench.reach('cruise');
    bench.roundTrip = 80;
    const began = bench.now;
    bench.reach('probe-rtt');
    expect(bench.now - began).toBeGreaterThan(8000);
    expect(bench.now - began).toBeLessThan(12_000);
    expect(bench.cc.window).toBeLessThan(50_000);
    bench.reach('down');
    expect(bench.figure('roundTrip')).toBeCloseTo(80, 0);
  });

  test('a path that takes a tenth from one moment to the next is believed within a few rounds', () => {
    const bench = new Bench(10_000, 50);
    bench.reach('cruise');
    bench.rate = 1000;
    for (let i = 0; i < 4; i++) bench.round();
    expect(bench.figure('bandwidth')).toBeLessThan(1500);
  });
});

describe('loss', () => {
  test('one percent changes nothing', () => {
    const bench = new Bench(1000, 100);
    bench.reach('cruise');
    const { pacingRate } = bench.cc;
    bench.loss = 0.01;
    for (let i = 0; i < 10; i++) bench.round();
    expect(bench.cc.pacingRate).toBeCloseTo(pacingRate, -1);
  });

  test('some percent, without a queue, cost thirty percent in cruise and no more', () => {
    const bench = new Bench(2000, 100);
    bench.reach('cruise');
    bench.loss = 0.05;
    for (let i = 0; i < 10 && bench.phase === 'cruise'; i++) bench.round();
    expect(bench.figure('bandwidth')).toBeGreaterThan(1390);
    expect(bench.figure('bandwidth')).toBeLessThan(1990);
  });

  test('a fifth is followed down, to what gets through', () => {
    const bench = new Bench(1000, 50);
    bench.reach('cruise');
    bench.loss = 0.2;
    for (let i = 0; i < 8; i++) bench.round();
    expect(bench.figure('bandwidth')).toBeLessThan(500);
    bench.loss = 0;
    // The next probe lifts the bound.
    bench.reach('up');
    for (let i = 0; i < 200; i++) bench.round();
    expect(bench.figure('bandwidth')).toBeGreaterThan(900);
  });

  test('too much of it in a probe ends the probe and cuts the cap by thirty percent, not below what was delivered', () => {
    const bench = new Bench(1000, 100);
    bench.reach('up');
    bench.loss = 0.1;
    bench.round();
    bench.round();
    expect(bench.phase === 'up').toBe(false);
    const flight = bench.figure('bandwidth') * bench.figure('roundTrip');
    expect(bench.figure('cap')).toBeGreaterThan(0.69 * flight);
    expect(bench.figure('cap')).toBeLessThan(1.2 * flight);
  });

  test('a time-out leaves one packet; acknowledgements bring the window back', () => {
    const bench = new Bench(1000, 100);
    bench.reach('cruise');
    const before = bench.cc.window;
    bench.cc.onTimeout();
    expect(bench.cc.window).toBe(MTU);
    for (let i = 0; i < 12; i++) bench.round();
    expect(bench.cc.window).toBeGreaterThan(before / 2);
  });

  test('a path that was down is learnt anew', () => {
    const bench = new Bench(1000, 100);
    bench.reach('cruise');
    bench.cc.onPathChange(bench.now);
    expect([bench.phase, bench.cc.window, bench.cc.pacingRate, bench.figure('bandwidth')]).toEqual([
      'startup',
      10 * MTU,
      Infinity,
      0,
    ]);
  });
});

test('whatever it is told, in whatever order: window and rate are finite numbers above their least', () => {
  const number = fc.oneof(fc.nat(10), fc.nat(100_000), fc.double({ min: 0, max: 1e9, noNaN: true }));
  const step = fc.record({
    kind: fc.constantFrom('ack', 'ack', 'ack', 'ack', 'loss', 'timeout', 'path', 'mtu'),
    elapsed: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(20_000)),
    bytes: number,
    inFlight: number,
    age: number,
    rate: number,
    roundTrip: fc.oneof(fc.constant(-1), number),
    flag: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cc = new Bbr({ mtu: MTU, initialWindow: 10 * MTU });
      let now = 0;
      let delivered = 0;
      for (const { kind, elapsed, bytes, inFlight, age, rate, roundTrip, flag } of steps) {
        now += elapsed;
        if (kind === 'loss') cc.onLost({ now, lostBytes: bytes, inFlight, startsRecovery: flag });
        else if (kind === 'timeout') cc.onTimeout();
        else if (kind === 'path') cc.onPathChange(now);
        else if (kind === 'mtu') cc.setMtu(1000 + (age % 8000));
        else {
          delivered += bytes;
          cc.onAcknowledged({
            now,
            ackedBytes: bytes,
            inFlight,
            delivered,
            priorDelivered: Math.max(-1, delivered - bytes - age),
            deliveryRate: rate,
            isAppLimited: flag,
            roundTripTime: roundTrip,
            advanced: flag,
            recovering: false,
            windowLimited: flag,
          });
        }
        expect(Number.isFinite(cc.window)).toBe(true);
        expect(cc.window).toBeGreaterThanOrEqual(MTU);
        expect(cc.pacingRate).toBeGreaterThan(0);
        for (const value of Object.values(cc.inspect())) expect(value).not.toBeNaN();
      }
    }),
  );
});

describe('Pacer', () => {
  test('a burst goes out at once, then the rate; a wait is at least a millisecond and for two packets', () => {
    const pacer = new Pacer(MTU);
    let sent = 0;
    while (pacer.mayRelease(1000, 100)) {
      pacer.spend(MTU);
      sent++;
    }
    expect(sent).toBe(10);
    // The credit is spent: two packets take 20 ms, but half a second's worth is no wait.
    expect(pacer.releaseAt(1000, 100)).toBe(1005);
    expect(pacer.mayRelease(1000, 100)).toBe(false);
    expect(pacer.mayRelease(1005, 100)).toBe(true);
    expect(pacer.releaseAt(1005, 1e9)).toBe(1006);
  });

  test('over a second it lets out the rate, and what a late host has missed', () => {
    const pacer = new Pacer(MTU);
    let sent = 0;
    let now = 0;
    while (pacer.mayRelease(now, 500)) pacer.spend(MTU);
    while (now < 1000) {
      // Every timer is three milliseconds late.
      now = pacer.releaseAt(now, 500) + 3;
      for (; pacer.mayRelease(now, 500); sent += MTU) pacer.spend(MTU);
    }
    expect(sent / now).toBeGreaterThan(480);
    expect(sent / now).toBeLessThan(510);
  });

  test('a clock that stands still or goes back gives no credit', () => {
    const pacer = new Pacer(MTU);
    while (pacer.mayRelease(100, 10)) pacer.spend(MTU);
    expect(pacer.mayRelease(100, 10)).toBe(false);
    expect(pacer.mayRelease(50, 10)).toBe(false);
    expect(pacer.releaseAt(50, 10)).toBeGreaterThan(50);
  });
});
