/**
 * The media of a connection and a peer that is authentic and means harm: whatever RTP and RTCP it sends, nothing throws, nothing grows,
 * each drop is counted, and what is answered is in proportion.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { Clock } from '../../src/core/clock.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { MediaParameters, MediaUser } from '../../src/media/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import type { RtcpPacket } from '../../src/rtp/index.ts';
import { rtcpLength, writeRtcp } from '../../src/rtp/index.ts';
import { AUDIO, VIDEO, rtp } from './receive/rig.ts';

function bothWays(media: MediaParameters): MediaParameters {
  const { codecs, headerExtensions, encodings, reducedSizeRtcp } = media.receive;
  return { ...media, direction: 'sendrecv', send: { codecs, headerExtensions, encodings, reducedSizeRtcp } };
}

/** The media of one end, with a sender of each that has sent a packet. */
class Victim {
  now = 1000;
  readonly session: MediaUser;
  readonly ssrcs: readonly number[];
  readonly #clock = new Clock(true, 0);
  readonly #workspace = new Uint8Array(2000);

  constructor() {
    this.session = rtpMedia().create({
      clock: this.#clock,
      random: new SeededRandom(5),
      mtu: 1200,
      cname: 'victim',
      onActivity: () => undefined,
    });
    this.#clock.advance(this.now, this.session);
    this.session.setMedia([bothWays(AUDIO), bothWays(VIDEO)], this.now);
    this.session.handlePath(
      {
        writable: true,
        largestDatagram: 1200,
        overhead: 37,
        srtpOverhead: { rtp: 16, rtcp: 20 },
        roundTripTime: 20,
        generation: 1,
      },
      this.now,
    );
    const senders = [AUDIO, VIDEO].map(({ id }) => this.session.sender(id));
    for (const sender of senders) sender?.write({ payload: new Uint8Array(100), timestamp: 0 });
    this.ssrcs = senders.map((sender) => sender?.ssrc ?? 0);
    this.drain();
  }

  take(kind: 'rtp' | 'rtcp', packet: Bytes): void {
    this.#clock.advance(this.now, this.session);
    this.session.handlePacket(kind, packet, this.now);
    expect(this.session.invariantViolation()).toBeUndefined();
  }

  hear(packet: RtcpPacket): void {
    this.take('rtcp', written(packet));
  }

  /** Lets time go by. @returns bytes sent */
  wait(milliseconds: number): number {
    let sent = 0;
    for (const end = this.now + milliseconds; ;) {
      const next = this.session.nextTimeout();
      if (next > end) {
        this.now = end;
        return sent;
      }
      this.now = next;
      this.#clock.advance(this.now, this.session);
      this.session.handleTimeout(this.now);
      sent += this.drain();
    }
  }

  /** Takes all that is said. @returns bytes sent */
  drain(): number {
    let sent = 0;
    while (this.session.pollEvent() !== undefined);
    for (const source of this.session.sources) {
      for (let length = 1; length > 0; sent += length) {
        length = source.pollPacket(this.#workspace, 20, this.#clock.now);
      }
    }
    while (this.session.pollEvent() !== undefined);
    return sent;
  }

  counted(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.session.inspect().counters).filter(([, count]) => count > 0),
    );
  }
}

function written(packet: RtcpPacket): Bytes {
  const bytes = new Uint8Array(rtcpLength(packet));
  writeRtcp(packet, bytes, 0);
  return bytes;
}

const PLENTY = 3000;

describe('RTCP of a peer that means harm', () => {
  test('compounds that end early, of another version, of nothing: counted', () => {
    const victim = new Victim();
    const report = written({ type: 'receiver-report', ssrc: 1, reports: [] });
    for (const bytes of [
      report.subarray(0, 7),
      Uint8Array.of(...report, 0x80, 201, 0, 9),
      new Uint8Array(0),
      new Uint8Array(8),
    ]) {
      victim.take('rtcp', new Uint8Array(bytes));
    }
    expect(victim.counted()['malformedRtcp']).toBeGreaterThanOrEqual(3);
    expect(victim.drain()).toBe(0);
  });

  test('a storm of NACK for packets that were never sent is not answered', () => {
    const victim = new Victim();
    const sequenceNumbers = Array.from({ length: 200 }, (_, index) => 17 * index);
    for (let count = 0; count < PLENTY; count++) {
      for (const mediaSsrc of [...victim.ssrcs, 99]) {
        victim.hear({ type: 'nack', senderSsrc: 1, mediaSsrc, sequenceNumbers });
      }
    }
    // What it has really sent, once or so each.
    expect(victim.drain() + victim.wait(0)).toBeLessThan(1000);
    expect(victim.counted()['rtcpReceived']).toBe(3 * PLENTY);
  });

  test('requests for keyframes, estimates and reports in floods leave a bounded number of events', () => {
    const victim = new Victim();
    const [, ssrc = 0] = victim.ssrcs;
    for (let count = 0; count < PLENTY; count++) {
      victim.hear({ type: 'pli', senderSsrc: 1, mediaSsrc: ssrc });
      victim.hear({ type: 'fir', senderSsrc: 1, entries: [{ ssrc, sequenceNumber: count & 0xff }] });
      victim.hear({ type: 'remb', senderSsrc: 1, bitrate: 1000 * count, ssrcs: [count] });
      victim.hear({ type: 'app', ssrc: count, subtype: 1, name: 'HARM', data: new Uint8Array(4) });
    }
    expect(victim.session.queuedEvents).toBeLessThanOrEqual(2048);
    expect(victim.counted()['unqueuedEvents']).toBeGreaterThan(0);
    expect(victim.drain()).toBe(0);
  });

  test('packets of applications that nobody takes are bounded by their bytes, too', () => {
    const victim = new Victim();
    const data = new Uint8Array(60_000);
    for (let ssrc = 0; ssrc < 200; ssrc++) {
      victim.hear({ type: 'app', ssrc, subtype: 1, name: 'HARM', data });
    }
    expect(victim.session.queuedEvents).toBe(Math.ceil(4_194_304 / 60_000));
    expect(victim.counted()['unqueuedEvents']).toBe(200 - victim.session.queuedEvents);
    victim.drain();
    victim.hear({ type: 'app', ssrc: 1, subtype: 1, name: 'HARM', data });
    expect(victim.session.queuedEvents).toBe(1);
  });

  test('65,535 receivers that want to know their round trip are a bounded answer', () => {
    const victim = new Victim();
    for (let ssrc = 1; ssrc <= 65_535; ssrc++) {
      const blocks = [{ type: 'receiver-reference-time' as const, ntpSeconds: ssrc, ntpFraction: 0 }];
      victim.session.handlePacket('rtcp', written({ type: 'extended-report', ssrc, blocks }), victim.now);
    }
    expect(victim.counted()['referenceTimesDropped']).toBe(65_535 - 32);
    expect(victim.wait(10_000)).toBeLessThan(10_000);
  });

  test('feedback on packets that were never sent, and reports on sources of nobody, say nothing', () => {
    const victim = new Victim();
    for (let count = 0; count < PLENTY; count++) {
      victim.hear({
        type: 'transport-feedback',
        senderSsrc: 1,
        mediaSsrc: 2,
        baseSequenceNumber: (977 * count) & 0xffff,
        referenceTime: count,
        feedbackCount: count & 0xff,
        deltas: Array.from({ length: 100 }, () => 4),
      });
      victim.hear({ type: 'bye', ssrcs: [count, count + 1] });
    }
    expect(victim.session.queuedEvents).toBeLessThanOrEqual(2048);
    expect(victim.counted()['unknownReports']).toBe(2 * PLENTY);
    expect(victim.drain()).toBe(0);
  });

  test('whatever bytes come as RTP or RTCP, in whatever order with time and drains: no throw, and the invariants hold', () => {
    const [audio, video] = new Victim().ssrcs;
    const seeds = [
      written({ type: 'nack', senderSsrc: 1, mediaSsrc: video ?? 0, sequenceNumbers: [1, 2, 40] }),
      written({ type: 'fir', senderSsrc: 1, entries: [{ ssrc: video ?? 0, sequenceNumber: 1 }] }),
      written({ type: 'bye', ssrcs: [5, audio ?? 0] }),
      rtp({ ssrc: 5, mid: '1', sequence: 1 }),
      rtp({ ssrc: 50, mid: '1', payloadType: 97, sequence: 1, repairs: 2 }),
    ];
    const step = fc.record({
      kind: fc.constantFrom('rtp' as const, 'rtcp' as const),
      bytes: fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...seeds)),
      flips: fc.array(fc.nat(500), { maxLength: 3 }),
      after: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(40_000)),
      isDrained: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const victim = new Victim();
        for (const { kind, bytes, flips, after, isDrained } of steps) {
          const packet = new Uint8Array(bytes);
          for (const flip of flips) if (packet.length > 0) packet[flip % packet.length]! ^= 1 << (flip % 8);
          victim.take(kind, packet);
          if (isDrained) victim.drain();
          victim.wait(after);
        }
        victim.session.close({ layer: 'rtc', code: 'local-close', message: 'over' }, victim.now);
        victim.drain();
        expect(victim.session.nextTimeout()).toBe(Infinity);
        expect(victim.session.invariantViolation()).toBeUndefined();
      }),
    );
  });
});

describe('RTP of a peer that means harm', () => {
  test('holes in every packet are asked for within a bound', () => {
    const victim = new Victim();
    let received = 0;
    let sent = 0;
    for (let sequence = 0; sequence < PLENTY; sequence++) {
      const packet = rtp({ ssrc: 5, mid: '1', sequence: 2 * sequence });
      received += packet.length;
      victim.take('rtp', packet);
      sent += victim.wait(5);
    }
    sent += victim.wait(10_000);
    // Each packet that is missing is asked for ten times at the most, many at once.
    expect(sent).toBeLessThan(4 * received);
    expect(victim.counted()).toMatchObject({ unrecoveredPackets: PLENTY - 1 });
  });

  test('what comes from 65,535 sources is counted and leaves nothing', () => {
    const victim = new Victim();
    for (let ssrc = 1; ssrc <= 65_535; ssrc++) {
      victim.session.handlePacket('rtp', rtp({ ssrc, payloadType: 34 }), victim.now);
    }
    expect(victim.counted()['unknownSources']).toBe(65_535);
    expect(victim.drain()).toBe(0);
    expect(victim.session.stats('T', victim.now).filter(({ type }) => type === 'inbound-rtp')).toEqual([]);
  });
});
