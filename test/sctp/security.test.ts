/**
 * What an attacker may say, and what a peer that counts wrongly does say. Each row of the list of attacks (S1 … S29) that
 * has no test beside the part it is about; and what was found in other stacks (dcSCTP, pion, usrsctp, Linux), once more here.
 */
import { describe, expect, test } from 'vitest';
import { concatBytes, writeU16, writeU32 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeCause } from '../../src/sctp/packet/causes.ts';
import { encodeForwardTsn, encodeIForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { encodeInit } from '../../src/sctp/packet/init.ts';
import { encodeOutgoingReset } from '../../src/sctp/packet/reconfig.ts';
import { encodeChunk, encodeHeartbeat, encodeShutdown } from '../../src/sctp/packet/simple.ts';
import { assertInvariants, association, inspect, LOCAL_CLOSE, messages, payload } from './pair.ts';
import { INTERLEAVING_EXTENSIONS, Puppet, PUPPET_INIT } from './puppet.ts';
import { abortChunk, chunksOf, kinds, packetOf, sackChunk } from './wire.ts';

const NOTHING = new Uint8Array(0);

/** What an attack must not have changed. */
function footprint(puppet: Puppet): unknown {
  const { state, timers, send, receive, resets } = inspect(puppet.a);
  return { state, timers, send, receive, resets };
}

describe('S2: who may speak (RFC 9260 §8.5)', () => {
  const chunks: readonly (readonly [string, Bytes])[] = [
    ['DATA', encodeChunk(CHUNK.data, 3, new Uint8Array(13))],
    ['SACK', sackChunk({ cumulativeTsn: 1 })],
    ['HEARTBEAT', encodeHeartbeat(Uint8Array.of(1))],
    ['ABORT', abortChunk()],
    ['SHUTDOWN', encodeShutdown(1)],
    ['SHUTDOWN ACK', encodeChunk(CHUNK.shutdownAck, 0, NOTHING)],
    ['SHUTDOWN COMPLETE', encodeChunk(CHUNK.shutdownComplete, 0, NOTHING)],
    ['SHUTDOWN COMPLETE with the T bit', encodeChunk(CHUNK.shutdownComplete, 1, NOTHING)],
    ['ERROR', encodeCause(CHUNK.error, 3, new Uint8Array(4))],
    ['COOKIE ACK', encodeChunk(CHUNK.cookieAck, 0, NOTHING)],
    ['RE-CONFIG', encodeOutgoingReset({ sequence: 5000, responseSequence: 0, lastTsn: 4999, streams: [] })],
    ['FORWARD TSN', encodeForwardTsn({ newCumulativeTsn: 5100, streams: [] })],
    ['an unknown chunk', encodeChunk(0xff, 0, NOTHING)],
  ];

  test.each(chunks)('%s under a wrong tag: dropped and counted, established', (_, chunk) => {
    const puppet = new Puppet();
    const before = footprint(puppet);
    // CVE-2021-3772: neither a guess nor the other end's tag will do.
    for (const tag of [0, 1, PUPPET_INIT.tag, puppet.tag ^ 1]) {
      if ((chunk[1] === 1 || chunk[0] === CHUNK.abort) && tag === PUPPET_INIT.tag) continue;
      puppet.a.handlePacket(packetOf(tag, chunk), puppet.now);
    }
    puppet.drain();
    expect(footprint(puppet)).toEqual(before);
    expect(puppet.count('wrong-tag')).toBeGreaterThanOrEqual(3);
    expect([puppet.heard, puppet.events]).toEqual([[], []]);
  });

  test.each(chunks)('%s before there is anything: dropped, and no state made', (_, chunk) => {
    const a = association(1);
    for (const tag of [0, 1, 0x1234_5678]) a.handlePacket(packetOf(tag, chunk), 1000);
    expect([a.state, a.nextTimeout(), a.pollTransmit(), a.pollEvent()]).toEqual([
      'new',
      Infinity,
      undefined,
      undefined,
    ]);
  });

  test.each(chunks)('%s for an association that has closed: nothing', (_, chunk) => {
    const puppet = new Puppet();
    puppet.a.close(LOCAL_CLOSE, puppet.now);
    puppet.drain();
    puppet.a.handlePacket(packetOf(puppet.tag, chunk), puppet.now);
    expect([puppet.a.nextTimeout(), puppet.a.pollTransmit(), puppet.a.pollEvent()]).toEqual([
      Infinity,
      undefined,
      undefined,
    ]);
  });

  test('the T bit reflects: ABORT and SHUTDOWN COMPLETE under our peer’s own tag count, under ours they do not', () => {
    const puppet = new Puppet();
    const reflected = encodeChunk(CHUNK.abort, 1, NOTHING);
    puppet.a.handlePacket(packetOf(puppet.tag, reflected), puppet.now);
    expect(puppet.a.state).toBe('established');
    puppet.a.handlePacket(packetOf(PUPPET_INIT.tag, reflected), puppet.now);
    expect(puppet.a.state).toBe('closed');
  });

  test('an INIT in company, an INIT ACK in company, and a COOKIE ECHO that is not first: dropped', () => {
    const puppet = new Puppet();
    const init = encodeInit(CHUNK.init, PUPPET_INIT);
    const before = footprint(puppet);
    puppet.a.handlePacket(packetOf(0, init, puppet.data()), puppet.now);
    puppet.say(encodeHeartbeat(Uint8Array.of(1)), init);
    puppet.say(
      encodeInit(CHUNK.initAck, { ...PUPPET_INIT, cookie: Uint8Array.of(1) }),
      encodeHeartbeat(Uint8Array.of(1)),
    );
    puppet.say(encodeHeartbeat(Uint8Array.of(1)), encodeChunk(CHUNK.cookieEcho, 0, Uint8Array.of(1)));
    puppet.drain();
    expect(footprint(puppet)).toEqual(before);
    expect(puppet.count('wrong-tag')).toBe(1);
    expect(puppet.count('unexpected-chunk')).toBe(3);
  });
});

describe('S1, CVE-2021-3655, CVE-2019-20503: lengths that lie', () => {
  /** A chunk whose parameter claims `length` bytes. */
  const withParameter = (type: number, fixed: number, parameter: number, length: number): Bytes => {
    const body = new Uint8Array(fixed + 8);
    if (fixed === 16) {
      writeU32(body, 0, 99);
      writeU32(body, 4, 10_000);
      writeU16(body, 8, 5);
      writeU16(body, 10, 5);
    }
    writeU16(body, fixed, parameter);
    writeU16(body, fixed + 2, length);
    return encodeChunk(type, 0, body);
  };

  test.each([0, 1, 3, 9, 0xffff])(
    'INIT with an address parameter of length %d: no answer, no state',
    (length) => {
      const a = association(1);
      a.handlePacket(packetOf(0, withParameter(CHUNK.init, 16, 5, length)), 1000);
      expect([a.state, a.pollTransmit()]).toEqual(['new', undefined]);
      expect(inspect(a).counters['malformed-parameter']).toBe(1);
    },
  );

  test.each([0, 3, 9, 0xffff])('RE-CONFIG with a parameter of length %d: dropped', (length) => {
    const puppet = new Puppet();
    puppet.say(withParameter(CHUNK.reconfig, 0, 13, length));
    puppet.drain();
    expect(puppet.heardOf(CHUNK.reconfig)).toEqual([]);
    expect(puppet.count('malformed-parameter')).toBe(1);
  });

  test.each([0, 3, 9])('HEARTBEAT ACK with a parameter of length %d: no answer of ours', (length) => {
    const puppet = new Puppet();
    puppet.say(withParameter(CHUNK.heartbeatAck, 0, 1, length));
    expect(puppet.count('stray-heartbeat-ack')).toBe(1);
  });

  test.each([
    ['DATA of a header alone', encodeChunk(CHUNK.data, 3, new Uint8Array(12)), 'closed'],
    ['DATA shorter than its header', encodeChunk(CHUNK.data, 3, new Uint8Array(5)), 'closed'],
    ['SACK without its counts', encodeChunk(CHUNK.sack, 0, new Uint8Array(8)), 'established'],
    ['SHUTDOWN without its TSN', encodeChunk(CHUNK.shutdown, 0, NOTHING), 'established'],
    ['FORWARD TSN without its TSN', encodeChunk(CHUNK.forwardTsn, 0, NOTHING), 'established'],
    ['FORWARD TSN with half a stream', encodeChunk(CHUNK.forwardTsn, 0, new Uint8Array(6)), 'established'],
    ['RE-CONFIG with nothing in it', encodeChunk(CHUNK.reconfig, 0, NOTHING), 'established'],
  ] as const)('%s', (_, chunk, state) => {
    const puppet = new Puppet();
    puppet.say(chunk);
    expect(puppet.a.state).toBe(state);
    assertInvariants(puppet.a);
  });

  test('a hundred chunks of four bytes: each is looked at once', () => {
    const puppet = new Puppet();
    puppet.say(...Array.from({ length: 100 }, () => encodeChunk(CHUNK.pad, 0, NOTHING)));
    expect(puppet.a.state).toBe('established');
  });
});

describe('S3, S5, S6: INITs', () => {
  test('S3: an INIT changes nothing before its cookie comes back', () => {
    const puppet = new Puppet();
    const before = footprint(puppet);
    for (let tag = 1; tag <= 200; tag++) {
      puppet.a.handlePacket(
        packetOf(0, encodeInit(CHUNK.init, { ...PUPPET_INIT, tag, initialTsn: tag })),
        puppet.now,
      );
    }
    puppet.drain();
    expect(footprint(puppet)).toEqual(before);
    expect(puppet.heardOf(CHUNK.initAck).length).toBeLessThanOrEqual(16);
    puppet.say(puppet.data({ payload: Uint8Array.of(42) }));
    puppet.drain();
    expect(messages(puppet.events)).toHaveLength(1);
  });

  test('S4: a cookie that is altered, cut, lengthened or empty is unknown', () => {
    const a = association(3);
    a.handlePacket(packetOf(0, encodeInit(CHUNK.init, PUPPET_INIT)), 1000);
    const [answer] = chunksOf(a.pollTransmit() ?? new Uint8Array(12));
    const tag = new DataView(answer?.body.slice().buffer ?? new ArrayBuffer(4)).getUint32(0);
    const cookie = answer?.body.slice(20, 36) ?? NOTHING;
    const flipped = cookie.slice();
    flipped[3] = (flipped[3] ?? 0) ^ 1;
    for (const forged of [flipped, cookie.slice(1), concatBytes(cookie, cookie), NOTHING]) {
      a.handlePacket(packetOf(tag, encodeChunk(CHUNK.cookieEcho, 0, forged)), 1000);
    }
    expect([a.state, inspect(a).counters['unknown-cookie']]).toEqual(['new', 4]);
    a.handlePacket(packetOf(tag, encodeChunk(CHUNK.cookieEcho, 0, cookie)), 1000);
    expect(a.state).toBe('established');
  });

  test('S5, CVE-2021-30523: a restart ends the association and every message once; the new one is told', () => {
    const puppet = new Puppet();
    for (let i = 0; i < 50; i++) puppet.a.send(i, { ppid: 53, data: payload(2000, i), token: i });
    puppet.run(10);
    puppet.a.handlePacket(packetOf(0, encodeInit(CHUNK.init, { ...PUPPET_INIT, tag: 999 })), puppet.now);
    puppet.drain();
    const ack = puppet.heardOf(CHUNK.initAck)[0] ?? NOTHING;
    const restartTag = new DataView(ack.slice().buffer).getUint32(0);
    expect(restartTag).not.toBe(puppet.tag);
    puppet.a.handlePacket(
      packetOf(restartTag, encodeChunk(CHUNK.cookieEcho, 0, ack.slice(20, 36))),
      puppet.now,
    );
    const farewell = puppet.a.pollTransmit() ?? new Uint8Array(12);
    expect([kinds(farewell), new DataView(farewell.buffer).getUint32(4)]).toEqual(['abort', 999]);
    puppet.drain();
    expect(puppet.closing()).toMatchObject({ failure: { code: 'peer-restarted' }, origin: 'remote' });
    const outcomes = puppet.events.filter(({ type }) => type === 'messageoutcome');
    expect(outcomes).toHaveLength(50);
    expect(puppet.a.nextTimeout()).toBe(Infinity);
  });

  test.each([
    ['no outbound streams', { outboundStreams: 0 }],
    ['no inbound streams', { inboundStreams: 0 }],
    ['a window of 1499', { window: 1499 }],
  ] as const)('S6: an INIT with %s is answered by an ABORT and makes no state', (_, fields) => {
    const a = association(1);
    a.handlePacket(packetOf(0, encodeInit(CHUNK.init, { ...PUPPET_INIT, ...fields })), 1000);
    expect(kinds(a.pollTransmit() ?? new Uint8Array(12))).toBe('abort');
    expect([a.state, a.nextTimeout()]).toEqual(['new', Infinity]);
  });
});

describe('S7, S8: chunks that were not negotiated', () => {
  const forward = encodeForwardTsn({ newCumulativeTsn: 5001, streams: [] });
  const iForward = encodeIForwardTsn({ newCumulativeTsn: 5001, streams: [] });

  test.each([
    ['I-DATA without interleaving', false, true, (puppet: Puppet) => puppet.iData({})],
    ['DATA with interleaving', true, true, (puppet: Puppet) => puppet.data()],
    ['I-FORWARD-TSN without interleaving', false, true, () => iForward],
    ['FORWARD TSN with interleaving', true, true, () => forward],
    ['FORWARD TSN of a peer that does not do partial reliability', false, false, () => forward],
    ['I-FORWARD-TSN of one', true, false, () => iForward],
  ] as const)('%s: ABORT', (_, interleaving, forwardTsn, chunk) => {
    const offered: readonly number[] = interleaving ? INTERLEAVING_EXTENSIONS : PUPPET_INIT.extensions;
    const extensions = offered.filter((type) => forwardTsn || type !== CHUNK.forwardTsn);
    const puppet = new Puppet({ interleaving }, { extensions, forwardTsn });
    puppet.say(chunk(puppet));
    puppet.drain();
    expect(puppet.closing()).toMatchObject({
      failure: { code: 'protocol-violation' },
      causes: [{ code: 13 }],
    });
    expect(puppet.heardOf(CHUNK.abort)).toHaveLength(1);
  });

  test('S7: FORWARD TSN with 280 streams, again and again, a TSN at a time: no more than streams are made', () => {
    const puppet = new Puppet({ streams: 300 });
    const streams = Array.from({ length: 280 }, (_, i) => ({
      streamId: i * 2,
      unordered: false,
      sequence: 1,
    }));
    for (let i = 0; i < 200; i++) puppet.say(encodeForwardTsn({ newCumulativeTsn: 5000 + i, streams }));
    expect(inspect(puppet.a).receive).toMatchObject({ streams: 150, usedBytes: 0 });
  });

  test('S7: one that crosses a reset to come counts behind the reset', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1, ssn: 0 }));
    puppet.say(encodeOutgoingReset({ sequence: 5000, responseSequence: 0, lastTsn: 5001, streams: [1] }));
    puppet.say(puppet.data({ tsn: 5003, streamId: 1, ssn: 1, payload: Uint8Array.of(9) }));
    // 5001 and, behind the reset, 5002 (SSN 0) will not come.
    puppet.say(
      encodeForwardTsn({ newCumulativeTsn: 5002, streams: [{ streamId: 1, unordered: false, sequence: 0 }] }),
    );
    puppet.drain();
    expect(puppet.events.map(({ type }) => type)).toEqual(['message', 'streamreset', 'message']);
    expect(inspect(puppet.a).receive).toMatchObject({ usedBytes: 0, deferredChunks: 0 });
  });
});

describe('S14: SACKs that cannot be', () => {
  test.each([
    ['beyond what was sent, while something is in flight', 4, []],
    ['with a block beyond it', 0, [3, 9]],
    ['with a block as far as 16 bits reach', 0, [2, 0xffff]],
    ['with a cumulative TSN half the circle away', 0x7fff_ffff, []],
  ] as const)('%s: the chunk is dropped, and nothing has changed', (_, upTo, blocks) => {
    const puppet = new Puppet();
    for (let i = 0; i < 3; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
    puppet.run(1);
    const { send, timers } = inspect(puppet.a);
    puppet.say(puppet.sack(upTo, { blocks, window: 7 }));
    expect(inspect(puppet.a)).toMatchObject({ send, timers });
    expect(puppet.count('invalid-sack')).toBe(1);
  });

  test('with nothing in flight', () => {
    const puppet = new Puppet();
    puppet.say(puppet.sack(1));
    expect(puppet.count('invalid-sack')).toBe(1);
    puppet.say(puppet.sack(0));
    expect(puppet.count('invalid-sack')).toBe(1);
  });

  test('older than the last one: dropped, its window with it', () => {
    const puppet = new Puppet();
    for (let i = 0; i < 4; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
    puppet.run(1);
    puppet.say(puppet.sack(2, { window: 5000 }));
    puppet.say(puppet.sack(1, { window: 1 }));
    expect(inspect(puppet.a).send.peerWindow).toBe(5000);
    expect(puppet.count('stale-sack')).toBe(1);
  });

  test('reversed, overlapping and unsorted blocks: the first go, the others are put in order (pion#469)', () => {
    const puppet = new Puppet();
    for (let i = 0; i < 9; i++) puppet.a.send(1, { ppid: 53, data: payload(1000, i) });
    puppet.run(1);
    puppet.say(puppet.sack(0, { blocks: [8, 4, 5, 6, 3, 5, 0, 2, 3, 3] }));
    // 3 to 6 have arrived, which tells that 1 and 2 have not.
    expect(inspect(puppet.a).send).toMatchObject({
      flightBytes: 3 * 1016,
      lostChunks: 2,
      outstandingChunks: 9,
    });
    puppet.say(puppet.sack(9));
    expect(inspect(puppet.a).send).toMatchObject({ flightBytes: 0, unackedBytes: 0, outstandingChunks: 0 });
  });
});

describe('the rest', () => {
  test('RFC 9260 §9.1: the data of a chunk after an ABORT in the same packet does not count', () => {
    const puppet = new Puppet();
    puppet.say(abortChunk(), puppet.data());
    puppet.drain();
    expect(puppet.events.map(({ type }) => type)).toEqual(['closed']);
  });

  test('S25: ERRORs without end are counted and not answered', () => {
    const puppet = new Puppet();
    for (let i = 0; i < 500; i++) puppet.say(encodeCause(CHUNK.error, 1 + (i % 13), new Uint8Array(4)));
    puppet.drain();
    expect([puppet.count('error-received'), puppet.heard, puppet.a.state]).toEqual([500, [], 'established']);
  });

  test('S28: the host sends, resets and aborts from inside the draining of events', () => {
    const puppet = new Puppet();
    for (let i = 0; i < 5; i++) puppet.say(puppet.data({ ssn: i }));
    let taken = 0;
    for (let event = puppet.a.pollEvent(); event !== undefined; event = puppet.a.pollEvent()) {
      taken++;
      if (taken === 1) puppet.a.send(1, { ppid: 53, data: payload(5000, 1), token: 'x' });
      if (taken === 2) puppet.a.resetStreams([1, 2]);
      if (taken === 3) puppet.a.abort('inside', puppet.now);
      expect(taken).toBeLessThan(20);
    }
    // Five messages, one outcome, the end.
    expect(taken).toBe(7);
    assertInvariants(puppet.a);
  });

  test('S24: INIT and COOKIE ECHO never have a checksum of zero, whoever accepts it', () => {
    const a = association(1);
    const zeroed = packetOf(0, encodeInit(CHUNK.init, { ...PUPPET_INIT, zeroChecksum: true }));
    zeroed.fill(0, 8, 12);
    a.handlePacket(zeroed, 1000);
    expect([a.pollTransmit(), inspect(a).counters['bad-checksum']]).toEqual([undefined, 1]);
  });

  test('tags and TSNs differ from association to association, and are not to be seen from outside', () => {
    const puppets = [1, 2, 3].map((seed) => {
      const a = association(seed);
      a.connect(1000);
      return (a.pollTransmit() ?? new Uint8Array(44)).slice(12);
    });
    const tags = new Set(puppets.map((init) => new DataView(init.buffer).getUint32(4)));
    const tsns = new Set(puppets.map((init) => new DataView(init.buffer).getUint32(16)));
    expect([tags.size, tsns.size, tags.has(0)]).toEqual([3, 3, false]);
    const puppet = new Puppet();
    const seen = JSON.stringify(puppet.a.inspect());
    expect([seen.includes(String(puppet.tag)), seen.includes(String(puppet.base))]).toEqual([false, false]);
  });
});
