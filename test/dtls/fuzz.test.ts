/** Hostile bytes are ordinary: nothing throws, nothing loops, nothing grows, and no association that stands falls. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { DEFAULT_LIMITS } from '../../src/dtls/options.ts';
import { Pair, connectedPair, engineOptions, textOf } from './pair.ts';

const fast = { client: { crypto: nodeCrypto() }, server: { crypto: nodeCrypto() } };

/** One established association for every property: none of them may end it. */
const pair = connectedPair(fast);
const recorded = pair.sent.map(({ data }) => data);

interface Mutation {
  readonly at: number;
  readonly value: number;
}

const mutations = fc.array(fc.record({ at: fc.nat(2000), value: fc.integer({ min: 1, max: 255 }) }), {
  minLength: 1,
  maxLength: 6,
});

function mutated(datagram: Uint8Array, changes: readonly Mutation[], length: number): Uint8Array {
  const copy = copyBytes(datagram, 0, Math.min(datagram.length, length));
  for (const { at, value } of changes) if (at < copy.length) copy[at]! ^= value;
  return copy;
}

/** Starts like a record of the epoch, so that more of the code is reached. */
const recordLike = fc
  .record({
    type: fc.constantFrom(20, 21, 22, 23),
    epoch: fc.constantFrom(0, 1, 2),
    sequence: fc.nat(255),
    body: fc.uint8Array({ maxLength: 120 }),
  })
  .map(({ type, epoch, sequence, body }) =>
    concatBytes(Uint8Array.of(type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 1, sequence, 0, body.length), body),
  );

/** Starts like a handshake fragment. */
const fragmentLike = fc
  .record({
    type: fc.constantFrom(0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 20),
    length: fc.nat(70_000),
    seq: fc.nat(12),
    offset: fc.nat(70_000),
    body: fc.uint8Array({ maxLength: 100 }),
  })
  .map(({ type, length, seq, offset, body }) => {
    const u24 = (value: number): number[] => [value >>> 16, (value >>> 8) & 255, value & 255];
    const header = [type, ...u24(length), 0, seq, ...u24(offset), ...u24(body.length)];
    const size = header.length + body.length;
    return Uint8Array.from([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, size, ...header, ...body]);
  });

const datagrams = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.array(fc.oneof(recordLike, fragmentLike), { maxLength: 4 }).map((records) => concatBytes(...records)),
  fc
    .record({
      index: fc.nat(recorded.length - 1),
      changes: mutations,
      length: fc.integer({ min: 1, max: 1500 }),
    })
    .map(({ index, changes, length }) => mutated(recorded[index] ?? new Uint8Array(), changes, length)),
);

describe('any bytes', () => {
  it('never throw and never end an established association', () => {
    fc.assert(
      fc.property(datagrams, (datagram) => {
        pair.client.handlePacket(datagram, pair.now);
        pair.server.handlePacket(datagram, pair.now);
        expect(pair.connected).toBe(true);
        expect([pair.client.pollData(), pair.server.pollData()]).toEqual([undefined, undefined]);
      }),
      { numRuns: 1000 },
    );
    pair.sendText('client', 'still here');
    pair.runTo(pair.now + 100);
    expect(pair.received.server.map(textOf)).toEqual(['still here']);
    expect([pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([Infinity, Infinity]);
  });

  it.each(['client', 'server'] as const)(
    'never throw out of a %s that shakes hands, and grow nothing beyond its bounds',
    (role) => {
      fc.assert(
        fc.property(fc.array(datagrams, { maxLength: 12 }), (list) => {
          const engine = new Dtls({ ...engineOptions(role, 77), crypto: nodeCrypto() });
          engine.start(0);
          for (const [i, datagram] of list.entries()) {
            engine.handlePacket(datagram, i);
            while (engine.pollTransmit() !== undefined);
            const { queued, handshake } = engine.inspect();
            expect(handshake.reassembly.bytes).toBeLessThanOrEqual(DEFAULT_LIMITS.reassemblyBytes);
            expect(queued.heldRecords).toBeLessThanOrEqual(DEFAULT_LIMITS.earlyRecords);
            expect(queued.data).toBe(0);
          }
          const over = engine.state === 'failed' || engine.state === 'closed';
          expect(engine.nextTimeout() === Infinity).toBe(over);
        }),
        { numRuns: 200 },
      );
    },
  );

  it('a handshake among garbage completes or ends with a reason, within its deadline', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(6), datagrams), { maxLength: 6 }), (garbage) => {
        const disturbed = new Pair({
          ...fast,
          wire: ({ data, index }) => [
            ...garbage.filter(([at]) => at === index).map(([, datagram]) => ({ data: datagram, after: 5 })),
            { data, after: 10 },
          ],
        });
        disturbed.start().run();
        expect(disturbed.settled).toBe(true);
        if (!disturbed.connected) {
          expect([...disturbed.codes('client'), ...disturbed.codes('server')]).not.toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
