/** SRTP (RFC 3711, RFC 7714): contexts that protect and open packets in place. */
export type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
export type { Srtp, SrtpCounter, SrtpInit, SrtpInspection, SrtpOptions, SrtpSupport } from './contract.ts';
