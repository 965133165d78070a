/** OpusDepacketizer: durations, DTX, and copies of RED. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpusFrame } from '../../../src/media/index.ts';
import { OpusDepacketizer, opusDuration } from '../../../src/media/frames/opus-depacketizer.ts';
import { writeRed } from '../../../src/rtp/index.ts';
import { OPUS, rtpEvent, stream, VP8 } from '../forward/source.ts';

const RED = { ...OPUS, mimeType: 'audio/red', payloadType: 63, sdpFmtpLine: '111/111' };
/** One frame of 20 ms. */
const TOC = 0x78;
const audio = stream({ kind: 'audio' });

function push(
  to: OpusDepacketizer,
  at: number,
  payload: readonly number[],
  isContiguous = true,
  codec = OPUS,
): OpusFrame[] {
  const event = rtpEvent({ stream: audio, sequence: 1000 + at, time: at * 960, payload, codec });
  to.push({ event, isContiguous });
  const frames: OpusFrame[] = [];
  for (let frame = to.poll(); frame !== undefined; frame = to.poll()) frames.push(frame);
  return frames;
}

/** A packet that has copies of the two before it. */
function red(at: number, copies = [2, 1], payloadType = 111): number[] {
  return [
    ...writeRed([
      ...copies.map((ago) => ({
        payloadType,
        timestampOffset: ago * 960,
        payload: Uint8Array.of(TOC, at - ago, 9),
      })),
      { payloadType, timestampOffset: 0, payload: Uint8Array.of(TOC, at, 9) },
    ]),
  ];
}

describe('OpusDepacketizer', () => {
  test('a packet is a frame', () => {
    const opus = new OpusDepacketizer();
    expect(push(opus, 5, [TOC, 1, 2])).toEqual([
      {
        data: Uint8Array.of(TOC, 1, 2),
        timestamp: 4800,
        duration: 960,
        isKeyframe: true,
        isContiguous: true,
        isDtx: false,
        isCopy: false,
      },
    ]);
  });

  test('silence: DTX frames are told, and what is not sent meanwhile is not missing', () => {
    const opus = new OpusDepacketizer();
    push(opus, 1, [TOC, 1, 2]);
    const [silent] = push(opus, 2, [TOC]);
    const [after] = push(opus, 22, [TOC, 1, 2]);
    expect([silent?.isDtx, after?.isDtx]).toEqual([true, false]);
    expect([silent?.isContiguous, after?.isContiguous]).toEqual([true, true]);
  });

  test('a loss is told; one of packets without sound between two that follow each other is none', () => {
    const opus = new OpusDepacketizer();
    push(opus, 1, [TOC, 1, 2]);
    expect(push(opus, 3, [TOC, 1, 2], false)[0]?.isContiguous).toBe(false);
    expect(push(opus, 4, [TOC, 1, 2], false)[0]?.isContiguous).toBe(true);
  });

  test('a loss in front of a packet of another codec is not forgotten, nor is one that cannot be read', () => {
    const opus = new OpusDepacketizer();
    push(opus, 1, [TOC, 1, 2]);
    expect(push(opus, 4, [1], false, VP8)).toEqual([]);
    expect(push(opus, 5, [TOC, 1, 2])[0]?.isContiguous).toBe(false);
    expect(push(opus, 6, [TOC | 3])).toEqual([]);
    expect(push(opus, 7, [TOC, 1, 2])[0]?.isContiguous).toBe(false);
    expect(push(opus, 8, [TOC, 1, 2])[0]?.isContiguous).toBe(true);
  });

  test('RED: copies of what is known are not given out; those of what was lost are, the oldest first', () => {
    const opus = new OpusDepacketizer();
    const of = (at: number, isContiguous = true): (number | boolean)[][] =>
      push(opus, at, red(at), isContiguous, RED).map(({ timestamp, isContiguous: follows, isCopy }) => [
        timestamp / 960,
        follows,
        isCopy,
      ]);
    expect(of(10, false)).toEqual([
      [8, false, true],
      [9, true, true],
      [10, true, false],
    ]);
    expect(of(11)).toEqual([[11, true, false]]);
    expect(of(14, false)).toEqual([
      [12, true, true],
      [13, true, true],
      [14, true, false],
    ]);
    // Three are lost, two have copies.
    expect(of(18, false)).toEqual([
      [16, false, true],
      [17, true, true],
      [18, true, false],
    ]);
    expect(opus.counters).toMatchObject({ frames: 4, framesFromCopies: 6 });
  });

  test('RED: a copy that is missing between two leaves its gap', () => {
    const opus = new OpusDepacketizer();
    push(opus, 10, [TOC, 1, 2]);
    const frames = push(opus, 14, red(14, [2]), false, RED);
    expect(frames.map(({ timestamp, isContiguous }) => [timestamp / 960, isContiguous])).toEqual([
      [12, false],
      [14, false],
    ]);
  });

  test('RED: blocks of another codec are left out, empty ones are none, and one that lies is dropped', () => {
    const opus = new OpusDepacketizer();
    expect(push(opus, 10, red(10, [], 110), true, RED)).toEqual([]);
    const [frame] = push(
      opus,
      11,
      [
        ...writeRed([
          { payloadType: 111, timestampOffset: 960, payload: new Uint8Array(0) },
          { payloadType: 111, timestampOffset: 0, payload: Uint8Array.of(TOC, 1, 1) },
        ]),
      ],
      true,
      RED,
    );
    expect(frame?.timestamp).toBe(11 * 960);
    expect(push(opus, 12, [0xef, 0, 0xff, 0xff, 111], true, RED)).toEqual([]);
    expect(opus.counters).toMatchObject({ packetsOfOtherCodecs: 1, packetsMalformed: 1 });
  });

  test('durations by the table of contents', () => {
    const cases: [number[], number | undefined][] = [
      [[], undefined],
      [[0x00, 1], 480],
      [[0x08, 1], 960],
      [[0x10, 1], 1920],
      [[0x18, 1], 2880],
      [[0x60, 1], 480],
      [[0x68, 1], 960],
      [[0x80, 1], 120],
      [[0x98, 1], 960],
      [[0x99, 1, 1], 1920],
      [[0x99, 1], undefined],
      [[0x9a, 1, 1], 1920],
      // Two frames without a byte, and six: silence (RFC 6716 §3.2.1 allows lengths of 0).
      [[0x9a, 0], 1920],
      [[0x9b, 6], 5760],
      [[0x9a], undefined],
      [[0x9b], undefined],
      [[0x9b, 0], undefined],
      [[0x9b, 6, 1], 5760],
      [[0x9b, 7, 1], undefined],
      [[0x83, 48, 1], 5760],
    ];
    for (const [bytes, duration] of cases)
      expect(opusDuration(Uint8Array.from(bytes)), String(bytes)).toBe(duration);
  });

  test('other codecs, and packets that cannot be Opus, are counted', () => {
    const opus = new OpusDepacketizer();
    expect(push(opus, 1, [TOC, 1], true, VP8)).toEqual([]);
    expect(push(opus, 1, [0x9b, 0])).toEqual([]);
    expect(opus.counters).toMatchObject({ packetsOfOtherCodecs: 1, packetsMalformed: 1, frames: 0 });
  });

  test('any bytes: nothing is thrown, and no more comes out than goes in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.boolean(), fc.boolean())),
        (packets) => {
          const opus = new OpusDepacketizer();
          for (const [n, [payload, isContiguous, isRed]] of packets.entries()) {
            const frames = push(opus, n, [...payload], isContiguous, isRed ? RED : OPUS);
            let bytes = 0;
            for (const { data } of frames) bytes += data.length;
            expect(bytes).toBeLessThanOrEqual(payload.length);
          }
        },
      ),
    );
  });
});
