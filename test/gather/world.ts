/** A gatherer with its host: a clock, a NAT, servers that answer as they are told to, names, and all that was said. */
import type { TransportAddress } from '../../src/core/address.ts';
import { formatAddress } from '../../src/core/address.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { HostRequest } from '../../src/core/host.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { GatherConfig, GatherEvent, GatherInput, GathererOptions } from '../../src/gather/index.ts';
import { Gatherer } from '../../src/gather/index.ts';
import { jsCrypto } from '../../src/index.ts';
import { StunAttributeType, StunMethod, StunWriter } from '../../src/stun/index.ts';

export const SOCKET = { protocol: 'udp', address: '10.0.0.2', port: 4000 } as const;
export const SOCKET6 = { protocol: 'udp', address: '2001:db8::2', port: 4000 } as const;
export const STUN: TransportAddress = { address: '192.0.2.1', port: 3478 };
export const PUBLIC = '198.51.100.7';

/** A server: what it says to a datagram from `from`, the address that it sees. */
export type Server = (data: Uint8Array, from: TransportAddress) => Bytes[];

/** A datagram that the gatherer sent. */
export interface Sent {
  readonly at: number;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly data: Bytes;
}

/** Something that arrives later. */
interface Planned {
  readonly at: number;
  readonly order: number;
  readonly input: () => GatherInput | undefined;
}

const crypto = jsCrypto();

/** Tells the address that it sees, or another one. */
export function stunServer(tell: (from: TransportAddress) => TransportAddress = (from) => from): Server {
  return (data, from) => [
    new StunWriter('success', StunMethod.binding, data.subarray(8, 20))
      .xorAddress(StunAttributeType.xorMappedAddress, tell(from))
      .finish(),
  ];
}

/** Says no. */
export function refusing(code: number, reason: string): Server {
  return (data) => [
    new StunWriter('error', StunMethod.binding, data.subarray(8, 20)).errorCode(code, reason).finish(),
  ];
}

export class World {
  now = 0;
  readonly gatherer: Gatherer;
  readonly servers = new Map<string, Server>();
  readonly names = new Map<string, readonly string[]>();
  readonly events: (GatherEvent & { readonly at: number })[] = [];
  readonly sent: Sent[] = [];
  readonly asked: string[] = [];
  /** The public side of one of our sockets. */
  nat = (socket: TransportAddress): TransportAddress => ({ address: PUBLIC, port: socket.port + 10_000 });
  /** One way, milliseconds. */
  latency = 10;
  /** What happens to the datagram of this number, from 0, of both directions. */
  fate: (index: number) => 'pass' | 'drop' | 'duplicate' = () => 'pass';
  #flights = 0;
  readonly #due: Planned[] = [];
  #order = 0;

  constructor(options: GathererOptions = {}, seed = 1) {
    this.gatherer = new Gatherer({ crypto, random: new SeededRandom(seed), ...options });
  }

  /** With a socket behind a NAT and a STUN server. */
  static usual(options: GathererOptions = {}): World {
    const world = new World(options);
    world.gatherer.addSocket(SOCKET);
    world.servers.set(formatAddress(STUN), stunServer());
    return world;
  }

  gather(config: Partial<GatherConfig> = {}): number {
    return this.gatherer.gather({ iceServers: [{ urls: 'stun:192.0.2.1' }], ...config });
  }

  /** Until nothing more happens within `ms`, or `until` holds. */
  run(ms: number, until: () => boolean = () => false): this {
    const end = this.now + ms;
    this.#feed({ type: 'timeout', now: this.now });
    while (!until()) {
      const next = this.#next();
      const at = Math.min(next?.at ?? Infinity, this.gatherer.nextTimeout());
      if (at > end) {
        this.now = end;
        break;
      }
      this.now = Math.max(this.now, at);
      if (next !== undefined && next.at <= this.now) {
        this.#due.splice(this.#due.indexOf(next), 1);
        const input = next.input();
        if (input !== undefined) this.#feed(input);
      } else {
        this.#feed({ type: 'timeout', now: this.now });
      }
    }
    return this;
  }

  of(gathering: number): (GatherEvent & { readonly at: number })[] {
    return this.events.filter((event) => event.gathering === gathering);
  }

  /** What a gathering was told, in short. */
  told(gathering: number): string[] {
    return this.of(gathering).map((event) => {
      switch (event.type) {
        case 'candidate':
          return `+${event.candidate.type} ${formatAddress(event.candidate)}`;
        case 'candidateremoved':
          return `-${event.candidate.type} ${formatAddress(event.candidate)}`;
        case 'candidateerror':
          return `${event.error.errorCode} ${event.error.url}`;
        case 'statechange':
          return event.state;
      }
    });
  }

  count(name: keyof ReturnType<Gatherer['inspect']>['counters']): number {
    return this.gatherer.inspect().counters[name];
  }

  /** Hands a datagram in, as if it had come from `source`. */
  receive(data: Uint8Array, source: TransportAddress, destination: TransportAddress = SOCKET): boolean {
    return this.#feed({ type: 'receive', now: this.now, protocol: 'udp', source, destination, data });
  }

  reply(input: GatherInput): void {
    this.#feed(input);
  }

  #next(): Planned | undefined {
    return [...this.#due].sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }

  #plan(after: number, input: () => GatherInput | undefined): void {
    this.#due.push({ at: this.now + after, order: this.#order++, input });
  }

  #feed(input: GatherInput): boolean {
    const isTaken = this.gatherer.handleInput(input);
    this.#drain();
    const violation = this.gatherer.invariantViolation();
    if (violation !== undefined) throw new Error(violation);
    return isTaken;
  }

  #drain(): void {
    for (;;) {
      const output = this.gatherer.pollOutput();
      switch (output.type) {
        case 'event':
          this.events.push({ ...output.event, at: this.now });
          break;
        case 'request':
          this.#request(output.request);
          break;
        case 'transmit':
          this.sent.push({ at: this.now, ...output });
          this.#carry(output);
          break;
        case 'datagram':
          break;
        case 'timeout':
          if (!(output.at > this.now))
            throw new Error(`${output.reason} is due at ${output.at}, now ${this.now}`);
          return;
      }
    }
  }

  #request(request: HostRequest): void {
    if (request.type !== 'resolve') return;
    const { name } = request;
    this.asked.push(name);
    const addresses = this.names.get(name);
    if (addresses !== undefined)
      this.#plan(this.latency, () => ({ type: 'resolved', now: this.now, name, addresses }));
  }

  #carry({ source, destination, data }: Omit<Sent, 'at'>): void {
    for (let times = this.#times(); times > 0; times--) {
      this.#plan(this.latency, () => {
        for (const answer of this.servers.get(formatAddress(destination))?.(data, this.nat(source)) ?? []) {
          for (let copies = this.#times(); copies > 0; copies--) {
            this.#plan(this.latency, () => ({
              type: 'receive',
              now: this.now,
              protocol: 'udp',
              source: destination,
              destination: source,
              data: answer.slice(),
            }));
          }
        }
        return undefined;
      });
    }
  }

  #times(): number {
    const fate = this.fate(this.#flights++);
    return fate === 'drop' ? 0 : fate === 'duplicate' ? 2 : 1;
  }
}
