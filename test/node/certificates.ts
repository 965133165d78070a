/** Certificates of an authority of the tests' own, for TLS servers on loopback. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const USAGES: KeyUsage[] = ['sign', 'verify'];

/** What a server presents, and the certificate of whoever vouches for it, PEM. */
export interface IssuedCertificate {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

/** For `turn.example` and 127.0.0.1, by a new authority. */
export async function issueCertificate(): Promise<IssuedCertificate> {
  x509.cryptoProvider.set(globalThis.crypto);
  const authority = await crypto.subtle.generateKey(ALGORITHM, true, USAGES);
  const notAfter = new Date(Date.now() + 86_400_000);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test authority',
    notAfter,
    keys: authority,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const server = await crypto.subtle.generateKey(ALGORITHM, true, USAGES);
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=turn.example',
    issuer: root.subject,
    notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'turn.example' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', server.privateKey);
  return {
    ca: root.toString('pem'),
    cert: leaf.toString('pem'),
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}
