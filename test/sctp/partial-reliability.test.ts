import { describe, expect, test } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { decodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { inspect, messages, Pair, payload } from './pair.ts';
import { chunksOf, dataOf, kinds } from './wire.ts';

function connected(): Pair {
  const pair = new Pair({ link: { delay: 20 } }).connect();
  pair.events[0].length = 0;
  pair.events[1].length = 0;
  return pair;
}

/** Loses every chunk of the messages whose stream is 1, from end 0; counts how often each TSN was sent. */
function losingStreamOne(pair: Pair): Map<number, number> {
  const times = new Map<number, number>();
  pair.filter = (from, packet) => {
    if (from !== 0) return true;
    const doomed = dataOf(packet).filter(({ streamId }) => streamId === 1);
    for (const { tsn } of doomed) times.set(tsn, (times.get(tsn) ?? 0) + 1);
    return doomed.length === 0;
  };
  return times;
}

function forwardTsns(pair: Pair, run: () => void): number {
  let count = 0;
  const { filter } = pair;
  pair.filter = (from, packet) => {
    if (kinds(packet).includes('forwardTsn')) count++;
    return filter?.(from, packet) ?? true;
  };
  run();
  return count;
}

describe('maxRetransmits', () => {
  test.each([0, 1, 3])('%d: the message is sent so often again, then skipped', (limit) => {
    const pair = connected();
    const times = losingStreamOne(pair);
    pair.a.send(1, { ppid: 53, data: payload(500, 1), maxRetransmits: limit });
    pair.a.send(1, { ppid: 53, data: payload(500, 2), maxRetransmits: limit });
    pair.runFor(30_000);
    expect([...new Set(times.values())]).toEqual([limit + 1]);
    pair.filter = undefined;
    pair.a.send(1, { ppid: 53, data: payload(500, 3) });
    pair.runFor(1000);
    expect(messages(pair.events[1]).map(({ data }) => data)).toEqual([payload(500, 3)]);
    expect(inspect(pair.a)).toMatchObject({
      state: 'established',
      send: { outstandingChunks: 0, unackedBytes: 0, flightBytes: 0, bufferedBytes: 0 },
      counters: { 'abandoned-messages': 2 },
    });
  });

  test('the whole message is given up, its unsent rest included; other streams do not notice', () => {
    const pair = connected();
    let lose = true;
    pair.filter = (from, packet) =>
      from !== 0 || !lose || !dataOf(packet).some(({ streamId }) => streamId === 1);
    pair.a.send(1, { ppid: 53, data: payload(60_000, 1), maxRetransmits: 0 });
    pair.a.send(2, { ppid: 53, data: payload(60_000, 2) });
    pair.a.send(1, { ppid: 53, data: payload(3000, 3) });
    pair.runFor(600);
    lose = false;
    pair.runFor(10_000);
    expect(messages(pair.events[1]).map(({ streamId, data }) => [streamId, data.length])).toEqual([
      [2, 60_000],
      [1, 3000],
    ]);
    expect(inspect(pair.b).receive).toMatchObject({ usedBytes: 0, fragments: 0, gaps: 0 });
  });

  test('a rest that was never sent leaves a TSN between it and the next message', () => {
    const pair = connected();
    const tsns: number[] = [];
    let begins = -1;
    pair.filter = (from, packet) => {
      if (from !== 0) return true;
      for (const { tsn, streamId, flags } of dataOf(packet)) {
        if (streamId === 1) tsns.push(tsn);
        else if ((flags & 2) !== 0 && begins < 0) begins = tsn;
      }
      return !dataOf(packet).some(({ streamId }) => streamId === 1);
    };
    pair.a.send(1, { ppid: 53, data: payload(60_000, 1), maxRetransmits: 0 });
    pair.a.send(2, { ppid: 53, data: payload(10, 2) });
    pair.runFor(5000);
    const last = tsns.reduce((a, b) => (((b - a) | 0) > 0 ? b : a));
    expect(begins).toBe((last + 2) >>> 0);
  });

  test('a lost FORWARD TSN is sent again', () => {
    const pair = connected();
    let forwards = 0;
    pair.filter = (from, packet) => {
      if (from !== 0) return true;
      if (kinds(packet).includes('forwardTsn')) return ++forwards > 2;
      return dataOf(packet).length === 0;
    };
    pair.a.send(1, { ppid: 53, data: payload(10, 1), maxRetransmits: 0 });
    pair.runFor(20_000);
    expect(forwards).toBe(3);
    expect(inspect(pair.a).send.outstandingChunks).toBe(0);
  });

  test('SACKs that repeat themselves do not bring a FORWARD TSN each', () => {
    const pair = connected();
    losingStreamOne(pair);
    const count = forwardTsns(pair, () => {
      pair.a.send(1, { ppid: 53, data: payload(10, 1), maxRetransmits: 0 });
      for (let i = 0; i < 200; i++) pair.a.send(2, { ppid: 53, data: payload(1100, i) });
      pair.runFor(5000);
    });
    expect(count).toBeLessThan(4);
    expect(messages(pair.events[1])).toHaveLength(200);
  });

  test('FORWARD TSN names each ordered stream once, with its last SSN, and no unordered one', () => {
    const pair = connected();
    const seen: unknown[] = [];
    pair.filter = (from, packet) => {
      for (const { type, body } of chunksOf(packet)) {
        if (type === CHUNK.forwardTsn) seen.push(decodeForwardTsn(body));
      }
      return from !== 0 || dataOf(packet).length === 0;
    };
    for (const [streamId, unordered] of [
      [1, false],
      [1, false],
      [2, false],
      [3, true],
    ] as const) {
      pair.a.send(streamId, { ppid: 53, data: payload(10, 1), unordered, maxRetransmits: 0 });
    }
    pair.runFor(5000);
    expect(seen).toMatchObject([
      {
        streams: [
          { streamId: 1, unordered: false, sequence: 1 },
          { streamId: 2, unordered: false, sequence: 0 },
        ],
      },
    ]);
  });

  test('a thousand streams skipped at once take several FORWARD TSNs, none above the MTU', () => {
    const pair = connected();
    let lose = true;
    pair.filter = (from, packet) => from !== 0 || !lose || dataOf(packet).length === 0;
    for (let id = 0; id < 1000; id++) pair.a.send(id, { ppid: 53, data: payload(1, id), maxRetransmits: 0 });
    pair.runFor(20_000);
    expect(inspect(pair.a).send.outstandingChunks).toBe(0);
    lose = false;
    for (let id = 0; id < 1000; id++) pair.a.send(id, { ppid: 53, data: payload(1, id) });
    pair.runFor(5000);
    expect(messages(pair.events[1])).toHaveLength(1000);
  });
});

describe('maxPacketLifeTime', () => {
  test('a message that is in time arrives, one that waits too long in the queue leaves no trace', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(10, 1), maxPacketLifeTime: 100 });
    pair.runFor(500);
    pair.cut[0] = true;
    pair.a.send(2, { ppid: 53, data: payload(200_000, 2) });
    pair.a.send(1, { ppid: 53, data: payload(10, 3), maxPacketLifeTime: 100 });
    pair.runFor(1000);
    pair.cut[0] = false;
    pair.run(() => pair.a.bufferedAmount(1) === 0 && inspect(pair.a).send.outstandingChunks === 0, 30_000);
    pair.a.send(1, { ppid: 53, data: payload(10, 4) });
    pair.runFor(1000);
    expect(
      messages(pair.events[1])
        .filter(({ streamId }) => streamId === 1)
        .map(({ data }) => data),
    ).toEqual([payload(10, 1), payload(10, 4)]);
    expect(inspect(pair.a).counters['expired-messages']).toBe(1);
  });

  test('a message in flight is given up when it would have to be sent again too late', () => {
    const pair = connected();
    const times = losingStreamOne(pair);
    pair.a.send(1, { ppid: 53, data: payload(10, 1), maxPacketLifeTime: 1000 });
    pair.runFor(20_000);
    const [count] = times.values();
    expect(count).toBeGreaterThan(1);
    // The first, the probe of the silence after it, and two T3: the third would come too late.
    expect(count).toBeLessThanOrEqual(4);
    expect(inspect(pair.a).counters['abandoned-messages']).toBe(1);
  });

  test('a message half sent when its time is up is given up as a whole', () => {
    const pair = connected();
    pair.link = { delay: 20, rate: 20, queueMs: 10_000 };
    pair.a.send(1, { ppid: 53, data: payload(262_144, 1), maxPacketLifeTime: 1000 });
    pair.a.send(1, { ppid: 53, data: payload(10, 2) });
    pair.runFor(20_000);
    expect(messages(pair.events[1]).map(({ data }) => data)).toEqual([payload(10, 2)]);
    expect(inspect(pair.a).send).toMatchObject({ outstandingChunks: 0, bufferedBytes: 0, unackedBytes: 0 });
    expect(inspect(pair.b).receive).toMatchObject({ usedBytes: 0, fragments: 0 });
  });

  test('the time runs from the next time seen: a clock that stood still does not shorten a life', () => {
    const pair = connected();
    // The host was silent for ten seconds, then sends without feeding its clock.
    pair.now += 10_000;
    pair.a.send(1, { ppid: 53, data: payload(10, 1), maxPacketLifeTime: 100 });
    pair.a.handleTimeout(pair.now);
    pair.runFor(1000);
    expect(messages(pair.events[1])).toHaveLength(1);
  });
});
