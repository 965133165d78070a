/** RFC 8260: messages of different streams share the path chunk by chunk, by priority. RFC 9653: no checksum over DTLS. */
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeIForwardTsn, encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import type { InitChunk } from '../../src/sctp/packet/init.ts';
import { decodeInit, encodeInit } from '../../src/sctp/packet/init.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import type { SctpAssociation, SctpMessage, SctpOptions } from '../../src/sctp/index.ts';
import { association, inspect, messages, Pair, payload, sent } from './pair.ts';
import { INTERLEAVING_EXTENSIONS, PUPPET_INIT } from './puppet.ts';
import { allKinds, chunksOf, dataChunk, kinds, packetOf } from './wire.ts';

const BOTH: Partial<SctpOptions> = { interleaving: true };

function connected(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const pair = new Pair({ link: { delay: 20 }, a: BOTH, b: BOTH, ...options }).connect();
  for (const all of pair.events) all.length = 0;
  return pair;
}

/** What part of the user data in the next `count` I-DATA chunks that `a` sends belongs to which stream. */
function sharesOf(pair: Pair, count: number): number[] {
  const bytes: number[] = [];
  let chunks = 0;
  pair.filter = (from, packet) => {
    if (from === 1) return true;
    for (const { type, body } of chunksOf(packet)) {
      if (type !== CHUNK.iData || chunks++ >= count) continue;
      const stream = ((body[4] ?? 0) << 8) | (body[5] ?? 0);
      bytes[stream] = (bytes[stream] ?? 0) + body.length - 16;
    }
    return true;
  };
  pair.run(() => chunks >= count, 2000);
  const all = bytes.reduce((sum, each) => sum + each, 0);
  return bytes.map((each) => each / all);
}

/** The tag packets to `a` carry. */
function tagOfA(pair: Pair): number {
  pair.b.send(9, { ppid: 53, data: payload(1, 1) });
  return verificationTagOf(sent(pair.b)[0] ?? new Uint8Array(12));
}

/** What the peer says of itself in its INIT and in its INIT ACK; ours is established by either exchange, in either order. */
function meets(
  init: Partial<InitChunk>,
  initAck: Partial<InitChunk>,
  order: 'init' | 'initAck' | 'cookieAck',
): SctpAssociation {
  const a = association(1, { interleaving: true });
  const theirs: InitChunk = { ...PUPPET_INIT, extensions: [], forwardTsn: false };
  a.connect(0);
  const ours = decodeInit(chunksOf(sent(a)[0] ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(0));
  if (isFailure(ours)) throw new Error('no INIT');
  const say = {
    init: (): void => a.handlePacket(packetOf(0, encodeInit(CHUNK.init, { ...theirs, ...init })), 1),
    initAck: (): void => {
      const chunk = encodeInit(CHUNK.initAck, { ...theirs, ...initAck, cookie: Uint8Array.of(1, 2, 3, 4) });
      a.handlePacket(packetOf(ours.tag, chunk), 1);
    },
    cookieEcho: (): void => {
      const answers = sent(a).flatMap((packet) => chunksOf(packet));
      const answer = decodeInit(
        answers.find(({ type }) => type === CHUNK.initAck)?.body ?? new Uint8Array(0),
      );
      const cookie = isFailure(answer) ? undefined : answer.cookie;
      a.handlePacket(packetOf(ours.tag, encodeChunk(CHUNK.cookieEcho, 0, cookie ?? new Uint8Array(4))), 1);
    },
    cookieAck: (): void =>
      a.handlePacket(packetOf(ours.tag, encodeChunk(CHUNK.cookieAck, 0, new Uint8Array(0))), 1),
  };
  if (order === 'init') {
    say.init();
    say.initAck();
    say.cookieEcho();
  } else if (order === 'initAck') {
    say.initAck();
    say.init();
    say.cookieEcho();
  } else {
    say.init();
    say.initAck();
    say.cookieAck();
  }
  expect(a.state).toBe('established');
  return a;
}

const INTERLEAVES: Partial<InitChunk> = { forwardTsn: true, extensions: INTERLEAVING_EXTENSIONS };

describe('negotiation', () => {
  test.each(['init', 'initAck', 'cookieAck'] as const)(
    'C8: what the peer announces in its INIT alone holds, in its INIT ACK alone as well (order: %s)',
    (order) => {
      for (const [init, initAck] of [
        [INTERLEAVES, {}],
        [{}, INTERLEAVES],
        [{ forwardTsn: true, extensions: [CHUNK.iData] }, { extensions: [CHUNK.iForwardTsn] }],
      ] as const) {
        const a = meets(init, initAck, order);
        expect(a.inspect()).toMatchObject({ interleaving: true, partialReliability: true });
        a.send(1, { ppid: 53, data: payload(10, 1) });
        expect(allKinds(sent(a)).some((kind) => kind.includes('iData'))).toBe(true);
      }
      expect(meets({}, {}, order).inspect()).toMatchObject({
        interleaving: false,
        partialReliability: false,
      });
    },
  );

  test('C8: of another peer, before a restart or in a stray INIT, nothing is taken over', () => {
    const a = meets({ ...INTERLEAVES, tag: 0x7777_7777 }, {}, 'cookieAck');
    expect(a.inspect().interleaving).toBe(false);
  });

  test.each([
    [true, true, 'iData'],
    [true, false, 'data'],
    [false, true, 'data'],
  ])('offered by one (%s) and the other (%s): %s', (a, b, kind) => {
    const pair = connected({ a: { interleaving: a }, b: { interleaving: b } });
    const seen = new Set<string>();
    pair.filter = (_, packet) => {
      for (const name of kinds(packet).split('+')) seen.add(name);
      return true;
    };
    pair.a.send(1, { ppid: 53, data: payload(5000, 1) });
    pair.b.send(1, { ppid: 53, data: payload(5000, 2) });
    pair.runFor(500);
    expect([messages(pair.events[0]).length, messages(pair.events[1]).length]).toEqual([1, 1]);
    expect([seen.has('iData'), seen.has('data')]).toEqual([kind === 'iData', kind === 'data']);
    expect(pair.a.inspect().interleaving).toBe(kind === 'iData');
  });

  test.each([
    ['DATA', true, (tsn: number) => dataChunk({ tsn })],
    ['I-DATA', false, (tsn: number) => iData(tsn)],
    ['FORWARD TSN', true, (tsn: number) => encodeForwardTsn({ newCumulativeTsn: tsn, streams: [] })],
    ['I-FORWARD-TSN', false, (tsn: number) => encodeIForwardTsn({ newCumulativeTsn: tsn, streams: [] })],
  ])('S8: %s that was not negotiated ends the association', (_, interleaving, chunk) => {
    const pair = connected({ a: { interleaving }, b: { interleaving } });
    const tag = tagOfA(pair);
    pair.a.handlePacket(packetOf(tag, chunk(7)), pair.now);
    expect(pair.a.state).toBe('closed');
    expect(sent(pair.a).map(kinds)).toEqual(['abort']);
  });
});

function iData(tsn: number): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(24);
  chunk.set([CHUNK.iData, 3, 0, 21, tsn >>> 24, tsn >>> 16, tsn >>> 8, tsn]);
  return chunk;
}

describe('sharing the path', () => {
  test('a small message does not wait for a large one of another stream', () => {
    const arrival = (interleaving: boolean): number => {
      const pair = connected({
        link: { delay: 20, rate: 100 },
        a: { interleaving },
        b: { interleaving },
      });
      const startedAt = pair.now;
      pair.a.send(1, { ppid: 53, data: payload(200_000, 1) });
      pair.runFor(5);
      pair.a.send(2, { ppid: 53, data: payload(10, 2) });
      pair.run(() => messages(pair.events[1]).some(({ streamId }) => streamId === 2), 20_000);
      return pair.now - startedAt;
    };
    expect(arrival(false)).toBeGreaterThan(1500);
    expect(arrival(true)).toBeLessThan(400);
  });

  test('fragments of many messages come mixed, and each message comes out whole', () => {
    const pair = connected({ link: { delay: 20, jitter: 30, loss: 0.05, duplication: 0.05 } });
    for (let stream = 0; stream < 8; stream++) {
      for (let i = 0; i < 5; i++) {
        pair.a.send(stream, {
          ppid: 53,
          data: payload(3000 + 1000 * stream, stream * 10 + i),
          unordered: stream % 2 === 1,
        });
      }
    }
    pair.run(() => messages(pair.events[1]).length === 40, 60_000);
    for (let stream = 0; stream < 8; stream++) {
      const got = messages(pair.events[1]).filter(({ streamId }) => streamId === stream);
      const expected = [0, 1, 2, 3, 4].map((i) => payload(3000 + 1000 * stream, stream * 10 + i));
      if (stream % 2 === 0) expect(got.map(({ data }) => data)).toEqual(expected);
      else expect(new Set(got.map(({ data }) => data[0]))).toEqual(new Set(expected.map((data) => data[0])));
    }
    pair.runFor(2000);
    expect(inspect(pair.b).receive).toMatchObject({ usedBytes: 0, fragments: 0 });
  });

  test.each([
    ['weighted-fair', [1, 2, 4, 8]],
    ['round-robin', [1, 1, 1, 1]],
  ] as const)('%s: what streams of priority 128, 256, 512 and 1024 get', (scheduling, shares) => {
    const pair = connected({ a: { ...BOTH, scheduling } });
    const priorities = [128, 256, 512, 1024];
    priorities.forEach((priority, stream) => {
      pair.a.send(stream, { ppid: 53, data: payload(60_000, stream), priority });
    });
    const got = sharesOf(pair, 60);
    const total = shares.reduce<number>((sum, each) => sum + each, 0);
    shares.forEach((share, stream) => {
      expect(Math.abs((got[stream] ?? 0) - share / total)).toBeLessThan(0.04);
    });
  });

  test('setPriority: the share changes with the next turn, for what is queued too; a message of its own priority keeps it', () => {
    const pair = connected();
    const messageOf = (stream: number): SctpMessage => ({ ppid: 53, data: payload(250_000, stream) });
    pair.a.setPriority(2, 128);
    for (const stream of [1, 2]) pair.a.send(stream, messageOf(stream));
    pair.a.send(3, { ...messageOf(3), priority: 256 });
    const first = sharesOf(pair, 70);
    expect(first[1]).toBeCloseTo(2 / 5, 1);
    expect(first[2]).toBeCloseTo(1 / 5, 1);
    expect(first[3]).toBeCloseTo(2 / 5, 1);
    pair.a.setPriority(2, 1024);
    pair.a.setPriority(3, 1024);
    const second = sharesOf(pair, 70);
    expect(second[1]).toBeCloseTo(1 / 6, 1);
    expect(second[2]).toBeCloseTo(4 / 6, 1);
    expect(second[3]).toBeCloseTo(1 / 6, 1);
  });

  test('a stream of a priority of its own takes memory until it has the default again', () => {
    const pair = connected();
    pair.a.setPriority(1, 512);
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.a.resetStreams([1]);
    pair.runFor(1000);
    expect(inspect(pair.a).send.streams).toBe(1);
    pair.a.setPriority(1, 256);
    pair.a.resetStreams([1]);
    pair.runFor(1000);
    expect(inspect(pair.a).send.streams).toBe(0);
  });

  test.each([0, -1, NaN])('a priority of %d is refused', (priority) => {
    expect(() => connected().a.setPriority(1, priority)).toThrow(/priority/);
  });

  test('without interleaving a turn is a message, and weights still count', () => {
    const pair = connected({ a: {}, b: {} });
    for (let i = 0; i < 40; i++) {
      pair.a.send(1, { ppid: 53, data: payload(1000, i), priority: 128 });
      pair.a.send(2, { ppid: 53, data: payload(1000, i), priority: 512 });
    }
    pair.run(() => messages(pair.events[1]).length >= 40, 10_000);
    const first = messages(pair.events[1]).slice(0, 40);
    expect(first.filter(({ streamId }) => streamId === 2).length).toBeGreaterThanOrEqual(30);
  });
});

describe('partial reliability and resets', () => {
  test('I-FORWARD-TSN skips ordered and unordered messages, half-sent ones too', () => {
    const pair = connected();
    let dropping = true;
    pair.filter = (from, packet) => from === 1 || !dropping || !kinds(packet).includes('iData');
    pair.a.send(1, { ppid: 53, data: payload(5000, 1), maxRetransmits: 0 });
    pair.a.send(2, { ppid: 53, data: payload(5000, 2), maxRetransmits: 0, unordered: true });
    pair.runFor(100);
    dropping = false;
    pair.a.send(1, { ppid: 53, data: payload(10, 3) });
    pair.a.send(2, { ppid: 53, data: payload(10, 4), unordered: true });
    pair.runFor(5000);
    expect(messages(pair.events[1]).map(({ streamId, data }) => [streamId, data.length])).toEqual(
      expect.arrayContaining([
        [1, 10],
        [2, 10],
      ]),
    );
    expect(messages(pair.events[1])).toHaveLength(2);
    expect(inspect(pair.b).receive).toMatchObject({ usedBytes: 0, fragments: 0, gaps: 0 });
    expect(inspect(pair.a).send.outstandingChunks).toBe(0);
  });

  test('after a reset message identifiers begin at 0 again', () => {
    const pair = connected();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 3; i++) {
        pair.a.send(1, { ppid: 53, data: payload(2000, i) });
        pair.a.send(1, { ppid: 53, data: payload(2000, i), unordered: true });
      }
      pair.a.resetStreams([1]);
      pair.runFor(500);
    }
    expect(messages(pair.events[1])).toHaveLength(18);
  });
});

describe('zero checksum', () => {
  const checksum = (packet: Uint8Array): number => packet.slice(8, 12).reduce((sum, byte) => sum + byte, 0);

  test.each([
    [true, true, 0],
    [true, false, 2],
    [false, true, 2],
  ])('accepted by one (%s) and the other (%s)', (a, b, summed) => {
    const pair = new Pair({ link: { delay: 20 }, a: { zeroChecksum: a }, b: { zeroChecksum: b } });
    const zero = new Map<string, boolean>();
    pair.filter = (_, packet) => {
      zero.set(kinds(packet).split('+')[0] ?? '', checksum(packet) === 0);
      return true;
    };
    pair.connect();
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.runFor(500);
    expect(messages(pair.events[1])).toHaveLength(1);
    // RFC 9653 §5.2: packets of the set-up always carry one.
    expect([zero.get('init'), zero.get('cookieEcho')]).toEqual([false, false]);
    expect([zero.get('data'), zero.get('sack')]).toEqual(summed === 0 ? [true, true] : [false, false]);
  });

  test('INIT ACK announces it only to whom has announced it: some drop one with a parameter they do not know', () => {
    const announced = [true, false].map((theirs) => {
      const pair = new Pair({ link: { delay: 20 }, a: { zeroChecksum: theirs } });
      const found = new Map<string, boolean>();
      pair.filter = (from, packet) => {
        if (from === 1) found.set(kinds(packet), Buffer.from(packet).includes('80010008', 0, 'hex'));
        return true;
      };
      pair.connect();
      pair.runFor(500);
      return [found.get('init'), found.get('initAck')];
    });
    expect(announced).toEqual([
      [true, true],
      [true, false],
    ]);
  });

  test('S24: zero where it was not announced is a wrong checksum, and so is any other wrong number', () => {
    const pair = connected({ a: { zeroChecksum: false } });
    const packet = packetOf(tagOfA(pair), dataChunk({ tsn: 1 }));
    packet.fill(0, 8, 12);
    pair.a.handlePacket(packet, pair.now);
    expect(inspect(pair.a).counters['bad-checksum']).toBe(1);
    const open = connected();
    const wrong = packetOf(tagOfA(open), dataChunk({ tsn: 1 }));
    wrong[8] = (wrong[8] ?? 0) ^ 1;
    open.a.handlePacket(wrong, open.now);
    expect([inspect(open.a).counters['bad-checksum'], open.a.state]).toEqual([1, 'established']);
  });
});
