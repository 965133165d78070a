/** Options of a gatherer: every wait and every bound has a name, a default and a reason. */
import type { OptionRules } from '../core/options.ts';
import { checkOptions, integer, number, wait, withDefaults } from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomRule, systemRandom } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import { cryptoRule, jsCrypto } from '../crypto/index.ts';

/** Times in milliseconds. */
export interface GatherTiming {
  /** Ta: between two servers that are asked for the first time, over all sockets and connections: 50 (RFC 8445 §14.2). */
  readonly startInterval: number;
  /** Wait for an answer before a server is asked again, doubled each time: 500 (RFC 8489 §6.2.1). */
  readonly retransmitTimeout: number;
  /**
   * Gate `gathering`: how long servers may take that are asked over UDP, and names to be resolved, 10 000. Then their failure is
   * told, and the gathering goes on without them.
   */
  readonly gatherTimeout: number;
  /** The same gate for TURN servers over TCP and TLS, 39 500 (Ti of RFC 8489 §6.2.2). */
  readonly gatherStreamTimeout: number;
  /**
   * After so long a STUN server that was answered by is asked again, which keeps the NAT's mapping and notices another one:
   * 15 000 (Tr of RFC 8445 §11), and up to two thirds more at random.
   */
  readonly keepAliveInterval: number;
  /** How long what no connection uses any more is kept for the next one: 5000. An allocation then ends by Refresh(0). */
  readonly linger: number;
  /** A server that fails is tried again after 500, then doubled up to this: 4000. */
  readonly maxRetryInterval: number;
}

/** How much is kept and asked. */
export interface GatherLimits {
  /** URLs of one gathering, 16. */
  readonly maxServers: number;
  /** Sockets at once, 64. */
  readonly maxSockets: number;
  /** Allocations at once, with those that linger: 64. */
  readonly maxRelays: number;
  /** How often the address that a server tells for one socket may change; after that it stays as it is: 16. */
  readonly maxMappingChanges: number;
  /** Datagrams waiting for `pollTransmit`, and those waiting to be taken from relays, 1024 each; further ones are dropped. */
  readonly maxQueuedDatagrams: number;
}

/** What a gatherer is made of; whatever is left out has its default. */
export interface GathererOptions extends Partial<GatherTiming>, Partial<GatherLimits> {
  /** Default: `jsCrypto()`. */
  readonly crypto?: CryptoProvider | undefined;
  /** Default: the platform's cryptographic generator. */
  readonly random?: RandomSource | undefined;
}

/** Times and limits, randomness and crypto, with every default in its place. */
export interface GatherSettings extends GatherTiming, GatherLimits {
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
}

const DEFAULTS: GatherTiming & GatherLimits = {
  startInterval: 50,
  retransmitTimeout: 500,
  gatherTimeout: 10_000,
  gatherStreamTimeout: 39_500,
  keepAliveInterval: 15_000,
  linger: 5000,
  maxRetryInterval: 4000,
  maxServers: 16,
  maxSockets: 64,
  maxRelays: 64,
  maxMappingChanges: 16,
  maxQueuedDatagrams: 1024,
};

/** What each option must be. RFC 8445 §14.2: Ta is not below 5 ms; RFC 8489 §6.2.1: nor is the first wait below 500 ms. */
export const GATHERER_OPTION_RULES: OptionRules<GathererOptions> = {
  crypto: cryptoRule,
  random: randomRule,
  startInterval: number(5, 60_000),
  retransmitTimeout: number(100, 60_000),
  gatherTimeout: wait,
  gatherStreamTimeout: wait,
  keepAliveInterval: number(1000),
  linger: number(0),
  maxRetryInterval: number(500),
  maxServers: integer(1),
  maxSockets: integer(1),
  maxRelays: integer(0),
  maxMappingChanges: integer(0),
  maxQueuedDatagrams: integer(1),
};

/** Fills in the defaults. Throws `ERR_BAD_ARGUMENT` for an option that is unknown or out of its range. */
export function gatherSettings(options: GathererOptions): GatherSettings {
  checkOptions('Gatherer', options, GATHERER_OPTION_RULES);
  return withDefaults<GatherSettings>(
    { ...DEFAULTS, crypto: options.crypto ?? jsCrypto(), random: options.random ?? systemRandom },
    options,
  );
}
