/** Chunks that have a TSN: acknowledged, overtaken, lost, given up. Positions count from 0; `cumulative` is −1 at first. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DATA_HEADER_SIZE } from '../../src/sctp/constants.ts';
import type { MessageOutcome } from '../../src/sctp/index.ts';
import { decodeSack } from '../../src/sctp/packet/sack.ts';
import { Outstanding } from '../../src/sctp/tx/outstanding.ts';
import type { OutgoingMessage } from '../../src/sctp/tx/send-queue.ts';
import { endMessage, outgoingMessage } from '../../src/sctp/tx/send-queue.ts';
import { sackChunk } from './wire.ts';

const SIZE = 100;
const WIRE = DATA_HEADER_SIZE + SIZE;
/** Milliseconds that something overtaken may be late. */
const REORDERING = 25;

class Bench {
  now = 1000;
  readonly ended: MessageOutcome[] = [];
  readonly outstanding = new Outstanding({
    ended: (message, outcome) => {
      this.ended.push(outcome);
      endMessage(message, outcome);
    },
    lost: () => undefined,
  });

  /** A message of so many chunks, of which `sent` have been given a TSN. */
  message(chunks = 1, sent = chunks): OutgoingMessage {
    const message = outgoingMessage(1, 53, new Uint8Array(chunks * SIZE));
    for (let i = 0; i < sent; i++) {
      this.outstanding.add(message, message.sent, SIZE, this.now, true);
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
    const outcome = this.outstanding.handleSack(cumulative, blocks, this.now);
    if (outcome === undefined) throw new Error('refused');
    return { ackedBytes: outcome.ackedBytes, newlyLost: this.detect(recovering) };
  }

  /** Chunks found lost by now. */
  detect(recovering = false): number {
    return this.outstanding.detectLosses(this.now, REORDERING, recovering).chunks;
  }

  lost(): number[] {
    const all: number[] = [];
    for (let at = this.outstanding.nextLost(); at >= 0; at = this.outstanding.nextLost()) {
      all.push(at);
      this.outstanding.resend(at, this.now, true);
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
    // Three reports tell that 13 and 16 are lost.
    expect([bench.outstanding.flightBytes, bench.outstanding.lostCount]).toEqual([0, 2]);
  });

  test('payload counts for the peer’s window, chunks with header and padding for the path', () => {
    const bench = new Bench();
    const message = outgoingMessage(1, 53, new Uint8Array(1));
    bench.outstanding.add(message, 0, 1, bench.now, true);
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
    expect(bench.outstanding.handleSack(cumulative, blocks, bench.now)).toBeUndefined();
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
    expect(bench.sack(-1, [3, 3])).toEqual({ ackedBytes: 0, newlyLost: 0 });
    expect(bench.outstanding.sent.roundTripTime).toBe(-1);
  });
});

describe('loss (RFC 8985 §6.2, RFC 9260 §7.2.4)', () => {
  test('three chunks reported above it make a chunk lost at once; two do not, however often they are', () => {
    const bench = new Bench();
    bench.messages(5);
    bench.now += 100;
    bench.sack(-1, [2, 2]);
    for (let i = 0; i < 4; i++) bench.sack(-1, [2, 3]);
    expect(bench.outstanding.lostCount).toBe(0);
    expect(bench.sack(-1, [2, 4]).newlyLost).toBe(1);
    expect(bench.outstanding.nextLost()).toBe(0);
    expect(bench.outstanding.flightBytes).toBe(WIRE);
  });

  test('they may come in one SACK, for others may have been lost; what was sent after them is not judged', () => {
    const bench = new Bench();
    bench.messages(8);
    bench.now += 100;
    expect(bench.sack(-1, [2, 2, 4, 4, 6, 6]).newlyLost).toBe(3);
    expect(bench.lost()).toEqual([0, 2, 4]);
    expect(bench.sack(-1, [2, 2, 4, 4, 6, 6]).newlyLost).toBe(0);
  });

  test('with two it is lost when it is late by the reordering window, counted from its own sending', () => {
    const bench = new Bench();
    bench.message();
    bench.now += 10;
    bench.messages(2);
    bench.now += 100;
    expect(bench.sack(-1, [2, 3]).newlyLost).toBe(0);
    // Sent at 1000, and what overtook it took 100.
    expect(bench.outstanding.nextLossAt(REORDERING, false)).toBe(1000 + 100 + REORDERING);
    bench.now = 1124;
    expect(bench.detect()).toBe(0);
    bench.now = 1125;
    expect(bench.detect()).toBe(1);
    expect(bench.outstanding.nextLossAt(REORDERING, false)).toBe(Infinity);
  });

  test('once something was seen to overtake, three are not enough any more: the window decides', () => {
    const bench = new Bench();
    bench.messages(9);
    bench.now += 100;
    bench.sack(-1, [4, 4]);
    bench.sack(-1, [2, 2, 4, 4]); // 1 arrives after 3
    expect(bench.outstanding.sent.reorderingQuarters).toBe(1);
    expect(bench.sack(-1, [2, 2, 4, 8]).newlyLost).toBe(0);
    bench.now += REORDERING;
    expect(bench.detect()).toBe(2);
    expect(bench.lost()).toEqual([0, 2]);
  });

  test('what was taken for lost and comes sooner than its second sending can: the window widens, once a round', () => {
    const bench = new Bench();
    bench.messages(9);
    bench.now += 100;
    bench.sack(-1, [3, 5]);
    expect(bench.lost()).toEqual([0, 1]);
    bench.now += 10;
    bench.sack(1, [1, 3]);
    expect(bench.outstanding.sent.reorderingQuarters).toBe(1);
    expect(bench.outstanding.sent.roundTripTime).toBe(-1);
  });

  test('once sent again, only what was sent after it counts against it', () => {
    const bench = new Bench();
    bench.messages(9);
    bench.now += 100;
    for (const last of [2, 3, 4]) bench.sack(-1, [2, last]);
    expect(bench.lost()).toEqual([0]);
    bench.now += 50;
    for (const last of [5, 6, 7, 8, 9]) expect(bench.sack(-1, [2, last]).newlyLost).toBe(0);
    expect(bench.outstanding.nextLossAt(REORDERING, false)).toBe(Infinity);
    bench.messages(3);
    bench.now += 100;
    expect(bench.sack(-1, [2, 10]).newlyLost).toBe(1);
  });

  test('in recovery one report is enough against all that was sent before', () => {
    const bench = new Bench();
    bench.messages(10);
    bench.now += 100;
    expect(bench.sack(-1, [3, 3], true).newlyLost).toBe(2);
    expect(bench.lost()).toEqual([0, 1]);
    expect(bench.sack(-1, [3, 3, 5, 9], true).newlyLost).toBe(1);
    expect(bench.lost()).toEqual([3]);
  });

  test('what was sent at an unknown time is not late before the next time that is seen', () => {
    const bench = new Bench();
    const message = outgoingMessage(1, 53, new Uint8Array(SIZE));
    bench.outstanding.add(message, 0, SIZE, bench.now, false);
    bench.outstanding.sent.observe(5000);
    bench.now = 5000;
    bench.messages(2);
    bench.now += 100;
    expect(bench.sack(-1, [2, 3]).newlyLost).toBe(0);
    expect(bench.outstanding.nextLossAt(REORDERING, false)).toBe(5100 + REORDERING);
  });

  test('T3: everything in flight is lost, what was reported is not', () => {
    const bench = new Bench();
    bench.messages(5);
    bench.sack(-1, [3, 3]);
    bench.outstanding.loseAll(bench.now);
    bench.outstanding.loseAll(bench.now);
    expect([bench.outstanding.lostCount, bench.outstanding.flightBytes]).toEqual([4, 0]);
    expect(bench.lost()).toEqual([0, 1, 3, 4]);
    expect(bench.outstanding.transmissions(0)).toBe(2);
  });

  test('a lost chunk that is acknowledged after all is not sent again', () => {
    const bench = new Bench();
    bench.messages(3);
    bench.outstanding.loseAll(bench.now);
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

  test('the count of transmissions has an end', () => {
    const bench = new Bench();
    bench.messages(2);
    for (let i = 0; i < 70_000; i++) {
      bench.outstanding.loseAll(bench.now);
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
    bench.outstanding.loseAll(bench.now);
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

describe('the ends of the ring', () => {
  test('a ring that is full: what comes next is neither abandoned nor lost because the first one is', () => {
    const bench = new Bench();
    const [first] = bench.messages(16);
    bench.outstanding.loseAll(bench.now);
    bench.outstanding.abandon(first ?? expect.unreachable());
    expect([0, 1, 15, 16].map((at) => bench.outstanding.isAbandoned(at))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([0, 1, 15].map((at) => bench.outstanding.fate(at))).toEqual(['lost', 'lost', 'lost']);
  });

  test('a position that is acknowledged is not sent again when the one that has its slot is lost', () => {
    const bench = new Bench();
    bench.messages(2);
    bench.outstanding.loseAll(bench.now);
    bench.sack(0);
    bench.messages(15); // 16 has the slot of 0.
    bench.outstanding.loseAll(bench.now);
    expect(bench.lost()).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  });

  test('what has become of each: acknowledged, reported, lost, given up in flight, given up when lost, not known', () => {
    const bench = new Bench();
    const [, , , inFlight, lost] = bench.messages(6);
    bench.sack(0, [2, 2]);
    bench.outstanding.abandon(inFlight ?? expect.unreachable());
    bench.outstanding.loseLast(bench.now);
    expect(bench.outstanding.nextLost()).toBe(5);
    bench.outstanding.resend(5, bench.now, true);
    bench.outstanding.loseAll(bench.now);
    bench.outstanding.abandon(lost ?? expect.unreachable());
    bench.outstanding.resend(5, bench.now, true);
    expect([-1, 0, 1, 2, 3, 4, 5].map((at) => bench.outstanding.fate(at))).toEqual([
      'arrived',
      'arrived',
      'lost',
      'arrived',
      'abandoned',
      'lost',
      'unknown',
    ]);
  });

  test('given up twice: its bytes are taken off once', () => {
    const bench = new Bench();
    const given = bench.message(3);
    bench.message();
    bench.outstanding.abandon(given);
    bench.outstanding.abandon(given);
    expect([bench.outstanding.unackedBytes, bench.outstanding.flightBytes]).toEqual([SIZE, WIRE]);
  });
});

describe('the tail probe (RFC 8985 §7.3)', () => {
  test('may send the only chunk there is', () => {
    const bench = new Bench();
    bench.message();
    expect([bench.outstanding.loseLast(bench.now), bench.lost()]).toEqual([true, [0]]);
  });

  test('sends a message of few retransmissions as often as it may be sent', () => {
    const bench = new Bench();
    const counted = outgoingMessage(1, 53, new Uint8Array(SIZE), { maxRetransmits: 2 });
    bench.outstanding.add(counted, 0, SIZE, bench.now, true);
    const answers = [0, 1, 2].map(() => {
      const may = bench.outstanding.loseLast(bench.now);
      bench.lost();
      return may;
    });
    expect(answers).toEqual([true, true, false]);
    expect(bench.outstanding.transmissions(0)).toBe(3);
  });

  test('has nothing to send when nothing is in flight', () => {
    const bench = new Bench();
    bench.messages(3);
    bench.outstanding.loseAll(bench.now);
    expect([bench.outstanding.loseLast(bench.now), bench.outstanding.lostCount]).toEqual([false, 3]);
  });
});

test('one SACK takes back 16 reports and no more; the next ones take back the rest', () => {
  const bench = new Bench();
  bench.messages(40);
  bench.sack(-1, [2, 38]); // 38 and 39 stay in flight.
  expect(bench.outstanding.trustsReports).toBe(true);
  const lost = [0, 0, 0].map((cumulative) => {
    bench.outstanding.handleSack(cumulative, [], bench.now);
    return bench.lost();
  });
  expect(bench.outstanding.trustsReports).toBe(false);
  expect(lost[0]).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  expect(lost.slice(1)).toEqual([[], []]);
  expect(bench.outstanding.isReported(17)).toBe(true);
  bench.outstanding.handleSack(16, [], bench.now);
  expect(bench.lost()).toEqual(Array.from({ length: 16 }, (_, i) => i + 17));
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
    fc.record({ type: fc.constant('late' as const), by: fc.nat(200), recovering: fc.boolean() }),
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
        else if (taken.type === 'lose') outstanding.loseAll(bench.now);
        else if (taken.type === 'resend') bench.lost();
        else if (taken.type === 'late') {
          bench.now += taken.by;
          const before = outstanding.lostCount;
          const found = bench.detect(taken.recovering);
          if (outstanding.lostCount !== before + found) throw new Error('found');
          if (outstanding.nextLossAt(REORDERING, taken.recovering) <= bench.now) throw new Error('late');
        } else if (taken.type === 'abandon') {
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
          outstanding.handleSack(cumulative, edges, bench.now);
        }
        if (outstanding.flightBytes < 0 || outstanding.unackedBytes < 0 || outstanding.lostCount < 0)
          throw new Error('negative');
        if (outstanding.flightBytes !== (outstanding.flightPayload / SIZE) * WIRE) throw new Error('flight');
        if ((outstanding.lostCount === 0) !== outstanding.nextLost() < 0) throw new Error('lost');
      }
      outstanding.handleSack(outstanding.next - 1, [], bench.now);
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

test('A6: a block that touches the cumulative TSN reports nothing: it would be taken back in the same SACK', () => {
  const body = sackChunk({ cumulativeTsn: 1, blocks: [1, 9, 12, 13] }).subarray(4);
  expect(decodeSack(body)).toMatchObject({ blocks: [12, 13] });
});
