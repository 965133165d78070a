/**
 * A sender, a receiver and a path that loses, reorders and duplicates, on a virtual clock: whatever NACK has time for comes, once, as
 * it was sent; and after every step the invariants hold.
 */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/core/bytes.ts';
import { SeededRandom } from '../../../src/core/random.ts';
import { freshSeed } from '../../seed.ts';
import { howMany } from '../../how-many.ts';
import type { PacketInit } from './rig.ts';
import { Rig, VIDEO, VP8_DELTA, VP8_KEYFRAME, media, packetsOf, rtp } from './rig.ts';

/** What the path does. */
interface Conditions {
  readonly loss: number;
  readonly duplication: number;
  /** Milliseconds one way, and so much more at random. */
  readonly delay: number;
  readonly jitter: number;
}

const SSRC = 5;
const RTX_SSRC = 50;
const FIRST = 65_000;

/** A course of `count` packets, one each 5 ms. */
class Course {
  readonly rig: Rig;
  /** Unwrapped numbers, as they came out. */
  readonly delivered: number[] = [];
  readonly feedback = { nacks: 0, keyframes: 0 };
  readonly #random: SeededRandom;
  readonly #path: Conditions;
  readonly #usesRtx: boolean;
  readonly #sent: PacketInit[] = [];
  #rtxSequence = 7;
  /** What is on its way to the receiver, and back. */
  #flights: { readonly at: number; readonly packet?: Bytes; readonly wanted?: readonly number[] }[] = [];

  constructor(seed: number, path: Conditions, usesRtx: boolean) {
    this.#random = new SeededRandom(seed);
    this.#path = path;
    this.#usesRtx = usesRtx;
    this.rig = new Rig([
      usesRtx ? VIDEO : media(2, '1', 'video', [{ ...VIDEO.receive.codecs[0]!, rtxPayloadType: undefined }]),
    ]);
    this.rig.receiver.setPath({
      writable: true,
      largestDatagram: 1200,
      overhead: 0,
      roundTripTime: 2 * path.delay + path.jitter,
      generation: 1,
    });
  }

  run(count: number): void {
    const end = this.rig.now + 5 * count + 2000;
    for (; this.rig.now < end; this.rig.now++) {
      const index = this.#sent.length;
      if (index < count && this.rig.now % 5 === 0) this.#sendNext(index);
      this.#arrive();
      if (this.rig.receiver.nextTimeout() <= this.rig.now) this.rig.receiver.handleTimeout(this.rig.now);
      this.rig.check();
      for (const packet of this.rig.feedback()) {
        if (packet.type === 'nack') {
          this.feedback.nacks++;
          this.#flights.push({ at: this.rig.now + this.#path.delay, wanted: packet.sequenceNumbers });
        } else this.feedback.keyframes++;
      }
      for (const event of packetsOf(this.rig.drain()))
        this.#check(event.sequence, event.time, event.packet.payload);
    }
  }

  #sendNext(index: number): void {
    // The first and the last come for certain: what is lost behind the last nobody can know of.
    const packet = {
      ssrc: SSRC,
      mid: '1',
      sequence: FIRST + index,
      timestamp: 3000 * (index >> 2),
      payload: Uint8Array.of(...(index === 0 ? VP8_KEYFRAME : VP8_DELTA), index & 0xff, index >> 8),
    };
    this.#sent.push(packet);
    this.#send(packet, index === 0);
  }

  #send(packet: PacketInit, isSure = false): void {
    const { loss, duplication, delay, jitter } = this.#path;
    if (!isSure && this.#random.unit() < loss) return;
    const copies = this.#random.unit() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const at = this.rig.now + delay + Math.floor(this.#random.unit() * jitter);
      this.#flights.push({ at, packet: rtp(packet) });
    }
  }

  #arrive(): void {
    const due = this.#flights.filter(({ at }) => at <= this.rig.now);
    this.#flights = this.#flights.filter(({ at }) => at > this.rig.now);
    for (const { packet, wanted } of due) {
      if (packet !== undefined) this.rig.receiver.handleRtp(packet, this.rig.now);
      for (const number of wanted ?? []) this.#repeat(number);
    }
  }

  /** Sends again what is asked for; only what was sent is asked for. */
  #repeat(number: number): void {
    const index = (number - FIRST) & 0xffff;
    const packet = this.#sent[index];
    expect(packet, `${number} was asked for`).toBeDefined();
    if (packet === undefined) return;
    const repair = {
      ...packet,
      ssrc: RTX_SSRC,
      payloadType: 97,
      sequence: this.#rtxSequence++,
      repairs: number,
    };
    this.#send(this.#usesRtx ? repair : packet);
  }

  /** A packet comes out as it was sent, and once. */
  #check(sequence: number, time: number, payload: Uint8Array): void {
    const index = sequence - FIRST - 65_536;
    const sent = this.#sent[index];
    expect([...payload]).toEqual([...(sent?.payload ?? [])]);
    expect(time).toBe(2 ** 32 + (sent?.timestamp ?? 0));
    this.delivered.push(index);
  }
}

const COUNT = 2000;

describe.each([
  { name: 'RTX', usesRtx: true },
  { name: 'packets sent again as they were', usesRtx: false },
])('with $name', ({ usesRtx }) => {
  test.each([
    { name: '5 % loss', loss: 0.05, duplication: 0, delay: 20, jitter: 1 },
    { name: '20 % loss', loss: 0.2, duplication: 0, delay: 40, jitter: 1 },
    { name: 'loss, reordering and duplication', loss: 0.05, duplication: 0.05, delay: 20, jitter: 30 },
  ])('$name: every packet comes, once', (path) => {
    const seeds = freshSeed(path.name);
    for (let seed = seeds; seed < seeds + howMany(1, 10); seed++) {
      const course = new Course(seed, path, usesRtx);
      course.run(COUNT);
      expect(course.delivered.length, `seed ${seed}`).toBe(new Set(course.delivered).size);
      // What was sent before the first that came nobody can miss. Ten requests in vain are one in a million.
      const first = course.delivered[0] ?? 0;
      const last = Math.max(...course.delivered);
      const delivered = new Set(course.delivered);
      const missing = Array.from({ length: COUNT }, (_, index) => index).filter(
        (index) => index > first && index < last && !delivered.has(index),
      );
      expect(missing, `seed ${seed}`).toEqual([]);
      expect(course.rig.receiver.counters.get('unrecoveredPackets'), `seed ${seed}`).toBe(0);
      expect(course.feedback.keyframes).toBe(0);
    }
  });

  test('nothing lost: nothing is asked for', () => {
    const course = new Course(1, { loss: 0, duplication: 0.1, delay: 20, jitter: 9 }, usesRtx);
    course.run(COUNT);
    expect(course.feedback.nacks).toBe(0);
    expect(course.delivered.length).toBe(COUNT);
  });

  test('the same seed brings the same course', () => {
    const path = { loss: 0.1, duplication: 0.1, delay: 15, jitter: 20 };
    const courses = [1, 2].map(() => {
      const course = new Course(77, path, usesRtx);
      course.run(500);
      return { delivered: course.delivered, counters: course.rig.receiver.counters.snapshot() };
    });
    expect(courses[0]).toEqual(courses[1]);
  });
});
