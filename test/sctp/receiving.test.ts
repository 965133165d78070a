import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { Counters } from '../../src/core/counters.ts';
import { BoundedQueue } from '../../src/core/queue.ts';
import { COUNTERS } from '../../src/sctp/events.ts';
import type { SctpEvent } from '../../src/sctp/events.ts';
import { PacketWriter } from '../../src/sctp/packet/packet.ts';
import { Receiver } from '../../src/sctp/rx/receiver.ts';
import type { ReceiverLimits } from '../../src/sctp/rx/receiver.ts';
import { RECEIVER_LIMITS } from './pair.ts';
import type { WireData } from './wire.ts';
import { dataChunk, sackOf } from './wire.ts';

const MESSAGE = 3;
const UNORDERED = 4;

/** A receiver whose peer counts from TSN 2^32−4, so that every test crosses the wrap. */
class Bench {
  readonly initialTsn = 0xffff_fffc;
  readonly counters = new Counters(COUNTERS);
  readonly queue = new BoundedQueue<SctpEvent>(Infinity);
  readonly receiver: Receiver;

  constructor(limits: Partial<ReceiverLimits> = {}) {
    this.receiver = new Receiver(
      this.initialTsn,
      { ...RECEIVER_LIMITS, ...limits },
      this.queue,
      this.counters,
    );
  }

  /** Takes one DATA chunk at position `at`; the packet ends with it. */
  data(at: number, data: Partial<WireData> = {}): string {
    const chunk = dataChunk({ tsn: (this.initialTsn + at) >>> 0, ...data });
    const outcome = this.receiver.handleData(chunk, 0, chunk.length, data.flags ?? MESSAGE, true);
    this.receiver.tracker.decide();
    return outcome;
  }

  forward(to: number, ...streams: { streamId: number; ssn: number }[]): void {
    this.receiver.handleForwardTsn({
      newCumulativeTsn: (this.initialTsn + to) >>> 0,
      streams: streams.map(({ streamId, ssn }) => ({ streamId, unordered: false, sequence: ssn })),
    });
  }

  /** The SACK, with its cumulative TSN as a position. */
  sack(): { cumulative: number; blocks: readonly number[]; duplicates: number[]; window: number } {
    const buffer = new Uint8Array(1500);
    const writer = new PacketWriter();
    writer.begin(buffer, 0, 1500, { source: 1, destination: 1 }, 1);
    this.receiver.writeSack(writer);
    const sack = sackOf(buffer.subarray(0, writer.finish()));
    const position = (tsn: number): number => (tsn - this.initialTsn) | 0;
    return {
      cumulative: position(sack.cumulativeTsn),
      blocks: sack.blocks,
      duplicates: sack.duplicates.map(position),
      window: sack.window,
    };
  }

  delivered(): { streamId: number; text: string; unordered: boolean }[] {
    const all: { streamId: number; text: string; unordered: boolean }[] = [];
    for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) {
      if (event.type !== 'message') continue;
      this.receiver.release(event.data.length);
      all.push({ streamId: event.streamId, text: ascii(event.data), unordered: event.unordered });
    }
    return all;
  }

  texts(): string[] {
    return this.delivered().map(({ text }) => text);
  }
}

function bytes(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function ascii(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

describe('acknowledging', () => {
  test('the cumulative TSN moves in order, across the wrap', () => {
    const bench = new Bench();
    for (let at = 0; at < 8; at++) bench.data(at, { ssn: at });
    expect(bench.sack()).toMatchObject({ cumulative: 7, blocks: [], duplicates: [] });
  });

  test('gaps are reported and filling them moves on', () => {
    const bench = new Bench();
    for (const at of [0, 2, 3, 6]) bench.data(at, { flags: MESSAGE | UNORDERED });
    expect(bench.sack()).toMatchObject({ cumulative: 0, blocks: [2, 3, 6, 6] });
    bench.data(1, { flags: MESSAGE | UNORDERED });
    expect(bench.sack()).toMatchObject({ cumulative: 3, blocks: [3, 3] });
    bench.data(5, { flags: MESSAGE | UNORDERED });
    bench.data(4, { flags: MESSAGE | UNORDERED });
    expect(bench.sack()).toMatchObject({ cumulative: 6, blocks: [] });
  });

  test('duplicates before, at and behind the cumulative TSN are reported once, 20 at the most', () => {
    const bench = new Bench();
    for (const at of [0, 1, 3]) bench.data(at, { flags: MESSAGE | UNORDERED });
    for (const at of [0, 1, 3]) bench.data(at, { flags: MESSAGE | UNORDERED });
    expect(bench.sack().duplicates).toEqual([0, 1, 3]);
    expect(bench.sack().duplicates).toEqual([]);
    for (let i = 0; i < 50; i++) bench.data(0);
    expect(bench.sack().duplicates).toHaveLength(20);
    expect(bench.texts()).toHaveLength(3);
  });

  test('as many gap blocks as the packet has room for', () => {
    const bench = new Bench();
    bench.data(0);
    for (let at = 2; at < 120; at += 2) bench.data(at, { flags: MESSAGE | UNORDERED });
    expect(bench.sack().blocks).toHaveLength(2 * 59);
    for (let at = 120; at < 1200; at += 2) bench.data(at, { flags: MESSAGE | UNORDERED });
    // 1500 bytes of packet: 12 of header, 16 of SACK, 4 for each block.
    expect(bench.sack().blocks).toHaveLength(2 * 368);
  });

  test('the first packet is answered at once, then every second one', () => {
    const bench = new Bench();
    const { receiver } = bench;
    bench.data(0, { ssn: 0 });
    expect(receiver.tracker.sackNow).toBe(true);
    bench.sack();
    bench.data(1, { ssn: 1 });
    expect([receiver.tracker.sackNow, receiver.tracker.sackPending]).toEqual([false, true]);
    bench.data(2, { ssn: 2 });
    expect(receiver.tracker.sackNow).toBe(true);
  });

  test.each([
    ['a gap', { at: 3 }],
    ['a duplicate', { at: 0 }],
    ['the I bit', { at: 1, flags: MESSAGE | 8 }],
  ])('%s is answered at once', (_, { at, flags = MESSAGE }: { at: number; flags?: number }) => {
    const bench = new Bench();
    bench.data(0);
    bench.sack();
    bench.data(at, { flags, ssn: 1 });
    expect(bench.receiver.tracker.sackNow).toBe(true);
  });

  test('while there is a gap, every packet is answered at once', () => {
    const bench = new Bench();
    bench.data(0);
    for (const at of [2, 3, 4]) {
      bench.data(at, { flags: MESSAGE | UNORDERED });
      expect(bench.receiver.tracker.sackNow).toBe(true);
      bench.sack();
    }
  });

  test('a TSN 100 000 ahead is the last one taken', () => {
    const bench = new Bench();
    bench.data(100_000, { flags: MESSAGE | UNORDERED });
    expect(bench.counters.get('tsn-out-of-window')).toBe(1);
    bench.data(99_999, { flags: MESSAGE | UNORDERED });
    expect(bench.texts()).toHaveLength(1);
  });

  test('a stream that does not exist: the TSN counts, the data does not', () => {
    const bench = new Bench();
    expect(bench.data(0, { streamId: 100 })).toBe('invalid-stream');
    expect(bench.sack().cumulative).toBe(0);
    expect(bench.texts()).toEqual([]);
  });
});

describe('reassembly', () => {
  const fragments = (streamId: number, ssn: number, unordered: boolean, count: number): Partial<WireData>[] =>
    Array.from({ length: count }, (_, i) => ({
      streamId,
      ssn,
      flags: (i === 0 ? 2 : 0) | (i === count - 1 ? 1 : 0) | (unordered ? UNORDERED : 0),
      payload: bytes(`${streamId}.${ssn}.${i};`),
    }));

  test('every order of arrival gives the same messages; ordered ones in order; nothing stays behind', () => {
    const chunks = [
      ...fragments(1, 0, false, 3),
      ...fragments(1, 1, false, 1),
      ...fragments(2, 0, true, 4),
      ...fragments(3, 0, false, 2),
      ...fragments(1, 2, false, 2),
    ];
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...chunks.keys()], { minLength: chunks.length }),
        fc.array(fc.nat(chunks.length - 1)),
        (order, again) => {
          const bench = new Bench();
          for (const at of [...order, ...again]) bench.data(at, chunks[at]);
          const all = bench.delivered();
          expect(all.filter(({ streamId }) => streamId === 1).map(({ text }) => text)).toEqual([
            '1.0.0;1.0.1;1.0.2;',
            '1.1.0;',
            '1.2.0;1.2.1;',
          ]);
          expect(all.filter(({ streamId }) => streamId === 2)).toEqual([
            { streamId: 2, text: '2.0.0;2.0.1;2.0.2;2.0.3;', unordered: true },
          ]);
          expect(all.filter(({ streamId }) => streamId === 3)).toHaveLength(1);
          expect(bench.receiver.usedBytes).toBe(0);
          expect(bench.receiver.awaitsMore).toBe(false);
        },
      ),
    );
  });

  test('unordered messages do not wait, ordered ones do', () => {
    const bench = new Bench();
    bench.data(0, { streamId: 1, ssn: 1, payload: bytes('second') });
    bench.data(1, { streamId: 1, flags: MESSAGE | UNORDERED, payload: bytes('free') });
    expect(bench.texts()).toEqual(['free']);
    bench.data(2, { streamId: 1, ssn: 0, payload: bytes('first') });
    expect(bench.texts()).toEqual(['first', 'second']);
  });

  test('SSNs wrap at 65536', () => {
    const bench = new Bench({ receiveWindow: 10_000_000 });
    for (let ssn = 0; ssn < 65_540; ssn++) {
      bench.data(ssn, { ssn: ssn & 0xffff });
      bench.receiver.tracker.decide();
      if (bench.queue.size > 1000) bench.texts();
    }
    expect(bench.counters.get('messages-received')).toBe(65_540);
  });

  test('an ordered message under an SSN of the past is dropped and counted', () => {
    const bench = new Bench();
    bench.data(0, { ssn: 0 });
    bench.data(1, { ssn: 0 });
    expect(bench.texts()).toHaveLength(1);
    expect(bench.counters.get('message-out-of-turn')).toBe(1);
  });

  test('fragments of different messages do not run together', () => {
    const bench = new Bench();
    bench.data(0, { streamId: 1, flags: 2 });
    bench.data(1, { streamId: 2, flags: 0 });
    bench.data(2, { streamId: 1, flags: 1 });
    expect(bench.texts()).toEqual([]);
    expect(bench.receiver.awaitsMore).toBe(true);
  });

  test('a message above the limit is refused, whole or in fragments', () => {
    const whole = new Bench({ maxMessageSize: 100 });
    expect(whole.data(0, { payload: new Uint8Array(100) })).toBe('ok');
    expect(whole.data(1, { payload: new Uint8Array(101), ssn: 1 })).toBe('message-too-large');
    const torn = new Bench({ maxMessageSize: 100 });
    expect(torn.data(1, { flags: 0, payload: new Uint8Array(60) })).toBe('ok');
    expect(torn.data(0, { flags: 2, payload: new Uint8Array(60) })).toBe('message-too-large');
  });

  test('a large message from thousands of fragments in reverse takes linear time', () => {
    const bench = new Bench({ receiveWindow: 6_000_000, maxMessageSize: 6_000_000 });
    const count = 20_000;
    const payload = new Uint8Array(100);
    bench.data(count, { flags: 1, payload });
    for (let at = count - 1; at > 0; at--) bench.data(at, { flags: 0, payload });
    bench.data(0, { flags: 2, payload });
    const event = bench.queue.shift();
    expect(event?.type).toBe('streamdata');
    expect(bench.queue.shift()).toMatchObject({ type: 'message', data: { length: (count + 1) * 100 } });
  });
});

describe('forward TSN', () => {
  test('drops what will not complete and gives the stream its turn', () => {
    const bench = new Bench();
    bench.data(0, { streamId: 1, ssn: 0, flags: 2 });
    bench.data(3, { streamId: 1, ssn: 1, payload: bytes('next') });
    expect(bench.texts()).toEqual([]);
    bench.forward(2, { streamId: 1, ssn: 0 });
    expect(bench.texts()).toEqual(['next']);
    expect(bench.sack()).toMatchObject({ cumulative: 3, blocks: [] });
    expect(bench.receiver.usedBytes).toBe(0);
  });

  test('the very first ordered message may be skipped', () => {
    const bench = new Bench();
    bench.forward(0, { streamId: 1, ssn: 0 });
    bench.data(1, { streamId: 1, ssn: 1, payload: bytes('b') });
    expect(bench.texts()).toEqual(['b']);
  });

  test('unblocks several messages at once; whole ones among the skipped are still delivered', () => {
    const bench = new Bench();
    bench.data(1, { streamId: 1, ssn: 1, payload: bytes('b') });
    bench.data(3, { streamId: 1, ssn: 3, payload: bytes('d') });
    bench.data(4, { streamId: 1, ssn: 4, payload: bytes('e') });
    bench.forward(2, { streamId: 1, ssn: 2 });
    expect(bench.texts()).toEqual(['b', 'd', 'e']);
  });

  test('one of the past is answered and changes nothing', () => {
    const bench = new Bench();
    bench.data(0, { ssn: 0 });
    bench.data(1, { ssn: 1 });
    bench.sack();
    bench.forward(0, { streamId: 0, ssn: 9 });
    expect(bench.receiver.tracker.sackNow).toBe(true);
    bench.data(2, { ssn: 2, payload: bytes('x') });
    expect(bench.texts()).toHaveLength(3);
  });

  test('one that jumps too far is dropped', () => {
    const bench = new Bench();
    bench.data(0);
    bench.forward(200_000, { streamId: 0, ssn: 1 });
    expect(bench.sack().cumulative).toBe(0);
    expect(bench.counters.get('invalid-forward-tsn')).toBe(1);
  });
});

describe('the window', () => {
  test('shrinks by what is held and by what nobody has taken, and is whole again afterwards', () => {
    const bench = new Bench();
    bench.data(0, { payload: new Uint8Array(1000) });
    bench.data(2, { flags: 2, payload: new Uint8Array(2000) });
    expect(bench.sack().window).toBe(97_000);
    bench.texts();
    expect(bench.sack().window).toBe(98_000);
  });

  test('what was announced is taken; beyond it only the chunk that moves the cumulative TSN', () => {
    const bench = new Bench({ receiveWindow: 10_000, maxMessageSize: 10_000 });
    // Position 0 is missing: everything waits for it.
    for (let at = 1; at <= 10; at++) bench.data(at, { ssn: at, payload: new Uint8Array(1000) });
    expect(bench.counters.get('receive-window-full')).toBe(0);
    bench.data(11, { ssn: 11, payload: new Uint8Array(1000) });
    expect(bench.counters.get('receive-window-full')).toBe(1);
    expect(bench.sack()).toMatchObject({ cumulative: -1, blocks: [2, 11], window: 0 });
    bench.data(0, { ssn: 0, payload: new Uint8Array(1000) });
    expect(bench.texts()).toHaveLength(11);
  });

  test('a host that takes nothing shuts the window and stops the growth; taking opens it by a SACK', () => {
    const bench = new Bench({ receiveWindow: 10_000, maxMessageSize: 10_000 });
    for (let at = 0; at < 40; at++) bench.data(at, { ssn: at, payload: new Uint8Array(1000) });
    expect(bench.sack().window).toBe(0);
    expect(bench.receiver.usedBytes).toBe(20_000);
    expect(bench.receiver.tracker.sackNow).toBe(false);
    bench.texts();
    expect(bench.receiver.tracker.sackNow).toBe(true);
    expect(bench.sack().window).toBe(10_000);
  });

  test('one-byte fragments are charged for what they cost', () => {
    const bench = new Bench({ receiveWindow: 20_000, maxMessageSize: 20_000 });
    for (let at = 1; at < 400; at++) bench.data(at, { flags: 0 });
    expect(bench.receiver.heldBytes).toBeLessThanOrEqual(30_000 + 300);
    expect(bench.receiver.reassembly.fragmentCount).toBeLessThan(30_000 / 289);
  });
});

describe('a peer that resets its streams', () => {
  const lastTsn = (bench: Bench, at: number): number => (bench.initialTsn + at) >>> 0;

  test('at once when everything has arrived: the next message is SSN 0', () => {
    const bench = new Bench();
    bench.data(0, { streamId: 1, ssn: 0 });
    expect(bench.receiver.resetStreams([1], lastTsn(bench, 0))).toBe('performed');
    bench.data(1, { streamId: 1, ssn: 0, payload: bytes('anew') });
    expect(bench.texts()).toEqual(['\u0001', 'anew']);
  });

  test('later while something is missing, and what lies behind is set aside', () => {
    const bench = new Bench();
    bench.data(0, { streamId: 1, ssn: 0, payload: bytes('a') });
    expect(bench.receiver.resetStreams([1], lastTsn(bench, 1))).toBe('in-progress');
    bench.data(2, { streamId: 1, ssn: 0, payload: bytes('new a') });
    bench.data(3, { streamId: 2, ssn: 0, payload: bytes('other') });
    expect(bench.texts()).toEqual(['a', 'other']);
    expect(bench.receiver.awaitsReset).toBe(true);
    bench.data(1, { streamId: 1, ssn: 1, payload: bytes('b') });
    expect(bench.texts()).toEqual(['b', 'new a']);
    expect(bench.receiver.usedBytes).toBe(0);
  });

  test('a FORWARD TSN may be what brings the last TSN', () => {
    const bench = new Bench();
    bench.data(0, { streamId: 1, ssn: 0, flags: 2 });
    expect(bench.receiver.resetStreams([], lastTsn(bench, 2))).toBe('in-progress');
    bench.forward(2, { streamId: 1, ssn: 0 });
    expect(bench.receiver.awaitsReset).toBe(false);
    bench.data(3, { streamId: 1, ssn: 0, payload: concatBytes(bytes('x')) });
    expect(bench.texts()).toEqual(['x']);
  });
});

describe('how far ahead a peer may speak', () => {
  const AHEAD = 100_000;

  test('a FORWARD TSN to the farthest TSN is taken, one beyond it is counted and changes nothing', () => {
    const [near, far] = [new Bench(), new Bench()];
    near.forward(AHEAD - 1);
    far.forward(AHEAD);
    expect([near.sack().cumulative, near.counters.get('invalid-forward-tsn')]).toEqual([AHEAD - 1, 0]);
    expect([far.sack().cumulative, far.counters.get('invalid-forward-tsn')]).toEqual([-1, 1]);
  });

  test('a reset behind the farthest TSN waits for it, one beyond it is denied', () => {
    const bench = new Bench();
    const reset = (at: number): string => bench.receiver.resetStreams([1], (bench.initialTsn + at) >>> 0);
    expect([reset(AHEAD), bench.receiver.awaitsReset]).toEqual(['denied', false]);
    expect([reset(AHEAD - 1), bench.receiver.awaitsReset]).toEqual(['in-progress', true]);
  });

  test('a FORWARD TSN for a stream that does not exist makes no stream, for the last one it does', () => {
    const bench = new Bench({ inboundStreams: 10 });
    bench.forward(0, { streamId: 10, ssn: 0 });
    expect(bench.receiver.inspect().streams).toBe(0);
    bench.forward(1, { streamId: 9, ssn: 0 });
    expect(bench.receiver.inspect().streams).toBe(1);
  });
});

describe('since when something waits', () => {
  function missing(bench: Bench, clock: number, at: number): number {
    bench.receiver.clock = clock;
    bench.data(at, { flags: MESSAGE | UNORDERED });
    return bench.receiver.missingSince();
  }

  test('a gap counts from its first chunk; the next TSN that comes counts anew; without a gap nothing waits', () => {
    const bench = new Bench();
    expect(bench.receiver.missingSince()).toBe(Infinity);
    expect(missing(bench, 100, 1)).toBe(100);
    expect(missing(bench, 200, 3)).toBe(100);
    expect(missing(bench, 300, 0)).toBe(300);
    expect(missing(bench, 400, 5)).toBe(300);
    expect(missing(bench, 500, 4)).toBe(300);
    expect(missing(bench, 600, 2)).toBe(Infinity);
  });

  test('a FORWARD TSN that moves nothing does not make the gap younger, one that does makes it so', () => {
    const bench = new Bench();
    missing(bench, 100, 0);
    missing(bench, 200, 3);
    bench.receiver.clock = 300;
    bench.forward(0);
    expect(bench.receiver.missingSince()).toBe(200);
    bench.forward(1);
    expect(bench.receiver.missingSince()).toBe(300);
  });

  test('a reset to come waits since it was asked for, whatever gap there is', () => {
    const bench = new Bench();
    missing(bench, 100, 0);
    bench.receiver.clock = 200;
    bench.receiver.resetStreams([1], (bench.initialTsn + 5) >>> 0);
    expect(bench.receiver.missingSince()).toBe(200);
    expect(missing(bench, 300, 3)).toBe(200);
  });

  test('of a gap and an unfinished message the older one counts', () => {
    const bench = new Bench();
    expect(bench.receiver.waitingSince()).toBe(Infinity);
    bench.receiver.clock = 100;
    bench.data(0, { flags: 2 });
    expect(bench.receiver.waitingSince()).toBe(100);
    bench.receiver.clock = 200;
    bench.data(5, { flags: MESSAGE | UNORDERED });
    expect([bench.receiver.missingSince(), bench.receiver.waitingSince()]).toEqual([200, 100]);
  });
});

describe('a reader that does not read', () => {
  const text = (length: number): Partial<WireData> => ({
    flags: MESSAGE | UNORDERED,
    payload: new Uint8Array(length),
  });

  test('stalls from nine tenths of the window on, to the byte', () => {
    const bench = new Bench({ receiveWindow: 10_000, receiveWindowMax: 10_000 });
    bench.data(0, text(8999));
    expect(bench.receiver.isStalled).toBe(false);
    bench.data(1, text(1));
    expect(bench.receiver.isStalled).toBe(true);
  });

  test('does not stall by what the peer has not finished', () => {
    const bench = new Bench({ receiveWindow: 10_000, receiveWindowMax: 10_000 });
    bench.data(0, { flags: 2, payload: new Uint8Array(9500) });
    expect([bench.receiver.usedBytes >= 9500, bench.receiver.isStalled]).toEqual([true, false]);
  });

  test('says that the window is open again when it has become half of it, and once', () => {
    const bench = new Bench({ receiveWindow: 10_000, receiveWindowMax: 10_000 });
    bench.data(0, text(9000));
    bench.sack();
    expect(bench.receiver.release(3999, 0)).toBe(false);
    expect(bench.receiver.release(1, 0)).toBe(true);
    expect(bench.sack().window).toBe(5000);
    expect(bench.receiver.release(1000, 1)).toBe(false);
  });

  test('a window that was announced as half open is not announced again', () => {
    const bench = new Bench({ receiveWindow: 10_000, receiveWindowMax: 10_000 });
    bench.data(0, text(5000));
    expect(bench.sack().window).toBe(5000);
    expect(bench.receiver.release(5000)).toBe(false);
  });
});
