/**
 * Insider: a peer that has all the keys and keeps no rule. It writes any record, in any epoch, as one of the roles of a
 * connection that runs beside it.
 */
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { CIPHER_SUITES } from '../../src/dtls/cipher-suites.ts';
import type { TrafficKeys, WriteEpoch } from '../../src/dtls/record/write-epoch.ts';
import { WriteEpoch12, ivLength } from '../../src/dtls/record/epoch12.ts';
import { WriteEpoch12WithId } from '../../src/dtls/record/epoch12-with-id.ts';
import { WriteEpoch13 } from '../../src/dtls/record/epoch13.ts';
import type { DtlsKeyLog, DtlsOptions, DtlsRole, DtlsVersion } from '../../src/dtls/index.ts';
import type { ContentType } from '../../src/dtls/record/record.ts';
import { prf } from '../../src/dtls/v12/schedule.ts';
import { TrafficSecret } from '../../src/dtls/v13/schedule.ts';
import { fragmentOf, other } from './hostile.ts';
import type { PairOptions } from './pair.ts';
import { Pair, bytesOf } from './pair.ts';

const crypto = nodeCrypto();
const SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] as const;
/** Where a server's first datagram has its random in DTLS 1.2: behind the headers of record and message, and the version. */
const SERVER_RANDOM_AT = 13 + 12 + 2;

export class Insider {
  readonly #role: DtlsRole;
  readonly #version: DtlsVersion;
  readonly #secrets = new Map<string, { clientRandom: Bytes; secret: Bytes }>();
  /** DTLS 1.2: a datagram of the server's with its hello. */
  serverHello: Uint8Array = new Uint8Array();

  constructor(role: DtlsRole, version: DtlsVersion = '1.3') {
    this.#role = role;
    this.#version = version;
  }

  readonly keyLog: DtlsKeyLog = (label, clientRandom, secret) => {
    this.#secrets.set(label, { clientRandom, secret });
  };

  /** A record of `epoch` with `inner` as its plaintext, of DTLS 1.3 with content type and padding included. */
  record(inner: Uint8Array, sequence: number, epoch = 3): Bytes {
    // `seal` writes the content type behind the plaintext: here it is the last byte of `inner`.
    const length = inner.length - 1;
    return sealed(this.#epoch13(epoch), inner[length]! as ContentType, inner.subarray(0, length), sequence);
  }

  /** A record of `type` with `body`, in the epoch of application data unless told otherwise. */
  typed(type: number, body: Uint8Array, sequence: number, epoch = 3): Bytes {
    return this.#version === '1.3'
      ? this.record(concatBytes(body, Uint8Array.of(type)), sequence, epoch)
      : sealed(this.#epoch12(), type as ContentType, body, sequence);
  }

  /** A record of whole handshake messages, each with its number. */
  messages(
    list: readonly (readonly [type: number, messageSeq: number, body: Uint8Array])[],
    sequence: number,
    epoch = 3,
  ): Bytes {
    return this.typed(22, concatBytes(...list.map((one) => fragmentOf(...one))), sequence, epoch);
  }

  text(text: string, sequence: number, padding = 0): Bytes {
    return this.record(concatBytes(bytesOf(text), Uint8Array.of(23), new Uint8Array(padding)), sequence);
  }

  /** A record of DTLS 1.2 with a connection id; `type` stands behind `body`, in what is sealed. */
  withId(id: Uint8Array, body: Uint8Array, type: number, sequence: number): Bytes {
    return sealed(new WriteEpoch12WithId(crypto, 1, this.#keys12(), id), type as ContentType, body, sequence);
  }

  #epoch12(): WriteEpoch {
    return new WriteEpoch12(crypto, 1, this.#keys12());
  }

  #keys12(): TrafficKeys {
    const known = this.#secrets.get('CLIENT_RANDOM');
    if (known === undefined) throw new Error('the keys have not come');
    const serverRandom = this.serverHello.subarray(SERVER_RANDOM_AT, SERVER_RANDOM_AT + 32);
    const salt = ivLength('aes-128-gcm');
    const seed = concatBytes(serverRandom, known.clientRandom);
    const block = prf(crypto.hmac('sha-256', known.secret), 'key expansion', seed, 2 * (16 + salt));
    const index = this.#role === 'client' ? 0 : 1;
    const iv = new Uint8Array(12);
    iv.set(block.subarray(32 + index * salt, 32 + (index + 1) * salt));
    return { aead: 'aes-128-gcm', key: block.slice(index * 16, (index + 1) * 16), iv };
  }

  #epoch13(epoch: number): WriteEpoch {
    const suite = CIPHER_SUITES.find(({ name }) => name === SUITES[0]);
    const kind = epoch === 2 ? 'HANDSHAKE_TRAFFIC_SECRET' : 'TRAFFIC_SECRET_0';
    const known = this.#secrets.get(`${this.#role.toUpperCase()}_${kind}`);
    if (suite === undefined || known === undefined) throw new Error('the keys have not come');
    let secret = new TrafficSecret(crypto, suite, known.secret.slice());
    for (let i = 3; i < epoch; i++) secret = secret.next();
    return new WriteEpoch13(crypto, epoch, secret.keys());
  }
}

export interface Betrayal {
  readonly pair: Pair;
  /** Speaks for the peer of the victim. */
  readonly insider: Insider;
}

/** A pair of `version`, not started, with an insider against `victim`. */
export function pairWithInsider(
  victim: DtlsRole,
  version: DtlsVersion = '1.3',
  options: Partial<DtlsOptions> = {},
  pairOptions: PairOptions = {},
): Betrayal {
  const insider = new Insider(other(victim), version);
  const common = {
    crypto,
    versions: { min: version, max: version },
    cipherSuites: SUITES.filter((_, i) => (version === '1.3') === (i === 0)),
    ...options,
  };
  const pair = new Pair({
    ...pairOptions,
    client: { ...common, keyLog: insider.keyLog },
    server: common,
  });
  return { pair, insider };
}

/** The same, connected and at rest. */
export function betrayed(
  victim: DtlsRole,
  version: DtlsVersion = '1.3',
  options: Partial<DtlsOptions> = {},
): Betrayal {
  const { pair, insider } = pairWithInsider(victim, version, options);
  pair.start().run();
  if (!pair.connected) throw new Error(`not connected: ${JSON.stringify(pair.events)}`);
  learnServerHello(pair, insider);
  return { pair: pair.runTo(pair.now + 1000), insider };
}

/** DTLS 1.2's keys need the server's random. */
export function learnServerHello(pair: Pair, insider: Insider): void {
  insider.serverHello =
    pair.sent.find(({ from, data }) => from === 'server' && data[13] === 2)?.data ?? new Uint8Array();
}

function sealed(write: WriteEpoch, type: ContentType, body: Uint8Array, sequence: number): Bytes {
  write.sequence = sequence;
  const record = new Uint8Array(write.headroom + body.length + write.tailroom);
  record.set(body, write.headroom);
  const length = write.seal(type, record, write.headroom, body.length);
  return copyBytes(record, 0, length);
}
