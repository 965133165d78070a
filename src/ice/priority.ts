/** Priorities of candidates (RFC 8445 §5.1.2.1) and of pairs (§6.1.2.3). */

import type { Protocol } from '../core/address.ts';

/** Kinds of candidates: an address of the host's own, as a STUN server or the peer sees it, or one of a relay (RFC 8445 §4). */
export type IceCandidateType = 'host' | 'srflx' | 'prflx' | 'relay';

const TYPE_PREFERENCE: Readonly<Record<IceCandidateType, number>> = {
  host: 126,
  prflx: 110,
  srflx: 100,
  relay: 0,
};

/** @param localPreference 0–65535 @returns an unsigned 32-bit number */
export function candidatePriority(type: IceCandidateType, localPreference: number, component = 1): number {
  return TYPE_PREFERENCE[type] * 2 ** 24 + localPreference * 2 ** 8 + (256 - component);
}

/** What separates the priority of a TCP candidate from that of its UDP like: RFC 6544 §4.2 leaves it to us. */
export const TCP_PENALTY: number = 36 * 2 ** 24;

/** What a check announces in PRIORITY: the priority its own mapped address would have as a candidate (RFC 8445 §7.1.1). */
export function peerReflexivePriority(localPriority: number, protocol: Protocol): number {
  const priority = TYPE_PREFERENCE.prflx * 2 ** 24 + (localPriority % 2 ** 24);
  return protocol === 'tcp' ? priority - TCP_PENALTY : priority;
}

/**
 * `2^32·min(G,D) + 2·max(G,D) + (G>D ? 1 : 0)`, G the controlling agent's candidate. The sum has 64 bits, more than a
 * number holds, so its three digits are kept apart and compared in order.
 */
export interface PairPriority {
  readonly min: number;
  readonly max: number;
  readonly controllingIsHigher: 0 | 1;
}

/** The priority of a pair, from those of its two candidates (RFC 8445 §6.1.2.3). */
export function pairPriority(controlling: number, controlled: number): PairPriority {
  return {
    min: Math.min(controlling, controlled),
    max: Math.max(controlling, controlled),
    controllingIsHigher: controlling > controlled ? 1 : 0,
  };
}

/** Negative if `a` is the lower priority, zero if they are equal, positive otherwise. */
export function comparePriority(a: PairPriority, b: PairPriority): number {
  return a.min - b.min || a.max - b.max || a.controllingIsHigher - b.controllingIsHigher;
}
