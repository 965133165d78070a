/** a=max-message-size (RFC 8841 §6) of an offer and its answer. */
import { describe, expect, test } from 'vitest';
import { jsCrypto, Rtc, SeededRandom } from '../../src/index.ts';
import { certificates } from './pair.ts';

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
});
