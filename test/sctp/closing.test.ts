import { describe, expect, test } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import type { SctpAssociation, SctpEvent } from '../../src/sctp/index.ts';
import { assertInvariants, association, events, LOCAL_CLOSE, Pair, payload, receive, sent } from './pair.ts';
import { abortChunk, allKinds, dataChunk, kinds, packetOf } from './wire.ts';

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
