/**
 * A rig: one machine under test and its peer, a wire between them, and a schedule of what happens to the machine: valid
 * packets of its peer in any order and any number, damaged ones, random bytes, times in any order, calls, the end.
 *
 * It drains after every step and writes down all that comes out, so that two rigs can be compared.
 */
import fc from 'fast-check';
import type { Bytes } from '../../src/core/bytes.ts';
import { FREEZE } from '../../src/core/clock.ts';
import type { Failure } from '../../src/core/errors.ts';
import { RtcError } from '../../src/core/errors.ts';

/** What a machine says when it is polled. */
export type Said = { readonly event: unknown } | { readonly packet: Bytes };

/** A machine as the suite drives it: one end of a fixture. */
export interface Subject {
  handlePacket(packet: Bytes, now: number): void;
  handleTimeout(now: number): void;
  /** Events come first; `undefined`: drained. */
  poll(now: number): Said | undefined;
  nextTimeout(): number;
  timeoutReason(): string | undefined;
  /** Absent where events are not counted: the poll contract of `Rtc` and `Endpoint`. */
  queuedEvents?(): number;
  /** The deadline before and after each `thaw`, as it was told; absent where nobody can be told. */
  readonly thaws?: readonly { readonly before: number; readonly after: number }[];
  close(reason: Failure, now: number): void;
  inspect(): object;
  invariantViolation(): string | undefined;
  /** Calls without a time; what they throw as misuse is right. */
  readonly calls: readonly (() => void)[];
  /** What `inspect` must not show: texts, or numbers. */
  secrets(): readonly (string | number)[];
}

/** A kind of machine, and how it is put on the rig. */
export interface Fixture {
  readonly name: string;
  /** Two ends that know of each other and have been started at the time 0: the same for the same seed. */
  make(seed: number): { readonly subject: Subject; readonly peer: Subject };
  /** `handlePacket` is given the memory: it may write into a packet and keep it. */
  readonly ownsPackets?: boolean;
  /** Milliseconds of undisturbed run until the two are connected; schedules run up to so long at once. */
  readonly setUp: number;
  /** What one of its lines says by then: a pattern for the log. */
  readonly connected: string;
}

/** One thing that happens to the machine under test. */
export type Step =
  /** It and its peer are left alone with each other, on a wire of 10 ms. */
  | { readonly do: 'run'; readonly share: number }
  /** A packet of its peer's, an old one or one that is on its way. */
  | { readonly do: 'deliver'; readonly pick: number }
  /** The same cut off, or with a bit flipped. */
  | { readonly do: 'damage'; readonly pick: number; readonly at: number; readonly mask: number }
  | { readonly do: 'bytes'; readonly bytes: Uint8Array }
  /** The time: so much later than the last one told, or earlier. */
  | { readonly do: 'time'; readonly after: number }
  /** The time of its deadline, or so much later. */
  | { readonly do: 'deadline'; readonly late: number }
  | { readonly do: 'call'; readonly pick: number }
  | { readonly do: 'close' };

const fraction = fc.nat(999).map((n) => n / 1000);

/** One step; the end of the machine is rare, or nothing else would be seen. */
const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('run' as const), share: fraction }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick: fraction }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('damage' as const),
      pick: fraction,
      at: fraction,
      mask: fc.integer({ min: 0, max: 255 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 80 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('time' as const),
      after: fc.oneof(
        fc.integer({ min: -5000, max: -1 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: FREEZE, max: 90_000 }),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('deadline' as const),
      late: fc.constantFrom(0, 0, 1, FREEZE - 1, FREEZE, 10_000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), pick: fraction }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
);

/** What happens to a machine, and of which seed it is made. */
export interface Schedule {
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** Half of them begin with a machine that is connected. */
export const arbitrarySchedule: fc.Arbitrary<Schedule> = fc
  .record({
    seed: fc.integer({ min: 1, max: 3 }),
    isConnected: fc.boolean(),
    steps: fc.array(arbitraryStep, { minLength: 1, maxLength: 24 }),
  })
  .map(({ seed, isConnected, steps }) => ({
    seed,
    steps: isConnected ? [{ do: 'run', share: 1 } as const, ...steps] : steps,
  }));

/** Why the suite closes a machine. */
export const REASON: Failure = { layer: 'rtc', code: 'local-close', message: 'closed by this end' };

/** How long a packet is on its way, milliseconds. */
const LATENCY = 10;

/** A drain that gives more than this does not end. */
const MAX_SAID = 10_000;

/** Turns of one undisturbed run: timers that are due again and again would keep it for ever. */
const MAX_TURNS = 3000;

/** What a packet is overwritten with once it has been handled. */
const SCRIBBLE = 0xdb;

interface Flight {
  readonly at: number;
  readonly to: 'subject' | 'peer';
  readonly packet: Bytes;
}

/** How a rig differs from another one that is compared with it. */
export interface RigOptions {
  /** The machine hears no time earlier than one it has heard: 'no'. Default: it does. */
  readonly clampsTime?: boolean;
  /** Each packet is overwritten once `handlePacket` has returned. Default false. */
  readonly scribbles?: boolean;
  /** `inspect` is called after every step. Default false. */
  readonly inspects?: boolean;
  /** Called after each drain of the machine under test. */
  readonly onDrained?: (rig: Rig) => void;
}

export class Rig {
  readonly subject: Subject;
  /** Everything the machine has said, one line each. */
  readonly log: string[] = [];
  /** The last time seen, milliseconds. */
  now = 0;
  isClosed = false;
  /** What it has said since it was closed. */
  saidSinceClose = 0;
  readonly #peer: Subject;
  readonly #setUp: number;
  readonly #options: RigOptions;
  /** Every packet of the peer's so far. */
  readonly #pool: Bytes[] = [];
  #wire: Flight[] = [];

  constructor(fixture: Fixture, seed: number, options: RigOptions = {}) {
    const { subject, peer } = fixture.make(seed);
    this.subject = subject;
    this.#peer = peer;
    this.#setUp = fixture.setUp;
    this.#options = options;
    this.#drainPeer();
    this.drain();
  }

  play(steps: readonly Step[]): this {
    for (const step of steps) this.step(step);
    return this;
  }

  step(step: Step): void {
    switch (step.do) {
      case 'run':
        this.#run(this.now + Math.round(step.share * this.#setUp));
        return;
      case 'deliver':
        this.feed(this.#pick(step.pick));
        break;
      case 'damage':
        this.feed(damaged(this.#pick(step.pick), step.at, step.mask));
        break;
      case 'bytes':
        this.feed(Uint8Array.from(step.bytes));
        break;
      case 'time':
        this.tell(this.now + step.after);
        break;
      case 'deadline': {
        const at = this.subject.nextTimeout();
        if (at === Infinity) return;
        this.tell(at + step.late);
        break;
      }
      case 'call':
        this.#call(step.pick);
        break;
      case 'close':
        this.close();
        break;
    }
    this.drain();
  }

  /** The machine is told the time; its peer's goes with it. */
  tell(now: number): void {
    this.now = Math.max(this.now, now);
    this.subject.handleTimeout(this.#options.clampsTime === true ? this.now : now);
  }

  close(): void {
    this.subject.close(REASON, this.now);
    this.isClosed = true;
  }

  /** Hands a copy of `packet` over. Throws if the machine has written into it. */
  feed(packet: Bytes | undefined): void {
    if (packet === undefined) return;
    const given = packet.slice();
    this.subject.handlePacket(given, this.now);
    if (this.#options.scribbles !== true) return;
    if (given.some((byte, i) => byte !== packet[i])) throw new Error('a given packet was written into');
    given.fill(SCRIBBLE);
  }

  /** Polls until there is nothing; packets go onto the wire. Throws if there is no end. */
  drain(): void {
    const { subject } = this;
    let counted = subject.queuedEvents?.() ?? Infinity;
    for (let said = subject.poll(this.now); said !== undefined; said = subject.poll(this.now)) {
      this.log.push(describeSaid(said));
      if (this.log.length > MAX_SAID) throw new Error('a drain does not end');
      if (this.isClosed) this.saidSinceClose++;
      if ('packet' in said) {
        this.#wire.push({ at: this.now + LATENCY, to: 'peer', packet: said.packet });
        counted = subject.queuedEvents?.() ?? Infinity;
      } else if (--counted < 0) {
        throw new MiscountedEvents();
      }
    }
    if (this.#options.inspects === true) subject.inspect();
    this.#options.onDrained?.(this);
  }

  #drainPeer(): void {
    const peer = this.#peer;
    for (let said = peer.poll(this.now); said !== undefined; said = peer.poll(this.now)) {
      if (!('packet' in said)) continue;
      this.#pool.push(said.packet);
      this.#wire.push({ at: this.now + LATENCY, to: 'subject', packet: said.packet });
    }
  }

  #run(until: number): void {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const deadlines = [this.subject.nextTimeout(), this.#peer.nextTimeout()];
      const next = Math.min(...deadlines, ...this.#wire.map(({ at }) => at));
      if (next > until) break;
      this.now = Math.max(this.now, next);
      const due = this.#wire.filter(({ at }) => at <= this.now);
      this.#wire = this.#wire.filter(({ at }) => at > this.now);
      for (const { to, packet } of due) {
        if (to === 'subject') this.feed(packet);
        else this.#peer.handlePacket(packet.slice(), this.now);
      }
      if (this.subject.nextTimeout() <= this.now) this.subject.handleTimeout(this.now);
      if (this.#peer.nextTimeout() <= this.now) this.#peer.handleTimeout(this.now);
      this.drain();
      this.#drainPeer();
    }
    this.now = Math.max(this.now, until);
    this.tell(this.now);
    this.#peer.handleTimeout(this.now);
    this.drain();
    this.#drainPeer();
  }

  #pick(share: number): Bytes | undefined {
    return this.#pool[Math.floor(share * this.#pool.length)];
  }

  #call(share: number): void {
    const { calls } = this.subject;
    try {
      calls[Math.floor(share * calls.length)]?.();
    } catch (error) {
      if (!(error instanceof RtcError)) throw error;
    }
  }
}

/** `pollEvent` gave more than `queuedEvents` said. */
export class MiscountedEvents extends Error {
  constructor() {
    super('pollEvent gave more events than queuedEvents had said');
  }
}

function damaged(packet: Bytes | undefined, share: number, mask: number): Bytes | undefined {
  if (packet === undefined || packet.length === 0) return packet;
  const at = Math.floor(share * packet.length);
  if (mask === 0) return packet.slice(0, at);
  const copy = packet.slice();
  copy[at]! ^= mask;
  return copy;
}

function describeSaid(said: Said): string {
  return JSON.stringify(said, (_key, value: unknown) => {
    if (value instanceof Uint8Array) return `${value.length} bytes, ${hash(value)}`;
    if (typeof value === 'object' && value !== null && 'label' in value)
      return `channel ${String(value.label)}`;
    return typeof value === 'object' && value !== null && 'pollOutput' in value ? 'a connection' : value;
  });
}

/** FNV-1a. */
function hash(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}
