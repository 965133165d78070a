/** A driver hands over what its socket has, and drains once: the peer must hear of each packet over a gap all the same. */
import { expect, test } from 'vitest';
import type { DataChannel, EndpointOutput, ReceiveInput } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import type { Output } from '../../src/rtc.ts';
import { Network } from '../../src/sim/index.ts';
import { certificates } from './pair.ts';

const SERVER = { address: '198.51.100.1', port: 3478 };
const CLIENT = { address: '192.0.2.1', port: 9 };

/** A client whose datagrams are in the test's hands, and the endpoint that it is connected to. */
function connected(): { net: Network; endpoint: Endpoint; client: Rtc; chat: DataChannel } {
  const net = new Network({ seed: 1, defaults: { latency: 5 }, record: { datagrams: false, events: false } });
  const endpoint = new Endpoint();
  const client = new Rtc({ certificate: certificates[0], random: new SeededRandom(1) });
  const server = new Rtc({ certificate: certificates[1], random: new SeededRandom(2) });
  client.addLocalCandidate({ type: 'host', protocol: 'udp', ...CLIENT });
  server.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
  endpoint.add(server);
  net.host(SERVER.address).attach<EndpointOutput>(endpoint, { port: SERVER.port });
  net.host(CLIENT.address).attach<Output>(client, { port: CLIENT.port });
  const draft = client.negotiation();
  const chat = draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(server.receiveOffer(offer.sdp).answer());
  net.run({ until: () => chat.readyState === 'open', limit: 5000 });
  net.run({ limit: 500 });
  return { net, endpoint, client, chat };
}

/** The DTLS records of one drain. */
function drained(machine: { pollOutput(): Output | EndpointOutput }): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (;;) {
    const output = machine.pollOutput();
    if (output.type === 'timeout') return datagrams;
    // RFC 7983: STUN begins with 0 to 3.
    if (output.type === 'transmit' && (output.data[0] ?? 0) > 3) datagrams.push(output.data);
  }
}

test.each([
  ['all arrive: one SACK for the batch', -1, 1],
  ['the second is lost: a report for each that came after it', 1, 6],
])('E1: a batch of eight given to Endpoint.handleInputs, %s', (_, lost, expected) => {
  const { net, endpoint, client, chat } = connected();
  const now = net.now;
  for (let i = 0; i < 8; i++) chat.send(new Uint8Array(1100));
  client.handleInput({ type: 'timeout', now });
  const datagrams = drained(client).slice(0, 8);
  expect(datagrams).toHaveLength(8);
  const arrived = datagrams.filter((_datagram, index) => index !== lost);
  endpoint.handleInputs(
    arrived.map((data): ReceiveInput => ({
      type: 'receive',
      now,
      protocol: 'udp',
      source: CLIENT,
      destination: SERVER,
      data,
    })),
  );
  expect(drained(endpoint)).toHaveLength(expected);
});
