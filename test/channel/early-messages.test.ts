/** B7: messages on a stream that has no channel yet wait for it: the two ends of a negotiated channel are not made at one moment. */
import { describe, expect, test } from 'vitest';
import type { ChannelOptions, DataChannels } from '../../src/channel/index.ts';
import { DataChannels as Channels, encodeAck, encodeOpen } from '../../src/channel/index.ts';
import type { FakePort } from './fake-port.ts';
import {
  FakePort as Port,
  closed,
  connected,
  dcep,
  drain,
  localReset,
  message,
  remoteReset,
} from './fake-port.ts';

const OPEN = encodeOpen({ label: 'theirs', protocol: '', priority: 256, ordered: true });
const TEN = { negotiated: true, id: 10 };

function story(channels: DataChannels): string[] {
  return drain(channels).map((event) =>
    event.type === 'message' ? String(event.data) : `${event.type} ${event.channel.label}`,
  );
}

/** A connected end that has heard `a`, `b`, `c` on stream 10. */
function early(options: ChannelOptions = {}): { port: FakePort; channels: DataChannels } {
  const end = connected('client', options);
  for (const letter of ['a', 'b', 'c'])
    end.channels.handleSctpEvent(message(10, 51, letter.charCodeAt(0)), 0);
  return end;
}

describe('early messages', () => {
  test('B7: come out behind channelopen, in order, and count against the window until then', () => {
    const { port, channels } = early();
    expect([story(channels), port.released, port.takeResets()]).toEqual([[], 0, []]);
    expect(channels.inspect()).toMatchObject({ earlyMessages: 3, earlyBytes: 3, halfOpenStreams: 1 });
    const late = channels.createChannel('late', TEN);
    channels.handleSctpEvent(message(10, 51, 0x64), 0);
    expect(late.readyState).toBe('open');
    expect(story(channels)).toEqual(['channelopen late', 'a', 'b', 'c', 'd']);
    expect(port.released).toBe(4);
    expect(channels.nextTimeout()).toBe(Infinity);
    expect(channels.inspect()).toMatchObject({
      earlyMessages: 0,
      earlyBytes: 0,
      counters: { earlyMessages: 3, earlyMessagesLost: 0, firstMessageNotOpen: 0 },
      channels: [{ messagesReceived: 4, bytesReceived: 4 }],
    });
    expect(channels.invariantViolation()).toBeUndefined();
  });

  test('B7: each stream has its own', () => {
    const { channels } = early();
    channels.handleSctpEvent(message(12, 51, 0x78), 0);
    channels.createChannel('twelve', { negotiated: true, id: 12 });
    expect(story(channels)).toEqual(['channelopen twelve', 'x']);
    channels.createChannel('other', { negotiated: true, id: 14 });
    expect(story(channels)).toEqual(['channelopen other']);
    channels.createChannel('ten', TEN);
    expect(story(channels)).toEqual(['channelopen ten', 'a', 'b', 'c']);
  });

  test('B7: a first message of which only the beginning has come', () => {
    const { channels } = connected('client');
    channels.handleSctpEvent({ type: 'streamdata', streamId: 10 }, 0);
    channels.createChannel('late', TEN);
    channels.handleSctpEvent(message(10, 51, 0x61), 0);
    expect(story(channels)).toEqual(['channelopen late', 'a']);
  });

  test('B7: in deprecated pieces, the last of which comes when the channel is there', () => {
    const { port, channels } = connected('client');
    channels.handleSctpEvent(message(10, 54, 0x61), 0);
    channels.createChannel('late', TEN);
    channels.handleSctpEvent(message(10, 51, 0x62), 0);
    expect(story(channels)).toEqual(['channelopen late', 'ab']);
    expect(port.released).toBe(2);
  });

  test('B7: unordered messages that have overtaken their OPEN', () => {
    const { port, channels } = early();
    channels.handleSctpEvent(dcep(10, OPEN), 1);
    expect(story(channels)).toEqual(['datachannel theirs', 'a', 'b', 'c']);
    expect(port.takeSent().map(({ message }) => message.data)).toEqual([encodeAck()]);
    expect(channels.nextTimeout()).toBe(Infinity);
  });

  test('B7: before the association is up they wait for that, too', () => {
    const port = new Port();
    const channels = new Channels(port);
    channels.handleSctpEvent(message(10, 51, 0x61), 0);
    const late = channels.createChannel('late', TEN);
    expect([late.readyState, story(channels), channels.invariantViolation()]).toEqual([
      'connecting',
      [],
      undefined,
    ]);
    channels.handleSctpEvent({ type: 'connected' }, 0);
    expect(story(channels)).toEqual(['channelopen late', 'a']);
  });

  test('B7: one that cannot be read fails the channel, and what is behind it is released', () => {
    const { port, channels } = connected('client');
    channels.handleSctpEvent(message(10, 54, 0x61), 0);
    channels.handleSctpEvent(message(10, 53, 0x62), 0);
    channels.handleSctpEvent(message(10, 51, 0x63), 0);
    channels.createChannel('late', TEN);
    expect(story(channels)).toEqual(['channelopen late', 'channelerror late']);
    expect(port.released).toBe(3);
    expect(channels.inspect().counters).toMatchObject({ badUserMessages: 1, lateMessages: 1 });
  });
});

describe('nobody comes for them', () => {
  test('B7: after inboundOpen the stream is reset, they are counted and released', () => {
    const { port, channels } = early();
    expect(channels.nextTimeout()).toBe(10_000);
    channels.handleSctpEvent(message(10, 51, 0x64), 9000);
    channels.handleTimeout(9999);
    expect(port.takeResets()).toEqual([]);
    channels.handleTimeout(10_000);
    expect(port.takeResets()).toEqual([10]);
    expect(port.released).toBe(4);
    expect(channels.inspect()).toMatchObject({
      refusedStreams: 1,
      earlyMessages: 0,
      counters: { firstMessageNotOpen: 1, earlyMessagesLost: 4, openExpired: 0 },
    });
    // Both directions reset: the identifier is free for a channel that comes very late.
    channels.handleSctpEvent(localReset(10), 10_100);
    channels.handleSctpEvent(remoteReset(10), 10_100);
    expect(channels.createChannel('late', TEN).readyState).toBe('open');
  });

  test('B7: the peer closes its end first', () => {
    const { port, channels } = early();
    channels.handleSctpEvent(remoteReset(10), 1);
    expect([port.takeResets(), port.released]).toEqual([[10], 3]);
    expect(channels.inspect().counters).toMatchObject({ firstMessageNotOpen: 1, earlyMessagesLost: 3 });
    channels.handleSctpEvent(localReset(10), 2);
    channels.createChannel('late', TEN);
    expect(story(channels)).toEqual(['channelopen late']);
  });

  test('B7: the association ends', () => {
    const { channels } = early();
    channels.handleSctpEvent(closed(), 1);
    expect(channels.inspect()).toMatchObject({ earlyMessages: 0, counters: { earlyMessagesLost: 3 } });
    expect(channels.invariantViolation()).toBeUndefined();
  });

  test.each([
    ['messages', { maxEarlyMessages: 3 }, 'd'],
    ['bytes', { maxEarlyBytes: 4 }, 'de'],
  ])(
    'B7: more %s than may wait, over all streams: the stream of the one too many is reset, no other',
    (_, limits, text) => {
      const { port, channels } = early({ limits });
      channels.handleSctpEvent(message(12, 51, ...Array.from(text, (letter) => letter.charCodeAt(0))), 0);
      expect([port.takeResets(), port.released]).toEqual([[12], text.length]);
      expect(channels.inspect().counters).toMatchObject({ firstMessageNotOpen: 1, earlyMessagesLost: 1 });
      channels.createChannel('ten', TEN);
      expect(story(channels)).toEqual(['channelopen ten', 'a', 'b', 'c']);
    },
  );

  test('B7: on the same stream it costs those that waited, too', () => {
    const { port, channels } = early({ limits: { maxEarlyMessages: 3 } });
    channels.handleSctpEvent(message(10, 51, 0x64), 0);
    expect([port.takeResets(), port.released]).toEqual([[10], 4]);
    expect(channels.inspect()).toMatchObject({
      timers: { streamReset: 10_000 },
      counters: { earlyMessagesLost: 4 },
    });
  });

  test('B7: with limits of 0 nothing waits; nor on a stream that no channel could have', () => {
    const { port, channels } = connected('client', { limits: { maxEarlyMessages: 0 } });
    channels.handleSctpEvent(message(10, 51, 1), 0);
    expect(port.takeResets()).toEqual([10]);
    const few = connected('client');
    few.port.outboundStreams = 10;
    few.channels.handleSctpEvent(message(10, 51, 1), 0);
    expect(few.port.takeResets()).toEqual([10]);
  });
});
