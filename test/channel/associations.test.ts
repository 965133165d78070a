/** Channels over real associations: two ends, a virtual clock and a wire that may lose packets. */
import { describe, expect, test } from 'vitest';
import type { ChannelEvent, ChannelOptions, DataChannel } from '../../src/channel/index.ts';
import { DataChannels } from '../../src/channel/index.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { SctpAssociation } from '../../src/sctp/index.ts';

/** One end: an association, its channels, and everything the channels have reported. */
class End {
  readonly association: SctpAssociation;
  readonly channels: DataChannels;
  readonly events: ChannelEvent[] = [];

  constructor(seed: number, options: ChannelOptions) {
    this.association = new SctpAssociation({
      random: new SeededRandom(seed),
      remoteMaxMessageSize: 262_144,
      sendBuffer: 1_000_000,
    });
    this.channels = new DataChannels(this.association, options);
  }

  /** Carries events up, as `Rtc` does. */
  settle(now: number): void {
    for (
      let event = this.association.pollEvent();
      event !== undefined;
      event = this.association.pollEvent()
    ) {
      this.channels.handleSctpEvent(event, now);
    }
    for (let event = this.channels.pollEvent(); event !== undefined; event = this.channels.pollEvent()) {
      this.events.push(event);
    }
  }

  nextTimeout(): number {
    return Math.min(this.association.nextTimeout(), this.channels.nextTimeout());
  }

  handleTimeout(now: number): void {
    this.association.handleTimeout(now);
    this.channels.handleTimeout(now);
    this.settle(now);
  }

  /** Types of the events so far, in order; of one channel only, if given. */
  types(channel?: DataChannel): string[] {
    return this.events.flatMap((event) =>
      channel === undefined || event.channel === channel ? [event.type] : [],
    );
  }

  /** The channel of the n-th `datachannel` event. */
  opened(n = 0): DataChannel {
    const event = this.events.filter((each) => each.type === 'datachannel')[n];
    return event?.channel ?? expect.unreachable();
  }

  received(): (string | Bytes)[] {
    return this.events.flatMap((event) => (event.type === 'message' ? [event.data] : []));
  }
}

/** Delay of the wire in each direction, in milliseconds. */
const DELAY = 10;

class Link {
  readonly client: End;
  readonly server: End;
  now = 0;
  /** Part of the packets that are lost: 0 none, 1 all. */
  loss = 0;
  readonly #luck: SeededRandom;
  #wire: { readonly at: number; readonly to: End; readonly packet: Bytes }[] = [];

  constructor(seed: number, options: ChannelOptions = {}) {
    this.client = new End(seed, options);
    this.server = new End(seed + 1, options);
    this.#luck = new SeededRandom(seed + 2);
  }

  connect(): this {
    this.client.channels.setRole('client');
    this.server.channels.setRole('server');
    this.client.association.connect(this.now);
    this.server.association.connect(this.now);
    return this.run(1_000);
  }

  /** Lets `milliseconds` pass. */
  run(milliseconds: number): this {
    const end = this.now + milliseconds;
    for (;;) {
      this.#send(this.client, this.server);
      this.#send(this.server, this.client);
      const arrival = this.#wire[0]?.at ?? Infinity;
      const next = Math.min(arrival, this.client.nextTimeout(), this.server.nextTimeout());
      if (next > end) break;
      this.now = Math.max(this.now, next);
      if (arrival <= this.now) this.#deliver();
      this.client.handleTimeout(this.now);
      this.server.handleTimeout(this.now);
    }
    this.now = end;
    this.client.handleTimeout(end);
    this.server.handleTimeout(end);
    return this;
  }

  #send(from: End, to: End): void {
    from.settle(this.now);
    for (let packet = from.association.pollTransmit(); packet !== undefined;) {
      if (this.#luck.unit() >= this.loss) this.#wire.push({ at: this.now + DELAY, to, packet });
      packet = from.association.pollTransmit();
    }
  }

  #deliver(): void {
    const arrived = this.#wire.filter(({ at }) => at <= this.now);
    this.#wire = this.#wire.filter(({ at }) => at > this.now);
    for (const { to, packet } of arrived) {
      to.association.handlePacket(packet, this.now);
      to.settle(this.now);
    }
  }
}

describe('two associations back to back', () => {
  test('a channel opens, carries every kind of message both ways, and closes', () => {
    const link = new Link(1);
    const chat = link.client.channels.createChannel('chat', { protocol: 'v1' });
    link.connect();
    expect(chat.readyState).toBe('open');
    const theirs = link.server.opened();
    expect(theirs).toMatchObject({ label: 'chat', protocol: 'v1', id: 0, readyState: 'open' });
    const sent = ['héllo', Uint8Array.of(0, 255), '', new Uint8Array(0), new Uint8Array(262_144).fill(7)];
    for (const data of sent) {
      expect(chat.send(data)).toBe(true);
      expect(theirs.send(data)).toBe(true);
    }
    link.run(5_000);
    expect(link.server.received()).toEqual(sent);
    expect(link.client.received()).toEqual(sent);
    chat.close();
    link.run(1_000);
    expect(link.client.types(chat).slice(-1)).toEqual(['channelclose']);
    expect(link.server.types(theirs).slice(-2)).toEqual(['channelclosing', 'channelclose']);
    expect(link.client.events.at(-1)).not.toHaveProperty('failure');
    for (const end of [link.client, link.server]) {
      expect(end.channels.inspect()).toMatchObject({ channels: [], timers: {}, quarantinedStreams: 0 });
    }
  });

  test('identifiers are used again, as often as one likes', () => {
    const link = new Link(2).connect();
    for (let i = 0; i < 20; i++) {
      const chat = link.client.channels.createChannel(`chat ${i}`, { ordered: i % 2 === 0 });
      link.run(100);
      expect(chat.id).toBe(0);
      expect(chat.send(`message ${i}`)).toBe(true);
      chat.close();
      link.run(200);
      expect(chat.readyState).toBe('closed');
    }
    expect(link.server.received()).toEqual(Array.from({ length: 20 }, (_, i) => `message ${i}`));
  });

  test('close() loses nothing that send() has accepted', () => {
    const link = new Link(3);
    const chat = link.client.channels.createChannel('bulk');
    link.connect();
    for (let i = 0; i < 50; i++) expect(chat.send(new Uint8Array(16_384).fill(i))).toBe(true);
    expect(chat.bufferedAmount).toBeGreaterThan(0);
    chat.close();
    expect(chat.readyState).toBe('closing');
    link.run(5_000);
    expect(link.server.received()).toHaveLength(50);
    expect(link.client.types(chat)).toEqual(['channelopen', 'channelclose']);
  });

  test('a full send buffer says no, and bufferedamountlow says when to go on', () => {
    const link = new Link(4);
    const chat = link.client.channels.createChannel('bulk');
    link.connect();
    chat.bufferedAmountLowThreshold = 100_000;
    let accepted = 0;
    while (chat.send(new Uint8Array(10_000))) accepted++;
    expect(accepted).toBe(100);
    // A new channel finds no room for its OPEN, and opens all the same.
    const late = link.client.channels.createChannel('late');
    expect(link.client.channels.inspect().queuedControl).toBe(1);
    link.run(5_000);
    expect(link.client.types(chat)).toEqual(['channelopen', 'bufferedamountlow']);
    expect(late.readyState).toBe('open');
    expect(link.server.received()).toHaveLength(100);
  });

  test('many channels, opened and closed from both ends at once', () => {
    const link = new Link(5);
    const create = (end: End, name: string): DataChannel[] =>
      Array.from({ length: 100 }, (_, i) => end.channels.createChannel(`${name} ${i}`));
    const all = [...create(link.client, 'client'), ...create(link.server, 'server')];
    link.connect();
    expect(all.every((channel) => channel.readyState === 'open')).toBe(true);
    expect(new Set(all.map((channel) => channel.id)).size).toBe(200);
    for (const channel of all) channel.close();
    for (let n = 0; n < 100; n += 2) link.server.opened(n).close();
    link.run(5_000);
    expect(all.every((channel) => channel.readyState === 'closed')).toBe(true);
    for (const end of [link.client, link.server]) {
      expect(end.channels.inspect()).toMatchObject({ channels: [], quarantinedStreams: 0, timers: {} });
      expect(end.types().filter((type) => type === 'channelclose')).toHaveLength(200);
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'with every fifth packet lost, all of it still happens (seed %d)',
    (seed) => {
      const link = new Link(seed * 100);
      link.loss = 0.2;
      const chat = link.client.channels.createChannel('chat', { ordered: seed % 2 === 0 });
      link.connect().run(9_000);
      expect(chat.readyState).toBe('open');
      const sent = Array.from({ length: 30 }, (_, i) => `message ${i}`);
      for (const data of sent) chat.send(data);
      link.run(10_000);
      expect(link.server.received().sort()).toEqual(sent.sort());
      link.server.opened().close();
      link.run(9_000);
      expect(link.client.types(chat).slice(-2)).toEqual(['channelclosing', 'channelclose']);
      expect(link.client.events.at(-1)).not.toHaveProperty('failure');
      expect(link.server.events.at(-1)).toMatchObject({ type: 'channelclose' });
    },
  );

  test('F2 openAck: a peer that answers packets but no OPEN loses the channel, not the association', () => {
    const link = new Link(7);
    link.connect();
    // Z's association takes the OPEN; nobody above it hears of it.
    link.server.settle = (): void => undefined;
    const chat = link.client.channels.createChannel('chat');
    link.run(9_900);
    expect(link.client.types()).toEqual([]);
    link.run(200);
    expect(link.client.events).toMatchObject([
      { type: 'channelerror', failure: { gate: 'openAck', elapsed: 10_000 } },
    ]);
    // Z performs our reset and never resets its own direction (G14).
    link.run(10_000);
    expect(link.client.types(chat)).toEqual(['channelerror', 'channelclose']);
    expect(link.client.association.state).toBe('established');
    expect(link.client.channels.inspect()).toMatchObject({ quarantinedStreams: 1, timers: {} });
  });

  test('F2: a peer that vanishes closes every channel once, with the reason of the association', () => {
    const link = new Link(8);
    const chat = link.client.channels.createChannel('chat');
    const draining = link.client.channels.createChannel('draining');
    link.connect();
    link.loss = 1;
    chat.send('unheard');
    draining.send(new Uint8Array(200_000));
    draining.close();
    const opening = link.client.channels.createChannel('opening');
    link.run(60_000);
    for (const channel of [chat, draining, opening]) {
      expect(channel.readyState).toBe('closed');
      expect(link.client.types(channel).filter((type) => type === 'channelclose')).toHaveLength(1);
    }
    expect(
      link.client.events.find((event) => event.channel === chat && event.type === 'channelclose'),
    ).toMatchObject({
      failure: { layer: 'sctp' },
    });
    expect(link.client.nextTimeout()).toBe(Infinity);
    expect(link.client.channels.inspect()).toMatchObject({
      association: 'closed',
      channels: [],
      queuedEvents: 0,
    });
  });

  test('an abort by the peer is the end of every channel, at once', () => {
    const link = new Link(9);
    const chat = link.client.channels.createChannel('chat');
    link.connect();
    link.server.association.abort('done', link.now);
    link.run(100);
    expect(link.client.types(chat)).toEqual(['channelopen', 'channelclose']);
    expect(link.server.types()).toEqual(['datachannel', 'channelclose']);
    expect(link.client.nextTimeout()).toBe(Infinity);
  });
});

describe('the graceful end (RFC 9260 §9.2)', () => {
  function open(seed: number): { link: Link; chat: DataChannel; theirs: DataChannel } {
    const link = new Link(seed);
    const chat = link.client.channels.createChannel('chat');
    link.connect();
    return { link, chat, theirs: link.server.opened() };
  }

  function shutDown(end: End, now: number): void {
    end.channels.shutdown(now);
    end.association.shutdown(now);
  }

  test.each([0, 0.2])(
    'what both ends have accepted arrives, then each channel closes once, loss %d',
    (loss) => {
      const { link, chat, theirs } = open(40);
      const sent = Array.from({ length: 20 }, (_, i) => new Uint8Array(10_000).fill(i));
      for (const data of sent) {
        expect(chat.send(data, { id: data[0] ?? 0 })).toBe(true);
        expect(theirs.send(data)).toBe(true);
      }
      const unsent = link.client.channels.createChannel('opening');
      link.loss = loss;
      shutDown(link.client, link.now);
      expect([chat.readyState, chat.send('more')]).toEqual(['closing', false]);
      expect(link.client.channels.createChannel('late').readyState).toBe('closed');
      expect(link.client.channels.inspect().association).toBe('shutting-down');
      for (let i = 0; i < 290; i++) {
        link.run(100);
        expect(link.client.channels.invariantViolation()).toBeUndefined();
        expect(link.server.channels.invariantViolation()).toBeUndefined();
      }
      expect(link.server.received()).toEqual(sent);
      expect(link.client.received()).toEqual(sent);
      const outcomes = link.client.events.flatMap((event) =>
        event.type === 'messageoutcome' ? [event.outcome] : [],
      );
      expect(outcomes).toEqual(sent.map(() => 'acknowledged'));
      for (const [end, channel] of [
        [link.client, chat],
        [link.client, unsent],
        [link.server, theirs],
      ] as const) {
        expect(end.types(channel).filter((type) => type.startsWith('channelc'))).toEqual(['channelclose']);
        expect(end.types(channel).at(-1)).toBe('channelclose');
        expect(end.types()).not.toContain('channelerror');
        const close = end.events.find((event) => event.type === 'channelclose' && event.channel === channel);
        expect(close).not.toHaveProperty('failure');
        expect(end.channels.inspect()).toMatchObject({ association: 'closed', channels: [], timers: {} });
      }
    },
  );

  test('both at once', () => {
    const { link, chat, theirs } = open(41);
    chat.send('one');
    theirs.send('two');
    shutDown(link.client, link.now);
    shutDown(link.server, link.now);
    link.run(2000);
    expect([link.server.received(), link.client.received()]).toEqual([['one'], ['two']]);
    expect([link.client.types(chat).at(-1), link.server.types(theirs).at(-1)]).toEqual([
      'channelclose',
      'channelclose',
    ]);
  });

  test('a channel that the peer closes meanwhile, one that we close, and one that closes already, close once', () => {
    const link = new Link(42);
    const [first, second, third] = ['first', 'second', 'third'].map((label) =>
      link.client.channels.createChannel(label),
    );
    link.connect();
    third?.close();
    link.server.opened(0).close();
    link.server.opened(1).send('unheard');
    shutDown(link.client, link.now);
    second?.close();
    link.run(5000);
    expect(link.client.received()).toEqual([]);
    for (const channel of [first, second, third]) {
      expect(channel?.readyState).toBe('closed');
      expect(link.client.types(channel).filter((type) => type === 'channelclose')).toHaveLength(1);
    }
    expect(link.client.types()).not.toContain('channelerror');
    expect(link.client.events.filter((event) => 'failure' in event)).toEqual([]);
  });

  test('a channel of the peer that opens meanwhile is told, gives out what it says, and closes', () => {
    const { link } = open(43);
    const late = link.server.channels.createChannel('late', { negotiated: false });
    shutDown(link.client, link.now);
    link.run(5000);
    const theirs = link.client.opened();
    expect([theirs.label, theirs.readyState, late.readyState]).toEqual(['late', 'closed', 'closed']);
    expect(link.client.types(theirs)).toEqual(['datachannel', 'channelclose']);
  });

  test('channels that wait for the association close at once; a second call changes nothing', () => {
    const link = new Link(44);
    const early = link.client.channels.createChannel('early');
    link.client.channels.shutdown(0);
    link.client.channels.shutdown(0);
    link.client.settle(0);
    expect([early.readyState, link.client.types(early)]).toEqual(['closed', ['channelclose']]);
  });

  test('the peer never answers: the reason is that of the gate', () => {
    const { link, chat } = open(45);
    link.loss = 1;
    shutDown(link.client, link.now);
    link.run(11_000);
    expect(link.client.types(chat)).toEqual(['channelopen', 'channelclose']);
    expect(link.client.events.at(-1)).toMatchObject({ failure: { code: 'shutdown-timeout' } });
  });
});
