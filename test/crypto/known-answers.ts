/** Published answers, and the vector files of test/vectors as typed values. */
import { readFileSync } from 'node:fs';
import type { Bytes } from '../../src/core/bytes.ts';
import { encodeUtf8, fromHex } from '../../src/core/text.ts';
import type { AeadAlgorithm, HashAlgorithm } from '../../src/crypto/index.ts';

export function hex(text: string): Bytes {
  const bytes = fromHex(text.replace(/\s/g, ''));
  if (bytes === undefined) throw new Error(`not hexadecimal: ${text}`);
  return bytes;
}

function readVectors(file: string): unknown[] {
  const path = new URL(`../vectors/${file}`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { vectors: unknown[] }).vectors;
}

export interface GcmVector {
  id: string;
  source: string;
  alg: string;
  key: string;
  nonce: string;
  aad: string;
  plaintext: string;
  ciphertext: string;
  tag: string;
  result: 'valid' | 'invalid';
}

/** The cases of AES-128-GCM and AES-256-GCM, wrong ones included. */
export function gcmVectors(): GcmVector[] {
  return readVectors('aes-gcm.json') as GcmVector[];
}

export function gcmAlgorithm(vector: GcmVector): AeadAlgorithm {
  return vector.alg === 'AES-128-GCM' ? 'aes-128-gcm' : 'aes-256-gcm';
}

/** RFC 8439 §2.8.2. */
export const CHACHA_EXAMPLE = {
  key: hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
  nonce: hex('070000004041424344454647'),
  additionalData: hex('50515253c0c1c2c3c4c5c6c7'),
  plaintext: encodeUtf8(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
  sealed: hex(
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e' +
      '060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de57' +
      '6d26586cec64b6116' +
      '1ae10b594f09e26a7e902ecbd0600691',
  ),
};

/** RFC 8439 §2.3.2: the key, counter ‖ nonce, and the first 16 bytes of that block. */
export const CHACHA_BLOCK_EXAMPLE = {
  key: hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
  sample: hex('01000000000000090000004a00000000'),
  mask: hex('10f1e7e4d13b5915500fdd1fa32071c4'),
};

/** FIPS 197 appendix C.1 and C.3: one block under a key of 128 and of 256 bits. */
export const AES_BLOCK_EXAMPLES = [
  [
    'aes-128-gcm',
    hex('000102030405060708090a0b0c0d0e0f'),
    hex('00112233445566778899aabbccddeeff'),
    hex('69c4e0d86a7b0430d8cdb78070b4c55a'),
  ],
  [
    'aes-256-gcm',
    hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'),
    hex('00112233445566778899aabbccddeeff'),
    hex('8ea2b7ca516745bfeafc49904b496089'),
  ],
] as const;

/** RFC 3711 appendix B.2: key streams of AES-CM, by the counter they begin with. */
export const COUNTER_EXAMPLES = [
  [
    'the first blocks',
    hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd0000'),
    'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
  ],
  [
    'over the edge of a byte',
    hex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'),
    'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44',
  ],
] as const;

export const COUNTER_EXAMPLE_KEY: Bytes = hex('2b7e151628aed2a6abf7158809cf4f3c');

export interface PrfVector {
  id: string;
  hash: 'sha256' | 'sha384' | 'sha512';
  secret: string;
  label: string;
  seed: string;
  output: string;
}

/** The published answers of the TLS 1.2 PRF (RFC 5246 §5). */
export function prfVectors(): PrfVector[] {
  return (readVectors('tls12-prf.json') as Partial<PrfVector>[]).filter(
    (vector): vector is PrfVector => vector.output !== undefined,
  );
}

/** FIPS 180-4 examples: the digests of "abc". */
export const DIGESTS_OF_ABC: readonly (readonly [HashAlgorithm, string])[] = [
  ['md5', '900150983cd24fb0d6963f7d28e17f72'],
  ['sha-1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['sha-256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'sha-384',
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  ],
  [
    'sha-512',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
];

/** HMAC with the key "Jefe" of "what do ya want for nothing?": RFC 2202 §3 case 2, RFC 4231 §4.3. */
export const MACS_OF_JEFE: readonly (readonly [HashAlgorithm, string])[] = [
  ['md5', '750c783e6ab0b503eaa86e310a5db738'],
  ['sha-1', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
  ['sha-256', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  [
    'sha-384',
    'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
  ],
  [
    'sha-512',
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
      '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  ],
];

/** RFC 7748 §6.1. */
export const X25519_EXAMPLE = {
  scalar: hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
  publicKey: hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'),
  peerPublicKey: hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'),
  secret: hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'),
};

/** The points of small order on Curve25519 and its twist, with their unreduced forms: the secret would be zero. */
export const X25519_LOW_ORDER: readonly (readonly [string, Bytes])[] = [
  ['0', hex('0000000000000000000000000000000000000000000000000000000000000000')],
  ['1', hex('0100000000000000000000000000000000000000000000000000000000000000')],
  ['a point of order 8', hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800')],
  ['the other point of order 8', hex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157')],
  ['p − 1', hex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')],
  ['p', hex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')],
  ['p + 1', hex('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')],
];

/** NIST CAVP, ECC CDH primitive, P-256, count 0. */
export const P256_EXAMPLE = {
  scalar: hex('7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534'),
  publicKey: hex(
    '04ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230' +
      '28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141',
  ),
  peerPublicKey: hex(
    '04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287' +
      'db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac',
  ),
  secret: hex('46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b'),
};

/** The order of the P-256 group, and the greatest scalar. */
export const P256_ORDER: Bytes = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
export const P256_LAST_SCALAR: Bytes = hex(
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550',
);

/** RFC 6979 A.2.5, SHA-256. The signature of "sample" is high-S. */
export const ECDSA_EXAMPLE = {
  scalar: hex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'),
  publicKey: hex(
    '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6' +
      '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
  ),
  sample: {
    r: hex('efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716'),
    s: hex('f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8'),
  },
  test: {
    r: hex('f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367'),
    s: hex('019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083'),
  },
};
