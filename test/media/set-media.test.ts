/** `Rtc.setMedia` outside of a drain: what ends by it is told without waiting for anything else. */
import { expect, test } from 'vitest';
import { rtpMedia } from '../../src/media/index.ts';
import { makeUnsignalledPair } from '../rtc/pair.ts';

test('streams that are agreed on no longer end at once', () => {
  const media = rtpMedia();
  const { net, offerer, answerer } = makeUnsignalledPair({ offerer: { media }, answerer: { media } });
  const draft = offerer.rtc.negotiation();
  const voice = draft.addMedia('audio', { direction: 'sendonly' });
  const offer = draft.offer();
  const received = answerer.rtc.receiveOffer(offer.sdp);
  for (const section of received.media) section.direction = 'recvonly';
  offer.accept(received.answer());
  net.advance(2000);
  voice.sender()?.write({ payload: Uint8Array.of(1), timestamp: 0 });
  net.advance(100);
  expect(answerer.events.some(({ type }) => type === 'rtpstreamstart')).toBe(true);
  answerer.rtc.setMedia([]);
  expect(answerer.rtc.invariantViolation()).toBeUndefined();
  net.advance(5);
  expect(answerer.events.at(-1)).toMatchObject({
    type: 'rtpstreamend',
    failure: { code: 'stream-not-agreed' },
  });
});
