/**
 * `sansrtc/certificate`: what the core's one-template certificate does not do. Certificates with names and dates of
 * their own through WebCrypto, PEM and DER in and out, and a readable view of the peer's certificate.
 *
 * It stands on @peculiar/x509, which weighs as much as the rest of the library, needs a global `reflect-metadata`
 * (loaded here, first) and works with promises: therefore an entry point of its own, which nothing else imports. Both
 * are for you to install beside this package: `npm install @peculiar/x509 reflect-metadata`.
 *
 * @module
 */
import 'reflect-metadata';
import { PemConverter, X509Certificate, X509CertificateGenerator } from '@peculiar/x509';
import type { Bytes } from './core/bytes.ts';
import { copyBytes } from './core/bytes.ts';
import { isFailure } from './core/decode.ts';
import { badArgument, RtcError } from './core/errors.ts';
import type { OptionRule, OptionRules } from './core/options.ts';
import { checkOptions, text } from './core/options.ts';
import type { CryptoProvider, Curve, SigningKey } from './crypto/index.ts';
import { cryptoRule, jsCrypto } from './crypto/index.ts';
import type { Certificate } from './dtls/certificate/certificate.ts';
import {
  certificateWithKey,
  curveRule,
  ecKeyAlgorithm,
  MAX_CERTIFICATE_LENGTH,
  publicKeyOf,
} from './dtls/certificate/certificate.ts';
import {
  DER_INTEGER,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derBitString,
  derContext,
  derInteger,
  DerReader,
  derValue,
} from './dtls/certificate/der.ts';
import type { Fingerprint } from './dtls/certificate/fingerprint.ts';
import { fingerprintOf } from './dtls/certificate/fingerprint.ts';

export type { Certificate } from './dtls/certificate/certificate.ts';
export type { Fingerprint } from './dtls/certificate/fingerprint.ts';

/** A certificate whose private key can be written down. `certificate` is what a connection takes. */
export interface PortableCertificate {
  readonly certificate: Certificate;
  /** PKCS #8 (RFC 5958), DER. A secret: whoever has it can take the owner's place. */
  readonly privateKey: Bytes;
}

/** What `generateCertificate` takes. */
export interface GenerateCertificateOptions {
  /** Subject and issuer as RFC 4514 writes names; `CN=WebRTC` by default. */
  readonly name?: string | undefined;
  /** secp256r1 by default, which alone every WebRTC peer must know (RFC 8827 §6.5). */
  readonly curve?: Curve | undefined;
  /** Start of validity; a day ago by default, for peers whose clock is behind. */
  readonly notBefore?: Date | undefined;
  /** End of validity; 30 days from now by default. */
  readonly notAfter?: Date | undefined;
  /** Who signs in handshakes; `jsCrypto()` by default. */
  readonly crypto?: CryptoProvider | undefined;
}

/** What `importPem` and `importDer` take besides the certificate. */
export interface ImportCertificateOptions {
  /** Who signs in handshakes; `jsCrypto()` by default. */
  readonly crypto?: CryptoProvider | undefined;
}

const timeRule: OptionRule = (value, name) => {
  if (!(value instanceof Date) || Number.isNaN(value.getTime()))
    throw badArgument(name, 'a valid Date', value);
};

const IMPORT_RULES: OptionRules<ImportCertificateOptions> = { crypto: cryptoRule };

const GENERATE_RULES: OptionRules<GenerateCertificateOptions> = {
  ...IMPORT_RULES,
  name: text(1),
  curve: curveRule,
  notBefore: timeRule,
  notAfter: timeRule,
};

const MS_PER_DAY = 86_400_000;

/**
 * Makes an ECDSA key with WebCrypto and a certificate for it.
 * Rejects with `ERR_BAD_ARGUMENT` for an empty period, and with what WebCrypto or the name's parser say.
 */
export async function generateCertificate(
  options: GenerateCertificateOptions = {},
): Promise<PortableCertificate> {
  checkOptions('generateCertificate', options, GENERATE_RULES);
  const now = Date.now();
  const notBefore = options.notBefore ?? new Date(now - MS_PER_DAY);
  const notAfter = options.notAfter ?? new Date(now + 30 * MS_PER_DAY);
  if (!(notAfter > notBefore)) throw badArgument('notAfter', 'a time after notBefore', notAfter.getTime());
  const [namedCurve, hash] = options.curve === 'secp384r1' ? ['P-384', 'SHA-384'] : ['P-256', 'SHA-256'];
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: options.name ?? 'CN=WebRTC',
    notBefore,
    notAfter,
    keys,
    signingAlgorithm: { name: 'ECDSA', hash },
  });
  const privateKey = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return importDer(new Uint8Array(certificate.rawData), new Uint8Array(privateKey), {
    crypto: options.crypto,
  });
}

/**
 * A certificate and its key from DER: the key as PKCS #8 or as SEC 1 (RFC 5915). Nothing is kept of the arguments.
 * Throws `ERR_CERTIFICATE` if either cannot be used (only ECDSA keys on P-256 and P-384 can) or they do not belong together.
 */
export function importDer(
  certificate: Uint8Array,
  privateKey: Uint8Array,
  options: ImportCertificateOptions = {},
): PortableCertificate {
  checkOptions('importDer', options, IMPORT_RULES);
  const crypto = options.crypto ?? jsCrypto();
  return portableCertificate(certificate, privateScalar(privateKey), crypto);
}

/**
 * A certificate and its key from PEM, both in one text or one after the other: the first `CERTIFICATE` and the first
 * `PRIVATE KEY` or `EC PRIVATE KEY` (RFC 7468). Throws `ERR_CERTIFICATE` as `importDer` does, and for encrypted keys.
 */
export function importPem(pem: string, options: ImportCertificateOptions = {}): PortableCertificate {
  checkOptions('importPem', options, IMPORT_RULES);
  const blocks = decodePem(pem);
  const certificate = blocks.find((block) => block.type === 'CERTIFICATE');
  const key = blocks.find((block) => block.type === 'PRIVATE KEY' || block.type === 'EC PRIVATE KEY');
  if (certificate === undefined) throw unusable('the text has no CERTIFICATE');
  if (key === undefined) throw unusable('the text has no unencrypted PRIVATE KEY');
  return importDer(new Uint8Array(certificate.rawData), new Uint8Array(key.rawData), options);
}

/**
 * Certificate and private key as one PEM text, as `importPem` takes it. The text is a secret.
 */
export function exportPem(portable: PortableCertificate): string {
  return PemConverter.encode([
    { type: 'CERTIFICATE', rawData: arrayBuffer(portable.certificate.der) },
    { type: 'PRIVATE KEY', rawData: arrayBuffer(portable.privateKey) },
  ]);
}

/** The certificate alone as PEM; it holds no secret. */
export function exportCertificatePem(certificate: Uint8Array): string {
  return PemConverter.encode(arrayBuffer(certificate), 'CERTIFICATE');
}

/** What a certificate says. None of it is proved: only the fingerprint means something in WebRTC. */
export interface CertificateDescription {
  /** RFC 4514 text. */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** As WebCrypto names it: `{ name: 'ECDSA', namedCurve: 'P-256' }`. */
  readonly publicKeyAlgorithm: Readonly<Record<string, unknown>>;
  readonly signatureAlgorithm: Readonly<Record<string, unknown>>;
  /** SHA-256. */
  readonly fingerprint: Fingerprint;
}

/**
 * Describes a certificate, usually the peer's.
 * @param der copied. Throws `ERR_CERTIFICATE` for what is not X.509 or has more than 16 KiB.
 */
export function describeCertificate(der: Uint8Array): CertificateDescription {
  if (der.length > MAX_CERTIFICATE_LENGTH) throw unusable(`more than ${MAX_CERTIFICATE_LENGTH} bytes`);
  const certificate = parseCertificate(der);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    serialNumber: certificate.serialNumber,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    publicKeyAlgorithm: { ...certificate.publicKey.algorithm },
    signatureAlgorithm: { ...certificate.signatureAlgorithm },
    fingerprint: fingerprintOf(der, 'sha-256', jsCrypto()),
  };
}

function parseCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(arrayBuffer(der));
  } catch {
    throw unusable('not an X.509 certificate');
  }
}

function decodePem(pem: string): ReturnType<typeof PemConverter.decodeWithHeaders> {
  try {
    return PemConverter.decodeWithHeaders(pem);
  } catch {
    throw unusable('not PEM');
  }
}

function portableCertificate(
  der: Uint8Array,
  scalar: Uint8Array,
  crypto: CryptoProvider,
): PortableCertificate {
  const publicKey = publicKeyOf(der);
  if (isFailure(publicKey)) throw unusable(publicKey.reason);
  if (publicKey.type !== 'ec') throw unusable('its key is of RSA');
  let signingKey;
  try {
    signingKey = crypto.signingKey(scalar, publicKey.curve);
  } catch {
    throw unusable(`the private key is not a scalar of ${publicKey.curve}`);
  }
  const certificate = certificateWithKey(der, signingKey, crypto);
  return Object.freeze({ certificate, privateKey: encodePrivateKey(scalar, signingKey) });
}

/** PKCS #8 around RFC 5915: version, algorithm, and the key with its public half. */
function encodePrivateKey(scalar: Uint8Array, key: SigningKey): Bytes {
  const ecPrivateKey = derValue(
    DER_SEQUENCE,
    derInteger(Uint8Array.of(1)),
    derValue(DER_OCTET_STRING, scalar),
    derValue(derContext(1), derBitString(key.publicKey)),
  );
  return derValue(
    DER_SEQUENCE,
    derInteger(Uint8Array.of(0)),
    ecKeyAlgorithm(key.curve),
    derValue(DER_OCTET_STRING, ecPrivateKey),
  );
}

/** The scalar of a key in PKCS #8 or SEC 1: the latter goes on with an OCTET STRING where the former has a SEQUENCE. */
function privateScalar(privateKey: Uint8Array): Uint8Array {
  const reader = new DerReader(privateKey);
  reader.enter(DER_SEQUENCE);
  reader.skip(DER_INTEGER);
  if (!reader.isNext(DER_SEQUENCE)) return scalarContent(reader);
  // Whether the key is of the right curve shows when its public half is compared with the certificate's.
  reader.skip(DER_SEQUENCE);
  reader.enter(DER_OCTET_STRING);
  reader.enter(DER_SEQUENCE);
  reader.skip(DER_INTEGER);
  return scalarContent(reader);
}

function scalarContent(reader: DerReader): Uint8Array {
  const scalar = reader.content(DER_OCTET_STRING);
  if (reader.failed) throw unusable('the private key is neither PKCS #8 nor SEC 1 of an elliptic curve');
  return scalar;
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return copyBytes(bytes).buffer;
}

function unusable(why: string): RtcError {
  return new RtcError('ERR_CERTIFICATE', `the certificate cannot be used: ${why}`);
}
