/** Every chunk in every state (RFC 9260 §4, §5.2, §8.5, §9): where it leads, and that it leads nowhere else. */
import { describe, expect, test } from 'vitest';
import { readU32 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import type { SctpAssociation, SctpState } from '../../src/sctp/index.ts';
import { encodeCause } from '../../src/sctp/packet/causes.ts';
import { encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { encodeInit } from '../../src/sctp/packet/init.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import { encodeChunk, encodeHeartbeat, encodeShutdown } from '../../src/sctp/packet/simple.ts';
import { assertInvariants, association, inspect, messages, Pair, payload, sent } from './pair.ts';
import { Puppet, PUPPET_INIT } from './puppet.ts';
import { abortChunk, chunksOf, dataChunk, kinds, packetOf, sackChunk } from './wire.ts';

const NOTHING = new Uint8Array(0);

/** An association in a state, the tag it listens to and the TSN before its first. */
interface Subject {
  readonly a: SctpAssociation;
  readonly tag: number;
  readonly base: number;
}

function settingUp(): Subject {
  const a = association(5);
  a.connect(1000);
  const init = chunksOf(a.pollTransmit() ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(16);
  return { a, tag: readU32(init, 0), base: (readU32(init, 12) - 1) >>> 0 };
}

/** With one chunk outstanding, if `pending`. */
function established(pending: boolean): Subject {
  const puppet = new Puppet();
  if (pending) puppet.a.send(1, { ppid: 53, data: payload(10, 1) });
  puppet.drain();
  return puppet;
}

const subjects: Readonly<Record<Exclude<SctpState, 'new' | 'closed'>, () => Subject>> = {
  'cookie-wait': settingUp,
  'cookie-echoed': () => {
    const subject = settingUp();
    const ack = encodeInit(CHUNK.initAck, { ...PUPPET_INIT, cookie: Uint8Array.of(1, 2, 3) });
    subject.a.handlePacket(packetOf(subject.tag, ack), 1010);
    sent(subject.a);
    return subject;
  },
  established: () => established(false),
  'shutdown-pending': () => {
    const subject = established(true);
    subject.a.shutdown(1010);
    return subject;
  },
  'shutdown-sent': () => {
    const subject = established(false);
    subject.a.shutdown(1010);
    return subject;
  },
  'shutdown-received': () => {
    const subject = established(true);
    subject.a.handlePacket(packetOf(subject.tag, encodeShutdown(subject.base)), 1010);
    return subject;
  },
  'shutdown-ack-sent': () => {
    const subject = established(false);
    subject.a.handlePacket(packetOf(subject.tag, encodeShutdown(subject.base)), 1010);
    return subject;
  },
};

const chunks: Readonly<Record<string, (subject: Subject) => Bytes>> = {
  data: () => dataChunk({ tsn: 5000 }),
  sack: ({ base }) => sackChunk({ cumulativeTsn: base }),
  'sack of all': ({ a, base }) =>
    sackChunk({ cumulativeTsn: (base + inspect(a).send.outstandingChunks) >>> 0 }),
  heartbeat: () => encodeHeartbeat(Uint8Array.of(1)),
  heartbeatAck: () => encodeChunk(CHUNK.heartbeatAck, 0, Uint8Array.of(0, 1, 0, 5, 1)),
  abort: () => abortChunk(),
  shutdown: ({ base }) => encodeShutdown(base),
  'shutdown of the future': ({ base }) => encodeShutdown((base + 9) >>> 0),
  shutdownAck: () => encodeChunk(CHUNK.shutdownAck, 0, NOTHING),
  shutdownComplete: () => encodeChunk(CHUNK.shutdownComplete, 0, NOTHING),
  'stale cookie error': () => encodeCause(CHUNK.error, 3, new Uint8Array(4)),
  cookieAck: () => encodeChunk(CHUNK.cookieAck, 0, NOTHING),
  'reset request': () =>
    encodeOutgoingReset({ sequence: 5000, responseSequence: 0, lastTsn: 4999, streams: [1] }),
  'reset response': () => encodeResponse(1, 1),
  forwardTsn: () => encodeForwardTsn({ newCumulativeTsn: 5000, streams: [] }),
  initAck: () => encodeInit(CHUNK.initAck, { ...PUPPET_INIT, tag: 4321, cookie: Uint8Array.of(9) }),
};

/** Where a chunk leads; what is not listed leads nowhere. An ABORT ends every one of them. */
const moves: Readonly<Record<string, Readonly<Record<string, SctpState>>>> = {
  'cookie-wait': { initAck: 'cookie-echoed' },
  'cookie-echoed': { data: 'established', cookieAck: 'established', 'stale cookie error': 'cookie-wait' },
  established: { shutdown: 'shutdown-ack-sent' },
  'shutdown-pending': { 'sack of all': 'shutdown-sent', shutdown: 'shutdown-received' },
  'shutdown-sent': { shutdown: 'shutdown-ack-sent', shutdownAck: 'closed' },
  'shutdown-received': { 'sack of all': 'shutdown-ack-sent' },
  'shutdown-ack-sent': { shutdownAck: 'closed', shutdownComplete: 'closed' },
};

describe.each(Object.keys(subjects) as (keyof typeof subjects)[])('%s', (state) => {
  test.each(Object.keys(chunks))('%s', (name) => {
    const subject = subjects[state]();
    expect(subject.a.state).toBe(state);
    const chunk = chunks[name]?.(subject) ?? NOTHING;
    subject.a.handlePacket(packetOf(subject.tag, chunk), 1020);
    assertInvariants(subject.a);
    const expected = name === 'abort' ? 'closed' : (moves[state]?.[name] ?? state);
    expect(subject.a.state).toBe(expected);
    const packets = sent(subject.a);
    // What goes out first after the end is the COMPLETE, or nothing.
    if (expected === 'closed')
      expect(packets.map(kinds)).toEqual(name === 'shutdownAck' ? ['shutdownComplete'] : []);
    assertInvariants(subject.a);
  });
});

describe('the answers', () => {
  test('cookie-wait and cookie-echoed: an INIT is answered under our own, unchanged tag; T1 runs on (§5.2.1, §5.2.2)', () => {
    for (const state of ['cookie-wait', 'cookie-echoed'] as const) {
      const { a, tag } = subjects[state]();
      const { timers } = inspect(a);
      a.handlePacket(packetOf(0, encodeInit(CHUNK.init, { ...PUPPET_INIT, tag: 77 })), 1020);
      const [answer] = sent(a).filter((packet) => kinds(packet) === 'initAck');
      expect(verificationTagOf(answer ?? new Uint8Array(12))).toBe(77);
      expect(readU32(chunksOf(answer ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(4), 0)).toBe(tag);
      expect([a.state, inspect(a).timers['t1']]).toEqual([state, timers['t1']]);
    }
  });

  test('cookie-echoed: a second INIT ACK, another one, changes nothing: the cookie of the first is echoed on', () => {
    const { a, tag } = subjects['cookie-echoed']();
    const second = encodeInit(CHUNK.initAck, { ...PUPPET_INIT, tag: 4321, cookie: Uint8Array.of(9, 9) });
    a.handlePacket(packetOf(tag, second), 1020);
    a.handleTimeout(2000);
    const [echo] = sent(a);
    expect(kinds(echo ?? NOTHING)).toBe('cookieEcho');
    expect(verificationTagOf(echo ?? new Uint8Array(12))).toBe(PUPPET_INIT.tag);
    expect(chunksOf(echo ?? new Uint8Array(12))[0]?.body).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('cookie-echoed: no data goes out with or after the COOKIE ECHO; all of it at once with the COOKIE ACK', () => {
    const { a, tag } = subjects['cookie-echoed']();
    for (let i = 0; i < 3; i++) a.send(1, { ppid: 53, data: payload(1000, i) });
    expect(sent(a)).toEqual([]);
    a.handlePacket(packetOf(tag, encodeChunk(CHUNK.cookieAck, 0, NOTHING)), 1030);
    expect(sent(a).map(kinds)).toEqual(['data', 'data', 'data']);
  });

  test('shutdown-sent: DATA is acknowledged, delivered, and answered by SHUTDOWN again (§9.2)', () => {
    const { a, tag } = subjects['shutdown-sent']();
    expect(sent(a).map(kinds)).toEqual(['shutdown']);
    a.handlePacket(packetOf(tag, dataChunk({ tsn: 5000 })), 1020);
    expect(sent(a).map(kinds)).toEqual(['sack+shutdown']);
    expect(a.pollEvent()).toMatchObject({ type: 'message' });
  });

  test('shutdown-ack-sent: a repeated SHUTDOWN, and an INIT, get the SHUTDOWN ACK again', () => {
    const { a, tag, base } = subjects['shutdown-ack-sent']();
    expect(sent(a).map(kinds)).toEqual(['shutdownAck']);
    a.handlePacket(packetOf(tag, encodeShutdown(base)), 1020);
    expect(sent(a).map(kinds)).toEqual(['shutdownAck']);
    a.handlePacket(packetOf(0, encodeInit(CHUNK.init, { ...PUPPET_INIT, tag: 99 })), 1030);
    expect(sent(a).map(kinds)).toEqual(['shutdownAck']);
  });

  test('shutdown-ack-sent: late DATA is dropped, T2 sends the ACK again, and the COMPLETE ends it', () => {
    const { a, tag } = subjects['shutdown-ack-sent']();
    sent(a);
    a.handlePacket(packetOf(tag, dataChunk({ tsn: 5000 })), 1020);
    expect([sent(a), inspect(a).counters['unexpected-chunk']]).toEqual([[], 1]);
    a.handleTimeout(3000);
    expect(sent(a).map(kinds)).toEqual(['shutdownAck']);
    a.handlePacket(packetOf(tag, encodeChunk(CHUNK.shutdownComplete, 0, NOTHING)), 3010);
    expect([a.state, a.nextTimeout(), sent(a)]).toEqual(['closed', Infinity, []]);
  });
});

describe('a set-up by both ends, one packet of which goes wrong', () => {
  const faults = ['lost', 'late', 'twice'] as const;
  test.each(faults.flatMap((fault) => [0, 1, 2, 3, 4, 5, 6, 7].map((index) => [fault, index] as const)))(
    '%s: packet %d; what was sent before arrives once',
    (fault, index) => {
      const pair = new Pair({ link: { delay: 20 } });
      let seen = 0;
      const late: { from: 0 | 1; packet: Bytes }[] = [];
      pair.filter = (from, packet) => {
        if (seen++ !== index) return true;
        if (fault !== 'lost') late.push({ from, packet: packet.slice() });
        return fault === 'twice';
      };
      pair.a.send(1, { ppid: 53, data: payload(3000, 1) });
      pair.b.send(2, { ppid: 53, data: payload(3000, 2) });
      pair.a.connect(pair.now);
      pair.b.connect(pair.now);
      pair.runFor(25);
      for (const { from, packet } of late) pair.end(from === 0 ? 1 : 0).handlePacket(packet, pair.now);
      pair.runFor(3000);
      for (const { from, packet } of late) pair.end(from === 0 ? 1 : 0).handlePacket(packet, pair.now);
      pair.runFor(3000);
      expect([pair.a.state, pair.b.state]).toEqual(['established', 'established']);
      expect([messages(pair.events[0]).length, messages(pair.events[1]).length]).toEqual([1, 1]);
      for (const at of [0, 1] as const) {
        expect(pair.events[at].filter(({ type }) => type === 'connected')).toHaveLength(1);
      }
    },
  );
});

describe('a shutdown, with much on its way', () => {
  test.each([
    ['from one end', false],
    ['from both at once', true],
  ])('%s: messages of all kinds and a stream reset, over 10 %% loss: nothing reliable is lost', (_, both) => {
    const pair = new Pair({ seed: 11, link: { delay: 20, loss: 0.1 } }).connect();
    pair.events[0].length = 0;
    pair.events[1].length = 0;
    for (let i = 0; i < 20; i++) {
      pair.a.send(1, { ppid: 53, data: payload(2000, i) });
      pair.b.send(2, { ppid: 53, data: payload(2000, i) });
      pair.a.send(3, { ppid: 51, data: payload(2000, i), maxRetransmits: 0 });
    }
    pair.a.resetStreams([1]);
    pair.runFor(30);
    pair.a.shutdown(pair.now);
    if (both) pair.b.shutdown(pair.now);
    pair.runFor(40_000);
    expect([pair.a.state, pair.b.state]).toEqual(['closed', 'closed']);
    const reliable = (at: 0 | 1): number =>
      messages(pair.events[at]).filter(({ ppid }) => ppid === 53).length;
    expect([reliable(0), reliable(1)]).toEqual([20, 20]);
  });

  test('writing from inside the last events of a shutdown is refused, and harms nothing', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    const codes: unknown[] = [];
    pair.onEvent = (at, event): void => {
      if (at !== 0 || event.type !== 'bufferedamountlow') return;
      try {
        pair.a.send(1, { ppid: 53, data: payload(1, 1) });
      } catch (error) {
        codes.push((error as { code?: unknown }).code);
      }
    };
    pair.a.send(1, { ppid: 53, data: payload(30_000, 1) });
    pair.a.shutdown(pair.now);
    pair.runFor(5000);
    expect(codes).toEqual(['ERR_INVALID_STATE']);
    expect([pair.a.state, pair.b.state]).toEqual(['closed', 'closed']);
  });
});
