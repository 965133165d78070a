/**
 * ML-KEM-768 on OpenSSL 3.5, which came with Node 24; on noble's before. Key pairs come from their seed in either. The
 * randomness of an encapsulation OpenSSL draws itself.
 */
import type { KeyObject } from 'node:crypto';
import * as nodeCrypto from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import { concatBytes, copyBytes, equalBytes } from '../../core/bytes.ts';
import type { DecapsulationKey, MlKem768 } from '../hybrid.ts';
import { MLKEM768_PUBLIC_KEY_LENGTH, MLKEM768_SEED_LENGTH } from '../hybrid.ts';
import { nobleMlKem768 } from '../js/ml-kem.ts';

/** What Node 20's types do not know. */
interface Encapsulation {
  encapsulate(publicKey: KeyObject): { readonly sharedKey: Uint8Array; readonly ciphertext: Uint8Array };
  decapsulate(privateKey: KeyObject, ciphertext: Uint8Array): Uint8Array;
}

/** PKCS #8 of a private key given by its seed, up to the 64 bytes (RFC 9935 §6). */
const SEED_PREFIX: readonly number[] = [
  0x30, 0x54, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, 0x02,
  0x04, 0x42, 0x80, 0x40,
];
/** SubjectPublicKeyInfo of an encapsulation key up to its 1184 bytes (RFC 9935 §4). */
const SPKI_PREFIX: readonly number[] = [
  0x30, 0x82, 0x04, 0xb2, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, 0x02, 0x03,
  0x82, 0x04, 0xa1, 0x00,
];

class OpenSslMlKem768 implements MlKem768 {
  readonly #node: Encapsulation;

  constructor(node: Encapsulation) {
    this.#node = node;
  }

  keyPair(seed: Uint8Array): DecapsulationKey {
    const key = Buffer.concat([Uint8Array.from(SEED_PREFIX), seed]);
    const privateKey = nodeCrypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    return new OpenSslDecapsulationKey(this.#node, privateKey);
  }

  encapsulate(publicKey: Uint8Array): { readonly ciphertext: Bytes; readonly secret: Bytes } | undefined {
    const key = Buffer.concat([Uint8Array.from(SPKI_PREFIX), publicKey]);
    try {
      const imported = nodeCrypto.createPublicKey({ key, format: 'der', type: 'spki' });
      const { ciphertext, sharedKey } = this.#node.encapsulate(imported);
      return { ciphertext: copyBytes(ciphertext), secret: copyBytes(sharedKey) };
    } catch {
      // A coefficient is not below the modulus.
      return undefined;
    }
  }
}

class OpenSslDecapsulationKey implements DecapsulationKey {
  readonly publicKey: Bytes;
  readonly #node: Encapsulation;
  readonly #privateKey: KeyObject;

  constructor(node: Encapsulation, privateKey: KeyObject) {
    const spki = nodeCrypto.createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    this.#node = node;
    this.#privateKey = privateKey;
    this.publicKey = copyBytes(spki, spki.length - MLKEM768_PUBLIC_KEY_LENGTH);
  }

  decapsulate(ciphertext: Uint8Array): Bytes {
    return copyBytes(this.#node.decapsulate(this.#privateKey, ciphertext));
  }
}

let chosen: MlKem768 | undefined;

/** The runtime's own where it has one that agrees with FIPS 203 as noble knows it, found out once. */
export function mlKem768(): MlKem768 {
  chosen ??= openSslMlKem768() ?? nobleMlKem768;
  return chosen;
}

function openSslMlKem768(): MlKem768 | undefined {
  const node = nodeCrypto as Partial<Encapsulation>;
  const { encapsulate, decapsulate } = node;
  if (encapsulate === undefined || decapsulate === undefined) return undefined;
  const own = new OpenSslMlKem768({ encapsulate, decapsulate });
  const seed = new Uint8Array(MLKEM768_SEED_LENGTH);
  try {
    const [ours, witness] = [own.keyPair(seed), nobleMlKem768.keyPair(seed)];
    const encapsulated = own.encapsulate(ours.publicKey);
    if (encapsulated === undefined) return undefined;
    const secret = concatBytes(
      ours.decapsulate(encapsulated.ciphertext),
      witness.decapsulate(encapsulated.ciphertext),
    );
    const expected = concatBytes(encapsulated.secret, encapsulated.secret);
    return equalBytes(ours.publicKey, witness.publicKey) && equalBytes(secret, expected) ? own : undefined;
  } catch {
    return undefined;
  }
}
