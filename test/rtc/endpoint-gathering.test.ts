/** Gathering through an endpoint: what servers see is shared, each connection is told its own, and names go to the host. */
import { describe, expect, it } from 'vitest';
import type { EndpointOptions, EndpointOutput, IceCandidate, RtcEvent } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import type { SimInput, SimMachine, SimTransmit } from '../../src/sim/index.ts';
import { NAT_KINDS, Network } from '../../src/sim/index.ts';
import { SimTurnServer } from '../../src/sim/turn-server.ts';
import { StunAttributeType, StunMethod, StunWriter, isStunRequest } from '../../src/stun/index.ts';
import { certificates } from './pair.ts';

const STUN = '192.0.2.1';
const SERVERS = [{ urls: 'stun:stun.example.org' }];

/** Tells everybody where it sees them. */
class StunServer implements SimMachine {
  requests = 0;
  readonly #answers: SimTransmit[] = [];

  handleInput(input: SimInput): void {
    if (input.type !== 'receive' || !isStunRequest(input.data)) return;
    this.requests++;
    const data = new StunWriter('success', StunMethod.binding, input.data.slice(8, 20))
      .xorAddress(StunAttributeType.xorMappedAddress, input.source)
      .finish();
    const { source, destination } = input;
    this.#answers.push({ type: 'transmit', protocol: 'udp', source: destination, destination: source, data });
  }

  pollOutput(): SimTransmit | { readonly type: 'timeout'; readonly at: number } {
    return this.#answers.shift() ?? { type: 'timeout', at: Infinity };
  }
}

/** An endpoint with one socket, on a host behind a NAT of its own. */
interface Site {
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly events: Map<Rtc, RtcEvent[]>;
}

class World {
  readonly net: Network;
  readonly stun = new StunServer();

  constructor(seed: number) {
    this.net = new Network({ seed, defaults: { latency: 10 } });
    this.net.host(STUN).attach(this.stun, { port: 3478 });
    this.net.name('stun.example.org', [STUN]);
  }

  site(outside: string, address: string, options: EndpointOptions = {}): Site {
    const endpoint = new Endpoint(options);
    const events: Site['events'] = new Map();
    const behind = this.net.nat(outside, NAT_KINDS.portRestrictedCone);
    this.net.host(address, { behind, name: outside }).attach<EndpointOutput>(endpoint, {
      port: 5000,
      onEvent: (happening) => {
        const { rtc, event } = happening as unknown as { readonly rtc: Rtc; readonly event: RtcEvent };
        const known = events.get(rtc) ?? [];
        known.push(event);
        events.set(rtc, known);
      },
    });
    endpoint.addSocket({ protocol: 'udp', address, port: 5000 });
    return { endpoint, address, events };
  }

  join(site: Site, seed: number, options: object = {}): Rtc {
    const random = new SeededRandom(seed);
    const rtc = new Rtc({ certificate: certificates[seed % 2]!, random, ...options });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: site.address, port: 5000 });
    site.endpoint.add(rtc);
    return rtc;
  }
}

function told(site: Site, rtc: Rtc): string[] {
  return (site.events.get(rtc) ?? []).flatMap((event) => {
    if (event.type === 'icecandidate') return [`${event.candidate.type} ${event.candidate.address}`];
    if (event.type === 'icecandidateerror') return [`${event.errorCode} ${event.url}`];
    return event.type === 'icegatheringstatechange' ? [event.state] : [];
  });
}

/** Tells one end's new candidates to the other, 50 ms later, for as long as the network runs. */
function trickle({ net }: World, site: Site, from: Rtc, to: Rtc): void {
  const told = new Set<IceCandidate>();
  const look = (): void => {
    for (const event of site.events.get(from) ?? []) {
      if (event.type !== 'icecandidate' || told.has(event.candidate)) continue;
      told.add(event.candidate);
      to.addRemoteCandidate(event.candidate);
    }
    if (from.connectionState !== 'closed' && net.now < 60_000) net.at(net.now + 50, look);
  };
  look();
}

describe('connections behind one endpoint', () => {
  it('share what a server sees of their socket: one name, one request', () => {
    const world = new World(1);
    const site = world.site('198.51.100.1', '10.0.0.2');
    const connections = [2, 3, 4].map((seed) => world.join(site, seed));
    for (const rtc of connections) site.endpoint.gather(rtc, { iceServers: SERVERS });
    world.net.run({ limit: 1000 });
    for (const rtc of connections) {
      expect(told(site, rtc)).toEqual(['gathering', 'srflx 198.51.100.1', 'complete']);
      expect(rtc.iceGatheringState).toBe('complete');
      expect(rtc.localCandidates.map(({ type }) => type)).toEqual(['host', 'srflx']);
    }
    expect(world.stun.requests).toBe(1);
    expect(site.endpoint.inspect().gathering?.counters.namesAsked).toBe(1);
  });

  it('meet through two NATs by what they are told', () => {
    const world = new World(1);
    const sites = [world.site('198.51.100.1', '10.0.0.2'), world.site('203.0.113.1', '10.0.0.3')] as const;
    const [a, b] = [world.join(sites[0], 2), world.join(sites[1], 3)];
    sites[0].endpoint.gather(a, { iceServers: SERVERS });
    sites[1].endpoint.gather(b, { iceServers: SERVERS });
    const draft = a.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    offer.accept(b.receiveOffer(offer.sdp).answer());
    trickle(world, sites[0], a, b);
    trickle(world, sites[1], b, a);
    const isOpen = (): boolean =>
      [a, b].every((rtc) => rtc.connectionState === 'connected') &&
      (sites[1].events.get(b) ?? []).some(({ type }) => type === 'datachannel');
    expect(world.net.run({ until: isOpen, limit: 10_000 }).reason).toBe('condition');
  });

  it('that leave are told nothing more, and what nobody uses is let go', () => {
    const world = new World(1);
    const site = world.site('198.51.100.1', '10.0.0.2');
    const rtc = world.join(site, 2);
    site.endpoint.gather(rtc, { iceServers: SERVERS });
    world.net.run({ limit: 1000 });
    rtc.close();
    world.net.run({ limit: 10_000 });
    expect(site.endpoint.size).toBe(0);
    expect(site.endpoint.inspect().gathering).toMatchObject({ sources: [], gatherings: [] });
    expect(world.net.run({ limit: 60_000 }).reason).toBe('quiescent');
  });

  it('gather anew in place of what was gathered before', () => {
    const world = new World(1);
    const site = world.site('198.51.100.1', '10.0.0.2');
    const rtc = world.join(site, 2);
    site.endpoint.gather(rtc, { iceServers: SERVERS });
    world.net.run({ limit: 1000 });
    site.endpoint.gather(rtc, { iceServers: [] });
    world.net.run({ limit: 1000 });
    expect(told(site, rtc)).toEqual(['gathering', 'srflx 198.51.100.1', 'complete', 'gathering', 'complete']);
    expect(site.endpoint.inspect().gathering?.gatherings).toHaveLength(1);
  });

  it('lose what was on a socket that is gone, each of them', () => {
    const world = new World(1);
    const site = world.site('198.51.100.1', '10.0.0.2');
    const connections = [2, 3].map((seed) => world.join(site, seed));
    for (const rtc of connections) site.endpoint.gather(rtc, { iceServers: SERVERS });
    world.net.run({ limit: 1000 });
    site.endpoint.removeSocket({ protocol: 'udp', address: site.address, port: 5000 });
    world.net.run({ limit: 1000 });
    for (const rtc of connections) expect(rtc.localCandidates).toEqual([]);
  });

  it('that have as many candidates as they may go on without', () => {
    const world = new World(1);
    const site = world.site('198.51.100.1', '10.0.0.2');
    const rtc = world.join(site, 2, { ice: { maxLocalCandidates: 1 } });
    site.endpoint.gather(rtc, { iceServers: SERVERS });
    world.net.run({ limit: 1000 });
    expect(told(site, rtc)).toEqual(['gathering', 'complete']);
    expect(site.endpoint.inspect().counters.candidatesRefused).toBe(1);
  });
});

describe('relays', () => {
  const TURN = '192.0.2.5';
  const SERVER = { urls: `turn:${TURN}`, username: 'ann', credential: 'secret' };
  const RELAY_ONLY = { ice: { transportPolicy: 'relay' } };

  /** Two ends that may use relays alone, connected through one server. */
  function connect(server: SimTurnServer, options = RELAY_ONLY) {
    const world = new World(1);
    world.net.host(TURN).attach(server);
    const sites = [world.site('198.51.100.1', '10.0.0.2'), world.site('203.0.113.1', '10.0.0.3')] as const;
    const [a, b] = [world.join(sites[0], 2, options), world.join(sites[1], 3, options)];
    sites[0].endpoint.gather(a, { iceServers: [SERVER] });
    sites[1].endpoint.gather(b, { iceServers: [SERVER] });
    const gathered = (): boolean => [a, b].every((rtc) => rtc.iceGatheringState === 'complete');
    expect(world.net.run({ until: gathered, limit: 5000 }).reason).toBe('condition');
    const draft = a.negotiation();
    const chat = draft.addChannel('chat');
    const offer = draft.offer();
    offer.accept(b.receiveOffer(offer.sdp).answer());
    trickle(world, sites[0], a, b);
    trickle(world, sites[1], b, a);
    const heard: unknown[] = [];
    const listen = (): void => {
      heard.length = 0;
      for (const event of sites[1].events.get(b) ?? []) if (event.type === 'message') heard.push(event.data);
    };
    expect(world.net.run({ until: () => chat.readyState === 'open', limit: 5000 }).reason).toBe('condition');
    return { world, sites, a, b, chat, heard, listen };
  }

  it('carry a connection where nothing else is allowed', () => {
    const server = new SimTurnServer({ address: TURN, users: { ann: 'secret' } });
    const { world, a, chat, heard, listen } = connect(server);
    expect(a.localCandidates.map(({ type, address }) => `${type} ${address}`)).toEqual([`relay ${TURN}`]);
    expect(a.sendPath?.source.address).toBe(TURN);
    chat.send('hello');
    world.net.run({ limit: 1000 });
    listen();
    expect(heard).toEqual(['hello']);
    expect(server.allocations).toBe(2);
  });

  it('end with their connections', () => {
    const server = new SimTurnServer({ address: TURN, users: { ann: 'secret' } });
    const { world, sites, a } = connect(server);
    a.close();
    world.net.run({ limit: 60_000 });
    expect(sites.map(({ endpoint }) => endpoint.size)).toEqual([0, 0]);
    expect(server.allocations).toBe(0);
  });

  it('are there again when their server is, and so is the connection', () => {
    const server = new SimTurnServer({ address: TURN, users: { ann: 'secret' } });
    const { world, a, b, chat, heard, listen } = connect(server);
    server.isDown = true;
    server.restart();
    world.net.run({ limit: 3000 });
    chat.send('meanwhile');
    server.isDown = false;
    const isBack = (): boolean => {
      listen();
      return heard.length > 0;
    };
    const back = world.net.now;
    world.net.run({ until: isBack, limit: 30_000 });
    expect({ heard, states: [a.connectionState, b.connectionState] }).toEqual({
      heard: ['meanwhile'],
      states: ['connected', 'connected'],
    });
    expect(world.net.now - back).toBeLessThan(10_000);
  });

  it('are gathered anew by a restart of ICE, and live on', () => {
    const server = new SimTurnServer({ address: TURN, users: { ann: 'secret' } });
    const { world, sites, a, b } = connect(server);
    sites[0].events.get(a)?.splice(0);
    a.restartIce();
    const offer = a.negotiation().offer();
    expect(offer.sdp).not.toContain('end-of-candidates');
    offer.accept(b.receiveOffer(offer.sdp).answer());
    world.net.run({ limit: 5000 });
    expect(told(sites[0], a)).toEqual(['gathering', 'complete']);
    expect(a.connectionState).toBe('connected');
    expect(server.allocations).toBe(2);
  });
});

it('misuse throws, and changes nothing', () => {
  const endpoint = new Endpoint();
  const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(1) });
  const code = (code: string): Error => expect.objectContaining({ code }) as Error;
  expect(() => endpoint.gather(rtc, { iceServers: [] })).toThrow(code('ERR_INVALID_STATE'));
  endpoint.add(rtc);
  expect(() => endpoint.gather(rtc, { iceServers: [{ urls: 'nonsense' }] })).toThrow(
    code('ERR_BAD_ARGUMENT'),
  );
  expect(() => endpoint.gather(rtc, { iceservers: [] } as never)).toThrow(code('ERR_BAD_ARGUMENT'));
  expect(() => endpoint.addSocket({ protocol: 'udp', address: 'x', port: 1 })).toThrow(
    code('ERR_BAD_ARGUMENT'),
  );
  expect(() => new Endpoint({ gathering: { startInterval: 1 } })).toThrow(code('ERR_BAD_ARGUMENT'));
  expect(rtc.iceGatheringState).toBe('new');
  expect(endpoint.pollOutput()).toMatchObject({ type: 'timeout' });
});

describe('names of peers', () => {
  const NAME = '11111111-2222-4333-8444-555555555555.local';
  const MDNS = `candidate:1 1 udp 2130706431 ${NAME} 6000 typ host`;
  /** Outputs of a drain at `now`. */
  const drain = (endpoint: Endpoint, now: number): EndpointOutput[] => {
    const outputs: EndpointOutput[] = [];
    endpoint.handleInput({ type: 'timeout', now });
    for (;;) {
      const output = endpoint.pollOutput();
      if (output.type === 'timeout') return outputs;
      outputs.push(output);
    }
  };
  const makeConnections = (endpoint: Endpoint, count: number): Rtc[] => {
    const remote = new Rtc({ certificate: certificates[1], random: new SeededRandom(99) });
    const { ice, fingerprints } = remote.localParameters;
    return Array.from({ length: count }, (_, i) => {
      const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(i + 1) });
      rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.9', port: 5000 });
      endpoint.add(rtc);
      rtc.start({ ice, fingerprints, iceRole: 'controlling', dtlsRole: 'client' });
      return rtc;
    });
  };

  it('are asked for once, whoever waits, and all who wait are answered', () => {
    const endpoint = new Endpoint();
    for (const rtc of makeConnections(endpoint, 3)) rtc.addRemoteCandidate(MDNS);
    const asked = drain(endpoint, 1);
    expect(asked.filter(({ type }) => type === 'request')).toEqual([
      { type: 'request', request: { type: 'resolve', name: NAME } },
    ]);
    expect(asked.some(({ type }) => type === 'event')).toBe(true);
    expect(asked.some((output) => output.type === 'event' && output.event.type === 'resolve')).toBe(false);
    expect(endpoint.inspect().names).toBe(1);
    endpoint.handleInput({ type: 'resolved', now: 2, name: NAME, addresses: ['192.0.2.77'] });
    const checks = drain(endpoint, 60).filter(
      (output) => output.type === 'transmit' && output.destination.address === '192.0.2.77',
    );
    expect(checks.length).toBeGreaterThanOrEqual(3);
    expect(endpoint.inspect().names).toBe(0);
  });

  it('are forgotten with the connection that wanted them', () => {
    const endpoint = new Endpoint();
    const [rtc] = makeConnections(endpoint, 1);
    rtc?.addRemoteCandidate(MDNS);
    drain(endpoint, 1);
    rtc?.close();
    drain(endpoint, 2);
    expect(endpoint.inspect().names).toBe(0);
    endpoint.handleInput({ type: 'resolved', now: 3, name: NAME, addresses: ['192.0.2.77'] });
    expect(drain(endpoint, 4)).toEqual([]);
  });

  it('are bounded for all connections: one too many does not resolve', () => {
    const endpoint = new Endpoint({ maxNames: 1 });
    const [first, second] = makeConnections(endpoint, 2);
    first?.addRemoteCandidate(MDNS);
    second?.addRemoteCandidate(MDNS.replace('1111', '9999'));
    const asked = drain(endpoint, 1);
    expect(asked.filter(({ type }) => type === 'request')).toHaveLength(1);
    expect(endpoint.inspect().counters.namesRefused).toBe(1);
    expect(second?.inspect().ice.counters['name-unresolved']).toBe(1);
  });
});
