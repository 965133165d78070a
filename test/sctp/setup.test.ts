import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { writeU32 } from '../../src/core/bytes.ts';
import type { SctpAssociation } from '../../src/sctp/index.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { isFailure } from '../../src/core/decode.ts';
import { encodeCause } from '../../src/sctp/packet/causes.ts';
import type { InitChunk } from '../../src/sctp/packet/init.ts';
import { decodeInit, encodeInit } from '../../src/sctp/packet/init.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import {
  assertInvariants,
  association,
  events,
  inspect,
  messages,
  Pair,
  payload,
  receive,
  sent,
} from './pair.ts';
import { PUPPET_INIT } from './puppet.ts';
import { abortChunk, allKinds, chunksOf, dataChunk, packetOf, rechecksummed } from './wire.ts';

function initOf(packet: Bytes | undefined): InitChunk {
  const init = decodeInit(chunksOf(packet ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(0));
  if (isFailure(init)) throw new Error('no INIT');
  return init;
}

function types(a: SctpAssociation): string[] {
  return events(a).map(({ type }) => type);
}

/** Exchanges packets without delay until both are quiet. */
function settle(a: SctpAssociation, z: SctpAssociation, now: number): void {
  for (let i = 0; i < 20; i++) {
    receive(z, sent(a), now);
    receive(a, sent(z), now);
  }
}

describe('set-up', () => {
  test('a lost COOKIE ACK: the DATA behind it says the same', () => {
    const a = association(1);
    const z = association(2);
    a.connect(0);
    receive(z, sent(a), 0); // A -> INIT -> Z
    receive(a, sent(z), 0); // A <- INIT ACK <- Z
    receive(z, sent(a), 0); // A -> COOKIE ECHO -> Z
    sent(z); //                    (lost) <- COOKIE ACK <- Z
    z.send(1, { ppid: 51, data: payload(10, 7) });
    receive(a, sent(z), 5); // A <- DATA <- Z
    expect(a.state).toBe('established');
    expect(types(a)).toEqual(['connected', 'message']);
    a.send(1, { ppid: 51, data: payload(10, 8) });
    receive(z, sent(a), 10); // A -> SACK, DATA -> Z: nothing waits for T1
    expect(types(z)).toEqual(['connected', 'bufferedamountlow', 'message']);
  });

  test('one end asks, the other answers', () => {
    const a = association(1);
    const z = association(2);
    a.connect(0);
    const init = sent(a);
    expect(allKinds(init)).toEqual(['init']);
    expect(verificationTagOf(init[0] ?? new Uint8Array(12))).toBe(0);
    receive(z, init, 0); // A -> INIT -> Z
    const initAck = sent(z);
    expect(allKinds(initAck)).toEqual(['initAck']);
    expect(z.state).toBe('new');
    receive(a, initAck, 0); // A <- INIT ACK <- Z
    expect(a.state).toBe('cookie-echoed');
    const echo = sent(a);
    expect(allKinds(echo)).toEqual(['cookieEcho']);
    receive(z, echo, 0); // A -> COOKIE ECHO -> Z
    expect([z.state, types(z)]).toEqual(['established', ['connected']]);
    receive(a, sent(z), 0); // A <- COOKIE ACK <- Z
    expect([a.state, types(a)]).toEqual(['established', ['connected']]);
    expect(inspect(a).timers).not.toHaveProperty('sctpConnect');
  });

  test('both ends at once is normal: nothing of it counts as unexpected', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    for (const end of [pair.a, pair.b]) expect(inspect(end).counters['unexpected-chunk']).toBe(0);
  });

  test('announces what browsers announce, RE-CONFIG, FORWARD TSN, 65535 streams, and PAD', () => {
    const a = association(1);
    a.connect(0);
    expect(initOf(sent(a)[0])).toMatchObject({
      forwardTsn: true,
      extensions: [130, 192, 132],
      outboundStreams: 65535,
      inboundStreams: 65535,
      window: 1_572_864,
    });
  });

  test('both ends ask at once: the normal case of WebRTC', () => {
    const a = association(1);
    const z = association(2);
    a.connect(0);
    z.connect(0);
    const [fromA, fromZ] = [sent(a), sent(z)];
    receive(z, fromA, 0); // A -> INIT -> Z
    receive(a, fromZ, 0); // A <- INIT <- Z, crossed
    const [ackA, ackZ] = [sent(a), sent(z)];
    expect(allKinds([...ackA, ...ackZ])).toEqual(['initAck', 'initAck']);
    // RFC 9260 §5.2.1: the INIT ACK carries the tag and TSN of the own INIT.
    expect(initOf(ackA[0]).tag).toBe(initOf(fromA[0]).tag);
    expect(initOf(ackA[0]).initialTsn).toBe(initOf(fromA[0]).initialTsn);
    receive(z, ackA, 0);
    receive(a, ackZ, 0);
    const [echoA, echoZ] = [sent(a), sent(z)];
    expect(allKinds([...echoA, ...echoZ])).toEqual(['cookieEcho', 'cookieEcho']);
    receive(z, echoA, 0);
    receive(a, echoZ, 0);
    expect([a.state, z.state]).toEqual(['established', 'established']);
    settle(a, z, 0);
    expect([types(a), types(z)]).toEqual([['connected'], ['connected']]);
  });

  test.each(['init', 'initAck', 'cookieEcho', 'cookieAck'])('a lost %s is sent again', (kind) => {
    const pair = new Pair();
    const lost = new Set<number>();
    pair.filter = (from, packet) => {
      if (lost.has(from) || allKinds([packet])[0] !== kind) return true;
      lost.add(from);
      return false;
    };
    pair.connect();
    expect([pair.a.state, pair.b.state]).toEqual(['established', 'established']);
    expect(pair.now).toBeLessThan(1000 + 1500);
    expect(lost.size).toBe(2);
  });

  test('an INIT sent again is the same, and so is the cookie that answers it', () => {
    const a = association(1);
    const z = association(2);
    a.connect(0);
    const first = sent(a);
    a.handleTimeout(a.nextTimeout());
    const second = sent(a);
    expect(second).toEqual(first);
    receive(z, first, 0);
    receive(z, second, 600);
    const [one, two] = sent(z);
    expect(two).toEqual(one);
    // It goes on from either.
    receive(a, two === undefined ? [] : [two], 700);
    receive(z, sent(a), 700);
    expect(z.state).toBe('established');
  });

  test('T1 doubles up to three seconds, and the gate ends it', () => {
    const a = association(1);
    a.connect(0);
    const at: number[] = [];
    while (a.state !== 'closed') {
      sent(a);
      a.handleTimeout(a.nextTimeout());
      at.push(a.nextTimeout());
    }
    expect(at.slice(0, 5)).toEqual([1500, 3500, 6500, 9500, 12_500]);
  });

  test('what is queued before goes out with the COOKIE ACK', () => {
    const a = association(1);
    const z = association(2);
    expect(a.send(1, { ppid: 51, data: payload(3000, 1) })).toBe(true);
    a.connect(0);
    settle(a, z, 0);
    expect(messages(events(z)).map(({ data }) => data)).toEqual([payload(3000, 1)]);
  });

  test('no data goes out before the association is up', () => {
    const a = association(1);
    const z = association(2);
    a.connect(0);
    a.send(1, { ppid: 51, data: payload(3000, 1) });
    receive(z, sent(a), 0);
    receive(a, sent(z), 0);
    expect(allKinds(sent(a))).toEqual(['cookieEcho']);
  });

  test('data bundled behind the COOKIE ECHO is taken', () => {
    const a = association(1);
    const z = association(2);
    a.connect(0);
    const init = sent(a);
    receive(z, init, 0);
    receive(a, sent(z), 0);
    const [echo] = sent(a);
    const cookie = chunksOf(echo ?? new Uint8Array(12))[0]?.whole ?? new Uint8Array(0);
    const tag = verificationTagOf(echo ?? new Uint8Array(12));
    z.handlePacket(packetOf(tag, cookie, dataChunk({ tsn: initOf(init[0]).initialTsn })), 0);
    expect(types(z)).toEqual(['connected', 'message']);
  });

  test('the round trip of set-up is the first sample', () => {
    const pair = new Pair({ link: { delay: 40 } }).connect();
    expect(pair.a.roundTripTime).toBe(80);
  });

  test('the peer may take fewer streams', () => {
    const pair = new Pair({ b: { streams: 10 } }).connect();
    expect(pair.a.outboundStreams).toBe(10);
    expect(pair.a.send(10, { ppid: 51, data: payload(1, 1) })).toBe(false);
    expect(pair.a.send(9, { ppid: 51, data: payload(1, 1) })).toBe(true);
  });
});

describe('who may speak', () => {
  /** An INIT of nobody's in particular. */
  const foreign: InitChunk = {
    tag: 77,
    window: 100_000,
    outboundStreams: 5,
    inboundStreams: 5,
    initialTsn: 1,
    forwardTsn: true,
    zeroChecksum: false,
    extensions: [130, 192],
    unrecognized: [],
  };
  const init = (fields: Partial<InitChunk> = {}): Bytes => encodeInit(CHUNK.init, { ...foreign, ...fields });

  test('SEC: a packet under a wrong tag changes nothing', () => {
    const pair = new Pair().connect();
    const before = inspect(pair.a);
    for (const chunk of [abortChunk(), dataChunk({ tsn: 1 }), Uint8Array.of(CHUNK.shutdownAck, 0, 0, 4)]) {
      pair.a.handlePacket(packetOf(0x1234_5678, chunk), pair.now);
    }
    expect(pair.a.state).toBe('established');
    expect(inspect(pair.a).counters['wrong-tag']).toBe(before.counters['wrong-tag'] + 3);
    expect(events(pair.a)).toEqual([]);
  });

  test('SEC: ABORT with the T bit needs the reflected tag, without it our own', () => {
    const abort = abortChunk();
    const reflected = abort.slice();
    reflected[1] = 1;
    const attempt = (tagOf: (ours: number, theirs: number) => number, chunk: Bytes): string => {
      const pair = new Pair({ check: false }).connect();
      pair.a.send(0, { ppid: 51, data: payload(1, 1) });
      pair.b.send(0, { ppid: 51, data: payload(1, 1) });
      const theirs = verificationTagOf(sent(pair.a)[0] ?? new Uint8Array(12));
      const ours = verificationTagOf(sent(pair.b)[0] ?? new Uint8Array(12));
      pair.a.handlePacket(packetOf(tagOf(ours, theirs), chunk), pair.now);
      return pair.a.state;
    };
    expect(attempt((ours) => ours, abort)).toBe('closed');
    expect(attempt((_, theirs) => theirs, reflected)).toBe('closed');
    expect(attempt((ours) => ours, reflected)).toBe('established');
    expect(attempt((_, theirs) => theirs, abort)).toBe('established');
  });

  test('SEC: an INIT must have tag 0 and stand alone', () => {
    const z = association(2);
    z.handlePacket(packetOf(5, init()), 0);
    z.handlePacket(packetOf(0, init(), dataChunk({ tsn: 1 })), 0);
    expect(sent(z)).toEqual([]);
    z.handlePacket(packetOf(0, init()), 0);
    expect(allKinds(sent(z))).toEqual(['initAck']);
  });

  test('an INIT with tag 0 inside is dropped in silence; without streams or window it is refused by an ABORT', () => {
    const z = association(2);
    z.handlePacket(packetOf(0, init({ tag: 0 })), 0);
    expect(sent(z)).toEqual([]);
    for (const bad of [{ outboundStreams: 0 }, { inboundStreams: 0 }, { window: 1499 }]) {
      z.handlePacket(packetOf(0, init(bad)), 0);
      const answer = sent(z);
      expect(allKinds(answer)).toEqual(['abort']);
      expect(verificationTagOf(answer[0] ?? new Uint8Array(12))).toBe(77);
    }
    expect(z.state).toBe('new');
  });

  test('SEC: a flood of INITs leaves one slot and a bounded number of answers', () => {
    const z = association(2);
    for (let tag = 1; tag < 1000; tag++) z.handlePacket(packetOf(0, init({ tag })), 0);
    expect(sent(z).length).toBeLessThanOrEqual(16);
    expect(inspect(z).counters['reply-queue-full']).toBeGreaterThan(900);
  });

  test('SEC: a COOKIE ECHO with a cookie of somebody else changes nothing', () => {
    const z = association(2);
    z.handlePacket(packetOf(0, init()), 0);
    const tag = initOf(sent(z)[0]).tag;
    z.handlePacket(packetOf(tag, Uint8Array.of(CHUNK.cookieEcho, 0, 0, 8, 1, 2, 3, 4)), 0);
    expect(z.state).toBe('new');
    expect(inspect(z).counters['unknown-cookie']).toBe(1);
  });

  test('unknown INIT parameters come back in the INIT ACK', () => {
    const z = association(2);
    const chunk = init().slice();
    const parameter = Uint8Array.of(0xff, 0xff, 0, 4);
    const grown = Uint8Array.of(...chunk, 0, 0, ...parameter);
    grown[3] = grown.length;
    z.handlePacket(packetOf(0, grown), 0);
    const body = chunksOf(sent(z)[0] ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(0);
    expect([...body].join()).toContain([0, 8, 0, 8, ...parameter].join());
  });

  test('an INIT ACK without a cookie ends the attempt with an ABORT', () => {
    const a = association(1);
    a.connect(0);
    const { tag } = initOf(sent(a)[0]);
    a.handlePacket(packetOf(tag, encodeInit(CHUNK.initAck, foreign)), 0);
    expect(a.state).toBe('closed');
    expect(allKinds(sent(a))).toEqual(['abort']);
    expect(events(a)).toMatchObject([
      { type: 'closed', failure: { code: 'bad-init-ack' }, causes: [{ code: 2 }] },
    ]);
  });

  test('a late INIT ACK or COOKIE ACK changes nothing', () => {
    const pair = new Pair();
    const kept: Bytes[] = [];
    pair.filter = (from, packet) => {
      if (from === 1 && /initAck|cookieAck/.test(allKinds([packet])[0] ?? '')) kept.push(packet.slice());
      return true;
    };
    pair.connect();
    expect(kept.length).toBeGreaterThan(1);
    receive(pair.a, kept, pair.now);
    expect([pair.a.state, sent(pair.a), events(pair.a)]).toEqual(['established', [], []]);
  });

  test('a COOKIE ECHO that comes again is acknowledged again', () => {
    const pair = new Pair();
    const kept: Bytes[] = [];
    pair.filter = (from, packet) => {
      if (from === 0 && allKinds([packet])[0] === 'cookieEcho') kept.push(packet.slice());
      return true;
    };
    pair.connect();
    receive(pair.b, kept, pair.now);
    expect(allKinds(sent(pair.b))).toEqual(['cookieAck']);
    expect(events(pair.b)).toEqual([]);
  });

  test('case B: the peer answered as a stranger first, then asked by itself under another tag', () => {
    const a = association(1);
    a.connect(0);
    const { tag } = initOf(sent(a)[0]);
    // A stateless INIT ACK under tag 78; then the same peer's own INIT under tag 77.
    const cookie = Uint8Array.of(1, 2, 3, 4);
    a.handlePacket(packetOf(tag, encodeInit(CHUNK.initAck, { ...foreign, tag: 78, cookie })), 0);
    sent(a);
    a.handlePacket(packetOf(0, init()), 0);
    const ack = initOf(sent(a)[0]);
    expect(ack.tag).toBe(tag);
    const echo = Uint8Array.of(CHUNK.cookieEcho, 0, 0, 20, ...(ack.cookie ?? []));
    a.handlePacket(packetOf(tag, echo), 0);
    expect(a.state).toBe('established');
    const [packet] = sent(a);
    expect(verificationTagOf(packet ?? new Uint8Array(12))).toBe(77);
  });

  test('a COOKIE ECHO that comes after a minute is answered by an ERROR and changes nothing', () => {
    const a = association(1);
    const z = association(2);
    a.connect(0);
    receive(z, sent(a), 0);
    receive(a, sent(z), 0);
    const echo = sent(a);
    receive(z, echo, 60_001);
    const error = sent(z);
    expect([allKinds(error), z.state]).toEqual([['error'], 'new']);
  });

  test('an ERROR "stale cookie" leads back to the INIT', () => {
    const a = association(1);
    a.connect(0);
    const { tag } = initOf(sent(a)[0]);
    const fresh = encodeInit(CHUNK.initAck, { ...foreign, cookie: Uint8Array.of(9) });
    a.handlePacket(packetOf(tag, fresh), 0);
    sent(a);
    a.handlePacket(packetOf(tag, encodeCause(CHUNK.error, 3, new Uint8Array(4))), 10);
    expect([a.state, allKinds(sent(a))]).toEqual(['cookie-wait', ['init']]);
    assertInvariants(a);
  });

  test('case A: a peer that lost its state ends the association, and is told', () => {
    const pair = new Pair().connect();
    pair.a.send(1, { ppid: 51, data: payload(5000, 1) });
    const anew = association(99);
    anew.connect(pair.now);
    receive(pair.a, sent(anew), pair.now);
    expect(pair.a.state).toBe('established');
    const answer = sent(pair.a).filter((packet) => allKinds([packet])[0] === 'initAck');
    receive(anew, answer, pair.now);
    receive(pair.a, sent(anew), pair.now);
    expect(events(pair.a).at(-1)).toMatchObject({
      type: 'closed',
      failure: { code: 'peer-restarted' },
      origin: 'remote',
    });
    assertInvariants(pair.a);
    receive(anew, sent(pair.a), pair.now);
    expect(anew.state).toBe('closed');
  });

  test('wrong ports, wrong checksum, garbage: counted and dropped', () => {
    const pair = new Pair().connect();
    const good = packetOf(1, dataChunk({ tsn: 1 }));
    const otherPort = good.slice();
    otherPort[1] = 9;
    pair.a.handlePacket(rechecksummed(otherPort), pair.now);
    const broken = good.slice();
    writeU32(broken, 8, 1);
    pair.a.handlePacket(broken, pair.now);
    pair.a.handlePacket(new Uint8Array(3), pair.now);
    expect(inspect(pair.a).counters).toMatchObject({
      'wrong-port': 1,
      'bad-checksum': 1,
      'packet-too-short': 1,
    });
  });
});

test('a new association has nothing to say before connect, and after it an INIT alone until its peer answers', () => {
  const a = association(1);
  expect(sent(a)).toEqual([]);
  a.connect(0);
  expect(allKinds(sent(a))).toEqual(['init']);
  expect(sent(a)).toEqual([]);
  a.handlePacket(packetOf(0, encodeInit(CHUNK.init, PUPPET_INIT)), 1);
  expect(allKinds(sent(a))).toEqual(['initAck']);
  expect(sent(a)).toEqual([]);
});
