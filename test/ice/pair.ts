/**
 * Two ICE agents in a box: one virtual clock, one seed, knobs for delay and loss, a cable that can be cut, and a NAT in
 * front of either. After every step the invariants of a layer machine are checked.
 */
import { expect } from 'vitest';
import type { TransportAddress } from '../../src/core/address.ts';
import { formatAddress } from '../../src/core/address.ts';
import { isFailure } from '../../src/core/decode.ts';
import type { Failure } from '../../src/core/errors.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { IceEvent, IceOptions, IceTransmit } from '../../src/ice/index.ts';
import { IceAgent } from '../../src/ice/index.ts';
import { StunAttributeType as Type, decodeStun, errorCodeOf, hasAttribute } from '../../src/stun/index.ts';

/** Why a test closes an agent. */
export const LOCAL_CLOSE: Failure = { layer: 'ice', code: 'local-close', message: 'close() was called' };

export type SideName = 'a' | 'b';

/** One datagram on its way, with what a ladder would say about it. */
export interface Flight {
  readonly from: SideName;
  readonly sentAt: number;
  readonly transmit: IceTransmit;
  /** `request`, `request+use`, `success`, `error 487` … */
  readonly what: string;
}

export interface Knobs {
  readonly seed?: number;
  /** One way, milliseconds; 10 by default. */
  readonly delay?: number;
  /** Of each datagram, 0–1. */
  readonly loss?: number;
  readonly a?: Partial<IceOptions>;
  readonly b?: Partial<IceOptions>;
}

export class Side {
  readonly name: SideName;
  readonly agent: IceAgent;
  readonly events: IceEvent[] = [];
  readonly bases: TransportAddress[] = [];
  /** Inside address → the address the world sees, both formatted. */
  readonly nat = new Map<string, TransportAddress>();

  constructor(name: SideName, options: IceOptions) {
    this.name = name;
    this.agent = new IceAgent(options);
  }

  states(): string[] {
    return this.events.flatMap((event) => (event.type === 'statechange' ? [event.state] : []));
  }

  host(address: string, port: number, now = 0): void {
    this.agent.addLocalCandidate({ type: 'host', protocol: 'udp', address, port }, now);
    this.bases.push({ address, port });
  }

  count(name: keyof ReturnType<IceAgent['inspect']>['counters']): number {
    return this.agent.inspect().counters[name];
  }
}

export class IcePair {
  now = 0;
  readonly a: Side;
  readonly b: Side;
  /** Everything sent, delivered or not. */
  readonly log: Flight[] = [];
  /** Says which datagrams the network loses, besides the random ones. */
  drop: (flight: Flight) => boolean = () => false;
  readonly #delay: number;
  readonly #loss: number;
  readonly #network: SeededRandom;
  #inFlight: { readonly at: number; readonly flight: Flight }[] = [];

  constructor(knobs: Knobs = {}) {
    const random = new SeededRandom(knobs.seed ?? 1);
    const crypto = jsCrypto();
    this.#network = random.split('network');
    this.#delay = knobs.delay ?? 10;
    this.#loss = knobs.loss ?? 0;
    this.a = new Side('a', { crypto, random: random.split('a'), role: 'controlling', ...knobs.a });
    this.b = new Side('b', { crypto, random: random.split('b'), role: 'controlled', ...knobs.b });
  }

  /** One host candidate each and full signalling: the usual start. */
  static connected(knobs: Knobs = {}): IcePair {
    const pair = new IcePair(knobs);
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(2000);
    expect(pair.states()).toEqual(['completed', 'completed']);
    return pair;
  }

  other(side: Side): Side {
    return side === this.a ? this.b : this.a;
  }

  /** Tells both sides everything about the other at once. */
  signal(): void {
    this.tell(this.a);
    this.tell(this.b);
  }

  /** Tells `side` about the other: parameters, candidates, end of candidates. */
  tell(side: Side): void {
    const { agent } = this.other(side);
    side.agent.setRemoteParameters(agent.localParameters, this.now);
    for (const candidate of agent.localCandidates) side.agent.addRemoteCandidate(candidate, this.now);
    side.agent.endOfRemoteCandidates(this.now);
  }

  states(): string[] {
    return [this.a.agent.state, this.b.agent.state];
  }

  /** Both restart, and tell each other their new parameters; the candidates are those of before. */
  restart(): void {
    this.a.agent.restart(this.now);
    this.b.agent.restart(this.now);
    this.signal();
  }

  /** Runs for `duration` milliseconds of virtual time, or until `done`. */
  run(duration: number, done: () => boolean = () => false): void {
    const end = this.now + duration;
    for (;;) {
      this.#drain();
      if (done()) return;
      const next = Math.min(
        this.a.agent.nextTimeout(),
        this.b.agent.nextTimeout(),
        ...this.#inFlight.map(({ at }) => at),
      );
      if (next > end) break;
      this.now = next;
      this.#deliver();
      for (const { agent } of [this.a, this.b])
        if (agent.nextTimeout() <= this.now) agent.handleTimeout(this.now);
    }
    this.now = end;
  }

  /** Both machines freeze: time passes, nothing runs; what was under way arrives when they wake. */
  freeze(duration: number): void {
    this.now += duration;
    this.#deliver();
    for (const { agent } of [this.a, this.b]) agent.handleTimeout(this.now);
    this.#drain();
  }

  sent(from: SideName, what: string, since = 0): Flight[] {
    return this.log.filter((one) => one.from === from && one.what === what && one.sentAt >= since);
  }

  #drain(): void {
    for (const side of [this.a, this.b]) {
      for (let out = side.agent.pollTransmit(); out !== undefined; out = side.agent.pollTransmit()) {
        const flight: Flight = { from: side.name, sentAt: this.now, transmit: out, what: describe(out.data) };
        this.log.push(flight);
        const lost = this.#network.unit() < this.#loss || this.drop(flight);
        if (!lost) this.#inFlight.push({ at: this.now + this.#delay, flight });
      }
      for (let event = side.agent.pollEvent(); event !== undefined; event = side.agent.pollEvent()) {
        side.events.push(event);
      }
      checkInvariants(side.agent, this.now);
    }
  }

  #deliver(): void {
    const due = this.#inFlight.filter(({ at }) => at <= this.now);
    this.#inFlight = this.#inFlight.filter(({ at }) => at > this.now);
    for (const { flight } of due) this.#arrive(flight);
  }

  #arrive({ from, transmit }: Flight): void {
    const sender = this[from];
    const receiver = this.other(sender);
    const { protocol, data } = transmit;
    const source = sender.nat.get(formatAddress(transmit.source)) ?? transmit.source;
    const target = formatAddress(transmit.destination);
    const destination = receiver.bases.find((base) => {
      const outside = receiver.nat.get(formatAddress(base)) ?? base;
      return formatAddress(outside) === target;
    });
    if (destination === undefined) return;
    const bytes = data.slice();
    receiver.agent.handlePacket(bytes, { protocol, source, destination }, this.now);
    // Ownership: what was handed in may be overwritten at once.
    bytes.fill(0xee);
    data.fill(0xee);
  }
}

/** What holds after every drain, in every state. */
export function checkInvariants(agent: IceAgent, now: number): void {
  expect(agent.nextTimeout()).toBeGreaterThan(now);
  expect(agent.timeoutReason() === undefined).toBe(agent.nextTimeout() === Infinity);
  expect(agent.invariantViolation()).toBeUndefined();
  const { state } = agent;
  if (state === 'failed' || state === 'closed') {
    expect(agent.nextTimeout()).toBe(Infinity);
    expect(agent.sendPath).toBeUndefined();
  } else if (state !== 'new') {
    expect(agent.nextTimeout()).toBeLessThan(Infinity);
  }
}

function describe(data: Uint8Array): string {
  const message = decodeStun(data);
  if (isFailure(message)) return message.reason;
  if (message.class === 'error') return `error ${String(errorCodeOf(message))}`;
  return hasAttribute(message, Type.useCandidate) ? `${message.class}+use` : message.class;
}
