/** Media over whole connections: two `Rtc` on a simulated network. */
import { describe, expect, test } from 'vitest';
import { rtpMedia } from '../../src/media/index.ts';
import type { RtcEvent } from '../../src/index.ts';
import { makeUnsignalledPair } from '../rtc/pair.ts';
import type { PairOptions, End } from '../rtc/pair.ts';

function pair(options: PairOptions = {}) {
  const made = makeUnsignalledPair({
    ...options,
    offerer: { media: rtpMedia(), ...options.offerer },
    answerer: { media: rtpMedia(), ...options.answerer },
  });
  const { offerer, answerer, net } = made;
  const draft = offerer.rtc.negotiation();
  const audio = draft.addMedia('audio', { direction: 'sendrecv' });
  const video = draft.addMedia('video', { direction: 'sendrecv' });
  const pending = draft.offer();
  const received = answerer.rtc.receiveOffer(pending.sdp);
  for (const media of received.media) media.direction = 'sendrecv';
  pending.accept(received.answer());
  return { ...made, audio, video, net };
}

const rtpOf = ({ events }: End) =>
  events.filter((event): event is RtcEvent & { type: 'rtp'; at: number } => event.type === 'rtp');

describe('a connection with media', () => {
  test('packets go both ways', () => {
    const { net, offerer, answerer, audio, video } = pair();
    net.advance(2000);
    expect(offerer.rtc.connectionState).toBe('connected');
    const sender = audio.sender();
    expect(sender?.isWritable).toBe(true);
    for (let i = 0; i < 10; i++) {
      net.after(20 * i, () => {
        expect(sender?.write({ payload: new Uint8Array(100).fill(i), timestamp: 960 * i })).toBe(true);
        expect(
          video.sender()?.write({ payload: new Uint8Array(1000).fill(i), timestamp: 90 * i, marker: true }),
        ).toBe(true);
      });
    }
    net.advance(10000);
    expect(rtpOf(answerer)).toHaveLength(20);
  });
});

describe('media that end before their connection', () => {
  test('say BYE at once, and the peer knows', () => {
    const { net, offerer, answerer, audio } = pair();
    net.advance(2000);
    audio.sender()?.write({ payload: Uint8Array.of(1), timestamp: 0 });
    net.advance(100);
    offerer.rtc.setMedia([]);
    net.advance(60);
    expect(answerer.events.filter(({ type }) => type === 'rtpstreamend')).toMatchObject([
      { failure: { code: 'stream-bye' } },
    ]);
    expect(offerer.rtc.connectionState).toBe('connected');
    const { counters } = answerer.rtc.inspect().streams ?? {};
    offerer.rtc.setMedia([]);
    net.advance(5000);
    expect(answerer.rtc.inspect().streams?.counters['unknownReports']).toBe(counters?.['unknownReports']);
  });

  test('and come back with the sources that they had', () => {
    const { net, offerer, answerer, audio } = pair();
    const direct = (direction: 'sendrecv' | 'recvonly'): void => {
      const draft = offerer.rtc.negotiation();
      draft.setDirection(audio, direction);
      const pending = draft.offer();
      pending.accept(answerer.rtc.receiveOffer(pending.sdp).answer());
      net.advance(100);
    };
    net.advance(2000);
    const heard = (): (readonly [number, number])[] =>
      rtpOf(answerer).map(({ stream, packet }) => [stream.ssrc, packet.sequenceNumber]);
    for (const [at, direction] of (['sendrecv', 'recvonly', 'sendrecv'] as const).entries()) {
      direct(direction);
      const isWritten = audio.sender()?.write({ payload: Uint8Array.of(at), timestamp: 960 * at });
      expect(isWritten).toBe(direction === 'sendrecv');
      net.advance(100);
    }
    const [first = [0, 0]] = heard();
    expect(heard()).toEqual([first, [first[0], first[1] + 1]]);
  });
});

test('what a browser sends is forwarded where datagrams stay at `mtu`: 1200 bytes of RTP, and SRTP', () => {
  const { net, answerer, video, audio } = pair({ offerer: { pathMtu: false }, answerer: { pathMtu: false } });
  net.advance(2000);
  const payload = new Uint8Array(1200 - 12);
  expect(video.sender()?.write({ payload, timestamp: 0 })).toBe(true);
  expect(audio.sender()?.write({ payload, timestamp: 0 })).toBe(true);
  net.advance(100);
  expect(rtpOf(answerer).map(({ packet }) => packet.payload.length)).toEqual([1188, 1188]);
});
