/** What is given up leaves the window at once (B1), in packets that every peer bears (C1); one try is one try (B6). */
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { readU16, readU32 } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import type { SctpMessage } from '../../src/sctp/index.ts';
import { decodeForwardTsn, decodeIForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { PacketWriter } from '../../src/sctp/packet/packet.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { events, inspect, messages, Pair, payload, receive, sent } from './pair.ts';
import { Puppet } from './puppet.ts';
import { chunksOf, dataOf, kinds } from './wire.ts';

const ONE_TRY = { unordered: true, maxRetransmits: 0 } as const;

function message(mark: number, traits: Partial<SctpMessage> = {}, length = 100): SctpMessage {
  return { ppid: 53, data: payload(length, mark), ...traits };
}

/** Sends a message each `period` milliseconds for `duration`. */
function stream(pair: Pair, duration: number, period: number, traits: Partial<SctpMessage>): number {
  let count = 0;
  for (const end = pair.now + duration; pair.now < end; count++) {
    pair.a.send(1, message(count, traits));
    pair.runFor(period);
  }
  return count;
}

/**
 * The ordered stream 1 as Chromium's receiver keeps it: a FORWARD TSN drops what waits for its turn up to the number it names,
 * whole or not.
 */
class StrictReceiver {
  delivered = 0;
  dropped = 0;
  #next = 0;
  readonly #held = new Set<number>();

  take(packet: Bytes): void {
    for (const { type, body } of chunksOf(packet)) {
      if (type === CHUNK.data) this.#arrive(readU16(body, 6));
      else if (type === CHUNK.iData) this.#arrive(readU32(body, 8));
      else if (type === CHUNK.forwardTsn || type === CHUNK.iForwardTsn) {
        const forward = type === CHUNK.forwardTsn ? decodeForwardTsn(body) : decodeIForwardTsn(body);
        if (isFailure(forward)) throw new Error(forward.reason);
        for (const { sequence } of forward.streams) this.#skipTo(sequence);
      }
    }
  }

  #arrive(sequence: number): void {
    if (sequence >= this.#next) this.#held.add(sequence);
    this.#deliver();
  }

  #skipTo(sequence: number): void {
    for (const held of this.#held) if (held <= sequence && this.#held.delete(held)) this.dropped++;
    this.#next = Math.max(this.#next, sequence + 1);
    this.#deliver();
  }

  #deliver(): void {
    for (; this.#held.delete(this.#next); this.#next++) this.delivered++;
  }
}

describe('B1: how far the peer may move on', () => {
  it.each([false, true])(
    'B1: what has arrived between two that are given up has its turn first, even where a FORWARD TSN drops what waits (interleaving: %s)',
    (interleaving) => {
      const pair = new Pair({ link: { delay: 100 }, a: { interleaving }, b: { interleaving } }).connect();
      pair.link = { delay: 100, loss: 0.15 };
      const strict = new StrictReceiver();
      const seen = new Set<number>();
      const take = pair.b.handleOwnedPacket.bind(pair.b);
      pair.b.handleOwnedPacket = (packet, now) => {
        for (const { body, type } of chunksOf(packet)) {
          if (type === CHUNK.data || type === CHUNK.iData) seen.add(readU32(body, 0));
        }
        strict.take(packet);
        take(packet, now);
      };
      const count = stream(pair, 10_000, 10, { maxRetransmits: 0 });
      pair.link = { delay: 100 };
      pair.runFor(3000);
      expect(count).toBe(1000);
      expect(strict.dropped).toBe(0);
      expect(strict.delivered).toBe(seen.size);
      expect(messages(pair.events[1])).toHaveLength(seen.size);
      expect(inspect(pair.a).send.outstandingChunks).toBe(0);
    },
  );

  it('B1: a FORWARD TSN that is lost goes out again after a round trip and a quarter, not with T3', () => {
    const pair = new Pair({ link: { delay: 100 } }).connect();
    stream(pair, 2000, 20, ONE_TRY);
    pair.runFor(1000);
    const told: number[] = [];
    let isFirst = true;
    pair.filter = (from, packet) => {
      if (from !== 0) return true;
      const [first] = dataOf(packet);
      if (kinds(packet).includes('forwardTsn')) return told.push(pair.now) > 2;
      if (first === undefined || !isFirst) return true;
      isFirst = false;
      return false;
    };
    stream(pair, 80, 20, ONE_TRY);
    pair.runFor(3000);
    expect(told).toHaveLength(3);
    const waits = told.slice(1).map((at, i) => at - (told[i] ?? 0));
    expect(waits[0]).toBeCloseTo(250, -1);
    expect(waits[1]).toBeLessThan(520);
    expect(inspect(pair.a).counters['retransmission-timeouts']).toBe(0);
    expect(inspect(pair.a).send.outstandingChunks).toBe(0);
  });

  it('B1: a peer that never answers a FORWARD TSN is told less and less often, and ended by its gate', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    stream(pair, 500, 20, ONE_TRY);
    let told = 0;
    pair.filter = (from, packet) => {
      if (from === 0 && kinds(packet).includes('forwardTsn')) told++;
      return from !== 0;
    };
    pair.a.send(1, message(1, ONE_TRY));
    pair.runFor(60_000);
    expect(told).toBeGreaterThan(3);
    expect(told).toBeLessThan(20);
    expect(pair.events[0].at(-1)).toMatchObject({ type: 'closed', failure: { gate: 'dataProgress' } });
  });

  it('B1: T3 while no data is in flight leaves the window alone', () => {
    const pair = new Pair({ link: { delay: 20 }, a: { congestion: 'new-reno' } }).connect();
    stream(pair, 1000, 20, ONE_TRY);
    let isLost = false;
    pair.filter = (from, packet) => {
      if (from !== 0) return true;
      if (kinds(packet).includes('forwardTsn')) return false;
      const isDropped = !isLost && dataOf(packet).length > 0;
      if (isDropped) isLost = true;
      return !isDropped;
    };
    stream(pair, 100, 20, ONE_TRY);
    const before = inspect(pair.a).send.congestion.window;
    pair.runFor(5000);
    expect(inspect(pair.a).send.congestion.window).toBe(before);
    expect(inspect(pair.a).send.flightBytes).toBe(0);
  });

  it('B1: what ran out of time while a packet was being made is told in the same drain', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    pair.filter = (from, packet) => from !== 0 || dataOf(packet).length === 0;
    pair.a.send(1, message(1, { maxPacketLifeTime: 30 }, 60_000));
    pair.a.handleTimeout(pair.now);
    sent(pair.a);
    const buffer = new Uint8Array(pair.a.mtu);
    // The host polls at a later time without having run the timers of it.
    const length = pair.a.pollTransmitInto(buffer, 0, pair.now + 31);
    expect(kinds(buffer.subarray(0, length))).toContain('forwardTsn');
  });

  /** How far the FORWARD TSNs reached that the puppet heard. */
  function told(puppet: Puppet): number[] {
    return puppet.heardOf(CHUNK.forwardTsn).map((body) => (readU32(body, 0) - puppet.base) | 0);
  }

  it.each([false, true])(
    'B1: a peer that has taken a report back is led over no other (it has: %s)',
    (reneges) => {
      const puppet = new Puppet();
      for (let i = 0; i < 3; i++) puppet.a.send(1, message(i, {}, 1000));
      puppet.run(20);
      puppet.say(puppet.sack(0, { blocks: [2, 3] }));
      // If the second was reported and is not here any more, the next report may be taken back, too.
      puppet.say(puppet.sack(reneges ? 1 : 3));
      puppet.run(20);
      puppet.say(puppet.sack(3));
      for (let i = 0; i < 6; i++) puppet.a.send(1, message(i, i % 2 === 0 ? ONE_TRY : {}, 1000));
      puppet.run(20);
      puppet.say(puppet.sack(3, { blocks: [2, 2, 4, 4, 6, 6] }));
      puppet.run(20);
      expect([...new Set(told(puppet))]).toEqual([reneges ? 4 : 8]);
    },
  );

  it('B1: a message of which the peer has only a part is not passed over', () => {
    const puppet = new Puppet();
    puppet.a.send(1, message(1, ONE_TRY));
    puppet.a.send(2, message(2, {}, 3000));
    for (let i = 0; i < 3; i++) puppet.a.send(1, message(3, ONE_TRY, 1000));
    puppet.run(20);
    expect(puppet.sentNumbers()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    // Of 2 to 4, one message, 3 is missing; 5 and 6 are lost.
    puppet.say(puppet.sack(0, { blocks: [2, 2, 4, 4, 7, 7] }));
    puppet.run(20);
    expect([...new Set(told(puppet))]).toEqual([1]);
    puppet.say(puppet.sack(4, { blocks: [3, 3] }));
    puppet.run(20);
    expect(told(puppet).at(-1)).toBe(6);
  });

  it('B1: many streams skipped at once are told in packets of any size', () => {
    const pair = new Pair({ link: { delay: 20 }, a: { mtu: 512 } }).connect();
    let lose = true;
    pair.filter = (from, packet) => from !== 0 || !lose || dataOf(packet).length === 0;
    for (let id = 0; id < 400; id++) pair.a.send(id, message(id, { maxRetransmits: 0 }, 1));
    pair.runFor(20_000);
    expect(inspect(pair.a).send.outstandingChunks).toBe(0);
    lose = false;
    for (let id = 0; id < 400; id++) pair.a.send(id, message(id, {}, 1));
    pair.runFor(5000);
    expect(messages(pair.events[1])).toHaveLength(400);
  });
});

describe('C1: control chunks stand before data', () => {
  it('C1: a FORWARD TSN is put in front of the data of its packet', () => {
    const pair = new Pair({ link: { delay: 20, loss: 0.1 } });
    pair.connect();
    const orders = new Set<string>();
    pair.filter = (from, packet) => {
      if (from === 0 && kinds(packet).includes('forwardTsn')) orders.add(kinds(packet));
      return true;
    };
    for (let i = 0; i < 200; i++) {
      for (let k = 0; k < 10; k++) pair.a.send(k % 2, message(i, k % 2 === 0 ? ONE_TRY : {}, 300));
      pair.runFor(5);
    }
    expect([...orders].some((order) => order.includes('data'))).toBe(true);
    for (const order of orders) expect(order).not.toMatch(/data\+.*forwardTsn/);
  });

  it('C1: the check that every packet of the suites passes sees a chunk out of place', () => {
    const writer = new PacketWriter();
    const ports = { source: 1, destination: 2 };
    writer.begin(new Uint8Array(200), 0, 200, ports, 1);
    writer.chunk(encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(4)));
    writer.chunk(encodeChunk(CHUNK.data, 3, new Uint8Array(13)));
    expect(writer.isMisordered).toBe(false);
    writer.chunk(encodeChunk(CHUNK.forwardTsn, 0, new Uint8Array(4)));
    expect(writer.isMisordered).toBe(true);
  });
});

describe('B6: a lifetime of 0 is one try', () => {
  const ZERO = { maxPacketLifeTime: 0 } as const;

  it('B6: of more than the window takes at once, each goes out once', () => {
    const pair = new Pair({ link: { delay: 50 } }).connect();
    const times = new Map<number, number>();
    pair.filter = (from, packet) => {
      for (const { tsn } of from === 0 ? dataOf(packet) : []) times.set(tsn, (times.get(tsn) ?? 0) + 1);
      return true;
    };
    for (let i = 0; i < 100; i++) expect(pair.a.send(1, message(i, ZERO, 1000))).toBe(true);
    pair.runFor(3000);
    expect(messages(pair.events[1])).toHaveLength(100);
    expect([...times.values()]).toEqual(new Array(100).fill(1));
  });

  it('B6: sent before the association is up, it goes out with it', () => {
    const pair = new Pair({ link: { delay: 50 } });
    pair.a.send(1, message(1, ZERO));
    pair.connect();
    pair.runFor(500);
    expect(messages(pair.events[1])).toHaveLength(1);
  });

  it('B6: a message of many chunks is sent to its end, and given up whole with the first that is lost', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    pair.a.send(1, message(1, { ...ZERO, token: 'whole' }, 50_000));
    pair.runFor(2000);
    expect(messages(pair.events[1]).map(({ data }) => data.length)).toEqual([50_000]);
    let chunks = 0;
    const times = new Map<number, number>();
    pair.filter = (from, packet) => {
      for (const { tsn } of from === 0 ? dataOf(packet) : []) times.set(tsn, (times.get(tsn) ?? 0) + 1);
      return from !== 0 || dataOf(packet).length === 0 || ++chunks !== 3;
    };
    pair.a.send(1, message(2, { ...ZERO, token: 'torn' }, 50_000));
    pair.a.send(1, message(3));
    pair.runFor(2000);
    expect(messages(pair.events[1]).map(({ data }) => data.length)).toEqual([50_000, 100]);
    expect(Math.max(...times.values())).toBe(1);
    const outcomes = pair.events[0].filter((event) => event.type === 'messageoutcome');
    expect(outcomes).toMatchObject([
      { token: 'whole', outcome: 'acknowledged' },
      { token: 'torn', outcome: 'expired' },
    ]);
  });

  it.each([0, 0.001, 0.25, 1])(
    'B6: a lifetime of %d ms goes out on an idle path, and is not repeated',
    (lifetime) => {
      const pair = new Pair({ link: { delay: 20 } }).connect();
      pair.a.send(1, message(1, { maxPacketLifeTime: lifetime }));
      pair.runFor(100);
      expect(messages(pair.events[1])).toHaveLength(1);
      let tries = 0;
      pair.filter = (from, packet) => {
        if (from !== 0 || dataOf(packet).length === 0) return true;
        tries++;
        return false;
      };
      pair.a.send(1, message(2, { maxPacketLifeTime: lifetime, maxRetransmits: 5 }));
      pair.runFor(5000);
      expect(tries).toBe(1);
      expect(inspect(pair.a).send).toMatchObject({ outstandingChunks: 0, bufferedBytes: 0 });
    },
  );
});

describe('A10: no deadline is left in the past', () => {
  it.each([0, 0.25, 50])(
    'A10: after a message with a lifetime of %d ms and a packet that is refused',
    (lifetime) => {
      const pair = new Pair({ link: { delay: 20 } }).connect();
      pair.a.send(1, message(1, { maxPacketLifeTime: lifetime }));
      for (let i = 0; i < 10; i++) {
        const now = pair.a.nextTimeout() + 3;
        receive(pair.a, [new Uint8Array(30)], now);
        expect(pair.a.nextTimeout()).toBeGreaterThan(now);
        sent(pair.a);
        events(pair.a);
        expect(pair.a.nextTimeout()).toBeGreaterThan(now);
      }
    },
  );
});
