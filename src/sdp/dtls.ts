/** DTLS attributes: `fingerprint` (RFC 8122 §5), `setup` (RFC 4145 §4, RFC 8842), `tls-id` (RFC 8842 §4). */
import type { SdpAttribute } from './attributes.ts';
import { attributes, inheritedAttribute, mediaMid } from './attributes.ts';
import type { MediaDescription, SessionDescription } from './description.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import { isToken } from './token.ts';

/** `a=fingerprint`: the digest of a certificate. */
export interface SdpFingerprint {
  /** Hash function, lower case: `sha-256`. */
  readonly algorithm: string;
  /** Upper-case hexadecimal pairs with colons. */
  readonly value: string;
}

/** `a=setup`: who begins the DTLS handshake (RFC 4145 §4). */
export type Setup = 'actpass' | 'active' | 'passive' | 'holdconn';

const SETUPS: readonly Setup[] = ['actpass', 'active', 'passive', 'holdconn'];

/** Digest lengths in bytes (RFC 8122 §5); of functions not named here only the shape is checked. */
const DIGEST_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['sha-1', 20],
  ['sha-224', 28],
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
  ['md5', 16],
  ['md2', 16],
]);

/** Those of the section, or, if it has none, of the session (RFC 8122 §5). Any of them may match the certificate. */
export function mediaFingerprints(
  session: SessionDescription,
  media: MediaDescription,
): SdpFingerprint[] | SdpError {
  const own = attributes(media.lines, 'fingerprint');
  const fingerprints: SdpFingerprint[] = [];
  for (const attribute of own.length > 0 ? own : attributes(session.lines, 'fingerprint')) {
    const fingerprint = parseFingerprintValue(attribute.value);
    if (fingerprint === undefined) {
      const grammar = '"a=fingerprint" needs a hash function and its digest as hexadecimal pairs with colons';
      return sdpError('fingerprint-invalid', grammar, { line: attribute.line, mid: mediaMid(media) });
    }
    fingerprints.push(fingerprint);
  }
  return fingerprints;
}

function parseFingerprintValue(text: string): SdpFingerprint | undefined {
  const [name, digest, ...more] = text.trimEnd().split(' ');
  if (name === undefined || digest === undefined || more.length > 0 || !isToken(name)) return undefined;
  const algorithm = name.toLowerCase();
  const pairs = digest.split(':');
  if (!pairs.every((pair) => /^[0-9a-fA-F]{2}$/.test(pair))) return undefined;
  const length = DIGEST_LENGTHS.get(algorithm);
  if (length !== undefined && length !== pairs.length) return undefined;
  return { algorithm, value: digest.toUpperCase() };
}

/** `a=setup` of the section or the session; `undefined` if there is none. */
export function mediaSetup(
  session: SessionDescription,
  media: MediaDescription,
): Setup | SdpError | undefined {
  const attribute = inheritedAttribute(session, media, 'setup');
  if (attribute === undefined || isSdpError(attribute)) return attribute;
  const setup = SETUPS.find((known) => known === attribute.value);
  return setup ?? sdpError('setup-invalid', `"a=setup" is one of ${SETUPS.join(', ')}`, at(attribute, media));
}

/** `a=tls-id` of the section or the session: a new value means a new DTLS association. Most browsers send none. */
export function mediaTlsId(
  session: SessionDescription,
  media: MediaDescription,
): string | SdpError | undefined {
  const attribute = inheritedAttribute(session, media, 'tls-id');
  if (attribute === undefined || isSdpError(attribute)) return attribute;
  if (isTlsId(attribute.value)) return attribute.value;
  return sdpError('tls-id-invalid', '"a=tls-id" needs 20–255 of A–Z a–z 0–9 + / - _', at(attribute, media));
}

/** True for what may stand in `a=tls-id` (RFC 8842 §4). */
export function isTlsId(text: string): boolean {
  return text.length >= 20 && text.length <= 255 && /^[A-Za-z0-9+/\-_]*$/.test(text);
}

function at(attribute: SdpAttribute, media: MediaDescription): { line: number; mid: string | undefined } {
  return { line: attribute.line, mid: mediaMid(media) };
}
