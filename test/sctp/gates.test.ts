/** F2a, F2b, F2c: what feeds a gate and what does not. That each ends in time is in gate-table.test.ts. */
import { describe, expect, test } from 'vitest';
import type { SctpEvent } from '../../src/sctp/index.ts';
import { DEFAULT_SCTP_GATES } from '../../src/sctp/index.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { assertInvariants, association, events, inspect, messages, Pair, payload, sent } from './pair.ts';
import { dataOf, kinds, packetOf, sackChunk } from './wire.ts';

function connected(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const pair = new Pair({ link: { delay: 20 }, ...options }).connect();
  pair.events[0].length = 0;
  pair.events[1].length = 0;
  return pair;
}

function closing(all: readonly SctpEvent[]): Extract<SctpEvent, { type: 'closed' }> {
  const event = all.find(({ type }) => type === 'closed');
  if (event?.type !== 'closed') throw new Error('not closed');
  return event;
}

/** Runs until a has ended; milliseconds it took. */
function timeToClose(pair: Pair): number {
  const startedAt = pair.now;
  pair.run(() => pair.a.state === 'closed');
  assertInvariants(pair.a);
  return pair.now - startedAt;
}

test('F2a: no gate is infinite by default, each has an option', () => {
  for (const value of Object.values(DEFAULT_SCTP_GATES)) expect(value).toBeLessThanOrEqual(60_000);
  expect(() => association(1, { gates: { dataProgress: 0 } })).toThrow(/dataProgress/);
  expect(() => association(1, { gates: { dataProgress: Infinity } })).not.toThrow();
});

describe('dataProgress', () => {
  test('F2b: the peer vanishes during a transfer: ABORT, closed after 30 s, nothing left', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(262_144, 1) });
    pair.runFor(60);
    pair.cut[0] = true;
    pair.cut[1] = true;
    const elapsed = timeToClose(pair);
    expect(elapsed).toBeGreaterThan(29_000);
    // What was on its way at the cut still arrives.
    expect(elapsed).toBeLessThanOrEqual(30_040);
    const { failure, causes } = closing(pair.events[0]);
    expect(failure).toMatchObject({ code: 'data-timeout', gate: 'dataProgress', elapsed: 30_000 });
    expect(failure?.peerSilentFor).toBeGreaterThanOrEqual(30_000 - 1);
    expect(causes).toMatchObject([{ code: 12 }]);
  });

  test('a peer that answers heartbeats but acknowledges nothing does not hold it open', () => {
    const pair = connected();
    pair.filter = (from, packet) => from === 0 || kinds(packet).startsWith('heartbeat');
    let tag = 0;
    pair.b.send(1, { ppid: 53, data: payload(1, 1) });
    tag = verificationTagOf(sent(pair.b)[0] ?? new Uint8Array(12));
    pair.a.send(1, { ppid: 53, data: payload(5000, 1) });
    const startedAt = pair.now;
    pair.run(() => {
      // A sign of life every step: it is no progress.
      pair.a.handlePacket(packetOf(tag, encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(8))), pair.now);
      return pair.a.state === 'closed';
    });
    expect(pair.now - startedAt).toBeLessThanOrEqual(30_001);
    const { failure } = closing(pair.events[0]);
    expect(failure).toMatchObject({ gate: 'dataProgress' });
    expect(failure?.peerSilentFor).toBeLessThan(5000);
  });

  test('SACKs that repeat themselves are no progress', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(5000, 1) });
    let tag = 0;
    let base = 0;
    pair.filter = (from, packet) => {
      if (from === 1) return false;
      const [first] = dataOf(packet);
      if (first !== undefined && base === 0) base = (first.tsn - 1) >>> 0;
      return false;
    };
    pair.b.send(1, { ppid: 53, data: payload(1, 1) });
    tag = verificationTagOf(sent(pair.b)[0] ?? new Uint8Array(12));
    const startedAt = pair.now;
    pair.run(() => {
      pair.a.handlePacket(packetOf(tag, sackChunk({ cumulativeTsn: base })), pair.now);
      return pair.a.state === 'closed';
    });
    expect(pair.now - startedAt).toBeLessThanOrEqual(30_001);
    expect(closing(pair.events[0]).failure).toMatchObject({ gate: 'dataProgress' });
  });

  test('a slow drip is progress: the association lives', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(50_000, 1) });
    // One packet with data every twenty seconds.
    let next = 0;
    pair.filter = (from, packet) => {
      if (from === 1 || dataOf(packet).length === 0) return true;
      if (pair.now < next) return false;
      next = pair.now + 20_000;
      return true;
    };
    pair.runFor(200_000);
    expect(pair.a.state).toBe('established');
    expect(inspect(pair.a).send.outstandingChunks + pair.a.bufferedAmount(1)).toBeGreaterThan(0);
  });

  test('the clock starts anew with each acknowledgement, and stops with the last', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.runFor(200);
    expect(inspect(pair.a).timers).not.toHaveProperty('dataProgress');
    pair.runFor(100_000);
    expect(pair.a.state).toBe('established');
  });
});

describe('zeroWindow', () => {
  test('a reader that never reads: closed after 60 s, not after 30', () => {
    const gates = { readerStalled: Infinity };
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000, gates } });
    pair.polls[1] = false;
    for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    pair.run(() => inspect(pair.a).send.peerWindow === 0, 5000);
    const elapsed = timeToClose(pair);
    expect(elapsed).toBeGreaterThan(59_000);
    expect(elapsed).toBeLessThanOrEqual(60_100);
    expect(closing(pair.events[0]).failure).toMatchObject({
      code: 'zero-window-timeout',
      gate: 'zeroWindow',
    });
  });

  test('a peer that shuts its window and vanishes is ended by dataProgress', () => {
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    pair.polls[1] = false;
    for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    pair.runFor(5000);
    expect(inspect(pair.a).send.peerWindow).toBe(0);
    pair.cut[1] = true;
    expect(timeToClose(pair)).toBeLessThanOrEqual(30_100);
    expect(closing(pair.events[0]).failure).toMatchObject({ gate: 'dataProgress' });
  });

  test('a window that opens and shuts without taking anything does not hold it open', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(50_000, 1) });
    let base = 0;
    pair.filter = (from, packet) => {
      const [first] = dataOf(packet);
      if (from === 0 && first !== undefined && base === 0) base = (first.tsn - 1) >>> 0;
      return false;
    };
    pair.b.send(1, { ppid: 53, data: payload(1, 1) });
    const tag = verificationTagOf(sent(pair.b)[0] ?? new Uint8Array(12));
    const startedAt = pair.now;
    let open = false;
    pair.run(() => {
      open = !open;
      const window = open ? 100_000 : 0;
      pair.a.handlePacket(packetOf(tag, sackChunk({ cumulativeTsn: base, window })), pair.now);
      return pair.a.state === 'closed';
    });
    expect(pair.now - startedAt).toBeLessThanOrEqual(61_000);
    expect(closing(pair.events[0]).failure).toMatchObject({ gate: 'zeroWindow' });
  });

  test('a window that opens in time goes on', () => {
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    pair.polls[1] = false;
    for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    pair.runFor(50_000);
    pair.polls[1] = true;
    pair.run(() => messages(pair.events[1]).length === 30, 20_000);
    expect(messages(pair.events[1])).toHaveLength(30);
    expect(inspect(pair.a).timers).not.toHaveProperty('zeroWindow');
  });
});

describe('readerStalled', () => {
  /** b reads nothing; a sends until b's window is full. */
  function stalled(gates: { zeroWindow: number } = { zeroWindow: Infinity }): Pair {
    const pair = connected({ a: { gates }, b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    pair.polls[1] = false;
    for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    pair.run(() => inspect(pair.a).send.peerWindow === 0, 5000);
    return pair;
  }

  test('what has arrived is not taken: the window shuts, and after 60 s the association ends', () => {
    const pair = stalled();
    const startedAt = pair.now;
    pair.run(() => pair.b.state === 'closed');
    expect(pair.now - startedAt).toBeGreaterThan(59_000);
    expect(pair.now - startedAt).toBeLessThanOrEqual(60_000);
    const left = events(pair.b);
    // Nothing is dropped: what had been acknowledged comes first.
    const arrived = messages(left).map(({ data }) => data[0]);
    expect(arrived.length).toBeGreaterThanOrEqual(5);
    expect(arrived).toEqual(arrived.map((_, i) => payload(1000, i)[0]));
    expect(closing(left)).toMatchObject({
      failure: { code: 'reader-stalled', gate: 'readerStalled', elapsed: 60_000 },
      causes: [{ code: 4 }],
    });
    expect(closing(left).failure?.peerSilentFor).toBeLessThan(10_000);
    pair.runFor(100);
    expect(closing(pair.events[0])).toMatchObject({ origin: 'remote', causes: [{ code: 4 }] });
    assertInvariants(pair.b);
  });

  test('a reader that takes one message a minute reads', () => {
    const pair = stalled();
    for (let i = 0; i < 5; i++) {
      pair.runFor(50_000);
      expect(pair.b.pollEvent()?.type).toBe('message');
    }
    expect(pair.b.state).toBe('established');
  });

  test('a few messages not taken shut nobody out: no clock runs', () => {
    const pair = connected();
    pair.polls[1] = false;
    for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    pair.runFor(1000);
    expect(inspect(pair.b).timers).not.toHaveProperty('readerStalled');
  });

  test('an owner who passes messages on says when they have been taken', () => {
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    pair.b.retainsMessages = true;
    for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    pair.runFor(10_000);
    const held = messages(pair.events[1]).length;
    expect(held).toBeLessThanOrEqual(10);
    expect(inspect(pair.b)).toMatchObject({ receive: { usedBytes: held * 1000 } });
    pair.onEvent = (at, event) => {
      if (at === 1 && event.type === 'message') pair.b.release(event.data.length);
    };
    for (let i = 0; i < held; i++) pair.b.release(1000);
    pair.run(() => messages(pair.events[1]).length === 30, 20_000);
    expect(messages(pair.events[1])).toHaveLength(30);
    pair.runFor(1000);
    expect(inspect(pair.b)).toMatchObject({ receive: { usedBytes: 0 } });
  });
});

describe('peerLiveness', () => {
  test('F2b: an idle peer that vanishes is noticed within 45 s', () => {
    const pair = connected();
    pair.cut[0] = true;
    pair.cut[1] = true;
    expect(timeToClose(pair)).toBeLessThanOrEqual(45_000);
    expect(closing(pair.events[0]).failure).toMatchObject({
      code: 'peer-unresponsive',
      gate: 'peerLiveness',
    });
    expect(closing(pair.events[0]).failure?.elapsed).toBeGreaterThanOrEqual(45_000);
    expect(inspect(pair.a).counters['heartbeats-sent']).toBeGreaterThan(4);
  });

  test('one answer is enough, and an idle pair lives for hours on few packets', () => {
    const pair = connected();
    const before = pair.packets;
    pair.runFor(3_600_000);
    expect([pair.a.state, pair.b.state]).toEqual(['established', 'established']);
    expect(pair.packets - before).toBeLessThan(2 * (3600 / 15) * 2 + 10);
    expect(pair.a.roundTripTime).toBe(40);
  });

  test('while data flows nobody asks', () => {
    const pair = connected();
    for (let i = 0; i < 60; i++) {
      pair.a.send(1, { ppid: 53, data: payload(10, i) });
      pair.runFor(1000);
    }
    expect(inspect(pair.a).counters['heartbeats-sent']).toBe(0);
  });

  test('S17: an answer to no question of ours is no sign of life of the one we asked for', () => {
    const pair = connected();
    pair.b.send(1, { ppid: 53, data: payload(1, 1) });
    const tag = verificationTagOf(sent(pair.b)[0] ?? new Uint8Array(12));
    pair.a.handlePacket(
      packetOf(tag, encodeChunk(CHUNK.heartbeatAck, 0, Uint8Array.of(0, 1, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8))),
      pair.now,
    );
    expect(inspect(pair.a).counters['stray-heartbeat-ack']).toBe(1);
    expect(pair.a.roundTripTime).toBe(40);
  });
});

describe('reassembly', () => {
  test('a gap that is never filled ends the association, whatever else arrives', () => {
    const pair = connected({ a: { gates: { dataProgress: 200_000 } } });
    let missing = -1;
    pair.filter = (from, packet) => {
      if (from !== 0) return true;
      const [first] = dataOf(packet);
      if (first === undefined) return true;
      if (missing < 0) missing = first.tsn;
      return first.tsn !== missing;
    };
    pair.a.send(1, { ppid: 53, data: payload(1100, 0) });
    for (let i = 0; i < 3; i++) pair.a.send(2, { ppid: 53, data: payload(1100, 1), unordered: true });
    let sentAt = 0;
    const startedAt = pair.now;
    pair.run(() => {
      if (pair.now - sentAt > 5000 && pair.a.state === 'established') {
        sentAt = pair.now;
        pair.a.send(2, { ppid: 53, data: payload(1100, 1), unordered: true });
      }
      return pair.b.state === 'closed';
    });
    expect(pair.now - startedAt).toBeLessThanOrEqual(61_000);
    const reasons = [...pair.events[0], ...pair.events[1]].flatMap((event) =>
      event.type === 'closed' ? [event.failure?.gate ?? event.failure?.code] : [],
    );
    expect(reasons).toContain('reassembly');
  });
});

describe('a path that is down', () => {
  test('one that comes back: nothing is lost, and it goes on at once', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(200_000, 1) });
    pair.runFor(50);
    pair.cut[0] = true;
    pair.cut[1] = true;
    pair.a.setPathWritable(false, pair.now);
    pair.b.setPathWritable(false, pair.now);
    expect(sent(pair.a)).toEqual([]);
    assertInvariants(pair.a);
    pair.runFor(50_000);
    expect(pair.a.state).toBe('established');
    pair.cut[0] = false;
    pair.cut[1] = false;
    pair.a.setPathWritable(true, pair.now);
    pair.b.setPathWritable(true, pair.now);
    const backAt = pair.now;
    let first = 0;
    pair.filter = (from, packet) => {
      if (from === 0 && first === 0 && dataOf(packet).length > 0) first = pair.now;
      return true;
    };
    pair.run(() => messages(pair.events[1]).length === 1, 5000);
    expect(first).toBe(backAt);
    expect(messages(pair.events[1])).toHaveLength(1);
  });

  test('the clocks of the other gates stand still meanwhile: they run on with what they had left', () => {
    const pair = connected({ b: { gates: { peerLiveness: Infinity } } });
    pair.cut[0] = true;
    pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
    pair.runFor(20_000);
    pair.a.setPathWritable(false, pair.now);
    pair.runFor(40_000);
    pair.a.setPathWritable(true, pair.now);
    const elapsed = timeToClose(pair);
    expect(elapsed).toBeGreaterThan(9_000);
    expect(elapsed).toBeLessThanOrEqual(10_000);
  });

  test('flapping does not feed a gate', () => {
    const pair = connected();
    pair.cut[0] = true;
    pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
    const startedAt = pair.now;
    for (let i = 0; i < 1000 && pair.a.state !== 'closed'; i++) {
      pair.a.setPathWritable(false, pair.now);
      pair.runFor(10);
      pair.a.setPathWritable(true, pair.now);
      pair.runFor(1000);
    }
    expect(pair.a.state).toBe('closed');
    expect(pair.now - startedAt).toBeLessThan(32_000);
  });

  test('set-up while the path is down sends nothing and is bounded', () => {
    const pair = new Pair({ link: { delay: 20 } });
    pair.a.setPathWritable(false, pair.now);
    pair.a.connect(pair.now);
    expect(sent(pair.a)).toEqual([]);
    expect(timeToClose(pair)).toBe(30_000);
  });
});

test('an event names what happened once, and it is the last', () => {
  const pair = connected();
  pair.cut[0] = true;
  pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
  timeToClose(pair);
  expect(events(pair.a)).toEqual([]);
  expect(pair.events[0].filter(({ type }) => type === 'closed')).toHaveLength(1);
  expect(pair.events[0].at(-1)?.type).toBe('closed');
});
