/** Random, mutated and forged packets: they never throw, never grow, and end nothing they have no right to end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { fromHex } from '../../src/core/text.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { howMany } from '../how-many.ts';
import recorded from '../fixtures/sctp-packets.json' with { type: 'json' };
import type { Overrides } from './pair.ts';
import { assertInvariants, association, inspect, messages, Pair, payload, sent } from './pair.ts';
import { chunksOf, dataChunk, packetOf, rechecksummed, sackChunk } from './wire.ts';

/** A pair with data under way, and the tag and TSN that a forger would need. */
function underWay(options: Overrides = {}): { pair: Pair; tag: number; tsn: number } {
  const pair = new Pair({ check: false, link: { delay: 10 }, a: options }).connect();
  pair.a.send(1, { ppid: 53, data: payload(20_000, 1) });
  pair.b.send(1, { ppid: 53, data: payload(3000, 1) });
  let tag = 0;
  let tsn = 0;
  pair.filter = (from, packet) => {
    if (from === 1) {
      tag = verificationTagOf(packet);
      for (const { type, body } of chunksOf(packet)) {
        if (type === CHUNK.data)
          tsn = ((body[0] ?? 0) << 24) | ((body[1] ?? 0) << 16) | ((body[2] ?? 0) << 8) | (body[3] ?? 0);
      }
    }
    return true;
  };
  pair.runFor(15);
  return { pair, tag, tsn: tsn >>> 0 };
}

const legalEnds = new Set<string | undefined>(['protocol-violation', 'message-too-large', 'aborted-by-peer']);

/** The association lives, or it was ended by something that may end it. */
function livesOrLegal(pair: Pair): void {
  assertInvariants(pair.a);
  if (pair.a.state !== 'closed') return;
  pair.drain();
  const event = pair.events[0].find(({ type }) => type === 'closed');
  const code = event?.type === 'closed' ? event.failure?.code : 'none';
  expect(legalEnds.has(code), code).toBe(true);
}

const recordedPackets = recorded.packets.map(({ hex }) => fromHex(hex) ?? new Uint8Array(0));

const anyPacket = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.constantFrom(...recordedPackets),
  fc
    .tuple(
      fc.constantFrom(...recordedPackets),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 5 }),
    )
    .map(([packet, changes]) => {
      const changed = packet.slice();
      for (const [at, to] of changes) changed[at % changed.length] = to;
      return rechecksummed(changed);
    }),
);

test('SEC: without the tag no bytes at all change anything', () => {
  const { pair } = underWay();
  const states = (): unknown => {
    const { state, send, receive } = inspect(pair.a);
    return { state, send, receive };
  };
  const before = states();
  fc.assert(
    fc.property(anyPacket, (packet) => {
      pair.a.handlePacket(packet, pair.now);
      expect(pair.a.state).toBe('established');
    }),
    { numRuns: 500 },
  );
  // Answers to INITs are the one thing a stranger may cause; they are bounded.
  expect(sent(pair.a).length).toBeLessThan(30);
  expect(states()).toMatchObject({ state: 'established', receive: (before as { receive: unknown }).receive });
  pair.run(() => messages(pair.events[1]).length === 1 && messages(pair.events[0]).length === 1, 5000);
  expect([messages(pair.events[0]).length, messages(pair.events[1]).length]).toEqual([1, 1]);
});

test.each(['new', 'cookie-wait', 'cookie-echoed'])(
  'random and mutated packets in %s never throw',
  (state) => {
    fc.assert(
      fc.property(fc.array(anyPacket, { maxLength: 10 }), (packets) => {
        const a = association(1);
        if (state !== 'new') a.connect(0);
        if (state === 'cookie-echoed') {
          const z = association(2);
          for (const packet of sent(a)) z.handlePacket(packet, 0);
          for (const packet of sent(z)) a.handlePacket(packet, 0);
        }
        for (const packet of packets) {
          a.handlePacket(packet, 0);
          assertInvariants(a);
        }
        expect(a.state).toBe(state);
      }),
    );
  },
);

describe('with the right tag', () => {
  /** Chunks that a broken or hostile peer might send, around the numbers that matter. */
  const near = (tsn: number): fc.Arbitrary<number> =>
    fc.oneof(
      fc.integer({ min: -5, max: 40 }).map((delta) => (tsn + delta) >>> 0),
      fc.constantFrom((tsn + 0x7fff_ffff) >>> 0, (tsn + 0x8000_0000) >>> 0, (tsn + 100_001) >>> 0),
      fc.nat(0xffff_ffff),
    );
  const chunk = (tsn: number): fc.Arbitrary<Bytes> =>
    fc.oneof(
      fc
        .record({
          tsn: near(tsn),
          flags: fc.nat(15),
          streamId: fc.nat(70_000),
          ssn: fc.nat(5),
          length: fc.integer({ min: 1, max: 40 }),
        })
        .map(({ length, streamId, ...data }) =>
          dataChunk({ ...data, streamId: streamId & 0xffff, payload: new Uint8Array(length) }),
        ),
      fc
        .record({
          cumulativeTsn: fc.nat(0xffff_ffff),
          blocks: fc.array(fc.nat(0xffff), { maxLength: 8 }),
          window: fc.nat(0xffff_ffff),
        })
        .map(({ blocks, ...sack }) =>
          sackChunk({ ...sack, blocks: blocks.length % 2 === 0 ? blocks : [...blocks, 1] }),
        ),
      fc
        .record({
          newCumulativeTsn: near(tsn),
          streams: fc.array(
            fc.record({
              streamId: fc.nat(0xffff),
              unordered: fc.constant(false),
              sequence: fc.nat(0xffff),
            }),
            { maxLength: 5 },
          ),
        })
        .map(encodeForwardTsn),
      fc
        .record({
          sequence: near(tsn),
          responseSequence: fc.nat(9),
          lastTsn: near(tsn),
          streams: fc.array(fc.nat(0xffff), { maxLength: 5 }),
        })
        .map(encodeOutgoingReset),
      fc.tuple(fc.nat(0xffff_ffff), fc.nat(9)).map(([sequence, result]) => encodeResponse(sequence, result)),
      fc
        .tuple(fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 40 }))
        .filter(([type]) => type !== CHUNK.abort && type !== CHUNK.shutdown)
        .map(([type, flags, body]) => encodeChunk(type, flags, body)),
    );

  test('forged chunks of every kind: no exception, no broken invariant, bounded memory', () => {
    const { pair, tag, tsn } = underWay();
    fc.assert(
      fc.property(fc.array(chunk(tsn), { minLength: 1, maxLength: 4 }), (chunks) => {
        const { pair: fresh, tag: freshTag } = pair.a.state === 'closed' ? underWay() : { pair, tag };
        fresh.a.handlePacket(packetOf(freshTag, ...chunks), fresh.now);
        sent(fresh.a);
        livesOrLegal(fresh);
        expect(inspect(fresh.a).receive?.usedBytes ?? 0).toBeLessThan(2 * 1_572_864);
      }),
      { numRuns: howMany(400, 1500) },
    );
  });

  test('an association in the midst of a transfer, its own packets mutated: it survives or ends by the rules', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(255), fc.nat(7), (where, to, every) => {
        const pair = new Pair({ check: false, link: { delay: 10 } }).connect();
        const data = payload(20_000, 1);
        pair.b.send(1, { ppid: 53, data });
        let count = 0;
        pair.filter = (from, packet) => {
          if (from === 1 && count++ % 8 === every) {
            const copy = packet.slice();
            copy[12 + (where % (copy.length - 12))] = to;
            pair.a.handlePacket(rechecksummed(copy), pair.now);
          }
          return true;
        };
        pair.run(() => messages(pair.events[0]).length > 0 || pair.a.state === 'closed', 20_000);
        livesOrLegal(pair);
      }),
      { numRuns: 60 },
    );
  });

  test('S11, S12: fragments that never complete stop at the window, and the gate ends it', () => {
    const { pair, tag, tsn } = underWay({ receiveWindow: 400_000 });
    pair.runFor(2000);
    for (let i = 2; i < 9000; i++) {
      pair.a.handlePacket(packetOf(tag, dataChunk({ tsn: (tsn + i) >>> 0, flags: 0 })), pair.now);
      if (i % 1000 === 0) sent(pair.a);
    }
    const { receive, counters } = inspect(pair.a);
    expect(receive?.usedBytes).toBeLessThanOrEqual(401_000);
    expect(counters['receive-window-full']).toBeGreaterThan(1000);
    pair.cut[1] = true;
    pair.run(() => pair.a.state === 'closed', 61_000);
    const event = pair.events[0].at(-1);
    expect(event).toMatchObject({
      type: 'closed',
      failure: { gate: expect.stringMatching(/reassembly|peerLiveness/) },
    });
  });

  test('S7: a FORWARD TSN to the edge of the window costs what is held, not the distance', () => {
    const { pair, tag, tsn } = underWay();
    pair.runFor(1000);
    for (let i = 1; i <= 1000; i++) {
      const chunk = encodeForwardTsn({ newCumulativeTsn: (tsn + i * 90_000) >>> 0, streams: [] });
      pair.a.handlePacket(packetOf(tag, chunk), pair.now);
    }
    expect(inspect(pair.a).counters['invalid-forward-tsn']).toBe(0);
    expect(pair.a.state).toBe('established');
  });
});
