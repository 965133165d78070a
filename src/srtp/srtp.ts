/**
 * SRTP (RFC 3711, RFC 7714): both directions of one association, and how a transport is handed it.
 *
 *   master keys → session keys (key-derivation.ts) → a cipher each for RTP and RTCP (gcm.ts, counter-mode.ts)
 *   out:  protection.ts     in:  unprotection.ts
 */
import type { Bytes } from '../core/bytes.ts';
import { Counters } from '../core/counters.ts';
import type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { Srtp, SrtpCounter, SrtpInit, SrtpInspection, SrtpSupport } from './contract.ts';
import { counterModeCiphers } from './counter-mode.ts';
import { gcmCiphers } from './gcm.ts';
import type { SrtpSupportOptions } from './options.ts';
import { PROFILES_BY_COST, checkInit, checkSupportOptions } from './options.ts';
import type { PacketCiphers } from './packet-cipher.ts';
import { RTCP_TRAILER } from './packet-cipher.ts';
import { Protection } from './protection.ts';
import { Unprotection } from './unprotection.ts';

const COUNTERS: readonly SrtpCounter[] = [
  'protectedRtp',
  'protectedRtcp',
  'unprotectedRtp',
  'unprotectedRtcp',
  'malformed',
  'notAuthentic',
  'replayed',
  'keyWornOut',
  'indexReused',
  'sourcesEvicted',
];

/** Both directions under these master keys, which are wiped. Throws `ERR_BAD_ARGUMENT` for keys or options that will not do. */
export function createSrtp(init: SrtpInit): Srtp {
  return new SrtpAssociation(init);
}

/** SRTP to hand to a transport. Throws `ERR_BAD_ARGUMENT` for an option out of range. */
export function srtpSupport(options: SrtpSupportOptions = {}): SrtpSupport {
  checkSupportOptions(options);
  const { profiles = PROFILES_BY_COST, ...limits } = options;
  return { profiles: [...profiles], create: (init) => new SrtpAssociation({ ...limits, ...init }) };
}

class SrtpAssociation implements Srtp {
  readonly profile: SrtpProfile;
  readonly overhead: Srtp['overhead'];
  readonly #counters = new Counters<SrtpCounter>(COUNTERS);
  readonly #protection: Protection;
  readonly #unprotection: Unprotection;

  constructor(init: SrtpInit) {
    const limits = checkInit(init);
    const { profile, crypto } = init;
    this.profile = profile;
    const local = ciphersOf(crypto, profile, init.local);
    const remote = ciphersOf(crypto, profile, init.remote);
    this.overhead = { rtp: local.rtp.tagLength, rtcp: local.rtcp.tagLength + RTCP_TRAILER };
    this.#protection = new Protection(local, limits, this.#counters);
    this.#unprotection = new Unprotection(remote, limits, this.#counters);
    for (const { key, salt } of [init.local, init.remote]) {
      key.fill(0);
      salt.fill(0);
    }
  }

  protectRtp(buffer: Bytes, offset: number, length: number): number {
    return this.#protection.protectRtp(buffer, offset, length);
  }

  protectRtcp(buffer: Bytes, offset: number, length: number): number {
    return this.#protection.protectRtcp(buffer, offset, length);
  }

  unprotectRtp(packet: Bytes): number {
    return this.#unprotection.unprotectRtp(packet);
  }

  unprotectRtcp(packet: Bytes): number {
    return this.#unprotection.unprotectRtcp(packet);
  }

  forgetRemote(ssrc: number): void {
    this.#unprotection.forget(ssrc);
  }

  inspect(): SrtpInspection {
    return {
      profile: this.profile,
      sources: {
        local: this.#protection.sources,
        remote: this.#unprotection.sources,
        remoteRtcp: this.#unprotection.rtcpSources,
      },
      counters: this.#counters.snapshot(),
    };
  }
}

function ciphersOf(crypto: CryptoProvider, profile: SrtpProfile, master: SrtpMasterKey): PacketCiphers {
  switch (profile) {
    case 'SRTP_AEAD_AES_128_GCM':
      return gcmCiphers(crypto, 'aes-128-gcm', master);
    case 'SRTP_AEAD_AES_256_GCM':
      return gcmCiphers(crypto, 'aes-256-gcm', master);
    case 'SRTP_AES128_CM_HMAC_SHA1_80':
      return counterModeCiphers(crypto, 10, master);
    case 'SRTP_AES128_CM_HMAC_SHA1_32':
      return counterModeCiphers(crypto, 4, master);
  }
}
