/** Many connections between two sockets: DTLS connection ids tell them apart, and without them the rules of one path hold. */
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { Endpoint, Rtc, SeededRandom, shardOf, shardUsernameFragment } from '../../src/index.ts';
import type { EndpointOptions, RtcEvent, RtcOptions, Transmit } from '../../src/index.ts';
import type { Network } from '../../src/sim/index.ts';
import { Network as SimNetwork } from '../../src/sim/index.ts';
import { certificates } from './pair.ts';

type Side = 'west' | 'east';
const ADDRESSES = {
  west: { address: '198.51.100.1', port: 5000 },
  east: { address: '203.0.113.7', port: 6000 },
} as const;
const crypto = nodeCrypto();

interface Ends {
  readonly net: Network;
  readonly endpoints: Readonly<Record<Side, Endpoint>>;
  readonly events: Map<Rtc, RtcEvent[]>;
  /** Fed to an endpoint before its next input, from the other's address unless told otherwise. */
  readonly injected: Record<Side, { readonly data: Uint8Array; readonly source?: typeof ADDRESSES.west }[]>;
  /** DTLS datagrams that have gone out, the latest last. */
  readonly sent: Transmit[];
}

/** Two endpoints with a socket each. What comes on a channel at the east is said back. */
function ends(options: Partial<Record<Side, EndpointOptions>> = {}, seed = 1, loss = 0): Ends {
  const net = new SimNetwork({
    seed,
    defaults: { latency: 20, loss },
    record: { datagrams: false, events: false },
  });
  const endpoints = { west: new Endpoint(options.west), east: new Endpoint(options.east) };
  const all: Ends = { net, endpoints, events: new Map(), injected: { west: [], east: [] }, sent: [] };
  for (const side of ['west', 'east'] as const) {
    const endpoint = endpoints[side];
    const { address, port } = ADDRESSES[side];
    const from = ADDRESSES[side === 'west' ? 'east' : 'west'];
    net.host(address).attach(
      {
        get isEmpty() {
          return false;
        },
        handleInput(input) {
          for (const { data, source = from } of all.injected[side].splice(0))
            endpoint.handleInput({
              type: 'receive',
              now: input.now,
              protocol: 'udp',
              source,
              destination: ADDRESSES[side],
              data,
            });
          if (input.type === 'receive' || input.type === 'timeout') endpoint.handleInput(input);
        },
        pollOutput() {
          const output = endpoint.pollOutput();
          if (output.type === 'transmit' && output.data[0]! >= 20)
            all.sent.push({ ...output, data: Uint8Array.from(output.data) });
          return output;
        },
      },
      {
        port,
        onEvent: ({ rtc, event }) => {
          all.events.set(rtc, [...(all.events.get(rtc) ?? []), event]);
          if (side === 'east' && event.type === 'message') event.channel.send(event.data);
        },
      },
    );
  }
  return all;
}

interface Connection {
  readonly west: Rtc;
  readonly east: Rtc;
  /** What came back. */
  echoes(): unknown[];
  say(text: string): void;
}

const withIds: Partial<RtcOptions> = { dtls: { connectionId: { length: 8 } } };

function connect(
  all: Ends,
  seed: number,
  offerer: Side = 'west',
  options: Partial<Record<Side, Partial<RtcOptions>>> = { west: withIds, east: withIds },
): Connection {
  const rtcs = {
    west: rtcAt('west', seed * 2, options.west),
    east: rtcAt('east', seed * 2 + 1, options.east),
  };
  for (const side of ['west', 'east'] as const) all.endpoints[side].add(rtcs[side]);
  const answerer = offerer === 'west' ? 'east' : 'west';
  const draft = rtcs[offerer].negotiation();
  const settings = { negotiated: true, id: 0 } as const;
  const mine = draft.addChannel('echo', settings);
  const theirs = rtcs[answerer].createChannel('echo', settings);
  const offer = draft.offer();
  offer.accept(rtcs[answerer].receiveOffer(offer.sdp).answer());
  const channel = offerer === 'west' ? mine : theirs;
  return {
    ...rtcs,
    echoes: () =>
      (all.events.get(rtcs.west) ?? []).flatMap((event) => (event.type === 'message' ? [event.data] : [])),
    say: (text) => void channel.send(text),
  };
}

function rtcAt(side: Side, seed: number, options: Partial<RtcOptions> = {}): Rtc {
  const rtc = new Rtc({
    certificate: certificates[side === 'west' ? 0 : 1],
    crypto,
    random: new SeededRandom(seed),
    ...options,
  });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...ADDRESSES[side] });
  return rtc;
}

function warnings(all: Ends): string[] {
  return [...all.events.values()]
    .flat()
    .flatMap((event) => (event.type === 'warning' ? [event.failure.code] : []));
}

const isUp = ({ west, east }: Connection): boolean =>
  west.connectionState === 'connected' && east.connectionState === 'connected';

/** Records at the east that were not authentic, or had been there before. */
function refused({ east }: Connection): number {
  const { recordsForged = 0, recordsReplayed = 0 } = east.inspect().dtls?.counters ?? {};
  return recordsForged + recordsReplayed;
}

/** Says something over each, and answers what each got back. */
function echo(all: Ends, connections: readonly Connection[], word: string): unknown[] {
  connections.forEach((connection, i) => {
    connection.say(`${word} ${i}`);
  });
  const latest = (): unknown[] => connections.map((connection) => connection.echoes().at(-1));
  const isBack = (said: unknown, i: number): boolean => said === `${word} ${i}`;
  for (let second = 0; second < 30 && !latest().every(isBack); second++) all.net.advance(1000);
  return latest();
}

const expected = (connections: readonly Connection[], word: string): string[] =>
  connections.map((_, i) => `${word} ${i}`);

describe('fifty connections between two sockets', () => {
  it.each([
    ['offered by one end', () => 'west' as const, 0],
    ['offered by either', (i: number) => (i % 2 === 0 ? ('west' as const) : ('east' as const)), 0],
    [
      'offered by either, at 10 % loss',
      (i: number) => (i % 3 === 0 ? ('west' as const) : ('east' as const)),
      0.1,
    ],
  ])('%s: all connect, echo, and one that closes harms nobody', (_what, offererOf, loss) => {
    const all = ends({}, 7, loss);
    const connections = Array.from({ length: 50 }, (_, i) => connect(all, i, offererOf(i)));
    all.net.advance(loss > 0 ? 12_000 : 3000);
    const haveConnected = [...all.events.values()].filter((events) =>
      events.some((event) => event.type === 'connectionstatechange' && event.state === 'connected'),
    );
    expect(haveConnected).toHaveLength(100);
    expect(warnings(all)).not.toContain('path-taken-over');
    for (const side of ['west', 'east'] as const) {
      expect(all.endpoints[side].inspect()).toMatchObject({
        connections: 50,
        routes: 1,
        counters: { routesTakenOver: 0, routesContested: 0, droppedUnattributed: 0 },
      });
    }
    expect(echo(all, connections, 'first')).toEqual(expected(connections, 'first'));
    connections[17]?.west.close();
    const left = connections.filter((_, i) => i !== 17);
    expect(echo(all, left, 'second')).toEqual(expected(left, 'second'));
    // Consent goes on: nobody is taken for another.
    all.net.advance(60_000);
    expect(echo(all, left, 'third')).toEqual(expected(left, 'third'));
    expect(all.endpoints.west.size).toBe(49);
    expect(all.endpoints.east.size).toBeLessThanOrEqual(loss > 0 ? 50 : 49);
  });
});

describe('further connections', () => {
  it('join later, one after the other, without another socket and without a delay', () => {
    let meetings = 0;
    const onSharedPath = (): boolean => ++meetings > 0;
    const all = ends({ west: { onSharedPath }, east: { onSharedPath } });
    const connections: Connection[] = [];
    for (let i = 0; i < 10; i++) {
      connections.push(connect(all, i, i % 2 === 0 ? 'west' : 'east'));
      all.net.advance(400);
      expect(connections.filter(isUp)).toHaveLength(i + 1);
    }
    expect(meetings).toBe(0);
    expect(echo(all, connections, 'x')).toEqual(expected(connections, 'x'));
    expect(all.endpoints.west.inspect().counters.checksDeferred).toBe(0);
  });

  it('at once: only those of the end that controls wait, for the first handshake, and nobody for a socket', () => {
    let meetings = 0;
    const onSharedPath = (): boolean => ++meetings > 0;
    const all = ends({ west: { onSharedPath }, east: { onSharedPath } });
    const connections = Array.from({ length: 5 }, (_, i) => connect(all, i));
    all.net.advance(1500);
    expect(connections.filter(isUp)).toHaveLength(5);
    expect(meetings).toBe(0);
    expect(all.endpoints.west.inspect().counters.checksDeferred).toBeGreaterThanOrEqual(4);
    expect(all.endpoints.east.inspect().counters.checksDeferred).toBe(0);
  });
});

describe('peers without ids', () => {
  it('keep today’s rules: the host is asked for another socket as soon as that is known', () => {
    const meetings: boolean[] = [];
    const all = ends({ west: { onSharedPath: ({ authenticated }) => meetings.push(authenticated) > 0 } });
    const first = connect(all, 1, 'west', { west: withIds });
    const second = connect(all, 2, 'west', { west: withIds });
    all.net.advance(3000);
    expect(first.west.connectionState).toBe('connected');
    expect(first.west.inspect().dtls?.connectionIds).toBeNull();
    expect(second.west.connectionState).not.toBe('connected');
    expect(meetings.length).toBe(1);
    expect(all.endpoints.west.inspect().counters.routesShunned).toBeGreaterThan(0);
    expect(echo(all, [first], 'still')).toEqual(['still 0']);
  });

  it('a connection that needs the path to itself has it beside those that do not', () => {
    const all = ends();
    const sharing = [1, 2, 3].map((seed) => connect(all, seed));
    all.net.advance(1500);
    const alone = connect(all, 9, 'west', {});
    all.net.advance(1500);
    const everyone = [...sharing, alone];
    expect(everyone.filter(isUp)).toHaveLength(4);
    expect(echo(all, everyone, 'a')).toEqual(expected(everyone, 'a'));
  });

  it.each([
    ['DTLS 1.2, whose handshakes are plaintext', { versions: { min: '1.2', max: '1.2' } }],
    ['a ClientHello in two datagrams', { groups: ['x25519mlkem768', 'x25519'] }],
    ['an id too short to tell whose it is', { connectionId: { length: 7 } }],
  ] as const)('%s: the path is for one alone', (_what, dtls) => {
    const all = ends();
    const options = { dtls: { ...withIds.dtls, ...dtls } };
    const one = connect(all, 1, 'west', { west: options, east: options });
    expect([one.west.pathUse, one.east.pathUse]).toEqual(['exclusive', 'exclusive']);
    all.net.advance(1500);
    expect(isUp(one)).toBe(true);
    expect([one.west.pathUse, one.east.pathUse]).toEqual(['exclusive', 'exclusive']);
    expect(one.west.inspect().dtls?.connectionIds).not.toBeNull();
    expect(echo(all, [one], 'd')).toEqual(['d 0']);
  });

  it('of a peer that has DTLS 1.2 alone the path is for one', () => {
    const all = ends();
    const old = { dtls: { ...withIds.dtls, versions: { min: '1.2', max: '1.2' } } } as const;
    const one = connect(all, 1, 'west', { west: withIds, east: old });
    expect(one.west.pathUse).toBe('undecided');
    all.net.advance(1500);
    expect(isUp(one)).toBe(true);
    expect(one.west.pathUse).toBe('exclusive');
  });

  it('an id that does not begin with the username fragment is good for one connection, not for many', () => {
    const all = ends();
    const named = { dtls: { connectionId: { length: 8, prefix: new Uint8Array(8).fill(1) } } };
    const one = connect(all, 1, 'west', { west: withIds, east: named });
    all.net.advance(1500);
    expect(isUp(one)).toBe(true);
    expect([one.west.pathUse, one.east.pathUse]).toEqual(['exclusive', 'shared']);
    expect(echo(all, [one], 'b')).toEqual(['b 0']);
  });
});

describe('a page that reloads in the middle of its handshake', () => {
  it('has its path back though the connection before had asked for ids', () => {
    const all = ends();
    const gone = connect(all, 1, 'west', { east: withIds });
    all.net.advance(45);
    all.endpoints.west.remove(gone.west);
    const back = connect(all, 2, 'west', { east: withIds });
    all.net.advance(1500);
    expect(isUp(back)).toBe(true);
    expect(echo(all, [back], 'again')).toEqual(['again 0']);
  });
});

describe('hostile datagrams', () => {
  it('forged records with the id of a connection harm nobody, and nobody’s id is counted and told', () => {
    const unknown: Uint8Array[] = [];
    const all = ends({ east: { onUnknown: ({ data }) => void unknown.push(data), maxUnknownPerSecond: 10 } });
    const connections = [1, 2, 3].map((seed) => connect(all, seed));
    all.net.advance(2000);
    connections[0]?.say('caught');
    all.net.advance(3000);
    const record =
      all.sent.filter(({ source }) => source.port === ADDRESSES.west.port).at(-1)?.data ?? new Uint8Array();
    expect(record[0]! & 0xf0).toBe(0x30);
    const { bufferedBytes: held } = all.endpoints.east.inspect();
    const before = connections.map(refused);
    for (let i = 0; i < 200; i++) {
      const forged = Uint8Array.from(record);
      forged[forged.length - 1 - (i % 16)]! ^= 1 + (i % 255);
      all.injected.east.push({ data: forged });
      // From elsewhere not even the connection is bothered.
      all.injected.east.push({ data: forged, source: { address: '192.0.2.1', port: i + 1 } as never });
      const stranger = Uint8Array.from(record);
      stranger[1 + (i % 8)]! ^= 0x80;
      all.injected.east.push({ data: stranger });
    }
    all.net.advance(500);
    const { counters, bufferedBytes } = all.endpoints.east.inspect();
    expect(counters.droppedUnknownConnectionId).toBe(400);
    expect(counters.unknownNotReported + unknown.length).toBe(400);
    expect(unknown.length).toBeLessThanOrEqual(20);
    expect(bufferedBytes).toBe(held);
    const forged = connections.map((connection, i) => refused(connection) - before[i]!);
    expect([...forged].sort((a, b) => a - b)).toEqual([0, 0, 200]);
    expect(echo(all, connections, 'fine')).toEqual(expected(connections, 'fine'));
  });

  it('a hello in somebody’s name from elsewhere is dropped, and a late one of a connection that is up changes nothing', () => {
    const all = ends();
    const first = connect(all, 1);
    all.net.advance(1000);
    const hellos = all.sent.filter(({ data }) => data[0] === 22);
    expect(hellos.length).toBeGreaterThanOrEqual(2);
    const second = connect(all, 2);
    all.net.advance(10);
    for (const { data, destination } of hellos) {
      const side = destination.port === ADDRESSES.east.port ? 'east' : 'west';
      for (let at = 0; at < 400; at += 10)
        all.net.at(all.net.now + at, () => {
          all.injected[side].push({ data }, { data, source: { address: '192.0.2.9', port: 7 } as never });
        });
    }
    all.net.advance(1500);
    expect([first, second].filter(isUp)).toHaveLength(2);
    expect(echo(all, [first, second], 'c')).toEqual(['c 0', 'c 1']);
    expect(all.endpoints.east.inspect().counters.droppedUnknownConnectionId).toBeGreaterThan(10);
  });

  it('plaintext that names nobody is nobody’s while several shake hands over a path that is shared', () => {
    const all = ends();
    const first = connect(all, 1);
    all.net.advance(1000);
    const more = [2, 3, 4].map((seed) => connect(all, seed));
    all.net.advance(60);
    // They have a path each, and get no answer to their hellos any more.
    for (const { east } of more) all.endpoints.east.remove(east);
    all.net.advance(1000);
    for (let i = 0; i < 20; i++)
      all.injected.west.push({ data: Uint8Array.of(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 77, 0, 2, 2, 40) });
    all.net.advance(1000);
    expect(more.map(({ west }) => west.connectionState)).toEqual(['connecting', 'connecting', 'connecting']);
    expect(all.endpoints.west.inspect().counters.droppedUnattributed).toBe(20);
    expect(isUp(first)).toBe(true);
  });
});

it('a record with an id names its shard, and a hello none', () => {
  const all = ends();
  const options = {
    ice: { usernameFragment: shardUsernameFragment(777) },
    dtls: { connectionId: { length: 10 } },
  };
  const one = connect(all, 1, 'west', { west: withIds, east: options });
  all.net.advance(1500);
  expect(isUp(one)).toBe(true);
  one.say('x');
  all.net.advance(100);
  const toEast = all.sent.filter(({ destination }) => destination.port === ADDRESSES.east.port);
  const shards = toEast.map(({ data }) => shardOf(data));
  expect(shards.filter((shard) => shard !== undefined).length).toBeGreaterThan(3);
  expect(new Set(shards.slice(-3))).toEqual(new Set([777]));
  expect([shardOf(Uint8Array.of(0x3f, 65, 66)), shardOf(Uint8Array.of(0x3f, 66, 65))]).toEqual([1, 64]);
  expect(shardOf(Uint8Array.of(0x3f, 65))).toBeUndefined();
  expect(shardOf(Uint8Array.of(0x3f, 65, 33))).toBeUndefined();
  expect(shardOf(Uint8Array.of(0x2f, 65, 66))).toBeUndefined();
});

it('everything is let go when the last connection leaves', () => {
  const all = ends();
  const connections = [1, 2, 3].map((seed) => connect(all, seed));
  all.net.advance(2000);
  for (const { west } of connections) west.close();
  all.net.advance(2000);
  for (const endpoint of Object.values(all.endpoints)) {
    expect(endpoint.inspect()).toMatchObject({ connections: 0, routes: 0 });
  }
});
