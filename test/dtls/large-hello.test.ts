/**
 * T030 T038 T050 T051: hellos of the size that a post-quantum key share gives them: ClientHello in two datagrams,
 * ServerHello beside other messages. Every datagram, and every pair of them, is lost, doubled and swapped.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { Group } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsVersions } from '../../src/dtls/index.ts';
import type { PairOptions, Wire } from './pair.ts';
import { PERFECT, Pair, dropping } from './pair.ts';

const crypto = nodeCrypto();

const SETTINGS: readonly (readonly [DtlsVersions, number, Group])[] = [
  [{ min: '1.3', max: '1.3' }, 1200, 'x25519mlkem768'],
  [{ min: '1.2', max: '1.3' }, 1200, 'x25519mlkem768'],
  [{ min: '1.2', max: '1.3' }, 600, 'x25519mlkem768'],
  // The large share is not wanted: a HelloRetryRequest, and a small second ClientHello.
  [{ min: '1.2', max: '1.3' }, 1200, 'secp256r1'],
];

let handshakes = 0;

describe.each(SETTINGS)('%j, MTU %i, the server wants %s', (versions, mtu, group) => {
  const groups: readonly Group[] = ['x25519mlkem768', 'secp256r1'];
  // DTLS 1.2 has no hybrid: a server that may speak it has another group as well, and prefers ours.
  const wanted: readonly Group[] = [...new Set([group, 'secp256r1'] as const)];
  const options: PairOptions = {
    client: { versions, mtu, crypto, groups },
    server: { versions, mtu, crypto, groups: wanted },
  };

  function expectConnected(wire: Wire, name: string): Pair {
    const pair = new Pair({ ...options, wire }).start().run();
    handshakes++;
    expect([name, pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([name, true, [], []]);
    expect(pair.now).toBeLessThan(15_000);
    return pair;
  }

  const whole = new Pair(options).start().run();
  whole.runTo(whole.now + 1000);
  const count = whole.sent.length;

  it('T038 the ClientHello spans datagrams, none of them larger than the MTU', () => {
    expect(whole.connected).toBe(true);
    expect(whole.sent.filter(({ from, at }) => from === 'client' && at === 0).length).toBeGreaterThan(1);
    expect(Math.max(...whole.sent.map(({ data }) => data.length))).toBeLessThanOrEqual(mtu);
    expect(whole.client.inspect()).toMatchObject({ tlsVersion: 'FEFC', handshake: { group } });
  });

  it('T050 T054 T055 any one datagram may be lost, doubled or swapped with the next', () => {
    for (let index = 0; index < count; index++) {
      expectConnected(dropping(index), `without ${index}`);
      expectConnected(
        (sent) => (sent.index === index ? [...PERFECT(sent), { data: sent.data, after: 35 }] : PERFECT(sent)),
        `${index} twice`,
      );
      const place = (other: number): number => (other === index ? index + 1.5 : other);
      expectConnected(
        (sent) => [{ data: sent.data, after: 10 + place(sent.index) / 1000 }],
        `${index} swapped`,
      );
    }
  });

  it('T051 any two datagrams may be lost', () => {
    for (let first = 0; first < count; first++) {
      for (let second = first + 1; second <= count; second++) {
        expectConnected(dropping(first, second), `without ${first} and ${second}`);
      }
    }
  });
});

afterAll(() => {
  console.log(`${handshakes} handshakes with hellos of post-quantum size, all connected`);
});
