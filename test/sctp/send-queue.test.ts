/** Messages by stream before they have a TSN: turns, resets, lifetimes, thresholds. */
import { describe, expect, test } from 'vitest';
import type { MessageOutcome } from '../../src/sctp/index.ts';
import type { MessageTraits, OutgoingMessage } from '../../src/sctp/tx/send-queue.ts';
import { endMessage, outgoingMessage, SendQueue } from '../../src/sctp/tx/send-queue.ts';
import type { Scheduling } from '../../src/sctp/tx/turns.ts';

/** A queue, and everything it has told. */
class Bench {
  readonly queue: SendQueue;
  readonly low: number[] = [];
  readonly ended: [number, MessageOutcome][] = [];

  constructor(scheduling: Scheduling = 'round-robin') {
    this.queue = new SendQueue(
      {
        bufferedAmountLow: (streamId) => this.low.push(streamId),
        ended: (message, outcome) => {
          this.ended.push([message.streamId, outcome]);
          endMessage(message, outcome);
        },
      },
      scheduling,
    );
  }

  push(
    streamId: number,
    length: number,
    traits: MessageTraits & { expiresAt?: number } = {},
  ): OutgoingMessage {
    const message = outgoingMessage(streamId, 53, new Uint8Array(length), traits);
    message.expiresAt = traits.expiresAt ?? Infinity;
    this.queue.enqueue(message);
    return message;
  }

  /** The next fragment of at most `size` bytes: `stream:offset+bytes`, or undefined. */
  produce(size: number, now = 0): string | undefined {
    const message = this.queue.head(now);
    if (message === undefined) return undefined;
    const { sent, streamId } = message;
    const bytes = Math.min(size, message.length - sent);
    this.queue.take(message, bytes);
    return `${streamId}:${sent}+${bytes}`;
  }

  all(size: number, now = 0): string[] {
    const parts: string[] = [];
    for (let part = this.produce(size, now); part !== undefined; part = this.produce(size, now))
      parts.push(part);
    return parts;
  }
}

describe('carving', () => {
  test('empty, filled, emptied, filled again', () => {
    const bench = new Bench();
    expect(bench.produce(100)).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      bench.push(1, 60);
      expect([bench.produce(100), bench.produce(100), bench.queue.bufferedBytes]).toEqual([
        '1:0+60',
        undefined,
        0,
      ]);
    }
  });

  test('beginning, middle and end of one message, and the small rest of another', () => {
    const bench = new Bench();
    bench.push(1, 250);
    bench.push(1, 101);
    expect(bench.all(100)).toEqual(['1:0+100', '1:100+100', '1:200+50', '1:0+100', '1:100+1']);
  });

  test('sequence numbers come with the first fragment: SSNs for ordered messages alone', () => {
    const bench = new Bench();
    const messages = [bench.push(1, 10), bench.push(1, 10, { unordered: true }), bench.push(1, 10)];
    bench.all(100);
    expect(messages.map(({ sequence }) => sequence)).toEqual([0, 0, 1]);
  });

  test('with interleaving ordered and unordered messages have numbers of their own', () => {
    const bench = new Bench();
    bench.queue.interleaving = true;
    const messages = [true, false, true, false].map((unordered) => bench.push(1, 10, { unordered }));
    bench.all(100);
    expect(messages.map(({ sequence }) => sequence)).toEqual([0, 0, 1, 1]);
  });

  test('without interleaving the fragments of a message are together, whatever else waits', () => {
    const bench = new Bench();
    for (const stream of [1, 2, 3]) bench.push(stream, 201);
    expect(bench.all(100)).toEqual([
      '1:0+100',
      '1:100+100',
      '1:200+1',
      '2:0+100',
      '2:100+100',
      '2:200+1',
      '3:0+100',
      '3:100+100',
      '3:200+1',
    ]);
  });

  test('round robin: a message a turn; with interleaving a chunk a turn', () => {
    const bench = new Bench();
    for (const stream of [1, 2]) for (let i = 0; i < 3; i++) bench.push(stream, 10);
    bench.push(3, 10);
    expect(bench.all(100).map((part) => part[0])).toEqual(['1', '2', '3', '1', '2', '1', '2']);
    const mixed = new Bench();
    mixed.queue.interleaving = true;
    for (const stream of [1, 2]) mixed.push(stream, 300);
    mixed.push(3, 50);
    expect(mixed.all(100)).toEqual([
      '1:0+100',
      '2:0+100',
      '3:0+50',
      '1:100+100',
      '2:100+100',
      '1:200+100',
      '2:200+100',
    ]);
  });
});

describe('maxOpenBytes, with interleaving', () => {
  /** Three messages of 300 bytes above what counts as small, of which two may be open at once. */
  function three(): Bench {
    const bench = new Bench();
    bench.queue.interleaving = true;
    bench.queue.maxOpenBytes = 3000;
    for (const stream of [1, 2, 3]) bench.push(stream, 1400);
    return bench;
  }

  test('the third is not begun until one is sent to its end; then it is', () => {
    expect(three().all(700)).toEqual([
      '1:0+700',
      '2:0+700',
      '1:700+700',
      '2:700+700',
      '3:0+700',
      '3:700+700',
    ]);
  });

  test('what fills it to the byte may begin, and one byte more may not', () => {
    const [exact, over] = [three(), three()];
    exact.queue.maxOpenBytes = 2800;
    over.queue.maxOpenBytes = 2799;
    expect(exact.all(700).slice(0, 3)).toEqual(['1:0+700', '2:0+700', '1:700+700']);
    expect(over.all(700).slice(0, 3)).toEqual(['1:0+700', '1:700+700', '2:0+700']);
  });

  test.each([
    [1024, '2:0+700'],
    [1025, '1:700+700'],
  ])('a message of %d bytes begun beside another: %s is next', (length, next) => {
    const bench = new Bench();
    bench.queue.interleaving = true;
    bench.queue.maxOpenBytes = 100;
    bench.push(1, 1400);
    bench.push(2, length);
    expect([bench.produce(700), bench.produce(700)]).toEqual(['1:0+700', next]);
  });

  test('one that is given up makes room, too', () => {
    const bench = three();
    const first = bench.queue.head(0) ?? expect.unreachable();
    expect([bench.produce(700), bench.produce(700), bench.produce(10)]).toEqual([
      '1:0+700',
      '2:0+700',
      '1:700+10',
    ]);
    bench.queue.abandonRest(first);
    expect(bench.all(700)).toEqual(['2:700+700', '3:0+700', '3:700+700']);
  });

  test('one alone may be larger, and small ones wait for nobody', () => {
    const bench = new Bench();
    bench.queue.interleaving = true;
    bench.queue.maxOpenBytes = 100;
    bench.push(1, 3000);
    bench.push(2, 3000);
    bench.push(3, 1000);
    expect(bench.all(1500)).toEqual(['1:0+1500', '3:0+1000', '1:1500+1500', '2:0+1500', '2:1500+1500']);
  });

  test('a stream that waits so may be discarded, reset and used again', () => {
    const bench = three();
    for (let i = 0; i < 2; i++) bench.produce(700);
    expect(bench.produce(10)).toBe('1:700+10');
    bench.queue.discard(3);
    bench.queue.drainForReset(3);
    bench.queue.pause(3);
    bench.queue.resume(3, true);
    bench.push(3, 20);
    expect(bench.all(700).filter((part) => part.startsWith('3'))).toEqual(['3:0+20']);
  });
});

describe('lifetime', () => {
  test('a message that has run out of time is not begun, and its bytes are no longer buffered', () => {
    const bench = new Bench();
    bench.push(1, 100, { expiresAt: 5 });
    bench.push(1, 50);
    expect(bench.queue.bufferedAmount(1)).toBe(150);
    expect(bench.produce(100, 5)).toBe('1:0+50');
    expect(bench.ended).toEqual([[1, 'expired']]);
    expect(bench.queue.bufferedBytes).toBe(0);
  });

  test('one that has been begun is not for the queue to end', () => {
    const bench = new Bench();
    const message = bench.push(1, 200, { expiresAt: 5 });
    bench.produce(100, 0);
    bench.queue.expire(message);
    expect(bench.produce(100, 50)).toBe('1:100+100');
    expect(bench.ended).toEqual([]);
  });

  test('expired while the stream is paused, and told once', () => {
    const bench = new Bench();
    bench.queue.drainForReset(1);
    const message = bench.push(1, 100, { expiresAt: 5 });
    bench.queue.pause(1);
    bench.queue.expire(message);
    bench.queue.expire(message);
    expect([bench.ended, bench.queue.bufferedBytes]).toEqual([[[1, 'expired']], 0]);
    bench.queue.resume(1, true);
    expect(bench.all(100)).toEqual([]);
  });

  test('an explicit discard ends what has not been begun; the part that has goes out whole', () => {
    const bench = new Bench();
    bench.push(1, 200);
    bench.push(1, 70);
    bench.push(2, 30);
    bench.produce(100);
    expect(bench.queue.discard(1)).toBe(70);
    expect(bench.ended).toEqual([[1, 'discarded']]);
    expect(bench.all(100)).toEqual(['1:100+100', '2:0+30']);
  });

  test('the rest of a message that is given up goes, the next stream has its turn', () => {
    const bench = new Bench();
    const message = bench.push(1, 300);
    bench.push(2, 10);
    bench.produce(100);
    expect(bench.queue.abandonRest(message)).toBe(200);
    expect(bench.queue.abandonRest(bench.push(3, 0))).toBe(0);
    expect([bench.queue.bufferedAmount(1), bench.produce(100)]).toEqual([0, '2:0+10']);
  });
});

describe('stream reset', () => {
  test('what was queued before goes first, partial messages too; what comes after waits', () => {
    const bench = new Bench();
    bench.push(1, 200);
    bench.produce(100);
    bench.queue.drainForReset(1);
    const behind = bench.push(1, 10);
    bench.push(2, 10);
    expect(bench.queue.isDrained(1)).toBe(false);
    expect(bench.all(100)).toEqual(['1:100+100', '2:0+10']);
    expect(bench.queue.isDrained(1)).toBe(true);
    bench.queue.pause(1);
    expect(bench.produce(100)).toBeUndefined();
    bench.queue.resume(1, true);
    expect(bench.produce(100)).toBe('1:0+10');
    expect(behind.sequence).toBe(0);
  });

  test.each([
    ['performed: SSNs begin at 0, on that stream alone', true, [0, 2]],
    ['not performed: they go on', false, [2, 2]],
  ] as const)('%s', (_, performed, expected) => {
    const bench = new Bench();
    for (const stream of [1, 2]) for (let i = 0; i < 2; i++) bench.push(stream, 10);
    bench.all(100);
    bench.queue.drainForReset(1);
    bench.queue.pause(1);
    bench.queue.resume(1, performed);
    const messages = [bench.push(1, 10), bench.push(2, 10)];
    bench.all(100);
    expect(messages.map(({ sequence }) => sequence)).toEqual(expected);
  });

  test('with interleaving message identifiers begin at 0, too', () => {
    const bench = new Bench();
    bench.queue.interleaving = true;
    for (const unordered of [true, false]) bench.push(1, 10, { unordered });
    bench.all(100);
    bench.queue.drainForReset(1);
    bench.queue.pause(1);
    bench.queue.resume(1, true);
    const messages = [true, false].map((unordered) => bench.push(1, 10, { unordered }));
    bench.all(100);
    expect(messages.map(({ sequence }) => sequence)).toEqual([0, 0]);
  });

  test('a stream that has been reset and is not used takes no memory', () => {
    const bench = new Bench();
    for (let id = 0; id < 1000; id++) {
      bench.push(id, 10);
      bench.all(100);
      bench.queue.drainForReset(id);
      bench.queue.pause(id);
      bench.queue.resume(id, true);
    }
    expect(bench.queue.streamCount).toBe(0);
  });
});

describe('bufferedAmountLow', () => {
  test('threshold 0: told at zero, again after the next fill, never in between', () => {
    const bench = new Bench();
    for (let round = 1; round <= 3; round++) {
      bench.push(1, 200);
      bench.produce(100);
      expect(bench.low).toHaveLength(round - 1);
      bench.produce(100);
      expect(bench.low).toHaveLength(round);
    }
  });

  test('told when it is crossed, and only then', () => {
    const bench = new Bench();
    bench.queue.setLowThreshold(1, 150);
    bench.push(1, 100);
    bench.produce(100);
    expect(bench.low).toEqual([]);
    bench.push(1, 400);
    bench.all(50);
    expect(bench.low).toEqual([1]);
  });

  test('a discard crosses it, too; other streams have thresholds of their own', () => {
    const bench = new Bench();
    bench.push(1, 100);
    bench.push(2, 100);
    bench.queue.discard(1);
    expect(bench.low).toEqual([1]);
    expect(bench.queue.bufferedAmount(2)).toBe(100);
  });
});

test('clear ends every message once, begun, queued or behind a reset', () => {
  const bench = new Bench();
  bench.push(1, 200);
  bench.produce(100);
  bench.push(1, 10);
  bench.queue.drainForReset(2);
  bench.push(2, 10);
  bench.queue.clear();
  bench.queue.clear();
  expect(bench.ended.map(([, outcome]) => outcome)).toEqual(['discarded', 'discarded', 'discarded']);
  expect([bench.queue.bufferedBytes, bench.queue.streamCount, bench.produce(9)]).toEqual([0, 0, undefined]);
});
