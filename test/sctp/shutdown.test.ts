/** The graceful end (RFC 9260 §9.2): what is delivered first, what is lost and said again, and how long it may take. */
import { describe, expect, test } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk, encodeShutdown } from '../../src/sctp/packet/simple.ts';
import type { SctpEvent } from '../../src/sctp/index.ts';
import { expectNothingHeld } from './empty.ts';
import {
  assertInvariants,
  association,
  events,
  inspect,
  messages,
  Pair,
  payload,
  receive,
  sent,
} from './pair.ts';
import { allKinds, chunksOf, dataOf, kinds, packetOf } from './wire.ts';

function connected(options: ConstructorParameters<typeof Pair>[0] = { link: { delay: 20 } }): Pair {
  const pair = new Pair(options).connect();
  pair.events[0].length = 0;
  pair.events[1].length = 0;
  pair.a.handleTimeout(pair.now);
  pair.b.handleTimeout(pair.now);
  return pair;
}

function last(all: readonly SctpEvent[]): SctpEvent | undefined {
  return all.at(-1);
}

/** The tag that packets for `a` carry. */
function tagOfA(pair: Pair): number {
  pair.b.send(9, { ppid: 51, data: payload(1, 0) });
  const packets = sent(pair.b);
  receive(pair.a, packets, pair.now);
  pair.a.handleTimeout(pair.now + 100);
  receive(pair.b, sent(pair.a), pair.now);
  pair.drain();
  return verificationTagOf(packets[0] ?? new Uint8Array(12));
}

describe('graceful shutdown', () => {
  test('SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE', () => {
    const pair = connected();
    const seen: string[] = [];
    pair.filter = (from, packet) => {
      seen.push(`${from} ${kinds(packet)}`);
      return true;
    };
    pair.a.shutdown(pair.now);
    pair.run(() => pair.b.state === 'closed', 5000);
    expect(seen).toEqual(['0 shutdown', '1 shutdownAck', '0 shutdownComplete']);
    expect(pair.events[0]).toEqual([{ type: 'closed', origin: 'local', causes: [] }]);
    expect(pair.events[1]).toEqual([{ type: 'closed', origin: 'remote', causes: [] }]);
  });

  test.each([0, 0.2])('G20: everything accepted is delivered first, in both directions, loss %d', (loss) => {
    const pair = connected({ link: { delay: 20, jitter: 5, loss }, seed: 3 });
    for (let i = 0; i < 10; i++) {
      pair.a.send(1, { ppid: 53, data: payload(20_000, i) });
      pair.b.send(1, { ppid: 53, data: payload(20_000, i) });
    }
    pair.a.shutdown(pair.now);
    expect(() => pair.a.send(1, { ppid: 53, data: payload(1, 1) })).toThrow(/shutdown/);
    pair.run(() => pair.a.state === 'closed' && pair.b.state === 'closed', 60_000);
    expect([messages(pair.events[0]).length, messages(pair.events[1]).length]).toEqual([10, 10]);
    expect([pair.a.state, pair.b.state]).toEqual(['closed', 'closed']);
    expect(last(pair.events[0])).not.toHaveProperty('failure');
  });

  test('given-up messages do not hold it up', () => {
    const pair = connected();
    pair.filter = (from, packet) => from !== 0 || dataOf(packet).length === 0;
    pair.a.send(1, { ppid: 53, data: payload(20_000, 1), maxRetransmits: 0 });
    pair.a.shutdown(pair.now);
    pair.run(() => pair.a.state === 'closed', 29_000);
    expect(pair.events[0].at(-1)).toEqual({ type: 'closed', origin: 'local', causes: [] });
  });

  test('both at once', () => {
    const pair = connected();
    pair.a.shutdown(pair.now);
    pair.b.shutdown(pair.now);
    pair.run(() => pair.a.state === 'closed' && pair.b.state === 'closed', 5000);
    for (const all of pair.events) {
      expect(all.at(-1)).toMatchObject({ type: 'closed', causes: [] });
      expect(all.at(-1)).not.toHaveProperty('failure');
    }
  });

  test.each(['shutdown', 'shutdownAck'])('a lost %s is sent again', (kind) => {
    const pair = connected();
    let lost = 0;
    pair.filter = (_, packet) => kinds(packet) !== kind || ++lost > 2;
    pair.a.shutdown(pair.now);
    pair.run(() => pair.a.state === 'closed' && pair.b.state === 'closed', 9000);
    expect(last(pair.events[0])).toEqual({ type: 'closed', origin: 'local', causes: [] });
    expect(last(pair.events[1])).toEqual({ type: 'closed', origin: 'remote', causes: [] });
  });

  test('a lost SHUTDOWN COMPLETE leaves the peer to its gate, not for ever', () => {
    const pair = connected();
    pair.filter = (_, packet) => kinds(packet) !== 'shutdownComplete';
    pair.a.shutdown(pair.now);
    const startedAt = pair.now;
    pair.run(() => pair.b.state === 'closed');
    expect(pair.now - startedAt).toBeLessThanOrEqual(10_100);
    expect(last(pair.events[1])).toMatchObject({
      type: 'closed',
      failure: { code: 'shutdown-timeout', gate: 'shutdown' },
    });
  });

  test('DATA that meets a SHUTDOWN on its way is acknowledged', () => {
    const pair = connected();
    pair.a.shutdown(pair.now);
    sent(pair.a); // the SHUTDOWN is lost
    pair.b.send(1, { ppid: 53, data: payload(10, 1) });
    receive(pair.a, sent(pair.b), pair.now);
    expect(pair.a.state).toBe('shutdown-sent');
    expect(allKinds(sent(pair.a))).toEqual(['sack+shutdown']);
    expect(messages(events(pair.a))).toHaveLength(1);
  });

  test('S26: a SHUTDOWN that acknowledges what was never sent is ignored', () => {
    const pair = connected();
    const tag = tagOfA(pair);
    pair.a.handlePacket(packetOf(tag, encodeShutdown(123)), pair.now);
    expect(pair.a.state).toBe('established');
  });

  test.each([
    ['SHUTDOWN ACK', CHUNK.shutdownAck, 'unexpected-chunk'],
    ['SHUTDOWN COMPLETE', CHUNK.shutdownComplete, 'unexpected-chunk'],
    ['COOKIE ACK', CHUNK.cookieAck, 'late-setup-chunk'],
  ] as const)('S26: a stray %s changes nothing', (_, type, counter) => {
    const pair = connected();
    const tag = tagOfA(pair);
    pair.a.handlePacket(packetOf(tag, encodeChunk(type, 0, new Uint8Array(0))), pair.now);
    expect([pair.a.state, sent(pair.a)]).toEqual(['established', []]);
    expect(inspect(pair.a).counters[counter]).toBeGreaterThan(0);
  });

  test('a shutdown before the association is up just ends it', () => {
    const a = association(1);
    a.connect(0);
    a.shutdown(10);
    expect(a.state).toBe('closed');
    expect(last(events(a))).toMatchObject({ type: 'closed', failure: { code: 'aborted' } });
    assertInvariants(a);
  });

  test('§8.5.1 E: a SHUTDOWN ACK for an association of before is answered under its own tag', () => {
    const a = association(1);
    a.connect(0);
    sent(a);
    a.handlePacket(packetOf(4711, encodeChunk(CHUNK.shutdownAck, 0, new Uint8Array(0))), 10);
    const [answer] = sent(a);
    expect(kinds(answer ?? new Uint8Array(12))).toBe('shutdownComplete');
    expect(verificationTagOf(answer ?? new Uint8Array(12))).toBe(4711);
    expect(chunksOf(answer ?? new Uint8Array(12))[0]?.flags).toBe(1);
  });
});

describe('the graceful end, once more', () => {
  const graceful = (origin: 'local' | 'remote'): SctpEvent => ({ type: 'closed', origin, causes: [] });

  test.each([0, 0.2])(
    'both ends at once with data outstanding both ways, loss %d: all of it arrives',
    (loss) => {
      const pair = connected({ link: { delay: 20, jitter: 5, loss }, seed: 5 });
      for (let i = 0; i < 10; i++) {
        pair.a.send(1, { ppid: 53, data: payload(20_000, i) });
        pair.b.send(1, { ppid: 53, data: payload(9000, i) });
      }
      pair.a.shutdown(pair.now);
      pair.b.shutdown(pair.now);
      pair.run(() => pair.a.state === 'closed' && pair.b.state === 'closed', 60_000);
      for (const [index, end] of [pair.a, pair.b].entries()) {
        const all = pair.events[index] ?? [];
        expect(messages(all)).toHaveLength(10);
        expect(all.at(-1)).not.toHaveProperty('failure');
        expectNothingHeld(end, pair.now);
      }
    },
  );

  test('what the peer had accepted is given out, though it comes after our SHUTDOWN', () => {
    const pair = connected({ link: { delay: 20, rate: 100 } });
    for (let i = 0; i < 20; i++) pair.b.send(1, { ppid: 53, data: payload(20_000, i) });
    pair.a.shutdown(pair.now);
    pair.runFor(30);
    expect([pair.a.state, pair.b.state]).toEqual(['shutdown-sent', 'shutdown-received']);
    expect(pair.b.send(1, { ppid: 53, data: payload(1, 1) })).toBe(false);
    pair.run(() => pair.b.state === 'closed', 20_000);
    expect(messages(pair.events[0])).toHaveLength(20);
    expect([pair.events[0].at(-1), pair.events[1].at(-1)]).toEqual([graceful('local'), graceful('remote')]);
  });

  test('DATA in SHUTDOWN-SENT starts T2 anew', () => {
    const pair = connected();
    pair.a.shutdown(pair.now);
    sent(pair.a);
    const before = inspect(pair.a).timers['t2'] ?? NaN;
    pair.b.send(1, { ppid: 53, data: payload(10, 1) });
    receive(pair.a, sent(pair.b), pair.now + 50);
    expect(inspect(pair.a).timers['t2']).toBe(before + 50);
  });

  test('a stream that is being reset, and what is queued behind its reset, are finished', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(5000, 1) });
    pair.a.resetStreams([1]);
    pair.a.send(1, { ppid: 53, data: payload(5000, 2) });
    pair.a.shutdown(pair.now);
    expect(() => pair.a.resetStreams([2])).toThrow(/shutdown/);
    pair.run(() => pair.a.state === 'closed' && pair.b.state === 'closed', 20_000);
    const told = pair.events[1].map(({ type }) => type).filter((type) => type !== 'streamdata');
    expect(told).toEqual(['message', 'streamreset', 'message', 'closed']);
    expect(pair.events[0].at(-1)).toEqual(graceful('local'));
    expectNothingHeld(pair.a, pair.now);
  });

  test('a SHUTDOWN COMPLETE that was lost is sent again for each SHUTDOWN ACK', () => {
    const pair = connected();
    let lost = 0;
    pair.filter = (_, packet) => kinds(packet) !== 'shutdownComplete' || ++lost > 2;
    pair.a.shutdown(pair.now);
    pair.run(() => pair.b.state === 'closed', 9000);
    expect(lost).toBe(3);
    expect([pair.events[0], pair.events[1]]).toEqual([[graceful('local')], [graceful('remote')]]);
    expectNothingHeld(pair.a, pair.now);
  });

  test('only for this association, and only after a graceful end', () => {
    const pair = connected();
    const tag = tagOfA(pair);
    const shutdownAck = encodeChunk(CHUNK.shutdownAck, 0, new Uint8Array(0));
    pair.a.shutdown(pair.now);
    pair.run(() => pair.a.state === 'closed', 5000);
    sent(pair.a);
    pair.a.handlePacket(packetOf(tag ^ 1, shutdownAck), pair.now);
    expect(sent(pair.a)).toEqual([]);
    pair.a.handlePacket(packetOf(tag, shutdownAck), pair.now);
    expect(allKinds(sent(pair.a))).toEqual(['shutdownComplete']);
    const other = connected();
    const otherTag = tagOfA(other);
    other.a.abort('enough', other.now);
    sent(other.a);
    other.a.handlePacket(packetOf(otherTag, shutdownAck), other.now);
    expect(sent(other.a)).toEqual([]);
  });

  test.each([
    ['the peer never answers: 10 s from the SHUTDOWN', 0, 10_000],
    ['the peer takes nothing: 30 s in all', 100_000, 30_000],
  ])('the gate: %s', (_, bytes, expected) => {
    const pair = connected({ link: { delay: 20 }, a: { gates: { dataProgress: 60_000 } } });
    pair.cut[0] = true;
    if (bytes > 0) pair.a.send(1, { ppid: 53, data: payload(bytes, 1) });
    const startedAt = pair.now;
    pair.a.shutdown(pair.now);
    pair.run(() => pair.a.state === 'closed');
    expect(pair.now - startedAt).toBe(expected);
    expect(pair.events[0].at(-1)).toMatchObject({
      failure: { code: 'shutdown-timeout', gate: 'shutdown', elapsed: expected },
      causes: [{ code: 12 }],
    });
    expectNothingHeld(pair.a, pair.now);
  });

  test('the gate: what drains late has what is left of the 30 s', () => {
    const pair = connected({ link: { delay: 20 }, a: { gates: { dataProgress: 60_000 } } });
    pair.cut[0] = true;
    pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
    const startedAt = pair.now;
    pair.a.shutdown(pair.now);
    pair.runFor(25_000);
    pair.cut[0] = false;
    pair.filter = (from, packet) => from !== 0 || dataOf(packet).length > 0;
    pair.run(() => pair.a.state === 'closed');
    expect([messages(pair.events[1]).length, pair.now - startedAt]).toEqual([1, 30_000]);
  });
});
