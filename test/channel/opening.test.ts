import { describe, expect, test } from 'vitest';
import type { DataChannel } from '../../src/channel/index.ts';
import { DataChannels, decodeDcep, encodeAck, encodeOpen } from '../../src/channel/index.ts';
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

const LIMITS = { maxLabelLength: 65535, maxProtocolLength: 65535 };
const OPEN = encodeOpen({ label: 'chat', protocol: '', priority: 256, ordered: true });
const ACK = encodeAck();

function misuse(code: string): unknown {
  return expect.objectContaining({ code });
}

describe('a channel that we open', () => {
  test('opens when the peer acknowledges it', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat', { protocol: 'v1', ordered: false, maxRetransmits: 3 });
    const [open] = port.takeSent();
    // A -> OPEN -> Z, reliable and ordered although the channel is neither
    expect(open).toMatchObject({ streamId: 0, message: { ppid: 50 } });
    expect(open?.message).not.toHaveProperty('unordered', true);
    expect(open?.message).not.toHaveProperty('maxRetransmits');
    expect(decodeDcep(open?.message.data ?? ACK, LIMITS)).toMatchObject({
      label: 'chat',
      protocol: 'v1',
      ordered: false,
      maxRetransmits: 3,
      priority: 256,
    });
    expect(chat.readyState).toBe('connecting');
    // A <- ACK <- Z
    channels.handleSctpEvent(dcep(0, ACK), 10);
    expect(drain(channels)).toEqual([{ type: 'channelopen', channel: chat }]);
    expect(chat.readyState).toBe('open');
    expect(channels.nextTimeout()).toBe(Infinity);
  });

  test('opens when data comes before the ACK, which then changes nothing', () => {
    const { channels } = connected('client');
    const chat = channels.createChannel('chat', { ordered: false });
    // A <- data <- Z, ahead of its ACK
    channels.handleSctpEvent(message(0, 51, 0x68, 0x69), 10);
    expect(drain(channels)).toEqual([
      { type: 'channelopen', channel: chat },
      { type: 'message', channel: chat, data: 'hi' },
    ]);
    // A <- ACK <- Z
    channels.handleSctpEvent(dcep(0, ACK), 20);
    expect(types(channels)).toEqual([]);
    expect(chat.readyState).toBe('open');
  });

  test('sends nothing before it is open (W3C InvalidStateError)', () => {
    const { channels } = connected('client');
    const chat = channels.createChannel('chat');
    expect(() => chat.send('too early')).toThrow(misuse('ERR_INVALID_STATE'));
  });

  test('created before the association, it waits for it, and only then the clock of its gate starts', () => {
    const port = new FakePort();
    const channels = new DataChannels(port);
    channels.createChannel('early');
    channels.setRole('server');
    expect(port.takeSent()).toEqual([]);
    expect(channels.nextTimeout()).toBe(Infinity);
    channels.handleSctpEvent({ type: 'connected' }, 5_000);
    expect(port.takeSent()).toHaveLength(1);
    expect(channels.nextTimeout()).toBe(15_000);
    expect(channels.timeoutReason()).toBe('openAck');
  });

  test('gets its identifier with the role: client even, server odd, in order of creation', () => {
    for (const [role, ids] of [
      ['client', [0, 2, 4]],
      ['server', [1, 3, 5]],
    ] as const) {
      const channels = new DataChannels(new FakePort());
      const early = [channels.createChannel('a'), channels.createChannel('b')];
      expect(early.map((channel) => channel.id)).toEqual([undefined, undefined]);
      channels.setRole(role);
      const all = [...early, channels.createChannel('c')];
      expect(all.map((channel) => channel.id)).toEqual(ids);
    }
  });

  test('passes by the identifiers of negotiated channels', () => {
    const channels = new DataChannels(new FakePort());
    const first = channels.createChannel('in-band');
    channels.createChannel('negotiated', { negotiated: true, id: 0 });
    channels.setRole('client');
    expect(first.id).toBe(2);
  });

  test('waits for room in the send buffer, and its gate runs meanwhile', () => {
    const { port, channels } = connected('client');
    port.full = true;
    const chat = channels.createChannel('chat');
    channels.createChannel('more');
    expect(channels.inspect().queuedControl).toBe(2);
    expect(channels.nextTimeout()).toBe(10_000);
    port.full = false;
    expect(types(channels)).toEqual([]);
    expect(port.takeSent().map((sent) => sent.streamId)).toEqual([0, 2]);
    channels.handleSctpEvent(dcep(0, ACK), 1);
    expect(chat.readyState).toBe('open');
  });

  test('F2 openAck: without an answer it fails after 10 s, is reset, and the association lives', () => {
    const { port, channels } = connected('client');
    const other = channels.createChannel('other');
    channels.handleSctpEvent(dcep(0, ACK), 0);
    channels.handleTimeout(1_000);
    const chat = channels.createChannel('chat');
    channels.handleTimeout(1_000);
    drain(channels);
    channels.handleTimeout(10_999);
    expect(types(channels)).toEqual([]);
    channels.handleTimeout(11_000);
    const failure = expect.objectContaining({
      code: 'open-timeout',
      gate: 'openAck',
      elapsed: 10_000,
    }) as unknown;
    expect(drain(channels)).toEqual([{ type: 'channelerror', channel: chat, failure }]);
    expect(chat.readyState).toBe('closing');
    expect(port.takeResets()).toEqual([2]);
    expect(port.discarded).toEqual([2]);
    channels.handleSctpEvent(localReset(2), 11_010);
    channels.handleSctpEvent(remoteReset(2), 11_010);
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat, failure }]);
    expect(other.readyState).toBe('open');
    expect(channels.nextTimeout()).toBe(Infinity);
  });

  test('a reset instead of an ACK refuses it (RFC 8832 §6)', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat');
    channels.handleSctpEvent(remoteReset(0), 5);
    const failure = expect.objectContaining({ code: 'open-refused' }) as unknown;
    expect(drain(channels)).toEqual([{ type: 'channelerror', channel: chat, failure }]);
    expect(port.takeResets()).toEqual([0]);
    channels.handleSctpEvent(localReset(0), 6);
    expect(drain(channels)).toEqual([{ type: 'channelclose', channel: chat, failure }]);
  });

  test('whose OPEN is larger than any message the peer takes fails without sending', () => {
    const { port, channels } = connected('client');
    port.maxMessageSize = 20;
    const chat = channels.createChannel('a label too long');
    expect(types(channels)).toEqual(['channelerror', 'channelclose']);
    expect(chat.readyState).toBe('closed');
    expect(port.takeSent()).toEqual([]);
    expect(channels.createChannel('short').id).toBe(0);
  });

  test('is not opened on a stream that the peer uses for another', () => {
    const { port, channels } = connected('client');
    const chat = channels.createChannel('chat');
    // Z opens our even stream itself.
    channels.handleSctpEvent(dcep(0, OPEN), 1);
    expect(types(channels)).toEqual(['channelerror']);
    expect(chat.readyState).toBe('closing');
    expect(port.takeResets()).toEqual([0]);
    expect(channels.inspect().counters.protocolViolations).toBe(1);
  });
});

describe('a channel that the peer opens', () => {
  test('is acknowledged and open at once', () => {
    const { port, channels } = connected('server');
    const open = { label: 'fast', protocol: 'p', priority: 1024, ordered: false, maxPacketLifeTime: 150 };
    channels.handleSctpEvent(dcep(4, encodeOpen(open)), 1);
    const [event] = drain(channels);
    if (event?.type !== 'datachannel') expect.unreachable();
    const { channel } = event;
    expect(channel).toMatchObject({
      id: 4,
      label: 'fast',
      protocol: 'p',
      priority: 'high',
      ordered: false,
      maxRetransmits: undefined,
      maxPacketLifeTime: 150,
      negotiated: false,
      origin: 'remote',
      readyState: 'open',
    });
    const [ack] = port.takeSent();
    expect(ack?.streamId).toBe(4);
    expect(ack?.message).toEqual({ ppid: 50, data: ACK });
    channel.send('now');
    expect(port.takeSent()[0]?.message).toMatchObject({ ppid: 51, unordered: true, maxPacketLifeTime: 150 });
  });

  test('names of a priority stand for a range of numbers', () => {
    const { channels } = connected('server');
    const names = [0, 128, 129, 256, 512, 513, 65535].map((priority, i) => {
      channels.handleSctpEvent(
        dcep(i * 2, encodeOpen({ label: '', protocol: '', priority, ordered: true })),
        1,
      );
      const [event] = drain(channels);
      return event?.channel.priority;
    });
    expect(names).toEqual(['very-low', 'very-low', 'low', 'low', 'medium', 'high', 'high']);
  });

  test('has its ACK sent later when the send buffer is full', () => {
    const { port, channels } = connected('server');
    port.full = true;
    channels.handleSctpEvent(dcep(0, OPEN), 1);
    expect(types(channels)).toEqual(['datachannel']);
    port.full = false;
    expect(types(channels)).toEqual([]);
    expect(port.takeSent()).toEqual([{ streamId: 0, message: { ppid: 50, data: ACK } }]);
  });

  test.each([
    ['an ACK of nothing', dcep(0, ACK), 'firstMessageNotOpen'],
    ['an unknown identifier', message(0, 99, 1), 'firstMessageNotOpen'],
    ['a malformed OPEN', message(0, 50, 3, 0, 0), 'openMalformed'],
    ['an OPEN of our parity, if we insist,', dcep(1, OPEN), 'openBadStreamId'],
    ['an OPEN on the reserved stream', dcep(65535, OPEN), 'openBadStreamId'],
    [
      'a label over the limit',
      dcep(0, encodeOpen({ label: 'longer', protocol: '', priority: 0, ordered: true })),
      'openTextTooLong',
    ],
  ] as const)('S21: %s resets that stream alone, without an ACK', (_name, event, counter) => {
    const { port, channels } = connected('server', { limits: { maxLabelLength: 4 }, tolerateParity: false });
    if (event.type !== 'message') expect.unreachable();
    channels.handleSctpEvent(event, 1);
    expect(types(channels)).toEqual([]);
    expect(port.takeSent()).toEqual([]);
    expect(port.takeResets()).toEqual([event.streamId]);
    expect(channels.inspect()).toMatchObject({ refusedStreams: 1, counters: { [counter]: 1 } });
    // What else comes on it is dropped, and an OPEN on another stream is as good as ever.
    channels.handleSctpEvent(message(event.streamId, 51, 1), 2);
    channels.handleSctpEvent(dcep(20, OPEN), 2);
    expect(types(channels)).toEqual(['datachannel']);
    expect(channels.inspect().counters.lateMessages).toBe(1);
    // Both directions reset: the stream may be opened again.
    channels.handleSctpEvent(localReset(event.streamId), 3);
    channels.handleSctpEvent(remoteReset(event.streamId), 3);
    expect(channels.inspect()).toMatchObject({ refusedStreams: 0, timers: {} });
  });

  test.each([
    ['server', 1, 3],
    ['client', 0, 2],
  ] as const)('of our parity is taken and counted where its identifier is free: %s', (role, taken, next) => {
    const { port, channels } = connected(role);
    channels.handleSctpEvent(dcep(taken, OPEN), 1);
    expect(types(channels)).toEqual(['datachannel']);
    expect(port.takeSent()).toEqual([{ streamId: taken, message: { ppid: 50, data: ACK } }]);
    expect(port.takeResets()).toEqual([]);
    expect(channels.inspect().counters).toMatchObject({ openWrongParity: 1, openBadStreamId: 0 });
    // Ours goes round it.
    expect(channels.createChannel('ours').id).toBe(next);
    // One of its own is not counted.
    channels.handleSctpEvent(dcep(taken ^ 1, OPEN), 2);
    expect(channels.inspect().counters.openWrongParity).toBe(1);
  });

  test.each([true, false])(
    'that crosses ours on the same identifier costs both, tolerateParity: %s',
    (tolerateParity) => {
      const { port, channels } = connected('server', { tolerateParity });
      const ours = channels.createChannel('ours');
      expect(ours.id).toBe(1);
      channels.handleSctpEvent(dcep(1, OPEN), 1);
      expect(types(channels)).toEqual(['channelerror']);
      expect(ours.readyState).toBe('closing');
      expect(port.takeResets()).toEqual([1]);
      expect(channels.inspect().counters).toMatchObject({ protocolViolations: 1, openWrongParity: 0 });
      // The next one has an identifier to itself.
      expect(channels.createChannel('again').id).toBe(3);
    },
  );

  test('an OPEN on a channel that is open closes it (RFC 8832 §6)', () => {
    const { port, channels } = connected('server');
    channels.handleSctpEvent(dcep(0, OPEN), 1);
    channels.handleSctpEvent(dcep(0, OPEN), 2);
    expect(types(channels)).toEqual(['datachannel', 'channelerror']);
    expect(port.takeResets()).toEqual([0]);
  });

  test('F2 inboundOpen: half an OPEN has 10 s, then its stream is reset and the others have not noticed', () => {
    const { port, channels } = connected('server');
    channels.handleSctpEvent({ type: 'streamdata', streamId: 0 }, 1_000);
    channels.handleSctpEvent({ type: 'streamdata', streamId: 0 }, 9_000);
    channels.handleSctpEvent(dcep(2, OPEN), 9_000);
    expect(types(channels)).toEqual(['datachannel']);
    expect(channels.nextTimeout()).toBe(11_000);
    expect(channels.timeoutReason()).toBe('inboundOpen');
    channels.handleTimeout(11_000);
    expect(port.takeResets()).toEqual([0]);
    expect(channels.inspect()).toMatchObject({ halfOpenStreams: 0, counters: { openExpired: 1 } });
  });

  test('an OPEN in pieces that completes in time is as good as any', () => {
    const { channels } = connected('server');
    channels.handleSctpEvent({ type: 'streamdata', streamId: 0 }, 1_000);
    channels.handleSctpEvent(dcep(0, OPEN), 2_000);
    expect(types(channels)).toEqual(['datachannel']);
    expect(channels.nextTimeout()).toBe(Infinity);
  });

  test('a half-open stream that the peer resets is forgotten', () => {
    const { port, channels } = connected('server');
    channels.handleSctpEvent({ type: 'streamdata', streamId: 0 }, 1);
    channels.handleSctpEvent(remoteReset(0), 2);
    expect(port.takeResets()).toEqual([0]);
    channels.handleSctpEvent(localReset(0), 3);
    expect(channels.inspect()).toMatchObject({ halfOpenStreams: 0, refusedStreams: 0, timers: {} });
  });

  test('is accepted whole or not at all when an ABORT came in the same packet', () => {
    const { port, channels } = connected('server');
    port.state = 'closed';
    // The association is over already; its events come out one after the other.
    channels.handleSctpEvent(dcep(0, OPEN), 1);
    channels.handleSctpEvent(closed(), 1);
    expect(types(channels)).toEqual(['datachannel', 'channelclose']);
  });
});

describe('messages that overtake the end of the handshake', () => {
  test('open a channel of the peer, once', () => {
    const port = new FakePort();
    port.state = 'cookie-echoed';
    const channels = new DataChannels(port);
    channels.setRole('server');
    channels.handleSctpEvent(dcep(0, OPEN), 1);
    expect(types(channels)).toEqual(['datachannel']);
    channels.handleSctpEvent({ type: 'connected' }, 2);
    expect(types(channels)).toEqual([]);
    expect(port.takeSent()).toEqual([{ streamId: 0, message: { ppid: 50, data: ACK } }]);
  });

  test('open a negotiated channel, once', () => {
    const port = new FakePort();
    port.state = 'cookie-echoed';
    const channels = new DataChannels(port);
    const both = channels.createChannel('both', { negotiated: true, id: 7 });
    channels.handleSctpEvent(message(7, 51, 0x61), 1);
    channels.handleSctpEvent({ type: 'connected' }, 2);
    expect(drain(channels)).toEqual([
      { type: 'channelopen', channel: both },
      { type: 'message', channel: both, data: 'a' },
    ]);
  });
});

describe('a negotiated channel', () => {
  test('opens with the association, without a word', () => {
    const port = new FakePort();
    const channels = new DataChannels(port);
    const both = channels.createChannel('both', { negotiated: true, id: 7 });
    expect(both.id).toBe(7);
    expect(both.readyState).toBe('connecting');
    channels.handleSctpEvent({ type: 'connected' }, 1);
    expect(drain(channels)).toEqual([{ type: 'channelopen', channel: both }]);
    expect(port.takeSent()).toEqual([]);
    expect(channels.createChannel('later', { negotiated: true, id: 8 }).readyState).toBe('open');
  });

  test('takes over a stream on which data has begun to arrive (G5)', () => {
    const { channels } = connected('server');
    channels.handleSctpEvent({ type: 'streamdata', streamId: 6 }, 1);
    const both = channels.createChannel('both', { negotiated: true, id: 6 });
    channels.handleSctpEvent(message(6, 51, 0x61), 2);
    expect(drain(channels)).toEqual([
      { type: 'channelopen', channel: both },
      { type: 'message', channel: both, data: 'a' },
    ]);
    expect(channels.nextTimeout()).toBe(Infinity);
  });

  test('does not take an identifier in use', () => {
    const { channels } = connected('client');
    channels.createChannel('in-band');
    expect(() => channels.createChannel('x', { negotiated: true, id: 0 })).toThrow(
      misuse('ERR_BAD_ARGUMENT'),
    );
    expect(channels.inspect().channels).toHaveLength(1);
  });
});

describe('streams that the association does not have', () => {
  test('A1: negotiated: the channel fails at once, and the call does not throw', () => {
    const { port, channels } = connected('client');
    port.outboundStreams = 10;
    const channel = channels.createChannel('x', { negotiated: true, id: 10 });
    expect(drain(channels)).toMatchObject([
      { type: 'channelerror', channel, failure: { code: 'no-stream-id' } },
      { type: 'channelclose', channel, failure: { code: 'no-stream-id' } },
    ]);
    expect(channel.readyState).toBe('closed');
  });

  test('A1: in-band: the channel fails when the peer has no more', () => {
    const { port, channels } = connected('client');
    port.outboundStreams = 3;
    expect([channels.createChannel('a').id, channels.createChannel('b').id]).toEqual([0, 2]);
    const none = channels.createChannel('c');
    expect(drain(channels)).toMatchObject([
      { type: 'channelerror', channel: none, failure: { code: 'no-stream-id' } },
      { type: 'channelclose', channel: none },
    ]);
  });

  test('A1: negotiated, on a stream that the peer has opened, refused or not reset: the channel fails', () => {
    const { channels } = connected('server');
    channels.handleSctpEvent(dcep(4, OPEN), 1);
    channels.handleSctpEvent(message(6, 99, 1), 1);
    const used = channels.createChannel('used', { negotiated: true, id: 8 });
    channels.handleSctpEvent(remoteReset(8), 1);
    drain(channels);
    for (const id of [4, 6, 8]) {
      const channel = channels.createChannel('n', { negotiated: true, id });
      expect([channel.readyState, channel.id]).toEqual(['closed', undefined]);
    }
    expect(used.readyState).toBe('closing');
    const codes = drain(channels).map((event) => ('failure' in event ? event.failure.code : ''));
    expect(codes).toEqual(Array.from({ length: 6 }, () => 'id-in-use'));
  });

  test('given out before the peer said how few it has: those channels fail', () => {
    const port = new FakePort();
    const channels = new DataChannels(port);
    channels.setRole('client');
    const [a, b] = [channels.createChannel('a'), channels.createChannel('b')];
    channels.createChannel('n', { negotiated: true, id: 9 });
    port.outboundStreams = 1;
    channels.handleSctpEvent({ type: 'connected' }, 1);
    expect(types(channels)).toEqual(['channelerror', 'channelclose', 'channelerror', 'channelclose']);
    expect([a.readyState, b.readyState]).toEqual(['connecting', 'closed']);
  });

  test('opened by the peer where there is no way back: refused', () => {
    const { port, channels } = connected('server');
    port.outboundStreams = 4;
    channels.handleSctpEvent(dcep(4, OPEN), 1);
    expect(types(channels)).toEqual([]);
    expect(port.takeResets()).toEqual([4]);
  });
});

describe('options and limits', () => {
  test.each([
    ['a label over the limit', 'é'.repeat(3), {}],
    ['a protocol over the limit', '', { protocol: 'abcd' }],
    ['both kinds of partial reliability', '', { maxRetransmits: 0, maxPacketLifeTime: 0 }],
    ['maxRetransmits out of range', '', { maxRetransmits: 65536 }],
    ['maxPacketLifeTime below 0', '', { maxPacketLifeTime: -1 }],
    ['a fraction', '', { maxRetransmits: 1.5 }],
    ['negotiated without an id', '', { negotiated: true }],
    ['the reserved id', '', { negotiated: true, id: 65535 }],
    ['an id without negotiated', '', { id: 1 }],
    ['an unknown priority', '', { priority: 'urgent' as never }],
  ])('%s is refused and changes nothing', (_name, label, options) => {
    const { port, channels } = connected('client', { limits: { maxLabelLength: 5, maxProtocolLength: 3 } });
    expect(() => channels.createChannel(label, options)).toThrow(misuse('ERR_BAD_ARGUMENT'));
    expect(port.takeSent()).toEqual([]);
    expect(channels.inspect().channels).toEqual([]);
  });

  test.each(['label', 'protocol'])(
    'A8: a %s of 1024 bytes in UTF-8 is the longest, of 65,535 where the host says so',
    (name) => {
      const by = connected('client').channels;
      expect(() => by.createChannel('é'.repeat(512))).not.toThrow();
      expect(() => by.createChannel(`${'é'.repeat(512)}e`)).toThrow(misuse('ERR_BAD_ARGUMENT'));
      const limits = { maxLabelLength: 65_535, maxProtocolLength: 65_535 };
      const { port, channels } = connected('client', { limits });
      const create = (text: string): DataChannel =>
        name === 'label' ? channels.createChannel(text) : channels.createChannel('', { protocol: text });
      expect(() => create('é'.repeat(32_768))).toThrow(misuse('ERR_BAD_ARGUMENT'));
      expect(channels.inspect().channels).toEqual([]);
      create(`${'é'.repeat(32_767)}e`);
      expect(port.takeSent()[0]?.message.data).toHaveLength(12 + 65_535);
    },
  );

  test('an OPEN larger than the peer takes fails its channel alone', () => {
    const { port, channels } = connected('client');
    port.maxMessageSize = 100;
    const long = channels.createChannel('x'.repeat(89));
    const channel = channels.createChannel('x'.repeat(88));
    expect(drain(channels)).toMatchObject([
      { type: 'channelerror', channel: long, failure: { code: 'open-too-large' } },
      { type: 'channelclose', channel: long, failure: { code: 'open-too-large' } },
    ]);
    expect(port.takeSent().map(({ streamId }) => streamId)).toEqual([channel.id]);
    expect([long.readyState, channel.readyState]).toEqual(['closed', 'connecting']);
  });

  test('a lone surrogate has no UTF-8: both sides read U+FFFD', () => {
    const pair = new Pair();
    const ours = pair.client.channels.createChannel('a\ud800b', { protocol: '\udc00' });
    pair.run(1);
    const [event] = drain(pair.server.channels);
    for (const channel of [ours, event?.channel])
      expect([channel?.label, channel?.protocol]).toEqual(['a\ufffdb', '\ufffd']);
  });

  test('two negotiated channels cannot have one id, before the association is up either', () => {
    const channels = new DataChannels(new FakePort());
    channels.createChannel('one', { negotiated: true, id: 7 });
    expect(() => channels.createChannel('two', { negotiated: true, id: 7 })).toThrow(
      misuse('ERR_BAD_ARGUMENT'),
    );
    expect(channels.inspect().channels).toMatchObject([{ id: 7, label: 'one' }]);
  });

  test.each([
    { gates: { openAck: 0 } },
    { gates: { streamReset: NaN } },
    { limits: { maxChannels: 0 } },
    { limits: { maxLabelLength: 65536 } },
  ])('layer options out of range are refused: %j', (options) => {
    expect(() => new DataChannels(new FakePort(), options)).toThrow(misuse('ERR_BAD_ARGUMENT'));
  });

  test('A1: maxChannels bounds both sides together: ours fail, the peer is refused', () => {
    const { port, channels } = connected('client', { limits: { maxChannels: 2 } });
    channels.createChannel('one');
    channels.handleSctpEvent({ type: 'streamdata', streamId: 1 }, 1);
    const three = channels.createChannel('three');
    expect(drain(channels)).toMatchObject([
      { type: 'channelerror', channel: three, failure: { code: 'too-many-channels' } },
      { type: 'channelclose', channel: three },
    ]);
    channels.handleSctpEvent({ type: 'streamdata', streamId: 3 }, 1);
    channels.handleSctpEvent(dcep(5, OPEN), 1);
    expect(port.takeResets()).toEqual([3, 5]);
    expect(channels.inspect().counters.openOverLimit).toBe(2);
    // The half-open stream had its place, and keeps it as a channel.
    channels.handleSctpEvent(dcep(1, OPEN), 1);
    expect(types(channels)).toEqual(['datachannel']);
  });

  test('ours alone are too many: ERR_LIMIT, until one closes', () => {
    const { channels } = connected('client', { limits: { maxChannels: 2 } });
    const one = channels.createChannel('one');
    channels.createChannel('two');
    expect(() => channels.createChannel('three')).toThrow(misuse('ERR_LIMIT'));
    one.close();
    channels.handleSctpEvent(localReset(0), 2);
    channels.handleSctpEvent(remoteReset(0), 2);
    expect(channels.createChannel('three').readyState).toBe('connecting');
  });

  test('when the identifiers are used up the next one fails, and there is room again after a close', () => {
    const { channels } = connected('server', { limits: { maxChannels: 65535 } });
    const all = Array.from({ length: 32767 }, () => channels.createChannel(''));
    expect(all.at(-1)?.id).toBe(65533);
    expect(channels.createChannel('').readyState).toBe('closed');
    channels.handleSctpEvent(dcep(9, ACK), 1);
    all[4]?.close();
    channels.handleSctpEvent(localReset(9), 2);
    channels.handleSctpEvent(remoteReset(9), 2);
    expect(channels.createChannel('').id).toBe(9);
  });

  test('channels created before the role, more than it has identifiers: those left over fail', () => {
    const channels = new DataChannels(new FakePort(), { limits: { maxChannels: 65535 } });
    for (let i = 0; i < 32768; i++) channels.createChannel('');
    channels.setRole('server');
    expect(types(channels)).toEqual(['channelerror', 'channelclose']);
    expect(channels.inspect().channels).toHaveLength(32767);
  });

  test('the role is told once', () => {
    const { channels } = connected('client');
    channels.setRole('client');
    expect(() => channels.setRole('server')).toThrow(misuse('ERR_INVALID_STATE'));
  });
});

test('both ends open channels at the same moment without a clash', () => {
  const pair = new Pair();
  const ours = pair.client.channels.createChannel('from the client');
  const theirs = pair.server.channels.createChannel('from the server');
  pair.run(1);
  expect([ours.id, theirs.id]).toEqual([0, 1]);
  expect(types(pair.client.channels)).toEqual(['datachannel', 'channelopen']);
  expect(types(pair.server.channels)).toEqual(['datachannel', 'channelopen']);
});
