/** The options of SRTP: what each must be, and what it is if nothing is said. */
import type { OptionRule, OptionRules } from '../core/options.ts';
import {
  bytes,
  checkFields,
  checkOptions,
  fields,
  integer,
  listOf,
  oneOf,
  required,
  withDefaults,
} from '../core/options.ts';
import { badArgument } from '../core/errors.ts';
import type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
import { SRTP_KEY_LENGTHS } from '../core/srtp-keys.ts';
import { cryptoRule } from '../crypto/provider.ts';
import type { SrtpInit, SrtpOptions } from './contract.ts';
import { MAX_INDICES } from './packet-index.ts';

/** All profiles, in the order of what they cost: AES-GCM is cheaper than AES and SHA-1 at every size, and a shorter key cheaper than a longer. */
export const PROFILES_BY_COST: readonly SrtpProfile[] = [
  'SRTP_AEAD_AES_128_GCM',
  'SRTP_AEAD_AES_256_GCM',
  'SRTP_AES128_CM_HMAC_SHA1_80',
  'SRTP_AES128_CM_HMAC_SHA1_32',
];

/** Indices of SRTCP: 31 bits (RFC 3711 §3.4). */
export const MAX_RTCP_INDICES: number = 2 ** 31;

/** The options with all defaults filled in. */
export type SrtpLimits = { readonly [Name in keyof SrtpOptions]-?: number };

const DEFAULTS: SrtpLimits = {
  maxSources: 1024,
  replayWindow: 1024,
  maxRtpPackets: MAX_INDICES,
  maxRtcpPackets: MAX_RTCP_INDICES,
};

const windowRule: OptionRule = (value, name) => {
  integer(64, 32_768)(value, name);
  if (!Number.isInteger(Math.log2(value as number))) throw badArgument(name, 'a power of two', value);
};

/** What each option must be. */
export const SRTP_OPTION_RULES: OptionRules<SrtpOptions> = {
  maxSources: integer(1, 65_536),
  replayWindow: windowRule,
  maxRtpPackets: integer(1, MAX_INDICES),
  maxRtcpPackets: integer(1, MAX_RTCP_INDICES),
};

const profileRule: OptionRule = /* @__PURE__ */ oneOf(PROFILES_BY_COST);

/** What `srtpSupport` takes. */
export interface SrtpSupportOptions extends SrtpOptions {
  /** The profiles offered and taken, the preferred first. Default: all, the cheapest first. */
  readonly profiles?: readonly SrtpProfile[] | undefined;
}

/** Throws `ERR_BAD_ARGUMENT` unless these are options of `srtpSupport`. */
export function checkSupportOptions(options: SrtpSupportOptions): void {
  checkOptions<SrtpSupportOptions>('srtpSupport', options, {
    ...SRTP_OPTION_RULES,
    profiles: listOf(profileRule, 1),
  });
}

/** Throws `ERR_BAD_ARGUMENT` for what can begin no association. @returns its limits */
export function checkInit(init: SrtpInit): SrtpLimits {
  const keyRule = required(fields<SrtpMasterKey>({ key: required(bytes), salt: required(bytes) }));
  checkFields<SrtpInit>('createSrtp', init, {
    ...SRTP_OPTION_RULES,
    profile: required(profileRule),
    crypto: required(cryptoRule),
    local: keyRule,
    remote: keyRule,
  });
  const lengths = SRTP_KEY_LENGTHS[init.profile];
  for (const end of ['local', 'remote'] as const) {
    for (const part of ['key', 'salt'] as const) {
      const { length } = init[end][part];
      if (length !== lengths[part])
        throw badArgument(`createSrtp.${end}.${part}`, `${lengths[part]} bytes`, length);
    }
  }
  const { maxSources, replayWindow, maxRtpPackets, maxRtcpPackets } = init;
  return withDefaults(DEFAULTS, { maxSources, replayWindow, maxRtpPackets, maxRtcpPackets });
}
