/** Alerts (RFC 5246 §7.2): level 1 │ description 1. */
import type { Bytes } from '../core/bytes.ts';
import type { DecodeFailure } from '../core/decode.ts';
import { decodeFailure } from '../core/decode.ts';

/** How serious an alert is (RFC 5246 §7.2). */
export const AlertLevel = { warning: 1, fatal: 2 } as const;
/** One of the levels. */
export type AlertLevel = (typeof AlertLevel)[keyof typeof AlertLevel];

/** The descriptions this room sends or reacts to; the numbers are the TLS registry's. */
export const AlertDescription = {
  closeNotify: 0,
  unexpectedMessage: 10,
  badRecordMac: 20,
  recordOverflow: 22,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  illegalParameter: 47,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  userCanceled: 90,
  noRenegotiation: 100,
  missingExtension: 109,
  unsupportedExtension: 110,
  certificateRequired: 116,
} as const;
/** One of the descriptions that have a name here. */
export type AlertDescription = (typeof AlertDescription)[keyof typeof AlertDescription];

/** An alert as it was received, or is to be sent. */
export interface Alert {
  /** As received: levels other than 1 and 2 do not decode. */
  readonly level: AlertLevel;
  /** Any byte: descriptions grow with every RFC. */
  readonly description: number;
}

/** Bytes of an alert. */
export const ALERT_LENGTH = 2;

const MALFORMED = decodeFailure('alert-malformed');

/** An alert is exactly one record: fragmented, empty and concatenated ones are refused. */
export function decodeAlert(body: Uint8Array): Alert | DecodeFailure {
  const level = body[0];
  if (body.length !== ALERT_LENGTH) return MALFORMED;
  if (level !== AlertLevel.warning && level !== AlertLevel.fatal) return MALFORMED;
  return { level, description: body[1]! };
}

/** The body of a record of one alert. */
export function encodeAlert(alert: Alert): Bytes {
  return Uint8Array.of(alert.level, alert.description);
}

/** RFC names of every description a peer may send, for people: failures quote them. */
const NAMES: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  22: 'record_overflow',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

/** The RFC's name of a description, for people; its number where it has none here. */
export function alertName(description: number): string {
  return NAMES[description] ?? `alert ${description}`;
}
