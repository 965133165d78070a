/** What is sent again, when, and what is not: the sending half against a peer played by hand. */
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import type { SctpMessage } from '../../src/sctp/index.ts';
import { decodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { encodeShutdown } from '../../src/sctp/packet/simple.ts';
import { inspect, payload } from './pair.ts';
import { Puppet } from './puppet.ts';

/** A puppet to which `count` messages of a packet each are on their way. */
function underWay(
  count: number,
  message: Partial<SctpMessage> = {},
  options: ConstructorParameters<typeof Puppet>[0] = {},
): Puppet {
  const puppet = new Puppet(options);
  for (let i = 0; i < count; i++)
    puppet.a.send(1, { ppid: 53, data: payload(1000, i), token: i, ...message });
  puppet.run(0);
  return puppet;
}

/** Numbers of the chunks sent since the last call. */
function heard(puppet: Puppet): number[] {
  puppet.drain();
  const numbers = puppet.sentNumbers();
  puppet.heard.length = 0;
  return numbers;
}

function outcomes(puppet: Puppet): string[] {
  return puppet.events.flatMap((event) =>
    event.type === 'messageoutcome' ? [`${String(event.token)} ${event.outcome}`] : [],
  );
}

/** New cumulative TSNs, as numbers of chunks, of the FORWARD TSNs sent. */
function forwards(puppet: Puppet): number[] {
  return puppet.heardOf(CHUNK.forwardTsn).map((body) => {
    const forward = decodeForwardTsn(body);
    if (isFailure(forward)) throw new Error(forward.reason);
    return (forward.newCumulativeTsn - puppet.base) | 0;
  });
}

describe('acknowledged', () => {
  test('nothing sent, nothing outstanding; one; three, of which two', () => {
    const puppet = underWay(0);
    expect(inspect(puppet.a).send).toMatchObject({ outstandingChunks: 0, flightBytes: 0 });
    puppet.say(puppet.sack(0));
    for (let i = 0; i < 3; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
    expect(heard(puppet)).toEqual([1, 2, 3]);
    puppet.say(puppet.sack(2));
    expect(inspect(puppet.a).send).toMatchObject({ outstandingChunks: 1, unackedBytes: 1000 });
    expect(inspect(puppet.a).timers).toHaveProperty('t3');
    puppet.say(puppet.sack(3));
    expect(inspect(puppet.a).timers).not.toHaveProperty('t3');
  });

  test('a SHUTDOWN’s cumulative TSN acknowledges, and says nothing of the window', () => {
    const puppet = underWay(2);
    const { peerWindow } = inspect(puppet.a).send;
    puppet.say(encodeShutdown((puppet.base + 2) >>> 0));
    expect(inspect(puppet.a).send).toMatchObject({ outstandingChunks: 0, peerWindow });
  });

  test('the window that is left is the announced one less what is in flight', () => {
    const puppet = underWay(10);
    heard(puppet);
    puppet.say(puppet.sack(4, { window: 7000 }));
    for (let i = 0; i < 10; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
    // Six are in flight: room for one more.
    expect(heard(puppet)).toEqual([11]);
  });

  test('with nothing in flight one packet may always go, be the window smaller than it', () => {
    const puppet = underWay(1);
    heard(puppet);
    puppet.say(puppet.sack(1, { window: 10 }));
    for (let i = 0; i < 5; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
    expect(heard(puppet)).toEqual([2]);
  });

  test('the round trip is taken from chunks sent once, by gap reports too; never from those sent again', () => {
    const puppet = underWay(3);
    puppet.now += 100;
    puppet.say(puppet.sack(0, { blocks: [2, 3] }));
    expect(puppet.a.roundTripTime).toBe(100);
    heard(puppet);
    puppet.run(60);
    expect(heard(puppet)).toEqual([1]);
    puppet.now += 500;
    puppet.say(puppet.sack(3));
    expect(puppet.a.roundTripTime).toBe(100);
  });
});

describe('sent again', () => {
  test('after three reports of something newer, once; other reports of the same do not count', () => {
    const puppet = underWay(8);
    heard(puppet);
    for (const last of [2, 2, 2, 3]) puppet.say(puppet.sack(0, { blocks: [2, last] }));
    expect(heard(puppet)).toEqual([]);
    puppet.say(puppet.sack(0, { blocks: [2, 4] }));
    expect(heard(puppet)).toEqual([1]);
    for (const last of [5, 6, 7, 8]) puppet.say(puppet.sack(0, { blocks: [2, last] }));
    expect(heard(puppet)).toEqual([]);
    expect(puppet.count('fast-retransmits')).toBe(1);
  });

  test('fast recovery is entered once a window, left when what was out at its start is acknowledged', () => {
    const puppet = underWay(9, {}, { congestion: 'new-reno' });
    for (const last of [3, 4, 5]) puppet.say(puppet.sack(1, { blocks: [2, last] }));
    expect(inspect(puppet.a).send.recovering).toBe(true);
    const { window } = inspect(puppet.a).send.congestion;
    puppet.say(puppet.sack(5, { blocks: [2, 2] }));
    expect(inspect(puppet.a).send.congestion['window']).toBe(window);
    expect(inspect(puppet.a).send.recovering).toBe(true);
    puppet.say(puppet.sack(9));
    expect(inspect(puppet.a).send.recovering).toBe(false);
  });

  test('T3 ends fast recovery, and sends the earliest first', () => {
    const puppet = underWay(9);
    for (const last of [2, 3, 4]) puppet.say(puppet.sack(0, { blocks: [2, last] }));
    expect(heard(puppet)).toContain(1);
    expect(inspect(puppet.a).send.recovering).toBe(true);
    puppet.run(3000);
    expect(inspect(puppet.a).send.recovering).toBe(false);
    expect(heard(puppet)[0]).toBe(1);
  });

  test('T3: one packet, then as acknowledgements come, the others; none that were reported', () => {
    const puppet = underWay(6);
    heard(puppet);
    puppet.say(puppet.sack(0, { blocks: [4, 4] }));
    // Overtaken, and late by the reordering window.
    puppet.run(100);
    expect(heard(puppet)).toEqual([1, 2, 3]);
    puppet.run(200);
    expect(heard(puppet)).toEqual([1]);
    expect(puppet.count('retransmission-timeouts')).toBe(1);
    puppet.say(puppet.sack(1, { blocks: [3, 3] }));
    expect(heard(puppet)[0]).toBe(2);
    puppet.say(puppet.sack(4));
    expect(heard(puppet).every((number) => number >= 5)).toBe(true);
  });

  test('T3 starts anew when the earliest outstanding chunk is sent again or acknowledged, not otherwise', () => {
    const puppet = underWay(9);
    const due = (): number => inspect(puppet.a).timers['t3'] ?? NaN;
    const anew = (): number => puppet.now + inspect(puppet.a).send.retransmissionTimeout;
    const first = due();
    puppet.now += 100;
    puppet.say(puppet.sack(0, { blocks: [2, 2] }));
    expect(due()).toBe(first);
    for (const last of [3, 4]) puppet.say(puppet.sack(0, { blocks: [2, last] }));
    expect(due()).toBe(first);
    puppet.drain();
    expect(due()).toBe(anew());
    const second = due();
    puppet.now += 100;
    puppet.say(puppet.sack(0, { blocks: [2, 6] }));
    expect(due()).toBe(second);
    puppet.say(puppet.sack(4));
    expect(due()).toBe(anew());
    expect(due()).toBeGreaterThan(second);
  });

  test('with the send buffer full all the same', () => {
    const puppet = underWay(20, {}, { sendBuffer: 10_000 });
    expect(puppet.a.send(1, { ppid: 53, data: payload(1, 1) })).toBe(false);
    heard(puppet);
    puppet.run(600);
    expect(heard(puppet)).toContain(1);
  });

  test('lost chunks go before new ones, within the congestion window', () => {
    const puppet = underWay(30);
    const flight = heard(puppet).length;
    expect(flight).toBeLessThan(30);
    puppet.run(600);
    puppet.say(puppet.sack(1));
    const again = heard(puppet);
    expect(again.slice(1)).toEqual(again.slice(1).map((_, i) => i + 2));
    expect(again.length).toBeLessThan(flight);
  });

  test('the window grows again when it is used and acknowledged', () => {
    const puppet = underWay(200);
    puppet.run(600);
    const after = Number(inspect(puppet.a).send.congestion['window']);
    for (let upTo = 1; upTo < 60; upTo++) {
      puppet.now += 20;
      puppet.say(puppet.sack(upTo));
      puppet.drain();
    }
    expect(inspect(puppet.a).send.congestion['window']).toBeGreaterThan(after * 3);
  });
});

describe('a packet that is alone in flight (RFC 9260 §3.3.1, I bit)', () => {
  /** Flags of the data chunks sent since the last call, and whether the I bit is among them. */
  function immediate(puppet: Puppet): boolean[] {
    puppet.drain();
    const flags = puppet.heard
      .filter(({ type }) => type === CHUNK.data)
      .map((chunk) => (chunk.flags & 8) !== 0);
    puppet.heard.length = 0;
    return flags;
  }

  /** A puppet whose round trip is 20 ms. */
  function measured(): Puppet {
    const puppet = underWay(1);
    puppet.run(20);
    puppet.say(puppet.sack(1));
    puppet.heard.length = 0;
    expect(puppet.a.roundTripTime).toBe(20);
    return puppet;
  }

  function say(puppet: Puppet, length = 100): void {
    puppet.a.send(1, { ppid: 53, data: payload(length, 1) });
    puppet.drain();
  }

  test('its last chunk asks for a SACK at once; packets beside others do not, nor do those that others follow', () => {
    const puppet = measured();
    for (let i = 0; i < 3; i++) puppet.a.send(1, { ppid: 53, data: payload(100, i) });
    expect(immediate(puppet)).toEqual([false, false, true]);
    say(puppet);
    expect(immediate(puppet)).toEqual([false]);
    puppet.say(puppet.sack(5));
    puppet.a.send(1, { ppid: 53, data: payload(3000, 1) });
    expect(immediate(puppet)).toEqual([false, false, false]);
  });

  test('so does the one packet that T3 lets out, for nothing may follow it', () => {
    const puppet = underWay(9);
    immediate(puppet);
    puppet.run(600);
    expect(immediate(puppet)).toEqual([true]);
  });

  test('and the probe of a shut window', () => {
    const puppet = measured();
    puppet.say(puppet.sack(1, { window: 0 }));
    say(puppet, 3000);
    puppet.run(600);
    expect(immediate(puppet)).toEqual([true]);
  });

  test('RFC 8985 §7.2: two round trips of silence send it again, long before T3', () => {
    const puppet = measured();
    say(puppet);
    const due = inspect(puppet.a).timers['t3'] ?? 0;
    puppet.heard.length = 0;
    puppet.run(39);
    expect(heard(puppet)).toEqual([]);
    puppet.run(1);
    expect(heard(puppet)).toEqual([2]);
    expect(due - puppet.now).toBeGreaterThan(150);
    expect(puppet.count('tail-loss-probes')).toBe(1);
    puppet.run(30);
    expect(heard(puppet)).toEqual([]);
    puppet.say(puppet.sack(2));
    expect(inspect(puppet.a).timers).not.toHaveProperty('t3');
  });

  test('a peer that delays its SACK all the same is probed three times, then T3 alone waits', () => {
    const puppet = measured();
    for (let i = 0; i < 6; i++) {
      say(puppet);
      puppet.run(60);
      const isProbed = puppet.count('tail-loss-probes') === i + 1;
      const tsn = (puppet.base + i + 2) >>> 0;
      puppet.say(puppet.sack(i + 2, { duplicates: isProbed ? [tsn] : [] }));
    }
    expect(puppet.count('tail-loss-probes')).toBe(3);
    expect(puppet.count('retransmission-timeouts')).toBe(0);
  });

  test('one whose packets are really lost goes on being probed', () => {
    const puppet = measured();
    for (let i = 0; i < 6; i++) {
      say(puppet);
      puppet.run(60);
      puppet.say(puppet.sack(i + 2));
    }
    expect(puppet.count('tail-loss-probes')).toBe(6);
  });
});

describe('not sent again (RFC 3758)', () => {
  test.each([0, 1, 2])('maxRetransmits %d: so often and no more; then one FORWARD TSN', (maxRetransmits) => {
    const puppet = underWay(1, { maxRetransmits });
    puppet.run(25_000);
    expect(puppet.sentNumbers()).toEqual(Array.from({ length: 1 + maxRetransmits }, () => 1));
    expect(outcomes(puppet)).toEqual(['0 abandoned']);
    expect(forwards(puppet)[0]).toBe(1);
    expect(inspect(puppet.a).send).toMatchObject({ unackedBytes: 0, flightBytes: 0 });
  });

  test('maxRetransmits 2, reports instead of time-outs: nine of them', () => {
    const puppet = underWay(9, { maxRetransmits: 2 });
    heard(puppet);
    let highest = 1;
    let sent = 1;
    for (let round = 0; round < 9; round++) {
      puppet.a.send(2, { ppid: 53, data: payload(10, 1) });
      puppet.drain();
      highest = Math.max(highest, ...puppet.sentNumbers());
      puppet.heard.length = 0;
      puppet.say(puppet.sack(0, { blocks: [2, round < 8 ? round + 2 : highest] }));
      puppet.drain();
      sent += puppet.sentNumbers().filter((number) => number === 1).length;
    }
    expect(sent).toBeLessThanOrEqual(3);
  });

  test('a peer without FORWARD TSN gets every message, whatever its limits', () => {
    const puppet = new Puppet({}, { forwardTsn: false, extensions: [] });
    puppet.a.send(1, { ppid: 53, data: payload(10, 1), maxRetransmits: 0 });
    puppet.a.send(1, { ppid: 53, data: payload(10, 2), maxPacketLifeTime: 50 });
    puppet.run(5000);
    expect(puppet.sentNumbers().filter((number) => number === 1).length).toBeGreaterThan(3);
    expect(puppet.sentNumbers().filter((number) => number === 2).length).toBeGreaterThan(1);
    expect(puppet.heardOf(CHUNK.forwardTsn)).toEqual([]);
  });

  test('the message whose time is up goes, the others of its stream stay', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(1000, 0), token: 'a' });
    puppet.a.send(1, { ppid: 53, data: payload(1000, 1), token: 'b', maxPacketLifeTime: 100 });
    puppet.a.send(1, { ppid: 53, data: payload(1000, 2), token: 'c' });
    puppet.run(1000);
    expect(outcomes(puppet)).toEqual(['b expired']);
    puppet.say(puppet.sack(1));
    puppet.drain();
    expect(forwards(puppet)).toContain(2);
    puppet.say(puppet.sack(3));
    puppet.drain();
    expect(outcomes(puppet)).toEqual(['b expired', 'a acknowledged', 'c acknowledged']);
  });

  test('a given-up message that is acknowledged after all is counted once', () => {
    const puppet = underWay(2, { maxRetransmits: 0 });
    puppet.run(600);
    expect(outcomes(puppet)).toEqual(['0 abandoned', '1 abandoned']);
    puppet.say(puppet.sack(2));
    puppet.drain();
    expect(inspect(puppet.a).send).toMatchObject({ outstandingChunks: 0, unackedBytes: 0, flightBytes: 0 });
    expect(puppet.count('abandoned-messages')).toBe(2);
  });

  test('FORWARD TSN stops in front of what is not given up', () => {
    const puppet = new Puppet();
    for (const maxRetransmits of [0, 0, undefined, 0])
      puppet.a.send(1, { ppid: 53, data: payload(1000, 1), maxRetransmits });
    puppet.run(600);
    expect(forwards(puppet)).toEqual([2]);
  });

  test('FORWARD TSN does not reach beyond a stream reset that is under way', () => {
    const puppet = underWay(2, { maxRetransmits: 0 });
    puppet.a.resetStreams([1]);
    puppet.drain();
    expect(puppet.heardOf(CHUNK.reconfig)).toHaveLength(1);
    for (let i = 0; i < 2; i++) puppet.a.send(2, { ppid: 53, data: payload(1000, i), maxRetransmits: 0 });
    puppet.run(700);
    expect(forwards(puppet).length).toBeGreaterThan(0);
    expect(Math.max(...forwards(puppet))).toBe(2);
  });

  test('a lost FORWARD TSN comes again with T3, until the peer has moved', () => {
    const puppet = underWay(1, { maxRetransmits: 0 });
    puppet.run(5000);
    expect(forwards(puppet).length).toBeGreaterThan(2);
    puppet.say(puppet.sack(1));
    puppet.heard.length = 0;
    puppet.run(5000);
    expect(forwards(puppet)).toEqual([]);
    expect(inspect(puppet.a).timers).not.toHaveProperty('dataProgress');
  });
});
