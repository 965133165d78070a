/** Whose turn it is (RFC 8260 §3): round robin and weighted fair. */
import { describe, expect, test } from 'vitest';
import type { Scheduling, Turn } from '../../src/sctp/tx/turns.ts';
import { TurnQueue } from '../../src/sctp/tx/turns.ts';

interface Stream extends Turn {
  readonly name: string;
  readonly size: number;
  readonly weight: number;
}

function stream(name: string, size = 100, weight = 1): Stream {
  return { name, size, weight, start: 0, finish: 0, order: 0 };
}

/** Serves `turns` turns; every stream served stands in line again, unless `once`. */
function serve(queue: TurnQueue<Stream>, turns: number, once = false): string {
  let served = '';
  for (let i = 0; i < turns; i++) {
    const next = queue.shift();
    if (next === undefined) break;
    served += next.name;
    queue.served(next, next.size, next.weight);
    if (!once) queue.push(next);
  }
  return served;
}

function line(scheduling: Scheduling, ...streams: Stream[]): TurnQueue<Stream> {
  const queue = new TurnQueue<Stream>(scheduling);
  for (const each of streams) queue.push(each);
  return queue;
}

/** How often each name occurs. */
function counts(served: string): Record<string, number> {
  const all: Record<string, number> = {};
  for (const name of served) all[name] = (all[name] ?? 0) + 1;
  return all;
}

test.each(['round-robin', 'weighted-fair'] as const)(
  '%s: nobody in line, one, and nobody again',
  (scheduling) => {
    const queue = line(scheduling);
    expect(queue.shift()).toBeUndefined();
    queue.push(stream('a'));
    expect(serve(queue, 5, true)).toBe('a');
    expect(queue.shift()).toBeUndefined();
    queue.push(stream('b'));
    queue.clear();
    expect(queue.shift()).toBeUndefined();
  },
);

describe('round robin', () => {
  test('one after the other, whatever their sizes and weights', () => {
    expect(serve(line('round-robin', stream('a', 1, 9), stream('b', 5000), stream('c')), 9)).toBe(
      'abcabcabc',
    );
  });

  test('a stream that comes in between stands behind those who wait', () => {
    const queue = line('round-robin', stream('a'), stream('b'));
    expect(serve(queue, 3)).toBe('aba');
    queue.push(stream('c'));
    expect(counts(serve(queue, 6))).toEqual({ a: 2, b: 2, c: 2 });
  });

  test('a stream that was away has no credit', () => {
    const queue = line('round-robin', stream('a'), stream('b'));
    const [away] = [queue.shift()];
    expect(away?.name).toBe('a');
    serve(queue, 50);
    if (away !== undefined) queue.push(away);
    expect(counts(serve(queue, 10))).toEqual({ a: 5, b: 5 });
  });
});

describe('weighted fair', () => {
  test('equal weights and sizes: in turns', () => {
    expect(serve(line('weighted-fair', stream('a'), stream('b'), stream('c')), 6)).toBe('abcabc');
  });

  test('equal weights, different sizes: equal bytes', () => {
    const served = counts(serve(line('weighted-fair', stream('a', 100), stream('b', 400)), 500));
    expect((served['a'] ?? 0) / (served['b'] ?? 1)).toBeCloseTo(4, 1);
  });

  test('different weights, equal sizes: turns by weight', () => {
    const served = counts(serve(line('weighted-fair', stream('a', 100, 1), stream('b', 100, 3)), 400));
    expect((served['b'] ?? 0) / (served['a'] ?? 1)).toBeCloseTo(3, 1);
  });

  test('different weights and sizes', () => {
    const served = counts(serve(line('weighted-fair', stream('a', 100, 1), stream('b', 200, 4)), 600));
    expect((served['b'] ?? 0) / (served['a'] ?? 1)).toBeCloseTo(2, 1);
  });

  test('four streams by the weights of RFC 8831 §6.4', () => {
    const streams = [128, 256, 512, 1024].map((weight, i) => stream('abcd'[i] ?? '', 100, weight));
    const served = counts(serve(line('weighted-fair', ...streams), 1500));
    expect(served).toEqual({ a: 100, b: 200, c: 400, d: 800 });
  });

  test('a stream that was idle is first again at once, without credit for the past', () => {
    const queue = line('weighted-fair', stream('a'));
    serve(queue, 1000);
    queue.push(stream('b'));
    expect(serve(queue, 6)).toMatch(/^(ab|ba)(ab|ba)(ab|ba)$/);
  });
});
