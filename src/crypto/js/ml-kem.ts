/** ML-KEM-768 on noble's. */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import type { DecapsulationKey, MlKem768 } from '../hybrid.ts';

class NobleDecapsulationKey implements DecapsulationKey {
  readonly publicKey: Bytes;
  readonly #secretKey: Uint8Array;

  constructor(seed: Uint8Array) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    this.publicKey = copyBytes(publicKey);
    this.#secretKey = secretKey;
  }

  decapsulate(ciphertext: Uint8Array): Bytes {
    return copyBytes(ml_kem768.decapsulate(ciphertext, this.#secretKey));
  }
}

/** Noble's, made to answer where it would throw. All randomness is the caller's. */
export const nobleMlKem768: MlKem768 = {
  keyPair: (seed) => new NobleDecapsulationKey(seed),
  encapsulate(publicKey, entropy) {
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, entropy);
      return { ciphertext: copyBytes(cipherText), secret: copyBytes(sharedSecret) };
    } catch {
      // A coefficient is not below the modulus.
      return undefined;
    }
  },
};
