/** A NAT that gives a connected client another port: the connection lives, and nothing is lost. */
import { describe, expect, it } from 'vitest';
import type { DataChannel, EndpointOutput, Output } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import { NAT_KINDS, Network } from '../../src/sim/index.ts';
import { certificates } from './pair.ts';

const SERVER = { address: '198.51.100.7', port: 3478 };
const CLIENT = { address: '192.168.1.2', port: 5000 };

interface Case {
  readonly kind: keyof typeof NAT_KINDS;
  readonly offers: 'client' | 'server';
  readonly lite?: boolean;
}

const CASES: Case[] = [
  { kind: 'fullCone', offers: 'client' },
  { kind: 'symmetric', offers: 'client' },
  { kind: 'symmetric', offers: 'server' },
  { kind: 'symmetric', offers: 'client', lite: true },
];

describe('B3: the client’s port changes', () => {
  it.each(CASES)(
    'B3: %j: everything arrives both ways, after a pause of 10 s at the most',
    ({ kind, offers, lite }) => {
      const net = new Network({
        seed: 5,
        defaults: { latency: 20 },
        record: { datagrams: false, events: false },
      });
      const nat = net.nat('203.0.113.1', NAT_KINDS[kind]);
      const client = new Rtc({ certificate: certificates[0], random: new SeededRandom(1) });
      client.addLocalCandidate({ type: 'host', protocol: 'udp', ...CLIENT });
      const server = new Rtc({ certificate: certificates[1], random: new SeededRandom(2), iceLite: lite });
      server.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
      const endpoint = new Endpoint();
      endpoint.add(server);
      const heard = { up: 0, down: 0, longest: 0, lastDown: 0 };
      const channels = new Set<DataChannel>();
      const ended: string[] = [];
      net.host(CLIENT.address, { behind: nat }).attach<Output>(client, {
        port: CLIENT.port,
        onEvent: ({ event }) => {
          if (event.type === 'channelopen' || event.type === 'datachannel') channels.add(event.channel);
          if (event.type === 'closed') ended.push(event.reason.code);
          if (event.type !== 'message') return;
          heard.down++;
          heard.longest = Math.max(heard.longest, net.now - (heard.lastDown || net.now));
          heard.lastDown = net.now;
        },
      });
      net.host(SERVER.address).attach<EndpointOutput>(endpoint, {
        port: SERVER.port,
        onEvent: ({ event }) => {
          if (event.type === 'channelopen' || event.type === 'datachannel') channels.add(event.channel);
          if (event.type === 'closed') ended.push(event.reason.code);
          if (event.type === 'message') heard.up++;
        },
      });
      const [offerer, answerer] = offers === 'client' ? [client, server] : [server, client];
      const draft = offerer.negotiation();
      draft.addChannel('x');
      const offer = draft.offer();
      offer.accept(answerer.receiveOffer(offer.sdp).answer());
      net.run({ until: () => channels.size === 2, limit: 5000 });
      net.advance(3000);
      nat.reset();
      let sent = 0;
      for (; sent < 150; sent++) {
        for (const channel of channels) expect(channel.send('word')).toBe(true);
        net.advance(100);
      }
      net.advance(5000);
      expect(ended).toEqual([]);
      expect([heard.up, heard.down]).toEqual([sent, sent]);
      expect(heard.longest).toBeLessThan(10_000);
      expect(endpoint.inspect().counters.routesTakenOver).toBe(0);
    },
  );
});
