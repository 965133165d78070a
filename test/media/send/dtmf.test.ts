/** Tones of DTMF as telephone events (RFC 4733), among the audio that they take the place of. */
import { describe, expect, test } from 'vitest';
import { RtcError } from '../../../src/core/errors.ts';
import type { RtpPacket } from '../../../src/rtp/index.ts';
import { OPUS, PATH, SendingRig, TONES, audio, payload } from './sent.ts';

/** What a packet of a tone says. */
function tone({ payload: bytes, timestamp, marker, payloadType }: RtpPacket): object {
  const [event = 0, flags = 0, high = 0, low = 0] = bytes;
  return {
    payloadType,
    event,
    isEnd: flags >= 0x80,
    volume: flags & 0x3f,
    duration: (high << 8) | low,
    timestamp,
    marker,
  };
}

/** Tones on a sender that has sent a packet of audio, with the time of each packet. */
function played(
  tones: string,
  options = {},
  until = 20_000,
  codecs = [OPUS, TONES],
): (RtpPacket & { at?: number })[] {
  const rig = new SendingRig([audio({ codecs })]);
  rig.write({ timestamp: 1000 }, 1);
  rig.poll();
  rig.tell(100);
  expect(rig.sender(1).writeDtmf(tones, options)).toBe(true);
  const packets: (RtpPacket & { at?: number })[] = [];
  while (rig.now <= until) {
    for (const packet of rig.poll()) packets.push(Object.assign(packet, { at: rig.now }));
    expect(rig.sending.invariantViolation()).toBeUndefined();
    const next = rig.sending.nextTimeout();
    expect(next).toBeGreaterThan(rig.now);
    if (next === Infinity) break;
    rig.tell(next);
  }
  return packets;
}

describe('a tone', () => {
  test('begins with the marker, keeps its timestamp, lasts longer with each packet (RFC 4733 §2.5.1.2), ends three times (§2.5.1.4)', () => {
    const packets = played('5', { duration: 120 });
    const timestamp = 1000 + 4800; // of the audio's clock, 100 ms later
    const common = { payloadType: 126, event: 5, volume: 10, timestamp };
    expect(packets.map(tone)).toEqual([
      { ...common, isEnd: false, duration: 2400, marker: true },
      { ...common, isEnd: false, duration: 4800, marker: false },
      { ...common, isEnd: false, duration: 5760, marker: false },
      { ...common, isEnd: true, duration: 5760, marker: false },
      { ...common, isEnd: true, duration: 5760, marker: false },
      { ...common, isEnd: true, duration: 5760, marker: false },
    ]);
    const [, first] = [0, packets[0]?.at ?? 0];
    expect(packets.map(({ at }) => Math.round((at ?? 0) - first))).toEqual([0, 50, 100, 120, 143, 167]);
    const numbers = packets.map(({ sequenceNumber }) => sequenceNumber);
    expect(numbers.every((number, i) => number === (numbers[0] ?? 0) + i)).toBe(true);
    expect(packets.every(({ ssrc }) => ssrc === 3000)).toBe(true);
  });

  test('that is shorter than an interval is a packet and its ends', () => {
    expect(played('#', { duration: 40 }).map(tone)).toMatchObject([
      { event: 11, isEnd: false, duration: 1920 },
      { event: 11, isEnd: true, duration: 1920 },
      { isEnd: true },
      { isEnd: true },
    ]);
  });

  test.each('0123456789*#ABCD'.split('').map((name, event) => [name, event] as const))(
    '%s is event %i',
    (name, event) => {
      expect(played(name).every((packet) => packet.payload[0] === event)).toBe(true);
      expect(played(name.toLowerCase())).toHaveLength(played(name).length);
    },
  );

  test('that is long goes on in segments of 0xFFFF, each of a timestamp of its own (§2.5.1.3), each end three times (§2.5.1.4)', () => {
    const packets = played('1', { duration: 3000 }).map(tone) as {
      duration: number;
      timestamp: number;
      isEnd: boolean;
      marker: boolean;
    }[];
    const start = 1000 + 4800;
    const timestamps = [...new Set(packets.map(({ timestamp }) => timestamp - start))];
    expect(timestamps).toEqual([0, 0xffff, 2 * 0xffff]);
    for (const base of [0, 0xffff]) {
      const ends = packets.filter(
        ({ timestamp, duration }) => timestamp - start === base && duration === 0xffff,
      );
      expect(ends).toHaveLength(3);
      expect(ends.every(({ isEnd }) => !isEnd)).toBe(true);
    }
    expect(packets.filter(({ marker }) => marker)).toHaveLength(1);
    const ends = packets.filter(({ isEnd }) => isEnd);
    expect(ends.map(({ timestamp, duration }) => timestamp - start + duration)).toEqual([
      144_000, 144_000, 144_000,
    ]);
    const said = packets.map(({ timestamp, duration }) => timestamp + duration);
    expect(said).toEqual([...said].sort((a, b) => a - b));
  });

  test('has its durations by its own clock, where none of the audio’s is agreed on', () => {
    const packets = played('1', {}, 20_000, [OPUS, { ...TONES, clockRate: 8000, payloadType: 101 }]).map(
      tone,
    );
    expect(packets.at(-1)).toMatchObject({ payloadType: 101, duration: 800, timestamp: 1000 + 4800 });
  });

  test('has its ends an interval apart, as updates are (§2.5.1.4), where the gap has room for it; before it is over otherwise', () => {
    const ends = (gap: number): number[] => {
      const packets = played('1', { duration: 100, gap });
      const first = packets[0]?.at ?? 0;
      return packets.slice(-3).map(({ at }) => Math.round((at ?? 0) - first));
    };
    expect(ends(150)).toEqual([100, 150, 200]);
    expect(ends(1000)).toEqual([100, 150, 200]);
    expect(ends(30)).toEqual([100, 110, 120]);
  });

  test('says how long it has lasted, never longer than it will (§2.3.5), and never nothing', () => {
    for (const duration of [40, 49, 51, 99, 100, 1000]) {
      const said = played('1', { duration }).map((packet) => (tone(packet) as { duration: number }).duration);
      expect(Math.max(...said)).toBe(duration * 48);
      expect(Math.min(...said)).toBeGreaterThan(0);
      expect(said).toEqual([...said].sort((a, b) => a - b));
    }
  });

  test('before any audio has a timestamp of its own all the same', () => {
    const rig = new SendingRig([audio()]);
    rig.sender(1).writeDtmf('12');
    const timestamps = new Set(rig.run(1000).map(({ timestamp }) => timestamp));
    expect(timestamps.size).toBe(2);
  });

  test('sounds to its end when the host polls late', () => {
    const rig = new SendingRig([audio()]);
    rig.sender(1).writeDtmf('1', { duration: 200 });
    rig.poll();
    const packets = rig.tell(1000).run(2000).map(tone);
    expect(packets).toMatchObject([{ isEnd: true, duration: 9600 }, { isEnd: true }, { isEnd: true }]);
  });
});

describe('tones', () => {
  test('follow one another with the gap, and a comma is a pause of two seconds', () => {
    const packets = played('1,2', { duration: 100, gap: 70 });
    const starts = packets.filter(({ marker }) => marker).map(({ at }) => at ?? 0);
    expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeCloseTo(100 + 70 + 2000, 5);
    const [first, second] = packets.filter(({ marker }) => marker).map(({ timestamp }) => timestamp);
    expect((second ?? 0) - (first ?? 0)).toBe(2170 * 48);
  });

  test('take the place of audio while they sound, and no longer', () => {
    const rig = new SendingRig([audio()]);
    rig.sender(1).writeDtmf('1');
    rig.poll();
    expect(rig.write({}, 1)).toBe(false);
    expect(rig.counted()).toEqual({ writesDuringTone: 1 });
    rig.run(400);
    expect(rig.write({}, 1)).toBe(true);
    expect(rig.poll()).toHaveLength(1);
  });

  test('go after the audio that waits, in one row of numbers with what the caller counts', () => {
    const rig = new SendingRig([audio()]);
    rig.write({ sequence: 500 }, 1);
    rig.sender(1).writeDtmf('1', { duration: 40 });
    const numbers = rig.run(400).map(({ sequenceNumber }) => sequenceNumber);
    expect(numbers).toEqual([500, 501, 502, 503, 504]);
    rig.write({ sequence: 501 }, 1);
    expect(rig.poll()[0]?.sequenceNumber).toBe(505);
  });

  test('are refused where no telephone-event is agreed on, or too many wait', () => {
    const without = new SendingRig([audio({ codecs: [OPUS] })]);
    expect(without.sender(1).writeDtmf('1')).toBe(false);
    const rig = new SendingRig([audio()], { maxQueuedTones: 3 });
    expect(rig.sender(1).writeDtmf('1234')).toBe(false);
    expect(rig.sender(1).writeDtmf('123')).toBe(true);
    expect(rig.sender(1).writeDtmf('4')).toBe(false);
    expect(rig.counted()).toEqual({ tonesRefused: 2 });
    rig.sending.setPath({ ...PATH, writable: false });
    expect(rig.sender(1).writeDtmf('')).toBe(false);
  });

  test.each<[unknown, object]>([
    ['1E', {}],
    [5, {}],
    ['1', { duration: 39 }],
    ['1', { duration: 6001 }],
    ['1', { gap: 29 }],
    ['1', { gap: NaN }],
    ['1', { length: 5 }],
  ])('that cannot be throw, and nothing has changed: %j %j', (tones, options) => {
    const rig = new SendingRig([audio()]);
    expect(() => rig.sender(1).writeDtmf(tones as string, options)).toThrow(RtcError);
    expect(rig.poll()).toEqual([]);
  });

  test('wait for no path for ever', () => {
    const rig = new SendingRig([audio()]);
    rig.sender(1).writeDtmf('123');
    rig.sending.setPath({ ...PATH, writable: false });
    rig.tell(2000);
    expect(rig.counted()).toEqual({ tonesDropped: 3 });
    expect(rig.sending.nextTimeout()).toBe(Infinity);
  });

  test('end with their media, or with telephone-event', () => {
    const rig = new SendingRig([audio()]);
    rig.sender(1).writeDtmf('12');
    rig.poll();
    rig.sending.setMedia([audio({ codecs: [OPUS] })], 0);
    expect(rig.counted()).toEqual({ tonesDropped: 2 });
    expect(rig.write({}, 1)).toBe(true);
    expect(rig.run(1000)).toHaveLength(1);
  });

  test('sound on after the host stood still', () => {
    const rig = new SendingRig([audio()]);
    rig.sender(1).writeDtmf('1', { duration: 1000 });
    rig.poll();
    rig.tell(50);
    rig.poll();
    const packets = rig.tell(8050).run(20_000).map(tone);
    expect(packets.length).toBeGreaterThan(15);
    expect(packets.at(-1)).toMatchObject({ isEnd: true, duration: 48_000 });
  });

  test('of one connection end nobody else’s audio', () => {
    const rig = new SendingRig([audio(), audio({ id: 2, mid: 'c', sources: [{ ssrc: 4000 }] })]);
    rig.sender(1).writeDtmf('1');
    rig.poll();
    expect(rig.write({ payload: payload(1) }, 2)).toBe(true);
  });
});
