import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  absoluteSendTimeOf,
  ntpOf,
  readAbsoluteCaptureTime,
  readAbsoluteSendTime,
  readAudioLevel,
  readMid,
  readPlayoutDelay,
  readRid,
  readTransportSequence,
  readVideoOrientation,
  writeAbsoluteCaptureTime,
  writeAbsoluteSendTime,
  writeAudioLevel,
  writeMid,
  writePlayoutDelay,
  writeRid,
  writeTransportSequence,
  writeVideoOrientation,
} from '../../src/rtp/index.ts';

const bad = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }) as Error;

describe('header extensions: what is written is read', () => {
  it('mid: any UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), (mid) => {
        fc.pre(new TextEncoder().encode(mid).length <= 255);
        expect(readMid(writeMid(mid))).toBe(mid);
      }),
    );
    expect(readMid(Uint8Array.of())).toBeUndefined();
    expect(readMid(Uint8Array.of(0xff))).toBeUndefined();
    expect(() => writeMid('')).toThrow(bad);
    expect(() => writeMid('m'.repeat(256))).toThrow(bad);
  });

  it('rid: letters, digits, - and _', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/), (rid) => {
        expect(readRid(writeRid(rid))).toBe(rid);
      }),
    );
    for (const rid of ['', 'a b', 'é', 'hi\0']) {
      expect(() => writeRid(rid)).toThrow(bad);
      expect(readRid(new TextEncoder().encode(rid))).toBeUndefined();
    }
  });

  it('transport-wide sequence number, with or without what version 2 adds', () => {
    for (const number of [0, 1, 0x1234, 0xffff])
      expect(readTransportSequence(writeTransportSequence(number))).toBe(number);
    expect(readTransportSequence(writeTransportSequence(0x1_0002))).toBe(2);
    expect(readTransportSequence(Uint8Array.of(1, 2, 0, 0))).toBe(0x0102);
    expect(readTransportSequence(Uint8Array.of(1))).toBeUndefined();
  });

  it('absolute send time, to four microseconds, modulo 64 seconds', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (milliseconds) => {
        const read = readAbsoluteSendTime(writeAbsoluteSendTime(milliseconds)) ?? NaN;
        const behind = (milliseconds - read) % 64_000;
        expect(behind).toBeGreaterThan(-0.001);
        expect(behind).toBeLessThan(0.005);
      }),
    );
    expect(absoluteSendTimeOf(1000)).toBe(0x4_0000);
    expect(absoluteSendTimeOf(64_001)).toBe(absoluteSendTimeOf(1));
    expect(readAbsoluteSendTime(Uint8Array.of(1, 2))).toBeUndefined();
  });

  it('audio level', () => {
    for (let level = 0; level >= -127; level--)
      for (const isVoice of [false, true])
        expect(readAudioLevel(writeAudioLevel({ level, isVoice }))).toEqual({ level, isVoice });
    expect([...writeAudioLevel({ level: -200, isVoice: false })]).toEqual([127]);
    expect([...writeAudioLevel({ level: 3, isVoice: true })]).toEqual([0x80]);
    expect(readAudioLevel(Uint8Array.of())).toBeUndefined();
  });

  it('video orientation', () => {
    for (const rotation of [0, 90, 180, 270] as const)
      for (const isFlipped of [false, true])
        for (const isBackCamera of [false, true]) {
          const orientation = { rotation, isFlipped, isBackCamera };
          expect(readVideoOrientation(writeVideoOrientation(orientation))).toEqual(orientation);
        }
    expect(readVideoOrientation(Uint8Array.of(1, 2))).toBeUndefined();
  });

  it('playout delay', () => {
    fc.assert(
      fc.property(fc.nat(4095), fc.nat(4095), (a, b) => {
        const delay = { minimum: Math.min(a, b) * 10, maximum: Math.max(a, b) * 10 };
        expect(readPlayoutDelay(writePlayoutDelay(delay))).toEqual(delay);
      }),
    );
    for (const [minimum, maximum] of [
      [20, 10],
      [-10, 10],
      [0, 50_000],
      [NaN, 10],
    ] as const)
      expect(() => writePlayoutDelay({ minimum, maximum })).toThrow(bad);
    expect(readPlayoutDelay(Uint8Array.of(0x00, 0x20, 0x01))).toBeUndefined();
  });

  it('absolute capture time, with and without the offset of its clock', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff_ffff),
        fc.nat(0xffff_ffff),
        fc.option(fc.double({ min: -2e12, max: 2e12, noNaN: true }), { nil: undefined }),
        (ntpSeconds, ntpFraction, clockOffset) => {
          const read = readAbsoluteCaptureTime(
            writeAbsoluteCaptureTime({ ntpSeconds, ntpFraction, clockOffset }),
          );
          expect(read).toMatchObject({ ntpSeconds, ntpFraction });
          if (clockOffset === undefined) expect(read?.clockOffset).toBeUndefined();
          else expect(Math.abs((read?.clockOffset ?? NaN) - clockOffset)).toBeLessThan(0.001);
        },
      ),
    );
    const { seconds, fraction } = ntpOf(3_900_000_000_500);
    const time = { ntpSeconds: seconds, ntpFraction: fraction, clockOffset: -1500 };
    expect(readAbsoluteCaptureTime(writeAbsoluteCaptureTime(time))).toEqual(time);
    expect(readAbsoluteCaptureTime(new Uint8Array(9))).toBeUndefined();
  });

  it('never throw, whatever comes', () => {
    const readers = [
      readMid,
      readRid,
      readTransportSequence,
      readAbsoluteSendTime,
      readAudioLevel,
      readVideoOrientation,
      readPlayoutDelay,
      readAbsoluteCaptureTime,
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), (value) => {
        for (const read of readers) read(value);
      }),
    );
  });
});
