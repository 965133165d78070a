import { describe, expect, test } from 'vitest';
import type { DataChannel } from '../../src/channel/index.ts';
import { DataChannels, encodeAck, encodeOpen } from '../../src/channel/index.ts';
import {
  FakePort,
  Pair,
  closed,
  connected,
  dcep,
  drain,
  localReset,
  message,
  remoteReset,
  types,
} from './fake-port.ts';

const OPEN = encodeOpen({ label: 'again', protocol: '', priority: 256, ordered: true });
const LOCAL_CLOSE = { layer: 'rtc', code: 'local-close', message: 'closed by this end' } as const;
const FAILURE = { layer: 'sctp', code: 'data-timeout', message: 'no progress' } as const;

/** A client's channel on stream 0, open. */
function opened(): { port: FakePort; channels: DataChannels; chat: DataChannel } {
  const { port, channels } = connected('client');
  const chat = channels.createChannel('chat');
  channels.handleSctpEvent(dcep(0, encodeAck()), 0);
  drain(channels);
  port.takeSent();
  return { port, channels, chat };
}

function failing(code: string, gate?: string): unknown {
  return expect.objectContaining(gate === undefined ? { code } : { code, gate });
}

describe('close() by us (RFC 8831 §6.7)', () => {
  test('resets our direction, waits for the peer, then closes and frees the identifier', () => {
    const { port, channels, chat } = opened();
    chat.close();
    expect(chat.readyState).toBe('closing');
    expect(port.takeResets()).toEqual([0]);
    // A <- response <- Z
    channels.handleSctpEvent(localReset(0), 10);
    expect(types(channels)).toEqual([]);
    expect(channels.createChannel('meanwhile').id).toBe(2);
    // A <- reset <- Z
    channels.handleSctpEvent(remoteReset(0), 20);
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat }]);
    expect(chat.readyState).toBe('closed');
    expect(chat.id).toBe(0);
    expect(channels.createChannel('reuse').id).toBe(0);
  });

  test("the peer's reset may come before its response to ours", () => {
    const { channels, chat } = opened();
    chat.close();
    channels.handleSctpEvent(remoteReset(0), 10);
    expect(types(channels)).toEqual([]);
    channels.handleSctpEvent(localReset(0), 20);
    expect(types(channels)).toEqual(['channelclose']);
  });

  test('nothing is sent on it any more, and what arrives is dropped and counted', () => {
    const { channels, chat } = opened();
    chat.close();
    chat.close();
    expect(chat.send('late')).toBe(false);
    channels.handleSctpEvent(message(0, 51, 0x61), 1);
    expect(types(channels)).toEqual([]);
    expect(channels.inspect().counters.lateMessages).toBe(1);
  });

  test('what is queued goes out first: the reset has its 10 s from then on', () => {
    const { port, channels, chat } = opened();
    port.holds = true;
    chat.bufferedAmountLowThreshold = 500;
    chat.send('last words');
    channels.handleTimeout(1_000);
    chat.close();
    expect(channels.timeoutReason()).toBe('closeDrain');
    expect(port.thresholds.get(0)).toBe(0);
    expect(port.discarded).toEqual([]);
    port.queued.clear();
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 0 }, 29_000);
    expect(types(channels)).toEqual([]);
    expect(channels.timeoutReason()).toBe('streamReset');
    expect(channels.nextTimeout()).toBe(39_000);
  });

  test('a response to our reset ends the draining too', () => {
    const { port, channels, chat } = opened();
    port.holds = true;
    chat.send('last words');
    chat.close();
    channels.handleSctpEvent(localReset(0), 1_000);
    expect(channels.inspect().timers).toEqual({ streamReset: 11_000 });
  });

  test('F2 closeDrain: what is still queued after 30 s is discarded, and the stream reset', () => {
    const { port, channels, chat } = opened();
    port.holds = true;
    chat.send('never sent');
    chat.close();
    channels.handleTimeout(0);
    channels.handleTimeout(30_000);
    expect(port.discarded).toEqual([0]);
    expect(channels.nextTimeout()).toBe(40_000);
    channels.handleSctpEvent(localReset(0), 30_010);
    channels.handleSctpEvent(remoteReset(0), 30_020);
    const failure = failing('drain-timeout', 'closeDrain');
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat, failure }]);
  });

  test('F2 streamReset: a peer that never answers does not hold the channel; its identifier is not used again', () => {
    const { channels, chat } = opened();
    chat.close();
    channels.handleTimeout(0);
    channels.handleTimeout(9_999);
    expect(types(channels)).toEqual([]);
    channels.handleTimeout(10_000);
    const failure = failing('reset-timeout', 'streamReset');
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat, failure }]);
    expect(channels.inspect()).toMatchObject({ quarantinedStreams: 1, timers: {} });
    expect(channels.createChannel('next').id).toBe(2);
  });

  test('F2 streamReset: a peer that answers but never resets its own direction does not either (G14)', () => {
    const { channels, chat } = opened();
    chat.close();
    channels.handleTimeout(0);
    channels.handleSctpEvent(localReset(0), 5_000);
    channels.handleTimeout(10_000);
    expect(drain(channels)).toEqual([
      { type: 'channelclose', channel: chat, failure: failing('reset-timeout') },
    ]);
    // Late, but better than never: the identifier is free after all.
    channels.handleSctpEvent(remoteReset(0), 60_000);
    expect(channels.inspect().quarantinedStreams).toBe(0);
    expect(channels.createChannel('next').id).toBe(0);
  });

  test.each([
    ['denied', 'reset-denied'],
    ['timeout', 'reset-timeout'],
  ] as const)(
    'a reset that ends as "%s" closes the channel and quarantines the identifier',
    (outcome, code) => {
      const { channels, chat } = opened();
      chat.close();
      channels.handleSctpEvent(localReset(0, outcome), 10);
      expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat, failure: failing(code) }]);
      expect(channels.inspect()).toMatchObject({ quarantinedStreams: 1, timers: {} });
    },
  );

  test('of a channel that waits for the association, it is over at once', () => {
    const port = new FakePort();
    const channels = new DataChannels(port);
    const early = channels.createChannel('early');
    channels.createChannel('stays');
    early.close();
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: early }]);
    channels.setRole('client');
    channels.handleSctpEvent({ type: 'connected' }, 1);
    expect(port.takeSent()).toHaveLength(1);
  });

  test('of a channel without its ACK resets the stream behind the OPEN', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat');
    chat.close();
    expect(port.takeSent()).toHaveLength(1);
    expect(port.takeResets()).toEqual([0]);
    // Z opens, acknowledges, sees the reset and resets its own direction.
    channels.handleSctpEvent(dcep(0, encodeAck()), 1);
    channels.handleSctpEvent(localReset(0), 1);
    channels.handleSctpEvent(remoteReset(0), 1);
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat }]);
  });

  test('of a channel whose OPEN has found no room, nothing is ever sent', () => {
    const { port, channels } = connected('client');
    port.full = true;
    const chat = channels.createChannel('chat');
    chat.close();
    port.full = false;
    expect(types(channels)).toEqual(['channelclose']);
    expect(port.takeSent()).toEqual([]);
    expect(port.takeResets()).toEqual([]);
    expect(channels.nextTimeout()).toBe(Infinity);
    expect(channels.createChannel('next').id).toBe(0);
  });
});

describe('close by the peer', () => {
  test('is announced, answered with our reset, and done', () => {
    const { port, channels, chat } = opened();
    channels.handleSctpEvent(remoteReset(0), 10);
    expect(drain(channels)).toEqual([{ type: 'channelclosing', channel: chat }]);
    expect(chat.readyState).toBe('closing');
    expect(port.takeResets()).toEqual([0]);
    channels.handleSctpEvent(localReset(0), 20);
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat }]);
  });

  test('drops what we had queued: nobody reads it any more', () => {
    const { port, channels, chat } = opened();
    port.holds = true;
    chat.send('unread');
    channels.handleSctpEvent(remoteReset(0), 10);
    expect(port.discarded).toEqual([0]);
    expect(channels.timeoutReason()).toBe('streamReset');
  });

  test('while ours drains ends the draining', () => {
    const { port, channels, chat } = opened();
    port.holds = true;
    chat.send('unread');
    chat.close();
    channels.handleSctpEvent(remoteReset(0), 10);
    expect(port.discarded).toEqual([0]);
    expect(port.takeResets()).toEqual([0]);
    channels.handleSctpEvent(localReset(0), 20);
    expect(types(channels)).toEqual(['channelclose']);
    expect(channels.nextTimeout()).toBe(Infinity);
  });

  test('of a stream that is nobody’s is ignored (S20)', () => {
    const { port, channels } = opened();
    channels.handleSctpEvent(remoteReset(44), 10);
    channels.handleSctpEvent(localReset(46), 10);
    expect(types(channels)).toEqual([]);
    expect(port.takeResets()).toEqual([]);
  });

  test('of a negotiated channel works in the same way', () => {
    const { port, channels } = connected('server');
    const both = channels.createChannel('both', { negotiated: true, id: 4 });
    channels.handleSctpEvent(remoteReset(4), 10);
    channels.handleSctpEvent(localReset(4), 20);
    expect(types(channels)).toEqual(['channelopen', 'channelclosing', 'channelclose']);
    expect(both.readyState).toBe('closed');
    expect(port.takeResets()).toEqual([4]);
  });
});

describe('identifiers used again', () => {
  test('an OPEN that overtakes the response to our reset closes the old channel and opens the new one', () => {
    const { port, channels } = connected('server');
    channels.handleSctpEvent(dcep(0, OPEN), 0);
    drain(channels);
    // A <- reset <- Z;  A -> reset -> Z, whose response is lost;  A <- OPEN <- Z
    channels.handleSctpEvent(remoteReset(0), 10);
    channels.handleSctpEvent(dcep(0, OPEN), 20);
    expect(types(channels)).toEqual(['channelclosing', 'channelclose', 'datachannel']);
    expect(port.takeSent()).toHaveLength(2);
    // A <- response <- Z, at last: it is about the old channel
    channels.handleSctpEvent(localReset(0), 30);
    expect(types(channels)).toEqual([]);
    expect(channels.inspect().channels).toMatchObject([{ id: 0, readyState: 'open' }]);
    expect(channels.nextTimeout()).toBe(Infinity);
    channels.handleSctpEvent(localReset(0, 'timeout'), 35);
    expect(types(channels)).toEqual([]);
    // The new one closes by a reset of its own.
    channels.handleSctpEvent(remoteReset(0), 40);
    expect(types(channels)).toEqual(['channelclosing']);
    channels.handleSctpEvent(localReset(0), 50);
    expect(types(channels)).toEqual(['channelclose']);
  });

  test('a hundred channels one after the other use one identifier', () => {
    const pair = new Pair();
    for (let i = 0; i < 100; i++) {
      const chat = pair.client.channels.createChannel('chat');
      pair.run(i);
      expect(chat.id).toBe(0);
      expect(chat.readyState).toBe('open');
      chat.close();
      pair.run(i);
      expect(chat.readyState).toBe('closed');
    }
    expect(types(pair.client.channels)).toEqual(Array(100).fill(['channelopen', 'channelclose']).flat());
    expect(types(pair.server.channels)).toEqual(
      Array(100).fill(['datachannel', 'channelclosing', 'channelclose']).flat(),
    );
  });

  test('both ends close the same channel at the same moment', () => {
    const pair = new Pair();
    const chat = pair.client.channels.createChannel('chat');
    pair.run(1);
    const [event] = drain(pair.server.channels);
    chat.close();
    event?.channel.close();
    pair.run(2);
    expect(types(pair.client.channels)).toEqual(['channelopen', 'channelclose']);
    expect(types(pair.server.channels)).toEqual(['channelclose']);
    expect(pair.client.channels.nextTimeout()).toBe(Infinity);
    expect(pair.server.channels.nextTimeout()).toBe(Infinity);
  });
});

describe('the end of the association', () => {
  test('closes every channel once, whatever its state, with the reason, and leaves nothing armed or queued', () => {
    const { port, channels, chat } = opened();
    port.holds = true;
    chat.send('queued');
    chat.close();
    const opening = channels.createChannel('opening');
    channels.handleSctpEvent(dcep(1, OPEN), 1);
    channels.handleSctpEvent({ type: 'streamdata', streamId: 3 }, 1);
    port.full = true;
    channels.createChannel('waiting');
    drain(channels);
    channels.handleSctpEvent(closed(FAILURE), 2);
    channels.close(LOCAL_CLOSE, 3);
    const events = drain(channels);
    expect(events).toHaveLength(4);
    for (const event of events) expect(event).toMatchObject({ type: 'channelclose', failure: FAILURE });
    expect(new Set(events.map((event) => event.channel)).size).toBe(4);
    expect(opening.readyState).toBe('closed');
    expect(channels.nextTimeout()).toBe(Infinity);
    expect(channels.timeoutReason()).toBeUndefined();
    expect(channels.inspect()).toMatchObject({
      association: 'closed',
      channels: [],
      halfOpenStreams: 0,
      queuedEvents: 0,
      queuedControl: 0,
      timers: {},
    });
  });

  test('keeps the first reason of a channel that was failing already', () => {
    const { channels } = connected('client');
    const chat = channels.createChannel('chat');
    channels.handleTimeout(0);
    channels.handleTimeout(10_000);
    drain(channels);
    channels.close(FAILURE, 10_001);
    expect(drain(channels)).toEqual([
      { type: 'channelclose', channel: chat, failure: failing('open-timeout') },
    ]);
  });

  test('close() for a reason that is in order: they close without a failure, and what was not polled is dropped if it is ours', () => {
    for (const [code, kept] of [
      ['local-close', 0],
      ['remote-close', 1],
    ] as const) {
      const { port, channels, chat } = opened();
      port.released = 0;
      channels.handleSctpEvent(message(0, 53, 1), 1);
      channels.close({ ...LOCAL_CLOSE, code }, 2);
      const events = drain(channels);
      expect(events.filter(({ type }) => type === 'message')).toHaveLength(kept);
      expect(events.at(-1)).toEqual({ type: 'channelclose', channel: chat });
      expect(port.released).toBe(1);
    }
  });

  test('without a failure, the channels close without one', () => {
    const { channels, chat } = opened();
    channels.handleSctpEvent(closed(), 1);
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat }]);
  });

  test('A1: afterwards: what is created is closed, sending answers false, closing and late events are nothing', () => {
    const { channels, chat } = opened();
    channels.close(LOCAL_CLOSE, 1);
    drain(channels);
    expect(channels.createChannel('x').readyState).toBe('closed');
    expect(channels.inspect().channels).toEqual([]);
    expect(chat.send('x')).toBe(false);
    chat.close();
    expect(chat.bufferedAmount).toBe(0);
    channels.handleSctpEvent(dcep(1, OPEN), 2);
    channels.handleTimeout(100_000);
    expect(types(channels)).toEqual([]);
  });
});
