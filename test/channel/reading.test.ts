/** Back-pressure and outcomes: what waits counts against the window until the application has it. */
import { describe, expect, test } from 'vitest';
import type { ChannelEvent, ChannelOptions, DataChannel, SendOptions } from '../../src/channel/index.ts';
import type { DataChannels } from '../../src/channel/index.ts';
import { encodeAck } from '../../src/channel/index.ts';
import type { FakePort } from './fake-port.ts';
import { closed, connected, dcep, drain, localReset, message, remoteReset } from './fake-port.ts';

function opened(options: ChannelOptions = {}): { port: FakePort; channels: DataChannels; chat: DataChannel } {
  const { port, channels } = connected('client', options);
  const chat = channels.createChannel('chat');
  channels.handleSctpEvent(dcep(0, encodeAck()), 0);
  drain(channels);
  port.takeSent();
  port.released = 0;
  return { port, channels, chat };
}

/** Text messages of one byte. */
function say(channels: DataChannels, ...letters: string[]): void {
  for (const letter of letters) channels.handleSctpEvent(message(0, 51, letter.charCodeAt(0)), 0);
}

function story(events: readonly ChannelEvent[]): string[] {
  return events.map((event) => {
    if (event.type === 'message') return String(event.data);
    return event.type === 'messageoutcome' ? `${event.id} ${event.outcome}` : event.type;
  });
}

describe('pauseReading', () => {
  test('nothing is given out, nor released, until resumeReading', () => {
    const { port, channels, chat } = opened();
    say(channels, 'a');
    expect([story(drain(channels)), port.released]).toEqual([['a'], 1]);
    chat.pauseReading();
    say(channels, 'b', 'c');
    expect([chat.isReadingPaused, story(drain(channels)), port.released]).toEqual([true, [], 1]);
    expect(channels.inspect().channels[0]?.unreadMessages).toBe(2);
    chat.resumeReading();
    say(channels, 'd');
    expect(channels.queuedEvents).toBe(3);
    expect([story(drain(channels)), port.released]).toEqual([['b', 'c', 'd'], 4]);
  });

  test('is told as a call once, and resumeReading once, however often either is said', () => {
    const { channels, chat } = opened();
    const calls: string[] = [];
    channels.onCall = (_, { method }) => void calls.push(method);
    chat.resumeReading();
    expect(calls).toEqual([]);
    chat.pauseReading();
    chat.pauseReading();
    expect(calls).toEqual(['pauseReading']);
    chat.resumeReading();
    chat.resumeReading();
    expect(calls).toEqual(['pauseReading', 'resumeReading']);
  });

  test.each([
    ['closing', remoteReset(0)],
    ['closed', closed()],
  ])('of a channel that is %s is no call, and changes nothing', (_, end) => {
    const { channels, chat } = opened();
    const calls: string[] = [];
    channels.handleSctpEvent(end, 0);
    channels.onCall = (__, { method }) => void calls.push(method);
    chat.pauseReading();
    chat.resumeReading();
    expect([chat.isReadingPaused, calls]).toEqual([false, []]);
  });

  test('resumeReading wakes the host, which has messages to take; a second one has nothing to say', () => {
    let woken = 0;
    const { channels, chat } = opened({
      onActivity: () => {
        woken++;
      },
    });
    chat.pauseReading();
    say(channels, 'a');
    woken = 0;
    chat.resumeReading();
    chat.resumeReading();
    expect(woken).toBe(1);
  });

  test('other channels are not paused', () => {
    const { channels, chat } = opened();
    const other = channels.createChannel('other', { negotiated: true, id: 7 });
    drain(channels);
    chat.pauseReading();
    say(channels, 'a');
    channels.handleSctpEvent(message(7, 51, 0x78), 0);
    const events = drain(channels);
    expect(story(events)).toEqual(['x']);
    expect(events[0]).toMatchObject({ channel: other });
  });

  test('the peer closes: what waits comes first', () => {
    const { port, channels, chat } = opened();
    chat.pauseReading();
    say(channels, 'a', 'b');
    channels.handleSctpEvent(remoteReset(0), 0);
    channels.handleSctpEvent(localReset(0), 0);
    expect(story(drain(channels))).toEqual(['a', 'b', 'channelclosing', 'channelclose']);
    expect(port.released).toBe(2);
  });

  test('the association ends: what waits comes first', () => {
    const { channels, chat } = opened();
    chat.pauseReading();
    say(channels, 'a');
    channels.handleSctpEvent(closed(), 0);
    expect(story(drain(channels))).toEqual(['a', 'channelclose']);
  });

  test('close() drops what waits, counts it and releases it', () => {
    const { port, channels, chat } = opened();
    chat.pauseReading();
    say(channels, 'a', 'b');
    chat.close();
    expect(port.released).toBe(2);
    expect(channels.inspect().counters.lateMessages).toBe(2);
    say(channels, 'c');
    expect([port.released, story(drain(channels))]).toEqual([3, []]);
  });

  test('what is no message for the application is released at once', () => {
    const { port, channels } = opened();
    channels.handleSctpEvent(dcep(0, encodeAck()), 0);
    expect(port.released).toBe(1);
    channels.handleSctpEvent(message(40, 99, 1, 2, 3), 0); // Neither an OPEN nor user data: refused.
    expect(port.released).toBe(4);
    channels.handleSctpEvent(message(0, 52, 1, 2), 0); // A deprecated partial piece: it waits.
    channels.handleSctpEvent(message(0, 53, 3), 0);
    expect(port.released).toBe(4);
    expect(drain(channels)[0]).toMatchObject({ data: Uint8Array.of(1, 2, 3) });
    expect(port.released).toBe(7);
  });
});

describe('inside a listener', () => {
  /** Polls every event, and acts at each message. */
  function listen(channels: DataChannels, onMessage: (text: string) => void): string[] {
    const heard: string[] = [];
    for (let event = channels.pollEvent(); event !== undefined; event = channels.pollEvent()) {
      heard.push(...story([event]));
      if (event.type === 'message') onMessage(String(event.data));
    }
    return heard;
  }

  test('E4: pauseReading: not one more message comes, and none is lost or out of order', () => {
    const { port, channels, chat } = opened();
    say(channels, 'a', 'b', 'c');
    const pause = (): void => {
      chat.pauseReading();
      say(channels, 'd');
    };
    expect(listen(channels, pause)).toEqual(['a']);
    expect([port.released, channels.inspect().channels[0]?.unreadMessages]).toEqual([1, 3]);
    say(channels, 'e');
    expect(drain(channels)).toEqual([]);
    chat.resumeReading();
    say(channels, 'f');
    expect(story(drain(channels))).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(port.released).toBe(6);
  });

  test('E4: one message at a time', () => {
    const { channels, chat } = opened();
    say(channels, 'a', 'b', 'c', 'd');
    const heard: string[][] = [];
    for (let i = 0; i < 5; i++) {
      heard.push(
        listen(channels, () => {
          chat.pauseReading();
        }),
      );
      chat.resumeReading();
    }
    expect(heard).toEqual([['a'], ['b'], ['c'], ['d'], []]);
    expect(channels.queuedEvents).toBe(0);
  });

  test('E4: paused and resumed before the next one comes up: nothing comes twice', () => {
    const { port, channels, chat } = opened();
    say(channels, 'a', 'b');
    const toggle = (): void => {
      chat.pauseReading();
      chat.resumeReading();
      chat.pauseReading();
      chat.resumeReading();
    };
    expect(listen(channels, toggle)).toEqual(['a', 'b']);
    expect(port.released).toBe(2);
  });

  test('E4: other channels go on', () => {
    const { channels, chat } = opened();
    channels.createChannel('other', { negotiated: true, id: 7 });
    drain(channels);
    say(channels, 'a', 'b');
    channels.handleSctpEvent(message(7, 51, 0x78), 0);
    const pause = (): void => {
      chat.pauseReading();
    };
    expect(listen(channels, pause)).toEqual(['a', 'x']);
  });

  test('E4: close(): not one more message comes; what was there is counted and released', () => {
    const { port, channels, chat } = opened();
    say(channels, 'a', 'b', 'c');
    const close = (): void => {
      chat.close();
    };
    expect(listen(channels, close)).toEqual(['a']);
    expect([port.released, channels.inspect().counters.lateMessages]).toEqual([3, 2]);
    channels.handleSctpEvent(localReset(0), 0);
    channels.handleSctpEvent(remoteReset(0), 0);
    expect(story(drain(channels))).toEqual(['channelclose']);
  });

  test('E4: the peer has closed the channel, and its last messages are on their way: they keep their place', () => {
    const { channels, chat } = opened();
    say(channels, 'a', 'b');
    channels.handleSctpEvent(remoteReset(0), 0);
    channels.handleSctpEvent(localReset(0), 0);
    const pause = (): void => {
      chat.pauseReading();
    };
    expect(listen(channels, pause)).toEqual(['a', 'b', 'channelclosing', 'channelclose']);
  });

  test('E4: paused, and then the association ends: what waits comes first', () => {
    const { channels, chat } = opened();
    say(channels, 'a', 'b');
    const pause = (text: string): void => {
      if (text !== 'a') return;
      chat.pauseReading();
      channels.handleSctpEvent(closed(), 0);
    };
    expect(listen(channels, pause)).toEqual(['a', 'b', 'channelclose']);
  });
});

describe('send options', () => {
  test('a message may differ from its channel', () => {
    const { port, channels } = opened();
    const fast = channels.createChannel('fast', {
      negotiated: true,
      id: 9,
      ordered: false,
      maxRetransmits: 3,
      priority: 'high',
    });
    fast.send('a');
    fast.send('b', { maxRetransmits: 0, maxPacketLifeTime: 50, priority: 'very-low' });
    expect(port.takeSent().map(({ message }) => message)).toMatchObject([
      { maxRetransmits: 3, maxPacketLifeTime: undefined, priority: undefined, token: undefined },
      { maxRetransmits: 0, maxPacketLifeTime: 50, priority: 128 },
    ]);
  });

  test.each<[string, SendOptions]>([
    ['maxPacketLifeTime', { maxPacketLifeTime: -1 }],
    ['maxPacketLifeTime', { maxPacketLifeTime: NaN }],
    ['maxRetransmits', { maxRetransmits: 1.5 }],
    ['priority', { priority: 'urgent' as 'high' }],
  ])('%s out of range is refused, and nothing is sent', (name, options) => {
    const { port, chat } = opened();
    expect(() => chat.send('a', options)).toThrow(new RegExp(name));
    expect(port.takeSent()).toEqual([]);
  });
});

describe('outcomes', () => {
  function asked(...ids: (string | number)[]): ReturnType<typeof opened> & { tokens: unknown[] } {
    const bench = opened();
    for (const id of ids) bench.chat.send('x', { id });
    return { ...bench, tokens: bench.port.takeSent().map(({ message }) => message.token) };
  }

  test('what the association says of a message, its channel passes on once', () => {
    const { channels, chat, tokens } = asked('a', 7);
    const outcome = { type: 'messageoutcome', streamId: 0, token: tokens[1], outcome: 'expired' } as const;
    channels.handleSctpEvent(outcome, 0);
    channels.handleSctpEvent(outcome, 0);
    expect(drain(channels)).toEqual([{ type: 'messageoutcome', channel: chat, id: 7, outcome: 'expired' }]);
  });

  test('a message that was refused for want of room has none', () => {
    const { port, channels, chat } = opened();
    port.full = true;
    expect(chat.send('x', { id: 1 })).toBe(false);
    channels.handleSctpEvent(closed(), 0);
    expect(story(drain(channels))).toEqual(['channelclose']);
  });

  test('the association ends: each is discarded, before its channel closes', () => {
    const { channels } = asked('a', 'b');
    channels.handleSctpEvent(closed(), 0);
    expect(story(drain(channels))).toEqual(['a discarded', 'b discarded', 'channelclose']);
  });

  test('both directions reset: the peer has everything, whether its SACK has come or not', () => {
    const { channels, chat } = asked('a');
    chat.close();
    channels.handleSctpEvent(localReset(0), 0);
    channels.handleSctpEvent(remoteReset(0), 0);
    expect(story(drain(channels))).toEqual(['a acknowledged', 'channelclose']);
  });

  test('a reset that is never answered: nobody knows', () => {
    const { channels, chat } = asked('a');
    chat.close();
    channels.handleSctpEvent(localReset(0, 'timeout'), 0);
    expect(story(drain(channels))).toEqual(['a discarded', 'channelclose']);
  });
});

test('a gate that expires says how long the peer has been silent', () => {
  const { port, channels } = connected('client');
  channels.createChannel('chat');
  channels.handleTimeout(0);
  port.peerSilentFor = 4321;
  channels.handleTimeout(10_000);
  const error = drain(channels).find((event) => event.type === 'channelerror');
  expect(error).toMatchObject({ failure: { gate: 'openAck', elapsed: 10_000, peerSilentFor: 4321 } });
});
