/**
 * Key derivation: session keys out of a master key and a master salt (RFC 3711 §4.3.1, §4.3.3; RFC 7714 §11).
 *
 *     session key = the first bytes of AES-CM(master key, (label · 2^48 ⊕ master salt) · 2^16)
 *
 * The rate of derivation is zero, as DTLS-SRTP has it (RFC 5764 §4.1.2): each key is derived once.
 */
import type { Bytes } from '../core/bytes.ts';
import { COUNTER_LENGTH } from '../crypto/provider.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { SrtpMasterKey } from '../core/srtp-keys.ts';

/** What a session key is for (RFC 3711 §4.3.1); those of SRTCP are three more. */
const ENCRYPTION = 0;
const AUTHENTICATION = 1;
const SALTING = 2;
const SRTCP = 3;

/** Where the label stands in a salt of 112 bits, in front of 48 bits of index that are zero. */
const LABEL_AT = 7;

/** The keys of SRTP or of SRTCP. The bytes are the taker's. */
export interface SessionKeys {
  readonly cipherKey: Bytes;
  /** Empty where none is asked for. */
  readonly authenticationKey: Bytes;
  readonly salt: Bytes;
}

/**
 * Derives the keys of one direction: a cipher key and a salt as long as the master's, and an authentication key of as many
 * bytes as are wanted.
 */
export function deriveSessionKeys(
  crypto: CryptoProvider,
  kind: 'rtp' | 'rtcp',
  { key, salt }: SrtpMasterKey,
  authenticationKeyLength: number,
): SessionKeys {
  const stream = crypto.counterMode(key);
  const counter = new Uint8Array(COUNTER_LENGTH);
  const derive = (label: number, length: number): Bytes => {
    // A salt of 96 bits has zeros behind it (RFC 7714 §11).
    counter.fill(0);
    counter.set(salt);
    counter[LABEL_AT]! ^= label + (kind === 'rtcp' ? SRTCP : 0);
    const derived = new Uint8Array(length);
    stream.apply(counter, derived, 0, length);
    return derived;
  };
  const keys = {
    cipherKey: derive(ENCRYPTION, key.length),
    authenticationKey: derive(AUTHENTICATION, authenticationKeyLength),
    salt: derive(SALTING, salt.length),
  };
  counter.fill(0);
  return keys;
}
