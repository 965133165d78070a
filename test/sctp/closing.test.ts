import { describe, expect, test } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk, encodeShutdown } from '../../src/sctp/packet/simple.ts';
import type { SctpAssociation, SctpEvent } from '../../src/sctp/index.ts';
import {
  assertInvariants,
  association,
  events,
  inspect,
  LOCAL_CLOSE,
  messages,
  Pair,
  payload,
  receive,
  sent,
} from './pair.ts';
import { abortChunk, allKinds, chunksOf, dataChunk, dataOf, kinds, packetOf } from './wire.ts';

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

describe('abort', () => {
  test('F2c: one ABORT out, everything released in the same call, nothing afterwards', () => {
    const pair = connected();
    for (let i = 0; i < 1000; i++) pair.a.send(i % 7, { ppid: 53, data: payload(2000, i) });
    sent(pair.a);
    pair.a.resetStreams([1]);
    pair.a.abort('enough', pair.now);
    assertInvariants(pair.a);
    expect(pair.a.nextTimeout()).toBe(Infinity);
    const packets = sent(pair.a);
    expect(allKinds(packets)).toEqual(['abort']);
    expect(sent(pair.a)).toEqual([]);
    expect(last(events(pair.a))).toMatchObject({
      type: 'closed',
      origin: 'local',
      failure: { code: 'aborted', message: 'enough' },
      causes: [{ code: 12, text: 'enough' }],
    });
    expect(pair.a.pollEvent()).toBeUndefined();
    receive(pair.b, packets, pair.now);
    expect(last(events(pair.b))).toMatchObject({
      type: 'closed',
      origin: 'remote',
      failure: { code: 'aborted-by-peer' },
      causes: [{ code: 12, text: 'enough' }],
    });
    assertInvariants(pair.b);
  });

  test('messages that had arrived are still there to be taken', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(100, 1) });
    receive(pair.b, sent(pair.a), pair.now);
    pair.a.abort('bye', pair.now);
    receive(pair.b, sent(pair.a), pair.now);
    expect(events(pair.b).map(({ type }) => type)).toEqual(['message', 'closed']);
    assertInvariants(pair.b);
  });

  test.each([
    'new',
    'cookie-wait',
    'cookie-echoed',
    'established',
    'shutdown-pending',
    'shutdown-sent',
    'shutdown-received',
  ])('F2c: in %s', (state) => {
    const a = inState(state);
    expect(a.state).toBe(state);
    a.abort('now', 100_000);
    assertInvariants(a);
    // Only who knows the peer's tag can say goodbye.
    const expected = state === 'new' || state === 'cookie-wait' ? [] : ['abort'];
    expect(allKinds(sent(a))).toEqual(expected);
    expect(last(events(a))?.type).toBe('closed');
  });

  test.each([
    'new',
    'cookie-wait',
    'cookie-echoed',
    'established',
    'shutdown-pending',
    'shutdown-sent',
    'shutdown-received',
  ])(
    "F2c: close() in %s leaves an ABORT with the reason's code, `closed` with the reason, and else nothing",
    (state) => {
      const a = inState(state);
      a.close(LOCAL_CLOSE, 100_000);
      assertInvariants(a);
      expect(a.nextTimeout()).toBe(Infinity);
      const expected = state === 'new' || state === 'cookie-wait' ? [] : ['abort'];
      expect(allKinds(sent(a))).toEqual(expected);
      const causes = [{ code: 12, text: 'local-close' }];
      expect(last(events(a))).toEqual({ type: 'closed', origin: 'local', failure: LOCAL_CLOSE, causes });
      expect([sent(a), events(a)]).toEqual([[], []]);
      a.close(LOCAL_CLOSE, 200_000);
      a.handleTimeout(200_000);
      a.setPathWritable(false, 200_000);
      a.abort('again', 200_000);
      a.shutdown(200_000);
      expect([sent(a), events(a), a.nextTimeout()]).toEqual([[], [], Infinity]);
    },
  );

  test('packets for a closed association change nothing', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(100, 1) });
    const packets = sent(pair.a);
    pair.b.abort('gone', pair.now);
    sent(pair.b);
    events(pair.b);
    receive(pair.b, packets, pair.now);
    expect([sent(pair.b), events(pair.b)]).toEqual([[], []]);
    assertInvariants(pair.b);
  });
});

/** An association with data queued in the named state. */
function inState(state: string): SctpAssociation {
  const a = association(1);
  const z = association(2);
  a.send(1, { ppid: 53, data: payload(5000, 1) });
  if (state === 'new') return a;
  a.connect(0);
  if (state === 'cookie-wait') return a;
  receive(z, sent(a), 0);
  receive(a, sent(z), 0);
  if (state === 'cookie-echoed') return a;
  receive(z, sent(a), 0);
  receive(a, sent(z), 0);
  if (state === 'established') return a;
  if (state === 'shutdown-received') {
    sent(a);
    z.shutdown(0);
    receive(a, sent(z), 0);
    return a;
  }
  a.shutdown(0);
  if (state === 'shutdown-pending') return a;
  for (let i = 0; i < 5; i++) {
    receive(z, sent(a), i * 1000);
    z.handleTimeout(i * 1000 + 500);
    receive(
      a,
      sent(z).filter((packet) => !kinds(packet).includes('shutdown')),
      i * 1000 + 500,
    );
  }
  return a;
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

describe('an ABORT inside a packet', () => {
  test('ends it there: what follows does not count', () => {
    const pair = connected();
    const tag = tagOfA(pair);
    pair.a.handlePacket(packetOf(tag, abortChunk('stop'), dataChunk({ tsn: 1 })), pair.now);
    expect(events(pair.a)).toMatchObject([{ type: 'closed', causes: [{ code: 12, text: 'stop' }] }]);
  });

  test('without a cause it counts all the same', () => {
    const pair = connected();
    const tag = tagOfA(pair);
    pair.a.handlePacket(packetOf(tag, encodeChunk(CHUNK.abort, 0, new Uint8Array(0))), pair.now);
    expect(events(pair.a)).toMatchObject([{ type: 'closed', origin: 'remote', causes: [] }]);
  });
});
