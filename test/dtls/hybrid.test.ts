/** X25519MLKEM768 between two ends: who offers it, who takes it, shares that are broken, and hellos of many datagrams. */
import { describe, expect, it } from 'vitest';
import type { CryptoProvider, Group, KeyExchange } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsOptions, DtlsVersions } from '../../src/dtls/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';
import { PERFECT, Pair, dropping } from './pair.ts';

const auto: DtlsVersions = { min: '1.2', max: '1.3' };
const provider = memoizedCrypto(nodeCrypto());
const HYBRID_FIRST: readonly Group[] = ['x25519mlkem768', 'x25519'];

function pairOf(client: Partial<DtlsOptions>, server: Partial<DtlsOptions> = {}): Pair {
  const common = { crypto: provider, versions: auto };
  return new Pair({ client: { ...common, ...client }, server: { ...common, ...server } });
}

function groupAfter(pair: Pair): string | null {
  pair.start().run();
  expect([pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([true, [], []]);
  expect(pair.server.inspect().handshake.group).toBe(pair.client.inspect().handshake.group);
  return pair.client.inspect().handshake.group;
}

/** The provider, but for what it puts into its shares. */
function spoiling(change: (share: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): CryptoProvider {
  return {
    ...provider,
    keyExchange(group, random): KeyExchange {
      const exchange = provider.keyExchange(group, random);
      return {
        group,
        publicKey: group === 'x25519mlkem768' ? change(exchange.publicKey.slice()) : exchange.publicKey,
        deriveSecret: (share) => exchange.deriveSecret(share),
      };
    },
    answerKeyExchange(group, share, random) {
      const answer = provider.answerKeyExchange(group, share, random);
      return answer && { secret: answer.secret, publicKey: change(answer.publicKey.slice()) };
    },
  };
}

describe('who offers and who takes', () => {
  it('a client offers it only when told to, and then in one datagram more', () => {
    const plain = pairOf({});
    expect(groupAfter(plain)).toBe('x25519');
    expect(plain.sent.findIndex(({ from }) => from === 'server')).toBe(1);
    const hybrid = pairOf({ groups: HYBRID_FIRST });
    expect(groupAfter(hybrid)).toBe('x25519mlkem768');
    expect(hybrid.sent.findIndex(({ from }) => from === 'server')).toBe(2);
  });

  it('a server takes it from any client that brings a share, and does not ask for one', () => {
    expect(groupAfter(pairOf({ groups: ['x25519mlkem768'] }))).toBe('x25519mlkem768');
    const indifferent = pairOf({ groups: ['x25519', 'x25519mlkem768'] });
    expect(groupAfter(indifferent)).toBe('x25519');
    expect(indifferent.sent.filter(({ from }) => from === 'client')[1]?.at).toBeGreaterThan(0);
  });

  it('a server that does not know it uses the other share: no HelloRetryRequest', () => {
    const pair = pairOf({ groups: [...HYBRID_FIRST, 'secp256r1'] }, { groups: ['x25519'] });
    expect(groupAfter(pair)).toBe('x25519');
    // One round trip of 20 ms, then the client's last flight on its way.
    expect(pair.now).toBeLessThan(40);
  });

  it('T005 a server that knows neither share asks for the third group', () => {
    const groups = [...HYBRID_FIRST, 'secp384r1'] as const;
    expect(groupAfter(pairOf({ groups, mtu: 300 }, { groups: ['secp384r1'], mtu: 300 }))).toBe('secp384r1');
  });

  it('is not of DTLS 1.2: there the next group serves, and without one there is none', () => {
    const old: DtlsVersions = { min: '1.2', max: '1.2' };
    expect(groupAfter(pairOf({ groups: HYBRID_FIRST }, { versions: old }))).toBe('x25519');
    expect(groupAfter(pairOf({ groups: HYBRID_FIRST, versions: old }, {}))).toBe('x25519');
    const none = pairOf({ groups: ['x25519mlkem768'] }, { versions: old })
      .start()
      .run();
    expect(none.codes('server')).toEqual(['closed no-common-group']);
  });
});

describe('shares that cannot be', () => {
  it.each<[string, (share: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>]>([
    ['a byte short', (share) => share.slice(1)],
    ['a byte long', (share) => Uint8Array.of(...share, 0)],
    ['of x25519 alone', (share) => share.slice(-32)],
    ['with an x25519 point of low order', (share) => share.fill(0, share.length - 32)],
  ])('%s: illegal_parameter from either side', (_name, change) => {
    const broken = spoiling(change);
    const bad = { groups: ['x25519mlkem768'] as const, versions: { min: '1.3', max: '1.3' } as const };
    const fromClient = pairOf({ ...bad, crypto: broken }, bad)
      .start()
      .run();
    expect(fromClient.codes('server')).toEqual(['closed key-share-invalid']);
    expect(fromClient.codes('client')).toEqual(['closed alert-received']);
    const fromServer = pairOf(bad, { ...bad, crypto: broken })
      .start()
      .run();
    expect(fromServer.codes('client')).toEqual(['closed key-share-invalid']);
  });

  it('a changed ciphertext: both think they agree, until nothing opens, and nobody connects', () => {
    const flipped = spoiling((share) => {
      share[7]! ^= 1;
      return share;
    });
    const pair = pairOf({ groups: HYBRID_FIRST }, { crypto: flipped }).start().run();
    expect(pair.connected).toBe(false);
    expect(pair.settled).toBe(true);
  });

  it('an encapsulation key that is none', () => {
    const bad = spoiling((share) => share.fill(0xff, 0, 3));
    const pair = pairOf({ groups: HYBRID_FIRST, crypto: bad }).start().run();
    expect(pair.codes('server')).toEqual(['closed key-share-invalid']);
  });
});

describe('hellos of many datagrams', () => {
  it.each([1400, 1200, 600, 300])('in any order at an MTU of %i', (mtu) => {
    const pair = pairOf({ groups: HYBRID_FIRST, mtu }, { mtu });
    pair.wire = ({ data, index }) => [{ data, after: 60 - index }];
    expect(groupAfter(pair)).toBe('x25519mlkem768');
    expect(Math.max(...pair.sent.map(({ data }) => data.length))).toBeLessThanOrEqual(mtu);
  });

  it('twice each, and with every third lost', () => {
    const pair = pairOf({ groups: HYBRID_FIRST, mtu: 300 }, { mtu: 300 });
    const lossy = dropping(...Array.from({ length: 20 }, (_, i) => 3 * i));
    pair.wire = (sent) => lossy(sent).flatMap((copy) => [copy, { data: copy.data, after: copy.after + 7 }]);
    expect(groupAfter(pair)).toBe('x25519mlkem768');
    pair.wire = PERFECT;
    pair.runTo(pair.now + 10_000);
    expect([pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([Infinity, Infinity]);
  });
});
