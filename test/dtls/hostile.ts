/** What an attacker, or a peer that misbehaves, needs: records of any kind, and providers that go wrong on purpose. */
import type { Bytes } from '../../src/core/bytes.ts';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import type { CryptoProvider, HashAlgorithm, HmacKey } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Certificate, DtlsRole, DtlsVersion } from '../../src/dtls/index.ts';
import { writeHandshakeHeader } from '../../src/dtls/messages/handshake.ts';
import type { ContentType } from '../../src/dtls/record/record.ts';
import { RECORD_HEADER_LENGTH, writeRecordHeader } from '../../src/dtls/record/record.ts';
import { certificates, textOf } from './pair.ts';

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
