/** Both ways of putting messages together, side by side: what one does, the other does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { InterleavedReassembly } from '../../src/sctp/rx/interleaved.ts';
import type { DataChunk, MessageSink, Reassembler } from '../../src/sctp/rx/reassembly.ts';
import { Reassembly } from '../../src/sctp/rx/reassembly.ts';

const WHOLE = 3;
const FIRST = 2;
const MIDDLE = 0;
const LAST = 1;
const UNORDERED = 4;

class Sink implements MessageSink {
  clock = 0;
  readonly delivered: string[] = [];
  readonly begun: number[] = [];
  late = 0;

  deliver(streamId: number, _ppid: number, data: Bytes, unordered: boolean): void {
    this.delivered.push(`${streamId}${unordered ? 'u' : ''}:${String.fromCharCode(...data)}`);
  }

  firstFragment(streamId: number): void {
    this.begun.push(streamId);
  }

  outOfTurn(): void {
    this.late++;
  }

  lateFragment(): void {
    this.late++;
  }
}

function since(made: Reassembler): number {
  return made.longestWaiting?.since ?? Infinity;
}

function text(of: string): Bytes {
  return Uint8Array.from(of, (character) => character.charCodeAt(0));
}

function chunk(position: number, given: Partial<DataChunk> & { text?: string }): DataChunk {
  return {
    position,
    flags: WHOLE,
    streamId: 1,
    sequence: 0,
    ppid: 51,
    fsn: 0,
    payload: text(given.text ?? 'x'),
    ...given,
  };
}

const kinds: readonly [string, (sink: MessageSink, limit?: number) => Reassembler][] = [
  ['DATA', (sink, limit = 1000) => new Reassembly(sink, limit)],
  ['I-DATA', (sink, limit = 1000) => new InterleavedReassembly(sink, limit)],
];

/** The fragments `a`, `b`, … of one message. */
function fragments(from: number, parts: string, given: Partial<DataChunk>): DataChunk[] {
  return Array.from(parts, (part, i) => {
    const flags = (i === 0 ? FIRST : 0) | (i === parts.length - 1 ? LAST : 0) | (given.flags ?? 0);
    return chunk(from + i, { ...given, flags, fsn: i, text: part });
  });
}

describe.each(kinds)('%s', (_name, make) => {
  test('empty: nothing held, nothing waits', () => {
    const made = make(new Sink());
    expect([made.isEmpty, made.heldBytes, made.fragmentCount, made.streamCount, since(made)]).toEqual([
      true,
      0,
      0,
      0,
      Infinity,
    ]);
  });

  test('a whole message is delivered at once and holds nothing (the fast path)', () => {
    const sink = new Sink();
    const made = make(sink);
    made.add(chunk(0, { text: 'ordered' }), true);
    made.add(chunk(1, { flags: WHOLE | UNORDERED, text: 'unordered' }), true);
    expect(sink.delivered).toEqual(['1:ordered', '1u:unordered']);
    expect([made.heldBytes, made.isEmpty, sink.begun]).toEqual([0, true, []]);
  });

  test.each([0, UNORDERED])('all orders of four fragments, flags %d', (flags) => {
    const order = [0, 1, 2, 3];
    const permutations = order.flatMap((a) =>
      order.flatMap((b) => order.flatMap((c) => order.map((d) => [a, b, c, d]))),
    );
    for (const permutation of permutations.filter((p) => new Set(p).size === 4)) {
      const sink = new Sink();
      const made = make(sink);
      const parts = fragments(10, 'abcd', { flags });
      for (const i of permutation) made.add(parts[i] ?? expect.unreachable(), i % 2 === 0);
      expect(sink.delivered).toEqual([flags === 0 ? '1:abcd' : '1u:abcd']);
      expect([made.heldBytes, made.fragmentCount, made.isEmpty]).toEqual([0, 0, true]);
      expect(sink.begun).toEqual([1]);
    }
  });

  test('ordered messages in every order of arrival come out in theirs; streams do not wait for each other', () => {
    for (const order of [
      [2, 1, 0],
      [1, 2, 0],
      [0, 2, 1],
      [2, 0, 1],
    ]) {
      const sink = new Sink();
      const made = make(sink);
      made.add(chunk(50, { streamId: 2, sequence: 1, text: 'later' }), true);
      for (const i of order) made.add(chunk(i, { sequence: i, text: String(i) }), true);
      made.add(chunk(51, { streamId: 2, sequence: 0, text: 'first' }), true);
      expect(sink.delivered).toEqual(['1:0', '1:1', '1:2', '2:first', '2:later']);
      expect(made.heldBytes).toBe(0);
    }
  });

  test('what is held is counted, and given back to the byte', () => {
    const made = make(new Sink());
    made.add(chunk(1, { flags: FIRST, text: 'a' }), true);
    expect(made.heldBytes).toBe(1);
    made.add(chunk(2, { flags: MIDDLE, fsn: 1, payload: new Uint8Array(100) }), true);
    expect(made.heldBytes).toBe(101);
    made.add(chunk(30, { sequence: 1, text: 'whole, but its turn has not come' }), true);
    expect(made.heldBytes).toBe(133);
    made.add(chunk(3, { flags: LAST, fsn: 2, text: 'c' }), true);
    expect([made.heldBytes, made.isEmpty]).toEqual([0, true]);
  });

  test('a reset gives back the bytes of its streams alone: begun, held, ordered and not', () => {
    const made = make(new Sink());
    made.add(chunk(1, { streamId: 1, flags: FIRST }), true);
    made.add(chunk(3, { streamId: 1, flags: FIRST | UNORDERED, sequence: 5 }), true);
    made.add(chunk(5, { streamId: 1, sequence: 3 }), true);
    made.add(chunk(7, { streamId: 2, flags: FIRST, payload: new Uint8Array(500) }), true);
    expect(made.heldBytes).toBe(3 + 500);
    made.reset([1, 3]);
    expect([made.heldBytes, made.fragmentCount, made.streamCount]).toEqual([500, 1, 1]);
    made.clear();
    expect([made.heldBytes, made.fragmentCount, made.streamCount, made.isEmpty]).toEqual([0, 0, 0, true]);
  });

  test('after a reset the sequence begins at 0 again', () => {
    const sink = new Sink();
    const made = make(sink);
    for (let i = 0; i < 3; i++) made.add(chunk(i, { sequence: i, text: String(i) }), true);
    made.reset([1]);
    made.add(chunk(3, { sequence: 0, text: 'anew' }), true);
    expect(sink.delivered.at(-1)).toBe('1:anew');
  });

  test('skipping unblocks two messages, and delivers whole ones among the skipped', () => {
    const sink = new Sink();
    const made = make(sink);
    for (const i of [1, 3, 4]) made.add(chunk(i, { sequence: i, text: String(i) }), true);
    made.skipTo(1, false, 2);
    expect(sink.delivered).toEqual(['1:1', '1:3', '1:4']);
    expect([made.heldBytes, made.isEmpty]).toEqual([0, true]);
  });

  test('the very first ordered message may be skipped, and one of the past is nothing', () => {
    const sink = new Sink();
    const made = make(sink);
    made.skipTo(1, false, 0);
    made.skipTo(1, false, 0);
    made.add(chunk(1, { sequence: 1, text: 'b' }), true);
    made.skipTo(1, false, 0);
    made.add(chunk(2, { sequence: 0, text: 'a' }), true);
    expect(sink.delivered).toEqual(['1:b']);
    expect(sink.late).toBe(1);
  });

  test('a message above the limit is refused, whole or in fragments', () => {
    expect(make(new Sink(), 10).add(chunk(0, { payload: new Uint8Array(11) }), true)).toBe(false);
    const made = make(new Sink(), 10);
    expect(made.add(chunk(0, { flags: FIRST, payload: new Uint8Array(10) }), true)).toBe(true);
    expect(made.add(chunk(1, { flags: MIDDLE, fsn: 1, payload: new Uint8Array(1) }), true)).toBe(false);
  });

  test('longestWaiting: each message has a clock of its own, and its turn has one', () => {
    const sink = new Sink();
    const made = make(sink);
    made.add(chunk(10, { streamId: 1, flags: FIRST }), true);
    sink.clock = 5;
    made.add(chunk(20, { streamId: 2, flags: FIRST, sequence: 0 }), true);
    for (let i = 0; i < 5; i++) made.add(chunk(30 + i, { streamId: 3, sequence: i }), true);
    expect(since(made)).toBe(0);
    sink.clock = 9;
    made.add(chunk(11, { streamId: 1, flags: MIDDLE, fsn: 1 }), true);
    expect(since(made)).toBe(5);
    made.add(chunk(21, { streamId: 2, flags: LAST, fsn: 1 }), true);
    expect(since(made)).toBe(9);
    made.add(chunk(12, { streamId: 1, flags: LAST, fsn: 2 }), true);
    expect(since(made)).toBe(Infinity);
    made.add(chunk(50, { streamId: 4, sequence: 2 }), true);
    sink.clock = 20;
    made.add(chunk(51, { streamId: 4, sequence: 3 }), true);
    expect(since(made)).toBe(9);
    made.add(chunk(52, { streamId: 4, sequence: 0 }), true);
    expect(since(made)).toBe(20);
  });

  test('S29: whatever comes, in whatever order, the bytes held are those of what is held', () => {
    const operation = fc.oneof(
      fc.record({
        type: fc.constant('add' as const),
        position: fc.nat(40),
        flags: fc.integer({ min: 0, max: 7 }),
        streamId: fc.nat(2),
        sequence: fc.nat(6),
        fsn: fc.nat(4),
        length: fc.integer({ min: 1, max: 200 }),
      }),
      fc.record({ type: fc.constant('reset' as const), streamId: fc.nat(2) }),
      fc.record({
        type: fc.constant('forward' as const),
        position: fc.nat(40),
        streamId: fc.nat(2),
        sequence: fc.nat(6),
        unordered: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const made = make(new Sink(), 2000);
        const seen = new Set<number>();
        for (const operated of operations) {
          if (operated.type === 'reset') made.reset([operated.streamId]);
          else if (operated.type === 'forward') {
            made.dropThrough(operated.position);
            for (let at = 0; at <= operated.position; at++) seen.add(at);
            made.skipTo(operated.streamId, operated.unordered, operated.sequence);
          } else if (!seen.has(operated.position)) {
            // A TSN comes here once: the tracker sees to it.
            seen.add(operated.position);
            made.add(
              chunk(operated.position, { ...operated, payload: new Uint8Array(operated.length) }),
              true,
            );
          }
          if (made.heldBytes < made.fragmentCount + made.heldMessages)
            throw new Error('less than what is held');
          if (made.isEmpty !== (made.heldBytes === 0))
            throw new Error('bytes of nothing, or nothing of bytes');
        }
        made.reset(made.streamIds());
        expect([made.heldBytes, made.fragmentCount, made.isEmpty]).toEqual([0, 0, true]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a large message that has come', () => {
  test.each(['DATA', 'I-DATA'] as const)(
    '%s: pays for one large array, not for all beginnings that follow',
    (kind) => {
      const sink = new Sink();
      const made = kind === 'DATA' ? new Reassembly(sink, 100_000) : new InterleavedReassembly(sink, 100_000);
      const text = 'x'.repeat(30_000);
      made.add(chunk(0, { flags: FIRST, text }), true);
      made.add(chunk(1, { flags: LAST, text, fsn: 1 }), true);
      expect(sink.delivered).toHaveLength(1);
      let memory = 0;
      const Original = globalThis.Uint8Array;
      const chunks = Array.from({ length: 100 }, (_, i) =>
        chunk(2 + 2 * i, { flags: FIRST, text: 'y', sequence: 1 + i }),
      );
      globalThis.Uint8Array = new Proxy(Original, {
        construct(target, args: [number]): object {
          memory += args[0];
          return Reflect.construct(target, args) as object;
        },
      });
      try {
        for (const each of chunks) {
          made.add(each, true);
          made.dropThrough(each.position);
          made.skipTo(each.streamId, false, each.sequence);
        }
      } finally {
        globalThis.Uint8Array = Original;
      }
      expect(made.isEmpty).toBe(true);
      expect(memory).toBe(60_000 + 99);
    },
  );
});

describe('what is their own', () => {
  test('DATA: a retransmission that meets its message half whole', () => {
    const sink = new Sink();
    const made = new Reassembly(sink, 1000);
    const parts = fragments(0, 'abcdef', {});
    for (const i of [5, 0, 3, 1, 4, 2]) made.add(parts[i] ?? expect.unreachable());
    expect(sink.delivered).toEqual(['1:abcdef']);
  });

  test('DATA: FORWARD TSN drops a thousand at the cost of one look each', () => {
    const made = new Reassembly(new Sink(), 1_000_000);
    for (let at = 0; at < 2000; at += 2) made.add(chunk(at, { flags: FIRST }));
    made.dropThrough(999);
    expect([made.fragmentCount, made.heldBytes]).toEqual([500, 500]);
    for (let at = 1000; at < 1500; at++) made.dropThrough(at);
    expect(made.fragmentCount).toBe(250);
    made.dropThrough(10_000_000);
    expect([made.fragmentCount, made.isEmpty]).toEqual([0, true]);
  });

  test('I-DATA: two messages interleaved on one stream, ordered and unordered under the same MID', () => {
    const sink = new Sink();
    const made = new InterleavedReassembly(sink, 1000);
    const ordered = fragments(0, 'abc', { sequence: 0 });
    const unordered = fragments(3, 'xyz', { sequence: 0, flags: UNORDERED });
    for (let i = 0; i < 3; i++) {
      made.add(ordered[i] ?? expect.unreachable(), true);
      made.add(unordered[2 - i] ?? expect.unreachable(), true);
    }
    expect(sink.delivered).toEqual(['1:abc', '1u:xyz']);
    expect([made.openMessages, made.heldBytes]).toEqual([0, 0]);
  });

  test('I-DATA: I-FORWARD-TSN skips ordered and unordered messages that were begun', () => {
    const sink = new Sink();
    const made = new InterleavedReassembly(sink, 1000);
    made.add(chunk(0, { flags: FIRST, sequence: 0 }), true);
    made.add(chunk(1, { flags: FIRST, sequence: 2 }), true);
    for (const mid of [0, 1, 7]) made.add(chunk(2 + mid, { flags: FIRST | UNORDERED, sequence: mid }), true);
    made.skipTo(1, false, 1);
    made.skipTo(1, true, 5);
    expect([made.openMessages, made.heldBytes]).toEqual([2, 2]);
  });

  test('I-DATA: a fragment that comes behind the I-FORWARD-TSN of its unordered message is dropped, not held for ever', () => {
    const sink = new Sink();
    const made = new InterleavedReassembly(sink, 1000);
    made.skipTo(1, true, 5);
    for (const [tsn, mid] of [
      [0, 4],
      [1, 5],
    ] as const) {
      expect(made.add(chunk(tsn, { flags: UNORDERED, sequence: mid, fsn: 1 }), true)).toBe(true);
    }
    expect([made.isEmpty, made.heldBytes]).toEqual([true, 0]);
    made.add(chunk(2, { flags: WHOLE | UNORDERED, sequence: 6, text: 'six' }), true);
    expect([sink.delivered, sink.late]).toEqual([['1u:six'], 2]);
  });

  test('I-DATA: a skipped message is forgotten before MIDs come round to it again', () => {
    const sink = new Sink();
    const made = new InterleavedReassembly(sink, 1000);
    made.skipTo(1, true, 5);
    for (const mid of [200_000, 5]) {
      made.add(chunk(mid, { flags: WHOLE | UNORDERED, sequence: mid, text: String(mid) }), true);
    }
    expect(sink.delivered).toEqual(['1u:200000', '1u:5']);
  });

  test.each([0x7fff_ffff, 0x8000_0000, 0xffff_ffff])('MIDs %d apart neither loop nor throw', (distance) => {
    const sink = new Sink();
    const made = new InterleavedReassembly(sink, 1000);
    made.add(chunk(0, { flags: FIRST | UNORDERED, sequence: 0 }), true);
    made.add(chunk(1, { flags: FIRST | UNORDERED, sequence: distance }), true);
    made.add(chunk(2, { flags: FIRST, sequence: distance }), true);
    made.add(chunk(3, { sequence: distance, text: 'far' }), true);
    made.skipTo(1, true, distance);
    made.skipTo(1, false, distance);
    made.reset([1]);
    expect([made.heldBytes, made.openMessages, made.isEmpty]).toEqual([0, 0, true]);
  });

  test.each(kinds)('S7: %s: skipping to the farthest number costs what is held', (_name, make) => {
    const sink = new Sink();
    const made = make(sink);
    made.add(chunk(0, { sequence: 5, text: 'five' }), true);
    const startedAt = made.heldBytes;
    made.skipTo(1, false, 0x7fff);
    expect([startedAt, made.heldBytes, sink.delivered]).toEqual([4, 0, ['1:five']]);
  });
});

describe.each(kinds)('%s: where one thing ends and the next begins', (_name, make) => {
  test('skipping up to a message that is held delivers it, and the one behind it', () => {
    const sink = new Sink();
    const made = make(sink);
    for (const sequence of [2, 3, 5]) made.add(chunk(sequence, { sequence, text: String(sequence) }), true);
    made.skipTo(1, false, 2);
    expect([sink.delivered, made.heldMessages]).toEqual([['1:2', '1:3'], 1]);
    made.skipTo(1, false, 4);
    expect([sink.delivered, made.heldMessages, since(made)]).toEqual([['1:2', '1:3', '1:5'], 0, Infinity]);
  });

  test('skipping to what was skipped or delivered before changes nothing', () => {
    const sink = new Sink();
    const made = make(sink);
    made.skipTo(1, false, 1);
    made.skipTo(1, false, 1);
    made.skipTo(1, false, 0);
    made.add(chunk(2, { sequence: 2, text: 'c' }), true);
    expect(sink.delivered).toEqual(['1:c']);
  });

  test('a message of exactly the limit is taken, whole and in fragments', () => {
    const sink = new Sink();
    const made = make(sink, 4);
    expect(made.add(chunk(0, { text: 'abcd' }), true)).toBe(true);
    expect(fragments(1, 'efgh', { sequence: 1 }).map((each) => made.add(each, true))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(sink.delivered).toEqual(['1:abcd', '1:efgh']);
  });

  test.each([true, false])('what is kept is whole, in memory of its own or not: owned %s', (owned) => {
    const sink = new Sink();
    const made = make(sink);
    const packet = text('head-ab-tail');
    const parts = fragments(0, 'ab', {});
    made.add({ ...(parts[0] ?? expect.unreachable()), payload: packet.subarray(5, 6) }, owned);
    if (!owned) packet.fill(0);
    made.add(parts[1] ?? expect.unreachable(), true);
    expect(sink.delivered).toEqual(['1:ab']);
  });
});

describe('DATA: neighbours', () => {
  const made = (...chunks: DataChunk[]): { sink: Sink; reassembly: Reassembly } => {
    const sink = new Sink();
    const reassembly = new Reassembly(sink, 1000);
    for (const each of chunks) reassembly.add(each);
    return { sink, reassembly };
  };
  const first = chunk(0, { flags: FIRST, text: 'a' });

  test.each<[string, Partial<DataChunk>]>([
    ['of another stream', { flags: LAST, streamId: 2 }],
    ['of another SSN', { flags: LAST, sequence: 1 }],
    ['unordered', { flags: LAST | UNORDERED }],
    ['that begins, too', { flags: FIRST }],
  ])('a fragment %s does not go on with the message before it', (_, other) => {
    for (const order of [
      [first, chunk(1, other)],
      [chunk(1, other), first],
    ]) {
      const { sink, reassembly } = made(...order);
      expect([sink.delivered, reassembly.fragmentCount]).toEqual([[], 2]);
    }
  });

  test.each([
    [-1, 4, 4, false],
    [0, 3, 0, false],
    [1, 2, 0, false],
    [2, 1, 0, false],
    [3, 0, 0, true],
  ])(
    'a FORWARD TSN to %d leaves %d of four fragments, %d of their bytes; nothing: %s',
    (position, left, bytes, isEmpty) => {
      const open = fragments(0, 'abcde', {}).slice(0, 4);
      const { sink, reassembly } = made(...open);
      reassembly.dropThrough(position);
      expect([reassembly.fragmentCount, reassembly.heldBytes, reassembly.isEmpty]).toEqual([
        left,
        bytes,
        isEmpty,
      ]);
      // Its rest makes no message, unless all of it is there.
      reassembly.add(chunk(4, { flags: LAST, text: 'e' }));
      expect(sink.delivered).toEqual(position === -1 ? ['1:abcde'] : []);
      reassembly.dropThrough(4);
      expect([reassembly.fragmentCount, reassembly.heldBytes, reassembly.isEmpty]).toEqual([0, 0, true]);
    },
  );
});

describe('I-DATA: numbers of fragments and messages', () => {
  function made(...chunks: Partial<DataChunk>[]): { sink: Sink; reassembly: InterleavedReassembly } {
    const sink = new Sink();
    const reassembly = new InterleavedReassembly(sink, 1000);
    chunks.forEach((each, i) => reassembly.add(chunk(i, each), true));
    return { sink, reassembly };
  }

  test('a fragment behind the last one is out of turn', () => {
    const { sink, reassembly } = made({ flags: LAST, fsn: 2 }, { flags: MIDDLE, fsn: 3 });
    expect([sink.late, reassembly.fragmentCount]).toEqual([1, 1]);
  });

  test('a last fragment before one that has come is out of turn', () => {
    const { sink, reassembly } = made({ flags: MIDDLE, fsn: 2 }, { flags: LAST, fsn: 1 });
    expect([sink.late, reassembly.fragmentCount]).toEqual([1, 1]);
  });

  test('a fragment that has come before is out of turn', () => {
    const { sink, reassembly } = made({ flags: MIDDLE, fsn: 2 }, { flags: MIDDLE, fsn: 2 });
    expect([sink.late, reassembly.fragmentCount]).toEqual([1, 1]);
  });

  test('unordered MIDs may run round the circle: skipping to the last one drops those before', () => {
    const mids = [0x7000_0000, 0xe000_0000];
    const { reassembly } = made(...mids.map((sequence) => ({ flags: FIRST | UNORDERED, sequence })));
    expect(reassembly.openMessages).toBe(2);
    reassembly.skipTo(1, true, 0xe000_0000);
    expect([reassembly.openMessages, reassembly.heldBytes]).toEqual([0, 0]);
  });

  test('a skipped unordered MID is remembered until the stream is 100 000 beyond it', () => {
    const { sink, reassembly } = made();
    const say = (sequence: number): number => {
      reassembly.add(chunk(0, { flags: WHOLE | UNORDERED, sequence }), true);
      return sink.late;
    };
    reassembly.skipTo(1, true, 7);
    expect([say(7), say(100_007), say(7), say(8), say(100_008), say(7)]).toEqual([1, 1, 2, 2, 2, 2]);
  });

  test('of two skips the later MID counts', () => {
    const { sink, reassembly } = made();
    reassembly.skipTo(1, true, 9);
    reassembly.skipTo(1, true, 4);
    reassembly.add(chunk(0, { flags: WHOLE | UNORDERED, sequence: 9 }), true);
    expect(sink.late).toBe(1);
  });
});
