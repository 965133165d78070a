/** The poll contract itself: time, ownership, lateness, misuse. */
import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { Output } from '../../src/rtc.ts';
import { Rtc, SeededRandom } from '../../src/index.ts';
import { certificates, channel, makeOpenPair, makePair, makeUnsignalledPair, runUntilOpen } from './pair.ts';

const SOMEWHERE = { address: '192.0.2.9', port: 9 };

/** Everything one drain gives. */
function drain(rtc: Rtc): Output[] {
  const outputs: Output[] = [];
  for (;;) {
    const output = rtc.pollOutput();
    outputs.push(output);
    if (output.type === 'timeout') return outputs;
  }
}

describe('time', () => {
  test('a clock that goes backwards counts as standing still, and is counted', () => {
    const { net, offerer } = makeOpenPair();
    offerer.rtc.handleInput({ type: 'timeout', now: net.now - 1000 });
    const [last] = drain(offerer.rtc).slice(-1);
    expect(last).toMatchObject({ type: 'timeout' });
    expect(last?.type === 'timeout' && last.at > net.now).toBe(true);
    expect(offerer.rtc.inspect().clockWentBackwards).toBe(1);
  });

  test('every deadline names its timer and lies in the future', () => {
    const { net, offerer, answerer } = makePair({ conditions: { latency: 10, loss: 0.2 } });
    let seen = 0;
    for (let i = 0; i < 2000; i++) {
      net.advance(5);
      for (const end of [offerer, answerer]) {
        const { now, timeout } = end.rtc.inspect();
        if (timeout.at === null) continue;
        expect(timeout.at).toBeGreaterThan(now);
        expect(timeout.reason).toMatch(/^(ice|dtls|sctp|channel|rtc)\.[a-zA-Z]+/);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(3000);
  });

  test('a stale clock delays and never corrupts: no gate is shortened by it', () => {
    const { offerer, answerer } = makeUnsignalledPair();
    const rtc = offerer.rtc;
    rtc.handleInput({ type: 'timeout', now: 0 });
    drain(rtc);
    // 20 s pass without an input; then the host calls, and drains before it tells the time.
    const offer = rtc.negotiation().offer();
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    expect(drain(rtc)).toEqual([{ type: 'timeout', at: 1, reason: 'rtc.staleClock' }]);
    rtc.handleInput({ type: 'timeout', now: 20_000 });
    drain(rtc);
    const closed = untilClosed(rtc, 20_000);
    expect(closed.reason).toMatchObject({ gate: 'iceConnect' });
    expect(closed.at).toBeGreaterThanOrEqual(50_000);
  });

  test('a stale clock does not stretch a round-trip sample, nor shorten a channel gate', () => {
    const { net, offerer } = makeOpenPair({ conditions: { latency: 30 } });
    net.advance(3000);
    const rtc = offerer.rtc;
    const before = rtc.inspect();
    // The host calls 3.5 s after the last input, and drains before it tells the time: nothing leaves yet.
    channel(offerer).send('late');
    const late = rtc.createChannel('late');
    const outputs = drain(rtc);
    expect(outputs.filter(({ type }) => type === 'transmit')).toEqual([]);
    expect(outputs.at(-1)).toMatchObject({ type: 'timeout', reason: 'rtc.staleClock' });
    const now = before.now + 3500;
    rtc.handleInput({ type: 'timeout', now });
    expect(drain(rtc).filter(({ type }) => type === 'transmit').length).toBeGreaterThan(0);
    const { timers } = rtc.inspect().channels;
    expect(timers.openAck).toBe(now + 10_000);
    expect(late.readyState).toBe('connecting');
  });

  test('draining late gives the same outcome, only later', () => {
    const pair = makeUnsignalledPair();
    const { offerer, answerer, net } = pair;
    // Several inputs and calls between two polls: nothing is lost.
    for (let now = 0; now < 10; now++) offerer.rtc.handleInput({ type: 'timeout', now });
    const draft = offerer.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    offerer.rtc.handleInput({ type: 'timeout', now: 11 });
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    offerer.rtc.handleInput({ type: 'timeout', now: 12 });
    net.advance(12);
    runUntilOpen(pair);
  });
});

describe('ownership', () => {
  test('inputs are neither kept nor changed, transmits are never reused', () => {
    // The network overwrites every delivered datagram after the call (`scribble`); a machine that keeps one shows here.
    const { net, offerer, answerer } = makeOpenPair();
    const data = new Uint8Array(50_000).fill(7);
    channel(offerer).send(data);
    data.fill(9);
    net.run({ until: () => answerer.messages.has('chat') });
    expect(answerer.messages.get('chat')).toEqual([new Uint8Array(50_000).fill(7)]);
  });

  test('handleInput leaves the bytes it is given as they were', () => {
    const { net, offerer, answerer } = makeOpenPair();
    const seen: { before: string; data: Uint8Array }[] = [];
    answerer.tap.input = (input, pass): void => {
      const before = input.type === 'receive' ? Buffer.from(input.data).toString('hex') : '';
      pass();
      if (input.type === 'receive') seen.push({ before, data: input.data.slice() });
    };
    channel(offerer).send('x'.repeat(5000));
    net.advance(1000);
    expect(seen.length).toBeGreaterThan(3);
    for (const { before, data } of seen) expect(Buffer.from(data).toString('hex')).toBe(before);
  });
});

describe('misuse', () => {
  const rtc = (): Rtc => new Rtc({ certificate: certificates[0], random: new SeededRandom(5) });

  test.each([
    ['mtu', { mtu: 100 }],
    ['maxMessageSize', { maxMessageSize: 10 }],
  ])('%s out of range', (name, option) => {
    expect(() => new Rtc({ certificate: certificates[0], ...option })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT', message: expect.stringContaining(name) }),
    );
  });

  test('a candidate that is none', () => {
    expect(() => {
      rtc().addRemoteCandidate('candidate:nonsense');
    }).toThrow(expect.objectContaining({ code: 'ERR_SDP' }));
    expect(() =>
      rtc().addLocalCandidate({ type: 'host', protocol: 'udp', address: 'example.com', port: 1 }),
    ).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });

  test('sending on a channel that is not open', () => {
    const chat = rtc().createChannel('chat');
    expect(() => chat.send('early')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });

  test('A1: a message that never fits the send buffer, however much the peer takes, is answered', () => {
    const { offerer } = makeOpenPair({ offerer: { sctp: { sendBuffer: 5000 } } });
    expect(channel(offerer).maxMessageSize).toBe(5000);
    expect(channel(offerer).send(new Uint8Array(5001))).toBe(false);
    expect(channel(offerer).send(new Uint8Array(5000))).toBe(true);
  });

  test('A1: a message larger than the peer takes is answered by an event', () => {
    const { net, offerer, answerer } = makeOpenPair({ answerer: { maxMessageSize: 10_000 } });
    expect([channel(offerer).maxMessageSize, channel(answerer).maxMessageSize]).toEqual([10_000, 262_144]);
    expect(channel(offerer).send(new Uint8Array(10_001))).toBe(false);
    expect(offerer.rtc.inspect().channels.counters.messagesTooLarge).toBe(1);
    net.advance(1);
    expect(offerer.events.at(-1)).toMatchObject({ type: 'messageoutcome', outcome: 'too-large' });
  });

  test.each([100, 1, 4])('A1: a peer whose description says a=max-message-size:%i ends nothing', (size) => {
    const pair = makeUnsignalledPair();
    const draft = pair.offerer.rtc.negotiation();
    draft.addChannel('chat', { negotiated: true, id: 4 });
    const offer = draft.offer();
    const answer = pair.answerer.rtc.receiveOffer(offer.sdp).answer();
    offer.accept(answer.replace(/a=max-message-size:\d+/, `a=max-message-size:${size}`));
    pair.net.run({ until: () => pair.offerer.channels.has('chat'), limit: 5000 });
    const chat = channel(pair.offerer);
    expect([chat.send('x'.repeat(200)), chat.send('\ud800'.repeat(34))]).toEqual([false, false]);
    expect(chat.send('x')).toBe(true);
    pair.net.advance(1);
    const outcomes = pair.offerer.events.filter(({ type }) => type === 'messageoutcome');
    expect(outcomes).toHaveLength(2);
    expect(pair.offerer.rtc.connectionState).toBe('connected');
  });

  test('A1: what comes after the peer has ended the connection is ignored, counted, answered', () => {
    const { net, offerer, answerer } = makeOpenPair();
    offerer.rtc.close();
    net.run({ until: () => answerer.rtc.isEmpty, limit: 5000 });
    answerer.rtc.addRemoteCandidate('candidate:1 1 udp 2130706431 192.0.2.9 5000 typ host');
    answerer.rtc.addRemoteCandidate('');
    expect(answerer.rtc.inspect().candidatesAfterEnd).toBe(2);
    expect(() => {
      answerer.rtc.addRemoteCandidate('candidate:nonsense');
    }).toThrow(expect.objectContaining({ code: 'ERR_SDP' }));
    const late = answerer.rtc.createChannel('late');
    expect([late.readyState, late.send('x')]).toEqual(['closed', false]);
    expect(answerer.rtc.isEmpty).toBe(true);
    // After a close() of one's own a channel is misuse, and a candidate is the peer's business all the same.
    offerer.rtc.addRemoteCandidate('candidate:1 1 udp 2130706431 192.0.2.9 5000 typ host');
    expect(() => offerer.rtc.createChannel('late')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_STATE' }),
    );
  });

  test.each<[string, (data: Uint8Array) => unknown]>([
    ['of another realm', (data): unknown => vm.runInNewContext('Uint8Array.from(data)', { data })],
    ['in an ArrayBuffer', (data) => data.slice().buffer],
    ['in a DataView', (data) => new DataView(data.slice().buffer)],
  ])('C9: datagrams %s are taken', (_, shape) => {
    const pair = makePair();
    for (const { rtc, tap } of [pair.offerer, pair.answerer]) {
      tap.input = (input, pass) => {
        if (input.type === 'receive') rtc.handleInput({ ...input, data: shape(input.data) as Uint8Array });
        else pass();
      };
    }
    runUntilOpen(pair);
  });

  test('C9: data that is no bytes at all', () => {
    const [source, destination] = [SOMEWHERE, SOMEWHERE];
    for (const data of ['text', undefined, [1, 2], {}]) {
      expect(() => {
        rtc().handleInput({
          type: 'receive',
          now: 0,
          protocol: 'udp',
          source,
          destination,
          data: data as never,
        });
      }).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    }
  });

  test('starting twice, offering twice', () => {
    const { offerer } = makePair();
    const parameters = { ...offerer.rtc.localParameters, iceRole: 'controlled', dtlsRole: 'client' } as const;
    expect(() => {
      offerer.rtc.start(parameters);
    }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    offerer.rtc.negotiation().offer();
    expect(() => offerer.rtc.negotiation().offer()).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_STATE' }),
    );
  });
});

function untilClosed(rtc: Rtc, start: number): { at: number; reason: unknown } {
  let now = start;
  for (let i = 0; i < 10_000; i++) {
    const outputs = drain(rtc);
    for (const output of outputs) {
      if (output.type === 'event' && output.event.type === 'closed')
        return { at: now, reason: output.event.reason };
    }
    const last = outputs.at(-1);
    now = last?.type === 'timeout' ? last.at : now;
    rtc.handleInput({ type: 'timeout', now });
  }
  throw new Error('never closed');
}
