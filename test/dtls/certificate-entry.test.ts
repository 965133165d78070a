/** The entry `sansrtc/certificate`: PEM and DER in and out, generation through WebCrypto, description. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  describeCertificate,
  exportCertificatePem,
  exportPem,
  generateCertificate,
  importDer,
  importPem,
} from '../../src/certificate.ts';
import { concatBytes } from '../../src/core/bytes.ts';
import { RtcError } from '../../src/core/errors.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { encodeUtf8 } from '../../src/core/text.ts';
import type { CryptoProvider } from '../../src/crypto/index.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Certificate } from '../../src/dtls/certificate/certificate.ts';
import { selfSignedCertificate } from '../../src/dtls/certificate/certificate.ts';

async function messageOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    return error instanceof RtcError ? `${error.code} ${error.message}` : 'not an RtcError';
  }
  return 'nothing thrown';
}

function isSignedBy(
  crypto: CryptoProvider,
  { signingKey }: Certificate,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { curve, publicKey: point } = signingKey;
  const algorithm = curve === 'secp256r1' ? 'ecdsa-sha-256' : 'ecdsa-sha-384';
  return crypto.verify(algorithm, { type: 'ec', curve, point }, message, signature);
}

describe('generateCertificate', () => {
  it('makes what a connection takes: certificate and key fit, and node agrees', async () => {
    const { certificate, privateKey } = await generateCertificate({ name: 'CN=game.example, O=Example' });
    const witness = new X509Certificate(certificate.der);
    const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
    expect(witness.checkPrivateKey(key)).toBe(true);
    expect(witness.verify(createPublicKey(key))).toBe(true);
    expect(witness.subject).toBe('CN=game.example\nO=Example');
    expect(certificate.fingerprint.value).toBe(witness.fingerprint256);
    const message = encodeUtf8('signed in a handshake');
    const signature = certificate.signingKey.sign(message);
    expect(isSignedBy(nodeCrypto(), certificate, message, signature)).toBe(true);
  });

  it('is valid from a day ago for 30 days on, or as told', async () => {
    const day = 86_400_000;
    const usual = describeCertificate((await generateCertificate()).certificate.der);
    expect(usual.subject).toBe('CN=WebRTC');
    expect(usual.notAfter.getTime() - usual.notBefore.getTime()).toBe(31 * day);
    const notBefore = new Date('2026-01-01T00:00:00Z');
    const notAfter = new Date('2060-01-01T00:00:00Z');
    const told = describeCertificate((await generateCertificate({ notBefore, notAfter })).certificate.der);
    expect([told.notBefore, told.notAfter]).toEqual([notBefore, notAfter]);
    expect(await messageOf(() => generateCertificate({ notBefore: notAfter, notAfter: notBefore }))).toMatch(
      /^ERR_BAD_ARGUMENT/,
    );
  });

  it('signs with the provider given', async () => {
    const { certificate } = await generateCertificate({ crypto: nodeCrypto() });
    const message = encodeUtf8('x');
    const signature = certificate.signingKey.sign(message);
    expect(isSignedBy(jsCrypto(), certificate, message, signature)).toBe(true);
  });
});

describe('PEM and DER', () => {
  const scalar = jsCrypto().generateScalar(new SeededRandom(1));
  const { der } = selfSignedCertificate({ random: new SeededRandom(2), scalar });
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      d: Buffer.from(scalar).toString('base64url'),
      x: Buffer.from(jsCrypto().signingKey(scalar).publicKey.subarray(1, 33)).toString('base64url'),
      y: Buffer.from(jsCrypto().signingKey(scalar).publicKey.subarray(33)).toString('base64url'),
    },
  });
  const pkcs8 = new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }));
  const sec1 = new Uint8Array(key.export({ format: 'der', type: 'sec1' }));

  it('survive a round trip through PEM', () => {
    const portable = importDer(der, pkcs8);
    const pem = exportPem(portable);
    expect(pem).toMatch(/^-----BEGIN CERTIFICATE-----\n[^]*-----END PRIVATE KEY-----\n?$/);
    const again = importPem(pem);
    expect(again.certificate.der).toEqual(der);
    expect(again.privateKey).toEqual(portable.privateKey);
    expect(again.certificate.fingerprint).toEqual(portable.certificate.fingerprint);
  });

  it('come out as node reads and writes them', () => {
    const portable = importDer(der, pkcs8);
    expect(portable.privateKey).toEqual(pkcs8);
    const pem = exportPem(portable);
    expect(createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })).toEqual(Buffer.from(pkcs8));
    expect(new Uint8Array(new X509Certificate(pem).raw)).toEqual(der);
    expect(new Uint8Array(new X509Certificate(exportCertificatePem(der)).raw)).toEqual(der);
    expect(exportCertificatePem(der)).not.toContain('PRIVATE');
  });

  it('come in as openssl writes them: SEC 1 keys, parameters, CRLF, either order', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const pem = parameters + String(key.export({ format: 'pem', type: 'sec1' })) + exportCertificatePem(der);
    expect(importPem(pem.replaceAll('\n', '\r\n')).privateKey).toEqual(pkcs8);
    expect(importDer(der, sec1).privateKey).toEqual(pkcs8);
  });

  it('refuses what does not belong together', async () => {
    const other = selfSignedCertificate({ random: new SeededRandom(3) });
    expect(await messageOf(() => importDer(other.der, pkcs8))).toMatch(/^ERR_CERTIFICATE.*not the one/);
  });

  it('refuses keys it cannot use: RSA, P-384, truncated', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    for (const unusable of [rsa, p384]) {
      const bytes = new Uint8Array(unusable.export({ format: 'der', type: 'pkcs8' }));
      expect(await messageOf(() => importDer(der, bytes))).toMatch(/^ERR_CERTIFICATE.*private key/);
    }
    for (let length = 0; length < 60; length++) {
      expect(await messageOf(() => importDer(der, pkcs8.subarray(0, length)))).toMatch(/^ERR_CERTIFICATE/);
    }
  });

  it('refuses PEM without a certificate, without a key, with an encrypted key', async () => {
    const cipher = { cipher: 'aes-128-cbc', passphrase: 'secret' };
    const encrypted = String(key.export({ format: 'pem', type: 'pkcs8', ...cipher }));
    const legacy = String(key.export({ format: 'pem', type: 'sec1', ...cipher }));
    const certificate = exportCertificatePem(der);
    const plain = String(key.export({ format: 'pem', type: 'pkcs8' }));
    for (const pem of [
      '',
      'hello',
      certificate,
      plain,
      certificate + encrypted,
      `${certificate}\n${legacy}`,
    ]) {
      expect(await messageOf(() => importPem(pem))).toMatch(/^ERR_CERTIFICATE/);
    }
  });

  it('never tells a private key in an error (SEC-21)', async () => {
    const broken = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(pkcs8).toString('base64')}*\n-----END PRIVATE KEY-----`;
    const message = await messageOf(() => importPem(exportCertificatePem(der) + broken));
    expect(message).toMatch(/^ERR_CERTIFICATE/);
    expect(message).not.toContain(Buffer.from(pkcs8).toString('base64').slice(40, 60));
  });
});

describe('describeCertificate', () => {
  it("tells what a certificate says, as x509's names have it", () => {
    const { der, fingerprint } = selfSignedCertificate({ random: new SeededRandom(4), commonName: 'peer' });
    expect(describeCertificate(der)).toEqual({
      subject: 'CN=peer',
      issuer: 'CN=peer',
      serialNumber: new X509Certificate(der).serialNumber.toLowerCase(),
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('2049-12-31T23:59:59Z'),
      publicKeyAlgorithm: { name: 'ECDSA', namedCurve: 'P-256' },
      signatureAlgorithm: { name: 'ECDSA', hash: { name: 'SHA-256' } },
      fingerprint,
    });
  });

  it('throws ERR_CERTIFICATE for anything else', async () => {
    const { der } = selfSignedCertificate({ random: new SeededRandom(5) });
    for (const bytes of [new Uint8Array(0), der.subarray(0, 100), new Uint8Array(20_000)]) {
      expect(await messageOf(() => describeCertificate(bytes))).toMatch(/^ERR_CERTIFICATE/);
    }
    expect(await messageOf(() => describeCertificate(concatBytes(Uint8Array.of(0), der)))).toMatch(
      /^ERR_CERTIFICATE/,
    );
  });
});
