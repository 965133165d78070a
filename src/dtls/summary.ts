/** Summary: a datagram of DTLS records as a trace shows it, in one line, and without its application data. */
import type { Bytes } from '../core/bytes.ts';
import { Reader, copyBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { AEAD_TAG_LENGTH } from '../crypto/index.ts';
import { alertName, decodeAlert } from './alerts.ts';
import type { Fragment } from './messages/handshake.ts';
import { decodeFragment, handshakeTypeName } from './messages/handshake.ts';
import {
  ContentType,
  DTLS_HEADROOM,
  RECORD_HEADER_LENGTH,
  TLS12_CID,
  isRecordHeader,
  recordEpoch,
  recordFragmentLength,
} from './record/record.ts';
import {
  ciphertextLength,
  hasConnectionId,
  isUnifiedHeader,
  unifiedHeaderLength,
} from './record/unified-header.ts';

/** Parts of a line; a hostile datagram could name hundreds. */
const MAX_PARTS = 16;

/** `DTLS Certificate, ClientKeyExchange, ChangeCipherSpec, encrypted handshake`. Never throws, whatever the bytes are. */
export function dtlsSummary(data: Uint8Array): string {
  const parts: string[] = [];
  let at = 0;
  while (at < data.length && parts.length < MAX_PARTS) {
    const left = data.length - at;
    const first = data[at]!;
    // How long an id is its receiver alone knows, so what comes after it cannot be told apart.
    if (first === TLS12_CID || (isUnifiedHeader(first) && hasConnectionId(first))) {
      parts.push(`protected record with a connection id, ${left} bytes`);
      break;
    }
    if (isUnifiedHeader(first)) {
      // DTLS 1.3 hides even the content type; a header cut short counts as what is left.
      const length = Math.min(left, unifiedHeaderLength(first, 0) + (ciphertextLength(data, at, 0) || 0));
      parts.push(`protected record, ${length} bytes`);
      at += length;
      continue;
    }
    const length = left < RECORD_HEADER_LENGTH ? left : RECORD_HEADER_LENGTH + recordFragmentLength(data, at);
    if (left < RECORD_HEADER_LENGTH || length > left || !isRecordHeader(data, at)) {
      parts.push(`${left} bytes that are no record`);
      break;
    }
    parts.push(...describeRecord(data.subarray(at, at + length)));
    at += length;
  }
  if (parts.length >= MAX_PARTS) parts.splice(MAX_PARTS, Infinity, '…');
  return `DTLS ${parts.join(', ')}`;
}

function describeRecord(record: Uint8Array): string[] {
  const isProtected = recordEpoch(record, 0) > 0;
  const body = record.subarray(RECORD_HEADER_LENGTH);
  const type = record[0]!;
  switch (type) {
    case ContentType.changeCipherSpec:
      return ['ChangeCipherSpec'];
    case ContentType.alert:
      return [isProtected ? 'encrypted alert' : describeAlert(body)];
    case ContentType.handshake:
      return isProtected ? ['encrypted handshake'] : describeHandshake(body);
    case ContentType.applicationData: {
      const overhead = isProtected ? DTLS_HEADROOM + AEAD_TAG_LENGTH : RECORD_HEADER_LENGTH;
      return [`application data, ${Math.max(0, record.length - overhead)} bytes`];
    }
    case ContentType.ack:
      return ['ACK'];
    default:
      return [`record of the unknown type ${type}, ${record.length} bytes`];
  }
}

function describeAlert(body: Uint8Array): string {
  const alert = decodeAlert(body);
  return isFailure(alert) ? 'malformed alert' : `alert ${alertName(alert.description)}`;
}

function describeHandshake(body: Uint8Array): string[] {
  const parts: string[] = [];
  const reader = new Reader(body);
  while (reader.remaining > 0 && parts.length < MAX_PARTS) {
    const fragment = decodeFragment(reader);
    if (isFailure(fragment)) return [...parts, 'malformed handshake'];
    parts.push(describeFragment(fragment));
  }
  return parts;
}

function describeFragment({ type, length, offset, body }: Fragment): string {
  const name = handshakeTypeName(type);
  return body.length === length ? name : `${name} (${offset}–${offset + body.length} of ${length})`;
}

/**
 * A copy of a datagram with its application data zeroed, and whatever is no record of plaintext or of DTLS 1.2 without connection ids. That it is
 * encrypted does not matter: somebody may have the keys.
 */
export function blankApplicationData(datagram: Uint8Array): Bytes {
  const copy = copyBytes(datagram);
  for (let at = 0; at < copy.length;) {
    const left = copy.length - at;
    const isRecord = left >= RECORD_HEADER_LENGTH && isRecordHeader(copy, at) && copy[at] !== TLS12_CID;
    const length = isRecord ? RECORD_HEADER_LENGTH + recordFragmentLength(copy, at) : left;
    const isShown = isRecord && copy[at] !== ContentType.applicationData;
    if (!isShown) copy.subarray(at + (isRecord ? RECORD_HEADER_LENGTH : 0), at + length).fill(0);
    at += length;
  }
  return copy;
}
