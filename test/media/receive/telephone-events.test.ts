/** Tones of DTMF as they are received (RFC 4733). */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/core/bytes.ts';
import type { MediaStreamEvent } from '../../../src/media/contract.ts';
import { AUDIO, Rig } from './rig.ts';

function payload(event: number, duration: number, isEnd = false): Bytes {
  return Uint8Array.of(event, (isEnd ? 0x80 : 0) | 10, duration >> 8, duration & 0xff);
}

/** A telephone that has said something before. */
class Telephone {
  readonly rig = new Rig([AUDIO]);
  #sequence = 1;

  constructor() {
    this.rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence: this.#sequence });
  }

  /** A packet of an event. @returns the tones that have ended by it */
  press(timestamp: number, event: number, duration: number, isEnd = false): string[] {
    const sequence = ++this.#sequence;
    return tones(
      this.rig.take(
        { ssrc: 1, payloadType: 126, sequence, timestamp, payload: payload(event, duration, isEnd) },
        20,
      ),
    );
  }
}

function tones(events: readonly MediaStreamEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'dtmf' ? [`${event.tone} ${event.duration}`] : []));
}

describe('DTMF', () => {
  test('a tone is told once, with the duration of its end, which comes three times (§2.5.1.4)', () => {
    const telephone = new Telephone();
    const told = [
      telephone.press(8000, 5, 160),
      telephone.press(8000, 5, 320),
      telephone.press(8000, 5, 800, true),
      telephone.press(8000, 5, 800, true),
      telephone.press(8000, 5, 800, true),
    ];
    expect(told.flat()).toEqual(['5 100']);
  });

  test('all sixteen have their names (§3.2)', () => {
    const telephone = new Telephone();
    const told = Array.from({ length: 16 }, (_, event) =>
      telephone.press(8000 * (event + 1), event, 800, true),
    );
    expect(
      told
        .flat()
        .map((tone) => tone.charAt(0))
        .join(''),
    ).toBe('0123456789*#ABCD');
  });

  test('a tone whose end is lost is ended by the next', () => {
    const telephone = new Telephone();
    telephone.press(8000, 1, 400);
    expect(telephone.press(16_000, 2, 160)).toEqual(['1 50']);
  });

  test('or by its gate', () => {
    const telephone = new Telephone();
    telephone.press(8000, 11, 400);
    telephone.rig.wait(499);
    expect(telephone.rig.receiver.timeoutReason()).toBe('toneEnd');
    expect(telephone.rig.drain()).toEqual([]);
    telephone.rig.wait(1);
    expect(tones(telephone.rig.drain())).toEqual(['# 50']);
    // Its end comes after all.
    expect(telephone.press(8000, 11, 480, true)).toEqual([]);
  });

  test('the same key pressed twice is two tones', () => {
    const telephone = new Telephone();
    telephone.press(8000, 7, 800, true);
    expect(telephone.press(9600, 7, 800, true)).toEqual(['7 100']);
  });

  test('one that is longer than 0xffff goes on under a later timestamp (§2.5.1.3, §2.5.2.3)', () => {
    const telephone = new Telephone();
    const told = [
      telephone.press(8000, 3, 65_520),
      telephone.press(8000, 3, 65_535),
      telephone.press(8000 + 65_535, 3, 160),
      telephone.press(8000 + 65_535, 3, 465, true),
    ];
    expect(told.flat()).toEqual([`3 ${66_000 / 8}`]);
  });

  test('late packets of a tone that is over are none', () => {
    const telephone = new Telephone();
    telephone.press(16_000, 2, 800, true);
    expect(telephone.press(8000, 1, 800, true)).toEqual([]);
  });

  test('other events and packets that end early are counted', () => {
    const telephone = new Telephone();
    telephone.press(8000, 16, 800, true);
    telephone.rig.take({ ssrc: 1, payloadType: 126, sequence: 50, payload: Uint8Array.of(1, 0) });
    expect(telephone.rig.receiver.counters.get('unknownTones')).toBe(2);
  });

  test('an end that is said by a repetition of the last packet alone is one (§2.5.1.4)', () => {
    const telephone = new Telephone();
    expect([telephone.press(8000, 9, 800), telephone.press(8000, 9, 800, true)].flat()).toEqual(['9 100']);
  });

  test('a packet that comes late makes no tone shorter (§2.5.2.2)', () => {
    const telephone = new Telephone();
    telephone.press(8000, 9, 640);
    telephone.press(8000, 9, 320);
    telephone.rig.wait(500);
    expect(tones(telephone.rig.drain())).toEqual(['9 80']);
  });

  test('a duration of 0 says nothing of a tone (§2.3.5), and R and the volume say nothing at all (§2.3.3)', () => {
    const telephone = new Telephone();
    expect([telephone.press(8000, 4, 0), telephone.press(8000, 4, 0, true)].flat()).toEqual([]);
    expect(telephone.rig.receiver.counters.get('unknownTones')).toBe(2);
    const reserved = Uint8Array.of(4, 0x80 | 0x40 | 63, 0x03, 0x20);
    const end = { ssrc: 1, payloadType: 126, sequence: 50, timestamp: 8000, payload: reserved };
    expect(tones(telephone.rig.take(end))).toEqual(['4 100']);
  });

  test('what stands behind the first event of a packet is not read (§2.5.1.5)', () => {
    const telephone = new Telephone();
    const both = Uint8Array.of(...payload(1, 800, true), ...payload(2, 800, true));
    expect(
      tones(telephone.rig.take({ ssrc: 1, payloadType: 126, sequence: 9, timestamp: 8000, payload: both })),
    ).toEqual(['1 100']);
  });
});
