/** What is sent again: by NACKs (RFC 4585), as RTX (RFC 4588) or as it was, within a share, and never for ever. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom, randomUnit } from '../../../src/core/random.ts';
import type { RtpPacket } from '../../../src/rtp/index.ts';
import { RtpPacket as Packet, originalSequenceNumber, unwrapRtx } from '../../../src/rtp/index.ts';
import { IDS, OPUS, PATH, SendingRig, VP8, audio, payload, video } from './sent.ts';

/** Sends so many packets of `length` bytes, one every 10 ms: their sequence numbers. */
function sent(rig: SendingRig, count: number, length = 100): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < count; i++) {
    rig.write({ payload: payload(i, length), timestamp: i, marker: i % 2 === 0 });
    numbers.push(...rig.poll().map(({ sequenceNumber }) => sequenceNumber));
    rig.tell(rig.now + 10);
  }
  return numbers;
}

const original = (packet: RtpPacket | undefined): number | undefined =>
  packet && originalSequenceNumber(packet);

describe('nack responder', () => {
  test('RFC 4588 with OSN, own SSRC and sequence', () => {
    const rig = new SendingRig([video()]);
    const [first = 0, second = 0, third = 0] = sent(rig, 3);
    const again = rig.nack(1000, first, third).poll();
    expect(again.map(({ ssrc, payloadType }) => [ssrc, payloadType])).toEqual([
      [2000, 97],
      [2000, 97],
    ]);
    expect(again.map(original)).toEqual([first, third]);
    expect(again.map(({ marker, timestamp }) => [marker, timestamp])).toEqual([
      [true, 0],
      [true, 2],
    ]);
    const [one, two] = again.map(({ sequenceNumber }) => sequenceNumber);
    expect(two).toBe((one ?? 0) + 1);
    expect(again[1]?.payload.subarray(2)).toEqual(payload(2));
    expect(rig.nack(1000, second).poll()[0]?.sequenceNumber).toBe((one ?? 0) + 2);
  });

  test('what is sent again becomes the packet that was sent first', () => {
    const rig = new SendingRig([video()]);
    rig.write({ payload: payload(5), timestamp: 77, marker: true });
    const [packet] = rig.poll();
    const [rtx] = rig.nack(1000, packet?.sequenceNumber ?? 0).poll();
    const undone = rtx && unwrapRtx(rtx.bytes, 96, 1000);
    expect(undone && Packet.view(undone)).toMatchObject({
      sequenceNumber: packet?.sequenceNumber,
      timestamp: 77,
      marker: true,
      payload: payload(5),
    });
  });

  test('it tells mid and repaired rid until the source of retransmissions is acknowledged', () => {
    const rig = new SendingRig([
      video({ rids: ['hi'], sources: [{ rid: 'hi', ssrc: 1000, rtxSsrc: 2000 }] }),
    ]);
    const numbers: number[] = [];
    for (let i = 0; i < 2; i++) {
      rig.sender(0, 'hi').write({ payload: payload(i), timestamp: i });
      numbers.push(...rig.poll().map(({ sequenceNumber }) => sequenceNumber));
    }
    const [first] = rig.nack(1000, numbers[0] ?? 0).poll();
    expect(first?.extension(IDS.repairedRid)).toEqual(new TextEncoder().encode('hi'));
    expect(first?.extension(IDS.rid)).toBeUndefined();
    expect(first?.extension(IDS.mid)).toBeDefined();
    rig.report(2000, { highestSequenceNumber: first?.sequenceNumber ?? 0 });
    const [second] = rig.nack(1000, numbers[1] ?? 0).poll();
    expect(second?.extension(IDS.repairedRid)).toBeUndefined();
    expect(second?.extension(IDS.mid)).toBeUndefined();
  });

  test('it has transport-wide numbers of its own', () => {
    const rig = new SendingRig([video()]);
    const [number = 0] = sent(rig, 2);
    expect(rig.nack(1000, number).poll()[0]?.extension(IDS.transport)).toEqual(Uint8Array.of(0, 2));
  });

  test('without RTX the packet goes out as it was, to the byte, whatever has been acknowledged since', () => {
    const rig = new SendingRig([video({ codecs: [{ ...VP8, rtxPayloadType: undefined }] })]);
    rig.write({ payload: payload(3) });
    const [packet] = rig.poll();
    rig.report(1000, { highestSequenceNumber: packet?.sequenceNumber ?? 0 });
    rig.tell(500);
    rig.sending.setMedia([video({ mid: 'z', codecs: [{ ...VP8, rtxPayloadType: undefined }] })], 500);
    expect(rig.nack(1000, packet?.sequenceNumber ?? 0).poll()[0]?.bytes).toEqual(packet?.bytes);
  });

  test('resends only what was sent, and counts what was not', () => {
    const rig = new SendingRig([video()]);
    const [first = 0] = sent(rig, 3);
    const unsent = [first - 1, first + 3, first + 30_000, first ^ 0x8000];
    expect(rig.nack(1000, ...unsent).poll()).toEqual([]);
    expect(rig.counted()).toEqual({ retransmissionsUnknown: 4 });
  });

  test('unknown SSRCs are left alone, and so are NACKs of what was sent again', () => {
    const rig = new SendingRig([video()]);
    const [first = 0] = sent(rig, 1);
    const [rtx] = rig.nack(1000, first).poll();
    expect(
      rig
        .nack(4711, 1)
        .nack(2000, rtx?.sequenceNumber ?? 0)
        .poll(),
    ).toEqual([]);
    expect(rig.counted()).toEqual({ sentSourcesUnknown: 1, retransmissionsUnknown: 1 });
  });

  test('refuses repeats within three quarters of a round trip, and not after', () => {
    const rig = new SendingRig([video()]); // its path takes 40 ms
    const [first = 0] = sent(rig, 1);
    expect(rig.nack(1000, first, first).nack(1000, first).poll()).toHaveLength(1);
    rig.tell(rig.now + 29);
    expect(rig.nack(1000, first).poll()).toEqual([]);
    expect(rig.counted()).toEqual({ retransmissionsRepeated: 3 });
    rig.tell(rig.now + 1);
    expect(rig.nack(1000, first).poll()).toHaveLength(1);
  });

  test('from the fourth time on waits twice as long, and no longer', () => {
    const rig = new SendingRig([video()]); // its path takes 40 ms
    const [number = 0] = sent(rig, 1);
    const start = rig.now;
    const times: number[] = [];
    for (; rig.now < start + 300; rig.tell(rig.now + 1)) {
      if (rig.nack(1000, number).poll().length > 0) times.push(rig.now - start);
    }
    expect(times).toEqual([0, 30, 60, 120, 180, 240]);
  });

  test('hears most of the ten times that a receiver asks, a round trip apart, though its path is a little quicker at times', () => {
    const rig = new SendingRig([video()]); // its path takes 40 ms
    const [number = 0] = sent(rig, 1);
    let heard = 0;
    for (let count = 0; count < 10; count++) {
      heard += rig.nack(1000, number).poll().length;
      rig.tell(rig.now + (count % 2 === 0 ? 35 : 45));
    }
    expect(heard).toBeGreaterThanOrEqual(6);
  });

  test('NACKs of one moment get one packet, however short the path', () => {
    const rig = new SendingRig([video()]);
    rig.sending.setPath({ ...PATH, roundTripTime: 0 });
    rig.write({});
    const [packet] = rig.poll();
    const number = packet?.sequenceNumber ?? 0;
    expect(rig.nack(1000, number).poll()).toHaveLength(1);
    expect(rig.nack(1000, number, number).poll()).toEqual([]);
    expect(rig.tell(9).nack(1000, number).poll()).toEqual([]);
    expect(rig.tell(10).nack(1000, number).poll()).toHaveLength(1);
  });

  test('a delayed NACK is honoured for as long as the history lasts', () => {
    const rig = new SendingRig([video()]);
    const [first = 0] = sent(rig, 1);
    rig.tell(1999);
    expect(rig.nack(1000, first).poll()).toHaveLength(1);
    rig.tell(2000);
    expect(rig.nack(1000, first).poll()).toEqual([]);
    expect(rig.counted()).toEqual({ retransmissionsUnknown: 1 });
  });

  test('numbers are those of before a wrap', () => {
    const rig = new SendingRig([video()]);
    for (const sequence of [65_534, 65_535, 65_536]) rig.write({ sequence });
    rig.poll();
    expect(rig.nack(1000, 65_535, 0).poll().map(original)).toEqual([65_535, 0]);
  });

  test('a history of 0 packets disables it', () => {
    const rig = new SendingRig([video()], { historyPackets: 0 });
    const [first = 0] = sent(rig, 3);
    expect(rig.nack(1000, first).poll()).toEqual([]);
    expect(rig.sending.nextTimeout()).toBe(Infinity);
  });

  test('codecs without nack get none', () => {
    const rig = new SendingRig([audio()]);
    rig.write({}, 1);
    const [packet] = rig.poll();
    expect(rig.nack(3000, packet?.sequenceNumber ?? 0).poll()).toEqual([]);
  });

  test('audio that agreed on nack is sent again, in the paced class', () => {
    const rig = new SendingRig([audio({ codecs: [{ ...OPUS, rtcpFeedback: ['nack'] }] })]);
    rig.write({}, 1);
    const [packet] = rig.poll();
    rig.nack(3000, packet?.sequenceNumber ?? 0);
    expect(rig.pollOne('audio')).toEqual([]);
    expect(rig.pollOne('paced')).toHaveLength(1);
  });

  test('what is sent again goes before video that waits', () => {
    const rig = new SendingRig([video()]);
    const [first = 0] = sent(rig, 1);
    rig.write({});
    expect(
      rig
        .nack(1000, first)
        .poll()
        .map(({ ssrc }) => ssrc),
    ).toEqual([2000, 1000]);
  });

  test('what waits to be sent again is dropped with the rest, when nothing takes it', () => {
    const rig = new SendingRig([video()]);
    const [first = 0] = sent(rig, 1);
    rig.sending.setPath({ ...PATH, writable: false });
    rig.nack(1000, first).tell(rig.now + 2500);
    rig.sending.setPath(PATH);
    expect(rig.poll()).toEqual([]);
    expect(rig.counted()).toEqual({ retransmissionsDropped: 1 });
    expect(rig.sending.invariantViolation()).toBeUndefined();
  });

  test('stats count what was asked for, and what was sent again', () => {
    const rig = new SendingRig([video()]);
    const numbers = sent(rig, 4);
    rig
      .nack(1000, numbers[0] ?? 0, numbers[1] ?? 0)
      .nack(1000, numbers[2] ?? 0)
      .poll();
    expect(rig.sending.stats()[0]).toMatchObject({
      nackCount: 2,
      packetsSent: 7,
      bytesSent: 700,
      retransmittedPacketsSent: 3,
      retransmittedBytesSent: 300,
    });
    // RFC 3550 §6.4.1 counts the source alone.
    expect(rig.sending.senderReports(rig.now)).toMatchObject([
      { ssrc: 1000, packetCount: 4, octetCount: 400 },
    ]);
  });
});

describe('a storm of NACKs', () => {
  test('gets no more than the share and the burst', () => {
    const rig = new SendingRig([video()], { retransmissionBurst: 10_000 });
    let first = 0;
    let again = 0;
    const numbers: number[] = [];
    for (let i = 0; i < 1000; i++) {
      rig.write({ payload: payload(i, 1000) });
      for (const packet of rig.poll()) {
        if (packet.ssrc === 1000) numbers.push(packet.sequenceNumber);
        if (packet.ssrc === 1000) first += packet.payload.length;
        else again += packet.payload.length - 2;
      }
      rig.tell(rig.now + 5);
      rig.nack(1000, ...numbers.slice(-200));
    }
    // The burst, a quarter of what was sent, and a quarter of what the history may hold (400 packets of 2 s).
    expect(again).toBeLessThanOrEqual(10_000 + 0.25 * first + 0.25 * 400_000);
    expect(again).toBeGreaterThan(0.25 * first);
    expect(rig.sending.counters.get('retransmissionsOverShare')).toBeGreaterThan(10_000);
  });

  test.each([
    ['a flow without a stop', () => true],
    ['a flow that begins after a silence', (at: number) => at >= 5000],
    ['a flow that pauses, longer than the history lasts', (at: number) => at % 6000 < 3000],
    ['keyframes and little else', (at: number) => at % 3000 < 50],
  ])('in no stretch of time gets more than the burst and the share of what was just sent: %s', (_, flows) => {
    const TICK = 5;
    const HISTORY = 2000;
    const rig = new SendingRig([video()]);
    const random = new SeededRandom(7);
    const numbers: number[] = [];
    /** Bytes of payload up to each tick: sent for the first time, and again. */
    const first = [0];
    const again = [0];
    for (let tick = 0; tick < 2400; tick++) {
      for (let i = 0; flows(rig.now) && i < 3; i++)
        rig.write({ payload: payload(i, 20 + Math.floor(randomUnit(random) * 1300)), timestamp: rig.now });
      let [sentFirst, sentAgain] = [0, 0];
      // Twice: what is wanted now, and, at the same moment, what has just been sent.
      for (let round = 0; round < 2; round++) {
        for (const packet of rig.nack(1000, ...numbers).poll()) {
          if (packet.ssrc === 2000) sentAgain += packet.payload.length - 2;
          else {
            sentFirst += packet.payload.length;
            numbers.push(packet.sequenceNumber);
          }
        }
      }
      numbers.splice(0, numbers.length - 1200);
      first.push(first[tick]! + sentFirst);
      again.push(again[tick]! + sentAgain);
      rig.tell(rig.now + TICK);
    }
    let excess = -Infinity;
    for (let from = 0; from < again.length; from++) {
      const before = first[Math.max(0, from - HISTORY / TICK)]!;
      for (let to = from + 1; to < again.length; to++) {
        const allowed = 65_536 + 0.25 * (first[to]! - before);
        excess = Math.max(excess, again[to]! - again[from]! - allowed);
      }
    }
    expect(excess).toBeLessThanOrEqual(0);
    const [sentFirst, sentAgain] = [first.at(-1) ?? 0, again.at(-1) ?? 0];
    expect(sentAgain).toBeGreaterThan(0.2 * sentFirst);
    // Over all of the time the share is of what was sent, and the burst is given once.
    expect(sentAgain).toBeLessThanOrEqual(65_536 + 0.25 * sentFirst);
  });

  test('for packets never sent costs nothing but the look', () => {
    const rig = new SendingRig([video()]);
    sent(rig, 100);
    const all = Array.from({ length: 8192 }, (_, i) => (i * 7) & 0xffff);
    for (let i = 0; i < 50; i++) rig.nack(1000, ...all);
    expect(rig.poll().length).toBeLessThanOrEqual(100);
    expect(rig.sending.invariantViolation()).toBeUndefined();
  });
});

test('a receiver that asks on for what has come, as pion does, leaves the share to those packets that are missing', () => {
  const rig = new SendingRig([video()]);
  rig.sending.setPath({ ...PATH, roundTripTime: 1 });
  const random = new SeededRandom(3);
  const lost: number[] = [];
  const missing = new Set<number>();
  let resent = 0;
  for (let i = 0; i < 3000; i++) {
    rig.write({ payload: payload(i, 1100), timestamp: 3000 * i });
    if (i % 3 === 0) rig.nack(1000, ...lost.slice(-512));
    for (const packet of rig.poll()) {
      if (packet.ssrc === 2000) {
        resent++;
        missing.delete(original(packet) ?? 0);
      } else if (randomUnit(random) < 0.05) {
        lost.push(packet.sequenceNumber);
        missing.add(packet.sequenceNumber);
      }
    }
    rig.tell(rig.now + 33);
  }
  expect([...missing].filter((number) => !lost.slice(-5).includes(number))).toEqual([]);
  expect(lost.length).toBeGreaterThan(100);
  // Of twenty NACKs within the time of the history.
  expect(resent / lost.length).toBeLessThanOrEqual(8);
});

test('5 % of loss over ten virtual minutes: all that NACK had time for is mended', () => {
  const rig = new SendingRig([video()]);
  let state = 12_345;
  const isLost = (): boolean => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) < 0.05 * 2 ** 32;
  const missing = new Map<number, number>();
  let failed = 0;
  for (let i = 0; i < 60_000; i++) {
    rig.write({ payload: payload(i, 4), sequence: 100_000 + i });
    for (const packet of rig.poll()) {
      const number = packet.ssrc === 2000 ? (original(packet) ?? 0) : packet.sequenceNumber;
      if (isLost()) missing.set(number, missing.get(number) ?? rig.now);
      else missing.delete(number);
    }
    rig.tell(rig.now + 10);
    // The peer asks again every 50 ms.
    if (i % 5 === 0 && missing.size > 0) rig.nack(1000, ...missing.keys());
    for (const [number, since] of missing) {
      if (rig.now - since < 1900) continue;
      failed++;
      missing.delete(number);
    }
  }
  expect(failed).toBe(0);
});

test('whatever is written, wanted and told: invariants hold, and nothing is sent twice under one number', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), media: fc.nat(1), length: fc.nat(1400) }),
    fc.record({ do: fc.constant('poll' as const), count: fc.nat(5) }),
    fc.record({
      do: fc.constant('nack' as const),
      behind: fc.array(fc.integer({ min: -5, max: 40 }), { maxLength: 20 }),
    }),
    fc.record({ do: fc.constant('time' as const), after: fc.oneof(fc.nat(50), fc.nat(2500)) }),
    fc.record({
      do: fc.constant('path' as const),
      writable: fc.boolean(),
      largestDatagram: fc.constantFrom(1472, 800),
    }),
    fc.record({
      do: fc.constant('media' as const),
      mid: fc.constantFrom('a', 'b'),
      hasRtx: fc.boolean(),
      isThere: fc.boolean(),
    }),
    fc.record({ do: fc.constant('tones' as const) }),
    fc.record({ do: fc.constant('pli' as const), ssrc: fc.constantFrom(1000, 2000, 3000, 9) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const rig = new SendingRig([video(), audio()], {
        maxQueuedPackets: 20,
        historyPackets: 30,
        historyBytes: 20_000,
      });
      const seen = new Map<string, Uint8Array>();
      let largest = 0;
      const poll = (count: number): void => {
        const into = new Uint8Array(2000);
        for (let i = 0; i < count; i++) {
          for (const urgency of ['audio', 'paced'] as const) {
            const length = rig.sending.pollPacket(urgency, into, 0, rig.now);
            if (length === 0) continue;
            expect(length).toBeLessThanOrEqual(rig.sending.largestPacket);
            const packet = Packet.view(into.slice(0, length));
            if (packet === undefined) throw new Error('no RTP packet');
            const key = `${packet.ssrc} ${packet.sequenceNumber}`;
            if (seen.has(key)) expect(packet.bytes).toEqual(seen.get(key));
            seen.set(key, packet.bytes);
            if (packet.ssrc === 1000) largest = packet.sequenceNumber;
          }
        }
      };
      for (const one of steps) {
        switch (one.do) {
          case 'write':
            rig.sending.sender(one.media)?.write({ payload: payload(1, one.length), timestamp: rig.now });
            break;
          case 'poll':
            poll(one.count);
            break;
          case 'nack':
            rig.nack(1000, ...one.behind.map((behind) => (largest - behind) & 0xffff));
            break;
          case 'time':
            rig.tell(rig.now + one.after);
            break;
          case 'path':
            rig.sending.setPath({ ...PATH, writable: one.writable, largestDatagram: one.largestDatagram });
            break;
          case 'media': {
            const codecs = [one.hasRtx ? VP8 : { ...VP8, rtxPayloadType: undefined }];
            rig.sending.setMedia(
              one.isThere ? [video({ mid: one.mid, codecs }), audio()] : [audio()],
              rig.now,
            );
            break;
          }
          case 'tones':
            rig.sending.sender(1)?.writeDtmf('1,2');
            break;
          case 'pli':
            rig.handle({ type: 'pli', senderSsrc: 1, mediaSsrc: one.ssrc });
        }
        expect(rig.sending.invariantViolation()).toBeUndefined();
        expect(rig.sending.nextTimeout()).toBeGreaterThan(rig.now);
        for (const stream of rig.sending.inspect().streams) {
          expect(stream).toMatchObject({ historyPackets: expect.toSatisfy((count: number) => count <= 30) });
        }
      }
      rig.sending.close();
      expect(rig.sending.invariantViolation()).toBeUndefined();
    }),
  );
});
