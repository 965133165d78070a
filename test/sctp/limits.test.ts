/**
 * Everything the peer, or the application, can make grow has a bound. One test a row of the table "Limits" in docs/sctp.md:
 * the bound holds, its counter counts, and the association lives or ends as the table says.
 */
import { describe, expect, it, test } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import type { SctpOptions } from '../../src/sctp/index.ts';
import { encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { decodeReconfig, encodeOutgoingReset } from '../../src/sctp/packet/reconfig.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { kept } from '../../src/sctp/rx/pieces.ts';
import type { ReceiverInspection } from '../../src/sctp/inspection.ts';
import { association, inspect, messages, payload, sent } from './pair.ts';
import { INTERLEAVING_EXTENSIONS, Puppet } from './puppet.ts';
import { sackOf, packetOf } from './wire.ts';

const FIRST = 2;
const LAST = 1;
const MIDDLE = 0;

function received(puppet: Puppet): ReceiverInspection {
  const { receive } = inspect(puppet.a);
  if (receive === null) throw new Error('no receiver');
  return receive;
}

function results(puppet: Puppet): number[] {
  return puppet.heardOf(CHUNK.reconfig).flatMap((body) => {
    const parameters = decodeReconfig(body);
    if (isFailure(parameters)) throw new Error(parameters.reason);
    return parameters.flatMap((parameter) => (parameter.type === 'response' ? [parameter.result] : []));
  });
}

describe('what the peer may make us hold', () => {
  test('receiveWindow: the whole of it, 200 % for the chunk that moves on (receive-window-full); it lives', () => {
    const puppet = new Puppet({ receiveWindow: 10_000, maxMessageSize: 10_000 });
    const missing = puppet.takeTsn();
    for (let i = 0; i < 20; i++) puppet.say(puppet.data({ ssn: i + 1, payload: payload(1000, i) }));
    expect(received(puppet).usedBytes).toBe(10_000);
    expect(puppet.count('receive-window-full')).toBe(10);
    puppet.say(puppet.data({ tsn: missing, ssn: 0 }));
    puppet.drain();
    expect(messages(puppet.events)).toHaveLength(11);
    expect(puppet.a.state).toBe('established');
  });

  test('maxMessageSize, of one chunk or of many: ABORT `message-too-large`', () => {
    for (const flags of [3, FIRST]) {
      const puppet = new Puppet({ maxMessageSize: 1500 });
      puppet.say(puppet.data({ flags, payload: payload(1000, 1) }));
      if (flags === FIRST) puppet.say(puppet.data({ flags: MIDDLE, payload: payload(501, 1) }));
      else puppet.say(puppet.data({ ssn: 1, payload: payload(1501, 1) }));
      puppet.drain();
      expect(puppet.closing()).toMatchObject({
        failure: { code: 'message-too-large' },
        causes: [{ code: 13 }],
      });
      expect(puppet.heardOf(CHUNK.abort)).toHaveLength(1);
    }
  });

  test('S12 maxFragments (fragments-full): the rest is not acknowledged, and taken when there is room; it lives', () => {
    const puppet = new Puppet({ maxFragments: 10 });
    const gap = puppet.takeTsn();
    const tsns = Array.from({ length: 15 }, () => puppet.takeTsn());
    for (const tsn of tsns) puppet.say(puppet.data({ tsn, flags: MIDDLE }));
    expect(received(puppet).fragments).toBe(10);
    expect(puppet.count('fragments-full')).toBe(5);
    // Whole messages need no room of that kind.
    puppet.say(puppet.data({ streamId: 2, flags: 7 }));
    puppet.say(puppet.data({ tsn: gap, flags: FIRST }));
    for (const tsn of tsns.slice(10))
      puppet.say(puppet.data({ tsn, flags: tsn === tsns.at(-1) ? LAST : MIDDLE }));
    puppet.drain();
    expect(messages(puppet.events).map(({ data }) => data.length)).toEqual([1, 16]);
    expect(received(puppet).fragments).toBe(0);
    expect(puppet.a.state).toBe('established');
  });

  test('S12 maxFragments: the chunk that moves on may go to twice of it, and no further', () => {
    const puppet = new Puppet({ maxFragments: 10 });
    for (let i = 0; i < 50; i++) puppet.say(puppet.data({ flags: FIRST, streamId: i }));
    expect(received(puppet).fragments).toBe(20);
    expect(puppet.count('fragments-full')).toBe(30);
    puppet.run(70_000);
    expect(puppet.count('stalled-streams')).toBe(20);
    expect(received(puppet)).toMatchObject({ fragments: 0, usedBytes: 0 });
    expect(puppet.a.state).toBe('established');
  });

  test.each([
    ['maxOpenMessages', { maxOpenMessages: 8, maxOpenMessagesPerStream: 100 }, (i: number) => i, 8],
    ['maxOpenMessagesPerStream', { maxOpenMessages: 100, maxOpenMessagesPerStream: 4 }, () => 1, 4],
  ] as const)(
    'S11 %s (open-messages-full): no other is begun until one is whole; it lives',
    (_, limits, streamOf, most) => {
      const puppet = new Puppet({ interleaving: true, ...limits }, { extensions: INTERLEAVING_EXTENSIONS });
      const gap = puppet.takeTsn();
      for (let i = 0; i < 20; i++) puppet.say(puppet.iData({ streamId: streamOf(i), mid: i, flags: FIRST }));
      expect(received(puppet).openMessages).toBe(most);
      expect(puppet.count('open-messages-full')).toBe(20 - most);
      // More of a message that has been begun is welcome, and so is a whole one.
      puppet.say(puppet.iData({ streamId: streamOf(0), mid: 0, flags: LAST, ppidOrFsn: 1 }));
      puppet.say(puppet.iData({ streamId: 99, flags: 7 }));
      expect(received(puppet).openMessages).toBe(most - 1);
      puppet.say(puppet.iData({ streamId: streamOf(30), mid: 30, flags: FIRST }));
      expect(received(puppet).openMessages).toBe(most);
      puppet.say(puppet.iData({ tsn: gap, streamId: 50, mid: 0, flags: FIRST }));
      expect(received(puppet).openMessages).toBe(most + 1);
      puppet.drain();
      expect(messages(puppet.events)).toHaveLength(2);
      expect(puppet.a.state).toBe('established');
    },
  );

  test.each([
    ['maxDeferredChunks', { maxDeferredChunks: 5 }, 5],
    ['maxDeferredBytes', { maxDeferredBytes: 2000 }, 4],
  ] as const)(
    'G15 %s (deferred-reset-full): the rest is not acknowledged, and taken after the reset',
    (_, limits, most) => {
      const puppet = new Puppet(limits);
      const missing = puppet.takeTsn();
      puppet.say(
        encodeOutgoingReset({ sequence: 5000, responseSequence: 0, lastTsn: missing, streams: [1] }),
      );
      const tsns = Array.from({ length: 10 }, () => puppet.takeTsn());
      const say = (i: number): void =>
        puppet.say(puppet.data({ tsn: tsns[i] ?? 0, streamId: 1, ssn: i, payload: payload(500, i) }));
      for (let i = 0; i < 10; i++) say(i);
      expect(received(puppet).deferredChunks).toBe(most);
      expect(puppet.count('deferred-reset-full')).toBe(10 - most);
      puppet.say(puppet.data({ tsn: missing, streamId: 1, ssn: 0, payload: payload(9, 9) }));
      for (let i = most; i < 10; i++) say(i);
      puppet.drain();
      expect(messages(puppet.events).map(({ data }) => data.length)).toEqual([9, ...tsns.map(() => 500)]);
      expect(received(puppet)).toMatchObject({ usedBytes: 0, deferredChunks: 0 });
      expect(results(puppet).at(-1)).toBe(1);
    },
  );

  test('G15: a last TSN that no window reaches is denied (invalid-reset)', () => {
    const puppet = new Puppet();
    const ask = (sequence: number, lastTsn: number): void =>
      puppet.say(encodeOutgoingReset({ sequence, responseSequence: 0, lastTsn, streams: [1] }));
    ask(5000, 4999 + 100_001);
    ask(5001, 4999 + 100_000);
    puppet.drain();
    expect(results(puppet)).toEqual([2, 6]);
    expect(puppet.count('invalid-reset')).toBe(1);
  });

  test('S10 streams: what comes on others is acknowledged, reported and not kept (invalid-stream)', () => {
    const puppet = new Puppet({ streams: 10 });
    for (let i = 0; i < 50; i++) puppet.say(puppet.data({ streamId: 1000 + i, flags: FIRST }));
    puppet.drain();
    expect(puppet.count('invalid-stream')).toBe(50);
    expect(received(puppet)).toMatchObject({ usedBytes: 0, fragments: 0, streams: 0, gaps: 0 });
    expect(puppet.a.state).toBe('established');
  });

  test('S9 a TSN 100 000 ahead is the last (tsn-out-of-window), for DATA and FORWARD TSN alike', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ tsn: 4999 + 100_000 }), puppet.data({ tsn: 4999 + 100_001 }));
    expect(puppet.count('tsn-out-of-window')).toBe(1);
    expect(received(puppet).gaps).toBe(1);
  });

  it('A10: maxGaps (gaps-full): a chunk that would begin one more is not acknowledged; what lies beside one is taken', () => {
    const puppet = new Puppet({ maxGaps: 10 });
    for (let i = 0; i < 15; i++) puppet.say(puppet.data({ tsn: 5001 + 3 * i, flags: 7 }));
    expect(received(puppet).gaps).toBe(10);
    expect(puppet.count('gaps-full')).toBe(5);
    puppet.say(puppet.data({ tsn: 5002, flags: 7 }), puppet.data({ tsn: 5000, flags: 7 }));
    puppet.say(puppet.data({ tsn: 5031, flags: 7 }));
    expect([received(puppet).gaps, puppet.count('gaps-full')]).toEqual([10, 5]);
  });

  it('A8: streams beyond 1024 take of the window, and none is made beyond twice of it (stream-states-full)', () => {
    const puppet = new Puppet({ receiveWindow: 100_000, maxMessageSize: 100_000 });
    for (let from = 0; from < 20_000; from += 500) {
      const streams = Array.from({ length: 500 }, (_, i) => ({
        streamId: from + i,
        unordered: false,
        sequence: 1,
      }));
      puppet.say(encodeForwardTsn({ newCumulativeTsn: puppet.takeTsn(), streams }));
      if (from === 500) expect(received(puppet).usedBytes).toBe(0);
    }
    expect(received(puppet).usedBytes).toBeLessThan(200_200);
    expect(received(puppet).streams).toBeLessThan(3000);
    expect(received(puppet).streams + puppet.count('stream-states-full')).toBe(20_000);
    expect(puppet.a.heldBytes).toBeGreaterThanOrEqual(received(puppet).streams * 128);
  });

  it.each([false, true])(
    'A8: small chunks are charged for their memory (interleaving %s)',
    (interleaving) => {
      const puppet = new Puppet(
        { interleaving, receiveWindow: 100_000, maxMessageSize: 100_000 },
        interleaving ? { extensions: INTERLEAVING_EXTENSIONS } : {},
      );
      puppet.takeTsn();
      for (let i = 0; i < 2000; i++) {
        puppet.say(
          interleaving
            ? puppet.iData({ streamId: 1, mid: i, flags: FIRST | 4 })
            : puppet.data({ streamId: 1, ssn: i, flags: FIRST }),
        );
      }
      // Each takes some 500 bytes, or 1000: what is held stays near the window that was announced.
      expect(puppet.a.heldBytes).toBeLessThanOrEqual(152_000);
      expect(received(puppet).fragments * (interleaving ? 900 : 500)).toBeLessThanOrEqual(152_000);
    },
  );

  test('E1: S16 duplicates: 20 in a SACK; a storm of packets with one each gets 16 SACKs, and one for the rest', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data());
    puppet.drain();
    puppet.heard.length = 0;
    for (let i = 0; i < 100; i++) puppet.say(puppet.data({ tsn: 5000 }));
    puppet.drain();
    const told = puppet.heard.map(({ whole }) => sackOf(packetOf(1, whole)).duplicates.length);
    expect(told).toEqual([...Array.from({ length: 16 }, () => 1), 20]);
    expect(puppet.count('duplicate-tsn')).toBe(100);
    expect(puppet.count('sacks-merged')).toBe(83);
  });

  test('gap blocks: as many as the packet has room for, never a packet above the MTU', () => {
    const puppet = new Puppet({ mtu: 512 });
    for (let i = 0; i < 400; i++) puppet.say(puppet.data({ tsn: 5001 + 2 * i, flags: 7 }));
    expect(received(puppet).gaps).toBe(400);
    const packets = sent(puppet.a);
    for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(512);
    expect(sackOf(packets.at(-1) ?? new Uint8Array(0)).blocks.length / 2).toBeGreaterThan(100);
  });

  test('S17, S18 answers: 16 wait at once, the others are dropped (reply-queue-full)', () => {
    const puppet = new Puppet();
    const ask = encodeChunk(CHUNK.heartbeat, 0, Uint8Array.of(0, 1, 0, 5, 7));
    for (let i = 0; i < 1000; i++) puppet.say(ask);
    puppet.drain();
    expect(puppet.heardOf(CHUNK.heartbeatAck)).toHaveLength(16);
    expect(puppet.count('reply-queue-full')).toBe(984);
  });

  test('S18 the echo of an unknown chunk: 256 bytes', () => {
    const puppet = new Puppet();
    puppet.say(encodeChunk(0x40 + 5, 0, payload(1000, 1)));
    puppet.drain();
    expect(puppet.heardOf(CHUNK.error).map(({ length }) => length)).toEqual([4 + 256]);
  });

  test('S19 events that wait: a peer that resets on and on is told "in progress" from 10 000 of them on', () => {
    const puppet = new Puppet();
    const streams = Array.from({ length: 500 }, (_, i) => i);
    for (let i = 0; i < 30; i++) {
      puppet.say(encodeOutgoingReset({ sequence: 5000 + i, responseSequence: 0, lastTsn: 4999, streams }));
    }
    expect(inspect(puppet.a).events).toBe(10_500);
    puppet.drain();
    // Not settled: the same request is taken once there is room.
    puppet.say(encodeOutgoingReset({ sequence: 5021, responseSequence: 0, lastTsn: 4999, streams: [1] }));
    puppet.drain();
    expect(results(puppet).at(-1)).toBe(1);
  });

  test('a byte in front of a kilobyte of padding is copied, not kept with its packet', () => {
    const packet = new Uint8Array(1160);
    expect(kept(packet.subarray(28, 29), true).buffer.byteLength).toBe(1);
    expect(kept(packet.subarray(28), true).buffer).toBe(packet.buffer);
    expect(kept(packet.subarray(28), false).buffer).not.toBe(packet.buffer);
  });
});

describe('what the application may make us hold', () => {
  test('sendBuffer: `send` answers false, `sendbufferlow` says when to go on', () => {
    const puppet = new Puppet({ sendBuffer: 10_000 });
    const message = { ppid: 53, data: payload(1000, 1) };
    const accepted = Array.from({ length: 30 }, () => puppet.a.send(1, message)).filter(Boolean).length;
    expect(accepted).toBe(10);
    puppet.run(10);
    expect(puppet.a.send(1, message)).toBe(false);
    puppet.say(puppet.sack(6));
    puppet.drain();
    expect(puppet.events.filter(({ type }) => type === 'sendbufferlow')).toHaveLength(1);
    expect(puppet.a.send(1, message)).toBe(true);
  });

  test.each([
    [4000, 6],
    [3999, 7],
  ])(
    'sendbufferlow: with a threshold of %d bytes it comes with the acknowledgement of message %d of ten',
    (threshold, message) => {
      const puppet = new Puppet({ sendBuffer: 10_000, sendBufferLowThreshold: threshold });
      for (let i = 0; i < 10; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
      puppet.run(10);
      const told = Array.from({ length: 10 }, (_, i) => {
        puppet.say(puppet.sack(i + 1));
        puppet.drain();
        return puppet.events.filter(({ type }) => type === 'sendbufferlow').length;
      });
      expect(told.indexOf(1) + 1).toBe(message);
      expect(told.at(-1)).toBe(1);
    },
  );

  test('A8: sendBuffer: a message of a byte costs 512; bufferedAmount is user bytes all the same', () => {
    const puppet = new Puppet({ sendBuffer: 51_200 });
    const message = { ppid: 53, data: payload(1, 1) };
    const accepted = Array.from({ length: 200 }, () => puppet.a.send(1, message)).filter(Boolean).length;
    expect(accepted).toBe(100);
    expect(puppet.a.bufferedAmount(1)).toBe(100);
    puppet.run(10);
    expect(puppet.a.bufferedAmount(1)).toBe(0);
    expect(puppet.a.send(1, message)).toBe(false);
    puppet.say(puppet.sack(49));
    expect(puppet.a.send(1, { ppid: 53, data: payload(49 * 512, 1) })).toBe(true);
    expect(puppet.a.send(1, message)).toBe(false);
  });

  test('sendBuffer: messages that ran out of time behind others cost until their turn comes', () => {
    const puppet = new Puppet({ sendBuffer: 20_000, interleaving: false });
    puppet.say(puppet.sack(0, { window: 2000 }));
    for (let i = 0; i < 10; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
    puppet.drain();
    let accepted = 0;
    for (let i = 0; i < 1000; i++) {
      if (puppet.a.send(1, { ppid: 53, data: payload(10, i), maxPacketLifeTime: 1 })) accepted++;
      puppet.run(2);
    }
    expect(accepted).toBe(Math.floor(10_000 / 512));
    expect(puppet.count('expired-messages')).toBe(accepted);
    expect(puppet.a.bufferedAmount(1)).toBeLessThanOrEqual(10_000);
    // All ten are taken: what stood behind them is gone, and nothing is charged any more.
    for (let upTo = 1; upTo <= 10; upTo++) {
      puppet.say(puppet.sack(upTo));
      puppet.drain();
    }
    expect(inspect(puppet.a).send).toMatchObject({ bufferedBytes: 0, outstandingChunks: 0 });
    expect(puppet.a.send(1, { ppid: 53, data: payload(20_000, 1) })).toBe(true);
  });

  test('A1: remoteMaxMessageSize: false, nothing queued', () => {
    const a = association(1, { remoteMaxMessageSize: 1000 });
    expect(a.send(1, { ppid: 53, data: payload(1001, 1) })).toBe(false);
    expect(a.bufferedAmount(1)).toBe(0);
  });

  test('A1: the peer has few streams, and shuts down: false, and no reset is asked for', () => {
    const puppet = new Puppet({}, { inboundStreams: 2 });
    expect(puppet.a.send(2, { ppid: 53, data: payload(10, 1) })).toBe(false);
    expect(puppet.a.send(1, { ppid: 53, data: payload(10, 1) })).toBe(true);
    puppet.say(encodeChunk(CHUNK.shutdown, 0, Uint8Array.of(0, 0, 0, 0).fill(0)));
    const shutdown = new Uint8Array(4);
    new DataView(shutdown.buffer).setUint32(0, puppet.base);
    puppet.say(encodeChunk(CHUNK.shutdown, 0, shutdown));
    expect(puppet.a.state).toBe('shutdown-received');
    expect(puppet.a.send(1, { ppid: 53, data: payload(10, 1) })).toBe(false);
    puppet.a.resetStreams([1]);
    puppet.drain();
    expect(puppet.heardOf(CHUNK.reconfig)).toEqual([]);
  });

  test('chunks outstanding: 16 384, however wide the windows; the rest waits', () => {
    const congestion = {
      window: 1e9,
      pacingRate: Infinity,
      onAcknowledged: (): void => undefined,
      onLost: (): void => undefined,
      onTimeout: (): void => undefined,
      onPathChange: (): void => undefined,
      setMtu: (): void => undefined,
      inspect: () => ({}),
    };
    const puppet = new Puppet({ congestion: () => congestion, maxBurst: 1000 }, { window: 2 ** 31 });
    for (let i = 0; i < 20_000; i++) puppet.a.send(1, { ppid: 53, data: payload(1, 1) });
    puppet.a.handleTimeout(puppet.now);
    while (puppet.a.pollTransmit() !== undefined);
    expect(inspect(puppet.a).send).toMatchObject({
      outstandingChunks: 16_384,
      bufferedBytes: 20_000 - 16_384,
    });
  });

  test('streams of one reset request: 200, the rest follows', () => {
    const puppet = new Puppet();
    puppet.a.resetStreams(Array.from({ length: 450 }, (_, i) => i));
    expect(inspect(puppet.a).resets).toMatchObject({ waiting: 250 });
    puppet.drain();
    const [body] = puppet.heardOf(CHUNK.reconfig);
    expect(body?.length).toBe(4 + 12 + 2 * 200);
  });

  test('a reason for an ABORT: 256 bytes', () => {
    const puppet = new Puppet();
    puppet.a.abort('é'.repeat(1000), puppet.now);
    puppet.drain();
    expect(puppet.heardOf(CHUNK.abort)[0]?.length).toBe(4 + 256);
  });

  test.each<[keyof SctpOptions, number]>([
    ['receiveWindow', 1499],
    ['receiveWindowMax', 1_000_000],
    ['maxMessageSize', 0],
    ['maxFragments', 0],
    ['maxOpenMessages', 0.5],
    ['maxOpenMessagesPerStream', -1],
    ['maxDeferredBytes', -1],
    ['maxDeferredChunks', Infinity],
    ['sendBuffer', 0],
    ['streams', 65_536],
    ['mtu', 511],
    ['maxBurst', 0],
  ])('%s %d is refused before anything is made', (option, value) => {
    expect(() => association(1, { [option]: value })).toThrow(
      expect.objectContaining({
        code: 'ERR_BAD_ARGUMENT',
        message: expect.stringContaining(option) as string,
      }),
    );
  });
});
