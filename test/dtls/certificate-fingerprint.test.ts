/** Fingerprints: the text of SDP, and which of several counts. */
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { selfSignedCertificate } from '../../src/dtls/certificate/certificate.ts';
import type { Fingerprint, FingerprintAlgorithm } from '../../src/dtls/certificate/fingerprint.ts';
import {
  fingerprintOf,
  formatFingerprint,
  matchesFingerprint,
  parseFingerprint,
} from '../../src/dtls/certificate/fingerprint.ts';

const ALGORITHMS: FingerprintAlgorithm[] = ['sha-256', 'sha-384', 'sha-512'];
const { der } = selfSignedCertificate({ random: new SeededRandom(1) });
const ofDer = (algorithm: FingerprintAlgorithm): Fingerprint => fingerprintOf(der, algorithm, jsCrypto());
const wrong = (algorithm: FingerprintAlgorithm): Fingerprint =>
  fingerprintOf(Uint8Array.of(1), algorithm, jsCrypto());

describe('fingerprints', () => {
  it.each(ALGORITHMS)('%s is the digest in upper case with colons', (algorithm) => {
    const digest = createHash(algorithm.replace('-', '')).update(der).digest('hex').toUpperCase();
    expect(ofDer(algorithm)).toEqual({ algorithm, value: digest.match(/../g)?.join(':') });
  });

  it.each(ALGORITHMS)('%s is read back from its text, in either case (T110)', (algorithm) => {
    const fingerprint = ofDer(algorithm);
    const text = formatFingerprint(fingerprint);
    expect(parseFingerprint(text)).toEqual(fingerprint);
    expect(parseFingerprint(text.toLowerCase())).toEqual(fingerprint);
    expect(parseFingerprint(text.toUpperCase())).toEqual(fingerprint);
  });

  it.each(['sha-1', 'md5', 'md2', 'sha-224', 'sha256', 'x'])('refuses the hash %s', (algorithm) => {
    const failure = parseFingerprint(`${algorithm} ${ofDer('sha-256').value}`);
    expect(failure).toMatchObject({ reason: 'fingerprint-algorithm-refused' });
  });

  it.each([
    ['nothing', ''],
    ['no value', 'sha-256'],
    ['a value too short', `sha-256 ${ofDer('sha-256').value.slice(3)}`],
    ['the value of another hash', `sha-256 ${ofDer('sha-384').value}`],
    ['a colon at the end', `sha-256 ${ofDer('sha-256').value.slice(0, -1)}:`],
    ['no colons', `sha-256 ${ofDer('sha-256').value.replaceAll(':', '0')}`],
    ['more behind it', `sha-256 ${ofDer('sha-256').value} x`],
  ])('refuses %s', (_what, text) => {
    expect(parseFingerprint(text)).toMatchObject({ reason: 'fingerprint-malformed' });
  });

  it('never throws for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `sha-256 ${text}`),
        ),
        (text) => {
          expect(isFailure(parseFingerprint(text))).toBe(true);
        },
      ),
    );
  });
});

describe('matchesFingerprint', () => {
  const matches = (...announced: Fingerprint[]): boolean => matchesFingerprint(der, announced, jsCrypto());

  it('takes any one of several of the same hash', () => {
    expect(matches(ofDer('sha-256'))).toBe(true);
    expect(matches(wrong('sha-256'), ofDer('sha-256'))).toBe(true);
    expect(matches(wrong('sha-256'))).toBe(false);
  });

  it('counts only the strongest hash announced (RFC 8122 §5.1, T110)', () => {
    expect(matches(ofDer('sha-256'), ofDer('sha-512'))).toBe(true);
    expect(matches(ofDer('sha-256'), wrong('sha-512'))).toBe(false);
    expect(matches(wrong('sha-256'), ofDer('sha-384'))).toBe(true);
  });

  it('compares values of either case', () => {
    const { algorithm, value } = ofDer('sha-256');
    expect(matches({ algorithm: algorithm.toUpperCase(), value: value.toLowerCase() })).toBe(true);
  });

  it('matches nothing where nothing usable was announced', () => {
    const sha1 = createHash('sha1').update(der).digest('hex').toUpperCase();
    expect(matches()).toBe(false);
    expect(matches({ algorithm: 'sha-1', value: sha1.match(/../g)?.join(':') ?? '' })).toBe(false);
    expect(matches({ algorithm: 'sha-256', value: '' })).toBe(false);
  });

  it('passes over what it does not understand', () => {
    expect(matches({ algorithm: 'sha-999', value: 'AA' }, ofDer('sha-256'))).toBe(true);
  });
});
