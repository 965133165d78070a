import { describe, expect, test } from 'vitest';
import type { ChannelOptions, DataChannel, DataChannels } from '../../src/channel/index.ts';
import { encodeAck, encodeOpen } from '../../src/channel/index.ts';
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

function opened(options: ChannelOptions = {}): { port: FakePort; channels: DataChannels; chat: DataChannel } {
  const { port, channels } = connected('client', options);
  const chat = channels.createChannel('chat');
  channels.handleSctpEvent(dcep(0, encodeAck()), 0);
  drain(channels);
  port.takeSent();
  return { port, channels, chat };
}

describe('send()', () => {
  test('reliable and ordered unless the channel says otherwise', () => {
    const { port, channels, chat } = opened();
    chat.send('a');
    expect(port.takeSent()).toEqual([
      { streamId: 0, message: { ppid: 51, data: Uint8Array.of(0x61), unordered: false } },
    ]);
    const fast = channels.createChannel('fast', { ordered: false, maxRetransmits: 0 });
    channels.handleSctpEvent(dcep(2, encodeAck()), 0);
    port.takeSent();
    fast.send(Uint8Array.of(1));
    expect(port.takeSent()[0]?.message).toEqual({
      ppid: 53,
      data: Uint8Array.of(1),
      unordered: true,
      maxRetransmits: 0,
    });
  });

  test('says no, and nothing is queued, when the buffer is full', () => {
    const { port, channels, chat } = opened();
    port.full = true;
    expect(chat.send('a')).toBe(false);
    port.full = false;
    expect(chat.send('b')).toBe(true);
    expect(port.takeSent()).toHaveLength(1);
    expect(channels.inspect().channels).toMatchObject([{ messagesSent: 1, bytesSent: 1 }]);
  });

  test('A1: takes a message of the maximum size, and answers false and says so for one byte more, in UTF-8', () => {
    const { port, channels, chat } = opened();
    port.maxMessageSize = 4;
    expect(chat.maxMessageSize).toBe(4);
    expect(chat.send(new Uint8Array(4))).toBe(true);
    expect(chat.send('€a')).toBe(true);
    expect([chat.send(new Uint8Array(5), { id: 7 }), chat.send('€€'), chat.send('abcde')]).toEqual([
      false,
      false,
      false,
    ]);
    expect(port.takeSent()).toHaveLength(2);
    expect(chat.readyState).toBe('open');
    const refused = { type: 'messageoutcome', channel: chat, outcome: 'too-large' };
    expect(drain(channels)).toEqual([
      { ...refused, id: 7 },
      { ...refused, id: undefined },
      { ...refused, id: undefined },
    ]);
    expect(channels.inspect()).toMatchObject({
      counters: { messagesTooLarge: 3 },
      channels: [{ messagesSent: 2, bytesSent: 8 }],
    });
  });

  test('A1: what is refused has that one outcome, and the end of the channel adds none', () => {
    const { port, channels, chat } = opened();
    port.maxMessageSize = 4;
    chat.send('12345', { id: 'a' });
    channels.handleSctpEvent(closed(), 1);
    expect(drain(channels).map(({ type }) => type)).toEqual(['messageoutcome', 'channelclose']);
  });

  test.each(['shutdown-received', 'shutdown-ack-sent', 'closed'] as const)(
    'A1: false while the association is %s and the event that says so is still to come',
    (state) => {
      const { port, chat } = opened();
      port.state = state;
      expect(chat.send('a')).toBe(false);
      expect(port.takeSent()).toEqual([]);
    },
  );

  test('a limit of Infinity is none', () => {
    const { port, chat } = opened();
    port.maxMessageSize = Infinity;
    expect(chat.send(new Uint8Array(1_000_000))).toBe(true);
  });

  test('wakes the host, as creating and closing do, for they make output outside of handle*', () => {
    let wakes = 0;
    const { channels, chat } = opened({ onActivity: () => wakes++ });
    wakes = 0;
    chat.send('a');
    expect(wakes).toBe(1);
    channels.createChannel('b');
    expect(wakes).toBe(2);
    chat.close();
    expect(wakes).toBe(3);
    chat.close();
    expect(wakes).toBe(3);
  });
});

describe('bufferedAmount', () => {
  test('is what the association still has of the channel', () => {
    const { port, chat } = opened();
    port.holds = true;
    chat.send(new Uint8Array(1000));
    expect(chat.bufferedAmount).toBe(1000);
    port.queued.clear();
    expect(chat.bufferedAmount).toBe(0);
  });

  test('bufferedamountlow comes once for each time that something was sent', () => {
    const { channels, chat } = opened();
    chat.send('a');
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 0 }, 1);
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 0 }, 2);
    expect(drain(channels)).toEqual([{ type: 'bufferedamountlow', channel: chat }]);
  });

  test('a threshold that is lowered while more is buffered has its event, too, though nothing was sent meanwhile', () => {
    const { port, channels, chat } = opened();
    port.holds = true;
    chat.bufferedAmountLowThreshold = 1000;
    chat.send(new Uint8Array(2000));
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 0 }, 1);
    chat.bufferedAmountLowThreshold = 10;
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 0 }, 2);
    expect(drain(channels).map(({ type }) => type)).toEqual(['bufferedamountlow', 'bufferedamountlow']);
  });

  test('the DCEP messages of a channel are not the business of its user', () => {
    const { channels } = connected('server');
    channels.handleSctpEvent(dcep(0, encodeOpen({ label: '', protocol: '', priority: 0, ordered: true })), 1);
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 0 }, 2);
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 6 }, 2);
    expect(types(channels)).toEqual(['datachannel']);
  });

  test('a threshold set before the channel is open counts from then on', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat');
    chat.bufferedAmountLowThreshold = 5000;
    expect(port.thresholds.size).toBe(0);
    channels.handleSctpEvent(dcep(0, encodeAck()), 0);
    expect(port.thresholds.get(0)).toBe(5000);
    chat.bufferedAmountLowThreshold = 6000;
    expect(port.thresholds.get(0)).toBe(6000);
    expect(chat.bufferedAmountLowThreshold).toBe(6000);
  });

  test('a channel does not inherit the threshold of the one that had its stream before', () => {
    const { port, channels, chat } = opened();
    chat.bufferedAmountLowThreshold = 5000;
    chat.close();
    channels.handleSctpEvent(localReset(0), 1);
    channels.handleSctpEvent(remoteReset(0), 1);
    channels.createChannel('next');
    channels.handleSctpEvent(dcep(0, encodeAck()), 2);
    expect(port.thresholds.get(0)).toBe(0);
  });

  test.each([-1, 1.5, NaN])('a threshold of %d is refused', (bytes) => {
    const { chat } = opened();
    expect(() => (chat.bufferedAmountLowThreshold = bytes)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
    expect(chat.bufferedAmountLowThreshold).toBe(0);
  });
});

describe('receiving', () => {
  test('text, binary, empty text and empty binary arrive as what they were', () => {
    const pair = new Pair();
    const chat = pair.client.channels.createChannel('chat');
    pair.run(1);
    const sent = ['héllo €', Uint8Array.of(1, 0, 255), '', new Uint8Array(0)];
    for (const data of sent) expect(chat.send(data)).toBe(true);
    pair.run(2);
    const received = drain(pair.server.channels).flatMap((event) =>
      event.type === 'message' ? [event.data] : [],
    );
    expect(received).toEqual(sent);
    expect(pair.client.channels.inspect().channels).toMatchObject([{ messagesSent: 4, bytesSent: 13 }]);
    expect(pair.server.channels.inspect().channels).toMatchObject([
      { messagesReceived: 4, bytesReceived: 13 },
    ]);
  });

  test('messages of several channels come out in the order in which they came in', () => {
    const { channels } = connected('server');
    const a = channels.createChannel('a', { negotiated: true, id: 0 });
    const b = channels.createChannel('b', { negotiated: true, id: 1 });
    drain(channels);
    for (const id of [0, 1, 1, 0]) channels.handleSctpEvent(message(id, 53, id), 1);
    expect(drain(channels).map((event) => event.channel)).toEqual([a, b, b, a]);
  });

  test('an unknown identifier closes the channel (RFC 8831 §6.6)', () => {
    const { port, channels, chat } = opened();
    channels.handleSctpEvent(message(0, 99, 1), 1);
    const failure = expect.objectContaining({ code: 'unknown-ppid' }) as unknown;
    expect(drain(channels)).toEqual([{ type: 'channelerror', channel: chat, failure }]);
    expect(port.takeResets()).toEqual([0]);
    expect(channels.inspect().counters.badUserMessages).toBe(1);
  });

  test('deprecated partial pieces may add up to maxMessageSize', () => {
    const { channels } = opened({ limits: { maxMessageSize: 3 } });
    channels.handleSctpEvent(message(0, 52, 1, 2), 1);
    channels.handleSctpEvent(message(0, 53, 3), 2);
    expect(drain(channels)).toMatchObject([{ type: 'message', data: Uint8Array.of(1, 2, 3) }]);
    expect(channels.nextTimeout()).toBe(Infinity);
    channels.handleSctpEvent(message(0, 52, 1, 2), 3);
    channels.handleSctpEvent(message(0, 53, 3, 4), 4);
    expect(drain(channels)).toMatchObject([{ type: 'channelerror', failure: { code: 'message-too-large' } }]);
  });

  test('F2 reassembly: partial pieces that stop coming fail the channel after 60 s', () => {
    const { channels, chat } = opened();
    channels.handleSctpEvent(message(0, 54, 0x61), 1_000);
    channels.handleSctpEvent(message(0, 54, 0x62), 2_000);
    expect(channels.timeoutReason()).toBe('reassembly');
    channels.handleTimeout(61_999);
    expect(types(channels)).toEqual([]);
    channels.handleTimeout(62_000);
    const failure = expect.objectContaining({ code: 'reassembly-timeout', gate: 'reassembly' }) as unknown;
    expect(drain(channels)).toEqual([{ type: 'channelerror', channel: chat, failure }]);
    expect(chat.readyState).toBe('closing');
  });
});

describe('time', () => {
  test('a time earlier than the last one seen is treated as the last one', () => {
    const { channels } = connected('client');
    channels.handleTimeout(5_000);
    channels.createChannel('chat');
    channels.handleTimeout(1_000); // dates the wait at 5 s
    channels.handleSctpEvent({ type: 'streamdata', streamId: 1 }, 2_000);
    expect(channels.inspect().timers).toEqual({ openAck: 15_000, inboundOpen: 15_000 });
  });

  test('a stale clock shortens no gate: waits begun by a call count from the next time seen', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat', { negotiated: true, id: 9 });
    const draining = channels.createChannel('draining', { negotiated: true, id: 11 });
    port.holds = true;
    draining.send('x');
    // The host has told no time since 0, and it is 60 s later when it calls.
    channels.createChannel('opening');
    chat.close();
    draining.close();
    channels.handleTimeout(60_000);
    expect(channels.inspect().timers).toEqual({ openAck: 70_000, streamReset: 70_000, closeDrain: 90_000 });
    expect(types(channels)).toEqual(['channelopen', 'channelopen']);
  });

  test('after handleTimeout the next deadline lies in the future, however late it was called', () => {
    const { channels } = connected('client');
    for (let i = 0; i < 5; i++) {
      channels.createChannel('chat');
      channels.handleTimeout(i * 1_000);
    }
    channels.handleTimeout(1_000_000);
    // The host stood still: the peer has three seconds yet. That is forgiven once.
    expect(channels.nextTimeout()).toBe(1_003_000);
    channels.handleTimeout(2_000_000);
    expect(channels.nextTimeout()).toBe(2_010_000);
    channels.handleTimeout(3_000_000);
    expect(channels.nextTimeout()).toBe(Infinity);
    expect(types(channels).filter((type) => type === 'channelclose')).toHaveLength(5);
  });

  test('each gate takes the duration it was given', () => {
    const { channels } = connected('client', {
      gates: { openAck: 7, streamReset: 9, inboundOpen: Infinity },
    });
    channels.handleSctpEvent({ type: 'streamdata', streamId: 1 }, 0);
    channels.createChannel('chat');
    channels.handleTimeout(0);
    expect(channels.nextTimeout()).toBe(7);
    channels.handleTimeout(7);
    expect(channels.nextTimeout()).toBe(16);
    channels.handleTimeout(16);
    expect(channels.nextTimeout()).toBe(Infinity);
    expect(channels.inspect().halfOpenStreams).toBe(1);
  });
});

test('inspect() is plain JSON', () => {
  const { channels } = opened();
  channels.handleSctpEvent({ type: 'streamdata', streamId: 1 }, 3);
  const seen = channels.inspect();
  const throughJson = JSON.parse(JSON.stringify(seen)) as unknown;
  expect(throughJson).toMatchObject({
    association: 'connected',
    role: 'client',
    channels: [{ id: 0, label: 'chat', origin: 'local', readyState: 'open', bufferedAmount: 0 }],
    halfOpenStreams: 1,
    timers: { inboundOpen: 10_003 },
  });
});
