import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gate, earliestGate, makeGates } from '../../src/channel/gate.ts';
import { Clock } from '../../src/core/clock.ts';
import { DEFAULT_CHANNEL_GATES } from '../../src/channel/index.ts';
import { StreamTable } from '../../src/channel/streams.ts';

describe('Gate', () => {
  const clock = new Clock();

  /** The time is `now`, and nobody has called without a time. */
  function at(now: number): void {
    clock.now = now;
    clock.isStale = false;
  }

  test('expires its keys in the order in which they were armed last', () => {
    const gate = new Gate<string>('openAck', 10, clock);
    ['a', 'b', 'c', 'a'].forEach((key, now) => {
      at(now);
      gate.arm(key);
    });
    gate.disarm('b');
    expect(gate.next()).toBe(12);
    at(11);
    expect(gate.takeDue()).toBeUndefined();
    at(20);
    expect(gate.takeDue()).toEqual({ key: 'c', elapsed: 18 });
    expect(gate.takeDue()).toEqual({ key: 'a', elapsed: 17 });
    expect(gate.takeDue()).toBeUndefined();
    expect(gate.next()).toBe(Infinity);
  });

  test('a stale clock shortens no wait: what it armed counts from the next time', () => {
    const gate = new Gate<string>('openAck', 10, clock);
    at(0);
    gate.arm('before');
    clock.isStale = true;
    gate.arm('called');
    gate.arm('disarmed');
    gate.disarm('disarmed');
    at(8);
    gate.arm('after');
    at(18);
    expect(gate.takeDue()).toEqual({ key: 'before', elapsed: 18 });
    expect(gate.takeDue()).toEqual({ key: 'called', elapsed: 10 });
    expect(gate.takeDue()).toEqual({ key: 'after', elapsed: 10 });
    expect(gate.size).toBe(0);
  });

  test('a host that stood still makes every wait as much longer, and leaves the peer three seconds', () => {
    const gate = new Gate<string>('openAck', 10_000, clock);
    at(0);
    gate.arm('long ago');
    at(9000);
    gate.arm('just now');
    clock.isStale = true;
    gate.arm('called');
    at(14_000);
    gate.thaw(4000);
    expect(gate.next()).toBe(17_000);
    at(23_000);
    expect([gate.takeDue()?.key, gate.takeDue()?.key, gate.takeDue()?.key]).toEqual([
      'long ago',
      'just now',
      undefined,
    ]);
    expect(gate.next()).toBe(14_000 + 4000 + 10_000);
  });

  test('a duration of Infinity never expires', () => {
    const gate = new Gate<string>('openAck', Infinity, clock);
    at(0);
    gate.arm('a');
    expect(gate.next()).toBe(Infinity);
    at(Infinity);
    expect(gate.takeDue()).toBeUndefined();
    expect(gate.size).toBe(1);
  });

  test('the earliest of several gates is found', () => {
    const gates = makeGates<string>(DEFAULT_CHANNEL_GATES, clock);
    at(0);
    gates.closeDrain.arm('a');
    expect(earliestGate(gates).name).toBe('closeDrain');
    at(19_999);
    gates.streamReset.arm('a');
    expect(earliestGate(gates).name).toBe('streamReset');
    at(19_998);
    gates.inboundOpen.arm('a');
    expect(earliestGate(gates).name).toBe('inboundOpen');
  });
});

describe('StreamTable', () => {
  test('hands out the lowest free number of each parity', () => {
    // Whatever has been taken and given back before, the answer is what a scan of all numbers would find.
    const step = fc.oneof(
      fc.record({ take: fc.constantFrom(0 as const, 1 as const) }),
      fc.record({ release: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new StreamTable();
        const taken = new Set<number>();
        for (const each of steps) {
          if ('release' in each) {
            const id = [...taken][each.release % taken.size];
            const stream = id === undefined ? undefined : table.get(id);
            if (stream !== undefined) table.release(stream);
            if (id !== undefined) taken.delete(id);
          } else {
            let expected: number = each.take;
            while (taken.has(expected)) expected += 2;
            expect(table.lowestFree(each.take)).toBe(expected);
            table.occupy(expected, 'refused');
            taken.add(expected);
          }
        }
      }),
    );
  });
});
