/** Options of an ICE agent: every wait and every bound has a name, a default and a reason. */
import type { Clock } from '../core/clock.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import {
  checkOptions,
  flag,
  having,
  integer,
  listOf,
  nested,
  number,
  oneOf,
  required,
} from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomRule } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import { cryptoRule } from '../crypto/provider.ts';
import type { AddressClass } from './address-class.ts';
import { ADDRESS_CLASSES } from './address-class.ts';
import type { CheckBudget } from './check-budget.ts';
import type { CandidateFilter } from './candidate-filter.ts';
import { CANDIDATE_FILTER_RULES } from './candidate-filter.ts';
import type { TransportPolicy } from './candidates.ts';
import type { ConsentTiming } from './consent.ts';
import { passwordRule, usernameFragmentRule } from './credentials.ts';
import type { NameLimits } from './names.ts';
import type { IceRole } from './role.ts';
import type { RetransmissionLimits } from './transactions.ts';

/** Times in milliseconds. */
export interface IceTiming extends ConsentTiming {
  /** Ta, between two new checks: 50 (RFC 8445 §14.2). */
  readonly checkInterval: number;
  /** The same before a check that one of the peer's asks for, and before a nomination: 5, the least that RFC 8445 §14.2 allows. */
  readonly triggeredCheckInterval: number;
  /** First retransmission of a check: 250. The RFC's floor of 500 costs half a second on every lost first packet. */
  readonly retransmitTimeout: number;
  /** Retransmissions double up to this: 3000. */
  readonly maxRetransmitTimeout: number;
  /** Gate `iceConnect`: checking without a valid pair for this long is a failure: 30 000. */
  readonly connectTimeout: number;
  /** How long a controlling agent lets better pairs finish once one works: 250. Zero takes the first that works. */
  readonly nominationDelay: number;
  /**
   * How long the pair in use may leave a check unanswered, while the peer checks over another one, until that one is used:
   * 1000. Two round trips, if that is longer.
   */
  readonly switchDelay: number;
  /** The same for a lite agent: how long nothing may have come over the pair in use: 4000, and 7000 without USE-CANDIDATE. */
  readonly switchSilence: number;
  /** Between two checks over a pair that is kept alive beside the selected one: 25 000. */
  readonly backupInterval: number;
  /** The least time between two nominations, where it is for the round trip or leads back to a path that was left: 10 000. */
  readonly renominationInterval: number;
  /** How long after a restart the pairs of before are still answered on and taken from: 3000 (RFC 8445 §8.3.1). */
  readonly restartOverlap: number;
}

/** How much is kept and sent. */
export interface IceLimits {
  /** Sends of one check: 12, which fills the 30 s of `connectTimeout`. */
  readonly maxTransmissions: number;
  /** Checks awaiting an answer, 256; the oldest is given up. */
  readonly maxTransactions: number;
  readonly maxLocalCandidates: number;
  /** Signalled and peer-reflexive ones together, 64; the oldest unused peer-reflexive one makes room for another. */
  readonly maxRemoteCandidates: number;
  /** Pairs kept alive beside the selected one, 2. */
  readonly maxBackupPairs: number;
  /** 100 (RFC 8445 §6.1.2.5); the lowest that never worked is dropped. */
  readonly maxPairs: number;
  /**
   * Destinations that may get all `maxTransmissions` checks though they have never answered, 10. Where a description names
   * more, each gets fewer, down to 2: in all it makes us send no more than so many times `maxTransmissions`, or two each. An
   * address that we know from a check of the peer's alone gets two for each of those: it may be spoofed.
   */
  readonly maxUnansweredDestinations: number;
  /** Trickled candidates that wait for the description of their session, 32; the oldest makes room for another. */
  readonly maxParkedCandidates: number;
  /** Datagrams waiting for `pollTransmit`, 256; further ones are dropped, as the network might. */
  readonly maxQueuedTransmits: number;
}

/**
 * What is done about a better path than the selected one: `renominate` where the peer has renomination, otherwise nothing;
 * `restart`: the same, but where it has none the event `restartwanted` asks for a restart; `none`: nothing.
 */
export type PathUpgrade = 'renominate' | 'restart' | 'none';

/** What an agent is made of; whatever is left out has its default. */
export interface IceOptions extends Partial<IceTiming>, Partial<IceLimits>, Partial<NameLimits> {
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  /** The clock of the connection that the agent is part of; without one it has its own. */
  readonly clock?: Clock | undefined;
  readonly role: IceRole;
  /** Shared by all agents of a host, so that they keep RFC 8445's pace together. Without one an agent keeps its own. */
  readonly checkBudget?: CheckBudget | undefined;
  /**
   * Which candidates of the peer's are tried of our own accord: those whose address is of one of these classes. Default:
   * `public`, and the class of each of our own candidates, so that a server on the internet knocks at no door of the network
   * behind it. Whatever their address, authentic checks of the peer are answered, and checked back.
   */
  readonly remoteAddressClasses?: readonly AddressClass[] | undefined;
  /**
   * `relay`: candidates of our own that are not relayed are neither told to the peer, nor paired, nor answered on, so that it
   * learns no address of ours (RFC 8828 §5.2). Default `all`.
   */
  readonly transportPolicy?: TransportPolicy | undefined;
  /** Candidates of our own that do not pass are neither told to the peer nor used. Default: all pass. */
  readonly localCandidateFilter?: CandidateFilter | undefined;
  /**
   * Candidates of the peer's that do not pass are not used, and checks that come from such addresses are not answered. Default:
   * all pass.
   */
  readonly remoteCandidateFilter?: CandidateFilter | undefined;
  /** Offer renomination to the peer, and use it where it has it. Default true. */
  readonly renomination?: boolean | undefined;
  /** What a controlling agent does about a better path found later. Default `renominate`. */
  readonly pathUpgrade?: PathUpgrade | undefined;
  /** Answers checks and sends none (RFC 8445 §2.5): for hosts with a public address. */
  readonly lite?: boolean;
  /** 4–256 ice-chars; random by default. Its first characters may name a shard that routes to this process. */
  readonly usernameFragment?: string;
  /** 22–256 ice-chars; random by default. */
  readonly password?: string;
}

/** Every wait and bound, with the defaults filled in. */
export type IceSettings = IceTiming & IceLimits & NameLimits & RetransmissionLimits;

/** `disconnectedTimeout` of a lite agent, which waits for browsers that check every 2.7 to 6 s. */
const LITE_DISCONNECTED_TIMEOUT = 15_000;

/** RFC 7675 §5.1: with the spread of 20 %, checks are then never less than 4 s apart. */
const MIN_CONSENT_INTERVAL = 5000;

const DEFAULTS: IceSettings = {
  checkInterval: 50,
  triggeredCheckInterval: 5,
  retransmitTimeout: 250,
  maxRetransmitTimeout: 3000,
  connectTimeout: 30_000,
  nominationDelay: 250,
  switchDelay: 1000,
  switchSilence: 4000,
  restartOverlap: 3000,
  backupInterval: 25_000,
  renominationInterval: 10_000,
  consentInterval: 5000,
  consentTimeout: 30_000,
  disconnectedTimeout: 5000,
  maxTransmissions: 12,
  maxTransactions: 256,
  maxLocalCandidates: 32,
  maxRemoteCandidates: 64,
  maxPairs: 100,
  maxParkedCandidates: 32,
  maxBackupPairs: 2,
  maxUnansweredDestinations: 10,
  nameTimeout: 5000,
  maxNames: 16,
  maxAddressesPerName: 4,
  maxQueuedTransmits: 256,
};

const milliseconds: OptionRule = number(1);
const count: OptionRule = integer(1);

const SETTING_RULES: OptionRules<IceSettings> = {
  checkInterval: milliseconds,
  triggeredCheckInterval: number(0),
  retransmitTimeout: milliseconds,
  maxRetransmitTimeout: milliseconds,
  connectTimeout: milliseconds,
  nominationDelay: number(0),
  switchDelay: milliseconds,
  switchSilence: milliseconds,
  restartOverlap: milliseconds,
  backupInterval: milliseconds,
  renominationInterval: number(0),
  consentInterval: number(MIN_CONSENT_INTERVAL),
  consentTimeout: milliseconds,
  disconnectedTimeout: milliseconds,
  maxTransmissions: count,
  maxTransactions: count,
  maxLocalCandidates: count,
  maxRemoteCandidates: count,
  maxPairs: count,
  maxParkedCandidates: count,
  maxBackupPairs: integer(0),
  maxUnansweredDestinations: count,
  nameTimeout: milliseconds,
  maxNames: integer(0),
  maxAddressesPerName: count,
  maxQueuedTransmits: count,
};

/** What each option must be. */
export const ICE_OPTION_RULES: OptionRules<IceOptions> = {
  ...SETTING_RULES,
  crypto: required(cryptoRule),
  random: required(randomRule),
  clock: having('a Clock', ['observe', 'hear']),
  role: required(oneOf(['controlling', 'controlled'])),
  checkBudget: having('a CheckBudget', ['reserve']),
  lite: flag,
  usernameFragment: usernameFragmentRule,
  password: passwordRule,
  remoteAddressClasses: listOf(oneOf(ADDRESS_CLASSES)),
  transportPolicy: oneOf(['all', 'relay']),
  renomination: flag,
  pathUpgrade: oneOf(['renominate', 'restart', 'none']),
  localCandidateFilter: nested(CANDIDATE_FILTER_RULES),
  remoteCandidateFilter: nested(CANDIDATE_FILTER_RULES),
};

/** Checks and completes the options. Throws `ERR_BAD_ARGUMENT`. */
export function iceSettings(options: IceOptions): IceSettings {
  checkOptions('IceAgent', options, ICE_OPTION_RULES);
  const settings: Record<keyof IceSettings, number> = { ...DEFAULTS };
  if (options.lite === true) settings.disconnectedTimeout = LITE_DISCONNECTED_TIMEOUT;
  for (const name of Object.keys(DEFAULTS) as (keyof IceSettings)[]) {
    const value = options[name];
    if (value !== undefined) settings[name] = value;
  }
  return settings;
}
