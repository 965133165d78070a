/** ML-KEM-768 of both providers against Go's accumulated vectors for FIPS 203 (crypto/mlkem, TestAccumulated). */
import { shake128 } from '@noble/hashes/sha3.js';
import { expect, it } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import { nobleMlKem768 } from '../../src/crypto/js/ml-kem.ts';
import { mlKem768 } from '../../src/crypto/node/ml-kem.ts';

it('100 key pairs, encapsulations, decapsulations and implicit rejections come out as they must', () => {
  const source = shake128.create({ dkLen: 32 });
  const accumulated = shake128.create({ dkLen: 32 });
  for (let i = 0; i < 100; i++) {
    const key = nobleMlKem768.keyPair(source.xof(64));
    const encapsulated = nobleMlKem768.encapsulate(key.publicKey, source.xof(32));
    if (encapsulated === undefined) throw new Error('refused');
    expect(key.decapsulate(encapsulated.ciphertext)).toEqual(encapsulated.secret);
    const rejected = key.decapsulate(source.xof(1088));
    for (const part of [key.publicKey, encapsulated.ciphertext, encapsulated.secret, rejected]) {
      accumulated.update(part);
    }
  }
  expect(toHex(accumulated.digest())).toBe(
    '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415',
  );
});

it("the runtime's own, where it has one, agrees", () => {
  const own = mlKem768();
  const seed = new Uint8Array(64).fill(9);
  const [ours, witness] = [own.keyPair(seed), nobleMlKem768.keyPair(seed)];
  expect(ours.publicKey).toEqual(witness.publicKey);
  const encapsulated = own.encapsulate(ours.publicKey, new Uint8Array(32));
  expect(witness.decapsulate(encapsulated?.ciphertext ?? new Uint8Array())).toEqual(encapsulated?.secret);
});
