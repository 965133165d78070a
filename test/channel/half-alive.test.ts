/**
 * F2: the gates of channels, over a real association whose peer is played by hand. Each wait ends within its gate, the
 * association and the other channels go on, and nothing is held afterwards.
 */
import { describe, expect, test } from 'vitest';
import { readU16, readU32 } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import type { ChannelEvent, ChannelOptions, DataChannel } from '../../src/channel/index.ts';
import { DataChannels, DEFAULT_CHANNEL_GATES } from '../../src/channel/index.ts';
import { encodeAck, encodeOpen } from '../../src/channel/dcep.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { decodeReconfig, encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import { inspect } from '../sctp/pair.ts';
import { Puppet } from '../sctp/puppet.ts';

const DCEP = 50;
const TEXT = 51;

/** A whole OPEN of the peer. */
const OPEN = encodeOpen({
  label: 'theirs',
  protocol: '',
  ordered: true,
  maxRetransmits: undefined,
  maxPacketLifeTime: undefined,
  priority: 256,
});

class ChannelPuppet extends Puppet {
  readonly channels: DataChannels;
  readonly told: ChannelEvent[] = [];
  /** What the peer does on its own: everything a good one does, unless a test takes it away. */
  readonly does = { sack: true, ack: true, answer: 1 as number | undefined, resetBack: true };
  window = 1_000_000;
  #requests = 0;
  readonly #ssn = new Map<number, number>();

  constructor(options: ChannelOptions = {}) {
    super();
    this.channels = new DataChannels(this.a, options);
    this.channels.setRole('client');
    this.channels.handleSctpEvent({ type: 'connected' }, this.now);
    this.upper = {
      handleEvent: (event, now) => {
        this.channels.handleSctpEvent(event, now);
        this.#listen();
      },
      handleTimeout: (now) => {
        this.channels.handleTimeout(now);
        this.#listen();
      },
      nextTimeout: () => this.channels.nextTimeout(),
    };
    this.onChunk = ({ type, body }): void => {
      if (type === CHUNK.data) this.#onData(body);
      if (type === CHUNK.reconfig) this.#onReconfig(body);
    };
  }

  /** A channel of ours that is open. */
  open(label: string): DataChannel {
    const channel = this.channels.createChannel(label);
    this.run(100);
    expect(channel.readyState).toBe('open');
    return channel;
  }

  /** A message, or a part of one, on a stream of the peer's, in order. */
  tell(streamId: number, ppid: number, payload: Uint8Array, flags = 3): void {
    const ssn = this.#ssn.get(streamId) ?? 0;
    if ((flags & 1) !== 0) this.#ssn.set(streamId, ssn + 1);
    this.say(this.data({ streamId, ssn, ppid, payload, flags }));
  }

  /** The peer resets its own direction. */
  reset(streamId: number): void {
    const lastTsn = this.takeTsn() - 1;
    // The TSN taken to look at the counter is used up by an empty promise: a message of nobody's stream.
    this.say(this.data({ tsn: lastTsn + 1, streamId: 65_535 }));
    this.say(
      encodeOutgoingReset({
        sequence: 5000 + this.#requests++,
        responseSequence: 0,
        lastTsn,
        streams: [streamId],
      }),
    );
    this.#ssn.delete(streamId);
  }

  /** The steps of a channel's life. */
  types(channel?: DataChannel): string[] {
    return this.told.flatMap(({ type, channel: of }) =>
      (channel !== undefined && of !== channel) || type === 'message' || type === 'bufferedamountlow'
        ? []
        : [type],
    );
  }

  #listen(): void {
    for (let event = this.channels.pollEvent(); event !== undefined; event = this.channels.pollEvent()) {
      this.told.push(event);
    }
  }

  #onData(body: Uint8Array): void {
    if (this.does.sack) this.say(this.sack((readU32(body, 0) - this.base) | 0, { window: this.window }));
    const isOpen = readU32(body, 8) === DCEP && body[12] === 3;
    if (isOpen && this.does.ack) this.tell(readU16(body, 4), DCEP, encodeAck());
  }

  #onReconfig(body: Uint8Array): void {
    const parameters = decodeReconfig(body);
    if (isFailure(parameters)) throw new Error(parameters.reason);
    for (const parameter of parameters) {
      if (parameter.type !== 'outgoing-reset' || this.does.answer === undefined) continue;
      this.say(encodeResponse(parameter.sequence, this.does.answer));
      if (this.does.answer === 1 && this.does.resetBack) for (const id of parameter.streams) this.reset(id);
    }
  }
}

/** The association and a channel beside the one in trouble are as they were, and no gate has a clock running. */
function expectUnharmed(puppet: ChannelPuppet, beside: DataChannel): void {
  expect(puppet.a.state).toBe('established');
  expect(beside.readyState).toBe('open');
  expect(puppet.types(beside)).toEqual(['channelopen']);
  expect(puppet.channels.inspect()).toMatchObject({ timers: {}, queuedEvents: 0, queuedControl: 0 });
  expect(inspect(puppet.a).send).toMatchObject({ bufferedBytes: 0, outstandingChunks: 0 });
  expect(inspect(puppet.a).receive).toMatchObject({ usedBytes: 0, fragments: 0 });
}

/** Every second a message passes on the channel `beside`, both ways: nobody else's clock cares. */
function traffic(puppet: ChannelPuppet, beside: DataChannel): { period: number; does: () => void } {
  return {
    period: 1000,
    does: () => {
      if (puppet.a.state !== 'established') return;
      if (puppet.window > 0) beside.send('ping');
      puppet.tell(beside.id ?? 0, TEXT, Uint8Array.of(112));
    },
  };
}

function failureOf(
  puppet: ChannelPuppet,
  channel: DataChannel,
  type: 'channelerror' | 'channelclose',
): object | undefined {
  const event = puppet.told.find((each) => each.type === type && each.channel === channel);
  return event?.type === 'channelerror' || event?.type === 'channelclose' ? event.failure : undefined;
}

test('the gates in question are those of the layer', () => {
  expect(Object.keys(DEFAULT_CHANNEL_GATES).sort()).toEqual([
    'closeDrain',
    'inboundOpen',
    'openAck',
    'reassembly',
    'streamReset',
  ]);
});

describe('openAck (G3)', () => {
  test('a peer that acknowledges every chunk and no OPEN', () => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    puppet.does.ack = false;
    const chat = puppet.channels.createChannel('chat');
    const startedAt = puppet.now;
    puppet.run(20_000, traffic(puppet, beside));
    expect(puppet.types(chat)).toEqual(['channelerror', 'channelclose']);
    expect(failureOf(puppet, chat, 'channelerror')).toMatchObject({
      code: 'open-timeout',
      gate: 'openAck',
      elapsed: 10_000,
    });
    expect(puppet.now - startedAt).toBe(20_000);
    puppet.run(1000);
    expectUnharmed(puppet, beside);
  });
});

describe('inboundOpen (G5, S21)', () => {
  test('half an OPEN: its stream is refused after 10 s, and not even the association’s own patience is tried', () => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    puppet.does.resetBack = false;
    puppet.tell(1, DCEP, OPEN.subarray(0, 5), 2);
    expect(inspect(puppet.a).receive?.fragments).toBe(1);
    puppet.run(9_999, traffic(puppet, beside));
    expect(puppet.channels.inspect().halfOpenStreams).toBe(1);
    puppet.run(1, traffic(puppet, beside));
    expect(puppet.channels.inspect()).toMatchObject({ halfOpenStreams: 0, counters: { openExpired: 1 } });
    expect(inspect(puppet.a).receive).toMatchObject({ fragments: 0, ignoredStreams: 1 });
    // The peer never resets its own direction: the identifier is given up, and the gate `reassembly` has nothing to say.
    puppet.run(200_000, traffic(puppet, beside));
    puppet.run(1500);
    expect(puppet.channels.inspect()).toMatchObject({ refusedStreams: 0, quarantinedStreams: 1 });
    expectUnharmed(puppet, beside);
  });

  test('the other half comes too late: it is dropped; after a reset the stream is as good as any', () => {
    const puppet = new ChannelPuppet();
    puppet.does.resetBack = false;
    puppet.tell(1, DCEP, OPEN.subarray(0, 5), 2);
    puppet.run(12_000);
    puppet.tell(1, DCEP, OPEN.subarray(5), 1);
    puppet.run(1000);
    expect(puppet.types()).toEqual([]);
    expect(puppet.count('ignored-chunk')).toBe(1);
    puppet.reset(1);
    puppet.tell(1, DCEP, OPEN);
    puppet.run(1000);
    expect(puppet.types()).toEqual(['datachannel']);
    expect(inspect(puppet.a).receive).toMatchObject({ ignoredStreams: 0 });
  });

  test('drips its OPEN, a byte every two seconds: 10 s from the first one all the same', () => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    puppet.tell(1, DCEP, OPEN.subarray(0, 1), 2);
    let at = 1;
    puppet.run(11_000, { period: 2000, does: () => puppet.tell(1, DCEP, OPEN.subarray(at, ++at), 0) });
    expect(puppet.channels.inspect().counters.openExpired).toBe(1);
    puppet.run(100_000);
    expectUnharmed(puppet, beside);
  });

  test.each([
    ['a message of an unknown kind', 99, Uint8Array.of(1), 'firstMessageNotOpen'],
    ['an OPEN cut short', DCEP, OPEN.subarray(0, 13), 'openMalformed'],
    ['an ACK for nothing', DCEP, encodeAck(), 'firstMessageNotOpen'],
    ['an unknown DCEP message', DCEP, Uint8Array.of(9, 9, 9), 'openMalformed'],
  ] as const)('%s: refused at once', (_, ppid, data, counter) => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    puppet.tell(1, ppid, data);
    puppet.run(1000, traffic(puppet, beside));
    expect(puppet.channels.inspect().counters[counter]).toBe(1);
    expect(puppet.channels.inspect()).toMatchObject({ refusedStreams: 0, quarantinedStreams: 0 });
    puppet.run(500);
    expectUnharmed(puppet, beside);
  });

  test('forty half OPENs at once: each stream ends alone, a channel opened meanwhile is not kept waiting', () => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    for (let i = 0; i < 40; i++) puppet.tell(1 + 2 * i, DCEP, OPEN.subarray(0, 5), 2);
    puppet.run(5000);
    puppet.tell(101, DCEP, OPEN);
    puppet.run(100);
    expect(puppet.types()).toEqual(['channelopen', 'datachannel']);
    puppet.run(10_000);
    expect(puppet.channels.inspect()).toMatchObject({
      halfOpenStreams: 0,
      refusedStreams: 0,
      counters: { openExpired: 40 },
    });
    puppet.run(100_000);
    expectUnharmed(puppet, beside);
  });
});

describe('closeDrain (G13)', () => {
  test('a peer whose window stays shut while we close', () => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    const chat = puppet.open('chat');
    puppet.window = 0;
    chat.send('probe');
    puppet.run(10);
    for (let i = 0; i < 100; i++) chat.send(new Uint8Array(1000));
    chat.close();
    // SACKs come all the time, and say that the window is shut.
    const sacks = {
      period: 500,
      does: (): void => puppet.say(puppet.sack(puppet.sentNumbers().length, { window: 0 })),
    };
    puppet.run(29_000, sacks);
    expect(chat.readyState).toBe('closing');
    puppet.run(2000, sacks);
    expect(chat.bufferedAmount).toBe(0);
    puppet.window = 1_000_000;
    puppet.say(puppet.sack(puppet.sentNumbers().length));
    puppet.run(12_000);
    expect(puppet.types(chat)).toEqual(['channelopen', 'channelclose']);
    expect(failureOf(puppet, chat, 'channelclose')).toMatchObject({
      code: 'drain-timeout',
      gate: 'closeDrain',
    });
    expectUnharmed(puppet, beside);
  });
});

describe('streamReset (G12, G14)', () => {
  test.each([
    ['never answers', undefined, true, 'reset-timeout'],
    ['answers "in progress" for ever', 6, true, 'reset-timeout'],
    ['answers "bad sequence number" for ever', 5, true, 'reset-denied'],
    ['denies it', 2, true, 'reset-denied'],
    ['performs ours and never resets its own direction', 1, false, 'reset-timeout'],
  ] as const)('a peer that %s', (_, answer, resetBack, code) => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    const chat = puppet.open('chat');
    puppet.does.answer = answer;
    puppet.does.resetBack = resetBack;
    chat.close();
    puppet.run(10_500, traffic(puppet, beside));
    expect(puppet.types(chat)).toEqual(['channelopen', 'channelclose']);
    const failure = failureOf(puppet, chat, 'channelclose');
    expect(failure).toMatchObject({ code });
    expect(puppet.channels.inspect()).toMatchObject({ quarantinedStreams: 1, refusedStreams: 0 });
    // What the peer begins on it is dropped, half or whole.
    puppet.tell(chat.id ?? 0, TEXT, Uint8Array.of(1), 2);
    puppet.run(100_000, traffic(puppet, beside));
    puppet.run(1500);
    expectUnharmed(puppet, beside);
    // The identifier is not used again.
    expect(puppet.channels.createChannel('next').id).not.toBe(chat.id);
  });
});

describe('reassembly', () => {
  test('a message in deprecated pieces that never ends', () => {
    const puppet = new ChannelPuppet();
    const beside = puppet.open('beside');
    const chat = puppet.open('chat');
    puppet.tell(chat.id ?? 0, 54, Uint8Array.of(1));
    puppet.run(62_000, traffic(puppet, beside));
    expect(puppet.types(chat)).toEqual(['channelopen', 'channelerror', 'channelclose']);
    expect(failureOf(puppet, chat, 'channelerror')).toMatchObject({ gate: 'reassembly', elapsed: 60_000 });
    puppet.run(1500);
    expectUnharmed(puppet, beside);
  });
});

describe('limits', () => {
  test('maxRefusedStreams: streams beyond it are dropped without an answer; once there is room they are refused', () => {
    const puppet = new ChannelPuppet({ limits: { maxRefusedStreams: 4 } });
    puppet.does.answer = undefined;
    for (let i = 0; i < 100; i++) puppet.tell(1 + 2 * i, DCEP, encodeAck());
    puppet.run(100);
    expect(puppet.channels.inspect()).toMatchObject({
      refusedStreams: 4,
      counters: { firstMessageNotOpen: 100, unansweredStreams: 96 },
    });
    puppet.run(30_000);
    expect(puppet.channels.inspect()).toMatchObject({ refusedStreams: 0, quarantinedStreams: 4 });
    puppet.does.answer = 1;
    puppet.run(5000);
    expect(puppet.channels.inspect().quarantinedStreams).toBe(0);
    puppet.tell(51, DCEP, encodeAck());
    puppet.run(1000);
    expect(puppet.channels.inspect().counters).toMatchObject({
      firstMessageNotOpen: 101,
      unansweredStreams: 96,
    });
    expect(puppet.a.state).toBe('established');
  });

  test('S20: resets of streams that are nobody’s, in one request with one that is: that one is performed', () => {
    const puppet = new ChannelPuppet();
    const chat = puppet.open('chat');
    puppet.does.resetBack = false;
    const lastTsn = puppet.takeTsn() - 1;
    puppet.say(
      encodeOutgoingReset({
        sequence: 5000,
        responseSequence: 0,
        lastTsn,
        streams: [7, 9, chat.id ?? 0, 11],
      }),
    );
    puppet.run(1000);
    expect(puppet.types(chat)).toEqual(['channelopen', 'channelclosing', 'channelclose']);
    expect(puppet.channels.inspect()).toMatchObject({ refusedStreams: 0, quarantinedStreams: 0, timers: {} });
  });
});
