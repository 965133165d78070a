/**
 * Certificates as WebRTC uses them (RFC 8827 §6.5): self-signed, their only meaning is their fingerprint in the SDP.
 *
 * Ours are X.509 v3 with an ECDSA key on P-256 or P-384, written from one template of about 280 bytes, at once and without a clock.
 * Of the peer's only the public key is read: its names, dates, extensions and signature say nothing that the
 * fingerprint does not, and RFC 9925 allows certificates without a signature.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes, equalBytes } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure, isFailure } from '../../core/decode.ts';
import { badArgument, RtcError } from '../../core/errors.ts';
import type { OptionRule, OptionRules } from '../../core/options.ts';
import { bytes, checkOptions, isBytes, number, oneOf, text } from '../../core/options.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomBytes, randomRule, systemRandom } from '../../core/random.ts';
import { encodeUtf8 } from '../../core/text.ts';
import type { CryptoProvider, Curve, PublicKey, SigningKey } from '../../crypto/index.ts';
import { cryptoRule, jsCrypto } from '../../crypto/index.ts';
import { isUncompressedPoint, NIST_CURVES } from '../../crypto/scalar.ts';
import {
  DER_BIT_STRING,
  DER_INTEGER,
  DER_SEQUENCE,
  DER_SET,
  DER_UTF8_STRING,
  derBitString,
  derContext,
  derInteger,
  derObjectIdentifier,
  DerReader,
  derTime,
  derValue,
} from './der.ts';
import type { Fingerprint } from './fingerprint.ts';
import { fingerprintOf, fingerprintRule } from './fingerprint.ts';

/** A certificate with its private key. Immutable: any number of connections share one. */
export interface Certificate {
  /** The X.509 certificate; do not write to it. */
  readonly der: Bytes;
  readonly signingKey: SigningKey;
  /** SHA-256 of `der`. */
  readonly fingerprint: Fingerprint;
}

/** What a self-signed certificate may be told; all of it has a default. */
export interface SelfSignedCertificateOptions {
  /** Where key and serial number come from; the platform's generator by default. */
  readonly random?: RandomSource | undefined;
  /** Who signs, now and in every handshake; `jsCrypto()` by default. */
  readonly crypto?: CryptoProvider | undefined;
  /** The curve of the key; secp256r1 by default, which alone every WebRTC peer must know (RFC 8827 §6.5). */
  readonly curve?: Curve | undefined;
  /** The private key, 32 bytes (48 on secp384r1), 1 … n−1; drawn from `random` by default. */
  readonly scalar?: Uint8Array | undefined;
  /** The name of issuer and subject, 1 … 64 characters; `WebRTC` by default. */
  readonly commonName?: string | undefined;
  /** Start of validity in ms since 1970, to the second; 2020-01-01 by default. */
  readonly notBefore?: number | undefined;
  /** End of validity in ms since 1970, to the second; 2049-12-31 by default. */
  readonly notAfter?: number | undefined;
}

const DEFAULT_NOT_BEFORE = 1_577_836_800_000;
/** The last second that fits a UTCTime, which every parser knows. */
const DEFAULT_NOT_AFTER = 2_524_607_999_000;
/** 9999-12-31T23:59:59Z, the last time X.509 can say (RFC 5280 §4.1.2.5). */
const MAX_TIME = 253_402_300_799_000;

/** RFC 5280 appendix A.1, ub-common-name. */
const MAX_COMMON_NAME = 64;

/** Larger certificates are refused unread; those of browsers have 280 to 900 bytes. */
export const MAX_CERTIFICATE_LENGTH = 16_384;

const OID_EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const OID_RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
/** RFC 5480 §2.1.1.1. */
const CURVE_OIDS: Readonly<Record<Curve, string>> = {
  secp256r1: '1.2.840.10045.3.1.7',
  secp384r1: '1.3.132.0.34',
};
/** ECDSA with the hash that `SigningKey` takes on each curve (RFC 5758 §3.2). */
const SIGNATURE_OIDS: Readonly<Record<Curve, string>> = {
  secp256r1: '1.2.840.10045.4.3.2',
  secp384r1: '1.2.840.10045.4.3.3',
};
const OID_COMMON_NAME = '2.5.4.3';

const CURVES: readonly Curve[] = ['secp256r1', 'secp384r1'];

/** What a `curve` option must be. */
export const curveRule: OptionRule = /* @__PURE__ */ oneOf(CURVES);

const RULES: OptionRules<SelfSignedCertificateOptions> = {
  random: randomRule,
  crypto: cryptoRule,
  curve: curveRule,
  scalar: bytes,
  commonName: /* @__PURE__ */ text(1, MAX_COMMON_NAME),
  notBefore: /* @__PURE__ */ number(0, MAX_TIME),
  notAfter: /* @__PURE__ */ number(0, MAX_TIME),
};

/** What a `certificate` option must be. */
export const certificateRule: OptionRule = (value, name) => {
  const expected = 'a certificate, of selfSignedCertificate() for one';
  if (typeof value !== 'object' || value === null) throw badArgument(name, expected, value);
  const { der, signingKey, fingerprint } = value as Partial<Certificate>;
  if (!isBytes(der) || typeof signingKey?.sign !== 'function') throw badArgument(name, expected, value);
  fingerprintRule(fingerprint, `${name}.fingerprint`);
};

/**
 * Makes a certificate and its key. The same `random`, options and a `crypto` of deterministic signatures give the same
 * bytes: never use a seeded source outside of tests.
 * Throws `ERR_BAD_ARGUMENT` for options out of range.
 */
export function selfSignedCertificate(options: SelfSignedCertificateOptions = {}): Certificate {
  checkOptions('selfSignedCertificate', options, RULES);
  const random = options.random ?? systemRandom;
  const crypto = options.crypto ?? jsCrypto();
  const name = distinguishedName(options.commonName ?? 'WebRTC');
  const validity = validityPeriod(
    options.notBefore ?? DEFAULT_NOT_BEFORE,
    options.notAfter ?? DEFAULT_NOT_AFTER,
  );
  const curve = options.curve ?? 'secp256r1';
  const signingKey = crypto.signingKey(options.scalar ?? crypto.generateScalar(random, curve), curve);
  const signatureAlgorithm = derValue(DER_SEQUENCE, derObjectIdentifier(SIGNATURE_OIDS[curve]));
  // RFC 5280 §4.1: TBSCertificate.
  const tbsCertificate = derValue(
    DER_SEQUENCE,
    derValue(derContext(0), derInteger(Uint8Array.of(2))),
    derInteger(serialNumber(random)),
    signatureAlgorithm,
    name,
    validity,
    name,
    subjectPublicKeyInfo(signingKey),
  );
  const signature = derBitString(signingKey.sign(tbsCertificate));
  const der = derValue(DER_SEQUENCE, tbsCertificate, signatureAlgorithm, signature);
  return bindCertificate(der, signingKey, crypto);
}

/**
 * A certificate made elsewhere with its private key.
 * @param der copied. Throws `ERR_CERTIFICATE` unless it holds the public key of `signingKey`.
 */
export function certificateWithKey(
  der: Uint8Array,
  signingKey: SigningKey,
  crypto: CryptoProvider,
): Certificate {
  const publicKey = publicKeyOf(der);
  if (isFailure(publicKey)) {
    throw new RtcError('ERR_CERTIFICATE', `the certificate cannot be used: ${publicKey.reason}`);
  }
  const isOurs =
    publicKey.type === 'ec' &&
    publicKey.curve === signingKey.curve &&
    equalBytes(publicKey.point, signingKey.publicKey);
  if (!isOurs) {
    throw new RtcError('ERR_CERTIFICATE', 'the private key is not the one of the certificate');
  }
  return bindCertificate(copyBytes(der), signingKey, crypto);
}

function bindCertificate(der: Bytes, signingKey: SigningKey, crypto: CryptoProvider): Certificate {
  return Object.freeze({
    der,
    signingKey,
    fingerprint: Object.freeze(fingerprintOf(der, 'sha-256', crypto)),
  });
}

/**
 * 16 bytes, always positive and always of the same length. Firefox refuses a second certificate of the same issuer and
 * serial number.
 */
function serialNumber(random: RandomSource): Bytes {
  const serial = randomBytes(random, 16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return serial;
}

function distinguishedName(commonName: string): Bytes {
  const value = derValue(DER_UTF8_STRING, encodeUtf8(commonName));
  const attribute = derValue(DER_SEQUENCE, derObjectIdentifier(OID_COMMON_NAME), value);
  return derValue(DER_SEQUENCE, derValue(DER_SET, attribute));
}

function validityPeriod(notBefore: number, notAfter: number): Bytes {
  if (!(notAfter > notBefore)) throw badArgument('notAfter', 'a time after notBefore', notAfter);
  return derValue(DER_SEQUENCE, derTime(notBefore), derTime(notAfter));
}

/** RFC 5480 §2. */
function subjectPublicKeyInfo(key: SigningKey): Bytes {
  return derValue(DER_SEQUENCE, ecKeyAlgorithm(key.curve), derBitString(key.publicKey));
}

/** The AlgorithmIdentifier of a key, in certificates and in PKCS #8 (RFC 5480 §2.1.1). */
export function ecKeyAlgorithm(curve: Curve): Bytes {
  return derValue(
    DER_SEQUENCE,
    derObjectIdentifier(OID_EC_PUBLIC_KEY),
    derObjectIdentifier(CURVE_OIDS[curve]),
  );
}

const TOO_LARGE: DecodeFailure = /* @__PURE__ */ decodeFailure('certificate-too-large');
const MALFORMED: DecodeFailure = /* @__PURE__ */ decodeFailure('certificate-malformed');
const UNSUPPORTED_KEY: DecodeFailure = /* @__PURE__ */ decodeFailure('certificate-key-unsupported');

/**
 * The public key of a certificate: an uncompressed point of P-256 or P-384, or an RSA key. Whether it is any good (on the
 * curve, of a safe size) is for the provider's `verify` to say. Never throws; fails with `certificate-too-large`,
 * `certificate-malformed` or `certificate-key-unsupported` (another algorithm or curve, a compressed point).
 */
export function publicKeyOf(der: Uint8Array): PublicKey | DecodeFailure {
  if (der.length > MAX_CERTIFICATE_LENGTH) return TOO_LARGE;
  const reader = new DerReader(der);
  reader.enter(DER_SEQUENCE);
  reader.enter(DER_SEQUENCE); // tbsCertificate
  if (reader.isNext(derContext(0))) reader.skip(derContext(0)); // version
  reader.skip(DER_INTEGER); // serialNumber
  reader.skip(DER_SEQUENCE); // signature
  reader.skip(DER_SEQUENCE); // issuer
  reader.skip(DER_SEQUENCE); // validity
  reader.skip(DER_SEQUENCE); // subject
  reader.enter(DER_SEQUENCE); // subjectPublicKeyInfo
  reader.enter(DER_SEQUENCE); // algorithm
  const algorithm = reader.objectIdentifier();
  const parameters = algorithm === OID_EC_PUBLIC_KEY ? reader.objectIdentifier() : '';
  reader.leave();
  const key = reader.content(DER_BIT_STRING);
  reader.leave();
  reader.leave(); // what follows in tbsCertificate: extensions
  reader.skip(DER_SEQUENCE); // signatureAlgorithm
  reader.skip(DER_BIT_STRING); // signatureValue
  const isWhole = reader.atEnd();
  reader.leave();
  if (reader.failed || !isWhole || !reader.atEnd()) return MALFORMED;
  // The first byte of a BIT STRING counts unused bits; keys are whole bytes.
  if (key[0] !== 0) return UNSUPPORTED_KEY;
  if (algorithm === OID_RSA_ENCRYPTION) return rsaKey(key.subarray(1));
  return algorithm === OID_EC_PUBLIC_KEY ? ecKey(parameters, key.subarray(1)) : UNSUPPORTED_KEY;
}

function ecKey(curveOid: string, point: Uint8Array): PublicKey | DecodeFailure {
  const curve = CURVES.find((name) => CURVE_OIDS[name] === curveOid);
  if (curve === undefined || !isUncompressedPoint(point, NIST_CURVES[curve])) return UNSUPPORTED_KEY;
  return { type: 'ec', curve, point: copyBytes(point) };
}

/** RFC 8017 A.1.1: modulus and exponent. */
function rsaKey(key: Uint8Array): PublicKey | DecodeFailure {
  const reader = new DerReader(key);
  reader.enter(DER_SEQUENCE);
  const modulus = magnitude(reader.content(DER_INTEGER));
  const exponent = magnitude(reader.content(DER_INTEGER));
  const isWhole = reader.atEnd();
  reader.leave();
  if (reader.failed || !isWhole || !reader.atEnd() || modulus === undefined || exponent === undefined) {
    return MALFORMED;
  }
  return { type: 'rsa', modulus, exponent };
}

/** The number of a positive INTEGER, without its sign; `undefined` for zero, negative and padded ones. */
function magnitude(content: Uint8Array): Bytes | undefined {
  const [first = 0x80, second = 0] = content;
  if (first >= 0x80 || (first === 0 && second < 0x80)) return undefined;
  return copyBytes(content, first === 0 ? 1 : 0);
}
