/** A TURN client and a server on a virtual clock, 10 ms apart; what goes between may be looked at, changed and dropped. */
import { formatAddress } from '../../src/core/address.ts';
import type { TransportAddress } from '../../src/core/address.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { encodeUtf8 } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { SimTurnServer } from '../../src/sim/turn-server.ts';
import type { SimTurnServerOptions } from '../../src/sim/turn-server.ts';
import { StunMethod, decodeStun } from '../../src/stun/index.ts';
import type { StunMessage } from '../../src/stun/index.ts';
import { TurnClient, isChannelData } from '../../src/turn/index.ts';
import type { TurnClientEvent, TurnClientOptions, TurnReceived } from '../../src/turn/index.ts';

export const CLIENT: TransportAddress = { address: '192.0.2.1', port: 5000 };
export const SERVER: TransportAddress = { address: '203.0.113.1', port: 3478 };
export const PEER: TransportAddress = { address: '198.51.100.7', port: 7000 };
export const OTHER_PEER: TransportAddress = { address: '198.51.100.8', port: 8000 };
export const PEER_6: TransportAddress = { address: '2001:db8:7::7', port: 7000 };

export const STUN_DATA: Bytes = Uint8Array.of(
  0,
  1,
  0,
  0,
  0x21,
  0x12,
  0xa4,
  0x42,
  ...new Array<number>(12).fill(9),
);
export const DATA: Bytes = encodeUtf8('not STUN');

const LATENCY = 10;

/** A message on its way: what it is, as tests name it. */
export interface Passed {
  readonly at: number;
  readonly bytes: Bytes;
  /** `Allocate request`, `Send indication`, `channel 16384`. */
  readonly name: string;
}

export interface BenchOptions {
  readonly client?: Partial<TurnClientOptions>;
  readonly server?: Partial<SimTurnServerOptions>;
  /** Answers in place of the server; `undefined`: nothing. */
  readonly script?: (bytes: Bytes, message: StunMessage | undefined) => Uint8Array | undefined;
}

export function messageOf(bytes: Uint8Array): StunMessage {
  const message = decodeStun(bytes);
  if (isFailure(message)) throw new Error(message.reason);
  return message;
}

export function nameOf(bytes: Uint8Array): string {
  if (isChannelData(bytes)) return `channel ${(bytes[0]! << 8) | bytes[1]!}`;
  const message = decodeStun(bytes);
  if (isFailure(message)) return message.reason;
  const [method = 'unknown'] =
    Object.entries(StunMethod).find(([, number]) => number === message.method) ?? [];
  return `${method} ${message.class}`;
}

export class Bench {
  readonly client: TurnClient;
  readonly server: SimTurnServer;
  now = 0;
  readonly events: TurnClientEvent[] = [];
  readonly received: TurnReceived[] = [];
  /** What the client has sent. */
  readonly sent: Passed[] = [];
  /** What peers were sent. */
  readonly relayed: { readonly source: string; readonly destination: string; readonly data: Bytes }[] = [];
  /** False: it is lost. */
  toServer: (name: string, bytes: Bytes) => boolean = () => true;
  toClient: (name: string, bytes: Bytes) => boolean = () => true;
  readonly #script: BenchOptions['script'];
  #wire: { readonly at: number; readonly to: 'client' | 'server'; readonly bytes: Bytes }[] = [];

  constructor({ client, server, script }: BenchOptions = {}) {
    this.client = new TurnClient({
      crypto: jsCrypto(),
      random: new SeededRandom(1),
      transport: 'udp',
      server: SERVER,
      credentials: { username: 'alice', password: 'secret' },
      ...client,
    });
    this.server = new SimTurnServer({
      address: SERVER.address,
      relays: [SERVER.address, '2001:db8::9'],
      users: { alice: 'secret' },
      ...server,
    });
    this.#script = script;
  }

  /** Allocates, and runs until that is done. */
  allocated(): this {
    this.client.allocate(this.now);
    this.run(100);
    if (this.client.state !== 'allocated') throw new Error(`the client is ${this.client.state}`);
    return this;
  }

  send(peer: TransportAddress, data: Bytes): boolean {
    const isTaken = this.client.send(peer, data, this.now);
    this.#drain();
    return isTaken;
  }

  /** A peer sends to a relayed address. */
  fromPeer(source: TransportAddress, data: Bytes, relayed = this.client.relayed[0]!): void {
    this.server.handleInput({
      type: 'receive',
      now: this.now,
      protocol: 'udp',
      source,
      destination: relayed,
      data,
    });
    this.#drain();
  }

  /** As if the server had sent it. */
  feed(bytes: Uint8Array): void {
    this.client.handlePacket(bytes, this.now);
    this.#drain();
  }

  run(duration: number): this {
    const until = this.now + duration;
    this.#drain();
    for (;;) {
      const next = Math.min(this.client.nextTimeout(), ...this.#wire.map(({ at }) => at));
      if (next > until) break;
      this.now = Math.max(this.now, next);
      const due = this.#wire.filter(({ at }) => at <= this.now);
      this.#wire = this.#wire.filter(({ at }) => at > this.now);
      for (const { to, bytes } of due) this.#arrive(to, bytes);
      if (this.client.nextTimeout() <= this.now) this.client.handleTimeout(this.now);
      this.#drain();
    }
    this.now = until;
    this.client.handleTimeout(until);
    this.#drain();
    return this;
  }

  /** Names of what the client has sent since `from`. */
  names(from = -Infinity): string[] {
    return this.sent.filter(({ at }) => at >= from).map(({ name }) => name);
  }

  timesOf(name: string): number[] {
    return this.sent.filter((one) => one.name === name).map(({ at }) => at);
  }

  event<Type extends TurnClientEvent['type']>(
    type: Type,
  ): Extract<TurnClientEvent, { type: Type }> | undefined {
    return this.events.find((event) => event.type === type) as
      Extract<TurnClientEvent, { type: Type }> | undefined;
  }

  get counters(): Readonly<Record<string, number>> {
    return this.client.inspect().counters;
  }

  #arrive(to: 'client' | 'server', bytes: Bytes): void {
    const given = bytes.slice();
    if (to === 'client') {
      this.client.handlePacket(given, this.now);
      given.fill(0xdb);
      return;
    }
    if (this.#script !== undefined) {
      const message = decodeStun(bytes);
      const answer = this.#script(bytes, isFailure(message) ? undefined : message);
      if (answer !== undefined)
        this.#wire.push({ at: this.now + LATENCY, to: 'client', bytes: answer.slice() });
      return;
    }
    const { now } = this;
    this.server.handleInput({
      type: 'receive',
      now,
      protocol: 'udp',
      source: CLIENT,
      destination: SERVER,
      data: given,
    });
  }

  #drain(): void {
    for (let event = this.client.pollEvent(); event !== undefined; event = this.client.pollEvent())
      this.events.push(event);
    for (let bytes = this.client.pollTransmit(); bytes !== undefined; bytes = this.client.pollTransmit()) {
      const name = nameOf(bytes);
      this.sent.push({ at: this.now, bytes, name });
      if (this.toServer(name, bytes)) this.#wire.push({ at: this.now + LATENCY, to: 'server', bytes });
    }
    for (let data = this.client.pollReceived(); data !== undefined; data = this.client.pollReceived())
      this.received.push(data);
    for (
      let output = this.server.pollOutput();
      output.type !== 'timeout';
      output = this.server.pollOutput()
    ) {
      if (output.type !== 'transmit') continue;
      const { source, destination, data } = output;
      if (formatAddress(source) !== formatAddress(SERVER)) {
        this.relayed.push({ source: formatAddress(source), destination: formatAddress(destination), data });
      } else if (this.toClient(nameOf(data), data)) {
        this.#wire.push({ at: this.now + LATENCY, to: 'client', bytes: data });
      }
    }
    const violation = this.client.invariantViolation();
    if (violation !== undefined) throw new Error(violation);
    if (this.client.nextTimeout() <= this.now) throw new Error('something is due after a drain');
  }
}
