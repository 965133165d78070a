/** The history of packets: what can be sent again, and that nothing of it is beyond its bounds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HistoryLimits } from '../../../src/media/send/history.ts';
import { History } from '../../../src/media/send/history.ts';
import { PacketPool } from '../../../src/media/send/packet-pool.ts';
import { SentPacket } from '../../../src/media/send/sent-packet.ts';
import { payload } from './sent.ts';

const LIMITS: HistoryLimits = { historyPackets: 100, historyBytes: 10_000, historyTime: 2000 };

function packet(sequence: number, length = 50): SentPacket {
  return new SentPacket().fill(sequence, 0, false, 96, payload(sequence, length));
}

function filled(count: number, limits: Partial<HistoryLimits> = {}): History {
  const history = new History({ ...LIMITS, ...limits }, new PacketPool());
  for (let i = 0; i < count; i++) history.add(packet(1000 + i), 10 * i);
  return history;
}

describe('what is in it', () => {
  test('the latest packets, by their numbers', () => {
    const history = filled(150);
    expect(history.count).toBe(100);
    expect(history.get(1049, 1490)).toBeUndefined();
    expect(history.get(1050, 1490)?.sequence).toBe(1050);
    expect(history.get(1149, 1490)?.sequence).toBe(1149);
    expect(history.get(1150, 1490)).toBeUndefined();
  });

  test('no more bytes than are allowed', () => {
    const history = filled(10, { historyBytes: 200 });
    expect(history.count).toBe(4);
    expect(history.bytes).toBe(200);
    history.add(packet(2000, 201), 100);
    expect(history.count).toBe(0);
    expect(history.bytes).toBe(0);
  });

  test('nothing that is too old, whether or not it has been given back', () => {
    const history = filled(10);
    expect(history.get(1000, 1999)).toBeDefined();
    expect(history.get(1000, 2000)).toBeUndefined();
    history.expire(2045);
    expect(history.count).toBe(5);
    history.expire(2090);
    expect(history.count).toBe(0);
  });

  test('numbers far apart, and late ones between', () => {
    const history = new History(LIMITS, new PacketPool());
    for (const sequence of [10, 12, 11, 60, 1_000_000, 999_950, 5]) history.add(packet(sequence), 0);
    expect(history.get(12, 0)).toBeUndefined();
    expect(history.get(1_000_000, 0)?.sequence).toBe(1_000_000);
    expect(history.count).toBe(1); // the late ones are in front of the oldest
    history.clear();
    expect(history.get(1_000_000, 0)).toBeUndefined();
  });
});

test('it is what a plain list would be, bounded in every way', () => {
  const steps = fc.array(
    fc.record({
      ahead: fc.oneof(
        fc.constant(1),
        fc.integer({ min: -20, max: 40 }),
        fc.integer({ min: 1, max: 100_000 }),
      ),
      length: fc.nat(300),
      after: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(3000)),
    }),
    { maxLength: 300 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 70 }), (all, historyPackets) => {
      const limits = { historyPackets, historyBytes: 2000, historyTime: 1000 };
      const history = new History(limits, new PacketPool());
      const known = new Map<number, { readonly length: number; readonly at: number }>();
      let now = 0;
      let largest = 10_000;
      for (const { ahead, length, after } of all) {
        now += after;
        const sequence = largest + ahead;
        if (known.has(sequence) || sequence < 0) continue;
        largest = Math.max(largest, sequence);
        history.add(packet(sequence, length), now);
        known.set(sequence, { length, at: now });
        expect(history.bytes).toBeLessThanOrEqual(limits.historyBytes);
        expect(history.count).toBeLessThanOrEqual(historyPackets);
        let count = 0;
        let bytes = 0;
        for (const [number, { length: known_, at }] of known) {
          const found = history.get(number, now);
          if (found === undefined) continue;
          expect(found.sequence).toBe(number);
          expect(now - at).toBeLessThan(limits.historyTime);
          count++;
          bytes += known_;
        }
        expect(count).toBeLessThanOrEqual(history.count);
        expect(bytes).toBeLessThanOrEqual(history.bytes);
      }
      history.expire(now + 1000);
      expect([history.count, history.bytes]).toEqual([0, 0]);
    }),
  );
});
