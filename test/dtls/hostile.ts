/** What an attacker, or a peer that misbehaves, needs: records of any kind, and providers that go wrong on purpose. */
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import type { CryptoProvider, HashAlgorithm, HmacKey } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { CIPHER_SUITES } from '../../src/dtls/cipher-suites.ts';
import { WriteEpoch13 } from '../../src/dtls/epoch13.ts';
import type { Certificate, DtlsKeyLog, DtlsRole, DtlsVersion } from '../../src/dtls/index.ts';
import { writeHandshakeHeader } from '../../src/dtls/messages/handshake.ts';
import type { ContentType } from '../../src/dtls/record.ts';
import { RECORD_HEADER_LENGTH, writeRecordHeader } from '../../src/dtls/record.ts';
import { TrafficSecret } from '../../src/dtls/schedule13.ts';
import { bytesOf, certificates, textOf } from './pair.ts';

export const ROLES: readonly DtlsRole[] = ['client', 'server'];
export const VERSIONS: readonly DtlsVersion[] = ['1.2', '1.3'];

export function other(role: DtlsRole): DtlsRole {
  return role === 'client' ? 'server' : 'client';
}

/** A record of epoch 0. */
export function plaintextRecord(type: ContentType, body: Uint8Array, sequence = 99): Bytes {
  const record = new Uint8Array(RECORD_HEADER_LENGTH + body.length);
  writeRecordHeader(record, 0, type, 0, sequence, body.length);
  record.set(body, RECORD_HEADER_LENGTH);
  return record;
}

/** One fragment with its header; the whole message unless told otherwise. */
export function fragmentOf(
  type: number,
  messageSeq: number,
  body: Uint8Array,
  offset = 0,
  length = body.length - offset,
): Bytes {
  const fragment = new Uint8Array(12 + length);
  writeHandshakeHeader(fragment, 0, type, body.length, messageSeq, offset, length);
  fragment.set(body.subarray(offset, offset + length), 12);
  return fragment;
}

/** The records of a datagram, one array each; of plaintext and of DTLS 1.2 only. */
export function recordsIn(datagram: Uint8Array): Bytes[] {
  const records: Bytes[] = [];
  for (let at = 0; at + RECORD_HEADER_LENGTH <= datagram.length && datagram[at]! < 32;) {
    const end = at + RECORD_HEADER_LENGTH + ((datagram[at + 11]! << 8) | datagram[at + 12]!);
    records.push(copyBytes(datagram, at, end));
    at = end;
  }
  return records;
}

/** Cuts every plaintext handshake message of a datagram into fragments of `size` bytes; the rest stays as it is. */
export function refragmented(datagram: Uint8Array, size: number): Bytes[] {
  let sequence = 0x4000_0000;
  const records = recordsIn(datagram);
  const rest = datagram.subarray(records.reduce((sum, { length }) => sum + length, 0));
  const cut = records.flatMap((record) => {
    const isPlainHandshake = record[0] === 22 && record[4] === 0;
    const body = record.subarray(RECORD_HEADER_LENGTH + 12);
    const isWhole = ((record[14]! << 16) | (record[15]! << 8) | record[16]!) === body.length;
    if (!isPlainHandshake || !isWhole) return [record];
    const messageSeq = (record[17]! << 8) | record[18]!;
    const pieces: Bytes[] = [];
    for (let offset = 0; offset < body.length || offset === 0; offset += size) {
      const length = Math.min(size, body.length - offset);
      const piece = fragmentOf(record[13]!, messageSeq, body, offset, length);
      pieces.push(plaintextRecord(22, piece, sequence++));
    }
    return pieces;
  });
  return rest.length === 0 ? cut : [...cut, copyBytes(rest)];
}

/** All plaintext handshake messages of a datagram in one record. */
export function merged(datagram: Uint8Array): Bytes {
  const bodies = recordsIn(datagram).map((record) => record.subarray(RECORD_HEADER_LENGTH));
  return plaintextRecord(22, concatBytes(...bodies), 0x5000_0000);
}

/** The certificate of `role`, in the hands of somebody who has another key. */
export function stolen(role: DtlsRole): Certificate {
  return { ...certificates[role], signingKey: certificates[other(role)].signingKey };
}

/**
 * A provider for `role` that makes its own Finished wrong and no other: DTLS 1.2 names the sender in its label; in 1.3
 * the server's Finished is computed first at both ends.
 */
export function withWrongFinished(role: DtlsRole, version: DtlsVersion): CryptoProvider {
  const provider = nodeCrypto();
  let finishedKeys = 0;
  const own = version === '1.2' ? `${role} finished` : 'dtls13finished';
  const hmac = (algorithm: HashAlgorithm, key: Uint8Array): HmacKey => {
    const honest = provider.hmac(algorithm, key);
    return {
      mac: (...parts) => {
        const result = honest.mac(...parts);
        if (!parts.some((part) => textOf(part).includes(own))) return result;
        const isOwn = version === '1.2' || finishedKeys++ === (role === 'server' ? 0 : 1);
        if (isOwn) result[0]! ^= 1;
        return result;
      },
    };
  };
  return Object.create(provider, { hmac: { value: hmac } }) as CryptoProvider;
}

/** What is needed to write any record as `role` of a DTLS 1.3 connection: hand `keyLog` to it, then ask. */
export class Insider {
  #secret: Bytes | undefined;
  readonly #role: DtlsRole;

  constructor(role: DtlsRole) {
    this.#role = role;
  }

  readonly keyLog: DtlsKeyLog = (label, _, secret) => {
    if (label === `${this.#role.toUpperCase()}_TRAFFIC_SECRET_0`) this.#secret = secret;
  };

  /** A record of epoch 3 with `inner` as its plaintext, content type and padding included. */
  record(inner: Uint8Array, sequence: number): Bytes {
    const suite = CIPHER_SUITES.find(({ name }) => name === 'TLS_AES_128_GCM_SHA256');
    if (suite === undefined || this.#secret === undefined) throw new Error('the keys have not come');
    const crypto = nodeCrypto();
    const epoch = new WriteEpoch13(crypto, 3, new TrafficSecret(crypto, suite, this.#secret.slice()).keys());
    epoch.sequence = sequence;
    // `seal` writes the content type behind the plaintext: here it is the last byte of `inner`.
    const length = inner.length - 1;
    const record = new Uint8Array(epoch.headroom + length + epoch.tailroom);
    record.set(inner.subarray(0, length), epoch.headroom);
    epoch.seal(inner[length]! as ContentType, record, epoch.headroom, length);
    return record;
  }

  text(text: string, sequence: number, padding = 0): Bytes {
    return this.record(concatBytes(bytesOf(text), Uint8Array.of(23), new Uint8Array(padding)), sequence);
  }
}
