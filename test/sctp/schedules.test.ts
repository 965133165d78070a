/** Random traffic over hostile links: what is reliable arrives exactly once and in order, what is not never twice. */
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { howMany } from '../how-many.ts';
import type { LinkOptions } from './pair.ts';
import { inspect, messages, Pair, payload } from './pair.ts';

interface Kind {
  readonly unordered: boolean;
  readonly maxRetransmits?: number;
  readonly maxPacketLifeTime?: number;
}

const KINDS: readonly Kind[] = [
  { unordered: false },
  { unordered: true },
  { unordered: false, maxRetransmits: 0 },
  { unordered: true, maxRetransmits: 2 },
  { unordered: false, maxPacketLifeTime: 300 },
];

interface Sent {
  readonly from: 0 | 1;
  readonly kind: number;
  readonly mark: number;
  readonly length: number;
}

function linkOf(random: SeededRandom): LinkOptions {
  return {
    delay: 1 + random.unit() * 60,
    jitter: random.unit() < 0.5 ? 0 : random.unit() * 80,
    loss: random.unit() < 0.3 ? 0 : random.unit() * 0.15,
    duplication: random.unit() * 0.1,
    ...(random.unit() < 0.3 ? { rate: 100 + random.unit() * 1000 } : {}),
  };
}

/** The message's first four bytes are its number, the rest is what that number makes of it. */
function numbered(mark: number, length: number): Uint8Array {
  const bytes = payload(length, mark);
  bytes.set([mark >>> 24, mark >>> 16, mark >>> 8, mark]);
  return bytes;
}

function runSchedule(seed: number): { now: number; packets: number } {
  const random = new SeededRandom(seed).split('schedule');
  const pair = new Pair({
    seed,
    link: linkOf(random),
    check: seed % 8 === 0,
    a: { interleaving: seed % 2 === 0 },
    b: { interleaving: seed % 4 !== 2 },
  });
  pair.a.connect(pair.now);
  if (random.unit() < 0.7) pair.b.connect(pair.now);
  const sent: Sent[] = [];
  const count = 20 + Math.floor(random.unit() * 40);
  for (let mark = 0; mark < count; mark++) {
    const from = random.unit() < 0.5 ? 0 : 1;
    const kind = Math.floor(random.unit() * KINDS.length);
    const length = 4 + Math.floor(random.unit() ** 4 * 40_000);
    const accepted = pair.end(from).send(kind, { ppid: 53, data: numbered(mark, length), ...KINDS[kind] });
    expect(accepted).toBe(true);
    sent.push({ from, kind, mark, length });
    if (random.unit() < 0.5) pair.runFor(random.unit() * 100);
  }
  pair.run(() => isQuiet(pair), 300_000);
  check(pair, sent);
  return { now: pair.now, packets: pair.packets };
}

function isQuiet(pair: Pair): boolean {
  return [pair.a, pair.b].every((end) => {
    const { send } = inspect(end);
    return end.state === 'established' && send.outstandingChunks === 0 && send.bufferedBytes === 0;
  });
}

function check(pair: Pair, sent: readonly Sent[]): void {
  for (const from of [0, 1] as const) {
    const to = from === 0 ? 1 : 0;
    expect([pair.end(from).state, inspect(pair.end(from)).send.unackedBytes]).toEqual(['established', 0]);
    expect(inspect(pair.end(to)).receive).toMatchObject({ usedBytes: 0, fragments: 0, gaps: 0 });
    for (const [kind, { unordered, maxRetransmits, maxPacketLifeTime }] of KINDS.entries()) {
      const expected = sent.filter((message) => message.from === from && message.kind === kind);
      const arrived = messages(pair.events[to])
        .filter(({ streamId }) => streamId === kind)
        .map(({ data }) => {
          const [a = 0, b = 0, c = 0, d = 0] = data;
          const mark = (a << 24) | (b << 16) | (c << 8) | d;
          const original = expected.find((message) => message.mark === mark);
          expect(original !== undefined && equalBytes(data, numbered(mark, original.length))).toBe(true);
          return mark;
        });
      expect(new Set(arrived).size).toBe(arrived.length);
      if (!unordered) expect(arrived).toEqual([...arrived].sort((x, y) => x - y));
      const reliable = maxRetransmits === undefined && maxPacketLifeTime === undefined;
      if (reliable) expect([...arrived].sort((x, y) => x - y)).toEqual(expected.map(({ mark }) => mark));
    }
  }
}

describe('schedules', () => {
  const seeds = howMany(8, 25);

  test.each(Array.from({ length: 8 }, (_, i) => i))(`${8 * seeds} seeds, part %d`, (part) => {
    for (let seed = part * seeds; seed < part * seeds + seeds; seed++) {
      try {
        runSchedule(seed);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  test('the same seed gives the same run', () => {
    expect(runSchedule(17)).toEqual(runSchedule(17));
  });

  test('a mebibyte each way over 10 % loss, reordering and duplication', () => {
    for (const seed of [1, 2, 3]) {
      const pair = new Pair({
        seed,
        check: false,
        link: { delay: 5, jitter: 20, loss: 0.1, duplication: 0.1 },
      }).connect();
      const data = payload(262_144, seed);
      for (let i = 0; i < 4; i++) {
        pair.a.send(i, { ppid: 53, data });
        pair.b.send(i, { ppid: 53, data });
      }
      pair.run(() => messages(pair.events[0]).length === 4 && messages(pair.events[1]).length === 4, 120_000);
      for (const all of pair.events) {
        expect(messages(all).map((message) => equalBytes(message.data, data))).toEqual([
          true,
          true,
          true,
          true,
        ]);
      }
    }
  });

  test('a link with a small queue is filled, not flooded', () => {
    // 1 MB/s, 50 ms each way, 100 ms of queue.
    const pair = new Pair({ check: false, link: { delay: 50, rate: 1000, queueMs: 100 } }).connect();
    const startedAt = pair.now;
    for (let i = 0; i < 20; i++) pair.a.send(1, { ppid: 53, data: payload(262_144, i) });
    pair.run(() => messages(pair.events[1]).length === 20, 60_000);
    const rate = (20 * 262_144) / (pair.now - startedAt);
    expect(rate).toBeGreaterThan(700);
    const { counters } = inspect(pair.a);
    expect(counters['retransmitted-chunks'] / counters['packets-sent']).toBeLessThan(0.1);
  });
});
