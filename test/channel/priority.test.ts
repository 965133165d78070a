/** A channel's share of the path, and that it may be changed while the channel lives. */
import { describe, expect, test } from 'vitest';
import type { ChannelPriority, DataChannel } from '../../src/channel/index.ts';
import { DataChannels, decodeDcep, encodeAck, encodeOpen } from '../../src/channel/index.ts';
import { makeOpenPair } from '../rtc/pair.ts';
import { FakePort, connected, dcep, drain, localReset, remoteReset } from './fake-port.ts';

const LIMITS = { maxLabelLength: 65535, maxProtocolLength: 65535 };

/** The channel of a server that the peer has opened with priority `number`, on stream 0. */
function openedByPeer(number: number): { port: FakePort; channel: DataChannel } {
  const { port, channels } = connected('server');
  const open = encodeOpen({ label: 'chat', protocol: '', priority: number, ordered: true });
  channels.handleSctpEvent(dcep(0, open), 1);
  const [event] = drain(channels);
  return { port, channel: event?.channel ?? expect.unreachable() };
}

describe('priority', () => {
  test('is told to the association when the channel is open, by us and by the peer', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat', { priority: 'high' });
    expect(port.priorities.size).toBe(0);
    channels.handleSctpEvent(dcep(0, encodeAck()), 0);
    expect(port.priorities.get(0)).toBe(1024);
    expect(chat.priority).toBe('high');
    expect(openedByPeer(512).port.priorities.get(0)).toBe(512);
  });

  test('changes at once, and inspect() says so', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat');
    channels.handleSctpEvent(dcep(0, encodeAck()), 0);
    for (const [name, number] of [
      ['very-low', 128],
      ['medium', 512],
      ['high', 1024],
      ['low', 256],
    ] as const) {
      chat.priority = name;
      expect(chat.priority).toBe(name);
      expect(port.priorities.get(0)).toBe(number);
      expect(channels.inspect().channels).toMatchObject([{ priority: name }]);
    }
  });

  test('changed before the association is up, it goes with the OPEN; afterwards it is our own affair', () => {
    const port = new FakePort();
    const channels = new DataChannels(port);
    channels.setRole('client');
    const chat = channels.createChannel('chat');
    chat.priority = 'medium';
    channels.handleSctpEvent({ type: 'connected' }, 0);
    chat.priority = 'high';
    const [open] = port.takeSent();
    expect(decodeDcep(open?.message.data ?? new Uint8Array(), LIMITS)).toMatchObject({ priority: 512 });
    channels.handleSctpEvent(dcep(0, encodeAck()), 1);
    expect(port.priorities.get(0)).toBe(1024);
  });

  test('holds while a closing channel drains, and is not inherited by the next one on the stream', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat', { priority: 'high' });
    channels.handleSctpEvent(dcep(0, encodeAck()), 0);
    port.holds = true;
    chat.send('last words');
    chat.close();
    expect(port.priorities.get(0)).toBe(1024);
    chat.priority = 'very-low';
    expect(port.priorities.get(0)).toBe(128);
    port.queued.clear();
    channels.handleSctpEvent({ type: 'bufferedamountlow', streamId: 0 }, 1);
    expect(port.priorities.get(0)).toBe(256);
    chat.priority = 'high';
    expect(port.priorities.get(0)).toBe(256);
    channels.handleSctpEvent(localReset(0), 2);
    channels.handleSctpEvent(remoteReset(0), 2);
    chat.priority = 'medium';
    expect([chat.priority, port.priorities.get(0)]).toEqual(['medium', 256]);
  });

  test('of a message outweighs that of its channel', () => {
    const { port, channel } = openedByPeer(128);
    port.takeSent();
    channel.send('a');
    channel.send('b', { priority: 'high' });
    expect(port.takeSent().map(({ message }) => message.priority)).toEqual([undefined, 1024]);
  });

  test('that W3C does not have is refused and changes nothing', () => {
    const { port, channel } = openedByPeer(512);
    expect(() => (channel.priority = 'urgent' as ChannelPriority)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
    expect([channel.priority, port.priorities.get(0)]).toEqual(['medium', 512]);
  });
});

test.each([
  ['message by message', false],
  ['chunk by chunk', true],
])(
  'two channels with a backlog share the path by weight, and anew when a weight changes (%s)',
  (_, interleaving) => {
    const options = { sctp: { interleaving } };
    const pair = makeOpenPair({ conditions: { latency: 20 }, offerer: options, answerer: options });
    const { net, offerer, answerer } = pair;
    const slow = offerer.rtc.createChannel('slow', { priority: 'very-low' });
    const fast = offerer.rtc.createChannel('fast', { priority: 'medium' });
    net.run({ until: () => slow.readyState === 'open' && fast.readyState === 'open' });
    for (let i = 0; i < 500; i++)
      for (const each of [slow, fast]) expect(each.send(new Uint8Array(2000))).toBe(true);
    const arrived = (label: string): number => answerer.messages.get(label)?.length ?? 0;
    const shareOfFast = (): number => {
      const [slowBefore, fastBefore] = [arrived('slow'), arrived('fast')];
      const isEnough = (): boolean => arrived('slow') + arrived('fast') >= slowBefore + fastBefore + 100;
      net.run({ until: isEnough, limit: 10_000 });
      const more = arrived('fast') - fastBefore;
      return more / (more + arrived('slow') - slowBefore);
    };
    expect(shareOfFast()).toBeGreaterThan(0.74);
    slow.priority = 'high';
    fast.priority = 'very-low';
    // What is on its way was chosen before.
    net.advance(60);
    expect(shareOfFast()).toBeLessThan(0.2);
  },
);
