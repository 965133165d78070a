/**
 * Bulk flows over one bottleneck, in virtual time: a rate with a tail-drop queue that all flows share, a delay and random loss;
 * acknowledgements come back over a delay and loss of their own. Packets are SCTP packets, as they leave the association.
 */
import type { Bytes } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { SctpAssociation } from '../../src/sctp/index.ts';
import type { SctpOptions } from '../../src/sctp/index.ts';

export interface PathConditions {
  /** Megabits a second of SCTP packets. */
  rate: number;
  /** Milliseconds there and back, without the queue. */
  roundTrip: number;
  /** Bytes of packets that wait, at the most; default: what the rate carries in 50 ms or one round trip, the longer. */
  queue?: number;
  /** Bytes of the largest packet there; default: any. */
  mtu?: number;
  /** Probabilities, of data and of acknowledgements. */
  loss?: number;
  ackLoss?: number;
  /** Milliseconds by which a packet may be late, at random, overtaken by those behind it; and the share of such packets. */
  lateness?: number;
  lateShare?: number;
}

interface Arrival {
  readonly at: number;
  readonly order: number;
  readonly to: SctpAssociation;
  readonly packet: Bytes;
}

/** One bulk sender and its receiver. */
export interface Flow {
  readonly sender: SctpAssociation;
  readonly receiver: SctpAssociation;
  /** The sender's queue is kept filled; false: what the test sends. */
  bulk: boolean;
  /** User bytes delivered, and when each message was. */
  delivered: number;
  closed: boolean;
}

export class Path {
  now = 0;
  /** What a packet waited in the queue, milliseconds, from `resetFigures` on. */
  waits: number[] = [];
  /** Packets dropped by the full queue. */
  drops = 0;
  wakeups = 0;
  /** So many more packets with data get through; the two after them are lost. */
  survivors = Infinity;
  readonly flows: Flow[] = [];
  conditions: PathConditions;
  readonly #random: SeededRandom;
  readonly #heap: Arrival[] = [];
  #order = 0;
  #busyUntil = 0;

  constructor(conditions: PathConditions, seed = 1) {
    this.conditions = conditions;
    this.#random = new SeededRandom(seed).split('path');
  }

  add(options: Partial<SctpOptions> = {}, bulk = true, seed = this.flows.length): Flow {
    const end = (salt: number): SctpAssociation =>
      new SctpAssociation({
        random: new SeededRandom(seed * 2 + salt + 100),
        remoteMaxMessageSize: Infinity,
        ...options,
      });
    const flow: Flow = { sender: end(0), receiver: end(1), bulk, delivered: 0, closed: false };
    this.flows.push(flow);
    flow.sender.connect(this.now);
    flow.receiver.connect(this.now);
    this.#drain(flow);
    return flow;
  }

  /** Moves the clock by `duration` milliseconds, or until `done`. */
  run(duration: number, done: () => boolean = () => false): void {
    const until = this.now + duration;
    for (const flow of this.flows) this.#drain(flow);
    while (!done()) {
      const arrival = this.#heap[0];
      let next = arrival?.at ?? Infinity;
      for (const { sender, receiver } of this.flows) {
        next = Math.min(next, sender.nextTimeout(), receiver.nextTimeout());
      }
      if (next > until) {
        this.now = until;
        return;
      }
      this.now = next;
      this.#step(arrival);
    }
  }

  resetFigures(): void {
    this.waits = [];
    this.drops = 0;
    this.wakeups = 0;
    for (const flow of this.flows) flow.delivered = 0;
  }

  #step(arrival: Arrival | undefined): void {
    this.wakeups++;
    if (arrival !== undefined && arrival.at <= this.now) {
      this.#pop();
      arrival.to.handleOwnedPacket(arrival.packet, this.now);
    }
    for (const flow of this.flows) {
      for (const end of [flow.sender, flow.receiver]) {
        if (end.nextTimeout() <= this.now) {
          end.handleTimeout(this.now);
          if (end.nextTimeout() <= this.now) throw new Error('a deadline left in the past');
        }
      }
      this.#drain(flow);
    }
  }

  #drain(flow: Flow): void {
    const { sender, receiver } = flow;
    if (flow.bulk && sender.state === 'established') {
      while (sender.bufferedAmount(1) < 524_288 && sender.send(1, { ppid: 53, data: PIECE }));
    }
    for (const end of [sender, receiver]) {
      for (let event = end.pollEvent(); event !== undefined; event = end.pollEvent()) {
        if (event.type === 'message' && end === receiver) flow.delivered += event.data.length;
        if (event.type === 'closed') flow.closed = true;
      }
      for (let packet = poll(end, this.now); packet !== undefined; packet = poll(end, this.now)) {
        if (end === sender) this.#carry(packet, receiver);
        else this.#carryBack(packet, sender);
      }
      const violation = end.invariantViolation();
      if (violation !== undefined) throw new Error(violation);
    }
  }

  #carry(packet: Bytes, to: SctpAssociation): void {
    const { rate, roundTrip, queue, mtu = Infinity, loss = 0, lateness = 0, lateShare = 0 } = this.conditions;
    if (packet.length > mtu) return;
    const bytesPerMs = rate * 125;
    const wait = Math.max(0, this.#busyUntil - this.now);
    const limit = queue ?? Math.max(50, roundTrip) * bytesPerMs;
    if (wait * bytesPerMs + packet.length > limit + packet.length / 2) {
      this.drops++;
      return;
    }
    this.waits.push(wait);
    if (--this.survivors < 0 && this.survivors >= -2) return;
    this.#busyUntil = Math.max(this.#busyUntil, this.now) + packet.length / bytesPerMs;
    if (this.#random.unit() < loss) return;
    const late = lateShare > 0 && this.#random.unit() < lateShare ? this.#random.unit() * lateness : 0;
    this.#push(this.#busyUntil + roundTrip / 2 + late, to, packet);
  }

  #carryBack(packet: Bytes, to: SctpAssociation): void {
    const { roundTrip, ackLoss = 0 } = this.conditions;
    if (this.#random.unit() < ackLoss) return;
    this.#push(this.now + roundTrip / 2, to, packet);
  }

  #push(at: number, to: SctpAssociation, packet: Bytes): void {
    const heap = this.#heap;
    const item = { at, order: this.#order++, to, packet };
    let place = heap.length;
    while (place > 0) {
      const parent = heap[(place - 1) >> 1]!;
      if (!isBefore(item, parent)) break;
      heap[place] = parent;
      place = (place - 1) >> 1;
    }
    heap[place] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
  }
}

const PIECE = new Uint8Array(16_384);

/** Where a packet is written; most polls write none. */
const scratch = new Uint8Array(65_536);

function poll(end: SctpAssociation, now: number): Bytes | undefined {
  const length = end.pollTransmitInto(scratch.subarray(0, end.mtu), 0, now);
  return length === 0 ? undefined : scratch.slice(0, length);
}

function isBefore(a: Arrival, b: Arrival): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Megabits a second of `bytes` in `duration` milliseconds. */
export function megabits(bytes: number, duration: number): number {
  return (bytes * 8) / 1000 / duration;
}

/** The value below which a `share` of the numbers lies. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
