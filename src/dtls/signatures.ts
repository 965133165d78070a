/**
 * Signature schemes (RFC 8446 §4.2.3): which are offered, which prove possession of which key, and which is ours. In DTLS
 * 1.2 the numbers are pairs of hash and kind of key (RFC 5246 §7.4.1.4.1): there ECDSA's hash says nothing about the curve,
 * and PKCS #1 is still allowed.
 *
 * Browsers sign with ECDSA on P-256; RSA and P-384 come from gateways.
 */
import type { CryptoProvider, Curve, PublicKey, SignatureAlgorithm, SigningKey } from '../crypto/provider.ts';
import type { DtlsVersion } from './cipher-suites.ts';
import type { DigitallySigned } from './messages/certificates.ts';
import type { Problem } from './problem.ts';
import { badSignature, illegalParameter, nothingInCommon } from './problem.ts';

interface SignatureScheme {
  readonly code: number;
  readonly name: string;
  readonly algorithm: SignatureAlgorithm;
  readonly keyType: PublicKey['type'];
  /** The only curve in DTLS 1.3. */
  readonly curve?: Curve;
  /** Not for the messages of DTLS 1.3, but for certificates in it. */
  readonly only12?: true;
}

/** In Chromium's order. */
const SCHEMES: readonly SignatureScheme[] = [
  {
    code: 0x0403,
    name: 'ecdsa_secp256r1_sha256',
    algorithm: 'ecdsa-sha-256',
    keyType: 'ec',
    curve: 'secp256r1',
  },
  { code: 0x0804, name: 'rsa_pss_rsae_sha256', algorithm: 'rsa-pss-sha-256', keyType: 'rsa' },
  { code: 0x0401, name: 'rsa_pkcs1_sha256', algorithm: 'rsa-pkcs1-sha-256', keyType: 'rsa', only12: true },
  {
    code: 0x0503,
    name: 'ecdsa_secp384r1_sha384',
    algorithm: 'ecdsa-sha-384',
    keyType: 'ec',
    curve: 'secp384r1',
  },
];

/** What a peer may sign with: for signature_algorithms and CertificateRequest of both versions. */
export const OFFERED_SCHEMES: readonly number[] = SCHEMES.map(({ code }) => code);

/** The scheme our key signs with, the same in both versions. */
export function schemeOf(key: SigningKey): number {
  return ourScheme(key).code;
}

/** The peer must have said that it accepts our scheme. */
export function judgeAcceptedSchemes(
  key: SigningKey,
  accepted: readonly number[] | undefined,
  peer: 'client' | 'server',
): Problem | undefined {
  const { code, name } = ourScheme(key);
  if (accepted?.includes(code) === true) return undefined;
  return nothingInCommon('signature', `The ${peer} accepts no ${name} signature.`);
}

/** The peer owns the key of its certificate: it has signed `input` with it, by a scheme that was offered. */
export function judgeSignature(
  crypto: CryptoProvider,
  version: DtlsVersion,
  publicKey: PublicKey,
  input: Uint8Array,
  signed: DigitallySigned,
  what: string,
): Problem | undefined {
  const scheme = SCHEMES.find(({ code }) => code === signed.scheme);
  if (scheme === undefined || (version === '1.3' && scheme.only12 === true)) {
    return illegalParameter(`${what} has a signature of a scheme that was not offered.`);
  }
  const isOfKey =
    scheme.keyType === publicKey.type &&
    (version === '1.2' || publicKey.type === 'rsa' || publicKey.curve === scheme.curve);
  if (!isOfKey) return illegalParameter(`${what} has a signature that the peer's key cannot make.`);
  if (crypto.verify(scheme.algorithm, publicKey, input, signed.signature)) return undefined;
  return badSignature(`The signature of ${what} is not that of the peer's certificate.`);
}

function ourScheme(key: SigningKey): SignatureScheme {
  return SCHEMES.find(({ curve }) => curve === key.curve) ?? SCHEMES[0]!;
}
