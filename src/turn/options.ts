/** Options of a TURN client: every wait and bound has a name, a default and a reason. */
import { addressFamily } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import {
  checkOptions,
  fields,
  having,
  integer,
  listOf,
  number,
  oneOf,
  required,
  text,
  wait,
} from '../core/options.ts';
import { randomRule } from '../core/random.ts';
import { cryptoRule } from '../crypto/provider.ts';
import type { TurnClientOptions, TurnCredentials, TurnLimits, TurnTiming } from './contract.ts';

/** Every wait and bound, with the defaults filled in. */
export type TurnSettings = TurnTiming & TurnLimits;

const DEFAULTS: TurnSettings = {
  retransmitTimeout: 500,
  requestTimeout: 39_500,
  allocateTimeout: 60_000,
  farewellTimeout: 1000,
  lifetime: 600_000,
  minLifetime: 30_000,
  maxLifetime: 3_600_000,
  refusalTimeout: 30_000,
  probeInterval: 5000,
  keepAliveInterval: 25_000,
  credentialsMargin: 60_000,
  maxWaiting: 100,
  maxPermissions: 256,
  maxChannels: 256,
  maxStaleNonces: 8,
  maxMismatches: 2,
  maxRedirects: 1,
  maxQueuedTransmits: 256,
  maxQueuedReceived: 1024,
};

const milliseconds: OptionRule = number(1);
const count: OptionRule = integer(1);

const SETTING_RULES: OptionRules<TurnSettings> = {
  retransmitTimeout: milliseconds,
  requestTimeout: milliseconds,
  allocateTimeout: milliseconds,
  farewellTimeout: milliseconds,
  lifetime: number(1000, 0xffff_ffff * 1000),
  minLifetime: number(1000),
  maxLifetime: number(1000),
  refusalTimeout: number(1000),
  probeInterval: wait,
  keepAliveInterval: wait,
  credentialsMargin: number(0),
  maxWaiting: count,
  maxPermissions: count,
  maxChannels: integer(0, 4096),
  maxStaleNonces: integer(0),
  maxMismatches: integer(0),
  maxRedirects: integer(0),
  maxQueuedTransmits: count,
  maxQueuedReceived: count,
};

const ipAddress: OptionRule = (value, name) => {
  if (typeof value !== 'string' || addressFamily(value) === undefined)
    throw badArgument(name, 'an IP address', value);
};

/** Bytes of USERNAME in UTF-8 that a request may have (RFC 8489 §14.3). */
const MAX_USERNAME = 508;

const family: OptionRule = (value, name) => {
  if (value !== 4 && value !== 6) throw badArgument(name, '4 or 6', value);
};

const CREDENTIALS_RULES: OptionRules<TurnCredentials> = {
  username: required(text(1, MAX_USERNAME)),
  password: required(text()),
  expiresAt: number(-Number.MAX_VALUE),
};

/** What credentials must be. */
export const credentialsRule: OptionRule = fields(CREDENTIALS_RULES);

/** What each option must be. */
export const TURN_CLIENT_RULES: OptionRules<TurnClientOptions> = {
  ...SETTING_RULES,
  crypto: required(cryptoRule),
  random: required(randomRule),
  clock: having('a Clock', ['observe', 'hear']),
  transport: required(oneOf(['udp', 'tcp', 'tls'])),
  server: required(fields({ address: required(ipAddress), port: required(integer(1, 65_535)) })),
  credentials: required(credentialsRule),
  families: listOf(family, 1),
};

/** Checks and completes the options. Throws `ERR_BAD_ARGUMENT`. */
export function turnSettings(options: TurnClientOptions): TurnSettings {
  checkOptions('TurnClient', options, TURN_CLIENT_RULES);
  const settings: Record<keyof TurnSettings, number> = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof TurnSettings)[]) {
    const value = options[name];
    if (value !== undefined) settings[name] = value;
  }
  return settings;
}
