import { describe, expect, test, vi } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { decodeReconfig, encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import type { ReconfigParameter } from '../../src/sctp/packet/reconfig.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { SendQueue } from '../../src/sctp/tx/send-queue.ts';
import { inspect, messages, Pair, payload, sent } from './pair.ts';
import { chunksOf, dataOf, packetOf } from './wire.ts';

function connected(): Pair {
  const pair = new Pair({ link: { delay: 20 } }).connect();
  pair.events[0].length = 0;
  pair.events[1].length = 0;
  return pair;
}

function reconfigs(packet: Uint8Array): ReconfigParameter[] {
  return chunksOf(packet)
    .filter(({ type }) => type === CHUNK.reconfig)
    .flatMap(({ body }) => {
      const parameters = decodeReconfig(body);
      return isFailure(parameters) ? [] : parameters;
    });
}

function resets(pair: Pair, at: 0 | 1): string[] {
  return pair.events[at].flatMap((event) =>
    event.type === 'streamreset' ? [`${event.streamId} ${event.origin} ${event.outcome}`] : [],
  );
}

/** A RE-CONFIG of b's, forged: a packet under the right tag with the sequence number b would use next. */
function forge(pair: Pair): { tag: number; sequence: number; lastTsn: number } {
  let tag = 0;
  pair.filter = (from, packet) => {
    if (from === 1) tag = verificationTagOf(packet);
    return true;
  };
  let lastTsn = 0;
  pair.b.send(9, { ppid: 51, data: payload(1, 0) });
  const packets = sent(pair.b);
  for (const packet of packets) {
    tag = verificationTagOf(packet);
    for (const { tsn } of dataOf(packet)) lastTsn = tsn;
    pair.a.handlePacket(packet, pair.now);
  }
  pair.filter = undefined;
  // The first request carries the initial TSN (RFC 6525 §4.1), which is that of b's first chunk.
  return { tag, sequence: lastTsn, lastTsn };
}

describe('stream reset', () => {
  test('the closer asks, the peer performs, both are told; the next message is SSN 0', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.runFor(500);
    pair.a.resetStreams([1]);
    pair.runFor(500);
    expect([resets(pair, 0), resets(pair, 1)]).toEqual([['1 local performed'], ['1 remote performed']]);
    let ssn = -1;
    pair.filter = (_, packet) => {
      for (const data of dataOf(packet)) ssn = data.ssn;
      return true;
    };
    pair.a.send(1, { ppid: 53, data: payload(10, 2) });
    pair.runFor(500);
    expect([ssn, messages(pair.events[1]).length]).toEqual([0, 2]);
  });

  test('both directions: each end resets its own', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.b.send(1, { ppid: 53, data: payload(10, 1) });
    pair.onEvent = (at, event) => {
      if (at === 1 && event.type === 'streamreset' && event.origin === 'remote') pair.b.resetStreams([1]);
    };
    pair.runFor(200);
    pair.a.resetStreams([1]);
    pair.runFor(1000);
    expect(resets(pair, 0)).toEqual(['1 local performed', '1 remote performed']);
    expect(resets(pair, 1)).toEqual(['1 remote performed', '1 local performed']);
  });

  test('waits until what is queued has been sent, and loses none of it', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(200_000, 1) });
    pair.a.resetStreams([1]);
    pair.a.send(1, { ppid: 53, data: payload(10, 2) });
    pair.runFor(10_000);
    const order = pair.events[1].map((event) =>
      event.type === 'message' ? `${event.data.length}` : event.type,
    );
    expect(order.filter((entry) => entry !== 'streamdata')).toEqual(['200000', 'streamreset', '10']);
  });

  test('several streams in one request, other streams undisturbed', () => {
    const pair = connected();
    for (const id of [1, 2, 3]) pair.a.send(id, { ppid: 53, data: payload(10, id) });
    pair.runFor(200);
    let requests = 0;
    pair.filter = (_, packet) => {
      requests += reconfigs(packet).filter(({ type }) => type === 'outgoing-reset').length;
      return true;
    };
    pair.a.resetStreams([1, 2]);
    pair.a.send(3, { ppid: 53, data: payload(10, 4) });
    pair.runFor(500);
    expect(requests).toBe(1);
    expect(resets(pair, 1)).toEqual(['1 remote performed', '2 remote performed']);
    expect(messages(pair.events[1])).toHaveLength(4);
  });

  test('one request at a time: what is asked for meanwhile follows', () => {
    const pair = connected();
    for (let id = 0; id < 5; id++) {
      pair.a.resetStreams([id]);
      pair.runFor(1);
    }
    pair.runFor(2000);
    expect(resets(pair, 0)).toEqual([0, 1, 2, 3, 4].map((id) => `${id} local performed`));
  });

  test('a thousand streams at once', () => {
    const pair = connected();
    pair.a.resetStreams(Array.from({ length: 1000 }, (_, id) => id));
    pair.runFor(5000);
    expect(resets(pair, 0)).toHaveLength(1000);
    expect(resets(pair, 1)).toHaveLength(1000);
  });

  test('the request is repeated with its number while it or its answer is lost', () => {
    const pair = connected();
    const sequences: number[] = [];
    let lost = 0;
    pair.filter = (from, packet) => {
      const [parameter] = reconfigs(packet);
      if (parameter === undefined) return true;
      if (from === 0) sequences.push(parameter.sequence);
      return ++lost > 3;
    };
    pair.a.resetStreams([1]);
    pair.runFor(8000);
    expect(new Set(sequences).size).toBe(1);
    expect(sequences.length).toBeGreaterThan(2);
    // Performed once, whatever came twice.
    expect([resets(pair, 0), resets(pair, 1)]).toEqual([['1 local performed'], ['1 remote performed']]);
  });

  test('the peer answers "in progress" until the last TSN has arrived, then by itself', () => {
    const pair = connected();
    let hold = true;
    const results: number[] = [];
    pair.filter = (from, packet) => {
      for (const parameter of reconfigs(packet))
        if (parameter.type === 'response') results.push(parameter.result);
      return from !== 0 || !hold || dataOf(packet).length === 0;
    };
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.a.resetStreams([1]);
    pair.runFor(100);
    expect(resets(pair, 1)).toEqual([]);
    hold = false;
    pair.runFor(3000);
    expect(results[0]).toBe(6);
    expect(results.at(-1)).toBe(1);
    expect(pair.events[1].map(({ type }) => type)).toEqual(['message', 'streamreset']);
    expect(resets(pair, 0)).toEqual(['1 local performed']);
  });

  test('F2a: a peer that never answers: the gate ends the request, the association lives', () => {
    const pair = connected();
    pair.filter = (from, packet) => from !== 1 || reconfigs(packet).length === 0;
    const startedAt = pair.now;
    pair.a.resetStreams([1]);
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.run(() => resets(pair, 0).length > 0);
    expect(resets(pair, 0)).toEqual(['1 local timeout']);
    expect(pair.now - startedAt).toBeLessThanOrEqual(10_000);
    expect(pair.a.state).toBe('established');
    // What waited behind the reset goes on.
    pair.runFor(1000);
    expect(pair.a.bufferedAmount(1)).toBe(0);
  });

  test('F2a: a request that never arrived does not spoil the next one: it is repeated until it is answered', () => {
    const pair = connected();
    pair.filter = (from, packet) => from !== 0 || reconfigs(packet).length === 0;
    pair.a.resetStreams([1]); //  a -> RE-CONFIG 1 -> (lost, again and again)
    pair.runFor(11_000);
    pair.a.resetStreams([3]); //  stands behind it
    pair.runFor(11_000);
    expect(resets(pair, 0)).toEqual(['1 local timeout', '3 local timeout']);
    pair.filter = undefined;
    pair.runFor(5_000); //        a -> RE-CONFIG 1 -> b, a -> RE-CONFIG 3 -> b
    expect(resets(pair, 1)).toEqual(['1 remote performed', '3 remote performed']);
    expect(resets(pair, 0).slice(2)).toEqual(['1 local performed', '3 local performed']);
    expect(inspect(pair.b).counters['invalid-reset']).toBe(0);
  });

  test('F2a: a peer that answers "in progress" for ever is ended by the same gate', () => {
    const pair = connected();
    let tag = 0;
    pair.filter = (from, packet) => {
      if (from === 1) tag = verificationTagOf(packet);
      const [parameter] = reconfigs(packet);
      if (from === 0 && parameter?.type === 'outgoing-reset') {
        pair.a.handlePacket(packetOf(tag, encodeResponse(parameter.sequence, 6)), pair.now);
        return false;
      }
      return true;
    };
    pair.b.send(1, { ppid: 53, data: payload(10, 1) });
    pair.runFor(100);
    const startedAt = pair.now;
    pair.a.resetStreams([1]);
    pair.run(() => resets(pair, 0).length > 0);
    expect(resets(pair, 0)).toEqual(['1 local timeout']);
    expect(pair.now - startedAt).toBeLessThanOrEqual(10_020);
  });

  test.each([2, 3, 5])('answer %d is a refusal: the sequence goes on where it was', (result) => {
    const pair = connected();
    let tag = 0;
    let ssn = -1;
    pair.filter = (from, packet) => {
      if (from === 1) tag = verificationTagOf(packet);
      for (const data of dataOf(packet)) if (from === 0) ssn = data.ssn;
      const [parameter] = reconfigs(packet);
      if (from !== 0 || parameter?.type !== 'outgoing-reset') return true;
      pair.a.handlePacket(packetOf(tag, encodeResponse(parameter.sequence, result)), pair.now);
      return false;
    };
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    pair.runFor(300);
    pair.a.resetStreams([1]);
    pair.runFor(300);
    pair.a.send(1, { ppid: 53, data: payload(10, 2) });
    pair.runFor(300);
    expect([resets(pair, 0), ssn]).toEqual([['1 local denied'], 1]);
  });
});

test('A6: streams that wait for their reset are not gone through for each packet of the peer', () => {
  const pair = connected();
  const asked = vi.spyOn(SendQueue.prototype, 'isDrained');
  const count = 500;
  // The peer takes nothing: what is queued stays in front of the resets.
  pair.cut[1] = true;
  for (let id = 0; id < count; id++) pair.a.send(id, { ppid: 53, data: payload(500, id) });
  pair.runFor(1);
  const waiting = Array.from({ length: count - 100 }, (_, i) => 100 + i);
  pair.a.resetStreams(waiting);
  pair.runFor(1);
  asked.mockClear();
  for (let i = 0; i < 100; i++) pair.a.handlePacket(new Uint8Array(40), pair.now);
  expect(asked.mock.calls.length).toBeLessThanOrEqual(waiting.length);
  pair.cut[1] = false;
  pair.runFor(60_000);
  asked.mockRestore();
  expect(resets(pair, 0).filter((told) => told.includes('local performed'))).toHaveLength(waiting.length);
  expect(messages(pair.events[1])).toHaveLength(count);
});

describe('requests of the peer', () => {
  /** Results of the responses that a gives to a forged request. */
  function answers(pair: Pair, tag: number, chunk: Uint8Array): number[] {
    pair.a.handlePacket(packetOf(tag, chunk), pair.now);
    return sent(pair.a)
      .flatMap(reconfigs)
      .flatMap((parameter) => (parameter.type === 'response' ? [parameter.result] : []));
  }

  test('S19: the same request again gets the same answer and does nothing twice', () => {
    const pair = connected();
    const { tag, sequence, lastTsn } = forge(pair);
    const chunk = encodeOutgoingReset({ sequence, responseSequence: 0, lastTsn, streams: [9] });
    expect(answers(pair, tag, chunk)).toEqual([1]);
    expect(answers(pair, tag, chunk)).toEqual([1]);
    pair.drain();
    expect(resets(pair, 0)).toEqual(['9 remote performed']);
  });

  test('S19: a number out of sequence is refused', () => {
    const pair = connected();
    const { tag, sequence, lastTsn } = forge(pair);
    const request = { responseSequence: 0, lastTsn, streams: [9] };
    expect(answers(pair, tag, encodeOutgoingReset({ ...request, sequence: (sequence + 1) >>> 0 }))).toEqual([
      5,
    ]);
    expect(inspect(pair.a).counters['invalid-reset']).toBe(1);
  });

  test('a request that others have overtaken is out of sequence too, but nobody’s fault', () => {
    const pair = connected();
    const { tag, sequence, lastTsn } = forge(pair);
    const ask = (behind: number): number[] =>
      answers(
        pair,
        tag,
        encodeOutgoingReset({
          responseSequence: 0,
          lastTsn,
          streams: [9],
          sequence: (sequence - behind) >>> 0,
        }),
      );
    expect([ask(0), ask(2)]).toEqual([[1], [5]]);
    const { counters } = inspect(pair.a);
    expect([counters['stale-reset'], counters['invalid-reset']]).toEqual([1, 0]);
  });

  test('S19: a stream that does not exist is refused, one never used is not', () => {
    const pair = connected();
    const { tag, sequence, lastTsn } = forge(pair);
    const request = { responseSequence: 0, lastTsn };
    expect(answers(pair, tag, encodeOutgoingReset({ ...request, sequence, streams: [65_535] }))).toEqual([3]);
    const next = { ...request, sequence: (sequence + 1) >>> 0, streams: [1234] };
    expect(answers(pair, tag, encodeOutgoingReset(next))).toEqual([1]);
  });

  test('no streams listed: all that are in use', () => {
    const pair = connected();
    const { tag, sequence, lastTsn } = forge(pair);
    answers(pair, tag, encodeOutgoingReset({ sequence, responseSequence: 0, lastTsn, streams: [] }));
    pair.drain();
    expect(resets(pair, 0)).toEqual(['9 remote performed']);
  });

  test.each([
    ['incoming reset', 14, 6],
    ['SSN/TSN reset', 15, 4],
    ['add outgoing streams', 17, 8],
    ['add incoming streams', 18, 8],
    ['something unknown', 99, 4],
  ])('%s: denied, never ignored', (_, type, length) => {
    const pair = connected();
    const { tag, sequence } = forge(pair);
    const value = new Uint8Array(4 + 4 + length - 4);
    value.set([type >> 8, type, 0, 4 + length]);
    value.set([sequence >>> 24, sequence >>> 16, sequence >>> 8, sequence], 4);
    expect(answers(pair, tag, encodeChunk(CHUNK.reconfig, 0, value))).toEqual([2]);
  });

  test('a response to nothing is passed over', () => {
    const pair = connected();
    const { tag } = forge(pair);
    expect(answers(pair, tag, encodeResponse(12345, 1))).toEqual([]);
    pair.drain();
    expect(resets(pair, 0)).toEqual([]);
  });
});
