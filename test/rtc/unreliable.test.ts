/** Channels that give up: what the link loses is lost, everything else arrives within the path's delay. */
import { describe, expect, it } from 'vitest';
import type { DataChannelOptions } from '../../src/index.ts';
import { makePair, makeUnsignalledPair } from './pair.ts';

interface Stream {
  readonly loss: number;
  readonly latency: number;
  /** Messages a second, of `bytes` each, for `seconds`. */
  readonly rate: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly channel: DataChannelOptions;
  readonly congestion?: 'bbr' | 'new-reno';
  readonly interleaving?: boolean;
  /** Beside it, a reliable channel that always has something to send. */
  readonly beside?: boolean;
}

/** Milliseconds that each message which arrived was on its way, in order of arrival, and how many were sent. */
function stream(plan: Stream): {
  late: number[];
  sent: number;
  refused: number;
  outstanding: number;
  drained: boolean;
} {
  const { loss, latency, rate, bytes, seconds, channel, congestion, interleaving, beside } = plan;
  const sctp = { ...(congestion && { congestion }), ...(interleaving !== undefined && { interleaving }) };
  const { net, offerer, answerer } = makeUnsignalledPair({
    seed: 6,
    conditions: { latency, loss },
    offerer: { sctp },
    answerer: { sctp },
  });
  const draft = offerer.rtc.negotiation();
  const state = draft.addChannel('state', channel);
  const bulk = beside === true ? draft.addChannel('bulk') : undefined;
  const offer = draft.offer();
  offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
  net.run({ until: () => state.readyState === 'open' && bulk?.readyState !== 'connecting', limit: 30_000 });
  const late: number[] = [];
  answerer.tap.hears = (event) => {
    if (event.type === 'message' && event.channel.label === 'state') {
      late.push(net.now - Number(event.data));
    }
  };
  let sent = 0;
  let refused = 0;
  const end = net.now + seconds * 1000;
  const tick = (): void => {
    if (net.now >= end) return;
    if (state.send(String(net.now).padEnd(bytes))) sent++;
    else refused++;
    if (bulk !== undefined && bulk.bufferedAmount < 1000) bulk.send(new Uint8Array(1000));
    net.after(1000 / rate, tick);
  };
  tick();
  net.run({ limit: seconds * 1000 });
  const send = (): { outstandingChunks: number } => offerer.rtc.inspect().sctp.send;
  const outstanding = send().outstandingChunks;
  net.run({ limit: 5000, until: () => send().outstandingChunks === 0 });
  return { late, sent, refused, outstanding, drained: send().outstandingChunks === 0 };
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? Infinity;
}

const UNORDERED = { ordered: false, maxRetransmits: 0 };

describe('B1: an unreliable channel under loss', () => {
  it.each<[string, Stream]>([
    ['a game', { loss: 0.1, latency: 100, rate: 60, bytes: 100, seconds: 20, channel: UNORDERED }],
    ['a camera', { loss: 0.08, latency: 25, rate: 485, bytes: 1000, seconds: 5, channel: UNORDERED }],
    [
      'no interleaving',
      {
        loss: 0.1,
        latency: 50,
        rate: 100,
        bytes: 100,
        seconds: 10,
        channel: UNORDERED,
        interleaving: false,
      },
    ],
    [
      'New Reno',
      {
        loss: 0.05,
        latency: 25,
        rate: 100,
        bytes: 100,
        seconds: 10,
        channel: UNORDERED,
        congestion: 'new-reno',
      },
    ],
    [
      'messages of several chunks',
      { loss: 0.03, latency: 25, rate: 30, bytes: 3000, seconds: 10, channel: UNORDERED },
    ],
    [
      'beside a reliable channel',
      { loss: 0.05, latency: 50, rate: 60, bytes: 100, seconds: 10, channel: UNORDERED, beside: true },
    ],
    [
      'a lifetime',
      {
        loss: 0.1,
        latency: 50,
        rate: 60,
        bytes: 100,
        seconds: 10,
        channel: { ordered: false, maxPacketLifeTime: 50 },
      },
    ],
  ])('B1: %s: what was not lost is in time', (_name, plan) => {
    const { late, sent, refused, outstanding, drained } = stream(plan);
    const chunks = Math.ceil(plan.bytes / 1100);
    expect(refused).toBe(0);
    expect(late.length).toBeGreaterThan((1 - plan.loss) ** chunks * sent * 0.93);
    expect(quantile(late, 0.99)).toBeLessThan(plan.latency + 25);
    // Two seconds of it: a loss is told within a round trip or two, and again if that is lost.
    expect(outstanding).toBeLessThan(2 * plan.rate * chunks + 20);
    expect(drained).toBe(true);
  });

  it('B1: ordered: one that is lost holds the others up for as long as it takes to say so', () => {
    const plan: Stream = {
      loss: 0.05,
      latency: 50,
      rate: 60,
      bytes: 100,
      seconds: 20,
      channel: { ordered: true, maxRetransmits: 0 },
    };
    const { late, sent } = stream(plan);
    expect(late.length).toBeGreaterThan(0.95 * sent * 0.93);
    // A loss shows with the next message, half a round trip later; the FORWARD TSN takes half of one, and may be lost.
    expect(quantile(late, 0.95)).toBeLessThan(4 * plan.latency);
    expect(quantile(late, 0.99)).toBeLessThan(9 * plan.latency);
  });

  it('B1: a retransmission that is allowed is made', () => {
    const once = { ordered: false, maxRetransmits: 1 };
    const { late, sent } = stream({
      loss: 0.1,
      latency: 50,
      rate: 60,
      bytes: 100,
      seconds: 20,
      channel: once,
    });
    expect(late.length).toBeGreaterThan(0.98 * sent * 0.99);
    expect(quantile(late, 0.88)).toBeLessThan(75);
  });

  it('B1: without loss there is no FORWARD TSN, and everything arrives', () => {
    const { late, sent } = stream({
      loss: 0,
      latency: 25,
      rate: 485,
      bytes: 1000,
      seconds: 3,
      channel: UNORDERED,
    });
    expect(late.length).toBeGreaterThan(sent - 30);
    expect(quantile(late, 0.99)).toBeLessThan(50);
  });
});

describe('B6: maxPacketLifeTime 0 is one try', () => {
  const ten = (channel: { send(data: string): boolean }): number =>
    Array.from({ length: 10 }, (_, i) => Number(channel.send(`m${String(i)}`))).reduce((a, b) => a + b);

  it.each(['outside', 'inside'] as const)('B6: on our channel, sent from %s of an event', (where) => {
    const { net, offerer, answerer } = makeUnsignalledPair({ conditions: { latency: 20 } });
    const draft = offerer.rtc.negotiation();
    const channel = draft.addChannel('state', { ordered: false, maxPacketLifeTime: 0 });
    const offer = draft.offer();
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    let accepted = 0;
    offerer.tap.hears = (event) => {
      if (where === 'inside' && event.type === 'channelopen') accepted += ten(event.channel);
    };
    net.run({ until: () => channel.readyState === 'open', limit: 5000 });
    if (where === 'outside') accepted += ten(channel);
    net.run({ limit: 1000 });
    expect(accepted).toBe(10);
    expect(answerer.messages.get('state')).toHaveLength(10);
    expect(offerer.rtc.inspect().sctp.send.outstandingChunks).toBe(0);
  });

  it("B6: on the peer's channel, and of one message alone", () => {
    const { net, offerer, answerer } = makeUnsignalledPair({ conditions: { latency: 20 } });
    const draft = offerer.rtc.negotiation();
    draft.addChannel('state', { ordered: false, maxPacketLifeTime: 0 });
    draft.addChannel('plain');
    const offer = draft.offer();
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    answerer.tap.hears = (event) => {
      if (event.type === 'datachannel') {
        const lifetime = event.channel.label === 'plain' ? { maxPacketLifeTime: 0 } : {};
        for (let i = 0; i < 10; i++) event.channel.send(`m${String(i)}`, lifetime);
      }
    };
    net.run({ limit: 2000 });
    expect(offerer.messages.get('state')).toHaveLength(10);
    expect(offerer.messages.get('plain')).toHaveLength(10);
  });

  it('B6: what is lost is not sent again', () => {
    const { net, offerer, answerer } = makePair({ conditions: { latency: 20 } });
    net.run({ until: () => offerer.channels.has('chat'), limit: 5000 });
    let dropped = 0;
    offerer.tap.carries = () => dropped++ > 0;
    offerer.channels.get('chat')?.send('once', { maxPacketLifeTime: 0 });
    net.run({ limit: 100 });
    offerer.channels.get('chat')?.send('later');
    net.run({ limit: 3000 });
    expect(answerer.messages.get('chat')).toEqual(['later']);
  });
});
