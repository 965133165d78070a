import { describe, expect, it } from 'vitest';
import { describeProvider } from '../crypto/conformance.ts';
import { SeededRandom } from '../../src/index.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';

describe('memoizedCrypto(jsCrypto())', () => {
  describeProvider(memoizedCrypto(jsCrypto()));
});

describe('memoizedCrypto', () => {
  it('makes salted signatures the same every time', () => {
    const pure = nodeCrypto();
    const provider = memoizedCrypto(pure);
    const scalar = pure.generateScalar(new SeededRandom(1));
    const message = Uint8Array.of(1, 2, 3);
    const sign = (): Uint8Array => provider.signingKey(scalar).sign(message);
    expect(sign()).toEqual(sign());
    const point = provider.signingKey(scalar).publicKey;
    const key = { type: 'ec', curve: 'secp256r1', point } as const;
    expect(provider.verify('ecdsa-sha-256', key, message, sign())).toBe(true);
  });

  it('works nothing out twice', () => {
    let curves = 0;
    const pure = jsCrypto();
    const provider = memoizedCrypto({
      ...pure,
      keyExchange(group, random) {
        curves++;
        return pure.keyExchange(group, random);
      },
    });
    const keys = [1, 1, 2].map((seed) => provider.keyExchange('x25519', new SeededRandom(seed)));
    expect(curves).toBe(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it('hands out copies: nobody can spoil what is remembered', () => {
    const provider = memoizedCrypto(jsCrypto());
    const ours = provider.keyExchange('x25519', new SeededRandom(1));
    const theirs = provider.keyExchange('x25519', new SeededRandom(2));
    const secret = ours.deriveSecret(theirs.publicKey);
    secret?.fill(0);
    expect(ours.deriveSecret(theirs.publicKey)).toEqual(theirs.deriveSecret(ours.publicKey));
  });
});
