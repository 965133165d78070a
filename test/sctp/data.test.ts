import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { equalBytes, readU32 } from '../../src/core/bytes.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { events, inspect, messages, Pair, payload, receive, sent } from './pair.ts';
import { Puppet } from './puppet.ts';
import { allKinds, chunksOf, dataChunk, dataOf, packetOf, sackChunk, sackOf } from './wire.ts';

/** A connected pair without delay whose packets the test carries by hand. */
function connected(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const pair = new Pair(options).connect();
  pair.events[0].length = 0;
  pair.events[1].length = 0;
  pair.a.handleTimeout(pair.now);
  pair.b.handleTimeout(pair.now);
  return pair;
}

/** The tags of both ends, as their packets carry them. */
function tags(pair: Pair): { a: number; b: number } {
  let a = 0;
  let b = 0;
  pair.filter = (from, packet) => {
    if (from === 0) b = verificationTagOf(packet);
    else a = verificationTagOf(packet);
    return true;
  };
  pair.a.send(9, { ppid: 51, data: payload(1, 0) });
  pair.b.send(9, { ppid: 51, data: payload(1, 0) });
  pair.runFor(1000);
  pair.filter = undefined;
  pair.events[0].length = 0;
  pair.events[1].length = 0;
  return { a, b };
}

describe('messages', () => {
  test.each([1, 2, 3, 4, 1131, 1132, 1133, 1160, 2264, 65_536, 262_144])(
    'of %d bytes arrive whole',
    (length) => {
      const pair = connected();
      const data = payload(length, length);
      pair.a.send(7, { ppid: 53, data, unordered: length % 2 === 0 });
      pair.run(() => messages(pair.events[1]).length > 0, 20_000);
      const [message] = messages(pair.events[1]);
      expect(message).toMatchObject({ streamId: 7, ppid: 53, unordered: length % 2 === 0 });
      expect(equalBytes(message?.data ?? new Uint8Array(0), data)).toBe(true);
    },
  );

  test('are copied: what was handed in may change, what comes out is nobody else’s', () => {
    const pair = connected();
    const data = payload(3000, 1);
    pair.a.send(1, { ppid: 53, data });
    pair.a.send(1, { ppid: 53, data: payload(10, 2) });
    data.fill(0);
    pair.run(() => messages(pair.events[1]).length === 2, 5000);
    const [large, small] = messages(pair.events[1]);
    expect(large?.data).toEqual(payload(3000, 1));
    expect(small?.data.buffer.byteLength).toBe(10);
  });

  test('A1: no empty message, no stream beyond the last; what the peer decides is answered', () => {
    const pair = connected();
    const { a } = pair;
    a.remoteMaxMessageSize = 100;
    const attempt = (run: () => unknown): string => {
      try {
        run();
        return 'done';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(attempt(() => a.send(1, { ppid: 53, data: new Uint8Array(0) }))).toBe('ERR_BAD_ARGUMENT');
    expect(a.send(1, { ppid: 53, data: new Uint8Array(101), token: 'mine' })).toBe(false);
    expect(a.send(2, { ppid: 53, data: new Uint8Array(101) })).toBe(false);
    expect(inspect(a).counters['refused-too-large']).toBe(2);
    expect(events(a)).toEqual([
      { type: 'messageoutcome', streamId: 1, token: 'mine', outcome: 'too-large' },
      { type: 'messageoutcome', streamId: 2, token: undefined, outcome: 'too-large' },
    ]);
    expect(attempt(() => a.send(65_535, { ppid: 53, data: new Uint8Array(1) }))).toBe('ERR_BAD_ARGUMENT');
    expect(attempt(() => a.send(1, { ppid: 53, data: new Uint8Array(1), maxRetransmits: -1 }))).toBe(
      'ERR_BAD_ARGUMENT',
    );
    expect(inspect(a).send.bufferedBytes).toBe(0);
    a.abort('over', pair.now);
    expect(a.send(1, { ppid: 53, data: new Uint8Array(1) })).toBe(false);
    a.resetStreams([1]);
    a.connect(pair.now);
    expect(a.state).toBe('closed');
  });

  test('G6: a full send buffer answers false at once and takes nothing', () => {
    const pair = connected({ a: { sendBuffer: 100_000 } });
    pair.cut[0] = true;
    let accepted = 0;
    while (pair.a.send(1, { ppid: 53, data: payload(10_000, 1) })) accepted++;
    expect(accepted).toBe(10);
    expect(pair.a.bufferedAmount(1)).toBe(100_000);
    // What is in flight is memory, too.
    sent(pair.a);
    expect(pair.a.bufferedAmount(1)).toBeLessThan(100_000);
    expect(pair.a.send(1, { ppid: 53, data: payload(10_000, 1) })).toBe(false);
    expect(pair.a.send(1, { ppid: 53, data: new Uint8Array(100_001) })).toBe(false);
  });

  test('the buffered amount counts bytes not yet in a packet, and falling tells once', () => {
    const pair = connected();
    pair.a.setBufferedAmountLowThreshold(3, 5000);
    pair.a.send(3, { ppid: 53, data: payload(20_000, 1) });
    expect(pair.a.bufferedAmount(3)).toBe(20_000);
    pair.run(() => messages(pair.events[1]).length > 0, 5000);
    expect(pair.a.bufferedAmount(3)).toBe(0);
    expect(pair.events[0]).toEqual([{ type: 'bufferedamountlow', streamId: 3 }]);
  });

  test('the first chunk of a stream that is not whole says so', () => {
    const pair = connected();
    pair.a.send(5, { ppid: 53, data: payload(3000, 1) });
    pair.a.send(6, { ppid: 53, data: payload(10, 1) });
    pair.run(() => messages(pair.events[1]).length === 2, 5000);
    expect(pair.events[1].filter(({ type }) => type === 'streamdata')).toEqual([
      { type: 'streamdata', streamId: 5 },
    ]);
  });

  test('a peer that sends more than was announced is aborted', () => {
    const pair = connected({ b: { maxMessageSize: 5000 } });
    pair.a.send(5, { ppid: 53, data: payload(6000, 1) });
    pair.run(() => pair.a.state === 'closed', 5000);
    expect(pair.events[1].at(-1)).toMatchObject({ type: 'closed', failure: { code: 'message-too-large' } });
    expect(pair.events[0].at(-1)).toMatchObject({ type: 'closed', origin: 'remote', causes: [{ code: 13 }] });
  });
});

describe('packets', () => {
  test('are at most the MTU long, a multiple of four, and full when there is more', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(100_000, 1) });
    const packets = sent(pair.a);
    expect(packets.length).toBeGreaterThan(5);
    for (const packet of packets) expect(packet.length).toBe(1160);
  });

  test('small messages share one; a started message is not torn for a small rest of space', () => {
    const pair = connected();
    for (let i = 0; i < 5; i++) pair.a.send(1, { ppid: 53, data: payload(200, i) });
    pair.a.send(1, { ppid: 53, data: payload(1000, 9) });
    const packets = sent(pair.a);
    expect(packets.map((packet) => dataOf(packet).length)).toEqual([5, 1]);
  });

  test('a SACK goes along with data, one that was asked for at once (I bit) too', () => {
    const pair = connected();
    tags(pair);
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    receive(pair.b, sent(pair.a), pair.now);
    pair.b.send(1, { ppid: 53, data: payload(10, 1) });
    expect(allKinds(sent(pair.b))).toEqual(['sack+data']);
  });

  test('a SACK that may wait goes along with data', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ ssn: 0 }));
    puppet.drain();
    puppet.heard.length = 0;
    puppet.say(puppet.data({ ssn: 1 }));
    puppet.drain();
    expect(puppet.heard).toEqual([]);
    puppet.a.send(1, { ppid: 53, data: payload(10, 1) });
    puppet.drain();
    expect(puppet.heard.map(({ type }) => type)).toEqual([CHUNK.sack, CHUNK.data]);
  });

  test('written into a buffer of the caller’s they leave the bytes around alone', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    const buffer = new Uint8Array(1300).fill(0xee);
    const length = pair.a.pollTransmitInto(buffer, 21, pair.now);
    expect(length).toBe(12 + 16 + 12);
    expect(buffer.subarray(0, 21).every((byte) => byte === 0xee)).toBe(true);
    expect(buffer.subarray(21 + length).every((byte) => byte === 0xee)).toBe(true);
    expect(() => pair.a.pollTransmitInto(new Uint8Array(1159), 0)).toThrow(/room/);
  });
});

describe('acknowledgements', () => {
  test('a lone packet is acknowledged at once, for it asks for it (I bit)', () => {
    const pair = connected();
    tags(pair);
    pair.a.send(1, { ppid: 53, data: payload(10, 1) });
    receive(pair.b, sent(pair.a), pair.now);
    expect(allKinds(sent(pair.b))).toEqual(['sack']);
  });

  test('one that does not ask is acknowledged within the delay, two at once', () => {
    const puppet = new Puppet();
    const sacks = (): number => {
      puppet.drain();
      const count = puppet.heardOf(CHUNK.sack).length;
      puppet.heard.length = 0;
      return count;
    };
    puppet.say(puppet.data({ ssn: 0 }));
    expect(sacks()).toBe(1);
    puppet.say(puppet.data({ ssn: 1 }));
    expect(sacks()).toBe(0);
    expect(puppet.a.nextTimeout()).toBe(puppet.now + 100);
    puppet.run(100);
    expect(sacks()).toBe(1);
    for (const ssn of [2, 3]) puppet.say(puppet.data({ ssn }));
    expect(sacks()).toBe(1);
  });

  test('a batch of packets gets one SACK', () => {
    const pair = connected();
    pair.a.send(1, { ppid: 53, data: payload(10_000, 1) });
    receive(pair.b, sent(pair.a), pair.now);
    expect(allKinds(sent(pair.b))).toEqual(['sack']);
  });

  test.each([
    ['for what was never sent', (base: number) => sackChunk({ cumulativeTsn: (base + 1000) >>> 0 })],
    [
      'with a block beyond what was sent',
      (base: number) => sackChunk({ cumulativeTsn: base, blocks: [2, 2000] }),
    ],
    ['of a malformed length', () => encodeChunk(CHUNK.sack, 0, new Uint8Array(13))],
  ])('S14: a SACK %s changes nothing', (_, make) => {
    const pair = connected();
    const { a } = tags(pair);
    pair.a.send(1, { ppid: 53, data: payload(3000, 1) });
    const [first] = sent(pair.a);
    const base = ((dataOf(first ?? new Uint8Array(12))[0]?.tsn ?? 0) - 1) >>> 0;
    const before = inspect(pair.a).send;
    pair.a.handlePacket(packetOf(a, make(base)), pair.now);
    expect(inspect(pair.a).send).toEqual(before);
  });
});

describe('loss', () => {
  /** Sends `count` messages, one a packet, and returns the packets without delivering them. */
  function launch(pair: Pair, count: number): Bytes[] {
    for (let i = 0; i < count; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    // The host feeds its clock before it drains: what goes out now is timed from now.
    pair.a.handleTimeout(pair.now);
    return sent(pair.a);
  }

  test('three reports of a gap send the missing chunk again, without waiting for T3', () => {
    const pair = connected();
    const packets = launch(pair, 6);
    expect(packets).toHaveLength(6);
    for (const packet of packets.slice(1, 4)) {
      pair.b.handlePacket(packet, pair.now); // packet 0 is lost
      receive(pair.a, sent(pair.b), pair.now);
    }
    const again = sent(pair.a);
    expect(again).toHaveLength(1);
    expect(dataOf(again[0] ?? new Uint8Array(12))[0]?.tsn).toBe(
      dataOf(packets[0] ?? new Uint8Array(12))[0]?.tsn,
    );
    expect(inspect(pair.a)).toMatchObject({
      send: { recovering: true },
      counters: { 'fast-retransmits': 1, 'retransmission-timeouts': 0 },
    });
    receive(pair.b, [...again, ...packets.slice(4)], pair.now);
    receive(pair.a, sent(pair.b), pair.now);
    expect(inspect(pair.a).send).toMatchObject({ recovering: false, outstandingChunks: 0, flightBytes: 0 });
    expect(messages(events(pair.b)).map(({ data }) => data)).toEqual(
      Array.from({ length: 6 }, (_, i) => payload(1000, i)),
    );
  });

  test('reordering by less than three is no loss', () => {
    const pair = connected();
    const packets = launch(pair, 6);
    for (const i of [1, 2, 0, 4, 5, 3]) {
      receive(pair.b, packets.slice(i, i + 1), pair.now);
      receive(pair.a, sent(pair.b), pair.now);
    }
    expect(sent(pair.a)).toEqual([]);
    expect(inspect(pair.a).counters['retransmitted-chunks']).toBe(0);
  });

  test('T3 sends one packet again, halves what is known and doubles the wait', () => {
    const pair = connected();
    launch(pair, 6);
    const timeout = inspect(pair.a).send.retransmissionTimeout;
    expect(inspect(pair.a).timers['t3']).toBe(pair.now + timeout);
    pair.a.handleTimeout(pair.now + timeout);
    expect(sent(pair.a)).toHaveLength(1);
    const { send, counters } = inspect(pair.a);
    expect(send).toMatchObject({ retransmissionTimeout: 2 * timeout, lostChunks: 5, outstandingChunks: 6 });
    expect(counters['retransmission-timeouts']).toBe(1);
    expect(pair.a.nextTimeout()).toBe(pair.now + 3 * timeout);
  });

  test('the time-out never backs off beyond three seconds', () => {
    const pair = connected();
    pair.cut[0] = true;
    launch(pair, 1);
    let longest = 0;
    for (let i = 0; i < 12 && pair.a.state !== 'closed'; i++) {
      const at = pair.a.nextTimeout();
      longest = Math.max(longest, at - pair.now);
      pair.now = at;
      pair.a.handleTimeout(at);
      sent(pair.a);
    }
    expect(longest).toBe(3000);
  });

  test('Karn: a chunk sent again gives no sample', () => {
    const pair = connected();
    const before = inspect(pair.a).send.roundTripTime;
    launch(pair, 1);
    pair.a.handleTimeout(pair.a.nextTimeout());
    receive(pair.b, sent(pair.a), pair.now + 5000);
    pair.b.handleTimeout(pair.now + 5100);
    receive(pair.a, sent(pair.b), pair.now + 5100);
    expect(inspect(pair.a).send).toMatchObject({ outstandingChunks: 0, roundTripTime: before });
  });

  test('a lost SACK costs nothing but a duplicate', () => {
    const pair = connected();
    const packets = launch(pair, 2);
    receive(pair.b, packets, pair.now);
    sent(pair.b); // lost
    receive(pair.b, packets, pair.now);
    expect(sent(pair.b).map((sack) => sackOf(sack).duplicates.length)).toEqual([1, 1]);
    expect(messages(events(pair.b))).toHaveLength(2);
  });

  test('a burst is bounded when a large window opens at once', () => {
    const pair = connected({ a: { maxBurst: 4 } });
    pair.a.send(1, { ppid: 53, data: payload(200_000, 1) });
    expect(sent(pair.a)).toHaveLength(4);
  });
});

describe('windows', () => {
  test('the first flight is ten packets, then it doubles', () => {
    const pair = connected({ link: { delay: 50 }, a: { maxBurst: 1000, congestion: 'new-reno' } });
    pair.a.send(1, { ppid: 53, data: payload(200_000, 1) });
    const flights: number[] = [];
    for (let i = 0; i < 3; i++) {
      const flight = sent(pair.a);
      flights.push(flight.length);
      pair.now += 50;
      receive(pair.b, flight, pair.now);
      pair.now += 50;
      receive(pair.a, sent(pair.b), pair.now);
    }
    expect(flights).toEqual([10, 20, 30]);
  });

  test('no more is in flight than the peer has room for', () => {
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    for (let i = 0; i < 10; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    expect(sent(pair.a)).toHaveLength(5);
  });

  test('F2a: a shut window is probed one chunk at a time, at the pace of T3, and opens again', () => {
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    pair.polls[1] = false;
    for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    pair.runFor(1000);
    expect(inspect(pair.a).send.peerWindow).toBe(0);
    const before = pair.packets;
    pair.runFor(10_000);
    // Probes and their SACKs: a few, not a stream.
    expect(pair.packets - before).toBeLessThan(16);
    expect(pair.a.state).toBe('established');
    pair.polls[1] = true;
    pair.run(() => messages(pair.events[1]).length === 30, 20_000);
    expect(messages(pair.events[1]).map(({ data }) => data)).toEqual(
      Array.from({ length: 30 }, (_, i) => payload(1000, i)),
    );
  });

  test('a reader that takes what arrived late is not waited for: the window is told at once', () => {
    const pair = connected({ b: { receiveWindow: 5000, maxMessageSize: 5000 } });
    for (let i = 0; i < 5; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
    receive(pair.b, sent(pair.a), pair.now);
    sent(pair.b);
    events(pair.b);
    // For hosts that do not poll again by themselves there is a deadline as well.
    expect(pair.b.nextTimeout()).toBe(pair.now + 1);
    expect(allKinds(sent(pair.b))).toEqual(['sack']);
  });
});

describe('chunks beside data', () => {
  test('a HEARTBEAT is answered with the same information', () => {
    const pair = connected();
    const { a } = tags(pair);
    const info = Uint8Array.of(0, 1, 0, 8, 1, 2, 3, 4);
    pair.a.handlePacket(packetOf(a, encodeChunk(CHUNK.heartbeat, 0, info)), pair.now);
    const [answer] = sent(pair.a);
    expect(allKinds([answer ?? new Uint8Array(12)])).toEqual(['heartbeatAck']);
    expect(chunksOf(answer ?? new Uint8Array(12))[0]?.body).toEqual(info);
  });

  test('S17: a HEARTBEAT too large for a packet is dropped, a flood is bounded', () => {
    const pair = connected();
    const { a } = tags(pair);
    pair.a.handlePacket(packetOf(a, encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(2000))), pair.now);
    expect(sent(pair.a)).toEqual([]);
    for (let i = 0; i < 100; i++) {
      pair.a.handlePacket(packetOf(a, encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(8))), pair.now);
    }
    expect(sent(pair.a).flatMap(chunksOf)).toHaveLength(16);
  });

  test('unknown chunks: the high bits say whether to go on and whether to report', () => {
    const outcome = (type: number): [string[], number] => {
      const pair = connected();
      const { a } = tags(pair);
      const next = encodeChunk(CHUNK.heartbeat, 0, Uint8Array.of(0, 1, 0, 4));
      pair.a.handlePacket(packetOf(a, encodeChunk(type, 0, new Uint8Array(600)), next), pair.now);
      const answer = sent(pair.a);
      return [allKinds(answer), answer[0]?.length ?? 0];
    };
    expect(outcome(0x3f)).toEqual([[], 0]);
    // S18: the report is cut, so that it never amplifies.
    expect(outcome(0x7f)).toEqual([['error'], 12 + 8 + 256]);
    expect(outcome(0xbf)[0]).toEqual(['heartbeatAck']);
    expect(outcome(0xff)[0]).toEqual(['error+heartbeatAck']);
  });

  test('PAD, ECNE and CWR are passed over', () => {
    const pair = connected();
    const { a } = tags(pair);
    const chunks = [CHUNK.pad, CHUNK.ecne, CHUNK.cwr].map((type) => encodeChunk(type, 0, new Uint8Array(4)));
    pair.a.handlePacket(packetOf(a, ...chunks), pair.now);
    expect([sent(pair.a), inspect(pair.a).counters['unknown-chunk']]).toEqual([[], 0]);
  });

  test('DATA on a stream that does not exist is acknowledged and reported', () => {
    const pair = connected({ a: { streams: 10 }, check: false });
    const { a } = tags(pair);
    pair.b.send(1, { ppid: 51, data: payload(1, 1) });
    const [packet] = sent(pair.b);
    const tsn = dataOf(packet ?? new Uint8Array(12))[0]?.tsn ?? 0;
    pair.a.handlePacket(packetOf(a, dataChunk({ tsn, streamId: 10 })), pair.now);
    pair.a.handlePacket(packetOf(a, dataChunk({ tsn: (tsn + 1) >>> 0, streamId: 9, ssn: 1 })), pair.now);
    const answer = sent(pair.a);
    expect(allKinds(answer)).toEqual(['error+sack']);
    expect(readU32(chunksOf(answer[0] ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(8), 0)).toBe(
      0x0001_0008,
    );
    expect(messages(events(pair.a))).toHaveLength(1);
  });

  test('DATA without user data ends the association, as RFC 9260 §6.2 says', () => {
    const pair = connected();
    const { a } = tags(pair);
    pair.a.handlePacket(packetOf(a, encodeChunk(CHUNK.data, 3, new Uint8Array(12))), pair.now);
    expect(events(pair.a)).toMatchObject([
      { type: 'closed', failure: { code: 'protocol-violation' }, causes: [{ code: 9 }] },
    ]);
  });
});
