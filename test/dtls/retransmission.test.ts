/**
 * F1: retransmission to the millisecond, for every flight of both versions, and what no schedule may bring about: a
 * deadline in the past, a timer without an effect, an end without a reason.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/random.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsRole, DtlsVersions } from '../../src/dtls/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { howMany } from '../how-many.ts';
import { other, plaintextRecord } from './hostile.ts';
import type { PairOptions } from './pair.ts';
import { PERFECT, Pair, connectedPair, engineOptions } from './pair.ts';

const crypto = nodeCrypto();
const ONLY_12: DtlsVersions = { min: '1.2', max: '1.2' };
const ONLY_13: DtlsVersions = { min: '1.3', max: '1.3' };
const AUTO: DtlsVersions = { min: '1.2', max: '1.3' };

function options(versions: DtlsVersions, server: PairOptions['server'] = {}): PairOptions {
  return { client: { crypto, versions }, server: { crypto, versions, ...server } };
}

/**
 * A handshake that goes well until `role` has sent its flight `flight`, from where on neither hears the other: the times,
 * from the first, at which the flight is sent. (A peer that is heard repeats itself, and is answered each time.)
 */
function timesOf(versions: DtlsVersions, role: DtlsRole, flight: number, first: number): number[] {
  const retransmitTimeout = { retransmitTimeout: first };
  // The server's only group is not the client's first: DTLS 1.3 has flights 2 and 3.
  const server = flight === 2 || flight === 3 ? { groups: ['secp256r1'] as const } : {};
  const base = options(versions, { ...server, ...retransmitTimeout });
  const pair = new Pair({ ...base, client: { ...base.client, ...retransmitTimeout } });
  const engine = pair.engine(role);
  pair.wire = (sent) => (engine.inspect().handshake.flight.number === flight ? [] : PERFECT(sent));
  pair.start();
  const times: number[] = [];
  let seen = 0;
  do {
    for (const { from, at } of pair.sent.slice(seen)) {
      if (from === role && engine.inspect().handshake.flight.number === flight && times.at(-1) !== at)
        times.push(at);
    }
    seen = pair.sent.length;
    if (engine.state === 'failed') break;
  } while (pair.step(15_000));
  return times.map((at) => at - (times[0] ?? 0));
}

/** All times before 14 s; what comes then depends on which end began when. */
function expected(first: number): number[] {
  const times = [0];
  for (let timeout = first, at = first; at < 14_000; at += timeout) {
    times.push(at);
    timeout = Math.min(timeout * 2, 3000);
  }
  return times;
}

const FLIGHTS: readonly (readonly [string, DtlsVersions, DtlsRole, number])[] = [
  ['1.2 flight 1, ClientHello', ONLY_12, 'client', 1],
  ['1.2 flight 4, ServerHello …', ONLY_12, 'server', 4],
  ['1.2 flight 5, Certificate …', ONLY_12, 'client', 5],
  ['1.3 flight 1, ClientHello', ONLY_13, 'client', 1],
  ['1.3 flight 2, HelloRetryRequest', ONLY_13, 'server', 2],
  ['1.3 flight 3, ClientHello', ONLY_13, 'client', 3],
  ['1.3 flight 4, ServerHello …', ONLY_13, 'server', 4],
  ['1.3 flight 5, Certificate …', ONLY_13, 'client', 5],
];

describe.each(FLIGHTS)('T060 %s', (_, versions, role, flight) => {
  it.each([
    [100, [0, 100, 300, 700, 1500, 3100, 6100, 9100, 12_100]],
    [120, [0, 120, 360, 840, 1800, 3720, 6720, 9720, 12_720]],
    [400, [0, 400, 1200, 2800, 5800, 8800, 11_800]],
    [1000, [0, 1000, 3000, 6000, 9000, 12_000]],
    [3000, [0, 3000, 6000, 9000, 12_000]],
  ])('with a first timeout of %i ms is sent at these times', (first, table) => {
    expect(expected(first)).toEqual(table);
    const times = timesOf(versions, role, flight, first);
    expect(times.filter((at) => at < 14_000)).toEqual(table);
  });
});

describe('F1 a retransmission is there in the drain of the timeout that caused it', () => {
  it.each(FLIGHTS)('%s', (_, versions, role, flight) => {
    const server = flight === 2 || flight === 3 ? { groups: ['secp256r1'] as const } : {};
    const pair = new Pair(options(versions, server));
    const engine = pair.engine(role);
    pair.wire = (sent) =>
      sent.from === role && engine.inspect().handshake.flight.number === flight ? [] : PERFECT(sent);
    pair.start();
    while (engine.inspect().handshake.flight.number !== flight && pair.step(5000));
    for (let count = 1; count <= 4; count++) {
      while (engine.timeoutReason() !== 'dtlsRetransmit' && engine.state === 'connecting') {
        engine.handleTimeout(engine.nextTimeout());
        while (engine.pollTransmit() !== undefined);
      }
      const at = engine.nextTimeout();
      engine.handleTimeout(at - 0.001);
      expect(engine.pollTransmit()).toBeUndefined();
      engine.handleTimeout(at);
      expect(engine.pollTransmit()).toBeDefined();
      expect(engine.inspect().handshake.flight).toMatchObject({ number: flight, transmissions: count + 1 });
      while (engine.pollTransmit() !== undefined);
    }
  });

  it('a KeyUpdate too', () => {
    const pair = connectedPair(options(ONLY_13)).runTo(1000);
    pair.client.updateKeys(pair.now);
    while (pair.client.pollTransmit() !== undefined);
    for (const after of [400, 800, 1600, 3000, 3000]) {
      const at = pair.client.nextTimeout();
      expect([pair.client.timeoutReason(), at]).toEqual(['dtlsRetransmit', pair.now + after]);
      pair.now = at;
      pair.client.handleTimeout(at);
      expect(pair.client.pollTransmit()).toBeDefined();
    }
  });
});

describe('any schedule', () => {
  /** What the world may do next. Times are steps forward; what is polled, and when, is part of the schedule. */
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ type: fc.constant('deliver' as const), index: fc.nat(5), keep: fc.boolean() }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('wait' as const), for: fc.integer({ min: 0, max: 900 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('timeout' as const),
        late: fc.constantFrom(0, 0, 0, 1, 250, 5000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('back' as const), by: fc.integer({ min: 1, max: 5000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('freeze' as const),
        for: fc.integer({ min: 5000, max: 60_000 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('forge' as const), body: fc.uint8Array({ maxLength: 60 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('corrupt' as const), index: fc.nat(5), at: fc.nat(300) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('update' as const), request: fc.boolean() }) },
  );
  const schedule = fc.array(
    fc.record({ role: fc.constantFrom<DtlsRole>('client', 'server'), poll: fc.boolean(), step }),
    {
      minLength: 20,
      maxLength: 200,
    },
  );

  it.each([
    ['1.2', ONLY_12],
    ['1.3', ONLY_13],
    ['either', AUTO],
  ])(
    'T062 T063 SEC-15 DTLS %s: no deadline in the past, no end without a reason, at rest once closed',
    (_, versions) => {
      let connected = 0;
      let ended = 0;
      fc.assert(
        fc.property(schedule, fc.nat(1000), (steps, seed) => {
          const engines = {
            client: new Dtls({ ...engineOptions('client', seed), crypto, versions }),
            server: new Dtls({ ...engineOptions('server', seed), crypto, versions, groups: ['secp256r1'] }),
          };
          const wires: Record<DtlsRole, Uint8Array[]> = { client: [], server: [] };
          let now = 0;
          const check = (role: DtlsRole): void => {
            const engine = engines[role];
            expect(engine.nextTimeout()).toBeGreaterThan(now);
            expect(engine.invariantViolation()).toBeUndefined();
          };
          /** After every call: whatever is due is done by `handleTimeout`, once. */
          const settle = (role: DtlsRole): void => {
            const engine = engines[role];
            if (engine.nextTimeout() <= now) engine.handleTimeout(now);
            check(role);
          };
          engines.server.start(0);
          engines.client.start(0);
          for (const { role, poll, step: next } of steps) {
            const engine = engines[role];
            const inbox = wires[role];
            switch (next.type) {
              case 'deliver': {
                const [data] = inbox.splice(next.index % Math.max(1, inbox.length), 1);
                if (data === undefined) break;
                if (next.keep) inbox.push(data);
                engine.handlePacket(data, now);
                break;
              }
              case 'wait':
              case 'freeze':
                now += next.for;
                break;
              case 'timeout': {
                const at = engine.nextTimeout();
                if (at < Infinity) now = Math.max(now, at + next.late);
                engine.handleTimeout(now);
                check(role);
                // Again at the same time: nothing is left to be done.
                engine.handleTimeout(now);
                break;
              }
              case 'back':
                engine.handleTimeout(now - next.by);
                break;
              case 'forge':
                engine.handlePacket(plaintextRecord(22, next.body), now);
                break;
              case 'corrupt': {
                const data = inbox[next.index % Math.max(1, inbox.length)]?.slice();
                if (data === undefined) break;
                data[next.at % data.length]! ^= 0x55;
                engine.handlePacket(data, now);
                break;
              }
              case 'update':
                engine.updateKeys(now, next.request);
                break;
            }
            settle('client');
            settle('server');
            if (!poll) continue;
            for (let data = engine.pollTransmit(); data !== undefined; data = engine.pollTransmit()) {
              wires[other(role)].push(data);
            }
            check(role);
          }
          for (const role of ['client', 'server'] as const) {
            const engine = engines[role];
            const events = [];
            for (let event = engine.pollEvent(); event !== undefined; event = engine.pollEvent())
              events.push(event);
            connected += engine.state === 'connected' ? 1 : 0;
            if (engine.state !== 'failed' && engine.state !== 'closed') continue;
            ended++;
            expect(events.filter(({ type }) => type === 'closed')).toHaveLength(1);
            expect(events.at(-1)?.type).toBe('closed');
            while (engine.pollTransmit() !== undefined);
            expect([engine.nextTimeout(), engine.timeoutReason()]).toEqual([Infinity, undefined]);
          }
        }),
        { numRuns: howMany(150, 500) },
      );
      // The schedules get somewhere, both ways: a few dozen of 500 do, so that of a part it may be one.
      const few = howMany(0, 5);
      expect([connected > few, ended > few]).toEqual([true, true]);
    },
  );

  const paths = howMany(60, 200);

  it(`T063 whatever is lost, the end comes by the deadline: ${paths} random paths, both versions`, () => {
    for (let seed = 0; seed < paths; seed++) {
      const random = new SeededRandom(seed);
      const loss = 0.3 + random.unit() * 0.7;
      const wire: Pair['wire'] = ({ data }) =>
        random.unit() < loss ? [] : [{ data, after: random.unit() * 200 }];
      const pair = new Pair({ ...options(seed % 2 === 0 ? ONLY_12 : ONLY_13), seed, wire }).start();
      pair.run(30_000);
      expect([seed, pair.settled]).toEqual([seed, true]);
      expect(pair.now).toBeLessThanOrEqual(15_000);
    }
  });
});
