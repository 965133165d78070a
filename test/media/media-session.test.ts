/** The media of one end as a whole: what comes by RTCP reaches what it is about, and what leaves says so in a compound packet. */
import { describe, expect, test } from 'vitest';
import { Clock } from '../../src/core/clock.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { MediaParameters, MediaStreamEvent, MediaUser } from '../../src/media/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import type { RtcpPacket } from '../../src/rtp/index.ts';
import { RtpPacket, readRtcp, rtcpLength, writeRtcp } from '../../src/rtp/index.ts';
import { OPUS, PATH, VP8, audio, payload, video } from './send/sent.ts';

/** One end with its path, and all that it says. */
class End {
  readonly session: MediaUser;
  readonly rtp: RtpPacket[] = [];
  /** Of each datagram. */
  readonly rtcp: (readonly RtcpPacket[])[] = [];
  readonly events: MediaStreamEvent[] = [];
  readonly #clock = new Clock(true, 0);

  constructor(media: readonly MediaParameters[]) {
    const onActivity = (): void => undefined;
    const random = new SeededRandom(5);
    this.session = rtpMedia().create({ clock: this.#clock, random, mtu: 1200, cname: 'end', onActivity });
    this.#clock.advance(0, this.session);
    this.session.setMedia(media, 0);
    this.session.handlePath({ ...PATH, srtpOverhead: { rtp: 16, rtcp: 20 } }, 0);
  }

  write(mediaId: number): this {
    expect(this.session.sender(mediaId)?.write({ payload: payload(1), timestamp: 0 })).toBe(true);
    return this.drain();
  }

  setMedia(media: readonly MediaParameters[]): this {
    this.session.setMedia(media, this.#clock.now);
    return this.drain();
  }

  hear(packet: RtcpPacket): this {
    const bytes = new Uint8Array(rtcpLength(packet));
    writeRtcp(packet, bytes, 0);
    this.session.handlePacket('rtcp', bytes, this.#clock.now);
    return this.drain();
  }

  /** Lets time go by. */
  wait(milliseconds: number): this {
    const end = this.#clock.now + milliseconds;
    for (let next = this.session.nextTimeout(); next <= end; next = this.session.nextTimeout()) {
      this.#clock.advance(next, this.session);
      this.session.handleTimeout(next);
      this.drain();
    }
    this.#clock.advance(end, this.session);
    return this;
  }

  drain(): this {
    for (const source of this.session.sources) {
      const into = new Uint8Array(source.largestPacket);
      for (;;) {
        const length = source.pollPacket(into, 0, this.#clock.now);
        if (length === 0) break;
        const packet = into.slice(0, length);
        if (source.kind === 'rtcp') this.rtcp.push(readRtcp(packet).packets);
        else this.rtp.push(RtpPacket.view(packet) ?? expect.fail('no RTP packet'));
      }
    }
    for (let event = this.session.pollEvent(); event !== undefined; event = this.session.pollEvent())
      this.events.push(event);
    expect(this.session.invariantViolation()).toBeUndefined();
    return this;
  }
}

describe('feedback on what was sent', () => {
  test('by source (RFC 8888) is told as results, and counted', () => {
    const codecs = [{ ...VP8, rtcpFeedback: ['nack', 'ack ccfb'] }];
    const end = new End([video({ codecs, headerExtensions: [] })]).write(0).write(0);
    const packets = [{ ecn: 0, arrivedBefore: 0 }, null];
    const firstSequenceNumber = end.rtp[0]?.sequenceNumber ?? 0;
    end.hear({
      type: 'congestion-feedback',
      senderSsrc: 9,
      reportTimestamp: 65_536,
      streams: [{ ssrc: 1000, firstSequenceNumber, packets }],
    });
    expect(end.events).toMatchObject([
      { type: 'packetresults', results: [{ arrivedAt: 1000 }, { arrivedAt: undefined }] },
    ]);
    expect(end.session.inspect().counters).toMatchObject({
      congestionFeedbacks: 1,
      transportFeedbacks: 0,
      unknownFeedbackPackets: 0,
    });
  });
});

describe('BYE of one media', () => {
  const both = [video(), audio({ codecs: [OPUS] })];

  test('goes at once, behind a report and a CNAME (RFC 3550 §6.1), and once', () => {
    const end = new End(both).write(0).write(1);
    end.setMedia([audio({ codecs: [OPUS] })]).setMedia([audio({ codecs: [OPUS] })]);
    expect(end.rtcp).toMatchObject([
      [{ type: 'receiver-report' }, { type: 'source-description' }, { type: 'bye', ssrcs: [1000] }],
    ]);
  });

  test('is the last that its source says; the others go on with their reports', () => {
    const end = new End(both).write(0).write(1);
    end.setMedia([video({ direction: 'inactive' }), audio({ codecs: [OPUS] })]).wait(10_000);
    const reports = end.rtcp.flat().filter(({ type }) => type === 'sender-report');
    expect(reports).toMatchObject([{ ssrc: 3000 }]);
  });

  test('of what never sent anything is not said (§6.3.7)', () => {
    expect(new End(both).setMedia([]).rtcp).toEqual([]);
  });
});
