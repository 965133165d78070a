/** Our certificates, and reading the key of the peer's; @peculiar/x509 and Node's OpenSSL are the witnesses. */
import 'reflect-metadata';
import { X509Certificate as X509 } from '@peculiar/x509';
import fc from 'fast-check';
import { createHash, generateKeyPairSync, X509Certificate as NodeX509 } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { RtcError } from '../../src/core/errors.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { fromHex, toHex } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { SelfSignedCertificateOptions } from '../../src/dtls/certificate/certificate.ts';
import {
  certificateWithKey,
  MAX_CERTIFICATE_LENGTH,
  publicKeyOf,
  selfSignedCertificate,
} from '../../src/dtls/certificate/certificate.ts';
import {
  DER_BIT_STRING,
  DER_SEQUENCE,
  derBitString,
  derContext,
  derInteger,
  derObjectIdentifier,
  derTime,
  derValue,
} from '../../src/dtls/certificate/der.ts';
import { fingerprintOf } from '../../src/dtls/certificate/fingerprint.ts';

function seeded(seed: number, options: SelfSignedCertificateOptions = {}) {
  return selfSignedCertificate({ random: new SeededRandom(seed), ...options });
}

function reasonOf(der: Uint8Array): string {
  const key = publicKeyOf(der);
  return isFailure(key) ? key.reason : 'no failure';
}

const oid = derObjectIdentifier;
const ecKey = (curve: string) => derValue(DER_SEQUENCE, oid('1.2.840.10045.2.1'), oid(curve));
const P256 = '1.2.840.10045.3.1.7';

/** A certificate of odd parts around a public key: what RFC 8827 peers may send. */
function oddCertificate(parts: {
  version?: Uint8Array;
  algorithm?: Uint8Array;
  key?: Uint8Array;
  extensions?: Uint8Array;
  signatureAlgorithm?: Uint8Array;
  signature?: Uint8Array;
  trailing?: Uint8Array;
}) {
  const none = new Uint8Array(0);
  const signatureAlgorithm = parts.signatureAlgorithm ?? derValue(DER_SEQUENCE, oid('1.2.840.10045.4.3.2'));
  const point = seeded(1).signingKey.publicKey;
  const tbs = derValue(
    DER_SEQUENCE,
    parts.version ?? derValue(derContext(0), derInteger(Uint8Array.of(2))),
    derInteger(Uint8Array.of(1)),
    signatureAlgorithm,
    derValue(DER_SEQUENCE),
    derValue(DER_SEQUENCE, derTime(0), derTime(1000)),
    derValue(DER_SEQUENCE),
    derValue(DER_SEQUENCE, parts.algorithm ?? ecKey(P256), parts.key ?? derBitString(point)),
    parts.extensions ?? none,
  );
  return derValue(
    DER_SEQUENCE,
    tbs,
    signatureAlgorithm,
    parts.signature ?? derBitString(new Uint8Array(70)),
    parts.trailing ?? none,
  );
}

describe('selfSignedCertificate', () => {
  it('is the same bytes under the same seed, others under another (T117)', () => {
    expect(seeded(1).der).toEqual(seeded(1).der);
    expect(seeded(1).der).not.toEqual(seeded(2).der);
  });

  it('draws from the platform by default: no two are alike', () => {
    const [one, two] = [selfSignedCertificate(), selfSignedCertificate()];
    expect(one.fingerprint.value).not.toBe(two.fingerprint.value);
    expect(new X509(one.der).serialNumber).not.toBe(new X509(two.der).serialNumber);
  });

  it('is immutable and tells its SHA-256', () => {
    const certificate = seeded(3);
    const digest = createHash('sha256').update(certificate.der).digest('hex').toUpperCase();
    expect(certificate.fingerprint).toEqual({
      algorithm: 'sha-256',
      value: digest.match(/../g)?.join(':'),
    });
    expect(Object.isFrozen(certificate)).toBe(true);
    expect(certificate.der.length).toBeLessThan(300);
  });

  it('is read alike by x509 and OpenSSL, and the signature holds (T117)', async () => {
    for (const crypto of [jsCrypto(), nodeCrypto()]) {
      for (let seed = 0; seed < 8; seed++) {
        const { der, signingKey } = seeded(seed, { crypto });
        const node = new NodeX509(der);
        expect(node.verify(node.publicKey)).toBe(true);
        expect(node.checkIssued(node)).toBe(true);
        expect(node.subject).toBe('CN=WebRTC');
        const x509 = new X509(copyBytes(der));
        expect(await x509.verify({ signatureOnly: true })).toBe(true);
        expect(await x509.isSelfSigned()).toBe(true);
        expect([x509.subject, x509.issuer]).toEqual(['CN=WebRTC', 'CN=WebRTC']);
        expect(x509.notBefore.toISOString()).toBe('2020-01-01T00:00:00.000Z');
        expect(x509.notAfter.toISOString()).toBe('2049-12-31T23:59:59.000Z');
        expect(x509.signatureAlgorithm).toMatchObject({ name: 'ECDSA', hash: { name: 'SHA-256' } });
        expect(x509.publicKey.algorithm).toMatchObject({ name: 'ECDSA', namedCurve: 'P-256' });
        const spki = new Uint8Array(x509.publicKey.rawData);
        expect(toHex(spki.subarray(-65))).toBe(toHex(signingKey.publicKey));
      }
    }
  });

  it('has a positive serial number of 16 bytes, whatever is drawn', () => {
    for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
      const scalar = new Uint8Array(32).fill(1);
      const random = { fill: (bytes: Uint8Array) => bytes.fill(fill) };
      const { serialNumber } = new X509(selfSignedCertificate({ random, scalar }).der);
      expect(serialNumber).toMatch(/^[4-7][0-9a-f]{31}$/);
    }
  });

  it('takes a name, a validity and a key', () => {
    const scalar = new Uint8Array(32).fill(7);
    const notBefore = Date.UTC(2024, 1, 29, 12, 34, 56);
    const notAfter = Date.UTC(2051, 11, 31, 23, 59, 59);
    const certificate = seeded(4, { commonName: 'Zoë', notBefore, notAfter, scalar });
    const witness = new X509(certificate.der);
    expect(witness.subject).toBe('CN=Zoë');
    expect(witness.notBefore.getTime()).toBe(notBefore);
    expect(witness.notAfter.getTime()).toBe(notAfter);
    expect(certificate.signingKey.publicKey).toEqual(jsCrypto().signingKey(scalar).publicKey);
  });

  it.each<[string, SelfSignedCertificateOptions]>([
    ['an empty name', { commonName: '' }],
    ['a name too long', { commonName: 'x'.repeat(65) }],
    ['a time before 1970', { notBefore: -1 }],
    ['a time after 9999', { notAfter: 253_402_300_800_000 }],
    ['an empty period', { notBefore: 5000, notAfter: 5000 }],
    ['no time', { notBefore: Number.NaN }],
    ['a scalar of zero', { scalar: new Uint8Array(32) }],
  ])('refuses %s', (_name, options) => {
    let code = '';
    try {
      seeded(1, options);
    } catch (error) {
      if (error instanceof RtcError) code = error.code;
    }
    expect(code).toBe('ERR_BAD_ARGUMENT');
  });
});

describe('certificateWithKey', () => {
  it('takes a certificate and its key, and copies the bytes', () => {
    const made = seeded(5);
    const der = copyBytes(made.der);
    const certificate = certificateWithKey(der, made.signingKey, jsCrypto());
    der.fill(0);
    expect(certificate.der).toEqual(made.der);
    expect(certificate.fingerprint).toEqual(made.fingerprint);
  });

  it('refuses a key of another certificate, and what is no certificate', () => {
    const [one, two] = [seeded(5), seeded(6)];
    expect(() => certificateWithKey(one.der, two.signingKey, jsCrypto())).toThrow(/not the one/);
    expect(() => certificateWithKey(one.der.subarray(1), one.signingKey, jsCrypto())).toThrow(
      /certificate-malformed/,
    );
  });
});

describe('publicKeyOf', () => {
  interface BrowserCertificate {
    from: string;
    subject: string;
    der: string;
    fingerprint: string;
  }
  const fixture = new URL('../fixtures/browser-certificates.json', import.meta.url);
  const { certificates } = JSON.parse(readFileSync(fixture, 'utf8')) as {
    certificates: BrowserCertificate[];
  };

  it.each(certificates.map((one) => [one.from, one] as const))('reads the key of %s', (_from, one) => {
    const der = fromHex(one.der) ?? new Uint8Array(0);
    const jwk = new NodeX509(der).publicKey.export({ format: 'jwk' });
    const point = Buffer.concat([
      Uint8Array.of(4),
      Buffer.from(String(jwk.x), 'base64url'),
      Buffer.from(String(jwk.y), 'base64url'),
    ]);
    expect(publicKeyOf(der)).toEqual({ type: 'ec', curve: 'secp256r1', point: new Uint8Array(point) });
    expect(`sha-256 ${fingerprintOf(der, 'sha-256', jsCrypto()).value}`).toBe(one.fingerprint);
  });

  it('reads our own, as a copy', () => {
    const { der, signingKey } = seeded(8);
    const key = publicKeyOf(der);
    const expected = { type: 'ec', curve: 'secp256r1', point: signingKey.publicKey };
    expect(key).toEqual(expected);
    if (!isFailure(key) && key.type === 'ec') key.point.fill(0);
    expect(publicKeyOf(der)).toEqual(expected);
  });

  const rsaAlgorithm = (dotted: string) => derValue(DER_SEQUENCE, oid(dotted));
  const none = new Uint8Array(0);
  const unsigned = derValue(DER_SEQUENCE, oid('1.3.6.1.5.5.7.6.36'));
  it.each([
    ['expired in 1970, with empty names', oddCertificate({})],
    ['of version 1, where the version is left out', oddCertificate({ version: none })],
    ['with extensions', oddCertificate({ extensions: derValue(derContext(3), derValue(DER_SEQUENCE)) })],
    ['unsigned (RFC 9925)', oddCertificate({ signatureAlgorithm: unsigned, signature: derBitString(none) })],
    [
      'signed in an unknown way',
      oddCertificate({ signatureAlgorithm: derValue(DER_SEQUENCE, oid('1.2.3.4')) }),
    ],
  ])('accepts a certificate %s (T114)', (_what, der) => {
    expect(publicKeyOf(der)).toMatchObject({ type: 'ec', point: seeded(1).signingKey.publicKey });
  });

  const point = seeded(1).signingKey.publicKey;
  const compressed = concatBytes(Uint8Array.of(2), point.subarray(1, 33));
  it.each([
    ['a compressed point (T116)', oddCertificate({ key: derBitString(compressed) })],
    [
      'a hybrid point',
      oddCertificate({ key: derBitString(concatBytes(Uint8Array.of(6), point.subarray(1))) }),
    ],
    ['an empty key', oddCertificate({ key: derBitString(none) })],
    ['unused bits', oddCertificate({ key: derValue(DER_BIT_STRING, Uint8Array.of(1), point) })],
    ['the curve P-384', oddCertificate({ algorithm: ecKey('1.3.132.0.34') })],
    ['an RSA key for PSS alone', oddCertificate({ algorithm: rsaAlgorithm('1.2.840.113549.1.1.10') })],
    ['an Ed25519 key', oddCertificate({ algorithm: derValue(DER_SEQUENCE, oid('1.3.101.112')) })],
  ])('refuses %s as unsupported', (_what, der) => {
    expect(reasonOf(der)).toBe('certificate-key-unsupported');
  });

  it.each([
    ['nothing (T115)', none],
    ['bytes behind the certificate', concatBytes(seeded(1).der, Uint8Array.of(0))],
    ['bytes inside, behind the signature', oddCertificate({ trailing: derValue(DER_SEQUENCE) })],
    ['a curve left out', oddCertificate({ algorithm: derValue(DER_SEQUENCE, oid('1.2.840.10045.2.1')) })],
    [
      'a public key alone',
      new Uint8Array(
        generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' }),
      ),
    ],
  ])('refuses %s as malformed', (_what, der) => {
    expect(reasonOf(der)).toBe('certificate-malformed');
  });

  it('refuses more than 16 KiB unread (T115)', () => {
    expect(reasonOf(new Uint8Array(MAX_CERTIFICATE_LENGTH + 1))).toBe('certificate-too-large');
    expect(reasonOf(new Uint8Array(MAX_CERTIFICATE_LENGTH))).toBe('certificate-malformed');
  });

  it('refuses every truncation', () => {
    const { der } = seeded(9);
    for (let length = 0; length < der.length; length++) {
      expect(reasonOf(der.subarray(0, length))).toBe('certificate-malformed');
    }
  });

  it('answers random bytes with a failure', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(isFailure(publicKeyOf(bytes))).toBe(true);
      }),
    );
  });

  it('never throws for mutated certificates, and what it reads x509 reads alike', () => {
    const base = seeded(10).der;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: base.length - 1 }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes) => {
          const mutated = copyBytes(base);
          for (const [at, value] of changes) mutated[at] = value;
          const key = publicKeyOf(mutated);
          if (isFailure(key) || key.type !== 'ec') return;
          expect(key.point).toHaveLength(65);
          let witness: Uint8Array;
          try {
            witness = new Uint8Array(new X509(copyBytes(mutated)).publicKey.rawData);
          } catch {
            return; // x509 also reads names and times, which we pass over.
          }
          expect(toHex(witness)).toContain(toHex(key.point));
        },
      ),
    );
  });
});
