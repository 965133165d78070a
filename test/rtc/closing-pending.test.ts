/** F2c: however a channel or a connection ends, each of 1,000 messages that are pending ends with it: once, in the same call. */
import { describe, expect, test } from 'vitest';
import type { DataChannelOptions, RtcEvent } from '../../src/index.ts';
import type { End, Pair } from './pair.ts';
import { channel, closedReason, makeOpenPair } from './pair.ts';

const PENDING = 1000;
const SIZE = 500;

const KINDS: readonly (readonly [string, DataChannelOptions])[] = [
  ['unordered', { ordered: false }],
  ['counted', { maxRetransmits: 5 }],
  ['timed', { maxPacketLifeTime: 60_000 }],
];

/** A pair with a channel of each kind, whose answerer no longer says anything. */
function silencedPair(): Pair {
  const pair = makeOpenPair({ conditions: { latency: 10 } });
  for (const [label, options] of KINDS) pair.offerer.rtc.createChannel(label, options);
  pair.net.run({ until: () => pair.offerer.channels.size === 1 + KINDS.length });
  pair.net.advance(1000);
  pair.answerer.tap.carries = (): boolean => false;
  return pair;
}

/** Sends the messages on all channels in turn; some are on their way then, the rest waits. */
function fill({ net, offerer }: Pair): void {
  const channels = [...offerer.channels.values()];
  for (let id = 0; id < PENDING; id++) {
    expect(channels[id % channels.length]?.send(new Uint8Array(SIZE), { id })).toBe(true);
  }
  net.advance(100);
  const { send } = offerer.rtc.inspect().sctp;
  expect(send.outstandingChunks).toBeGreaterThan(0);
  expect(send.bufferedBytes).toBeGreaterThan(send.unackedBytes);
}

function endedIds(events: readonly RtcEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'messageoutcome' ? [Number(event.id)] : []));
}

/** Every message has one outcome, which comes before its channel's end, and that before the connection's. */
function expectOnceEach({ events }: End): void {
  expect(endedIds(events).sort((a, b) => a - b)).toEqual(Array.from({ length: PENDING }, (_, i) => i));
  const over = new Set<unknown>();
  for (const event of events) {
    if (event.type === 'messageoutcome') expect(over).not.toContain(event.channel);
    if (event.type === 'channelclose') over.add(event.channel);
  }
  expect(over.size).toBe(1 + KINDS.length);
  expect(events.at(-1)?.type).toBe('closed');
}

/** The machine has let go of everything; what it has to say is queued. */
function expectReleased({ rtc, channels }: End, stateChanges = 0): void {
  const { sctp, channels: inspected } = rtc.inspect();
  expect(sctp.send).toMatchObject({ bufferedBytes: 0, unackedBytes: 0, outstandingChunks: 0 });
  const queuedEvents = PENDING + channels.size + stateChanges;
  expect(inspected).toMatchObject({ channels: [], timers: {}, queuedEvents });
  for (const { bufferedAmount, readyState } of channels.values())
    expect([bufferedAmount, readyState]).toEqual([0, 'closed']);
}

describe(`${PENDING} pending messages`, () => {
  test('Rtc.close() ends them all before it returns', () => {
    const pair = silencedPair();
    const { net, offerer } = pair;
    fill(pair);
    offerer.rtc.close();
    expectReleased(offerer);
    net.advance(1);
    expectOnceEach(offerer);
    expect(closedReason(offerer)).toMatchObject({ code: 'local-close' });
  });

  test("the peer's ABORT ends them all in the call that takes it", () => {
    const pair = silencedPair();
    const { net, offerer, answerer } = pair;
    fill(pair);
    answerer.tap.carries = (): boolean => true;
    let isSeen = false;
    offerer.tap.input = (_input, pass): void => {
      pass();
      if (isSeen || offerer.rtc.connectionState !== 'closed') return;
      isSeen = true;
      expectReleased(offerer, 1);
    };
    answerer.rtc.close();
    net.advance(100);
    expect(isSeen).toBe(true);
    expectOnceEach(offerer);
    expect(closedReason(offerer)).toMatchObject({ layer: 'sctp', code: 'remote-close' });
  });

  test('a gate of the connection ends them all in the call that finds it due', () => {
    const pair = silencedPair();
    const { net, offerer } = pair;
    fill(pair);
    let isSeen = false;
    offerer.tap.input = (_input, pass): void => {
      pass();
      if (isSeen || offerer.rtc.inspect().closed === undefined) return;
      isSeen = true;
      // Those with a lifetime have ended by it.
      expectReleased(offerer, -endedIds(offerer.events).length);
    };
    net.run({ until: () => closedReason(offerer) !== undefined, limit: 90_000 });
    expect(isSeen).toBe(true);
    expectOnceEach(offerer);
    expect(closedReason(offerer)?.gate).toBe('pathDown');
  });

  test('closeDrain ends those of its channel, and the connection lives', () => {
    const { net, offerer, answerer } = makeOpenPair({
      conditions: { latency: 10 },
      answerer: { maxMessageSize: 16_384, sctp: { receiveWindow: 65_536 } },
    });
    const chat = channel(offerer);
    channel(answerer).pauseReading();
    for (let id = 0; id < PENDING; id++) expect(chat.send(new Uint8Array(SIZE), { id })).toBe(true);
    net.advance(1000);
    chat.close();
    // Some have come into the peer's window, a few more follow as probes of it.
    net.advance(29_900);
    expect(endedIds(offerer.events).length).toBeLessThan(PENDING / 5);
    expect(chat.bufferedAmount).toBeGreaterThan((PENDING * SIZE) / 2);
    net.advance(200);
    expect(chat.bufferedAmount).toBe(0);
    // Each message is one chunk: what is on its way has not ended.
    const { outstandingChunks } = offerer.rtc.inspect().sctp.send;
    expect(endedIds(offerer.events)).toHaveLength(PENDING - outstandingChunks);
    expect(outstandingChunks).toBeLessThan(10);
    net.run({ until: () => chat.readyState === 'closed', limit: 11_000 });
    net.advance(1);
    expect(endedIds(offerer.events).sort((a, b) => a - b)).toEqual(
      Array.from({ length: PENDING }, (_, i) => i),
    );
    const last = offerer.events.filter((event) => 'channel' in event && event.channel === chat).at(-1);
    expect(last).toMatchObject({ type: 'channelclose', failure: { gate: 'closeDrain' } });
    const other = offerer.rtc.createChannel('other');
    net.run({ until: () => other.readyState === 'open', limit: 5000 });
    expect(other.readyState).toBe('open');
    expect(offerer.rtc.inspect().sctp.send).toMatchObject({ bufferedBytes: 0, outstandingChunks: 0 });
  });
});
