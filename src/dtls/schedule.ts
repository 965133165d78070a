/**
 * The TLS 1.2 key schedule (RFC 5246 §5, §6.3, §7.4.9) with extended master secret (RFC 7627), all on SHA-256:
 *
 *     premaster secret ─ PRF("extended master secret", session hash) → master secret
 *     master secret ─ PRF("key expansion", server random ‖ client random) → keys and salts of both directions
 *                   ─ PRF("client finished" | "server finished", transcript hash) → verify_data
 */
import type { Bytes } from '../core/bytes.ts';
import { concatBytes } from '../core/bytes.ts';
import { encodeUtf8 } from '../core/text.ts';
import type { CryptoProvider, HmacKey } from '../crypto/provider.ts';
import { AEAD_KEY_LENGTHS } from '../crypto/provider.ts';
import type { TrafficKeys } from './epoch.ts';
import { SALT_LENGTH } from './epoch.ts';

const MASTER_SECRET_LENGTH = 48;
/** RFC 5246 §7.4.9. */
export const VERIFY_DATA_LENGTH = 12;

/** P_SHA256(secret, label ‖ seed), `length` bytes of it (RFC 5246 §5); `secret` is the HMAC's key. */
export function prf(secret: HmacKey, label: string, seed: Uint8Array, length: number): Bytes {
  const labelAndSeed = concatBytes(encodeUtf8(label), seed);
  const output = new Uint8Array(length);
  let a = labelAndSeed;
  for (let at = 0; at < length;) {
    a = secret.mac(a);
    const block = secret.mac(a, labelAndSeed);
    output.set(block.subarray(0, length - at), at);
    at += block.length;
  }
  return output;
}

/** The keys of both directions. Client and server each write with their own and read with the other's. */
export interface KeyBlock {
  readonly client: TrafficKeys;
  readonly server: TrafficKeys;
}

/** The master secret, held as an HMAC key: its bytes are nowhere else, but in a key log that was asked for. */
export class MasterSecret {
  readonly #hmac: HmacKey;

  /**
   * RFC 7627 §4: the secret is bound to everything said so far, so that no two connections share one.
   * @param premasterSecret overwritten with zeros.
   * @param sessionHash hash of the handshake up to and including ClientKeyExchange.
   * @param reveal given a copy of the secret, for a key log.
   */
  constructor(
    crypto: CryptoProvider,
    premasterSecret: Uint8Array,
    sessionHash: Uint8Array,
    reveal?: (secret: Bytes) => void,
  ) {
    const premaster = crypto.hmac('sha-256', premasterSecret);
    const secret = prf(premaster, 'extended master secret', sessionHash, MASTER_SECRET_LENGTH);
    this.#hmac = crypto.hmac('sha-256', secret);
    reveal?.(secret.slice());
    premasterSecret.fill(0);
    secret.fill(0);
  }

  /** RFC 5246 §6.3 for an AEAD: no MAC keys. */
  expand(clientRandom: Uint8Array, serverRandom: Uint8Array): KeyBlock {
    const keyLength = AEAD_KEY_LENGTHS['aes-128-gcm'];
    const seed = concatBytes(serverRandom, clientRandom);
    const block = prf(this.#hmac, 'key expansion', seed, 2 * keyLength + 2 * SALT_LENGTH);
    const saltsAt = 2 * keyLength;
    return {
      client: {
        key: block.slice(0, keyLength),
        salt: block.slice(saltsAt, saltsAt + SALT_LENGTH),
      },
      server: {
        key: block.slice(keyLength, saltsAt),
        salt: block.slice(saltsAt + SALT_LENGTH),
      },
    };
  }

  /** verify_data of the Finished that `sender` sends over everything before it. */
  verifyData(sender: 'client' | 'server', transcriptHash: Uint8Array): Bytes {
    return prf(this.#hmac, `${sender} finished`, transcriptHash, VERIFY_DATA_LENGTH);
  }
}
