/** Two lite ends: nobody checks, each takes the best pair (RFC 8445 §6.1.1, §8.2.2), or a gate ends it. */
import { describe, expect, it } from 'vitest';
import type { IceCandidate, RtcEvent } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import { Network } from '../../src/sim/index.ts';
import { certificates } from './pair.ts';

interface LiteEnd {
  readonly rtc: Rtc;
  readonly events: RtcEvent[];
  readonly candidate: IceCandidate;
}

function stage(): { net: Network; end: (index: 0 | 1, behindEndpoint: boolean) => LiteEnd } {
  const net = new Network({
    seed: 1,
    defaults: { latency: 20 },
    record: { datagrams: false, events: false },
  });
  return {
    net,
    end: (index, behindEndpoint) => {
      const address = `198.51.100.${index + 1}`;
      const rtc = new Rtc({
        certificate: certificates[index],
        random: new SeededRandom(index),
        iceLite: true,
      });
      const candidate = rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
      const events: RtcEvent[] = [];
      const options = { port: 5000, onEvent: ({ event }: { event: RtcEvent }) => events.push(event) };
      if (behindEndpoint) {
        const endpoint = new Endpoint();
        endpoint.add(rtc);
        net.host(address).attach(endpoint, options);
      } else {
        net.host(address).attach(rtc, options);
      }
      return { rtc, events, candidate };
    },
  };
}

/** Candidates out of a description, as if they were to be trickled. */
const withoutCandidates = (sdp: string): string => sdp.replace(/a=(candidate|end-of-candidates).*\r\n/g, '');

describe('B4: two lite ends', () => {
  it.each([
    ['bare', false, 'active'],
    ['bare', false, 'passive'],
    ['behind endpoints', true, 'active'],
    ['behind endpoints', true, 'passive'],
  ] as const)('B4: %s: they connect (endpoint %s, the answerer is %s)', (_, behindEndpoint, setup) => {
    const { net, end } = stage();
    const [a, b] = [end(0, behindEndpoint), end(1, behindEndpoint)];
    const draft = a.rtc.negotiation();
    const channel = draft.addChannel('x');
    const offer = draft.offer();
    const answer = b.rtc
      .receiveOffer(offer.sdp.replace('actpass', setup === 'active' ? 'passive' : 'active'))
      .answer();
    offer.accept(answer);
    net.run({ until: () => channel.readyState === 'open', limit: 3000 });
    expect(channel.readyState).toBe('open');
    expect([a, b].map(({ rtc }) => rtc.inspect().ice.role)).toEqual(['controlling', 'controlled']);
    net.advance(120_000);
    expect(a.rtc.connectionState).toBe('connected');
  });

  it('B4: a candidate trickled after the start connects them', () => {
    const { net, end } = stage();
    const [a, b] = [end(0, false), end(1, false)];
    const draft = a.rtc.negotiation();
    const channel = draft.addChannel('x');
    const offer = draft.offer();
    const answer = b.rtc.receiveOffer(withoutCandidates(offer.sdp)).answer();
    offer.accept(withoutCandidates(answer));
    net.advance(1000);
    a.rtc.addRemoteCandidate(b.candidate);
    net.advance(1000);
    b.rtc.addRemoteCandidate(a.candidate);
    net.run({ until: () => channel.readyState === 'open', limit: 6000 });
    expect(channel.readyState).toBe('open');
  });

  it.each([
    ['no candidate at all', undefined, 'connect-timeout'],
    ['an address where nobody is', '198.51.100.99', 'no-response'],
    ['an address of the other family', '2001:db8::1', 'connect-timeout'],
  ])('B4: %s: a gate ends it', (_, address, code) => {
    const { net, end } = stage();
    const a = end(0, false);
    const b = end(1, false);
    const offer = a.rtc.negotiation().offer();
    const answer = b.rtc.receiveOffer(withoutCandidates(offer.sdp)).answer();
    offer.accept(withoutCandidates(answer));
    net.advance(100);
    if (address !== undefined) a.rtc.addRemoteCandidate({ ...b.candidate, address });
    expect(a.rtc.inspect().timeout.at).not.toBe(null);
    net.advance(40_000);
    const closed = a.events.find(({ type }) => type === 'closed');
    expect(closed).toMatchObject({ reason: { code: expect.stringMatching(`^(${code}|no-client-hello)$`) } });
  });
});
