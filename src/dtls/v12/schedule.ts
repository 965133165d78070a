/**
 * The TLS 1.2 key schedule (RFC 5246 §5, §6.3, §7.4.9) with extended master secret (RFC 7627), on the suite's hash:
 *
 *     premaster secret ─ PRF("extended master secret", session hash) → master secret
 *     master secret ─ PRF("key expansion", server random ‖ client random) → keys and salts of both directions
 *                   ─ PRF("client finished" | "server finished", transcript hash) → verify_data
 *                   ─ PRF(label, client random ‖ server random) → exported keying material (RFC 5705)
 */
import type { Bytes } from '../../core/bytes.ts';
import { concatBytes } from '../../core/bytes.ts';
import { encodeUtf8 } from '../../core/text.ts';
import type { CryptoProvider, HmacKey } from '../../crypto/provider.ts';
import { AEAD_KEY_LENGTHS, AEAD_NONCE_LENGTH } from '../../crypto/provider.ts';
import type { CipherSuite } from '../cipher-suites.ts';
import type { SecretLog } from '../handshake.ts';
import { ivLength } from '../record/epoch12.ts';
import type { TrafficKeys } from '../record/write-epoch.ts';

const MASTER_SECRET_LENGTH = 48;
/** RFC 5246 §7.4.9. */
const VERIFY_DATA_LENGTH = 12;

/** P_hash(secret, label ‖ seed), `length` bytes of it (RFC 5246 §5); `secret` is the HMAC's key. */
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
  readonly #suite: CipherSuite;
  readonly #hmac: HmacKey;

  /**
   * @param premasterSecret overwritten with zeros.
   * @param label and @param seed `extended master secret` and the hash of the handshake up to and including
   * ClientKeyExchange (RFC 7627 §4: so no two connections share a secret), or `master secret` and both randoms
   * (RFC 5246 §8.1) for a peer that knows no better.
   */
  constructor(
    crypto: CryptoProvider,
    suite: CipherSuite,
    premasterSecret: Uint8Array,
    label: 'extended master secret' | 'master secret',
    seed: Uint8Array,
    log?: SecretLog,
  ) {
    this.#suite = suite;
    const premaster = crypto.hmac(suite.hash, premasterSecret);
    const secret = prf(premaster, label, seed, MASTER_SECRET_LENGTH);
    this.#hmac = crypto.hmac(suite.hash, secret);
    log?.reveal('CLIENT_RANDOM', secret);
    premasterSecret.fill(0);
    secret.fill(0);
  }

  /** RFC 5246 §6.3 for an AEAD: no MAC keys. */
  expand(clientRandom: Uint8Array, serverRandom: Uint8Array): KeyBlock {
    const { aead } = this.#suite;
    const keyLength = AEAD_KEY_LENGTHS[aead];
    const saltLength = ivLength(aead);
    const seed = concatBytes(serverRandom, clientRandom);
    const block = prf(this.#hmac, 'key expansion', seed, 2 * keyLength + 2 * saltLength);
    const keysOf = (index: number): TrafficKeys => {
      const ivAt = 2 * keyLength + index * saltLength;
      const iv = new Uint8Array(AEAD_NONCE_LENGTH);
      iv.set(block.subarray(ivAt, ivAt + saltLength));
      return { aead, key: block.slice(index * keyLength, (index + 1) * keyLength), iv };
    };
    return { client: keysOf(0), server: keysOf(1) };
  }

  /** verify_data of the Finished that `sender` sends over everything before it. */
  verifyData(sender: 'client' | 'server', transcriptHash: Uint8Array): Bytes {
    return prf(this.#hmac, `${sender} finished`, transcriptHash, VERIFY_DATA_LENGTH);
  }

  /** Keying material for `label`, without a context (RFC 5705 §4). */
  export(label: string, clientRandom: Uint8Array, serverRandom: Uint8Array, length: number): Bytes {
    return prf(this.#hmac, label, concatBytes(clientRandom, serverRandom), length);
  }
}
