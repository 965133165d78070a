/** The records of a datagram in one line: `DTLS Certificate, ClientKeyExchange, ChangeCipherSpec, encrypted handshake`. */
import { Reader } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import { AEAD_TAG_LENGTH } from '../../crypto/index.ts';
import { alertName, decodeAlert } from '../../dtls/alerts.ts';
import type { Fragment } from '../../dtls/messages/handshake.ts';
import { decodeFragment, handshakeTypeName } from '../../dtls/messages/handshake.ts';
import {
  ContentType,
  DTLS_HEADROOM,
  RECORD_HEADER_LENGTH,
  isRecordHeader,
  recordEpoch,
  recordFragmentLength,
} from '../../dtls/record/record.ts';
import { ciphertextLength, isUnifiedHeader, unifiedHeaderLength } from '../../dtls/record/unified-header.ts';

/** Parts of a line; a hostile datagram could name hundreds. */
const MAX_PARTS = 16;

export function dtlsSummary(data: Uint8Array): string {
  const parts: string[] = [];
  let at = 0;
  while (at < data.length && parts.length < MAX_PARTS) {
    const left = data.length - at;
    if (isUnifiedHeader(data[at]!)) {
      // DTLS 1.3 hides even the content type; a header cut short counts as what is left.
      const length = Math.min(left, unifiedHeaderLength(data[at]!) + (ciphertextLength(data, at) || 0));
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
  switch (record[0] as ContentType) {
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
