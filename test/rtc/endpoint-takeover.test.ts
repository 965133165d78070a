/** Whose a path is: spoofed checks, reloaded pages, lite ends, and connections that share a pair of sockets. */
import { describe, expect, it } from 'vitest';
import type { EndpointOptions, Input, Output, RtcEvent, RtcOptions, SharedPath } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom, jsCrypto } from '../../src/index.ts';
import { randomBytes } from '../../src/core/random.ts';
import type { Host, Network } from '../../src/sim/index.ts';
import { Network as SimNetwork } from '../../src/sim/index.ts';
import { StunAttributeType, StunMethod, StunWriter, shortTermKey } from '../../src/stun/index.ts';
import { certificates } from './pair.ts';

const SERVER = { address: '198.51.100.1', port: 3478 };
const VICTIM = { address: '203.0.113.7', port: 9 };
const ELSEWHERE = { address: '203.0.113.8', port: 9 };

interface Service {
  readonly net: Network;
  readonly endpoint: Endpoint;
  /** Messages that have reached the server, by the connection they came over. */
  readonly heard: Map<Rtc, number>;
  readonly events: Map<Rtc, RtcEvent[]>;
  /** Fed to the endpoint before its next input, as if they had come from there. */
  readonly spoofed: { readonly source: typeof VICTIM; readonly data: Uint8Array }[];
}

function serve(options: EndpointOptions = {}): Service {
  const net = new SimNetwork({
    seed: 3,
    defaults: { latency: 20 },
    record: { datagrams: false, events: false },
  });
  const endpoint = new Endpoint(options);
  const service: Service = { net, endpoint, heard: new Map(), events: new Map(), spoofed: [] };
  net.host(SERVER.address).attach(
    {
      get isEmpty() {
        return false;
      },
      handleInput(input: Input) {
        for (const { source, data } of service.spoofed.splice(0)) {
          endpoint.handleInput({
            type: 'receive',
            now: input.now,
            protocol: 'udp',
            source,
            destination: SERVER,
            data,
          });
        }
        endpoint.handleInput(input);
      },
      pollOutput: () => endpoint.pollOutput(),
    },
    {
      port: SERVER.port,
      onEvent: ({ rtc, event }) => {
        service.events.set(rtc, [...(service.events.get(rtc) ?? []), event]);
        if (event.type === 'message') service.heard.set(rtc, (service.heard.get(rtc) ?? 0) + 1);
      },
    },
  );
  return service;
}

let seed = 1;

function hostAt(net: Network, address: string): Host {
  return (
    net.hosts.find(({ interfaces }) => interfaces.some((at) => at.address === address)) ?? net.host(address)
  );
}

/** A connection of the server's that nobody has joined yet. */
function serverSide(service: Service, options: Partial<RtcOptions> = {}): Rtc {
  const rtc = new Rtc({ certificate: certificates[1], random: new SeededRandom(seed++), ...options });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
  service.endpoint.add(rtc);
  return rtc;
}

/** A client at `at` that has joined `there`; it sends ten messages a second once it can. */
function join(service: Service, there: Rtc, at: typeof VICTIM): { readonly rtc: Rtc; leave(): void } {
  const { net } = service;
  const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(seed++) });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...at });
  const peer = hostAt(net, at.address).attach<Output>(rtc, { port: at.port, name: `client ${seed}` });
  const draft = rtc.negotiation();
  const channel = draft.addChannel('words');
  const offer = draft.offer();
  offer.accept(there.receiveOffer(offer.sdp).answer());
  const speak = (): void => {
    if (channel.readyState === 'closed') return;
    if (channel.readyState === 'open') channel.send('word');
    net.at(net.now + 100, speak);
  };
  speak();
  return { rtc, leave: () => peer.detach() };
}

/** A check for `there` by somebody who has joined it, or knows how: `fragment` is his own. */
function checkFor(there: Rtc, fragment = 'evil'): Uint8Array {
  const { usernameFragment, password } = there.localParameters.ice;
  return new StunWriter('request', StunMethod.binding, randomBytes(new SeededRandom(seed++), 12))
    .text(StunAttributeType.username, `${usernameFragment}:${fragment}`)
    .attribute(StunAttributeType.iceControlling, new Uint8Array(8))
    .flag(StunAttributeType.useCandidate)
    .u32(StunAttributeType.priority, 0x6eff_ffff)
    .integrity(shortTermKey(jsCrypto(), password))
    .fingerprint()
    .finish();
}

/** The attacker's connection: started with his credentials, and never anywhere to be reached. */
function attackers(service: Service, options: Partial<RtcOptions> = {}): Rtc {
  const there = serverSide(service, options);
  there.start({
    ice: { usernameFragment: 'evil', password: 'e'.repeat(22) },
    iceRole: 'controlled',
    dtlsRole: 'server',
    fingerprints: [certificates[0].fingerprint],
  });
  return there;
}

function warnings(service: Service, rtc: Rtc): string[] {
  const events = service.events.get(rtc) ?? [];
  return events.flatMap((event) => (event.type === 'warning' ? [event.failure.code] : []));
}

describe('A5: a path moves for proof alone', () => {
  it.each([1, 200])('A5: %i spoofed checks with credentials of one’s own take nobody’s path', (count) => {
    const service = serve();
    const { net, endpoint } = service;
    const there = serverSide(service);
    const victim = join(service, there, VICTIM);
    net.advance(2000);
    const before = service.heard.get(there) ?? 0;
    expect(before).toBeGreaterThan(10);
    const evil = attackers(service);
    for (let i = 0; i < count; i++)
      net.at(net.now + i * 20, () => service.spoofed.push({ source: VICTIM, data: checkFor(evil) }));
    net.advance(10_000);
    expect((service.heard.get(there) ?? 0) - before).toBeGreaterThan(95);
    expect(victim.rtc.connectionState).toBe('connected');
    expect(endpoint.inspect().counters.routesTakenOver).toBe(0);
    expect(warnings(service, there)).toEqual([]);
  });

  it('A5: an address that is not owned yet is not taken in advance either', () => {
    const service = serve();
    const { net, endpoint } = service;
    const evil = attackers(service);
    service.spoofed.push({ source: VICTIM, data: checkFor(evil) });
    net.advance(50);
    const there = serverSide(service);
    join(service, there, VICTIM);
    for (let i = 0; i < 100; i++)
      net.at(net.now + i * 20, () => service.spoofed.push({ source: VICTIM, data: checkFor(evil) }));
    net.advance(2000);
    expect(service.heard.get(there) ?? 0).toBeGreaterThan(15);
    expect(endpoint.inspect().counters).toMatchObject({ routesBound: 1, routesTakenOver: 0 });
  });

  it('A5: an old check, replayed after the path has a new owner, takes nothing back', () => {
    const service = serve();
    const { net, endpoint } = service;
    const first = serverSide(service);
    const early = join(service, first, VICTIM);
    net.advance(1000);
    const old = checkFor(first, early.rtc.localParameters.ice.usernameFragment);
    early.leave();
    const second = serverSide(service);
    join(service, second, VICTIM);
    net.advance(1000);
    const before = service.heard.get(second) ?? 0;
    expect(endpoint.inspect().counters.routesTakenOver).toBe(1);
    for (let i = 0; i < 50; i++)
      net.at(net.now + i * 100, () => service.spoofed.push({ source: VICTIM, data: old }));
    net.advance(6000);
    expect((service.heard.get(second) ?? 0) - before).toBeGreaterThan(55);
    expect(endpoint.inspect().counters.routesTakenOver).toBe(1);
  });

  it('A5: a connection’s own path is not evicted by addresses that somebody names in its stead', () => {
    const service = serve({ maxRoutesPerConnection: 8 });
    const { net } = service;
    const there = serverSide(service);
    const client = join(service, there, VICTIM);
    net.advance(1000);
    const before = service.heard.get(there) ?? 0;
    const replayed = checkFor(there, client.rtc.localParameters.ice.usernameFragment);
    for (let i = 1; i <= 60; i++) service.spoofed.push({ source: { ...ELSEWHERE, port: i }, data: replayed });
    net.advance(5000);
    expect((service.heard.get(there) ?? 0) - before).toBeGreaterThan(45);
  });

  it('A5: twenty accounts that ask one address keep no answer from the connection whose peer is there', () => {
    const service = serve();
    const { net } = service;
    const evil = Array.from({ length: 20 }, () => attackers(service));
    const there = serverSide(service);
    for (const one of evil) service.spoofed.push({ source: VICTIM, data: checkFor(one) });
    net.advance(30);
    join(service, there, VICTIM);
    net.advance(2000);
    expect(service.heard.get(there) ?? 0).toBeGreaterThan(15);
  });

  it('A5: between lite ends a path moves after its owner’s silence, and not before', () => {
    const service = serve({ takeoverSilence: 4000 });
    const { net, endpoint } = service;
    const first = serverSide(service, { iceLite: true });
    const early = join(service, first, VICTIM);
    net.advance(1000);
    const evil = attackers(service, { iceLite: true });
    service.spoofed.push({ source: VICTIM, data: checkFor(evil) });
    const before = service.heard.get(first) ?? 0;
    net.advance(2000);
    expect((service.heard.get(first) ?? 0) - before).toBeGreaterThan(15);
    early.leave();
    const second = serverSide(service, { iceLite: true });
    join(service, second, VICTIM);
    net.advance(9000);
    expect(service.heard.get(second) ?? 0).toBeGreaterThan(0);
    expect(endpoint.inspect().counters.routesTakenOver).toBe(1);
  });
});

describe('B2: a path that ICE holds valid is a route', () => {
  it.each([
    [true, false],
    [false, true],
    [false, false],
  ])('B2: lite %s in front of an endpoint whose side is lite %s', (clientLite, ownLite) => {
    const net = new SimNetwork({
      seed: 4,
      defaults: { latency: 20 },
      record: { datagrams: false, events: false },
    });
    const make = (lite: boolean, at: typeof VICTIM): { rtc: Rtc; endpoint: Endpoint } => {
      const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(seed++), iceLite: lite });
      rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...at });
      const endpoint = new Endpoint();
      endpoint.add(rtc);
      hostAt(net, at.address).attach(endpoint, { port: at.port });
      return { rtc, endpoint };
    };
    for (const offers of ['own', 'other']) {
      const own = make(ownLite, { ...SERVER, port: offers === 'own' ? 1 : 2 });
      const other = make(clientLite, { ...VICTIM, port: offers === 'own' ? 1 : 2 });
      const [offerer, answerer] = offers === 'own' ? [own, other] : [other, own];
      const draft = offerer.rtc.negotiation();
      const channel = draft.addChannel('x');
      const offer = draft.offer();
      offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
      net.run({ until: () => channel.readyState === 'open', limit: 2000 });
      expect(channel.readyState).toBe('open');
      expect(own.endpoint.inspect().counters.droppedUnknownAddress).toBe(0);
    }
  });
});

describe('E3: connections that share a pair of sockets', () => {
  /** `count` connections between one socket of a client host and one of the server's. */
  function share(options: EndpointOptions = {}): {
    service: Service;
    ends: { own: Rtc; there: Rtc }[];
    client: Endpoint;
    told: Map<Rtc, RtcEvent[]>;
  } {
    const service = serve();
    const client = new Endpoint(options);
    const told = new Map<Rtc, RtcEvent[]>();
    service.net.host(VICTIM.address).attach(client, {
      port: [VICTIM.port, 10],
      onEvent: ({ rtc, event }) => told.set(rtc, [...(told.get(rtc) ?? []), event]),
    });
    const ends = [0, 1].map(() => {
      const there = serverSide(service);
      const own = new Rtc({ certificate: certificates[0], random: new SeededRandom(seed++) });
      own.addLocalCandidate({ type: 'host', protocol: 'udp', ...VICTIM });
      client.add(own);
      const draft = own.negotiation();
      draft.addChannel('x');
      const offer = draft.offer();
      offer.accept(there.receiveOffer(offer.sdp).answer());
      service.net.advance(1000);
      return { own, there };
    });
    return { service, ends, client, told };
  }

  it('E3: the loser is warned, and the reason of its end says path-taken-over; the other lives', () => {
    const { service, ends } = share();
    service.net.advance(60_000);
    const alive = ends.filter(({ own }) => own.connectionState === 'connected');
    expect(alive).toHaveLength(1);
    const [lost] = ends.filter(({ own }) => own.connectionState !== 'connected');
    expect(lost && warnings(service, lost.there)).toEqual(['path-taken-over']);
    const end = lost && service.events.get(lost.there)?.find(({ type }) => type === 'closed');
    expect(end).toMatchObject({ reason: { code: 'path-taken-over' } });
  });

  it('E3: an endpoint tells when two of its connections meet one address, and keeps the second off the path', () => {
    const meetings: SharedPath[] = [];
    const { service, ends, client } = share({
      onSharedPath: (meeting) => {
        meetings.push(meeting);
        return true;
      },
    });
    service.net.advance(3000);
    expect(meetings).toMatchObject([
      { local: VICTIM, remote: SERVER, protocol: 'udp', authenticated: false },
    ]);
    expect(meetings[0]?.rtc).toBe(ends[1]?.own);
    expect(meetings[0]?.other).toBe(ends[0]?.own);
    expect(ends[0]?.own.connectionState).toBe('connected');
    expect(ends[1]?.own.connectionState).toBe('connecting');
    expect(client.inspect().counters.routesShunned).toBeGreaterThan(0);
    expect(client.inspect().counters.routesTakenOver).toBe(0);
  });

  it('E3: given a candidate on another socket, both connect', () => {
    const { service, ends } = share({
      onSharedPath: ({ rtc }) => {
        rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...VICTIM, port: 10 });
        return true;
      },
    });
    service.net.advance(5000);
    expect(ends.map(({ own }) => own.connectionState)).toEqual(['connected', 'connected']);
    expect(ends.map(({ there }) => there.connectionState)).toEqual(['connected', 'connected']);
  });
});
