/** Chunks that have a TSN: acknowledged, missed, lost, given up. Positions count from 0; `cumulative` is −1 at first. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DATA_HEADER_SIZE } from '../../src/sctp/constants.ts';
import type { MessageOutcome } from '../../src/sctp/index.ts';
import { Outstanding } from '../../src/sctp/tx/outstanding.ts';
import type { OutgoingMessage } from '../../src/sctp/tx/send-queue.ts';
import { endMessage, outgoingMessage } from '../../src/sctp/tx/send-queue.ts';

const SIZE = 100;
const WIRE = DATA_HEADER_SIZE + SIZE;

class Bench {
  readonly ended: MessageOutcome[] = [];
  readonly outstanding = new Outstanding({
    ended: (message, outcome) => {
      this.ended.push(outcome);
      endMessage(message, outcome);
    },
  });

  /** A message of so many chunks, of which `sent` have been given a TSN. */
  message(chunks = 1, sent = chunks): OutgoingMessage {
    const message = outgoingMessage(1, 53, new Uint8Array(chunks * SIZE));
    for (let i = 0; i < sent; i++) {
      this.outstanding.add(message, message.sent, SIZE);
      message.sent += SIZE;
      message.fragments++;
    }
    return message;
  }

  /** So many messages of one chunk. */
  messages(count: number): OutgoingMessage[] {
    return Array.from({ length: count }, () => this.message());
  }

  /** Distances of gap blocks from `cumulative`, as on the wire. */
  sack(
    cumulative: number,
    blocks: readonly number[] = [],
    recovering = false,
  ): { ackedBytes: number; newlyLost: number } {
    const outcome = this.outstanding.handleSack(cumulative, blocks, recovering);
    if (outcome === undefined) throw new Error('refused');
    return { ackedBytes: outcome.ackedBytes, newlyLost: outcome.newlyLost };
  }

  lost(): number[] {
    const all: number[] = [];
    for (let at = this.outstanding.nextLost(); at >= 0; at = this.outstanding.nextLost()) {
      all.push(at);
      this.outstanding.resend(at);
    }
    return all;
  }
}

describe('acknowledging', () => {
  test('initial state, one chunk, its acknowledgement', () => {
    const bench = new Bench();
    expect([bench.outstanding.count, bench.outstanding.flightBytes, bench.outstanding.cumulative]).toEqual([
      0, 0, -1,
    ]);
    bench.message();
    expect([bench.outstanding.count, bench.outstanding.flightBytes, bench.outstanding.flightPayload]).toEqual(
      [1, WIRE, SIZE],
    );
    expect(bench.sack(0)).toEqual({ ackedBytes: WIRE, newlyLost: 0 });
    expect([bench.outstanding.count, bench.outstanding.flightBytes, bench.outstanding.unackedBytes]).toEqual([
      0, 0, 0,
    ]);
    expect(bench.ended).toEqual(['acknowledged']);
  });

  test('what was acknowledged before is nothing new', () => {
    const bench = new Bench();
    bench.messages(3);
    bench.sack(1);
    expect(bench.sack(1)).toEqual({ ackedBytes: 0, newlyLost: 0 });
    expect(bench.outstanding.count).toBe(1);
  });

  test('a gap report counts its bytes once, moves nothing, and ends no message', () => {
    const bench = new Bench();
    bench.messages(4);
    expect(bench.sack(-1, [2, 3])).toEqual({ ackedBytes: 2 * WIRE, newlyLost: 0 });
    expect(bench.sack(-1, [2, 3]).ackedBytes).toBe(0);
    expect([bench.outstanding.cumulative, bench.outstanding.flightBytes, bench.ended]).toEqual([
      -1,
      2 * WIRE,
      [],
    ]);
    expect(bench.sack(3).ackedBytes).toBe(2 * WIRE);
    expect(bench.ended).toHaveLength(4);
  });

  test('RFC 9260 §3.3.4: 10–12, 14–15 and 17 have arrived', () => {
    const bench = new Bench();
    bench.messages(8);
    expect(bench.sack(2, [2, 3, 5, 5]).ackedBytes).toBe(6 * WIRE);
    expect(bench.outstanding.flightBytes).toBe(2 * WIRE);
  });

  test('payload counts for the peer’s window, chunks with header and padding for the path', () => {
    const bench = new Bench();
    const message = outgoingMessage(1, 53, new Uint8Array(1));
    bench.outstanding.add(message, 0, 1);
    expect([bench.outstanding.flightPayload, bench.outstanding.flightBytes]).toEqual([
      1,
      DATA_HEADER_SIZE + 4,
    ]);
  });

  test('a message of many chunks ends with its last one', () => {
    const bench = new Bench();
    bench.message(3);
    bench.sack(1);
    expect(bench.ended).toEqual([]);
    bench.sack(2);
    expect(bench.ended).toEqual(['acknowledged']);
  });
});

describe('what no peer may say (S14)', () => {
  test.each([
    ['a cumulative TSN that was never sent', 3, []],
    ['a gap block beyond the highest TSN', 0, [2, 3]],
    ['a gap block that begins beyond it', -1, [400, 500]],
    ['a block whose end is the farthest there is', 0, [2, 0xffff]],
  ] as const)('%s: refused, and nothing has changed', (_, cumulative, blocks) => {
    const bench = new Bench();
    bench.messages(3);
    const { flightBytes, unackedBytes } = bench.outstanding;
    expect(bench.outstanding.handleSack(cumulative, blocks, false)).toBeUndefined();
    expect([
      bench.outstanding.cumulative,
      bench.outstanding.flightBytes,
      bench.outstanding.unackedBytes,
    ]).toEqual([-1, flightBytes, unackedBytes]);
    expect(bench.ended).toEqual([]);
  });

  test('blocks that only touch what is acknowledged already are nothing', () => {
    const bench = new Bench();
    bench.messages(4);
    bench.sack(-1, [3, 3]);
    expect(bench.sack(-1, [3, 3], true)).toEqual({ ackedBytes: 0, newlyLost: 0 });
  });
});

describe('loss (RFC 9260 §7.2.4)', () => {
  test('three SACKs that report something newer make a chunk lost; two do not', () => {
    const bench = new Bench();
    bench.messages(5);
    bench.sack(-1, [2, 2]);
    bench.sack(-1, [2, 3]);
    expect(bench.outstanding.lostCount).toBe(0);
    expect(bench.sack(-1, [2, 4]).newlyLost).toBe(1);
    expect(bench.outstanding.nextLost()).toBe(0);
    expect(bench.outstanding.flightBytes).toBe(WIRE);
  });

  test('three blocks in one SACK are one miss', () => {
    const bench = new Bench();
    bench.messages(8);
    expect(bench.sack(-1, [2, 2, 4, 4, 6, 6]).newlyLost).toBe(0);
    expect(bench.sack(-1, [2, 2, 4, 4, 6, 6]).newlyLost).toBe(0);
    expect(bench.sack(-1, [2, 2, 4, 4, 6, 6]).newlyLost).toBe(0);
  });

  test('once sent again, only what was sent after it counts against it', () => {
    const bench = new Bench();
    bench.messages(9);
    for (const last of [2, 3, 4]) bench.sack(-1, [2, last]);
    expect(bench.lost()).toEqual([0]);
    for (const last of [5, 6, 7, 8]) expect(bench.sack(-1, [2, last]).newlyLost).toBe(0);
    bench.messages(3);
    for (const last of [10, 11]) expect(bench.sack(-1, [2, last]).newlyLost).toBe(0);
    expect(bench.sack(-1, [2, 12]).newlyLost).toBe(1);
  });

  test('in recovery a SACK that moves on counts against all below the highest reported', () => {
    const bench = new Bench();
    bench.messages(10);
    bench.sack(-1, [3, 3, 5, 9], true); // 0, 1 and 3 are missing
    bench.sack(0, [2, 2, 4, 8], true); //  1 and 3
    expect(bench.outstanding.lostCount).toBe(0);
    bench.sack(2, [2, 6], true); //        3
    expect(bench.lost()).toEqual([3]);
  });

  test('T3: everything in flight is lost, what was reported is not', () => {
    const bench = new Bench();
    bench.messages(5);
    bench.sack(-1, [3, 3]);
    bench.outstanding.loseAll();
    bench.outstanding.loseAll();
    expect([bench.outstanding.lostCount, bench.outstanding.flightBytes]).toEqual([4, 0]);
    expect(bench.lost()).toEqual([0, 1, 3, 4]);
    expect(bench.outstanding.transmissions(0)).toBe(2);
  });

  test('a lost chunk that is acknowledged after all is not sent again', () => {
    const bench = new Bench();
    bench.messages(3);
    bench.outstanding.loseAll();
    expect(bench.sack(1).ackedBytes).toBe(2 * WIRE);
    expect(bench.lost()).toEqual([2]);
  });

  test('a report that is taken back: the chunks are sent again, and their second report is no progress', () => {
    const bench = new Bench();
    bench.messages(4);
    bench.sack(-1, [2, 4]);
    expect(bench.outstanding.hasReneged).toBe(false);
    bench.sack(0);
    expect(bench.outstanding.hasReneged).toBe(true);
    expect(bench.lost()).toEqual([1, 2, 3]);
    expect(bench.sack(0, [2, 3]).ackedBytes).toBe(2 * WIRE);
    expect(bench.outstanding.hasReneged).toBe(true);
    bench.sack(3);
    expect(bench.outstanding.hasReneged).toBe(false);
  });

  test('the count of transmissions and of misses has an end', () => {
    const bench = new Bench();
    bench.messages(2);
    for (let i = 0; i < 70_000; i++) {
      bench.outstanding.loseAll();
      bench.lost();
    }
    expect(bench.outstanding.transmissions(0)).toBe(0xffff);
  });
});

describe('giving up (RFC 3758)', () => {
  test('the whole message, and its chunks count neither as in flight nor as lost nor as bytes', () => {
    const bench = new Bench();
    const given = bench.message(3);
    bench.message();
    bench.outstanding.loseAll();
    bench.outstanding.abandon(given);
    bench.outstanding.abandon(given);
    expect([
      bench.outstanding.lostCount,
      bench.outstanding.flightBytes,
      bench.outstanding.unackedBytes,
    ]).toEqual([1, 0, SIZE]);
    expect([0, 1, 2, 3].map((at) => bench.outstanding.isAbandoned(at))).toEqual([true, true, true, false]);
    expect(bench.outstanding.hasLost(given)).toBe(false);
  });

  test('a placeholder stands for a rest that was never sent, and weighs nothing', () => {
    const bench = new Bench();
    const given = bench.message(3, 2);
    bench.outstanding.abandon(given);
    expect(bench.outstanding.addPlaceholder(given)).toBe(2);
    expect([
      bench.outstanding.isAbandoned(2),
      bench.outstanding.flightBytes,
      bench.outstanding.count,
    ]).toEqual([true, 0, 3]);
    bench.sack(2);
    expect([bench.outstanding.count, bench.outstanding.unackedBytes]).toEqual([0, 0]);
  });

  test('acknowledged after it was given up: not counted twice, and not "acknowledged"', () => {
    const bench = new Bench();
    const given = bench.message(2);
    bench.outstanding.abandon(given);
    expect(bench.sack(-1, [2, 2]).ackedBytes).toBe(0);
    expect(bench.sack(1).ackedBytes).toBe(0);
    expect(bench.ended).toEqual([]);
    expect([bench.outstanding.flightBytes, bench.outstanding.unackedBytes]).toEqual([0, 0]);
  });

  test('a chunk that was reported leaves the fast retransmission when its message is given up', () => {
    const bench = new Bench();
    const given = bench.message(1);
    bench.messages(4);
    for (const last of [2, 3, 4]) bench.sack(-1, [2, last]);
    expect(bench.outstanding.hasLost(given)).toBe(true);
    bench.outstanding.abandon(given);
    expect([bench.outstanding.nextLost(), bench.outstanding.lostCount]).toEqual([-1, 0]);
  });
});

test('the ring grows and wraps without mixing up its columns', () => {
  const bench = new Bench();
  for (let round = 0; round < 40; round++) {
    const made = bench.messages(50 + round);
    const first = bench.outstanding.next - made.length;
    made.forEach((message, i) => expect(bench.outstanding.message(first + i)).toBe(message));
    bench.sack(bench.outstanding.next - 1 - (round % 7));
  }
  bench.outstanding.clear();
  expect([bench.outstanding.count, bench.outstanding.flightBytes, bench.outstanding.unackedBytes]).toEqual([
    0, 0, 0,
  ]);
});

test('S29: any SACKs, losses and abandonments: the counters are those of the chunks', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('send' as const), chunks: fc.integer({ min: 1, max: 4 }) }),
    fc.record({
      type: fc.constant('sack' as const),
      cumulative: fc.nat(60),
      blocks: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
    }),
    fc.record({ type: fc.constant('lose' as const) }),
    fc.record({ type: fc.constant('resend' as const) }),
    fc.record({ type: fc.constant('abandon' as const), which: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = new Bench();
      const { outstanding } = bench;
      const made: OutgoingMessage[] = [];
      for (const taken of steps) {
        if (taken.type === 'send') made.push(bench.message(taken.chunks));
        else if (taken.type === 'lose') outstanding.loseAll();
        else if (taken.type === 'resend') bench.lost();
        else if (taken.type === 'abandon') {
          const message = made[taken.which];
          if (message !== undefined && message.outcome === undefined) {
            outstanding.abandon(message);
            endMessage(message, 'abandoned');
          }
        } else {
          const edges = [...new Set(taken.blocks)]
            .sort((a, b) => a - b)
            .flatMap((edge) => [edge * 2, edge * 2]);
          const cumulative = Math.max(
            outstanding.cumulative,
            Math.min(taken.cumulative, outstanding.next - 1),
          );
          outstanding.handleSack(cumulative, edges, false);
        }
        if (outstanding.flightBytes < 0 || outstanding.unackedBytes < 0 || outstanding.lostCount < 0)
          throw new Error('negative');
        if (outstanding.flightBytes !== (outstanding.flightPayload / SIZE) * WIRE) throw new Error('flight');
        if ((outstanding.lostCount === 0) !== outstanding.nextLost() < 0) throw new Error('lost');
      }
      outstanding.handleSack(outstanding.next - 1, [], false);
      expect([
        outstanding.count,
        outstanding.flightBytes,
        outstanding.unackedBytes,
        outstanding.lostCount,
      ]).toEqual([0, 0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});
