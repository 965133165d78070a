/**
 * The key schedule of DTLS 1.3 (RFC 8446 §7.1, with the labels of RFC 9147 §5.9):
 *
 *     0 ─ Extract(0) → early secret
 *       ─ Extract(shared secret) → handshake secret ─ "c hs traffic", "s hs traffic" → epoch 2
 *       ─ Extract(0) → master secret ─ "c ap traffic", "s ap traffic" → epoch 3 ─ "traffic upd" → epoch 4 …
 *                                    ─ "exp master" → exported keying material (§7.5)
 *
 * Between two Extracts stands Expand-Label(secret, "derived", hash of nothing). Each traffic secret yields key, iv and the
 * key of the sequence numbers, and the key of Finished.
 */
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, writeU16 } from '../../core/bytes.ts';
import { encodeUtf8, fromHex } from '../../core/text.ts';
import { hkdfExpandNumbered, hkdfExtract } from '../../crypto/hkdf.ts';
import type { CryptoProvider, HmacKey } from '../../crypto/provider.ts';
import { AEAD_KEY_LENGTHS, AEAD_NONCE_LENGTH, HASH_LENGTHS } from '../../crypto/provider.ts';
import type { CipherSuite } from '../cipher-suites.ts';
import type { Exporter, SecretLog } from '../handshake.ts';
import type { TrafficKeys13 } from '../record/epoch13.ts';

/** RFC 9147 §5.9: where TLS says "tls13 ", with a space. */
const LABEL_PREFIX = 'dtls13';

/** What `expandLabel` takes: the label with its prefix. */
function prefixed(label: string): Bytes {
  return encodeUtf8(LABEL_PREFIX + label);
}

/** Encoded once: a handshake expands two dozen secrets. */
const Label = {
  derived: /* @__PURE__ */ prefixed('derived'),
  clientHandshake: /* @__PURE__ */ prefixed('c hs traffic'),
  serverHandshake: /* @__PURE__ */ prefixed('s hs traffic'),
  clientApplication: /* @__PURE__ */ prefixed('c ap traffic'),
  serverApplication: /* @__PURE__ */ prefixed('s ap traffic'),
  exporterMaster: /* @__PURE__ */ prefixed('exp master'),
  exporter: /* @__PURE__ */ prefixed('exporter'),
  key: /* @__PURE__ */ prefixed('key'),
  iv: /* @__PURE__ */ prefixed('iv'),
  sequenceNumber: /* @__PURE__ */ prefixed('sn'),
  finished: /* @__PURE__ */ prefixed('finished'),
  trafficUpdate: /* @__PURE__ */ prefixed('traffic upd'),
} as const;

/**
 * What no handshake without a pre-shared key can change, for it is made of zeros alone: the hash of nothing, and the salt of
 * the handshake secret, Expand-Label(early secret, "derived", hash of nothing).
 */
interface Constants {
  readonly emptyHash: Bytes;
  readonly handshakeSalt: Bytes;
}

const CONSTANTS: Readonly<Record<CipherSuite['hash'], Constants>> = {
  'sha-256': {
    emptyHash: /* @__PURE__ */ hex('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
    handshakeSalt: /* @__PURE__ */ hex('b17bce9451ee8bc6e8aebc0aa9e98295677a4a6a91f78440833146e465f2ff95'),
  },
  'sha-384': {
    emptyHash: /* @__PURE__ */ hex(
      '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
    ),
    handshakeSalt: /* @__PURE__ */ hex(
      '27008605d3396f8844197565caecc592b3e58f2eae55f841b577cfbcabb47e221f674ed3a68aa893439cf557f111c0fc',
    ),
  },
};

function hex(text: string): Bytes {
  return fromHex(text) ?? NO_BYTES;
}

/** RFC 8446 §7.1: HKDF-Expand-Label, with the info length 2 │ prefix and label <1> │ context <1>, and a byte to count blocks. */
function expandLabel(secret: HmacKey, label: Uint8Array, context: Uint8Array, length: number): Bytes {
  const info = new Uint8Array(5 + label.length + context.length);
  writeU16(info, 0, length);
  info[2] = label.length;
  info.set(label, 3);
  info[3 + label.length] = context.length;
  if (context.length > 0) info.set(context, 4 + label.length);
  return hkdfExpandNumbered(secret, info, length);
}

/** One direction's secret of one epoch. */
export class TrafficSecret {
  readonly #crypto: CryptoProvider;
  readonly #suite: CipherSuite;
  readonly #hmac: HmacKey;

  /** @param secret overwritten with zeros. */
  constructor(crypto: CryptoProvider, suite: CipherSuite, secret: Uint8Array) {
    this.#crypto = crypto;
    this.#suite = suite;
    this.#hmac = crypto.hmac(suite.hash, secret);
    secret.fill(0);
  }

  /** RFC 8446 §7.3, RFC 9147 §4.2.3. */
  keys(): TrafficKeys13 {
    const { aead } = this.#suite;
    const keyLength = AEAD_KEY_LENGTHS[aead];
    return {
      aead,
      key: expandLabel(this.#hmac, Label.key, NO_BYTES, keyLength),
      iv: expandLabel(this.#hmac, Label.iv, NO_BYTES, AEAD_NONCE_LENGTH),
      sequenceNumberKey: expandLabel(this.#hmac, Label.sequenceNumber, NO_BYTES, keyLength),
    };
  }

  /** RFC 8446 §4.4.4: the Finished this direction's sender sends. */
  verifyData(transcriptHash: Uint8Array): Bytes {
    const { hash } = this.#suite;
    const finishedKey = expandLabel(this.#hmac, Label.finished, NO_BYTES, HASH_LENGTHS[hash]);
    return this.#crypto.hmac(hash, finishedKey).mac(transcriptHash);
  }

  /** RFC 8446 §7.2: the secret of the epoch after this one. */
  next(): TrafficSecret {
    const secret = expandLabel(this.#hmac, Label.trafficUpdate, NO_BYTES, HASH_LENGTHS[this.#suite.hash]);
    return new TrafficSecret(this.#crypto, this.#suite, secret);
  }
}

/** Both directions' secrets of one epoch. */
export interface TrafficSecrets {
  readonly client: TrafficSecret;
  readonly server: TrafficSecret;
}

/** Keying material for others, from the exporter master secret (RFC 8446 §7.5). */
export class Exporter13 implements Exporter {
  readonly #crypto: CryptoProvider;
  readonly #suite: CipherSuite;
  readonly #hmac: HmacKey;

  /** @param secret the exporter master secret, overwritten with zeros. */
  constructor(crypto: CryptoProvider, suite: CipherSuite, secret: Uint8Array) {
    this.#crypto = crypto;
    this.#suite = suite;
    this.#hmac = crypto.hmac(suite.hash, secret);
    secret.fill(0);
  }

  /** For `label`, without a context, which here is the same as an empty one. */
  export(label: string, length: number): Bytes {
    const { hash } = this.#suite;
    const { emptyHash } = CONSTANTS[hash];
    const secret = expandLabel(this.#hmac, prefixed(label), emptyHash, HASH_LENGTHS[hash]);
    return expandLabel(this.#crypto.hmac(hash, secret), Label.exporter, emptyHash, length);
  }
}

/** The schedule from the shared secret on; it is of no more use once `application` has been asked for. */
export class KeySchedule13 {
  readonly #crypto: CryptoProvider;
  readonly #suite: CipherSuite;
  readonly #log: SecretLog | undefined;
  readonly #handshakeSecret: HmacKey;

  /** @param sharedSecret overwritten with zeros. */
  constructor(crypto: CryptoProvider, suite: CipherSuite, sharedSecret: Uint8Array, log?: SecretLog) {
    this.#crypto = crypto;
    this.#suite = suite;
    this.#log = log;
    this.#handshakeSecret = this.#extract(CONSTANTS[suite.hash].handshakeSalt, sharedSecret);
    sharedSecret.fill(0);
  }

  /** Epoch 2. @param transcriptHash of the hellos. */
  handshake(transcriptHash: Uint8Array): TrafficSecrets {
    const secret = this.#handshakeSecret;
    return {
      client: this.#traffic(secret, Label.clientHandshake, transcriptHash, 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'),
      server: this.#traffic(secret, Label.serverHandshake, transcriptHash, 'SERVER_HANDSHAKE_TRAFFIC_SECRET'),
    };
  }

  /** Epoch 3, and the exporter. @param transcriptHash of everything up to the server's Finished. */
  application(transcriptHash: Uint8Array): TrafficSecrets & { readonly exporter: Exporter13 } {
    const { hash } = this.#suite;
    const length = HASH_LENGTHS[hash];
    const salt = expandLabel(this.#handshakeSecret, Label.derived, CONSTANTS[hash].emptyHash, length);
    const master = this.#extract(salt, new Uint8Array(length));
    const exporterSecret = this.#derive(master, Label.exporterMaster, transcriptHash, 'EXPORTER_SECRET');
    return {
      client: this.#traffic(master, Label.clientApplication, transcriptHash, 'CLIENT_TRAFFIC_SECRET_0'),
      server: this.#traffic(master, Label.serverApplication, transcriptHash, 'SERVER_TRAFFIC_SECRET_0'),
      exporter: new Exporter13(this.#crypto, this.#suite, exporterSecret),
    };
  }

  /** The next secret of the main line. */
  #extract(salt: Uint8Array, inputKeyMaterial: Uint8Array): HmacKey {
    const { hash } = this.#suite;
    return this.#crypto.hmac(hash, hkdfExtract(this.#crypto, hash, salt, inputKeyMaterial));
  }

  #traffic(secret: HmacKey, label: Uint8Array, transcriptHash: Uint8Array, logLabel: string): TrafficSecret {
    return new TrafficSecret(
      this.#crypto,
      this.#suite,
      this.#derive(secret, label, transcriptHash, logLabel),
    );
  }

  #derive(secret: HmacKey, label: Uint8Array, transcriptHash: Uint8Array, logLabel: string): Bytes {
    const derived = expandLabel(secret, label, transcriptHash, HASH_LENGTHS[this.#suite.hash]);
    this.#log?.reveal(logLabel, derived);
    return derived;
  }
}
