/**
 * Conditions: what one direction of a link does to datagrams. Everything defaults to "nothing", except a latency of 1 ms: on links
 * without any, whole conversations happen in one instant.
 *
 * Sizes are those of IP packets: the UDP payload and 28 bytes of headers over IPv4, 48 over IPv6.
 */
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { checkOptions, nested, number, required } from '../core/options.ts';

/**
 * Loss in bursts (Gilbert 1960, Elliott 1963): a link is in a good or a bad state, and each datagram may first change
 * the state and is then lost with the state's own probability.
 */
export interface GilbertElliott {
  /** Probability, per datagram, of going from good to bad. */
  readonly toBad: number;
  /** Probability, per datagram, of going from bad to good. */
  readonly toGood: number;
  /** Probability of loss in the bad state. Default 1. */
  readonly lossInBad?: number | undefined;
  /** Probability of loss in the good state. Default 0. */
  readonly lossInGood?: number | undefined;
}

/** One direction of a link. What is left out is the network's default, or else as said. */
export interface LinkConditions {
  /** Milliseconds from one end to the other. Default 1. */
  readonly latency?: number | undefined;
  /** Up to so many milliseconds more, uniformly; jitter alone never changes the order. Default 0. */
  readonly jitter?: number | undefined;
  /** Probability that a datagram is lost, each for itself. Default 0. */
  readonly loss?: number | undefined;
  /** Loss in bursts, in addition to `loss`. `burstLoss` finds the parameters. */
  readonly burst?: GilbertElliott | undefined;
  /** Probability that a datagram is held back by `reorderDelay`, so that later ones overtake it. Default 0. */
  readonly reorder?: number | undefined;
  /** Milliseconds. Default 10. */
  readonly reorderDelay?: number | undefined;
  /** Probability that a datagram arrives a second time, `duplicateDelay` later. Default 0. */
  readonly duplicate?: number | undefined;
  /** Milliseconds. Default 0. */
  readonly duplicateDelay?: number | undefined;
  /** Probability that one bit of a datagram is flipped. Default 0. */
  readonly corrupt?: number | undefined;
  /** Bits per second. Default Infinity. */
  readonly rate?: number | undefined;
  /** Bytes that may wait for a `rate`, the packet on the wire included; what does not fit is dropped. Default 65536. */
  readonly queueLimit?: number | undefined;
  /** Largest IP packet in bytes; larger ones vanish, as on a path that filters ICMP. Default Infinity. */
  readonly mtu?: number | undefined;
}

/** Both directions of a link, as the end named first sees them. */
export interface PathConditions {
  readonly up: LinkConditions;
  readonly down: LinkConditions;
  /** A generated plan has one (`arbitraryNetwork`): it is the network's and says nothing here. */
  readonly seed?: number | undefined;
}

/** A Gilbert-Elliott model with every default filled in; all are probabilities. */
export interface ResolvedBurst {
  readonly toBad: number;
  readonly toGood: number;
  readonly lossInBad: number;
  readonly lossInGood: number;
}

/** Conditions with every default filled in. */
export interface ResolvedConditions {
  readonly latency: number;
  readonly jitter: number;
  readonly loss: number;
  readonly burst: ResolvedBurst | undefined;
  readonly reorder: number;
  readonly reorderDelay: number;
  readonly duplicate: number;
  readonly duplicateDelay: number;
  readonly corrupt: number;
  readonly rate: number;
  readonly queueLimit: number;
  readonly mtu: number;
}

/** A clean link: 1 ms, and nothing else happens. */
export const DEFAULT_CONDITIONS: ResolvedConditions = {
  latency: 1,
  jitter: 0,
  loss: 0,
  burst: undefined,
  reorder: 0,
  reorderDelay: 10,
  duplicate: 0,
  duplicateDelay: 0,
  corrupt: 0,
  rate: Infinity,
  queueLimit: 65536,
  mtu: Infinity,
};

const probability: OptionRule = number(0, 1);
const delay: OptionRule = number(0);
const size: OptionRule = (value, name) => {
  if (typeof value !== 'number' || !(value > 0)) throw badArgument(name, 'a number above 0', value);
};

const BURST_RULES: OptionRules<GilbertElliott> = {
  toBad: required(probability),
  toGood: required(probability),
  lossInBad: probability,
  lossInGood: probability,
};

/** What each condition may be. */
export const CONDITION_RULES: OptionRules<LinkConditions> = {
  latency: delay,
  jitter: delay,
  loss: probability,
  burst: nested(BURST_RULES),
  reorder: probability,
  reorderDelay: delay,
  duplicate: probability,
  duplicateDelay: delay,
  corrupt: probability,
  rate: size,
  queueLimit: size,
  mtu: size,
};

const PATH_RULES: OptionRules<PathConditions> = {
  up: required(nested(CONDITION_RULES)),
  down: required(nested(CONDITION_RULES)),
  seed: number(-Number.MAX_VALUE),
};

function isPath(given: LinkConditions | PathConditions): given is PathConditions {
  // By `typeof` first: whoever is not checked by a compiler may give anything.
  return typeof given === 'object' && 'up' in ((given as object | null) ?? {});
}

/** Both directions of what `link` was given. Throws `ERR_BAD_ARGUMENT` for a value out of its range. */
export function pathConditions(given: LinkConditions | PathConditions): PathConditions {
  if (isPath(given)) {
    checkOptions('link', given, PATH_RULES);
    return given;
  }
  checkOptions('link', given, CONDITION_RULES);
  return { up: given, down: given };
}

/** `given` over `base`. Throws `ERR_BAD_ARGUMENT` for a value out of its range. */
export function resolveConditions(given: LinkConditions, base: ResolvedConditions): ResolvedConditions {
  checkOptions('conditions', given, CONDITION_RULES);
  return {
    latency: given.latency ?? base.latency,
    jitter: given.jitter ?? base.jitter,
    loss: given.loss ?? base.loss,
    burst: 'burst' in given ? resolveBurst(given.burst) : base.burst,
    reorder: given.reorder ?? base.reorder,
    reorderDelay: given.reorderDelay ?? base.reorderDelay,
    duplicate: given.duplicate ?? base.duplicate,
    duplicateDelay: given.duplicateDelay ?? base.duplicateDelay,
    corrupt: given.corrupt ?? base.corrupt,
    rate: given.rate ?? base.rate,
    queueLimit: given.queueLimit ?? base.queueLimit,
    mtu: given.mtu ?? base.mtu,
  };
}

/**
 * Gilbert–Elliott parameters from two numbers one can think of: the share of datagrams lost in the long run (0 to
 * below 1) and the mean length of a burst in datagrams (1 or more).
 */
export function burstLoss(share: number, meanBurst: number): GilbertElliott {
  if (!(share >= 0 && share < 1)) throw badArgument('share', 'a share from 0 to below 1', share);
  if (!(meanBurst >= 1 && meanBurst < Infinity)) throw badArgument('meanBurst', 'at least 1', meanBurst);
  const toGood = 1 / meanBurst;
  // In the long run the chain is bad for toBad / (toBad + toGood) of the datagrams.
  const toBad = (toGood * share) / (1 - share);
  if (toBad > 1) throw badArgument('meanBurst', `a longer burst for a loss of ${share}`, meanBurst);
  return { toBad, toGood };
}

function resolveBurst(burst: GilbertElliott | undefined): ResolvedBurst | undefined {
  if (burst === undefined) return undefined;
  return {
    toBad: burst.toBad,
    toGood: burst.toGood,
    lossInBad: burst.lossInBad ?? 1,
    lossInGood: burst.lossInGood ?? 0,
  };
}
