/** Two associations, one virtual clock, one hostile link; and what must hold after every step. */
import { expect } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Failure } from '../../src/core/errors.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { SctpAssociation } from '../../src/sctp/index.ts';
import type { SctpEvent, SctpInspection, SctpMessageEvent, SctpOptions } from '../../src/sctp/index.ts';
import type { ReceiverLimits } from '../../src/sctp/rx/receiver.ts';

/** Why a test closes an association. */
export const LOCAL_CLOSE: Failure = { layer: 'rtc', code: 'local-close', message: 'closed by this end' };

export type Overrides = Partial<SctpOptions>;

export function association(seed: number, overrides: Overrides = {}): SctpAssociation {
  return new SctpAssociation({
    random: new SeededRandom(seed),
    remoteMaxMessageSize: Infinity,
    // Most tests read DATA on the wire; those of I-DATA ask for it.
    interleaving: false,
    ...overrides,
  });
}

/** For receivers that stand alone. */
export const RECEIVER_LIMITS: ReceiverLimits = {
  receiveWindow: 100_000,
  receiveWindowMax: 100_000,
  maxMessageSize: 50_000,
  inboundStreams: 100,
  maxFragments: 100_000,
  maxOpenMessages: 1000,
  maxOpenMessagesPerStream: 250,
  maxDeferredBytes: 65_536,
  maxDeferredChunks: 256,
  maxGaps: 1024,
};

/** Everything an association wants to send now. */
export function sent(a: SctpAssociation): Bytes[] {
  const packets: Bytes[] = [];
  for (let packet = a.pollTransmit(); packet !== undefined; packet = a.pollTransmit()) packets.push(packet);
  return packets;
}

export function events(a: SctpAssociation): SctpEvent[] {
  const all: SctpEvent[] = [];
  for (let event = a.pollEvent(); event !== undefined; event = a.pollEvent()) all.push(event);
  return all;
}

export function messages(all: readonly SctpEvent[]): SctpMessageEvent[] {
  return all.filter((event) => event.type === 'message');
}

export function receive(a: SctpAssociation, packets: readonly Bytes[], now: number): void {
  for (const packet of packets) a.handlePacket(packet, now);
}

export function inspect(a: SctpAssociation): SctpInspection {
  return a.inspect();
}

/** What must hold after every public call (the design's §5). Plain comparisons: it runs after every step. */
export function assertInvariants(a: SctpAssociation): void {
  const broken = brokenInvariant(inspect(a), a.nextTimeout()) ?? misordered(a);
  if (broken !== undefined) throw new Error(`${broken}: ${JSON.stringify(a.inspect())}`);
}

/** RFC 9260 §6.10, of every packet so far. The rest of what simulations ask does not hold where a test switches gates off. */
function misordered(a: SctpAssociation): string | undefined {
  const violation = a.invariantViolation();
  return violation?.includes('behind DATA') === true ? violation : undefined;
}

function brokenInvariant(seen: SctpInspection, nextTimeout: number): string | undefined {
  const { send, receive, resets, timers } = seen;
  const held = send.bufferedBytes + send.unackedBytes + send.outstandingChunks + send.flightBytes;
  if (seen.state === 'closed') {
    if (nextTimeout !== Infinity || Object.keys(timers).length > 0) return 'closed and a timer armed';
    return held + (receive?.fragments ?? 0) > 0 ? 'closed and something held' : undefined;
  }
  if (Math.min(send.bufferedBytes, send.unackedBytes, send.flightBytes, send.lostChunks) < 0)
    return 'negative';
  if (receive !== null && receive.usedBytes < 0) return 'negative window use';
  if (seen.pathWritable && send.outstandingChunks > 0 && !('t3' in timers)) return 'outstanding without T3';
  if (seen.pathWritable && held > 0 && seen.state === 'established' && !('dataProgress' in timers)) {
    return 'data without a gate';
  }
  const isResetAwaited = resets.inFlight.length > 0 && !resets.overdue;
  if (seen.pathWritable && isResetAwaited && !('streamReset' in timers)) return 'reset without a gate';
  // While the path is down the wait is the owner's.
  if (seen.pathWritable && seen.state !== 'new' && nextTimeout === Infinity) return 'waiting without a timer';
  return undefined;
}

export interface LinkOptions {
  /** One way, milliseconds. */
  readonly delay: number;
  readonly jitter?: number;
  /** Probabilities. */
  readonly loss?: number;
  readonly duplication?: number;
  /** Bytes a millisecond; a queue of `queueMs` drops what does not fit. */
  readonly rate?: number;
  readonly queueMs?: number;
}

interface InFlight {
  readonly at: number;
  readonly order: number;
  readonly to: 0 | 1;
  readonly packet: Bytes;
}

export interface PairOptions {
  readonly seed?: number;
  readonly link?: LinkOptions;
  readonly a?: Overrides;
  readonly b?: Overrides;
  /** Checks the invariants after every step; costs time. */
  readonly check?: boolean;
}

/** Two associations on a link. `run` moves the clock from event to event. */
export class Pair {
  now = 1000;
  readonly a: SctpAssociation;
  readonly b: SctpAssociation;
  readonly events: readonly [SctpEvent[], SctpEvent[]] = [[], []];
  /** Packets handed to the link. */
  packets = 0;
  link: LinkOptions;
  /** Cuts one direction: nothing sent by 0 (a) or 1 (b) arrives. */
  readonly cut: [boolean, boolean] = [false, false];
  /** False: the end's events are not polled. */
  readonly polls: [boolean, boolean] = [true, true];
  /** Sees every packet before the link; false drops it. */
  filter: ((from: 0 | 1, packet: Bytes) => boolean) | undefined;
  onEvent: ((at: 0 | 1, event: SctpEvent) => void) | undefined;
  readonly #random: SeededRandom;
  readonly #check: boolean;
  #inFlight: InFlight[] = [];
  #order = 0;
  readonly #busyUntil: [number, number] = [0, 0];

  constructor(options: PairOptions = {}) {
    const seed = options.seed ?? 1;
    this.#random = new SeededRandom(seed).split('link');
    this.a = association(seed * 2 + 1, options.a);
    this.b = association(seed * 2 + 2, options.b);
    this.link = options.link ?? { delay: 10 };
    this.#check = options.check ?? true;
  }

  end(index: 0 | 1): SctpAssociation {
    return index === 0 ? this.a : this.b;
  }

  connect(): this {
    this.a.connect(this.now);
    this.b.connect(this.now);
    this.run(() => this.a.state === 'established' && this.b.state === 'established');
    // What the set-up left on its way: COOKIE ACKs.
    this.runFor(200);
    return this;
  }

  /** Sends what both ends have to send, collects their events. */
  drain(): void {
    for (const index of [0, 1] as const) {
      const end = this.end(index);
      for (;;) {
        for (let packet = end.pollTransmit(); packet !== undefined; packet = end.pollTransmit()) {
          this.#launch(index, packet);
        }
        const event = this.polls[index] ? end.pollEvent() : undefined;
        if (event === undefined) break;
        this.events[index].push(event);
        this.onEvent?.(index, event);
      }
      if (this.#check) assertInvariants(end);
    }
  }

  /** Runs until `done`, or until nothing is left to happen, or for `limit` milliseconds at the most. */
  run(done: () => boolean = () => false, limit = 600_000): void {
    const stopAt = this.now + limit;
    // As a driver does: the clock is fed before what was said meanwhile is drained.
    this.a.handleTimeout(this.now);
    this.b.handleTimeout(this.now);
    this.drain();
    while (!done()) {
      const next = this.nextStep();
      if (next > stopAt) {
        this.now = Number.isFinite(stopAt) ? stopAt : this.now;
        return;
      }
      this.step(next);
    }
  }

  runFor(duration: number): void {
    this.run(undefined, duration);
  }

  nextStep(): number {
    let next = Math.min(this.a.nextTimeout(), this.b.nextTimeout());
    for (const { at } of this.#inFlight) next = Math.min(next, at);
    return next;
  }

  step(at: number): void {
    this.now = Math.max(this.now, at);
    const due = this.#inFlight.filter((packet) => packet.at <= this.now);
    if (due.length > 0) {
      this.#inFlight = this.#inFlight.filter((packet) => packet.at > this.now);
      due.sort((x, y) => x.at - y.at || x.order - y.order);
      for (const { to, packet } of due) this.end(to).handleOwnedPacket(packet, this.now);
    }
    for (const index of [0, 1] as const) {
      const end = this.end(index);
      if (end.nextTimeout() > this.now) continue;
      end.handleTimeout(this.now);
      expect(end.nextTimeout()).toBeGreaterThan(this.now);
    }
    this.drain();
  }

  #launch(from: 0 | 1, packet: Bytes): void {
    this.packets++;
    if (this.filter?.(from, packet) === false || this.cut[from]) return;
    const { delay, jitter = 0, loss = 0, duplication = 0, rate, queueMs = 100 } = this.link;
    let leaves = this.now;
    if (rate !== undefined) {
      const busy = Math.max(this.#busyUntil[from], this.now);
      if (busy - this.now > queueMs) return;
      leaves = busy + packet.length / rate;
      this.#busyUntil[from] = leaves;
    }
    if (this.#random.unit() < loss) return;
    const copies = this.#random.unit() < duplication ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const at = leaves + delay + this.#random.unit() * jitter;
      this.#inFlight.push({
        at,
        order: this.#order++,
        to: from === 0 ? 1 : 0,
        packet: i === 0 ? packet : packet.slice(),
      });
    }
  }
}

/** `length` bytes that tell where they belong. */
export function payload(length: number, mark: number): Bytes {
  const bytes = new Uint8Array(length);
  let state = (mark * 2654435761) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
