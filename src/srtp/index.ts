/**
 * SRTP (RFC 3711, RFC 7714): both directions of an association, protecting and opening packets in place.
 *
 * @module
 */
export type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
export { SRTP_KEY_LENGTHS } from '../core/srtp-keys.ts';
export type { Srtp, SrtpCounter, SrtpInit, SrtpInspection, SrtpOptions, SrtpSupport } from './contract.ts';
export type { SrtpSupportOptions } from './options.ts';
export { SRTP_OPTION_RULES } from './options.ts';
export { createSrtp, srtpSupport } from './srtp.ts';
