import { describe, expect, it } from 'vitest';
import type { DataChannel } from '../../src/channel/index.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Endpoint } from '../../src/endpoint.ts';
import { Rtc } from '../../src/rtc.ts';
import type { LinkConditions } from '../../src/sim/index.ts';
import { Network } from '../../src/sim/index.ts';

const certificate = selfSignedCertificate({ random: new SeededRandom(1) });

/** An `Rtc` and an `Endpoint` with one `Rtc`, the former offering a channel. */
function rtcAndEndpoint(seed: number, conditions: LinkConditions) {
  const net = new Network({ seed, defaults: conditions });
  const random = new SeededRandom(seed);
  const offerer = new Rtc({ certificate, random: random.split('offerer') });
  const answerer = new Rtc({ certificate, random: random.split('answerer') });
  const endpoint = new Endpoint();
  endpoint.add(answerer);
  offerer.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 4000 });
  answerer.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.2', port: 4000 });
  const alice = net.host('192.0.2.1').attach(offerer, { name: 'alice', port: 4000 });
  const bob = net.host('192.0.2.2').attach(endpoint, { name: 'bob', port: 4000 });
  const draft = offerer.negotiation();
  const chat: DataChannel = draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(answerer.receiveOffer(offer.sdp).answer());
  return { net, alice, bob, chat, offerer };
}

describe('an Rtc and an Endpoint on a lossy path', () => {
  const lossy: LinkConditions = { latency: 15, jitter: 5, loss: 0.1, reorder: 0.05, duplicate: 0.05 };

  it('open a channel and pass a message, the same way twice', () => {
    const digests = [7, 7].map((seed) => {
      const { net, bob, chat, alice } = rtcAndEndpoint(seed, lossy);
      const opened = net.run({ until: () => alice.events.some(({ event }) => event.type === 'channelopen') });
      expect(opened.reason).toBe('condition');
      chat.send('hello');
      const said = net.run({
        until: () => bob.events.some(({ event }) => event.type === 'message' && event.data === 'hello'),
      });
      expect(said.reason).toBe('condition');
      return net.digest();
    });
    expect(digests[0]).toBe(digests[1]);
  });

  it('are silent once closed, in step with the contract', () => {
    const { net, alice, bob, offerer } = rtcAndEndpoint(3, lossy);
    net.run({ until: () => alice.events.some(({ event }) => event.type === 'channelopen') });
    offerer.close();
    expect(net.run({ limit: 120_000 }).reason).toBe('quiescent');
    expect(alice.closed).toBe(true);
    expect(bob.events.at(-1)?.event.type).toBe('closed');
  });
});
