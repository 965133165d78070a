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
