/**
 * Link: one direction between two interfaces. It takes the size of a packet and the time, and answers what becomes of it.
 *
 * A packet passes, in this order: scripted faults and cuts, the MTU, the queue in front of the rate, loss, bursts, then
 * latency and jitter, reordering, duplication, corruption. Each feature draws once per packet from a random stream of
 * its own, so that switching one on does not change the luck of another, and no link shifts another link's luck.
 */
import { Counters } from '../core/counters.ts';
import { badArgument } from '../core/errors.ts';
import type { SeededRandom } from '../core/random.ts';
import type { LinkConditions, ResolvedConditions } from './conditions.ts';
import { resolveConditions } from './conditions.ts';
import type { Fault } from './faults.ts';
import { checkFault } from './faults.ts';

/** How a link ends a datagram: `dropped` and `cut` by a script, the others by its conditions. */
export type LinkLoss = 'cut' | 'dropped' | 'too-big' | 'queue-full' | 'lost' | 'burst-lost';

/** What is counted of a direction: what it `carried` and what befell that on the way, and the rest by its loss. */
export type LinkCounter = 'carried' | 'reordered' | 'duplicated' | 'corrupted' | LinkLoss;

const COUNTERS: readonly LinkCounter[] = [
  'carried',
  'reordered',
  'duplicated',
  'corrupted',
  'cut',
  'dropped',
  'too-big',
  'queue-full',
  'lost',
  'burst-lost',
];

/** What becomes of one datagram. */
export interface Verdict {
  /** Position among all datagrams offered to this direction, from 0. */
  readonly index: number;
  loss: LinkLoss | undefined;
  /** When it arrives, or would have. */
  arrival: number;
  /** When a second copy arrives; `Infinity`: none. */
  duplicateArrival: number;
  /** XOR mask for the byte at `corruptAt`; 0: arrives as sent. */
  corruptMask: number;
  corruptAt: number;
  /** It arrives behind the next one of its direction instead. */
  swapped: boolean;
}

type Feature = 'loss' | 'burst' | 'jitter' | 'reorder' | 'duplicate' | 'corrupt';

/** One direction of a link, from one interface or NAT to another. Made on first use. */
export class Link {
  /** `alice 192.0.2.1 → bob 192.0.2.2`. */
  readonly name: string;
  readonly #random: SeededRandom;
  readonly #streams: Partial<Record<Feature, SeededRandom>> = {};
  readonly #counters = new Counters<LinkCounter>(COUNTERS);
  readonly #faults = new Map<number, Fault[]>();
  #conditions: ResolvedConditions;
  #offered = 0;
  #isCut = false;
  #inBadState = false;
  /** Until then the packets admitted so far occupy the wire. */
  #busyUntil = -Infinity;
  #lastArrival = -Infinity;

  constructor(name: string, conditions: ResolvedConditions, random: SeededRandom) {
    this.name = name;
    this.#conditions = conditions;
    this.#random = random;
  }

  get conditions(): ResolvedConditions {
    return this.#conditions;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Datagrams offered so far, whatever became of them: the index of the next one. */
  get offered(): number {
    return this.#offered;
  }

  get counters(): Record<LinkCounter, number> {
    return this.#counters.snapshot();
  }

  /** Changes the conditions named, keeps the others. Packets under way keep their time of arrival. */
  update(conditions: LinkConditions): void {
    this.#conditions = resolveConditions(conditions, this.#conditions);
  }

  /** Loses everything sent from now on. What is under way arrives. */
  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
  }

  /** Plans a fault for the datagram with this index (see `offered`). Several for one index add up. */
  inject(index: number, fault: Fault): void {
    if (!(Number.isInteger(index) && index >= this.#offered)) {
      throw badArgument('index', `an index not offered yet, ${this.#offered} or more`, index);
    }
    checkFault(fault);
    const planned = this.#faults.get(index);
    if (planned === undefined) this.#faults.set(index, [fault]);
    else planned.push(fault);
  }

  /** Decides on one packet of `size` bytes with its headers. For the network. */
  carry(now: number, size: number): Verdict {
    const conditions = this.#conditions;
    const verdict: Verdict = {
      index: this.#offered++,
      loss: undefined,
      arrival: 0,
      duplicateArrival: Infinity,
      corruptMask: 0,
      corruptAt: 0,
      swapped: false,
    };
    const faults = this.#takeFaults(verdict.index);
    if (faults?.some((fault) => fault.type === 'cut') === true) this.#isCut = true;

    // Every draw is made for every packet: the luck of the n-th does not depend on the fate of those before it.
    const lost = this.#chance('loss', conditions.loss);
    const lostInBurst = this.#burst();
    const jitter = conditions.jitter === 0 ? 0 : this.#stream('jitter').unit() * conditions.jitter;
    const reordered = this.#chance('reorder', conditions.reorder);
    const duplicated = this.#chance('duplicate', conditions.duplicate);
    this.#corrupt(verdict);

    verdict.loss = this.#admit(now, size);
    if (verdict.loss === undefined && lost) verdict.loss = 'lost';
    if (verdict.loss === undefined && lostInBurst) verdict.loss = 'burst-lost';

    const departure = Math.max(now, this.#busyUntil);
    verdict.arrival = Math.max(departure + conditions.latency + jitter, this.#lastArrival);
    this.#lastArrival = verdict.arrival;
    if (reordered) verdict.arrival += conditions.reorderDelay;
    if (duplicated) verdict.duplicateArrival = verdict.arrival + conditions.duplicateDelay;
    if (faults !== undefined) for (const fault of faults) applyFault(verdict, fault);
    this.#count(verdict, reordered);
    return verdict;
  }

  #admit(now: number, size: number): LinkLoss | undefined {
    const { mtu, rate, queueLimit } = this.#conditions;
    if (this.#isCut) return 'cut';
    if (size > mtu) return 'too-big';
    if (rate === Infinity) return undefined;
    const start = Math.max(now, this.#busyUntil);
    const waiting = Math.round(((start - now) * rate) / 8000);
    if (waiting + size > queueLimit) return 'queue-full';
    this.#busyUntil = start + (size * 8000) / rate;
    return undefined;
  }

  #burst(): boolean {
    const burst = this.#conditions.burst;
    if (burst === undefined) return false;
    const stream = this.#stream('burst');
    const turn = stream.unit();
    if (this.#inBadState ? turn < burst.toGood : turn < burst.toBad) this.#inBadState = !this.#inBadState;
    return stream.unit() < (this.#inBadState ? burst.lossInBad : burst.lossInGood);
  }

  #corrupt(verdict: Verdict): void {
    if (this.#conditions.corrupt === 0) return;
    const stream = this.#stream('corrupt');
    const hit = stream.unit() < this.#conditions.corrupt;
    const where = stream.u32();
    if (!hit) return;
    verdict.corruptMask = 1 << (where & 7);
    verdict.corruptAt = where >>> 3;
  }

  #takeFaults(index: number): readonly Fault[] | undefined {
    if (this.#faults.size === 0) return undefined;
    const faults = this.#faults.get(index);
    this.#faults.delete(index);
    return faults;
  }

  #count(verdict: Verdict, reordered: boolean): void {
    if (verdict.loss !== undefined) {
      this.#counters.add(verdict.loss);
      return;
    }
    this.#counters.add('carried');
    if (reordered) this.#counters.add('reordered');
    if (verdict.duplicateArrival !== Infinity) this.#counters.add('duplicated');
    if (verdict.corruptMask !== 0) this.#counters.add('corrupted');
  }

  #chance(feature: Feature, probability: number): boolean {
    return probability > 0 && this.#stream(feature).unit() < probability;
  }

  #stream(feature: Feature): SeededRandom {
    return (this.#streams[feature] ??= this.#random.split(feature));
  }
}

function applyFault(verdict: Verdict, fault: Fault): void {
  switch (fault.type) {
    case 'drop':
      verdict.loss ??= 'dropped';
      return;
    case 'duplicate':
      verdict.duplicateArrival = verdict.arrival + (fault.delay ?? 0);
      return;
    case 'delay':
      verdict.arrival += fault.by;
      return;
    case 'swap':
      verdict.swapped = true;
      return;
    case 'corrupt':
      verdict.corruptMask = fault.mask ?? 0xff;
      verdict.corruptAt = fault.offset ?? 0;
      return;
    case 'cut':
      return;
  }
}
