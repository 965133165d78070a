/**
 * Authentication: the client's side of long-term credentials with one server (RFC 8489 §9.2).
 *
 *     nothing is known ──401: realm, nonce──▶ requests are signed ──438: another nonce──▶ signed with that one
 *                                                │ setCredentials
 *                                                ▼
 *                         signed with the new ones; 441: those of before, for an allocation may be bound to them
 *
 * What a server demands may only grow: a nonce that promises PASSWORD-ALGORITHMS which are not there is not taken.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, equalBytes } from '../core/bytes.ts';
import { decodeUtf8 } from '../core/text.ts';
import type { CryptoProvider, HmacKey } from '../crypto/provider.ts';
import type { PasswordAlgorithm, StunMessage, StunWriter } from '../stun/index.ts';
import {
  StunAttributeType as Type,
  attributeText,
  attributeValue,
  decodePasswordAlgorithms,
  encodePasswordAlgorithms,
  hasAttribute,
  longTermKey,
  securityFeatures,
  userhash,
  verifyIntegrity,
  verifyIntegritySha256,
} from '../stun/index.ts';
import type { TurnCredentials } from './contract.ts';

/** What a server has told of itself. */
interface Challenge {
  readonly realm: string;
  readonly nonce: Bytes;
  readonly hidesUsernames: boolean;
  /** PASSWORD-ALGORITHMS as they came, to be told back. */
  readonly offered: Bytes | undefined;
  /** The first of these that is known here; `md5` where none are offered (§9.2.2). */
  readonly algorithm: PasswordAlgorithm;
}

/** What a request was signed with: its response must be signed alike. */
export interface Signature {
  readonly key: HmacKey;
  readonly isSha256: boolean;
  readonly nonce: Bytes;
  /** Which credentials these were, by number. */
  readonly credentials: number;
}

/** Credentials, what the server wants of them, and the key that both make. */
export class Authentication {
  readonly #crypto: CryptoProvider;
  #credentials: TurnCredentials;
  #previous: TurnCredentials | undefined;
  #number = 0;
  #challenge: Challenge | undefined;
  #key: HmacKey | undefined;

  constructor(crypto: CryptoProvider, credentials: TurnCredentials) {
    this.#crypto = crypto;
    this.#credentials = { ...credentials };
  }

  /** When those in use expire, milliseconds; `Infinity`: never. */
  get expiresAt(): number {
    return this.#credentials.expiresAt ?? Infinity;
  }

  /** The number of those in use: another one after each change. */
  get credentialsNumber(): number {
    return this.#number;
  }

  /** What the server calls the place where usernames are known; `undefined` before it has. */
  get realm(): string | undefined {
    return this.#challenge?.realm;
  }

  /** True once requests are signed. */
  get isChallenged(): boolean {
    return this.#challenge !== undefined;
  }

  /** @returns false: they are the same, with another end at the most */
  setCredentials(credentials: TurnCredentials): boolean {
    const { username, password } = this.#credentials;
    if (username === credentials.username && password === credentials.password) {
      this.#credentials = { ...credentials };
      return false;
    }
    this.#previous = this.#credentials;
    this.#use({ ...credentials });
    return true;
  }

  /** Back to the credentials of before. @returns false when there are none */
  fallBack(): boolean {
    if (this.#previous === undefined) return false;
    const previous = this.#previous;
    this.#previous = undefined;
    this.#use(previous);
    return true;
  }

  /** Those in use have been accepted: from here on there is no way back. */
  accepted(): void {
    this.#previous = undefined;
  }

  /** Forgets what the server has said: this is another one, or another 5-tuple, to which a nonce may be bound. */
  reset(): void {
    this.#challenge = undefined;
    this.#key = undefined;
  }

  #use(credentials: TurnCredentials): void {
    this.#credentials = credentials;
    this.#number++;
    this.#key = undefined;
  }

  /** Signs a request, after everything else is written. @returns `undefined`: nothing is known, it goes as it is */
  sign(writer: StunWriter): Signature | undefined {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    const { realm, nonce, offered, algorithm } = challenge;
    const { username } = this.#credentials;
    if (challenge.hidesUsernames) writer.attribute(Type.userhash, userhash(this.#crypto, username, realm));
    else writer.text(Type.username, username);
    writer.text(Type.realm, realm).attribute(Type.nonce, nonce);
    const isSha256 = offered !== undefined;
    if (isSha256) {
      writer
        .attribute(Type.passwordAlgorithms, offered)
        .attribute(Type.passwordAlgorithm, encodePasswordAlgorithms([algorithm]));
    }
    const key = (this.#key ??= this.#makeKey(challenge));
    if (isSha256) writer.integritySha256(key);
    else writer.integrity(key);
    return { key, isSha256, nonce, credentials: this.#number };
  }

  #makeKey({ realm, offered, algorithm }: Challenge): HmacKey {
    const key = longTermKey(this.#crypto, algorithm, { ...this.#credentials, realm });
    return this.#crypto.hmac(offered === undefined ? 'sha-1' : 'sha-256', key);
  }

  /**
   * Takes realm and nonce of a 401 or 438.
   * @returns false, and nothing has changed, when it is no challenge that may be answered (§9.2.5): without realm or nonce, robbed
   * of its algorithms, or with none that is known here
   */
  takeChallenge(message: StunMessage): boolean {
    // A 438 need not repeat the realm.
    const realmValue = attributeValue(message, Type.realm);
    const realm = realmValue === undefined ? this.#challenge?.realm : decodeUtf8(realmValue);
    const nonce = attributeValue(message, Type.nonce);
    if (realm === undefined || nonce === undefined || isBidDown(message)) return false;
    const offered = attributeValue(message, Type.passwordAlgorithms);
    const algorithm = offered === undefined ? 'md5' : decodePasswordAlgorithms(offered)[0];
    if (algorithm === undefined) return false;
    // Once a server has signed by SHA-256, nobody makes it sign by SHA-1 (§9.2.5, last paragraph).
    if (offered === undefined && this.#challenge?.offered !== undefined) return false;
    this.#challenge = {
      realm,
      nonce: copyBytes(nonce),
      hidesUsernames: securityFeatures(decodeUtf8(nonce)).usernameAnonymity,
      offered: offered === undefined ? undefined : copyBytes(offered),
      algorithm,
    };
    this.#key = undefined;
    return true;
  }

  /** True when a 401 or 438 brings a nonce other than the one it refuses. */
  isNewNonce(message: StunMessage, { nonce }: Signature): boolean {
    const value = attributeValue(message, Type.nonce);
    return value !== undefined && !equalBytes(value, nonce);
  }
}

/** The nonce promises PASSWORD-ALGORITHMS, and there are none: somebody between has taken them out (§9.2.1). */
export function isBidDown(message: StunMessage): boolean {
  const nonce = attributeText(message, Type.nonce);
  if (nonce === undefined || hasAttribute(message, Type.passwordAlgorithms)) return false;
  return securityFeatures(nonce).passwordAlgorithms;
}

/** True if the response is signed as its request was. */
export function isSignedAlike(message: StunMessage, { key, isSha256 }: Signature): boolean {
  return isSha256 ? verifyIntegritySha256(message, key) : verifyIntegrity(message, key);
}
