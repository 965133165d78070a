/** Endpoint: many connections behind one socket, routed by username fragment and by address (F1d, F3a). */
import { describe, expect, test } from 'vitest';
import type { EndpointOutput } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import { Network } from '../../src/sim/index.ts';
import type { Output } from '../../src/rtc.ts';
import { certificates } from './pair.ts';

const SERVER = { address: '198.51.100.1', port: 3478 };

interface Crowd {
  readonly net: Network;
  readonly endpoint: Endpoint;
  readonly clients: Rtc[];
  /** Words that came back, by client. */
  readonly echoes: Map<Rtc, string[]>;
}

/** `count` clients on hosts of their own join one echo server on one port and one certificate, all at once. */
function makeCrowd(seed: number, count: number, loss: number): Crowd {
  const net = new Network({
    seed,
    defaults: { latency: 20, jitter: 5, loss, reorder: loss },
    record: { datagrams: false, events: false },
  });
  const endpoint = new Endpoint();
  const server = net.host(SERVER.address);
  server.attach<EndpointOutput>(endpoint, {
    port: SERVER.port,
    onEvent: ({ event }) => {
      if (event.type === 'message') event.channel.send(event.data);
    },
  });
  const echoes = new Map<Rtc, string[]>();
  const clients = Array.from({ length: count }, (_, i) => {
    const client = new Rtc({ certificate: certificates[0], random: new SeededRandom(seed * 1000 + i) });
    const address = `10.0.${String(i >> 8)}.${String(i & 255)}`;
    client.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 9 });
    const words: string[] = [];
    echoes.set(client, words);
    net.host(address).attach<Output>(client, {
      onEvent: ({ event }) => {
        if (event.type === 'channelopen') event.channel.send(`hello from ${String(i)}`);
        if (event.type === 'message' && typeof event.data === 'string') words.push(event.data);
      },
    });
    join(endpoint, client, seed * 1000 + 500 + i);
    return client;
  });
  return { net, endpoint, clients, echoes };
}

function join(endpoint: Endpoint, client: Rtc, seed: number): Rtc {
  const serverSide = new Rtc({ certificate: certificates[1], random: new SeededRandom(seed) });
  serverSide.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
  endpoint.add(serverSide);
  const draft = client.negotiation();
  draft.addChannel('echo');
  const offer = draft.offer();
  offer.accept(serverSide.receiveOffer(offer.sdp).answer());
  return serverSide;
}

function allEchoed({ echoes }: Crowd): boolean {
  return [...echoes.values()].every((words) => words.length > 0);
}

describe('many connections on one socket', () => {
  test.each([
    ['a clean network', 0],
    ['3 % loss and reordering', 0.03],
  ])('F1d: 50 at once, one certificate, %s: all open, all echoing', (_, loss) => {
    const crowd = makeCrowd(1, 50, loss);
    const outcome = crowd.net.run({ until: () => allEchoed(crowd), limit: 30_000 });
    expect(outcome.reason).toBe('condition');
    for (const [i, client] of crowd.clients.entries()) {
      expect(crowd.echoes.get(client)).toEqual([`hello from ${String(i)}`]);
    }
    expect(crowd.endpoint.inspect().connections).toBe(50);
  });

  test('all close: the endpoint is empty, no route and no deadline is left', () => {
    const crowd = makeCrowd(2, 10, 0);
    crowd.net.run({ until: () => allEchoed(crowd) });
    for (const client of crowd.clients) client.close();
    crowd.net.advance(1000);
    expect(crowd.endpoint.inspect()).toMatchObject({ connections: 0, routes: 0, armed: 0, ready: 0 });
    expect(crowd.endpoint.pollOutput()).toEqual({ type: 'timeout', at: Infinity, reason: 'idle' });
  });

  test('F2b: clients that vanish are let go of within the gate pathDown', () => {
    const crowd = makeCrowd(3, 5, 0);
    crowd.net.run({ until: () => allEchoed(crowd) });
    crowd.net.partition([crowd.net.hosts[0] ?? crowd.net.host('203.0.113.1')]);
    crowd.net.advance(75_000);
    expect(crowd.endpoint.inspect()).toMatchObject({ connections: 0, routes: 0, armed: 0 });
  });

  test('a client that comes back from the same port with a new connection reaches the new one', () => {
    const { net, endpoint, clients } = makeCrowd(4, 1, 0);
    const [first] = clients;
    net.run({ until: () => first?.connectionState === 'connected' });
    net.advance(500);
    // The page reloads: the old connection is gone without a word, the NAT's port is the same.
    const address = '10.0.0.0';
    const host = net.hosts.find(({ interfaces }) => interfaces.some((at) => at.address === address));
    for (const peer of host?.peers ?? []) peer.detach();
    const second = new Rtc({ certificate: certificates[0], random: new SeededRandom(77) });
    second.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 9 });
    host?.attach<Output>(second, { name: 'reloaded', port: 9 });
    join(endpoint, second, 78);
    expect(endpoint.inspect().counters.routesTakenOver).toBe(0);
    const outcome = net.run({ until: () => second.connectionState === 'connected', limit: 5000 });
    expect(outcome.reason).toBe('condition');
    // The first connection's path is the second's now; the first ends by its consent gate.
    expect(endpoint.inspect().counters.routesTakenOver).toBe(1);
  });
});

describe('what belongs to nobody', () => {
  const receive = (endpoint: Endpoint, data: Uint8Array): void => {
    endpoint.handleInput({
      type: 'receive',
      now: 1,
      protocol: 'udp',
      source: { address: '203.0.113.5', port: 5 },
      destination: SERVER,
      data,
    });
  };

  test('F4d: is counted and gets no answer', () => {
    const endpoint = new Endpoint();
    receive(endpoint, new Uint8Array(0));
    receive(endpoint, Uint8Array.of(22, 254, 253, 0));
    receive(
      endpoint,
      Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    );
    expect(endpoint.pollOutput()).toEqual({ type: 'timeout', at: Infinity, reason: 'idle' });
    expect(endpoint.inspect().counters).toMatchObject({
      droppedUnknownAddress: 2,
      droppedUnknownUsername: 1,
    });
    expect(endpoint.inspect().routes).toBe(0);
  });

  test('F3a: a stranger who has seen a username fragment cannot take over an address', () => {
    const { net, endpoint, clients } = makeCrowd(5, 1, 0);
    net.run({ until: () => clients[0]?.connectionState === 'connected' });
    const [serverSide] = endpoint.connections();
    const routes = endpoint.inspect().routes;
    const username = `${serverSide?.localParameters.ice.usernameFragment ?? ''}:stranger`;
    const text = Array.from(username, (character) => character.charCodeAt(0));
    const padded = [...text, ...new Array<number>((4 - (text.length % 4)) % 4).fill(0)];
    receive(
      endpoint,
      Uint8Array.of(
        0,
        1,
        0,
        4 + padded.length,
        0x21,
        0x12,
        0xa4,
        0x42,
        ...new Uint8Array(12),
        0,
        6,
        0,
        text.length,
        ...padded,
      ),
    );
    expect(endpoint.inspect().routes).toBe(routes);
  });

  test('adding twice is misuse', () => {
    const endpoint = new Endpoint({ maxConnections: 1 });
    const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(1) });
    endpoint.add(rtc);
    expect(() => {
      endpoint.add(rtc);
    }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    expect(() => {
      endpoint.add(new Rtc({ certificate: certificates[0], random: new SeededRandom(2) }));
    }).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }));
    endpoint.remove(rtc);
    expect(endpoint.size).toBe(0);
  });
});
