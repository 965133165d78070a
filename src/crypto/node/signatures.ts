/**
 * Signatures on OpenSSL. Its ECDSA draws the nonce itself, so signatures differ from run to run. Public keys go in as
 * JWK, which OpenSSL 3.0 imports in half the time of DER.
 */
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { constants, createECDH, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { badArgument } from '../../core/errors.ts';
import type { Curve, PublicKey, SignatureAlgorithm, SigningKey } from '../provider.ts';
import { isRsaKey } from '../rsa-key.ts';
import { isScalar, isUncompressedPoint, NIST_CURVES } from '../scalar.ts';
import { base64Url, opensslName } from './key-exchange.ts';

/**
 * A private key of ECDSA, and its public point, uncompressed. Throws `ERR_BAD_ARGUMENT` for a scalar out of its range.
 */
export class EcdsaSigningKey implements SigningKey {
  readonly curve: Curve;
  readonly publicKey: Bytes;
  readonly #privateKey: KeyObject;

  constructor(scalar: Uint8Array, curve: Curve) {
    const { length } = NIST_CURVES[curve];
    if (!isScalar(scalar, NIST_CURVES[curve])) {
      throw badArgument('scalar', `${length} bytes, 1 … n−1`, 'another value');
    }
    const ecdh = createECDH(opensslName(curve));
    ecdh.setPrivateKey(scalar);
    this.curve = curve;
    this.publicKey = copyBytes(ecdh.getPublicKey());
    const key = { ...ecJwk(curve, this.publicKey), d: base64Url(scalar) };
    this.#privateKey = createPrivateKey({ key, format: 'jwk' });
  }

  sign(message: Uint8Array): Bytes {
    const hash = this.curve === 'secp256r1' ? 'sha256' : 'sha384';
    return copyBytes(sign(hash, message, this.#privateKey));
  }
}

/** False for anything that does not verify, malformed or forged, and for a key of another kind; never throws. */
export function verifySignature(
  algorithm: SignatureAlgorithm,
  publicKey: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const isEcdsa = algorithm === 'ecdsa-sha-256' || algorithm === 'ecdsa-sha-384';
  const jwk = publicJwk(publicKey);
  if (jwk === undefined || isEcdsa !== (publicKey.type === 'ec')) return false;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
    switch (algorithm) {
      case 'ecdsa-sha-256':
        return verify('sha256', message, key, signature);
      case 'ecdsa-sha-384':
        return verify('sha384', message, key, signature);
      case 'rsa-pss-sha-256': {
        const pss = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };
        return verify('sha256', message, { key, ...pss }, signature);
      }
      case 'rsa-pkcs1-sha-256':
        return verify('sha256', message, { key, padding: RSA_PKCS1_PADDING }, signature);
    }
  } catch {
    return false;
  }
}

/** `undefined` for a key that may not verify. */
function publicJwk(publicKey: PublicKey): JsonWebKey | undefined {
  switch (publicKey.type) {
    case 'ec': {
      const { curve, point } = publicKey;
      return isUncompressedPoint(point, NIST_CURVES[curve]) ? ecJwk(curve, point) : undefined;
    }
    case 'rsa': {
      const { modulus, exponent } = publicKey;
      if (!isRsaKey(modulus, exponent)) return undefined;
      return { kty: 'RSA', n: base64Url(modulus), e: base64Url(exponent) };
    }
  }
}

/** RFC 7518 §6.2.1, from an uncompressed point. */
function ecJwk(curve: Curve, point: Uint8Array): JsonWebKey {
  const { name, length } = NIST_CURVES[curve];
  return {
    kty: 'EC',
    crv: name,
    x: base64Url(point.subarray(1, 1 + length)),
    y: base64Url(point.subarray(1 + length)),
  };
}
