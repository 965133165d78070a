/**
 * The curves on noble's arithmetic, each made when it is first used: noble's own modules make theirs, and much that is no
 * part of TLS, as soon as they are imported.
 */
import { edwards } from '@noble/curves/abstract/edwards.js';
import { mod, pow2 } from '@noble/curves/abstract/modular.js';
import type { MontgomeryECDH } from '@noble/curves/abstract/montgomery.js';
import { montgomery } from '@noble/curves/abstract/montgomery.js';
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { ecdsa, weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import type { Curve } from '../provider.ts';

let p256: ECDSA | undefined;
let p384: ECDSA | undefined;
let curve25519: MontgomeryECDH | undefined;

/** A NIST curve, for ECDSA and ECDH. */
export function nistCurve(curve: Curve): ECDSA {
  switch (curve) {
    case 'secp256r1':
      return (p256 ??= makeP256());
    case 'secp384r1':
      return (p384 ??= makeP384());
  }
}

/** X25519 (RFC 7748 §5). */
export function x25519(): MontgomeryECDH {
  return (curve25519 ??= makeX25519());
}

/** SP 800-186 §3.2.1.3. */
function makeP256(): ECDSA {
  const p = BigInt('0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff');
  const point = weierstrass({
    p,
    n: BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
    h: 1n,
    a: p - 3n,
    b: BigInt('0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b'),
    Gx: BigInt('0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'),
    Gy: BigInt('0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'),
  });
  return ecdsa(point, sha256);
}

/** SP 800-186 §3.2.1.4. */
function makeP384(): ECDSA {
  const hex = (...words: string[]): bigint => BigInt(`0x${words.join('')}`);
  const p = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n;
  const point = weierstrass({
    p,
    n: hex(
      'ffffffffffffffffffffffffffffffffffffffffffffffff',
      'c7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    ),
    h: 1n,
    a: p - 3n,
    b: hex(
      'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe814112',
      '0314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
    ),
    Gx: hex(
      'aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98',
      '59f741e082542a385502f25dbf55296c3a545e3872760ab7',
    ),
    Gy: hex(
      '3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c',
      'e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f',
    ),
  });
  return ecdsa(point, sha384);
}

/** The field of curve25519. */
const P25519 = 0x7fffffff_ffffffff_ffffffff_ffffffff_ffffffff_ffffffff_ffffffff_ffffffedn;

/**
 * Public keys are made on edwards25519, which has tables of its base point's multiples, and mapped: u = (1 + y) / (1 − y)
 * (RFC 7748 §4.1).
 */
function makeX25519(): MontgomeryECDH {
  const n = 2n ** 252n + 27742317777372353535851937790883648493n;
  const point = edwards({
    p: P25519,
    n,
    h: 8n,
    a: P25519 - 1n,
    d: 37095705934669439343138083508754565189542113879843219016388785533085940283555n,
    Gx: 15112221349535400772501151409588531511454012693041857206046113283949847762202n,
    Gy: 46316835694926478169428394003475163141307993866256225615783033603165251855960n,
  });
  return montgomery({
    P: P25519,
    type: 'x25519',
    powPminus2: inverse25519,
    adjustScalarBytes,
    scalarMultBase(scalar) {
      const reduced = mod(scalar, n);
      // The point at infinity, whose u is 0.
      if (reduced === 0n) return 0n;
      const { Y, Z } = point.BASE.multiply(reduced);
      return mod((Z + Y) * inverse25519(mod(Z - Y, P25519)), P25519);
    },
  });
}

/** RFC 7748 §5, decodeScalar25519. */
function adjustScalarBytes(scalar: Uint8Array): Uint8Array<ArrayBuffer> {
  const adjusted = Uint8Array.from(scalar);
  adjusted[0]! &= 248;
  adjusted[31] = (adjusted[31]! & 127) | 64;
  return adjusted;
}

/** x^(p − 2) by Fermat, in the same steps for each x. p − 2 has 250 ones, and 01011 behind them. */
function inverse25519(x: bigint): bigint {
  /** Exponents side by side: `high`, and behind it `low` in so many bits. */
  const beside = (high: bigint, low: bigint, bits: bigint): bigint =>
    mod(pow2(high, bits, P25519) * low, P25519);
  const ones2 = beside(x, x, 1n);
  const ones4 = beside(ones2, ones2, 2n);
  const ones5 = beside(ones4, x, 1n);
  const ones10 = beside(ones5, ones5, 5n);
  const ones20 = beside(ones10, ones10, 10n);
  const ones40 = beside(ones20, ones20, 20n);
  const ones50 = beside(ones40, ones10, 10n);
  const ones100 = beside(ones50, ones50, 50n);
  const ones200 = beside(ones100, ones100, 100n);
  const ones250 = beside(ones200, ones50, 50n);
  return beside(ones250, beside(x, ones2, 3n), 5n);
}
