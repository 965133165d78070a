/**
 * DTLS: certificates, fingerprints, and DTLS 1.2 and 1.3 between two peers that know each other by them.
 *
 * @module
 */
export type { Certificate, SelfSignedCertificateOptions } from './certificate/certificate.ts';
export {
  certificateRule,
  certificateWithKey,
  publicKeyOf,
  selfSignedCertificate,
} from './certificate/certificate.ts';
export type { Fingerprint, FingerprintAlgorithm } from './certificate/fingerprint.ts';
export {
  fingerprintOf,
  fingerprintRule,
  formatFingerprint,
  matchesFingerprint,
  normalizeFingerprint,
  parseFingerprint,
} from './certificate/fingerprint.ts';
export type { CipherSuite, DtlsCipherSuite, DtlsVersion } from './cipher-suites.ts';
export type { ConnectionIdOptions, ConnectionIds } from './connection-id.ts';
export { MAX_CONNECTION_ID_LENGTH } from './connection-id.ts';
export type { DtlsCounter } from './counting.ts';
export type { DtlsEvent } from './dtls.ts';
export { Dtls } from './dtls.ts';
export type { FlightInspection } from './flight.ts';
export type { DtlsInspection, HandshakeInspection } from './inspection.ts';
export { DTLS_OPTION_RULES, MAX_MTU as DTLS_MAX_MTU, checkDtlsOptions } from './options.ts';
export type { DtlsKeyLog, DtlsLimits, DtlsOptions, DtlsSetups, DtlsVersions } from './options.ts';
export { DTLS_HEADROOM, DTLS_TAILROOM } from './record/record.ts';
export { SRTP_PROFILES } from './srtp.ts';
export type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
export type { SrtpKeys } from './srtp.ts';
export type { DtlsRole, DtlsState, DtlsTimer } from './states.ts';
