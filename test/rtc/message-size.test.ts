/** a=max-message-size (RFC 8841 §6) of an offer and its answer. */
import { describe, expect, test } from 'vitest';
import { jsCrypto, Rtc, SeededRandom } from '../../src/index.ts';
import { certificates, channel, makeOpenPair } from './pair.ts';

function end(seed: number, maxMessageSize: number): Rtc {
  const [certificate] = certificates;
  return new Rtc({ certificate, crypto: jsCrypto(), random: new SeededRandom(seed), maxMessageSize });
}

function sizeIn(sdp: string): number {
  return Number(/^a=max-message-size:(\d+)\r$/m.exec(sdp)?.[1]);
}

function offerOf(maxMessageSize: number): string {
  const draft = end(1, maxMessageSize).negotiation();
  draft.addChannel('chat');
  return draft.offer().sdp;
}

describe('max-message-size', () => {
  test('an offer has ours', () => {
    expect(sizeIn(offerOf(5000))).toBe(5000);
  });

  test.each([
    [5000, 5000],
    [100_000, 100_000],
    [100_001, 100_000],
    [300_000, 100_000],
  ])('offered %d, an answer of an end that takes 100000 says %d', (offered, answered) => {
    const answer = end(2, 100_000).receiveOffer(offerOf(offered)).answer();
    expect(sizeIn(answer)).toBe(answered);
  });

  test('a later offer that says another size counts from then on', () => {
    const { offerer, answerer, net } = makeOpenPair();
    const takes = (): number | null => answerer.rtc.inspect().sctp.remoteMaxMessageSize;
    expect(takes()).toBe(262_144);
    const again = (size: string): void => {
      const offer = offerer.rtc.negotiation().offer();
      const sdp = offer.sdp.replace(/a=max-message-size:\d+\r\n/, size);
      offer.accept(answerer.rtc.receiveOffer(sdp).answer());
      net.advance(10);
    };
    again('a=max-message-size:1000\r\n');
    expect(takes()).toBe(1000);
    expect(channel(answerer).send(new Uint8Array(1001), { id: 1 })).toBe(false);
    again('');
    expect(takes()).toBe(65_536);
    again('a=max-message-size:0\r\n');
    expect(takes()).toBeNull();
  });
});
