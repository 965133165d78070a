/**
 * Long-term credentials (RFC 8489 §9.2): keys made of username, realm and password, the hash that hides a username, the
 * algorithms that a server offers, and what the beginning of its nonce says. No state: that is the client's or the server's.
 */
import { concatBytes, readU16, writeU16 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import { encodeUtf8, fromBase64, toBase64 } from '../core/text.ts';
import type { CryptoProvider } from '../crypto/provider.ts';

/** How the password becomes a key (RFC 8489 §18.5). */
export type PasswordAlgorithm = 'md5' | 'sha-256';

/** Numbers of the registry. */
const ALGORITHM_NUMBERS: Readonly<Record<PasswordAlgorithm, number>> = { md5: 1, 'sha-256': 2 };

/** Who asks for something, and where the name is known. */
export interface LongTermCredentials {
  readonly username: string;
  readonly realm: string;
  readonly password: string;
}

/**
 * The key of MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (§18.5.1): a hash of `username:realm:password`, 16 or 32 bytes.
 * Realm and password are brought into the form of an OpaqueString (RFC 8265 §4.2) first.
 */
export function longTermKey(
  crypto: CryptoProvider,
  algorithm: PasswordAlgorithm,
  { username, realm, password }: LongTermCredentials,
): Bytes {
  const text = `${username}:${opaqueString(realm)}:${opaqueString(password)}`;
  return crypto.hash(algorithm).update(encodeUtf8(text)).digest();
}

/** USERHASH: SHA-256 of `username:realm` (§14.4), 32 bytes, for servers that want usernames hidden. */
export function userhash(crypto: CryptoProvider, username: string, realm: string): Bytes {
  return crypto
    .hash('sha-256')
    .update(encodeUtf8(`${username}:${opaqueString(realm)}`))
    .digest();
}

/** RFC 8265 §4.2.2: every kind of space is a space, and composed characters are composed. ASCII stays what it is. */
function opaqueString(text: string): string {
  return text.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC');
}

/** What a nonce says of its server (§18.1): both false where it says nothing. */
export interface SecurityFeatures {
  /** PASSWORD-ALGORITHMS comes with it; where it does not, somebody has taken it out. */
  readonly passwordAlgorithms: boolean;
  /** Clients say USERHASH, not USERNAME. */
  readonly usernameAnonymity: boolean;
}

/** The "nonce cookie" (§9.2). Four characters of Base64 follow: 24 bits, the first feature the lowest (erratum 6268). */
const NONCE_COOKIE = 'obMatJos2';
const FEATURES_LENGTH = 4;

/** Reads the features off a nonce's beginning. */
export function securityFeatures(nonce: string): SecurityFeatures {
  const coded = nonce.slice(NONCE_COOKIE.length, NONCE_COOKIE.length + FEATURES_LENGTH);
  const bits = nonce.startsWith(NONCE_COOKIE) ? fromBase64(coded) : undefined;
  const lowest = bits?.length === 3 ? bits[2]! : 0;
  return { passwordAlgorithms: (lowest & 1) !== 0, usernameAnonymity: (lowest & 2) !== 0 };
}

/** What a nonce begins with that says `features`, 13 characters. */
export function nonceCookie({ passwordAlgorithms, usernameAnonymity }: SecurityFeatures): string {
  const bits = (passwordAlgorithms ? 1 : 0) | (usernameAnonymity ? 2 : 0);
  return NONCE_COOKIE + toBase64(Uint8Array.of(0, 0, bits));
}

/** The value of PASSWORD-ALGORITHM, or of PASSWORD-ALGORITHMS (§14.11, §14.12): none of ours has parameters. */
export function encodePasswordAlgorithms(algorithms: readonly PasswordAlgorithm[]): Bytes {
  const coded = algorithms.map((algorithm) => {
    const one = new Uint8Array(4);
    writeU16(one, 0, ALGORITHM_NUMBERS[algorithm]);
    return one;
  });
  return concatBytes(...coded);
}

/** The algorithms of such a value that are known here, in its order; none for a value that is malformed. */
export function decodePasswordAlgorithms(value: Uint8Array): PasswordAlgorithm[] {
  const known: PasswordAlgorithm[] = [];
  let at = 0;
  while (at + 4 <= value.length) {
    const number = readU16(value, at);
    const length = readU16(value, at + 2);
    if (length === 0 && number === ALGORITHM_NUMBERS.md5) known.push('md5');
    if (length === 0 && number === ALGORITHM_NUMBERS['sha-256']) known.push('sha-256');
    at += 4 + length + (-length & 3);
  }
  return at === value.length ? known : [];
}
