/** Certificates that are not a browser's: RSA and P-384 keys of gateways read, proofs by them judged, P-384 keys of our own. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exportPem, generateCertificate, importPem } from '../../src/certificate.ts';
import { copyBytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { fromHex } from '../../src/core/text.ts';
import type { Curve, PublicKey } from '../../src/crypto/index.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { certificateWithKey, publicKeyOf, selfSignedCertificate } from '../../src/dtls/index.ts';
import { judgeSignature } from '../../src/dtls/signatures.ts';
import type { Wire } from './pair.ts';
import { PERFECT, Pair } from './pair.ts';

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  const decoded = fromHex(hex);
  if (decoded === undefined) throw new Error('not hexadecimal');
  return decoded;
}

const { certificates } = readJson('../fixtures/gateway-certificates.json') as {
  certificates: { from: string; der: string }[];
};

function certificateOf(from: string): Uint8Array<ArrayBuffer> {
  return bytes(certificates.find((one) => one.from === from)?.der ?? '');
}

describe('publicKeyOf', () => {
  it.each(['RSA 2048', 'RSA 3072'])('T113 reads modulus and exponent of %s', (from) => {
    const der = certificateOf(from);
    const jwk = new X509Certificate(der).publicKey.export({ format: 'jwk' });
    const numberOf = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
    expect(publicKeyOf(der)).toEqual({ type: 'rsa', modulus: numberOf(jwk.n), exponent: numberOf(jwk.e) });
  });

  it('T113 reads the point of P-384', () => {
    const der = certificateOf('P-384');
    const { x, y } = new X509Certificate(der).publicKey.export({ format: 'jwk' });
    const point = Buffer.concat([
      Uint8Array.of(4),
      ...[x, y].map((text) => Buffer.from(text ?? '', 'base64url')),
    ]);
    expect(publicKeyOf(der)).toEqual({ type: 'ec', curve: 'secp384r1', point: new Uint8Array(point) });
  });

  it.each(['P-521', 'RSA-PSS 2048'])('refuses %s as unsupported', (from) => {
    const key = publicKeyOf(certificateOf(from));
    expect(isFailure(key) && key.reason).toBe('certificate-key-unsupported');
  });

  it('refuses a modulus that is negative, and never throws for a changed byte', () => {
    const der = certificateOf('RSA 2048');
    const key = publicKeyOf(der);
    if (isFailure(key) || key.type !== 'rsa') throw new Error('no RSA key');
    const modulusAt = der.findIndex((_, at) => key.modulus.every((byte, i) => der[at + i] === byte));
    const negative = copyBytes(der);
    negative[modulusAt - 1] = 0xff;
    const answer = publicKeyOf(negative);
    expect(isFailure(answer) && answer.reason).toBe('certificate-malformed');
    for (let at = 0; at < der.length; at++) {
      const changed = copyBytes(der);
      changed[at]! ^= 0x81;
      const read = publicKeyOf(changed);
      if (!isFailure(read) && read.type === 'rsa')
        expect(read.modulus.length).toBeLessThanOrEqual(der.length);
    }
  });
});

describe('which scheme proves which key', () => {
  interface Vectors {
    readonly message: string;
    readonly rsa: readonly { bits: number; modulus: string; exponent: string; pss: string; pkcs1: string }[];
    readonly ecdsa: readonly { curve: Curve; algorithm: string; point: string; signature: string }[];
  }
  const vectors = readJson('../vectors/signatures.json') as Vectors;
  const message = bytes(vectors.message);
  const rsa = vectors.rsa.find(({ bits }) => bits === 2048);
  if (rsa === undefined) throw new Error('no key');
  const rsaKey: PublicKey = { type: 'rsa', modulus: bytes(rsa.modulus), exponent: bytes(rsa.exponent) };
  const ecdsa = (curve: Curve, algorithm: string): readonly [PublicKey, string] => {
    const vector = vectors.ecdsa.find((one) => one.curve === curve && one.algorithm === algorithm);
    return [{ type: 'ec', curve, point: bytes(vector?.point ?? '') }, vector?.signature ?? ''];
  };

  it.each<[string, number, readonly [PublicKey, string], string, string]>([
    ['rsa_pss_rsae_sha256', 0x0804, [rsaKey, rsa.pss], 'taken', 'taken'],
    ['rsa_pkcs1_sha256', 0x0401, [rsaKey, rsa.pkcs1], 'taken', 'illegal-parameter'],
    ['rsa_pkcs1_sha256, PSS inside', 0x0401, [rsaKey, rsa.pss], 'signature-invalid', 'illegal-parameter'],
    [
      'rsa_pss_rsae_sha256, PKCS #1 inside',
      0x0804,
      [rsaKey, rsa.pkcs1],
      'signature-invalid',
      'signature-invalid',
    ],
    ['ecdsa_secp384r1_sha384', 0x0503, ecdsa('secp384r1', 'ecdsa-sha-384'), 'taken', 'taken'],
    ['ecdsa, SHA-256 on P-384', 0x0403, ecdsa('secp384r1', 'ecdsa-sha-256'), 'taken', 'illegal-parameter'],
    ['ecdsa, SHA-384 on P-256', 0x0503, ecdsa('secp256r1', 'ecdsa-sha-384'), 'taken', 'illegal-parameter'],
    ['ecdsa_secp256r1_sha256', 0x0403, ecdsa('secp256r1', 'ecdsa-sha-256'), 'taken', 'taken'],
    ['ecdsa by an RSA key', 0x0403, [rsaKey, rsa.pss], 'illegal-parameter', 'illegal-parameter'],
    [
      'rsa_pss_rsae_sha256 by P-256',
      0x0804,
      ecdsa('secp256r1', 'ecdsa-sha-256'),
      'illegal-parameter',
      'illegal-parameter',
    ],
    ['rsa_pkcs1_sha1', 0x0201, [rsaKey, rsa.pkcs1], 'illegal-parameter', 'illegal-parameter'],
    ['rsa_pss_rsae_sha512', 0x0806, [rsaKey, rsa.pss], 'illegal-parameter', 'illegal-parameter'],
  ])('T113 %s', (_name, scheme, [key, signature], in12, in13) => {
    for (const crypto of [jsCrypto(), nodeCrypto()]) {
      const signed = { scheme, signature: bytes(signature) };
      const verdicts = (['1.2', '1.3'] as const).map(
        (version) =>
          judgeSignature(crypto, version, key, message, signed, 'CertificateVerify')?.code ?? 'taken',
      );
      expect([crypto.name, ...verdicts]).toEqual([crypto.name, in12, in13]);
    }
  });

  it("RFC 8422 §2: a server's key that is not of the suite's kind", () => {
    // ECDHE_ECDSA becomes ECDHE_RSA on the way, in front of a certificate of P-256.
    const changing: Wire = (sent) => {
      const at = sent.data.findIndex((byte, i) => byte === 0xc0 && sent.data[i + 1] === 0x2b);
      if (sent.from === 'client' || at < 0) return PERFECT(sent);
      const data = copyBytes(sent.data);
      data[at + 1] = 0x2f;
      return [{ data, after: 10 }];
    };
    const pair = new Pair({ wire: changing }).start().run();
    expect(pair.codes('client')).toEqual(['closed illegal-parameter']);
  });
});

describe('our own certificate on P-384', () => {
  it.each([jsCrypto(), nodeCrypto()].map((crypto) => [crypto.name, crypto] as const))(
    'is one that Node reads and verifies: %s',
    (_name, crypto) => {
      const certificate = selfSignedCertificate({ crypto, curve: 'secp384r1', random: new SeededRandom(1) });
      const witness = new X509Certificate(certificate.der);
      expect(witness.verify(witness.publicKey)).toBe(true);
      expect(witness.publicKey.export({ format: 'jwk' }).crv).toBe('P-384');
      expect(certificate.signingKey.curve).toBe('secp384r1');
      expect(certificateWithKey(certificate.der, certificate.signingKey, crypto).fingerprint).toEqual(
        certificate.fingerprint,
      );
    },
  );

  it('is not taken for one of P-256', () => {
    const { der } = selfSignedCertificate({ curve: 'secp384r1', random: new SeededRandom(1) });
    const { signingKey } = selfSignedCertificate({ random: new SeededRandom(1) });
    expect(() => certificateWithKey(der, signingKey, jsCrypto())).toThrow('not the one of the certificate');
  });

  it('is made by WebCrypto too, and survives PEM', async () => {
    const portable = await generateCertificate({ curve: 'secp384r1', crypto: nodeCrypto() });
    const again = importPem(exportPem(portable));
    expect(again.certificate.der).toEqual(portable.certificate.der);
    expect(again.certificate.signingKey.curve).toBe('secp384r1');
    const witness = new X509Certificate(portable.certificate.der);
    expect(witness.verify(witness.publicKey)).toBe(true);
  });
});
