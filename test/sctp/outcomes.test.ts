/** messageLifetime and what `send` promises: every message that is asked about ends once, however it ends. */
import { describe, expect, test } from 'vitest';
import type { MessageOutcome, SctpEvent, SctpMessage } from '../../src/sctp/index.ts';
import { association, events, inspect, LOCAL_CLOSE, messages, Pair, payload } from './pair.ts';
import { kinds } from './wire.ts';

function connected(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const pair = new Pair({ link: { delay: 20 }, ...options }).connect();
  for (const all of pair.events) all.length = 0;
  return pair;
}

function message(length: number, token: unknown, more: Partial<SctpMessage> = {}): SctpMessage {
  return { ppid: 53, data: payload(length, 1), token, ...more };
}

function outcomes(all: readonly SctpEvent[]): [unknown, MessageOutcome][] {
  return all.flatMap((event) =>
    event.type === 'messageoutcome' ? [[event.token, event.outcome] as [unknown, MessageOutcome]] : [],
  );
}

describe('outcomes', () => {
  test('a message is acknowledged when the peer has all of it', () => {
    const pair = connected();
    pair.a.send(1, message(50_000, 'large'));
    pair.a.send(2, message(10, 'small', { unordered: true }));
    pair.a.send(3, { ppid: 53, data: payload(10, 1) }); // Nobody asks.
    pair.runFor(1000);
    expect(outcomes(pair.events[0])).toEqual([
      ['large', 'acknowledged'],
      ['small', 'acknowledged'],
    ]);
  });

  test('a gap report is no acknowledgement: it may be taken back', () => {
    const pair = connected();
    let lost = false;
    pair.filter = (from, packet) => {
      const drop = from === 0 && !lost && kinds(packet).includes('data');
      lost ||= drop;
      return !drop;
    };
    pair.a.send(1, message(1000, 'first'));
    pair.runFor(1);
    pair.a.send(1, message(1000, 'second'));
    pair.runFor(60);
    expect(outcomes(pair.events[0])).toEqual([]);
    pair.runFor(2000);
    expect(outcomes(pair.events[0]).map(([token]) => token)).toEqual(['first', 'second']);
  });

  test('retransmissions used up: abandoned', () => {
    const pair = connected();
    pair.cut[0] = true;
    pair.a.send(1, message(10, 'once', { maxRetransmits: 0 }));
    pair.runFor(2000);
    expect(outcomes(pair.events[0])).toEqual([['once', 'abandoned']]);
  });

  test('what is discarded before it was begun', () => {
    const pair = connected();
    pair.cut[0] = true;
    pair.a.send(1, message(60_000, 'begun'));
    pair.a.send(1, message(10, 'behind'));
    pair.runFor(100);
    pair.a.discard(1);
    expect(outcomes(events(pair.a))).toEqual([['behind', 'discarded']]);
  });

  test.each(['abort', 'close', 'gate'] as const)(
    'F2c: 1,000 messages pending end exactly once each, in the call of %s',
    (how) => {
      const pair = connected();
      pair.cut[0] = true;
      for (let i = 0; i < 1000; i++)
        pair.a.send(i % 7, message(500, i, i % 3 === 0 ? { unordered: true } : {}));
      pair.a.resetStreams([3]);
      for (let i = 1000; i < 1010; i++) pair.a.send(3, message(500, i));
      pair.runFor(1000);
      if (how === 'abort') pair.a.abort('enough', pair.now);
      else if (how === 'close') pair.a.close(LOCAL_CLOSE, pair.now);
      else pair.run(() => pair.a.state === 'closed');
      const all = [...pair.events[0], ...events(pair.a)];
      const ended = outcomes(all);
      expect(ended.map(([token]) => token as number).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 1010 }, (_, i) => i),
      );
      expect(new Set(ended.map(([, outcome]) => outcome))).toEqual(new Set(['discarded']));
      expect(all.at(-1)?.type).toBe('closed');
      expect(pair.a.nextTimeout()).toBe(Infinity);
      expect(inspect(pair.a).send).toMatchObject({ bufferedBytes: 0, unackedBytes: 0, outstandingChunks: 0 });
    },
  );

  test('messages queued before the association is up end with it', () => {
    const a = association(1);
    a.send(1, message(10, 'early'));
    a.connect(0);
    while (a.state !== 'closed') a.handleTimeout(a.nextTimeout());
    expect(outcomes(events(a))).toEqual([['early', 'discarded']]);
  });
});

describe('messageLifetime', () => {
  test('while the path is down: an unsent message expires at its time', () => {
    const pair = connected();
    pair.a.setPathWritable(false, pair.now);
    pair.a.send(1, message(10, 'late', { maxPacketLifeTime: 700 }));
    const startedAt = pair.now;
    pair.run(() => pair.events[0].length > 0, 5000);
    expect(outcomes(pair.events[0])).toEqual([['late', 'expired']]);
    expect(pair.now - startedAt).toBe(700);
    expect(pair.a.bufferedAmount(1)).toBe(0);
  });

  test('behind a shut window: the unsent ones go, the stream goes on', () => {
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    pair.polls[1] = false;
    for (let i = 0; i < 20; i++) pair.a.send(1, message(1000, i, { maxPacketLifeTime: 3000 }));
    pair.runFor(2900);
    expect(outcomes(pair.events[0]).every(([, outcome]) => outcome === 'acknowledged')).toBe(true);
    pair.runFor(5000);
    pair.polls[1] = true;
    pair.a.send(1, message(1000, 'after'));
    pair.runFor(10_000);
    const ended = outcomes(pair.events[0]);
    expect(ended).toHaveLength(21);
    expect(new Set(ended.map(([token]) => token)).size).toBe(21);
    expect(ended.filter(([, outcome]) => outcome === 'expired').length).toBeGreaterThan(5);
    expect(ended.at(-1)).toEqual(['after', 'acknowledged']);
    expect(messages(pair.events[1]).length).toBeGreaterThan(5);
  });

  test('a message half sent is given up as a whole, and the peer is told', () => {
    const pair = connected();
    pair.a.send(1, message(200_000, 'half', { maxPacketLifeTime: 100 }));
    pair.runFor(30);
    pair.cut[0] = true;
    pair.runFor(400);
    expect(outcomes(pair.events[0])).toEqual([['half', 'expired']]);
    pair.cut[0] = false;
    pair.a.send(1, message(10, 'next'));
    pair.runFor(5000);
    expect(messages(pair.events[1]).map(({ data }) => data.length)).toEqual([10]);
    expect(inspect(pair.b).receive).toMatchObject({ usedBytes: 0, fragments: 0 });
  });

  test('one that is in flight as a whole waits for its acknowledgement', () => {
    const pair = connected({ link: { delay: 200 } });
    pair.a.send(1, message(10, 'in flight', { maxPacketLifeTime: 50 }));
    pair.runFor(2000);
    expect(outcomes(pair.events[0])).toEqual([['in flight', 'acknowledged']]);
    expect(inspect(pair.a).counters['abandoned-messages']).toBe(0);
  });

  test('no timer is left for messages that have ended', () => {
    const pair = connected();
    for (let i = 0; i < 10; i++) pair.a.send(1, message(10, i, { maxPacketLifeTime: 60_000 }));
    expect(inspect(pair.a).timers).not.toHaveProperty('messageLifetime');
    pair.runFor(1);
    expect(inspect(pair.a).timers).toHaveProperty('messageLifetime');
    pair.runFor(1000);
    expect(inspect(pair.a).timers).not.toHaveProperty('messageLifetime');
  });
});

describe('the send buffer', () => {
  test('sendbufferlow: once each time that what is held falls to the threshold', () => {
    const pair = connected({ a: { sendBuffer: 20_000 } });
    for (let i = 0; i < 20; i++) expect(pair.a.send(i, message(1000, undefined))).toBe(true);
    expect(pair.a.send(1, message(1000, undefined))).toBe(false);
    const seen = (): number => pair.events[0].filter(({ type }) => type === 'sendbufferlow').length;
    pair.runFor(20);
    expect(seen()).toBe(0);
    pair.runFor(1000);
    expect(seen()).toBe(1);
    pair.a.send(1, message(9000, undefined));
    pair.runFor(1000);
    expect(seen()).toBe(1);
    pair.a.send(1, message(11_000, undefined));
    pair.runFor(1000);
    expect(seen()).toBe(2);
  });

  test('a threshold that cannot be fallen to is refused', () => {
    expect(() => association(1, { sendBuffer: 1000, sendBufferLowThreshold: 1000 })).toThrow(
      /sendBufferLowThreshold/,
    );
  });
});
