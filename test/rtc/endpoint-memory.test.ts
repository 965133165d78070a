/** What the connections of an endpoint may hold together. */
import { describe, expect, it } from 'vitest';
import type { DataChannel, EndpointOutput, Output } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import { Network } from '../../src/sim/index.ts';
import { certificates } from './pair.ts';

const SERVER = { address: '198.51.100.1', port: 3478 };

describe('maxBufferedBytes', () => {
  it('A8: above it the connection that holds most is closed, by name; the others live', () => {
    const endpoint = new Endpoint({ maxBufferedBytes: 600_000 });
    const net = new Network({ seed: 1, defaults: { latency: 5 }, record: { datagrams: false } });
    const host = net.host(SERVER.address).attach<EndpointOutput>(endpoint, { port: SERVER.port });
    const servers: Rtc[] = [];
    const channels: DataChannel[] = [];
    for (let i = 0; i < 3; i++) {
      const address = `10.0.0.${String(i + 1)}`;
      const client = new Rtc({ certificate: certificates[0], random: new SeededRandom(10 + i) });
      const server = new Rtc({ certificate: certificates[1], random: new SeededRandom(1000 + i) });
      client.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 9 });
      server.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
      net.host(address).attach<Output>(client);
      endpoint.add(server);
      servers.push(server);
      const draft = server.negotiation();
      channels.push(draft.addChannel('data'));
      const offer = draft.offer();
      offer.accept(client.receiveOffer(offer.sdp).answer());
    }
    net.run({ until: () => channels.every(({ readyState }) => readyState === 'open') });
    const [small, large, other] = channels;
    // Tiny messages that nobody acknowledges: each is charged for its memory.
    for (let i = 0; i < 200; i++) small?.send('x');
    for (let i = 0; i < 900; i++) large?.send('x');
    expect(servers[1]?.bufferedBytes).toBeGreaterThan(400_000);
    for (let i = 0; i < 200; i++) other?.send('x');
    net.advance(0);
    expect(endpoint.inspect().counters.closedForMemory).toBe(1);
    expect(endpoint.inspect().bufferedBytes).toBeLessThanOrEqual(600_000);
    net.advance(1000);
    expect(channels.map(({ readyState }) => readyState)).toEqual(['open', 'closed', 'open']);
    const reasons = host.events.flatMap(({ event }) => (event.type === 'closed' ? [event.reason.code] : []));
    expect(reasons).toEqual(['memory-budget']);
    expect(endpoint.size).toBe(2);
  });

  it('A8: a budget that is none is refused', () => {
    expect(() => new Endpoint({ maxBufferedBytes: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
  });
});
