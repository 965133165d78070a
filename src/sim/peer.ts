/**
 * PeerRunner: drives one machine on its host. Each step gives it inputs and drains it:
 *
 *   handleInput … → pollOutput until timeout → the contract's rules are checked → its deadline is planned
 */
import { ChannelOutcomes } from './channel-outcomes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { HostRequest } from '../core/host.ts';
import type { Connections } from './connections.ts';
import type { Loop } from './loop.ts';
import type { Arrival, AttachOptions, Host, Runner } from './host.ts';
import type { DatagramLog } from './log.ts';
import type { PeerEvent, SimInput, SimMachine, SimOutput, SimTimeout, SimTransmit } from './machine.ts';
import type { Flight, Wire } from './wire.ts';
import type { Rule } from './violation.ts';
import { ContractViolation } from './violation.ts';

/** What may be planned in the network's loop. */
export type Occurrence =
  | { readonly type: 'arrival'; readonly flight: Flight }
  | { readonly type: 'deadline'; readonly peer: PeerRunner }
  | { readonly type: 'wake'; readonly peer: PeerRunner }
  | { readonly type: 'call'; readonly peer: PeerRunner | undefined; readonly action: () => void }
  | { readonly type: 'segment'; readonly action: (now: number) => void }
  | { readonly type: 'told'; readonly peer: PeerRunner; readonly input: SimInput }
  | { readonly type: 'thaw'; readonly host: Host };

/** What every peer of a network shares. */
export interface PeerSurroundings {
  readonly seed: number;
  readonly loop: Loop<Occurrence>;
  readonly wire: Wire;
  readonly connections: Connections;
  /** The addresses of a name; `undefined`: nobody has it. */
  readonly resolve: (name: string) => readonly string[] | undefined;
  readonly log: DatagramLog;
  readonly invariants: boolean;
  readonly scribble: boolean;
  readonly outputsPerDrain: number;
  readonly keepEvents: boolean;
  /** Those of all peers, in order. */
  readonly events: PeerEvent[];
  readonly leave: (peer: PeerRunner) => void;
}

/** `AttachOptions` of whatever machine, without those that only `attach` looks at. */
export type RunnerOptions = Pick<AttachOptions, 'onEvent' | 'invariant' | 'closedEvent'>;

/** What delivered bytes are overwritten with: neither zeros nor anything a protocol is likely to send. */
const SCRIBBLE = 0xdb;

/** RFC 768 and RFC 791: 65,535 less the headers. */
const MAX_UDP_PAYLOAD = 65_507;

/** The network's side of a `SimPeer`: feeds, drains and checks its machine. */
export class PeerRunner implements Runner {
  readonly name: string;
  readonly host: Host;
  readonly #machine: SimMachine;
  readonly #ports: readonly number[] | undefined;
  readonly #around: PeerSurroundings;
  readonly #options: RunnerOptions;
  readonly #events: PeerEvent[] = [];
  readonly #channels = new ChannelOutcomes();
  #listensToWake = false;
  #deadline = Infinity;
  #reason: string | undefined;
  #closed = false;
  #detached = false;
  #steps = 0;
  /** The time of the deadline occurrence that counts; `Infinity`: none is planned. */
  #plannedFor = Infinity;
  #wakePlanned = false;

  constructor(
    name: string,
    host: Host,
    machine: SimMachine,
    ports: readonly number[] | undefined,
    options: RunnerOptions,
    around: PeerSurroundings,
  ) {
    this.name = name;
    this.host = host;
    this.#machine = machine;
    this.#ports = ports;
    this.#options = options;
    this.#around = around;
  }

  get events(): readonly PeerEvent[] {
    return this.#events;
  }

  get deadline(): number {
    return this.#deadline;
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get detached(): boolean {
    return this.#detached;
  }

  get steps(): number {
    return this.#steps;
  }

  wake(): void {
    if (this.#wakePlanned || this.#detached) return;
    this.#wakePlanned = true;
    this.#around.loop.plan(this.#around.loop.now, { type: 'wake', peer: this });
  }

  at(time: number, action: () => void): void {
    this.#around.loop.planCall(time, { type: 'call', peer: this, action });
  }

  after(delay: number, action: () => void): void {
    this.at(this.#around.loop.now + delay, action);
  }

  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#deadline = Infinity;
    if (this.#listensToWake) this.#machine.onWake = undefined;
    this.host.unbind(this);
    this.#around.connections.gone(this, this.#around.loop.now);
    this.#around.leave(this);
  }

  /** Its ports are bound: listens to the machine's own wakes, and plans its first step. */
  start(): void {
    const machine = this.#machine;
    this.#listensToWake = 'onWake' in machine && machine.onWake === undefined;
    if (this.#listensToWake) {
      machine.onWake = () => {
        this.wake();
      };
    }
    if ('onError' in machine) {
      machine.onError ??= (error) => {
        throw error;
      };
    }
    this.wake();
  }

  /** Whether a planned deadline, wake or call still means anything. */
  isDue(type: 'deadline' | 'wake' | 'call', at: number): boolean {
    if (this.#detached) return false;
    if (type !== 'deadline') return true;
    if (at !== this.#plannedFor) return false;
    if (this.#deadline <= at) return true;
    this.#plannedFor = Infinity;
    this.#planDeadline();
    return false;
  }

  /** Tells the machine the time and drains it. */
  poll(cause: string): void {
    this.#wakePlanned = false;
    this.#begin(cause);
    this.#feed({ type: 'timeout', now: this.#around.loop.now });
    this.#drain();
  }

  /** The planned time has come. A frozen host's machine misses it; the thaw polls it. */
  deadlineReached(): void {
    this.#plannedFor = Infinity;
    if (this.host.frozenAt(this.#around.loop.now)) return;
    this.poll(this.#reason === undefined ? 'timeout' : `timeout (${this.#reason})`);
  }

  tell(input: SimInput): void {
    if (this.#detached) return;
    const { loop } = this.#around;
    const at = this.host.frozenAt(loop.now) ? this.host.frozenUntil : loop.now;
    loop.plan(at, { type: 'told', peer: this, input });
  }

  /** What `tell` was given has its turn. */
  hear(input: SimInput): void {
    if (this.#detached) return;
    if (this.host.frozenAt(this.#around.loop.now)) {
      this.tell(input);
      return;
    }
    this.#begin(input.type);
    this.#feed({ ...input, now: this.#around.loop.now });
    if (this.#around.scribble && 'data' in input) (input.data as Bytes).fill(SCRIBBLE);
    this.#drain();
  }

  receive(arrival: Arrival): void {
    this.#begin('datagram');
    this.#deliver(arrival);
    this.#drain();
  }

  /** Awakes from a freeze: the time, then everything kept, then one drain. */
  thaw(arrivals: readonly Arrival[]): void {
    this.#wakePlanned = false;
    this.#begin('thaw');
    this.#feed({ type: 'timeout', now: this.#around.loop.now });
    for (const arrival of arrivals) this.#deliver(arrival);
    this.#drain();
  }

  #begin(cause: string): void {
    this.#steps++;
    this.#around.loop.step(`${this.name}: ${cause}`);
  }

  #deliver({ record, source, destination, data }: Arrival): void {
    const { loop, log, scribble } = this.#around;
    log.delivered(record, this.name, loop.now);
    this.#feed({ type: 'receive', now: loop.now, protocol: 'udp', source, destination, data });
    if (scribble) data.fill(SCRIBBLE);
  }

  #feed(input: SimInput): void {
    try {
      this.#machine.handleInput(input);
    } catch (error) {
      throw this.#violation('threw', `threw out of handleInput (${input.type}): ${String(error)}`, error);
    }
  }

  #poll(): SimOutput {
    try {
      return this.#machine.pollOutput();
    } catch (error) {
      throw this.#violation('threw', `threw out of pollOutput: ${String(error)}`, error);
    }
  }

  #drain(): void {
    const { outputsPerDrain } = this.#around;
    for (let outputs = 0; outputs <= outputsPerDrain; outputs++) {
      // Its own event handler may have detached it.
      if (this.#detached) return;
      const output = this.#poll();
      switch (output.type) {
        case 'transmit':
          this.#send(output);
          break;
        case 'event':
          this.#emit(output);
          break;
        case 'request':
          this.#ask(output.request);
          break;
        case 'timeout':
          this.#settle(output);
          return;
      }
    }
    throw this.#violation('endless-drain', `gave out more than ${outputsPerDrain} outputs in one drain`);
  }

  #send(transmit: SimTransmit): void {
    const { source, destination, data } = transmit;
    if (this.#closed) this.#require(false, 'spoke-after-close', 'sent a datagram after its closed event');
    if (data.length > MAX_UDP_PAYLOAD || !(destination.port >= 1 && destination.port <= 65535)) {
      const what = `sent ${data.length} bytes to port ${destination.port}`;
      throw this.#violation('bad-datagram', what);
    }
    const from = this.host.interface(source.address);
    // An active TCP candidate's port is none that is bound.
    const owned =
      transmit.protocol === 'tcp' || this.#ports === undefined || this.#ports.includes(source.port);
    if (from === undefined || !owned) {
      const what = `sent from ${source.address} port ${source.port}, which is not its own`;
      throw this.#violation('foreign-source', what);
    }
    const { wire, connections, loop } = this.#around;
    if (transmit.protocol === 'tcp') connections.transmit(this, from, transmit, loop.now);
    else wire.send(from, this.name, transmit, loop.now);
  }

  #ask(request: HostRequest): void {
    const { connections, loop, resolve } = this.#around;
    if (request.type !== 'resolve') {
      connections.request(this, request, loop.now);
      return;
    }
    const { name } = request;
    this.tell({ type: 'resolved', now: loop.now, name, addresses: resolve(name) ?? [] });
  }

  #emit(output: Extract<SimOutput, { readonly type: 'event' }>): void {
    if (this.#closed) this.#require(false, 'spoke-after-close', 'gave out an event after its closed event');
    if (isClosedEvent(output, this.#options.closedEvent ?? 'closed')) this.#closed = true;
    const wrong = this.#around.invariants ? this.#channels.note(output) : undefined;
    if (wrong !== undefined) throw this.#violation('channel-outcome', wrong);
    const event: PeerEvent = { ...output, at: this.#around.loop.now, peer: this.name };
    if (this.#around.keepEvents) {
      this.#events.push(event);
      this.#around.events.push(event);
    }
    this.#options.onEvent?.(event);
  }

  #settle(timeout: SimTimeout): void {
    const { now } = this.#around.loop;
    const { at, reason } = timeout;
    const named = reason === undefined ? '' : ` (${reason})`;
    this.#require(at > now, 'deadline-in-past', `asked to be woken at ${at} ms${named}, which is not later`);
    if (this.#closed) {
      this.#require(at === Infinity, 'spoke-after-close', `asked to be woken${named} after its closed event`);
      this.#require(
        this.#machine.isEmpty !== false,
        'held-after-close',
        'holds something after its closed event',
      );
    }
    if (this.#around.invariants) this.#checkOwnRules();
    this.#reason = reason;
    this.#deadline = at;
    this.#planDeadline();
  }

  #checkOwnRules(): void {
    const broken = this.#machine.invariantViolation?.() ?? this.#options.invariant?.();
    if (broken !== undefined) throw this.#violation('invariant', `broke its own rule: ${broken}`);
  }

  /**
   * Deadlines mostly move back. One that does is left where it is planned; when that time comes, `isDue` looks again.
   */
  #planDeadline(): void {
    if (!(this.#deadline < this.#plannedFor)) return;
    this.#plannedFor = Math.max(this.#deadline, this.#around.loop.now);
    this.#around.loop.plan(this.#plannedFor, { type: 'deadline', peer: this });
  }

  #require(holds: boolean, rule: Rule, what: string): void {
    if (!holds && this.#around.invariants) throw this.#violation(rule, what);
  }

  #violation(rule: Rule, what: string, cause?: unknown): ContractViolation {
    const { loop, seed } = this.#around;
    return new ContractViolation(
      rule,
      { peer: this.name, step: loop.steps, at: loop.now, seed },
      what,
      cause,
    );
  }
}

function isClosedEvent(output: { readonly event: unknown }, closedEvent: string | false): boolean {
  if (closedEvent === false || 'rtc' in output) return false;
  const { event } = output;
  return typeof event === 'object' && event !== null && 'type' in event && event.type === closedEvent;
}
