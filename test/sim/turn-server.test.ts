/** SimTurnServer: in a network, over UDP, NATs and streams; and what it refuses, by the vectors. */
import { describe, expect, test } from 'vitest';
import type { TransportAddress } from '../../src/core/address.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { encodeUtf8, decodeUtf8 } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { addressClass, isUnicast } from '../../src/ice/address-class.ts';
import { NAT_KINDS, Network, SimTurnServer } from '../../src/sim/index.ts';
import type {
  Host,
  SimEvent,
  SimInput,
  SimMachine,
  SimOutput,
  SimTurnServerOptions,
} from '../../src/sim/index.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeText,
  attributeValue,
  attributeXorAddress,
  decodeStun,
  errorCodeOf,
  longTermKey,
  transactionIdOf,
  unknownAttributes,
  valueOf,
} from '../../src/stun/index.ts';
import type { StunMessage } from '../../src/stun/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import { StreamDeframer, TurnClient } from '../../src/turn/index.ts';
import type { TurnClientEvent, TurnTransport } from '../../src/turn/index.ts';
import { hex, vectors } from '../stun/vectors.ts';

const SERVER = { address: '203.0.113.1', port: 3478 };
const crypto = jsCrypto();

/** A client with the poll contract: its socket or its stream are those of the simulated host. */
class Client implements SimMachine {
  readonly turn: TurnClient;
  readonly received: string[] = [];
  onWake: (() => void) | undefined;
  readonly #local: TransportAddress;
  readonly #transport: TurnTransport;
  readonly #deframer = new StreamDeframer();
  readonly #outputs: SimOutput[] = [];
  #now = 0;

  constructor(address: string, transport: TurnTransport = 'udp', username = 'alice') {
    this.#local = { address, port: 5000 };
    this.#transport = transport;
    this.turn = new TurnClient({
      crypto,
      random: new SeededRandom(address.length),
      transport,
      server: SERVER,
      credentials: { username, password: 'secret' },
    });
    if (transport === 'udp') this.turn.allocate(0);
    else
      this.#outputs.push({
        type: 'request',
        request: { type: 'openstream', stream: 1, protocol: transport, destination: SERVER },
      });
  }

  get relayed(): TransportAddress {
    return this.turn.relayed[0] ?? { address: 'none', port: 0 };
  }

  say(peer: TransportAddress, text: string): void {
    this.turn.send(peer, encodeUtf8(text), this.#now);
    this.onWake?.();
  }

  handleInput(input: SimInput): void {
    this.#now = input.now;
    if (input.type === 'receive') this.turn.handlePacket(input.data, input.now);
    if (input.type === 'timeout') this.turn.handleTimeout(input.now);
    if (input.type === 'streamopened') this.turn.allocate(input.now);
    if (input.type === 'streamclosed') {
      this.turn.close({ layer: 'turn', code: 'local-close', message: 'the stream is over' }, input.now);
      this.#outputs.push({ type: 'event', event: { type: 'streamclosed' } });
    }
    if (input.type === 'streamdata') {
      this.#deframer.push(input.data);
      for (let one = this.#deframer.next(); one !== undefined; one = this.#deframer.next())
        this.turn.handlePacket(one, input.now);
    }
    for (let one = this.turn.pollReceived(); one !== undefined; one = this.turn.pollReceived())
      this.received.push(decodeUtf8(one.data));
  }

  pollOutput(): SimOutput {
    const waiting = this.#outputs.shift();
    if (waiting !== undefined) return waiting;
    const event = this.turn.pollEvent();
    if (event !== undefined) return { type: 'event', event };
    const data = this.turn.pollTransmit();
    if (data === undefined)
      return { type: 'timeout', at: this.turn.nextTimeout(), reason: this.turn.timeoutReason() };
    if (this.#transport !== 'udp')
      return { type: 'request', request: { type: 'writestream', stream: 1, data } };
    return { type: 'transmit', protocol: 'udp', source: this.#local, destination: SERVER, data };
  }

  invariantViolation(): string | undefined {
    return this.turn.invariantViolation();
  }
}

/** Repeats what it hears. */
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

const PEER = { address: '198.51.100.7', port: 7 };

function world(options: Partial<SimTurnServerOptions> = {}): {
  net: Network;
  server: SimTurnServer;
  relay: Host;
} {
  const net = new Network({ seed: 1 });
  const relay = net.host([SERVER.address, '2001:db8::9'], { name: 'relay' });
  const server = new SimTurnServer({
    address: SERVER.address,
    relays: [SERVER.address, '2001:db8::9'],
    users: { alice: 'secret', bob: 'secret' },
    ...options,
  });
  relay.attach(server);
  net.host(PEER.address).attach(new Echo(), { port: PEER.port });
  return { net, server, relay };
}

describe('in a network', () => {
  test.each(['udp', 'tcp', 'tls'] as const)('a client over %s reaches a peer, and back', (transport) => {
    const { net } = world();
    const client = new Client('192.0.2.1', transport);
    net.host('192.0.2.1').attach(client, { port: 5000, closedEvent: false });
    net.advance(200);
    for (const text of ['one', 'two', 'three']) {
      client.say(PEER, text);
      net.advance(100);
    }
    expect(client.received).toEqual(['one', 'two', 'three']);
    expect(client.turn.inspect().channels).toMatchObject([{ state: 'bound' }]);
  });

  test('a path with jitter, where times have fractions: its nonce is good all the same', () => {
    const { net } = world();
    const home = net.host('192.0.2.1');
    for (const host of net.hosts) if (host !== home) net.link(home, host, { latency: 5, jitter: 7 });
    const client = new Client('192.0.2.1');
    home.attach(client, { port: 5000, closedEvent: false });
    net.advance(500);
    expect(client.turn.state).toBe('allocated');
  });

  test('behind a NAT the mapped address is the NAT’s', () => {
    const { net } = world();
    const nat = net.nat('198.51.100.1', NAT_KINDS.symmetric);
    const client = new Client('192.168.1.2');
    net.host('192.168.1.2', { behind: nat }).attach(client, { port: 5000 });
    net.advance(200);
    client.say(PEER, 'hello');
    net.advance(100);
    expect(client.turn.mapped?.address).toBe('198.51.100.1');
    expect(client.received).toEqual(['hello']);
  });

  test('two clients of one server, from relay to relay', () => {
    const { net } = world();
    const clients = ['192.0.2.1', '192.0.2.22'].map((address, i) => {
      const client = new Client(address, 'udp', i === 0 ? 'alice' : 'bob');
      net.host(address).attach(client, { port: 5000 });
      return client;
    }) as [Client, Client];
    net.advance(200);
    // The permission goes before what comes.
    clients[1].say(clients[0].relayed, 'I am here');
    net.advance(50);
    clients[0].say(clients[1].relayed, 'hello');
    net.advance(50);
    clients[1].say(clients[0].relayed, 'hello yourself');
    net.advance(50);
    expect(clients[1].received).toEqual(['hello']);
    expect(clients[0].received).toEqual(['hello yourself']);
  });

  test('where UDP is lost a stream passes', () => {
    const { net, relay } = world();
    const host = net.host('192.0.2.1');
    net.link(host, relay, { loss: 0.5 });
    const client = new Client('192.0.2.1', 'tcp');
    host.attach(client, { closedEvent: false });
    net.run({ until: () => client.turn.state === 'allocated', limit: 60_000 });
    client.say(PEER, 'hello');
    net.run({ until: () => client.received.length > 0, limit: 60_000 });
    expect(client.received).toEqual(['hello']);
  });

  test('a server that is started anew closes its streams', () => {
    const { net, server } = world();
    const client = new Client('192.0.2.1', 'tcp');
    const peer = net.host('192.0.2.1').attach(client, { closedEvent: false });
    net.advance(200);
    net.after(0, () => {
      server.restart();
    });
    net.advance(200);
    expect((peer.events as readonly SimEvent[]).map(({ event }) => (event as TurnClientEvent).type)).toEqual([
      'allocated',
      'streamclosed',
    ]);
    expect(server.allocations).toBe(0);
  });

  test('the same seed, the same datagrams', () => {
    const digest = (): string => {
      const { net } = world();
      const client = new Client('192.0.2.1');
      net.host('192.0.2.1').attach(client, { port: 5000 });
      net.advance(100);
      client.say(PEER, 'hello');
      net.advance(1000);
      return net.digest();
    };
    expect(digest()).toBe(digest());
  });
});

// --- by the vectors ---

const ALICE = {
  username: '1893456000:alice',
  realm: 'turn.example.org',
  password: 'MME/7rvfb/gOjpkB59+7AxlCLvk=',
};
const CLIENT = { address: '192.0.2.1', port: 5000 };

function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeStun(bytes);
  if (isFailure(message)) throw new Error(message.reason);
  return message;
}

/** One server, asked directly. */
function asked(options: Partial<SimTurnServerOptions> = {}): (bytes: Uint8Array) => StunMessage {
  const server = new SimTurnServer({
    ...SERVER,
    realm: ALICE.realm,
    secret: 'north',
    ...options,
    relays: [SERVER.address, '2001:db8::9'],
  });
  return (bytes) => {
    const data = bytes.slice();
    server.handleInput({
      type: 'receive',
      now: 0,
      protocol: 'udp',
      source: CLIENT,
      destination: SERVER,
      data,
    });
    const output = server.pollOutput();
    if (output.type !== 'transmit') throw new Error('no answer');
    return decoded(output.data);
  };
}

const key = crypto.hmac('sha-1', longTermKey(crypto, 'md5', ALICE));
const AUTHENTICATION: readonly number[] = [Type.username, Type.realm, Type.nonce];

/** The request of a vector, signed with the nonce that the server wants. */
function signed(request: StunMessage, nonce: string): Uint8Array {
  const writer = new StunWriter('request', request.method, transactionIdOf(request));
  for (const attribute of request.attributes) {
    if (!AUTHENTICATION.includes(attribute.type))
      writer.attribute(attribute.type, valueOf(request, attribute));
  }
  return writer
    .text(Type.username, ALICE.username)
    .text(Type.realm, ALICE.realm)
    .text(Type.nonce, nonce)
    .integrity(key)
    .finish();
}

/** A server with an allocation for both families, if `allocates`. */
function prepared(
  allocates: boolean,
  options: Partial<SimTurnServerOptions> = {},
): (vector: string) => StunMessage {
  const ask = asked(options);
  const allocate = new StunWriter('request', StunMethod.allocate, new Uint8Array(12).fill(5))
    .u32(Type.requestedTransport, 17 << 24)
    .u32(Type.additionalAddressFamily, 2 << 24);
  const nonce = attributeText(ask(allocate.finish()), Type.nonce) ?? '';
  if (allocates) expect(ask(signed(decoded(allocate.finish()), nonce)).class).toBe('success');
  return (vector) => ask(signed(decoded(hex(vector)), nonce));
}

describe('the vectors', () => {
  test('the key of those that are malformed is the one of its user', () => {
    const { turnKey } = vectors.malformed;
    expect(turnKey).toBe(Buffer.from(longTermKey(crypto, 'md5', ALICE)).toString('hex'));
  });

  const responds = vectors.malformed.cases.filter(({ expect: outcome }) =>
    /^respond-(400|403|442)/.test(outcome),
  );

  test('there are some', () => {
    expect(responds).toHaveLength(8);
  });

  test.each(responds)('$id: $expect, for $why', ({ id, hex: text, expect: outcome }) => {
    // The class that ICE gives to the addresses that nobody outside is to be reached at (src/ice/address-class.ts).
    const deniesPeer = (address: string): boolean =>
      !isUnicast(address) || addressClass(address) !== 'public';
    const answer = prepared(!id.startsWith('requested-transport'), { deniesPeer })(text);
    expect(answer.class).toBe('error');
    expect(`respond-${errorCodeOf(answer)}`).toBe(/^respond-\d+/.exec(outcome)?.[0]);
  });

  /**
   * 6to4 anycast, benchmarks, ORCHID, discard, documentation, segment routing: public to ICE, for nothing of a host's own is
   * behind them. A server for the internet needs a list of its own.
   */
  const LEFT_TO_SERVERS: ReadonlySet<string> = new Set([
    '192.88.99.1',
    '198.18.0.1',
    '2001:10::1',
    '100::1',
    '3fff::1',
    '5f00::1',
  ]);

  test.each(vectors.turnPeerAddressPolicy.deny.filter((address) => !LEFT_TO_SERVERS.has(address)))(
    'nobody is relayed to %s',
    (address) => {
      expect(!isUnicast(address) || addressClass(address) !== 'public').toBe(true);
    },
  );

  test.each(vectors.turnPeerAddressPolicy.allow)('everybody is relayed to %s', (address) => {
    expect([isUnicast(address), addressClass(address)]).toEqual([true, 'public']);
  });

  test('unknown attributes that must be understood are told (420)', () => {
    const request = new StunWriter('request', StunMethod.allocate, new Uint8Array(12))
      .u32(Type.requestedTransport, 17 << 24)
      .u32(0x7ffe, 1)
      .finish();
    const answer = prepared(false)(Buffer.from(request).toString('hex'));
    expect(errorCodeOf(answer)).toBe(420);
    expect(Buffer.from(attributeValue(answer, Type.unknownAttributes) ?? []).toString('hex')).toBe('7ffe');
    expect(unknownAttributes(answer, new Set<number>([Type.errorCode, Type.unknownAttributes]))).toEqual([]);
  });

  test.each(vectors.turnRestCredentials)(
    'time-limited credentials: $username',
    ({ username, secret, password }) => {
      const ask = asked({ secret });
      const allocate = new StunWriter('request', StunMethod.allocate, new Uint8Array(12)).u32(
        Type.requestedTransport,
        17 << 24,
      );
      const nonce = attributeText(ask(allocate.finish()), Type.nonce) ?? '';
      const own = crypto.hmac(
        'sha-1',
        longTermKey(crypto, 'md5', { username, realm: ALICE.realm, password }),
      );
      const request = new StunWriter('request', StunMethod.allocate, new Uint8Array(12))
        .u32(Type.requestedTransport, 17 << 24)
        .text(Type.username, username)
        .text(Type.realm, ALICE.realm)
        .text(Type.nonce, nonce)
        .integrity(own);
      expect(ask(request.finish()).class).toBe('success');
    },
  );
});

test('Binding tells who asks, without asking who he is', () => {
  const answer = asked()(new StunWriter('request', StunMethod.binding, new Uint8Array(12)).finish());
  expect(attributeXorAddress(answer, Type.xorMappedAddress)).toEqual(CLIENT);
});
