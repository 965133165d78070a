/** Vp8Depacketizer: whole frames, what can be decoded after a loss, and wishes for keyframes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Vp8DepacketizerOptions, Vp8Frame } from '../../../src/media/index.ts';
import { Vp8Depacketizer } from '../../../src/media/frames/vp8-depacketizer.ts';
import type { Vp8Init } from '../forward/picture.ts';
import { vp8 } from '../forward/picture.ts';
import { OPUS, rtpEvent, stream } from '../forward/source.ts';

const video = stream();
/** Behind the first byte of a keyframe: the rest of the tag, the start code, 640 × 480 with scaling bits set. */
const KEYFRAME = [0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x81, 5];

/** Pushes packets, and tells the frames. */
class Bench {
  readonly depacketizer: Vp8Depacketizer;
  #sequence = 0;

  constructor(options?: Vp8DepacketizerOptions) {
    this.depacketizer = new Vp8Depacketizer(options);
  }

  push(payload: Uint8Array, time: number, marker: boolean, isContiguous = true): Vp8Frame[] {
    this.#sequence++;
    const event = rtpEvent({
      stream: video,
      sequence: this.#sequence,
      time,
      receivedAt: time / 90,
      payload,
      marker,
    });
    this.depacketizer.push({ event, isContiguous });
    const frames: Vp8Frame[] = [];
    for (let frame = this.depacketizer.poll(); frame !== undefined; frame = this.depacketizer.poll())
      frames.push(frame);
    return frames;
  }

  /** A frame of one packet. */
  frame(n: number, init: Vp8Init = {}, isContiguous = true): Vp8Frame | undefined {
    const body = init.isKeyframe === true ? KEYFRAME : [7, 7, 7];
    return this.push(vp8({ body, ...init }), n * 3000, true, isContiguous)[0];
  }
}

describe('Vp8Depacketizer', () => {
  test('a keyframe is as long as its header at the least', () => {
    const [whole, cut] = [9, 8].map((length) => {
      return new Bench().frame(1, { isKeyframe: true, body: KEYFRAME.slice(0, length) });
    });
    expect(whole).toMatchObject({ isKeyframe: true, width: 640, height: 480 });
    expect(cut).toBeUndefined();
  });

  test('a keyframe of one packet, with its size', () => {
    const bench = new Bench();
    expect(bench.frame(1, { id: 5, tl0: 1, tid: 0, isKeyframe: true })).toEqual({
      data: Uint8Array.of(0x10, ...KEYFRAME),
      timestamp: 3000,
      isKeyframe: true,
      isContiguous: true,
      isDiscardable: false,
      pictureId: 5,
      temporalLayer: 0,
      width: 640,
      height: 480,
    });
  });

  test('a loss in front of a packet of another codec breaks the frame that it was of', () => {
    const bench = new Bench();
    bench.frame(1, { isKeyframe: true });
    bench.push(vp8({ body: [1] }), 6000, false);
    const other = rtpEvent({ stream: video, sequence: 90, time: 6000, payload: [1], codec: OPUS });
    bench.depacketizer.push({ event: other, isContiguous: false });
    expect(bench.push(vp8({ isStart: false, body: [3] }), 6000, true)).toEqual([]);
    expect(bench.depacketizer.counters).toMatchObject({ framesIncomplete: 1, packetsWithoutStart: 1 });
  });

  test('packets of a frame are joined, without their descriptors', () => {
    const bench = new Bench();
    bench.frame(1, { isKeyframe: true });
    expect(bench.push(vp8({ id: 6, body: [1] }), 6000, false)).toEqual([]);
    expect(bench.push(vp8({ id: 6, isStart: false, body: [2] }), 6000, false)).toEqual([]);
    const [frame] = bench.push(vp8({ id: 6, isStart: false, body: [3] }), 6000, true);
    expect([...(frame?.data ?? [])]).toEqual([0x11, 1, 0x11, 2, 0x11, 3]);
    expect(frame?.isKeyframe).toBe(false);
  });

  test('a frame ends without its marker where the next begins', () => {
    const bench = new Bench();
    bench.frame(1, { isKeyframe: true });
    expect(bench.push(vp8({}), 6000, false)).toEqual([]);
    expect(bench.push(vp8({}), 9000, false).map(({ timestamp }) => timestamp)).toEqual([6000]);
    bench.depacketizer.flush();
    expect(bench.depacketizer.poll()?.timestamp).toBe(9000);
    expect(bench.depacketizer.nextTimeout()).toBe(Infinity);
  });

  test('partitions other than the first begin no frame', () => {
    const bench = new Bench();
    bench.frame(1, { isKeyframe: true });
    bench.push(Uint8Array.of(0x10, 0x11, 1), 6000, false);
    const frames = bench.push(Uint8Array.of(0x11, 0x11, 2), 6000, true);
    expect(frames.map(({ data }) => [...data])).toEqual([[0x11, 1, 0x11, 2]]);
  });

  test('a frame that is missing a packet is never given out, nor what depends on it, until a keyframe', () => {
    const bench = new Bench();
    bench.frame(1, { isKeyframe: true });
    bench.push(vp8({}), 6000, false);
    expect(bench.push(vp8({ isStart: false }), 6000, true, false)).toEqual([]);
    expect([bench.frame(3), bench.frame(4)]).toEqual([undefined, undefined]);
    expect(bench.frame(5, { isKeyframe: true })).toMatchObject({ isKeyframe: true, isContiguous: true });
    expect(bench.frame(6)).toMatchObject({ isContiguous: true });
    expect(bench.depacketizer.counters).toMatchObject({
      frames: 3,
      keyframes: 2,
      framesIncomplete: 1,
      framesUndecodable: 2,
      packetsWithoutStart: 1,
    });
  });

  test('contiguity is told without loss and with, to who wants all frames', () => {
    const bench = new Bench({ onlyDecodable: false });
    const told = [
      bench.frame(1),
      bench.frame(2, { isKeyframe: true }),
      bench.frame(3),
      bench.frame(5, {}, false),
      bench.frame(6),
      bench.frame(7, { isKeyframe: true }),
      bench.frame(8),
    ].map((frame) => frame?.isContiguous);
    expect(told).toEqual([false, true, true, false, false, true, true]);
  });

  test('lost padding breaks nothing: the next picture id says that none is missing, at both wraps', () => {
    for (const bits of [7, 15] as const) {
      const bench = new Bench();
      const last = 2 ** bits - 1;
      bench.frame(1, { id: last - 1, bits, isKeyframe: true });
      expect(bench.frame(2, { id: last, bits }, false)).toBeDefined();
      expect(bench.frame(3, { id: 0, bits }, false)).toBeDefined();
      expect(bench.frame(4, { id: 2, bits }, false)).toBeUndefined();
    }
  });

  test('pictures that a forwarder left out on purpose are not missing', () => {
    const bench = new Bench();
    bench.frame(1, { id: 10, tl0: 1, tid: 0, isKeyframe: true });
    expect(bench.frame(3, { id: 12, tl0: 2, tid: 0 })).toBeDefined();
    expect(bench.frame(5, { id: 14, tl0: 3, tid: 0 })).toBeDefined();
  });

  test('a lost picture of a higher layer: the lowest goes on, at the wrap of TL0PICIDX too; the higher one where Y says so', () => {
    const bench = new Bench();
    bench.frame(1, { id: 10, tl0: 254, tid: 0, isKeyframe: true });
    bench.frame(2, { id: 11, tl0: 254, tid: 1 });
    bench.frame(3, { id: 12, tl0: 255, tid: 0 });
    // 13, of layer 1, is lost.
    expect(bench.frame(5, { id: 14, tl0: 0, tid: 0 }, false)).toBeDefined();
    expect(bench.frame(6, { id: 15, tl0: 0, tid: 1 })).toBeUndefined();
    expect(bench.frame(7, { id: 16, tl0: 1, tid: 0 })).toBeDefined();
    expect(bench.frame(8, { id: 17, tl0: 1, tid: 1, sync: true })).toBeDefined();
    expect(bench.frame(9, { id: 18, tl0: 2, tid: 0 })).toBeDefined();
    expect(bench.frame(10, { id: 19, tl0: 2, tid: 1 })).toBeDefined();
    expect(bench.depacketizer.keyframeWish()).toBe(false);
  });

  test('a lost picture of the lowest layer breaks all', () => {
    const bench = new Bench();
    bench.frame(1, { id: 10, tl0: 1, tid: 0, isKeyframe: true });
    expect(bench.frame(4, { id: 13, tl0: 2, tid: 1, sync: true }, false)).toBeUndefined();
    expect(bench.frame(5, { id: 14, tl0: 3, tid: 0 })).toBeUndefined();
    expect(bench.depacketizer.keyframeWish()).toBe(true);
    expect(bench.frame(6, { id: 15, tl0: 4, tid: 0, isKeyframe: true })).toBeDefined();
  });

  test('corrupt descriptors are dropped, and are a loss', () => {
    const bench = new Bench();
    bench.frame(1, { isKeyframe: true });
    expect(bench.push(Uint8Array.of(0x90, 0x80, 0x80), 6000, true)).toEqual([]);
    expect(bench.frame(3)).toBeUndefined();
    expect(bench.depacketizer.counters.packetsMalformed).toBe(1);
  });

  test('a keyframe without its header is none', () => {
    const bench = new Bench();
    expect(bench.frame(1, { isKeyframe: true, body: [1, 2, 3] })).toBeUndefined();
    expect(bench.depacketizer.counters.framesMalformed).toBe(1);
    expect(bench.frame(2, {})).toBeUndefined();
  });

  test('a frame that is too large is dropped, and its packets are not kept', () => {
    const bench = new Bench({ maxFrameBytes: 100 });
    bench.push(vp8({ isKeyframe: true, body: KEYFRAME }), 3000, false);
    for (let n = 0; n < 100; n++) bench.push(vp8({ isStart: false }), 3000, false);
    expect(bench.push(vp8({ isStart: false }), 3000, true)).toEqual([]);
    expect(bench.depacketizer.counters.framesTooLarge).toBe(1);
    expect(bench.frame(2, { isKeyframe: true })).toBeDefined();
  });

  test('a keyframe is wished for after 200 ms without one, again and again, until it is whole', () => {
    const bench = new Bench();
    bench.frame(0);
    const { depacketizer } = bench;
    expect(depacketizer.keyframeWish()).toBe(false);
    const wishes: number[] = [];
    for (let at = depacketizer.nextTimeout(); at < 2000; at = depacketizer.nextTimeout()) {
      depacketizer.handleTimeout(at);
      if (depacketizer.keyframeWish()) wishes.push(at);
    }
    expect(wishes).toEqual([200, 700, 1700]);
    bench.push(vp8({ isKeyframe: true, body: KEYFRAME }), 2000 * 90, false);
    expect(depacketizer.nextTimeout()).toBeLessThan(Infinity);
    bench.push(vp8({ isStart: false }), 2000 * 90, true);
    expect(depacketizer.nextTimeout()).toBe(Infinity);
  });

  test('losses in a row do not ask more often than every 500 ms; and asking has an end', () => {
    const bench = new Bench();
    let asked = 0;
    for (let n = 0; n < 300; n++) {
      bench.frame(n, { isKeyframe: n % 30 === 0 }, n % 30 === 0);
      if (bench.depacketizer.keyframeWish()) asked++;
    }
    expect(asked).toBeLessThanOrEqual(20);
    expect(asked).toBeGreaterThan(10);
    bench.depacketizer.handleTimeout(1e6);
    expect(bench.depacketizer.nextTimeout()).toBe(Infinity);
    expect(bench.depacketizer.counters.keyframeTimeouts).toBe(1);
  });

  test('other codecs are counted', () => {
    const depacketizer = new Vp8Depacketizer();
    depacketizer.push({ event: rtpEvent({ stream: video, sequence: 1, codec: OPUS }), isContiguous: true });
    expect(depacketizer.counters.packetsOfOtherCodecs).toBe(1);
  });

  test('any packets: nothing is thrown, no more comes out than goes in, and nothing undecodable', () => {
    const packet = fc.record({
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 30 }),
        fc
          .record({
            id: fc.nat(9),
            tl0: fc.nat(3),
            tid: fc.nat(2),
            sync: fc.boolean(),
            isStart: fc.boolean(),
            isKeyframe: fc.boolean(),
          })
          .map((init) => vp8({ ...init, body: KEYFRAME })),
      ),
      time: fc.nat(5),
      marker: fc.boolean(),
      isContiguous: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 60 }), (packets) => {
        const bench = new Bench();
        let went = 0;
        let came = 0;
        let isFirst = true;
        for (const { payload, time, marker, isContiguous } of packets) {
          went += payload.length;
          for (const frame of bench.push(payload, time * 3000, marker, isContiguous)) {
            came += frame.data.length;
            expect(frame.isContiguous).toBe(true);
            if (isFirst) expect(frame.isKeyframe).toBe(true);
            isFirst = false;
          }
        }
        expect(came).toBeLessThanOrEqual(went);
      }),
    );
  });
});
