/**
 * Peer: the certificate of the other end, compared with the fingerprints that signalling has brought (RFC 8122 §5, RFC 8827 §6.5).
 *
 * Self-signed certificates prove nothing else, so neither their dates nor their own signature are looked at. Both parts
 * may come first; the peer is verified once they meet. Whoever has said that any peer will do accepts one that nothing has
 * been signalled of; it is not verified.
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import type { CryptoProvider, PublicKey } from '../../crypto/provider.ts';
import { AlertDescription } from '../alerts.ts';
import type { Problem } from '../problem.ts';
import { publicKeyOf } from './certificate.ts';
import type { Fingerprint } from './fingerprint.ts';
import { fingerprintOf, matchesFingerprint, normalizeFingerprint } from './fingerprint.ts';

/** The peer of one association: who it should be, and who it is. */
export class Peer {
  readonly #crypto: CryptoProvider;
  readonly #acceptsAny: boolean;
  #fingerprints: readonly Fingerprint[] | undefined;
  #certificate: Bytes | undefined;
  #verified = false;

  /** @param acceptsAny whether a peer may be anybody as long as no fingerprint is known */
  constructor(crypto: CryptoProvider, fingerprints: readonly Fingerprint[] | undefined, acceptsAny = false) {
    this.#crypto = crypto;
    this.#acceptsAny = acceptsAny;
    this.#fingerprints = this.#known(fingerprints);
  }

  /** True once a certificate has come and one of the strong fingerprints is its own. */
  get verified(): boolean {
    return this.#verified;
  }

  /** True once the peer may be talked to: it is verified, or it has a certificate and any will do. */
  get accepted(): boolean {
    return (
      this.#verified ||
      (this.#acceptsAny && this.#fingerprints === undefined && this.#certificate !== undefined)
    );
  }

  /** The peer's certificate, DER, as soon as it has come, verified or not. */
  get certificate(): Bytes | undefined {
    return this.#certificate;
  }

  /** SHA-256 of the peer's certificate. */
  get fingerprint(): Fingerprint | undefined {
    return this.#certificate && fingerprintOf(this.#certificate, 'sha-256', this.#crypto);
  }

  /** Takes the list from signalling, which replaces an earlier one. */
  expect(fingerprints: readonly Fingerprint[]): Problem | undefined {
    this.#fingerprints = this.#known(fingerprints);
    this.#verified = false;
    return this.#compare();
  }

  /** Takes the leaf certificate from the handshake and answers its public key. */
  present(der: Uint8Array): { readonly publicKey: PublicKey } | Problem {
    this.#certificate = copyBytes(der);
    const mismatch = this.#compare();
    if (mismatch !== undefined) return mismatch;
    const publicKey = publicKeyOf(der);
    if (!isFailure(publicKey)) return { publicKey };
    return {
      alert: AlertDescription.unsupportedCertificate,
      code: 'certificate-unsupported',
      message: `The peer's certificate holds no key we can use (${publicKey.reason}).`,
    };
  }

  /** Where any peer will do, an empty list is none. */
  #known(fingerprints: readonly Fingerprint[] | undefined): readonly Fingerprint[] | undefined {
    return this.#acceptsAny && fingerprints?.length === 0 ? undefined : fingerprints;
  }

  #compare(): Problem | undefined {
    const certificate = this.#certificate;
    const fingerprints = this.#fingerprints;
    if (certificate === undefined || fingerprints === undefined) return undefined;
    this.#verified = matchesFingerprint(certificate, fingerprints, this.#crypto);
    if (this.#verified) return undefined;
    if (fingerprints.every((fingerprint) => isFailure(normalizeFingerprint(fingerprint)))) {
      return {
        alert: AlertDescription.badCertificate,
        code: 'fingerprint-unusable',
        message: `None of the ${fingerprints.length} fingerprints signalled for the peer is a SHA-256, SHA-384 or SHA-512.`,
      };
    }
    return {
      alert: AlertDescription.badCertificate,
      code: 'fingerprint-mismatch',
      message:
        "The peer's certificate has none of the fingerprints signalled for it: either the description belongs to another " +
        'connection (check that the answer applied is the latest), or somebody else answers on this path.',
    };
  }
}
