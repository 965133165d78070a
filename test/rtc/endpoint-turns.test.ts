/** An endpoint's drain: everybody has a turn, and those who are idle wake the process together. */
import { describe, expect, test } from 'vitest';
import type { DataChannel, EndpointOutput, Output } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import { Network } from '../../src/sim/index.ts';
import { certificates } from './pair.ts';

const SERVER = { address: '198.51.100.1', port: 3478 };
const MESSAGE = new Uint8Array(1000);

/** Clients of one endpoint, each with a channel; `channels` are the endpoint's ends of them, by the client's address. */
interface Service {
  readonly net: Network;
  readonly endpoint: Endpoint;
  readonly channels: Map<string, DataChannel>;
}

function addressOf(client: number): string {
  return `10.0.0.${String(client + 1)}`;
}

function serve(endpoint: Endpoint, clients: number): Service {
  const net = new Network({ seed: 1, defaults: { latency: 5 }, record: { datagrams: false, events: false } });
  const channels = new Map<string, DataChannel>();
  net.host(SERVER.address).attach<EndpointOutput>(endpoint, { port: SERVER.port });
  for (let i = 0; i < clients; i++) {
    const address = addressOf(i);
    const client = new Rtc({ certificate: certificates[0], random: new SeededRandom(10 + i) });
    const server = new Rtc({ certificate: certificates[1], random: new SeededRandom(1000 + i) });
    client.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 9 });
    server.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
    net.host(address).attach<Output>(client);
    endpoint.add(server);
    const draft = server.negotiation();
    channels.set(address, draft.addChannel('data'));
    const offer = draft.offer();
    offer.accept(client.receiveOffer(offer.sdp).answer());
  }
  net.run({ until: () => [...channels.values()].every(({ readyState }) => readyState === 'open') });
  return { net, endpoint, channels };
}

/** Where each datagram of one drain goes. */
function drain(endpoint: Endpoint, now: number): string[] {
  const destinations: string[] = [];
  endpoint.handleInput({ type: 'timeout', now });
  for (;;) {
    const output = endpoint.pollOutput();
    if (output.type === 'timeout') return destinations;
    if (output.type === 'transmit') destinations.push(output.destination.address);
  }
}

describe('fairness', () => {
  test('a connection with a thousand datagrams to send lets the others speak after 64 of them', () => {
    const { net, endpoint, channels } = serve(new Endpoint(), 4);
    const [heavy, ...others] = [...channels.values()];
    // Its congestion window must be wide before it can hog anything.
    for (let round = 0; round < 20; round++) {
      while ((heavy?.bufferedAmount ?? Infinity) < 500_000 && heavy?.send(MESSAGE) === true);
      net.advance(50);
    }
    net.advance(1000);
    for (let i = 0; i < 500; i++) heavy?.send(MESSAGE);
    for (const channel of others) channel.send('a word');

    const destinations = drain(endpoint, net.now);
    const share = destinations.filter((address) => address === addressOf(0)).length;
    expect(share).toBeGreaterThan(200);
    for (let i = 1; i < 4; i++) expect(destinations.indexOf(addressOf(i))).toBeLessThan(64 + 10 * i);
  });
});

describe('idle timers', () => {
  /** Wake-ups in a minute in which nobody says anything. */
  function wakeUps(idleTimerSlack: number): number {
    const { net, endpoint } = serve(new Endpoint({ idleTimerSlack }), 20);
    net.advance(10_000);
    const times = new Set<number>();
    const handleInput = endpoint.handleInput.bind(endpoint);
    endpoint.handleInput = (input): void => {
      if (input.type === 'timeout') times.add(input.now);
      handleInput(input);
    };
    net.advance(60_000);
    expect(endpoint.size).toBe(20);
    return times.size;
  }

  test('with a slack, twenty connections wake the process a good deal less often', () => {
    expect(wakeUps(1000)).toBeLessThan(wakeUps(0) / 3);
  });

  test.each([-1, NaN, 1001])('a slack of %d is ERR_BAD_ARGUMENT', (idleTimerSlack) => {
    expect(() => new Endpoint({ idleTimerSlack })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
  });
});
