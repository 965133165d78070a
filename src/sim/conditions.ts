/**
 * What one direction of a link does to datagrams. Everything defaults to "nothing", except a latency of 1 ms: on links
 * without any, whole conversations happen in one instant.
 *
 * Sizes are those of IP packets: the UDP payload and 28 bytes of headers over IPv4, 48 over IPv6.
 */
import { badArgument } from '../core/errors.ts';

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
}

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

const PROBABILITIES = ['loss', 'reorder', 'duplicate', 'corrupt'] as const;
const DELAYS = ['latency', 'jitter', 'reorderDelay', 'duplicateDelay'] as const;
const SIZES = ['rate', 'queueLimit', 'mtu'] as const;

/** `given` over `base`. Throws `ERR_BAD_ARGUMENT` for a value out of its range. */
export function resolveConditions(given: LinkConditions, base: ResolvedConditions): ResolvedConditions {
  for (const name of PROBABILITIES) checkProbability(name, given[name]);
  for (const name of DELAYS) checkDelay(name, given[name]);
  for (const name of SIZES) checkSize(name, given[name]);
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
  checkProbability('burst.toBad', burst.toBad);
  checkProbability('burst.toGood', burst.toGood);
  checkProbability('burst.lossInBad', burst.lossInBad);
  checkProbability('burst.lossInGood', burst.lossInGood);
  return {
    toBad: burst.toBad,
    toGood: burst.toGood,
    lossInBad: burst.lossInBad ?? 1,
    lossInGood: burst.lossInGood ?? 0,
  };
}

function checkProbability(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value <= 1)) {
    throw badArgument(name, 'a probability, 0 to 1', value);
  }
}

function checkDelay(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value < Infinity)) {
    throw badArgument(name, 'milliseconds, 0 or more', value);
  }
}

function checkSize(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw badArgument(name, 'a number above 0', value);
}
