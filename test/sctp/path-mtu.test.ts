/** Path MTU probing (RFC 8899): the machine by itself, state by state, and two associations on paths of every width. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Counters } from '../../src/core/counters.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { PathMtuSettings } from '../../src/sctp/association/path-mtu.ts';
import { PathMtu, RAISE_TIMER } from '../../src/sctp/association/path-mtu.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import type { SctpCounter, SctpOptions } from '../../src/sctp/index.ts';
import { NewReno } from '../../src/sctp/tx/new-reno.ts';
import { COUNTERS } from '../../src/sctp/events.ts';
import { heartbeatInfo } from '../../src/sctp/packet/simple.ts';
import { howMany } from '../how-many.ts';
import { association, events, inspect, messages, Pair, payload, receive, sent } from './pair.ts';
import { chunksOf, dataOf, kinds, packetOf } from './wire.ts';

const OVERHEAD = 37;
/** IPv4 and UDP. */
const HEADERS = 28;

/** One path, its machine, and the number of probes that went out. */
class Prober {
  readonly counters = new Counters<SctpCounter>(COUNTERS);
  readonly mtu: PathMtu;
  now = 1000;
  #position = 0;

  constructor(settings: Partial<PathMtuSettings> = {}) {
    const defaults = {
      enabled: true,
      base: 1160,
      min: 548,
      max: 1472,
      overhead: OVERHEAD,
      probeAfter: 65_536,
    };
    this.mtu = new PathMtu({ ...defaults, ...settings }, new SeededRandom(5), this.counters);
  }

  get seen(): { state: string; size: number; confirmed: number; probing: number | null } {
    return this.mtu.inspect();
  }

  /** Data goes out in full packets, and arrives if the path is as wide as `limit`, a UDP payload. */
  send(bytes: number, limit = Infinity): void {
    for (let left = bytes; left > 0; left -= this.mtu.size) {
      const { size } = this.mtu;
      this.mtu.noteSent(this.#position++, size);
      if (this.mtu.watched < 0) continue;
      if (size + OVERHEAD <= limit) this.mtu.noteArrived();
      else this.mtu.noteLost(this.now);
    }
  }

  /** Sends probes until none is due; those above `limit` vanish. The sizes of the datagrams. */
  search(limit: number): number[] {
    const sizes: number[] = [];
    for (let due = this.mtu.probeDue(this.now); due > 0; due = this.mtu.probeDue(this.now)) {
      sizes.push(due + OVERHEAD);
      const nonce = heartbeatInfo(this.mtu.probe().subarray(4));
      this.now += 20;
      if (due + OVERHEAD <= limit) expect(this.mtu.handleAnswer(nonce, this.now)).toBe(true);
      else this.mtu.handleTimeout(this.now);
      if (sizes.length > 200) throw new Error('a search without an end');
    }
    return sizes;
  }
}

describe('RFC 8899 §5.2: states', () => {
  test('disabled: nothing is probed, nothing is watched, packets stay as they are', () => {
    const prober = new Prober({ enabled: false });
    prober.send(1_000_000, 0);
    expect(prober.search(9000)).toEqual([]);
    expect(prober.mtu).toMatchObject({ state: 'disabled', size: 1160, chunkSize: 1160, largest: 1160 });
  });

  test('base: a search is not worth its packets before enough data has been sent', () => {
    const prober = new Prober();
    prober.send(64_000);
    expect(prober.mtu.probeDue(prober.now)).toBe(0);
    expect(prober.mtu.state).toBe('base');
    prober.send(2000);
    expect(prober.mtu.probeDue(prober.now) + OVERHEAD).toBe(1469);
    expect(prober.mtu.state).toBe('searching');
  });

  test('searching → complete: the largest is tried first, and one answer ends it', () => {
    const prober = new Prober();
    prober.send(66_000);
    expect(prober.search(1472)).toEqual([1469]);
    expect(prober.seen).toMatchObject({ state: 'complete', size: 1469, confirmed: 1469, probing: null });
  });

  test('§5.1.2 MAX_PROBES: a size is given up after three probes, not before', () => {
    const prober = new Prober();
    prober.send(66_000);
    expect(prober.search(1400).slice(0, 4)).toEqual([1469, 1469, 1469, 1229]);
  });

  test('§5.3.2: up the ladder, then halves, until 16 bytes are not worth a probe', () => {
    const prober = new Prober();
    prober.send(66_000);
    const sizes = prober.search(1412);
    expect(sizes).toEqual([
      1469, 1469, 1469, 1229, 1249, 1349, 1369, 1389, 1409, 1429, 1429, 1429, 1417, 1417, 1417,
    ]);
    expect(prober.seen).toMatchObject({ state: 'complete', size: 1409 });
    expect(prober.counters.snapshot()).toMatchObject({
      'path-mtu-probes-sent': 15,
      'path-mtu-probes-lost': 9,
    });
  });

  test('a late answer to the first probe of a size is an answer; one to another size is none', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.mtu.probeDue(prober.now);
    const first = heartbeatInfo(prober.mtu.probe().subarray(4))?.slice();
    prober.mtu.handleTimeout(prober.now);
    expect(prober.mtu.probeDue(prober.now) + OVERHEAD).toBe(1469);
    expect(prober.mtu.handleAnswer(Uint8Array.of(1, 2, 3), prober.now)).toBe(false);
    expect(prober.mtu.handleAnswer(undefined, prober.now)).toBe(false);
    expect(prober.mtu.handleAnswer(first, prober.now)).toBe(true);
    expect(prober.seen).toMatchObject({ state: 'complete', size: 1469 });
    expect(prober.mtu.handleAnswer(first, prober.now)).toBe(false);
  });

  test('§5.1.1 PMTU_RAISE_TIMER: complete → searching after ten minutes, if data flows then', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.search(1400);
    prober.now += RAISE_TIMER - 1000;
    prober.send(66_000);
    expect(prober.search(1472)).toEqual([]);
    prober.now += 2000;
    expect(prober.search(1472)).toEqual([1469]);
    expect(prober.mtu.state).toBe('complete');
  });

  test('complete, and silent for an hour: nothing is probed until data has been sent', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.search(1400);
    prober.now += 6 * RAISE_TIMER;
    expect(prober.search(1472)).toEqual([]);
  });

  test('§4.3 base → error: packets of the base size vanish; the smallest size, and soon a probe of the base', () => {
    const prober = new Prober();
    prober.send(3 * 1160, 1000);
    expect(prober.seen).toMatchObject({ state: 'error', size: 545 });
    prober.send(1000, 1000);
    expect(prober.search(1000)).toEqual([]);
    prober.now += 1000;
    const sizes = prober.search(1000);
    expect(sizes.slice(0, 4)).toEqual([1197, 1197, 1197, 869]);
    expect(prober.seen.state).toBe('error');
    expect(prober.seen.size).toBeGreaterThan(1000 - 20);
    expect(prober.seen.size).toBeLessThanOrEqual(1000);
  });

  test('error → searching → complete: the path carries the base size after all', () => {
    const prober = new Prober();
    prober.send(3 * 1160, 0);
    prober.send(1000);
    prober.now += 1000;
    expect(prober.search(1472)).toEqual([1197, 1469]);
    expect(prober.mtu.state).toBe('complete');
    expect(prober.counters.snapshot()['path-mtu-black-holes']).toBe(1);
  });

  test('error → base: a chunk that could not be made smaller has arrived', () => {
    const prober = new Prober();
    prober.send(3 * 1160, 0);
    prober.mtu.noteSent(99, 1160);
    prober.mtu.noteArrived();
    expect(prober.seen).toMatchObject({ state: 'base', size: 1197 });
  });

  test('§4.3 complete → base: larger packets vanish; the search begins anew', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.search(1472);
    prober.send(3 * 1432, 1300);
    expect(prober.seen).toMatchObject({ state: 'base', size: 1197 });
    prober.now += 1000;
    prober.send(66_000, 1300);
    prober.search(1300);
    expect(prober.seen).toMatchObject({ state: 'complete' });
    expect(prober.seen.size).toBeLessThanOrEqual(1300);
  });

  test('base and narrower after all: two black holes lead to error', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.search(1472);
    prober.send(6 * 1432, 600);
    expect(prober.seen).toMatchObject({ state: 'error', size: 545 });
    expect(prober.counters.snapshot()['path-mtu-black-holes']).toBe(2);
  });

  test('another path: nothing is known of it', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.search(1472);
    prober.mtu.reset(1452);
    expect(prober.mtu.inspect()).toEqual({
      state: 'base',
      size: 1197,
      confirmed: 545,
      max: 1449,
      probing: null,
    });
    prober.send(66_000);
    expect(prober.search(1472)).toEqual([1449]);
  });

  test('another path while a probe is under way: its answer is none', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.mtu.probeDue(prober.now);
    const nonce = heartbeatInfo(prober.mtu.probe().subarray(4));
    prober.mtu.reset(1472);
    expect(prober.mtu.awaitsAnswer).toBe(false);
    expect(prober.mtu.handleAnswer(nonce, prober.now)).toBe(false);
    expect(prober.mtu.state).toBe('base');
  });
});

describe('RFC 8899 §4.3: what is a black hole, and what is not', () => {
  function settled(): Prober {
    const prober = new Prober();
    prober.send(66_000);
    prober.search(1472);
    return prober;
  }

  test('two watched packets lost, then one that arrives: none', () => {
    const prober = settled();
    for (let i = 0; i < 10; i++) {
      prober.send(2 * 1432, 0);
      prober.send(1432);
    }
    expect(prober.seen).toMatchObject({ state: 'complete', size: 1469 });
  });

  test('smaller packets that arrive in between prove nothing', () => {
    const prober = settled();
    for (let i = 0; i < 3; i++) {
      prober.mtu.noteSent(1000 + i, 1432);
      prober.mtu.noteLost(prober.now);
      prober.mtu.noteSent(2000 + i, 700);
      if (prober.mtu.watched >= 0) prober.mtu.noteArrived();
    }
    expect(prober.seen).toMatchObject({ state: 'base', size: 1197 });
  });

  test('packets that fit everywhere are not watched', () => {
    const prober = settled();
    prober.mtu.noteSent(7, 508);
    expect(prober.mtu.watched).toBe(-1);
  });
});

describe('RFC 9260 §6.9: a chunk cannot be made smaller', () => {
  test('until data of the base size has arrived, chunks fit the smallest packet', () => {
    const prober = new Prober();
    expect(prober.mtu.chunkSize).toBe(508);
    prober.send(1160);
    expect(prober.mtu.chunkSize).toBe(1160);
  });

  test('a packet beyond the base size holds chunks of the base size at the most', () => {
    const prober = new Prober();
    prober.send(66_000);
    prober.search(1472);
    expect(prober.mtu.size).toBe(1432);
    expect(prober.mtu.chunkSize).toBe(1160);
  });

  test('on the wire: full packets all the time, with chunks that would fit packets of 548 bytes first, of 1200 later', () => {
    const pair = new Pair({ a: { pathMtu: {} } }).connect();
    const seen: { size: number; chunks: number[] }[] = [];
    pair.filter = (from, packet) => {
      const chunks = from === 0 ? dataOf(packet).map((data) => data.payload.length + 16) : [];
      if (chunks.length > 0) seen.push({ size: packet.length, chunks });
      return true;
    };
    pair.a.send(0, { ppid: 53, data: payload(200_000, 1) });
    pair.run(() => messages(pair.events[1]).length === 1);
    expect(seen[0]).toEqual({ size: 1160, chunks: [384, 384, 380] });
    expect(seen.at(20)).toEqual({ size: 1160, chunks: [1148] });
    expect(seen.at(-10)).toEqual({ size: 1432, chunks: [712, 708] });
  });
});

describe('probes on the wire', () => {
  /** One association that has sent enough and been acknowledged; its first probe is the last packet. */
  function probing(): { pair: Pair; probes: Uint8Array[] } {
    const pair = new Pair({ a: { pathMtu: {} } }).connect();
    const probes: Uint8Array[] = [];
    pair.filter = (_, packet) => {
      const isProbe = kinds(packet) === 'heartbeat+pad';
      if (isProbe) probes.push(packet);
      return !isProbe;
    };
    pair.a.send(0, { ppid: 53, data: payload(100_000, 1) });
    pair.run(() => messages(pair.events[1]).length === 1);
    return { pair, probes };
  }

  test('§6.2.1.2: a HEARTBEAT with a nonce and a PAD chunk (RFC 4820) of zeros, of exactly the size in question', () => {
    const { probes } = probing();
    const probe = probes[0] ?? new Uint8Array(0);
    expect(probe.length).toBe(1432);
    const [heartbeat, pad] = chunksOf(probe);
    expect(heartbeat?.whole).toHaveLength(16);
    expect(pad?.type).toBe(CHUNK.pad);
    expect(pad?.body.every((byte) => byte === 0)).toBe(true);
  });

  test('a PAD chunk of the peer is skipped, and its HEARTBEAT answered without one', () => {
    const pair = new Pair().connect();
    const { probes } = probing();
    const [heartbeat, pad] = chunksOf(probes[0] ?? new Uint8Array(0));
    // Any tag will do: it is taken from a packet of the pair's own.
    let tag = 0;
    pair.filter = (from, packet) => {
      if (from === 0) tag = new DataView(packet.buffer, packet.byteOffset).getUint32(4);
      return true;
    };
    pair.a.send(0, { ppid: 53, data: payload(10, 1) });
    pair.runFor(500);
    receive(
      pair.b,
      [packetOf(tag, heartbeat?.whole ?? new Uint8Array(0), pad?.whole ?? new Uint8Array(0))],
      pair.now,
    );
    const answers = sent(pair.b);
    expect(answers.map(kinds)).toEqual(['heartbeatAck']);
    expect(answers[0]?.length).toBe(28);
    expect(inspect(pair.b).counters).toMatchObject({ 'unknown-chunk': 0, 'malformed-chunk': 0 });
  });

  test('§3: lost ones are no congestion, nothing is sent again for them, and the peer is as alive as before', () => {
    const { pair, probes } = probing();
    const { window } = inspect(pair.a).send.congestion;
    pair.runFor(60_000);
    const after = inspect(pair.a);
    expect(probes.length).toBeGreaterThan(3);
    expect(probes.length).toBeLessThanOrEqual(12);
    expect(after.counters).toMatchObject({
      'path-mtu-probes-sent': probes.length,
      'path-mtu-probes-lost': probes.length,
      'retransmission-timeouts': 0,
      'retransmitted-chunks': 0,
      'path-mtu-black-holes': 0,
    });
    expect(after.send.congestion['window']).toBeGreaterThanOrEqual(Number(window));
    expect(after.state).toBe('established');
    // Probes that vanish are no questions: those of the heartbeat timer are answered, and that is all the peer hears.
    expect(after.timers['peerLiveness']).toBeGreaterThan(pair.now);
  });

  test('§5.1.1 PROBE_TIMER: a second between two probes of a size, at the least', () => {
    const pair = new Pair({ a: { pathMtu: {} } }).connect();
    const times: number[] = [];
    pair.filter = (_, packet) => {
      if (kinds(packet) !== 'heartbeat+pad') return true;
      times.push(pair.now);
      return false;
    };
    pair.a.send(0, { ppid: 53, data: payload(100_000, 1) });
    pair.runFor(10_000);
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(gaps.length).toBeGreaterThan(3);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000);
  });

  test('an association that sends little has no clock for it, for hours', () => {
    const pair = new Pair({ a: { pathMtu: {} } }).connect();
    pair.a.send(0, { ppid: 53, data: payload(1000, 1) });
    pair.runFor(2 * 3_600_000);
    expect(inspect(pair.a).counters['path-mtu-probes-sent']).toBe(0);
    expect(Object.keys(inspect(pair.a).timers)).not.toContain('pathProbe');
  });

  test('not while what was lost waits to be sent again', () => {
    const pair = new Pair({ a: { pathMtu: { probeAfter: 0 } }, link: { delay: 10 } }).connect();
    pair.filter = (from, packet) => from === 1 || kinds(packet) === 'heartbeat+pad';
    pair.a.send(0, { ppid: 53, data: payload(20_000, 1) });
    pair.runFor(10);
    const before = inspect(pair.a).counters['path-mtu-probes-sent'];
    const waits = (): boolean => inspect(pair.a).send.lostChunks > 0;
    pair.run(() => waits(), 5000);
    for (let i = 0; i < 30; i++) {
      pair.runFor(100);
      if (waits()) expect(inspect(pair.a).counters['path-mtu-probes-sent']).toBe(before);
    }
    expect(waits()).toBe(true);
  });

  test('while the path is down nothing is probed, and PROBE_TIMER stands still', () => {
    const { pair } = probing();
    const { 'path-mtu-probes-lost': lost } = inspect(pair.a).counters;
    pair.a.setPathWritable(false, pair.now);
    pair.runFor(20_000);
    expect(inspect(pair.a).counters['path-mtu-probes-lost']).toBe(lost);
    pair.a.setPathWritable(true, pair.now);
    pair.runFor(20_000);
    expect(inspect(pair.a).counters['path-mtu-probes-lost']).toBeGreaterThan(lost);
  });

  test('a peer that drops packets with chunks it does not know costs a few probes, and nothing else', () => {
    // As pion does: everything with a PAD chunk is refused as a whole.
    const { pair, probes } = probing();
    for (let i = 0; i < 20; i++) {
      pair.a.send(0, { ppid: 53, data: payload(100_000, i) });
      pair.runFor(5000);
    }
    expect(probes.length).toBeLessThanOrEqual(12);
    expect(inspect(pair.a)).toMatchObject({ pathMtu: { state: 'complete', size: 1197 } });
    expect(messages(pair.events[1])).toHaveLength(21);
  });

  test('closed: no probe is due, and no clock runs', () => {
    const { pair } = probing();
    pair.a.abort('enough', pair.now);
    expect(pair.a.nextTimeout()).toBe(Infinity);
    expect(sent(pair.a).map(kinds)).toEqual(['abort']);
    expect(inspect(pair.a)).toMatchObject({ pathMtu: { probing: null } });
  });
});

/** Largest datagram, with headers, that passes; both directions. */
function narrow(pair: Pair, limit: () => number): Pair {
  pair.filter = (_, packet) => packet.length + OVERHEAD + HEADERS <= limit();
  return pair;
}

function transfer(pair: Pair, bytes: number, limit = 120_000): boolean {
  const size = 50_000;
  const count = Math.ceil(bytes / size);
  const before = messages(pair.events[1]).length;
  for (let i = 0; i < count; i++) pair.a.send(0, { ppid: 53, data: payload(size, i) });
  const done = (): boolean => messages(pair.events[1]).length === before + count;
  pair.run(() => done() || pair.a.state === 'closed', limit);
  return done();
}

function found(pair: Pair): { state: string; size: number } {
  return (inspect(pair.a) as unknown as { pathMtu: { state: string; size: number } }).pathMtu;
}

describe('paths of every width', () => {
  test.each([
    [1500, 'complete', 1472],
    [1400, 'complete', 1372],
    [1280, 'complete', 1252],
    [1228, 'complete', 1200],
    [1200, 'error', 1172],
    [1000, 'error', 972],
    [600, 'error', 572],
    [576, 'error', 548],
  ])('an MTU of %i: everything arrives, and the size found is %s, at most %i', (mtu, state, payloadLimit) => {
    const pair = narrow(new Pair({ a: { pathMtu: {} }, link: { delay: 20 } }), () => mtu).connect();
    expect(transfer(pair, 1_000_000)).toBe(true);
    pair.runFor(60_000);
    expect(transfer(pair, 200_000)).toBe(true);
    pair.runFor(60_000);
    const { state: reached, size } = found(pair);
    expect(reached).toBe(state);
    expect(size).toBeLessThanOrEqual(payloadLimit);
    expect(size).toBeGreaterThan(payloadLimit - 20);
    expect(inspect(pair.a).counters['path-mtu-probes-sent']).toBeLessThanOrEqual(40);
  });

  test.each([1400, 1280, 1228, 1000])(
    'from 1500 to %i in the middle of a transfer: it goes on within seconds, with all that was in flight',
    (narrower) => {
      let mtu = 1500;
      const pair = narrow(
        new Pair({ a: { pathMtu: {} }, link: { delay: 20, rate: 2500, queueMs: 100 } }),
        () => mtu,
      ).connect();
      transfer(pair, 1_000_000);
      expect(found(pair)).toMatchObject({ state: 'complete', size: 1469 });
      const start = pair.now;
      for (let i = 0; i < 20; i++) pair.a.send(0, { ppid: 53, data: payload(50_000, i) });
      pair.run(() => inspect(pair.a).send.outstandingChunks > 40, 10_000);
      mtu = narrower;
      pair.run(() => messages(pair.events[1]).length === 40 || pair.a.state === 'closed', 60_000);
      expect(messages(pair.events[1])).toHaveLength(40);
      expect(pair.now - start).toBeLessThan(10_000);
      expect(inspect(pair.a).counters['path-mtu-black-holes']).toBeGreaterThanOrEqual(1);
      pair.runFor(60_000);
      transfer(pair, 200_000);
      pair.runFor(60_000);
      expect(found(pair).size).toBeLessThanOrEqual(narrower - HEADERS);
    },
  );

  test('below what the largest chunk in flight needs, nothing can be done: dataProgress ends it in time', () => {
    // 1280 carries the base size: chunks take all of a packet, and none of them fits a path of 1000.
    let mtu = 1280;
    const pair = narrow(
      new Pair({ a: { pathMtu: { max: 1200 } }, link: { delay: 20, rate: 500 } }),
      () => mtu,
    ).connect();
    transfer(pair, 200_000);
    for (let i = 0; i < 20; i++) pair.a.send(0, { ppid: 53, data: payload(50_000, i) });
    pair.runFor(60);
    mtu = 1000;
    pair.run(() => pair.a.state === 'closed', 120_000);
    expect(pair.events[0].at(-1)).toMatchObject({
      type: 'closed',
      failure: { gate: 'dataProgress', elapsed: 30_000 },
    });
  });

  test('from 1000 to 1500: the raise timer finds it, ten minutes later', () => {
    let mtu = 1000;
    const pair = narrow(new Pair({ a: { pathMtu: {} } }), () => mtu).connect();
    transfer(pair, 500_000);
    pair.runFor(60_000);
    expect(found(pair).state).toBe('error');
    mtu = 1500;
    transfer(pair, 100_000);
    expect(found(pair).state).toBe('error');
    pair.runFor(RAISE_TIMER);
    transfer(pair, 200_000);
    pair.runFor(5000);
    expect(found(pair)).toMatchObject({ state: 'complete', size: 1469 });
  });

  test('an outage is taken for a black hole, and a probe sets it right', () => {
    let mtu = 1500;
    const pair = narrow(
      new Pair({ a: { pathMtu: {} }, link: { delay: 20, rate: 2500 } }),
      () => mtu,
    ).connect();
    transfer(pair, 500_000);
    for (let i = 0; i < 20; i++) pair.a.send(0, { ppid: 53, data: payload(50_000, i) });
    pair.runFor(50);
    mtu = 0;
    pair.runFor(8000);
    mtu = 1500;
    pair.run(() => messages(pair.events[1]).length === 30, 60_000);
    pair.runFor(5000);
    transfer(pair, 200_000);
    expect(found(pair)).toMatchObject({ state: 'complete', size: 1469 });
  });

  test('unreliable messages that vanish are a black hole, too', () => {
    let mtu = 1500;
    const pair = narrow(new Pair({ a: { pathMtu: {} } }), () => mtu).connect();
    transfer(pair, 200_000);
    expect(found(pair).size).toBe(1469);
    mtu = 1300;
    for (let i = 0; i < 40; i++) {
      pair.a.send(1, { ppid: 53, data: payload(1400, i), maxRetransmits: 0, unordered: true });
      pair.runFor(200);
    }
    expect(found(pair).size).toBeLessThanOrEqual(1272);
    expect(inspect(pair.a).counters['path-mtu-black-holes']).toBe(1);
    expect(messages(pair.events[1]).filter(({ streamId }) => streamId === 1).length).toBeGreaterThan(20);
  });

  test('the congestion controller is told of each new size', () => {
    const told: number[] = [];
    const congestion: SctpOptions['congestion'] = (options) => {
      const controller = new NewReno(options);
      return Object.assign(controller, { setMtu: (bytes: number) => void told.push(bytes) });
    };
    const pair = new Pair({ a: { pathMtu: {}, congestion } }).connect();
    transfer(pair, 200_000);
    pair.a.changePath(1472, pair.now);
    pair.a.send(0, { ppid: 53, data: payload(10, 1) });
    pair.runFor(100);
    expect(told).toEqual([1420, 1148]);
  });

  test('changePath begins anew, within the new bound', () => {
    const pair = narrow(new Pair({ a: { pathMtu: {} } }), () => 9000).connect();
    transfer(pair, 200_000);
    expect(found(pair).size).toBe(1469);
    pair.a.changePath(1452, pair.now);
    expect(found(pair)).toMatchObject({ state: 'base', size: 1197 });
    transfer(pair, 200_000);
    pair.runFor(1000);
    expect(found(pair)).toMatchObject({ state: 'complete', size: 1449 });
  });

  test('changePath while a probe is on its way: nobody waits for its answer any more, from the call on', () => {
    const pair = new Pair({ link: { delay: 50 }, a: { pathMtu: {} } }).connect();
    pair.a.send(0, { ppid: 53, data: payload(200_000, 1) });
    pair.run(() => 'pathProbe' in inspect(pair.a).timers, 10_000);
    expect(inspect(pair.a).timers).toHaveProperty('pathProbe');
    pair.a.changePath(1472, pair.now);
    expect(inspect(pair.a).timers).not.toHaveProperty('pathProbe');
    expect(inspect(pair.a).timers).toHaveProperty('t3');
  });

  test('16 KiB, where the host asks for it: loopback', () => {
    const pair = new Pair({ a: { pathMtu: { max: 16_384 } } }).connect();
    expect(transfer(pair, 1_000_000)).toBe(true);
    expect(found(pair)).toMatchObject({ state: 'complete', size: 16_381 });
  });

  test('any width from 576, any loss up to 10 %: all of it arrives, in bounded time and with a bounded number of probes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 576, max: 1600 }),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        fc.boolean(),
        fc.nat(10_000),
        (mtu, loss, interleaving, seed) => {
          const ends = { pathMtu: {}, interleaving };
          const link = { delay: 15, jitter: 5, loss };
          const pair = narrow(new Pair({ seed, a: ends, b: ends, link, check: false }), () => mtu).connect();
          expect(transfer(pair, 200_000, 300_000)).toBe(true);
          pair.runFor(60_000);
          expect(pair.a.invariantViolation()).toBeUndefined();
          const { size } = found(pair);
          expect(size + HEADERS).toBeLessThanOrEqual(mtu);
          const seconds = pair.now / 1000;
          expect(inspect(pair.a).counters['path-mtu-probes-sent']).toBeLessThanOrEqual(20 + seconds);
        },
      ),
      { numRuns: howMany(20, 60) },
    );
  });
});

describe('options', () => {
  test.each([
    ['max', { max: 100 }],
    ['max', { max: 20_000 }],
    ['min', { min: 100 }],
    ['overhead', { overhead: -1 }],
    ['probeAfter', { probeAfter: 1.5 }],
  ])('%s out of range: ERR_BAD_ARGUMENT', (_, pathMtu) => {
    expect(() => association(1, { pathMtu })).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });

  test('the buffer must have room for the largest packet, probes included', () => {
    const a = association(1, { pathMtu: {} });
    expect(a.mtu).toBe(1432);
    expect(() => a.pollTransmitInto(new Uint8Array(1160), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
    expect(association(1).mtu).toBe(1160);
    expect(events(a)).toEqual([]);
  });

  test('the overhead may be learned later: sizes are of datagrams', () => {
    const a = association(1, { pathMtu: {} });
    a.overhead = 22;
    expect(a.mtu).toBe(1448);
    expect(() => (a.overhead = -1)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });
});
