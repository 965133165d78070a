/** ReorderBuffer: order, the deadline of each gap, bounds, new counts; and a random link against what was sent. */
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../src/core/random.ts';
import type { OrderedPacket, RtpEvent, RtpStream } from '../../../src/media/index.ts';
import { ReorderBuffer } from '../../../src/media/frames/reorder-buffer.ts';
import { howMany } from '../../how-many.ts';
import { freshSeed } from '../../seed.ts';
import { OPUS, rtpEvent, stream, VP8 } from '../forward/source.ts';

const NO_NACK = { ...VP8, rtcpFeedback: [] };

/** What comes out: numbers, negative where something is missing in front. */
function drain(buffer: ReorderBuffer): number[] {
  const numbers: number[] = [];
  for (let packet = buffer.poll(); packet !== undefined; packet = buffer.poll()) {
    numbers.push(packet.isContiguous ? packet.event.sequence : -packet.event.sequence);
  }
  return numbers;
}

/** Packets of one stream, 33 ms apart in time. */
class Source {
  readonly stream: RtpStream;
  readonly codec: RtpEvent['codec'];

  constructor(codec = VP8, of = stream()) {
    this.codec = codec;
    this.stream = of;
  }

  packet(
    sequence: number,
    receivedAt: number,
    init: { payload?: number[]; isRecovered?: boolean } = {},
  ): RtpEvent {
    const time = Math.max(0, sequence) * 2970;
    return rtpEvent({ stream: this.stream, sequence, time, receivedAt, codec: this.codec, ...init });
  }
}

describe('ReorderBuffer', () => {
  test('in order it goes straight through, and nothing is awaited', () => {
    const buffer = new ReorderBuffer();
    const source = new Source();
    for (const n of [70_000, 70_001, 70_002]) {
      buffer.push(source.packet(n, n));
      expect(drain(buffer)).toEqual([n]);
      expect(buffer.nextTimeout()).toBe(Infinity);
    }
  });

  test('what was overtaken comes out in its place; twice it does not', () => {
    const buffer = new ReorderBuffer();
    const source = new Source();
    for (const n of [1, 3, 4, 3]) buffer.push(source.packet(n, 0));
    expect(drain(buffer)).toEqual([1]);
    buffer.push(source.packet(2, 5));
    expect(drain(buffer)).toEqual([2, 3, 4]);
    buffer.push(source.packet(2, 6));
    expect(drain(buffer)).toEqual([]);
    expect(buffer.counters).toMatchObject({ packetsDuplicate: 1, packetsTooLate: 1, packetsOrdered: 4 });
  });

  test('a gap that fits the ring is waited for, and one that is larger by a packet is skipped at once', () => {
    for (const [first, out] of [
      [16, []],
      [17, [-17]],
    ] as const) {
      const buffer = new ReorderBuffer({ maxPackets: 16 });
      const source = new Source();
      buffer.push(source.packet(0, 0));
      expect(drain(buffer)).toEqual([0]);
      buffer.push(source.packet(first, 1));
      expect(drain(buffer)).toEqual(out);
    }
  });

  test('the deadline of a gap: three round trips where packets are sent again, to the millisecond', () => {
    const buffer = new ReorderBuffer();
    const source = new Source();
    buffer.setRoundTripTime(40);
    buffer.push(source.packet(1, 0));
    buffer.push(source.packet(3, 66));
    const deadline = buffer.nextTimeout();
    expect(deadline).toBe(66 + 3 * 50);
    buffer.handleTimeout(deadline - 1);
    expect(drain(buffer)).toEqual([1]);
    buffer.handleTimeout(deadline);
    expect(drain(buffer)).toEqual([-3]);
    expect(buffer.nextTimeout()).toBe(Infinity);
    buffer.push(source.packet(2, deadline + 1));
    expect(drain(buffer)).toEqual([]);
    expect(buffer.counters).toMatchObject({ packetsSkipped: 1, packetsTooLate: 1 });
  });

  test('each gap has its own', () => {
    const buffer = new ReorderBuffer({ maxWait: 100 });
    const source = new Source();
    for (const [n, at] of [
      [1, 0],
      [3, 66],
      [5, 132],
    ] as const) {
      buffer.push(source.packet(n, at));
    }
    expect(buffer.nextTimeout()).toBe(166);
    buffer.handleTimeout(166);
    expect([drain(buffer), buffer.nextTimeout()]).toEqual([[1, -3], 232]);
    buffer.handleTimeout(232);
    expect(drain(buffer)).toEqual([-5]);
  });

  test('without retransmission: the jitter alone, 20 ms at the least', () => {
    const buffer = new ReorderBuffer();
    const source = new Source(NO_NACK);
    buffer.push(source.packet(1, 33));
    buffer.push(source.packet(3, 99));
    expect(buffer.nextTimeout()).toBe(99 + 20);
  });

  test('the wait grows with jitter, and has an end: 500 ms for video, 120 ms for audio', () => {
    for (const [codec, longest] of [
      [VP8, 500],
      [{ ...OPUS, rtcpFeedback: ['nack'] }, 120],
    ] as const) {
      const kind = codec === VP8 ? 'video' : 'audio';
      const buffer = new ReorderBuffer();
      const source = new Source(codec, stream({ kind }));
      buffer.setRoundTripTime(10_000);
      buffer.push(source.packet(1, 0));
      buffer.push(source.packet(3, 1));
      expect(buffer.nextTimeout()).toBe(1 + longest);
    }
  });

  test('two frames a second, and audio in DTX, are not held up for longer than others', () => {
    const buffer = new ReorderBuffer({ maxWait: 200 });
    const source = new Source();
    buffer.push(source.packet(1, 0));
    buffer.push(source.packet(3, 1000));
    expect(buffer.nextTimeout()).toBe(1200);
    buffer.push(source.packet(4, 1500));
    expect(drain(buffer)).toEqual([1, -3, 4]);
  });

  test('padding takes its place and does not come out', () => {
    const buffer = new ReorderBuffer();
    const source = new Source();
    buffer.push(source.packet(1, 0));
    buffer.push(source.packet(3, 0));
    buffer.push(source.packet(2, 0, { payload: [] }));
    expect(drain(buffer)).toEqual([1, 3]);
    expect(buffer.counters.packetsOfPadding).toBe(1);
  });

  test('more packets than are held end the wait for the first missing', () => {
    const buffer = new ReorderBuffer({ maxPackets: 16, maxWait: 1e6 });
    const source = new Source();
    buffer.setRoundTripTime(1e6);
    buffer.push(source.packet(1, 0));
    for (let n = 3; n <= 17; n++) buffer.push(source.packet(n, 0));
    expect(drain(buffer)).toEqual([1]);
    buffer.push(source.packet(18, 0));
    expect(drain(buffer)).toEqual([-3, ...Array.from({ length: 15 }, (_, n) => n + 4)]);
    expect(buffer.counters.overflows).toBe(1);
  });

  test('and so do more bytes', () => {
    const buffer = new ReorderBuffer({ maxBytes: 100, maxWait: 1e6 });
    const source = new Source();
    buffer.push(source.packet(1, 0));
    for (let n = 3; n < 30; n++) buffer.push(source.packet(n, 0));
    expect(drain(buffer)).toEqual([1, -3, ...Array.from({ length: 26 }, (_, n) => n + 4)]);
    expect(buffer.inspect()).toMatchObject({ bytes: 0 });
  });

  test('a leap within what can be lost, over more than the ring holds', () => {
    const buffer = new ReorderBuffer({ maxPackets: 16 });
    const source = new Source();
    buffer.push(source.packet(1, 0));
    buffer.push(source.packet(5, 0));
    buffer.push(source.packet(2900, 0));
    buffer.flush();
    expect(drain(buffer)).toEqual([1, -5, -2900]);
  });

  test('one packet from far off is a stray, two in a row are a new count', () => {
    for (const far of [1_000_000, 10]) {
      const buffer = new ReorderBuffer();
      const source = new Source();
      buffer.push(source.packet(50_000, 0));
      buffer.push(source.packet(far, 1));
      buffer.push(source.packet(50_001, 2));
      buffer.push(source.packet(far + 2, 3, { isRecovered: true }));
      buffer.push(source.packet(far + 3, 4, { isRecovered: true }));
      expect(drain(buffer)).toEqual([50_000, 50_001]);
      buffer.push(source.packet(far, 5));
      buffer.push(source.packet(far + 1, 6));
      buffer.push(source.packet(far + 2, 7));
      expect(drain(buffer)).toEqual([-(far + 1), far + 2]);
      expect(buffer.counters).toMatchObject({ resyncs: 1, packetsFarOff: 4 });
    }
  });

  test('another stream begins anew, behind what is left of the one before', () => {
    const buffer = new ReorderBuffer();
    const [a, b] = [new Source(), new Source()];
    buffer.push(a.packet(1, 0));
    buffer.push(a.packet(3, 0));
    buffer.push(b.packet(90_000, 1));
    expect(drain(buffer)).toEqual([1, -3, -90_000]);
  });

  test('who does not poll loses packets, and is told', () => {
    const buffer = new ReorderBuffer({ maxPackets: 16 });
    const source = new Source();
    for (let n = 1; n <= 100; n++) buffer.push(source.packet(n, n));
    expect(buffer.counters.packetsNotTaken).toBe(68);
    expect(drain(buffer)).toHaveLength(32);
    buffer.push(source.packet(101, 101));
    expect(drain(buffer)).toEqual([-101]);
  });

  test('over a random link: in order, nothing twice, nothing held for longer than its deadline, contiguous exactly where it is', () => {
    const seed = freshSeed('reorder buffer');
    for (let n = 0; n < howMany(30, 1000); n++) {
      const random = new SeededRandom(seed + n);
      const buffer = new ReorderBuffer({ maxWait: 60, maxPackets: 64 });
      const source = new Source();
      const arrivals = Array.from({ length: 400 }, (_, at) => {
        const isLost = random.u32() % 20 === 0;
        const delay = random.u32() % 5 === 0 ? random.u32() % 80 : 0;
        return { sequence: 65_400 + at, at: isLost ? Infinity : at * 5 + delay };
      })
        .filter(({ at }) => at < Infinity)
        .sort((a, b) => a.at - b.at);
      const out: OrderedPacket[] = [];
      const take = (now: number): void => {
        for (let packet = buffer.poll(); packet !== undefined; packet = buffer.poll()) {
          expect(now - packet.event.receivedAt).toBeLessThanOrEqual(60);
          out.push(packet);
        }
      };
      for (const { sequence, at } of arrivals) {
        for (let due = buffer.nextTimeout(); due <= at; due = buffer.nextTimeout()) {
          buffer.handleTimeout(due);
          take(due);
        }
        buffer.push(source.packet(sequence, at));
        take(at);
      }
      buffer.handleTimeout(1e9);
      expect(buffer.nextTimeout()).toBe(Infinity);
      take(out.at(-1)?.event.receivedAt ?? 0);
      let before = out[0]?.event.sequence ?? NaN;
      for (const { event, isContiguous } of out.slice(1)) {
        expect(event.sequence).toBeGreaterThan(before);
        expect(isContiguous).toBe(event.sequence === before + 1);
        before = event.sequence;
      }
      const { packetsTooLate } = buffer.counters;
      expect(out.length + packetsTooLate).toBe(arrivals.length);
    }
  });

  test('options that cannot be are refused', () => {
    for (const options of [{ maxWait: 19 }, { maxPackets: 2049 }, { maxBytes: 0 }]) {
      expect(() => new ReorderBuffer(options)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    }
  });
});
