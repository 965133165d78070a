/**
 * Certificate fingerprints as SDP carries them (RFC 8122 §5): `sha-256 AB:CD:…`.
 *
 * SHA-1 and MD5 are refused: whoever can make a second certificate with the same hash can take the peer's place.
 */
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure, isFailure } from '../../core/decode.ts';
import { badArgument } from '../../core/errors.ts';
import type { OptionRule } from '../../core/options.ts';
import type { CryptoProvider } from '../../crypto/index.ts';
import { HASH_LENGTHS } from '../../crypto/index.ts';

/** A certificate's hash. */
export interface Fingerprint {
  /** The hash's name in lower case, such as `sha-256`. */
  readonly algorithm: string;
  /** Bytes in upper-case hexadecimal with colons between them: `AB:CD:…`. */
  readonly value: string;
}

/** A hash that a fingerprint may be made with; SHA-1 and MD5 are refused. */
export type FingerprintAlgorithm = 'sha-256' | 'sha-384' | 'sha-512';

/** The hashes understood, the strongest first. */
const ALGORITHMS: readonly FingerprintAlgorithm[] = ['sha-512', 'sha-384', 'sha-256'];

/** What a fingerprint given by a caller must be: its hash need not be one that is understood. */
export const fingerprintRule: OptionRule = (value, name) => {
  const { algorithm, value: digest } = (value ?? {}) as Partial<Record<keyof Fingerprint, unknown>>;
  if (typeof algorithm !== 'string' || typeof digest !== 'string') {
    throw badArgument(name, 'a fingerprint, { algorithm, value }', value);
  }
};

/** `:00` … `:FF`. */
const COLON_AND_BYTE: readonly string[] = /* @__PURE__ */ Array.from(
  { length: 256 },
  (_, byte) => `:${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

const MALFORMED: DecodeFailure = /* @__PURE__ */ decodeFailure('fingerprint-malformed');
const REFUSED: DecodeFailure = /* @__PURE__ */ decodeFailure('fingerprint-algorithm-refused');

function algorithmNamed(name: string): FingerprintAlgorithm | undefined {
  const lowerCase = name.toLowerCase();
  return ALGORITHMS.find((algorithm) => algorithm === lowerCase);
}

/** Hashes a certificate. */
export function fingerprintOf(
  der: Uint8Array,
  algorithm: FingerprintAlgorithm,
  crypto: CryptoProvider,
): Fingerprint {
  const digest = crypto.hash(algorithm).update(der).digest();
  let value = '';
  for (const byte of digest) value += COLON_AND_BYTE[byte]!;
  return { algorithm, value: value.slice(1) };
}

/**
 * Parses the value of an `a=fingerprint` line, hexadecimal of either case.
 * Fails with `fingerprint-algorithm-refused` for any hash but SHA-256, SHA-384 and SHA-512, and with
 * `fingerprint-malformed` for anything else than that hash's number of bytes.
 */
export function parseFingerprint(text: string): Fingerprint | DecodeFailure {
  const match = /^([!-~]{1,32}) +([0-9A-Fa-f:]{1,256})$/.exec(text);
  if (match === null) return MALFORMED;
  const [, algorithm = '', value = ''] = match;
  return normalizeFingerprint({ algorithm, value });
}

/** The same fingerprint in the form of `Fingerprint`; fails as `parseFingerprint` does. */
export function normalizeFingerprint(fingerprint: Fingerprint): Fingerprint | DecodeFailure {
  const algorithm = algorithmNamed(fingerprint.algorithm);
  if (algorithm === undefined) return REFUSED;
  const value = fingerprint.value.toUpperCase();
  if (value.length !== HASH_LENGTHS[algorithm] * 3 - 1) return MALFORMED;
  if (!/^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(value)) return MALFORMED;
  return { algorithm, value };
}

/** As an `a=fingerprint` line carries it. */
export function formatFingerprint(fingerprint: Fingerprint): string {
  return `${fingerprint.algorithm} ${fingerprint.value}`;
}

/**
 * True if the certificate is one of those announced. Of several hashes only the strongest announced counts, and one of
 * its fingerprints must match (RFC 8122 §5.1); a list without a usable fingerprint matches nothing.
 */
export function matchesFingerprint(
  der: Uint8Array,
  announced: readonly Fingerprint[],
  crypto: CryptoProvider,
): boolean {
  const usable = announced
    .map(normalizeFingerprint)
    .filter((fingerprint): fingerprint is Fingerprint => !isFailure(fingerprint));
  const strongest = ALGORITHMS.find((algorithm) => usable.some((one) => one.algorithm === algorithm));
  if (strongest === undefined) return false;
  const { value } = fingerprintOf(der, strongest, crypto);
  return usable.some((one) => one.algorithm === strongest && one.value === value);
}
