/** A4: a connection that was made and never started ends by itself (the gate `signaling`). */
import { describe, expect, it } from 'vitest';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import type { EndpointOutput, RtcOptions } from '../../src/index.ts';
import type { Output, RtcEvent } from '../../src/rtc.ts';
import { certificates } from './pair.ts';

function make(options: Partial<RtcOptions> = {}, seed = 1): Rtc {
  const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(seed), ...options });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 9 });
  return rtc;
}

/** Feeds the time and drains. @returns the events, and the timeout that ended the drain */
function at(rtc: Rtc, now: number): { events: RtcEvent[]; timeout: Extract<Output, { type: 'timeout' }> } {
  rtc.handleInput({ type: 'timeout', now });
  const events: RtcEvent[] = [];
  for (;;) {
    const output = rtc.pollOutput();
    if (output.type === 'event') events.push(output.event);
    if (output.type === 'timeout') return { events, timeout: output };
  }
}

function drainEndpoint(endpoint: Endpoint, now: number): EndpointOutput[] {
  endpoint.handleInput({ type: 'timeout', now });
  const outputs: EndpointOutput[] = [];
  for (;;) {
    const output = endpoint.pollOutput();
    outputs.push(output);
    if (output.type === 'timeout') return outputs;
  }
}

describe('the gate signaling', () => {
  it('A4: counts from the first input and ends the connection with its reason', () => {
    const rtc = make();
    expect(at(rtc, 5000).timeout).toEqual({ type: 'timeout', at: 125_000, reason: 'rtc.signaling' });
    expect(at(rtc, 124_999).events).toEqual([]);
    const { events, timeout } = at(rtc, 125_000);
    expect(events.at(-1)).toMatchObject({
      type: 'closed',
      reason: { layer: 'rtc', code: 'signaling-timeout', gate: 'signaling', elapsed: 120_000 },
    });
    expect(timeout.at).toBe(Infinity);
    expect(rtc.isEmpty).toBe(true);
  });

  it('A4: an offer that is refused leaves the gate armed, an answer disarms it', () => {
    const rtc = make();
    at(rtc, 0);
    expect(() => rtc.receiveOffer('v=0')).toThrow(expect.objectContaining({ code: 'ERR_SDP' }));
    expect(at(rtc, 1000).timeout.reason).toBe('rtc.signaling');
    const peer = make({}, 2);
    const offer = peer.negotiation().offer();
    rtc.receiveOffer(offer.sdp).answer();
    expect(at(rtc, 1001).timeout.reason).not.toBe('rtc.signaling');
    expect(at(rtc, 1001).timeout.at).toBeLessThan(2000);
  });

  it('A4: start() disarms it, however long after the last input it was called', () => {
    const rtc = make();
    const peer = make({}, 2);
    at(rtc, 0);
    const { ice, fingerprints } = peer.localParameters;
    rtc.start({ ice, fingerprints, iceRole: 'controlling', dtlsRole: 'client' });
    expect(at(rtc, 500_000).events.some(({ type }) => type === 'closed')).toBe(false);
  });

  it('A4: an offer of ours begins it anew, from the next time that is known', () => {
    const rtc = make();
    at(rtc, 0);
    at(rtc, 100_000);
    const offer = rtc.negotiation().offer();
    expect(at(rtc, 119_000).timeout).toMatchObject({ at: 239_000, reason: 'rtc.signaling' });
    expect(at(rtc, 239_000).events.at(-1)).toMatchObject({ type: 'closed' });
    expect(rtc.signalingState).toBe('closed');
    expect(() => offer.accept('v=0')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });

  it('A4: an applied offer of the peer’s begins it anew; whoever has it has time to answer', () => {
    const rtc = make();
    const peer = make({}, 2);
    at(rtc, 0);
    at(rtc, 100_000);
    const received = rtc.receiveOffer(peer.negotiation().offer().sdp);
    received.apply();
    expect(at(rtc, 119_000).timeout).toMatchObject({ at: 239_000, reason: 'rtc.signaling' });
    expect(at(rtc, 239_000).events.at(-1)).toMatchObject({ type: 'closed' });
    expect(() => received.answer()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });

  it('A4: provisional answers end the wait at both ends: from then on ICE has its own gate', () => {
    const [rtc, peer] = [make(), make({}, 2)];
    for (const end of [rtc, peer]) at(end, 0);
    const pending = rtc.negotiation().offer();
    pending.acceptProvisional(peer.receiveOffer(pending.sdp).provisionalAnswer());
    for (const end of [rtc, peer]) {
      at(end, 1000);
      expect(at(end, 1001).timeout.reason).toMatch(/^ice\./);
      expect(end.inspect().gates).toEqual({});
      const heard: RtcEvent[] = [];
      for (let now = 2000; now < 60_000; now += 2000) heard.push(...at(end, now).events);
      expect(heard.at(-1)).toMatchObject({ type: 'closed', reason: { gate: 'iceConnect' } });
    }
  });

  it('A4: an offer made within a drain counts from that time', () => {
    const rtc = make();
    at(rtc, 0);
    rtc.handleInput({ type: 'timeout', now: 60_000 });
    rtc.negotiation().offer();
    let output = rtc.pollOutput();
    while (output.type !== 'timeout') output = rtc.pollOutput();
    expect(output).toMatchObject({ at: 180_000, reason: 'rtc.signaling' });
  });

  it('A4: an answer after its end is refused, and so is answering', () => {
    const rtc = make({ signalingTimeout: 1000 });
    const received = rtc.receiveOffer(make({}, 2).negotiation().offer().sdp);
    at(rtc, 0);
    at(rtc, 1000);
    expect(() => received.answer()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });

  it.each([0, -1, NaN])('A4: signalingTimeout %s is ERR_BAD_ARGUMENT', (signalingTimeout) => {
    expect(() => make({ signalingTimeout })).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });

  it('A4: Infinity waits for ever', () => {
    const rtc = make({ signalingTimeout: Infinity });
    expect(at(rtc, 0).timeout).toMatchObject({ at: Infinity, reason: 'idle' });
    expect(at(rtc, 1e9).events).toEqual([]);
  });
});

describe('an endpoint', () => {
  it('A4: nothing is left of connections whose offer was refused, closed or forgotten', () => {
    const endpoint = new Endpoint();
    drainEndpoint(endpoint, 0);
    for (let i = 0; i < 200; i++) {
      const rtc = make({}, i + 1);
      endpoint.add(rtc);
      expect(() => rtc.receiveOffer('no offer')).toThrow();
      if (i % 2 === 0) rtc.close();
    }
    drainEndpoint(endpoint, 10);
    expect(endpoint.inspect()).toMatchObject({ connections: 100, armed: 100, ready: 0 });
    const closed = drainEndpoint(endpoint, 120_010).filter(
      (output) => output.type === 'event' && output.event.type === 'closed',
    );
    expect(closed).toHaveLength(100);
    expect(endpoint.inspect()).toMatchObject({ connections: 0, routes: 0, armed: 0, ready: 0 });
  });
});
