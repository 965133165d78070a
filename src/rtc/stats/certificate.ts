/** W3C `RTCCertificateStats`: a certificate that DTLS shows, ours or the peer's. */
import { toBase64 } from '../../core/text.ts';
import type { Certificate } from '../../dtls/index.ts';
import type { StatsObject } from './stats-object.ts';

/** A certificate. None of WebRTC's has an issuer of its own, so `issuerCertificateId` never is there. */
export interface RTCCertificateStats extends StatsObject<'certificate'> {
  /** Upper-case hexadecimal bytes with colons between them (RFC 8122 §5). */
  readonly fingerprint: string;
  /** As in SDP: `sha-256`. */
  readonly fingerprintAlgorithm: string;
  /** The DER bytes in base64. */
  readonly base64Certificate: string;
}

/** What is told of a certificate. */
export type ShownCertificate = Pick<Certificate, 'der' | 'fingerprint'>;

/** The id of a certificate: who has shown the same one twice has one. */
export function certificateId({ fingerprint }: ShownCertificate): string {
  return `CF${fingerprint.value}`;
}

/** A certificate at `timestamp`. */
export function certificateStats(certificate: ShownCertificate, timestamp: number): RTCCertificateStats {
  const { algorithm, value } = certificate.fingerprint;
  return {
    id: certificateId(certificate),
    timestamp,
    type: 'certificate',
    fingerprint: value,
    fingerprintAlgorithm: algorithm,
    base64Certificate: toBase64(certificate.der),
  };
}
