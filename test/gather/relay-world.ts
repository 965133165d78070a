/** A gatherer behind a NAT, TURN servers, and a peer that says everything back: the stage for tests of relays. */
import type { TransportAddress } from '../../src/core/address.ts';
import { formatAddress } from '../../src/core/address.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { decodeUtf8, encodeUtf8 } from '../../src/core/text.ts';
import type { GatherConfig, GatherEvent, GatherOutput, GathererOptions } from '../../src/gather/index.ts';
import { Gatherer } from '../../src/gather/index.ts';
import { jsCrypto } from '../../src/index.ts';
import type { Host, SimInput, SimMachine, SimOutput, SimTurnServerOptions } from '../../src/sim/index.ts';
import { Network, SimTurnServer, memoizedCrypto } from '../../src/sim/index.ts';

const crypto = memoizedCrypto(jsCrypto());
export const CLIENT = '10.0.0.2';
export const SOCKET = { protocol: 'udp', address: CLIENT, port: 4000 } as const;
export const OUTSIDE = '198.51.100.7';
export const TURN = '192.0.2.1';
export const PEER = { address: '203.0.113.5', port: 7000 };
export const USER = { username: 'ann', credential: 'secret' };

/** A gatherer as a machine of the network: what it tells, and what relays bring it. */
class GathererMachine implements SimMachine {
  readonly gatherer: Gatherer;
  readonly events: GatherEvent[] = [];
  readonly received: string[] = [];
  /** The time, as the network tells it. */
  now = 0;

  constructor(options: GathererOptions) {
    this.gatherer = new Gatherer({ crypto, random: new SeededRandom(1), ...options });
  }

  handleInput(input: SimInput): void {
    this.now = input.now;
    if (input.type !== 'streamaccepted') this.gatherer.handleInput(input);
  }

  pollOutput(): SimOutput {
    for (;;) {
      const output: GatherOutput = this.gatherer.pollOutput();
      if (output.type === 'event') this.events.push(output.event);
      else if (output.type === 'datagram')
        this.received.push(
          `${formatAddress(output.source)} > ${formatAddress(output.destination)}: ${decodeUtf8(output.data)}`,
        );
      else return output;
    }
  }

  invariantViolation(): string | undefined {
    return this.gatherer.invariantViolation();
  }
}

/** Says everything back. */
class Echo implements SimMachine {
  readonly #outputs: SimOutput[] = [];

  handleInput(input: SimInput): void {
    if (input.type !== 'receive') return;
    const { source, destination, data } = input;
    this.#outputs.push({
      type: 'transmit',
      protocol: 'udp',
      source: destination,
      destination: source,
      data: data.slice(),
    });
  }

  pollOutput(): SimOutput {
    return this.#outputs.shift() ?? { type: 'timeout', at: Infinity };
  }
}

export class RelayWorld {
  readonly net: Network;
  readonly machine: GathererMachine;
  readonly server: SimTurnServer;
  /** The hosts of the gatherer and of the server. */
  readonly ends: readonly [Host, Host];
  readonly #peer;

  constructor(options: GathererOptions = {}, server: Partial<SimTurnServerOptions> = {}, seed = 1) {
    this.net = new Network({ seed, defaults: { latency: 10 } });
    const turn = this.net.host([TURN, '2001:db8::1'], { name: 'turn' });
    this.server = this.addServer(turn, { address: TURN, ...server });
    this.net.host(PEER.address, { name: 'peer' }).attach(new Echo(), { port: PEER.port });
    this.machine = new GathererMachine(options);
    const behind = this.net.nat(OUTSIDE);
    const client = this.net.host(CLIENT, { behind, name: 'client' });
    this.#peer = client.attach(this.machine);
    this.ends = [client, turn];
    this.gatherer.addSocket(SOCKET);
  }

  get gatherer(): Gatherer {
    return this.machine.gatherer;
  }

  addServer(host: Host, options: SimTurnServerOptions): SimTurnServer {
    const server = new SimTurnServer({ users: { ann: 'secret', bob: 'other' }, ...options });
    host.attach(server, { name: `turn ${formatAddress(server.address)}` });
    return server;
  }

  gather(
    urls: string | readonly string[] = `turn:${TURN}`,
    config: Partial<GatherConfig> = {},
    user: object = USER,
  ): number {
    const id = this.gatherer.gather({ iceServers: [{ urls, ...user }], ...config });
    this.#peer.wake();
    return id;
  }

  call(act: () => void): void {
    act();
    this.#peer.wake();
  }

  run(limit: number, until: () => boolean = () => false): this {
    this.net.run({ limit, until });
    return this;
  }

  send(text: string, from: TransportAddress): void {
    const data = encodeUtf8(text);
    this.call(() => this.gatherer.sendFromRelay({ source: from, destination: PEER, data }, this.net.now));
  }

  told(gathering: number): string[] {
    return this.machine.events.flatMap((event) => {
      if (event.gathering !== gathering) return [];
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

  relayed(gathering: number): TransportAddress {
    const found = this.machine.events.findLast(
      (event) =>
        event.gathering === gathering && event.type === 'candidate' && event.candidate.type === 'relay',
    );
    if (found?.type !== 'candidate') throw new Error(`no relay: ${JSON.stringify(this.told(gathering))}`);
    return { address: found.candidate.address, port: found.candidate.port };
  }

  count(name: keyof ReturnType<Gatherer['inspect']>['counters']): number {
    return this.gatherer.inspect().counters[name];
  }
}
