/** What the path may do to a handshake: lose, repeat, reorder, delay and change datagrams. */
import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import type { PairOptions, Wire } from './pair.ts';
import { PERFECT, Pair, connectedPair, dropping, textOf } from './pair.ts';

/** The faster provider: hundreds of handshakes run here. */
const fast = { crypto: nodeCrypto() };

function pairWith(wire: Wire, options: PairOptions = {}): Pair {
  return new Pair({
    wire,
    ...options,
    client: { ...fast, ...options.client },
    server: { ...fast, ...options.server },
  });
}

/** How many datagrams a handshake without loss takes at this MTU. */
function datagramsAt(mtu: number): number {
  return pairWith(PERFECT, { client: { mtu }, server: { mtu } }).start().run().sent.length;
}

function expectConnected(pair: Pair, name: string): void {
  expect([name, pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([name, true, [], []]);
  pair.wire = PERFECT;
  pair.sendText('client', 'ping');
  pair.sendText('server', 'pong');
  pair.runTo(pair.now + 100);
  expect([name, pair.received.server.map(textOf), pair.received.client.map(textOf)]).toEqual([
    name,
    ['ping'],
    ['pong'],
  ]);
}

describe.each([1400, 1200, 600, 300])('T030 at an MTU of %i', (mtu) => {
  const options = { client: { mtu }, server: { mtu } };
  const count = datagramsAt(mtu);

  it('no datagram is larger, and the handshake completes', () => {
    const pair = pairWith(PERFECT, options).start().run();
    expectConnected(pair, 'without loss');
    expect(Math.max(...pair.sent.map(({ data }) => data.length))).toBeLessThanOrEqual(mtu);
  });

  it('T050 any single datagram may be lost', () => {
    for (let index = 0; index < count; index++) {
      expectConnected(pairWith(dropping(index), options).start().run(), `without ${index}`);
    }
  });

  it('T051 any two datagrams may be lost', () => {
    for (let first = 0; first < count; first++) {
      for (let second = first + 1; second <= count; second++) {
        const pair = pairWith(dropping(first, second), options).start().run();
        expectConnected(pair, `without ${first} and ${second}`);
      }
    }
  });

  it('T055 every flight may arrive in reverse', () => {
    const reversed: Wire = ({ data, index }) => [{ data, after: 40 - index }];
    expectConnected(pairWith(reversed, options).start().run(), 'reversed');
  });

  it('T054 every datagram may arrive twice', () => {
    const twice: Wire = ({ data }) => [
      { data, after: 10 },
      { data, after: 17 },
    ];
    expectConnected(pairWith(twice, options).start().run(), 'twice');
  });
});

describe('a bad path', () => {
  it.each([1, 2])('T052 the first %i transmissions of every flight may be lost', (lost) => {
    // A flight is known by its first message, and each of its transmissions by its time.
    const flights = new Map<string, string>();
    const transmissions = new Map<string, Set<number>>();
    const wire: Wire = (sent) => {
      const { from, at, data } = sent;
      const flight = flights.get(`${from} ${at}`) ?? `${from} ${data[0] ?? 0} ${data[13] ?? 0}`;
      flights.set(`${from} ${at}`, flight);
      const times = (transmissions.get(flight) ?? new Set<number>()).add(at);
      transmissions.set(flight, times);
      return times.size <= lost ? [] : PERFECT(sent);
    };
    expectConnected(pairWith(wire).start().run(), `${lost} lost`);
  });

  it('T056 a burst of old datagrams at the end does no harm', () => {
    const pair = pairWith(PERFECT).start().run();
    for (const { from, data } of [...pair.sent]) pair.send(from, data);
    pair.runTo(pair.now + 1000);
    expectConnected(pair, 'after the burst');
  });

  it.each([10, 20, 30, 40])(
    'T053 F1d with %i % of loss, delay and repetition a handshake ends in time',
    (percent) => {
      let connected = 0;
      const seeds = 75;
      for (let seed = 0; seed < seeds; seed++) {
        const pair = pairWith(randomWire(seed, percent / 100), { seed })
          .start()
          .run();
        expect(pair.settled).toBe(true);
        expect(pair.now).toBeLessThanOrEqual(15_000);
        if (pair.connected) connected++;
        else
          expect([...pair.codes('client'), ...pair.codes('server')].join()).toMatch(
            /timeout|no-response|passive/,
          );
      }
      // Eight transmissions of a flight: at 10 and 20 % none fails, at 40 % few do.
      expect(connected).toBeGreaterThanOrEqual(percent <= 20 ? seeds : seeds * 0.9);
    },
  );

  it('UDP payloads that are cut short do not stop it', () => {
    const cut: Wire = (sent) =>
      sent.index % 3 === 0 && sent.index < 9
        ? [{ data: sent.data.subarray(0, sent.data.length >> 1), after: 10 }]
        : PERFECT(sent);
    expectConnected(pairWith(cut).start().run(), 'cut short');
  });

  it('a handshake with a flipped bit ends with a reason or completes, and never throws', () => {
    const total = datagramsAt(1200);
    for (let seed = 0; seed < 60; seed++) {
      const random = new SeededRandom(seed);
      const victim = random.u32() % total;
      const flip: Wire = (sent) => {
        if (sent.index !== victim) return PERFECT(sent);
        const data = copyBytes(sent.data);
        data[random.u32() % data.length]! ^= 1 << (random.u32() % 8);
        return [{ data, after: 10 }];
      };
      const pair = pairWith(flip, { seed }).start().run();
      expect([seed, pair.settled]).toEqual([seed, true]);
      if (!pair.connected)
        expect(pair.codes('client').length + pair.codes('server').length).toBeGreaterThan(0);
    }
  });
});

describe('determinism', () => {
  it('the same seed and the same path give the same bytes', () => {
    const run = (): Pair => {
      const pair = new Pair({ seed: 7, wire: randomWire(7, 0.2) }).start().run();
      return pair.runTo(pair.now + 1000);
    };
    const [first, second] = [run(), run()];
    expect(second.sent).toEqual(first.sent);
    expect(second.events).toEqual(first.events);
  });

  it('T009 F1d many connections share a certificate', () => {
    const pairs = Array.from({ length: 30 }, (_, seed) => pairWith(PERFECT, { seed }).start());
    for (let moved = true; moved;) moved = pairs.map((pair) => pair.step(1000)).includes(true);
    expect(pairs.filter((pair) => pair.connected)).toHaveLength(30);
  });

  it('F1d a failed handshake leaves nothing behind that breaks the next one (SEC-12)', () => {
    const failing = pairWith(() => [])
      .start()
      .run();
    expect(failing.settled).toBe(true);
    expectConnected(connectedPair(), 'the next one');
  });
});

/** Loses, delays by 5 to 60 ms and repeats, as `seed` says. */
function randomWire(seed: number, loss: number): Wire {
  const random = new SeededRandom(seed).split('wire');
  return ({ data }) => {
    const copies = random.unit() < loss ? 0 : random.unit() < 0.1 ? 2 : 1;
    return Array.from({ length: copies }, () => ({ data, after: 5 + random.unit() * 55 }));
  };
}

describe.each([
  ['1.2', 576],
  ['1.2', 600],
  ['1.3', 576],
] as const)('DTLS %s on a path of %i bytes that nobody knows of', (version, limit) => {
  const narrow: Wire = (sent) => (sent.data.length + 28 > limit ? [] : PERFECT(sent));
  const versions = { min: version, max: version };
  // With names as long as they may be, either end's certificate makes its flight too large for the path.
  const certificate = selfSignedCertificate({ ...fast, commonName: 'x'.repeat(64) });
  const end = { versions, certificate, remoteFingerprints: [certificate.fingerprint] };

  it('RFC 6347 §4.1.1.1: a flight repeated twice in vain goes in smaller datagrams, and gets through', () => {
    const pair = pairWith(narrow, { client: end, server: end }).start().run();
    const vanished = pair.sent.filter(({ data }) => data.length + 28 > limit);
    expect(new Set(vanished.map(({ from }) => from))).toEqual(new Set(['server', 'client']));
    expectConnected(pair, `limit ${limit}`);
    expect(pair.now).toBeLessThan(3000);
  });

  it('loss alone does not make them small before that', () => {
    const pair = pairWith(dropping(1), { client: end, server: end }).start().run();
    expectConnected(pair, 'one loss');
    expect(Math.max(...pair.sent.slice(2).map(({ data }) => data.length))).toBeGreaterThan(548);
  });
});
