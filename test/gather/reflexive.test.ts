/** Server-reflexive addresses: asked for once a socket, shared, kept, judged. */
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/core/address.ts';
import { PUBLIC, SOCKET, SOCKET6, STUN, World, refusing, stunServer } from './world.ts';

describe('a gathering', () => {
  it('tells the address that the server sees, with the socket as its base, and is complete', () => {
    const world = World.usual();
    const id = world.gather();
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', `+srflx ${PUBLIC}:14000`, 'complete']);
    expect(world.of(id)[1]).toMatchObject({
      candidate: { type: 'srflx', protocol: 'udp', base: { address: SOCKET.address, port: SOCKET.port } },
      at: 2 * world.latency,
    });
  });

  it('without servers is complete at once', () => {
    const world = World.usual();
    const id = world.gather({ iceServers: [] });
    world.run(10);
    expect(world.told(id)).toEqual(['gathering', 'complete']);
    expect(world.sent).toEqual([]);
  });

  it('of a socket without a NAT tells nothing: the host candidate says it', () => {
    const world = World.usual();
    world.nat = (socket) => socket;
    const id = world.gather();
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', 'complete']);
  });

  it('asks nobody again for what is known, however many gather', () => {
    const world = World.usual();
    const first = world.gather();
    world.run(1000);
    const others = Array.from({ length: 1000 }, () => world.gather());
    world.run(100);
    for (const id of others) expect(world.told(id)).toEqual(world.told(first));
    expect(world.sent.length).toBe(1);
  });

  it('tells an address once, though two servers see it', () => {
    const world = World.usual();
    world.servers.set('192.0.2.9:3478', stunServer());
    const id = world.gather({ iceServers: [{ urls: ['stun:192.0.2.1', 'stun:192.0.2.9'] }] });
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', `+srflx ${PUBLIC}:14000`, 'complete']);
    expect(world.sent.length).toBe(2);
  });

  it('tells both, where a NAT has an address for each server', () => {
    const world = World.usual();
    world.servers.set(
      '192.0.2.9:3478',
      stunServer(({ address }) => ({ address, port: 9999 })),
    );
    const id = world.gather({ iceServers: [{ urls: ['stun:192.0.2.1', 'stun:192.0.2.9'] }] });
    world.run(1000);
    expect(world.told(id)).toEqual([
      'gathering',
      `+srflx ${PUBLIC}:14000`,
      `+srflx ${PUBLIC}:9999`,
      'complete',
    ]);
  });

  it('asks one server every Ta, over all sockets and gatherings', () => {
    const world = World.usual();
    for (let port = 4001; port < 4010; port++) world.gatherer.addSocket({ ...SOCKET, port });
    world.servers.set('192.0.2.9:3478', stunServer());
    world.gather();
    world.gather({ iceServers: [{ urls: 'stun:192.0.2.9' }] });
    world.run(3000);
    const times = world.sent.map(({ at }) => at);
    expect(times.length).toBe(20);
    times.slice(1).forEach((at, index) => {
      expect(at - times[index]!).toBe(50);
    });
  });

  it('asks servers of the same family, from addresses that reach them', () => {
    const world = World.usual();
    world.gatherer.addSocket(SOCKET6);
    world.gatherer.addSocket({ ...SOCKET, address: '127.0.0.1' });
    world.gatherer.addSocket({ ...SOCKET6, address: 'fe80::1' });
    world.gather({ iceServers: [{ urls: ['stun:192.0.2.1', 'stun:[2001:db8::1]:99'] }] });
    world.run(1000);
    const places = new Set(
      world.sent.map(({ source, destination }) => `${formatAddress(source)} > ${formatAddress(destination)}`),
    );
    expect([...places]).toEqual(['10.0.0.2:4000 > 192.0.2.1:3478', '[2001:db8::2]:4000 > [2001:db8::1]:99']);
  });
});

describe('a server that does not answer', () => {
  it('is asked as RFC 8489 §6.2.1 has it, and is told as an error after the gate', () => {
    const world = World.usual();
    world.servers.clear();
    const id = world.gather();
    world.run(60_000);
    const start = world.sent[0]!.at;
    expect(world.sent.map(({ at }) => at - start)).toEqual([0, 500, 1500, 3500, 7500].slice(0, 5));
    expect(world.told(id)).toEqual(['gathering', '701 stun:192.0.2.1', 'complete']);
    expect(world.of(id)[1]).toMatchObject({
      error: { errorCode: 701, address: SOCKET.address, port: SOCKET.port },
      at: 10_000,
    });
  });

  it('is asked seven times in 39.5 s where gathering is continual, and its late answer is told', () => {
    const world = World.usual();
    const server = stunServer();
    world.servers.clear();
    const id = world.gather({ continual: true });
    world.run(20_000);
    world.servers.set(formatAddress(STUN), server);
    world.run(20_000);
    expect(world.told(id)).toEqual(['gathering', '701 stun:192.0.2.1', 'complete', `+srflx ${PUBLIC}:14000`]);
  });

  it('harms no other one', () => {
    const world = World.usual();
    const id = world.gather({ iceServers: [{ urls: ['stun:192.0.2.66', 'stun:192.0.2.1'] }] });
    world.run(60_000);
    expect(world.told(id)).toEqual([
      'gathering',
      `+srflx ${PUBLIC}:14000`,
      '701 stun:192.0.2.66',
      'complete',
    ]);
  });

  it('and one that refuses is told with its own words', () => {
    const world = World.usual();
    world.servers.set(formatAddress(STUN), refusing(403, 'go away'));
    const id = world.gather();
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', '403 stun:192.0.2.1', 'complete']);
    expect(world.of(id)[1]).toMatchObject({ error: { errorText: 'go away', address: SOCKET.address } });
  });
});

describe('a mapping', () => {
  it('is kept by a request every 15 to 25 s, as long as somebody uses it', () => {
    const world = World.usual();
    const id = world.gather();
    world.run(600_000);
    const times = world.sent.map(({ at }) => at);
    times.slice(1).forEach((at, index) => {
      expect(at - times[index]!).toBeGreaterThanOrEqual(15_000);
      expect(at - times[index]!).toBeLessThan(25_100);
    });
    expect(times.length).toBeGreaterThan(23);
    world.gatherer.release(id);
    const before = world.sent.length;
    world.run(600_000);
    expect(world.sent.length).toBe(before);
    expect(world.gatherer.inspect()).toMatchObject({ sources: [], gatherings: [], timeout: { at: null } });
  });

  it('that changes is noticed: the old candidate leaves, the new one comes', () => {
    const world = World.usual();
    const id = world.gather();
    world.run(1000);
    world.nat = () => ({ address: '203.0.113.5', port: 555 });
    world.run(26_000);
    expect(world.told(id)).toEqual([
      'gathering',
      `+srflx ${PUBLIC}:14000`,
      'complete',
      `-srflx ${PUBLIC}:14000`,
      '+srflx 203.0.113.5:555',
    ]);
  });

  it('outlives its server', () => {
    const world = World.usual();
    const id = world.gather();
    world.run(1000);
    world.servers.clear();
    world.run(600_000);
    expect(world.told(id)).toEqual(['gathering', `+srflx ${PUBLIC}:14000`, 'complete']);
  });

  it('lingers for who comes next, and is verified by a restart', () => {
    const world = World.usual();
    world.gatherer.release(world.gather());
    world.run(100);
    const id = world.gather();
    world.run(1000);
    world.gatherer.restart(id);
    world.run(1000);
    expect(world.told(id)).toEqual([
      'gathering',
      `+srflx ${PUBLIC}:14000`,
      'complete',
      'gathering',
      'complete',
    ]);
    expect(world.sent.length).toBe(2);
  });
});

describe('a server that lies', () => {
  const LIES = [
    { address: '127.0.0.1', port: 80 },
    { address: '10.0.0.99', port: 80 },
    { address: '169.254.169.254', port: 80 },
    { address: '224.0.0.1', port: 80 },
    { address: '0.0.0.0', port: 80 },
    { address: '255.255.255.255', port: 80 },
    { address: '2001:db8::1', port: 80 },
    { address: '198.51.100.7', port: 0 },
  ];

  it.each(LIES)('tells $address port $port: that is not ours', (lie) => {
    const world = World.usual();
    world.servers.set(
      formatAddress(STUN),
      stunServer(() => lie),
    );
    const id = world.gather();
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', '701 stun:192.0.2.1', 'complete']);
    expect(world.count('mappedAddressesRefused')).toBe(1);
  });

  it('but one in a private network may see a private address', () => {
    const world = World.usual();
    world.servers.set(
      '10.9.9.9:3478',
      stunServer(() => ({ address: '10.1.1.1', port: 80 })),
    );
    const id = world.gather({ iceServers: [{ urls: 'stun:10.9.9.9' }] });
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', '+srflx 10.1.1.1:80', 'complete']);
  });

  it('with each answer is followed so many times', () => {
    const world = World.usual({ maxMappingChanges: 3 });
    let port = 1000;
    world.servers.set(
      formatAddress(STUN),
      stunServer(() => ({ address: PUBLIC, port: port++ })),
    );
    const id = world.gather();
    world.run(600_000);
    expect(world.told(id).filter((told) => told.startsWith('+')).length).toBe(4);
    expect(world.count('mappingsChanged')).toBe(3);
    expect(world.count('mappingChangesIgnored')).toBeGreaterThan(10);
  });

  it('and strangers answer nothing: another place, another transaction, a damaged message', () => {
    const world = World.usual();
    world.servers.clear();
    world.gather();
    world.run(100);
    const { data } = world.sent[0]!;
    const answer = stunServer(() => ({ address: PUBLIC, port: 1 }))(data, STUN)[0]!;
    expect(world.receive(answer, { ...STUN, port: 3479 })).toBe(false);
    expect(world.receive(answer, STUN, { ...SOCKET, port: 4001 })).toBe(false);
    const other = answer.slice();
    other[12]! ^= 1;
    expect(world.receive(other, STUN)).toBe(false);
    world.receive(answer.slice(0, 24), STUN);
    expect(world.count('bindingsAnswered')).toBe(0);
    expect(world.receive(answer, STUN)).toBe(true);
    expect(world.count('bindingsAnswered')).toBe(1);
    expect(world.receive(answer, STUN)).toBe(false);
  });
});

describe('sockets', () => {
  it('that come give candidates to gatherings under way, and later to continual ones', () => {
    const world = World.usual();
    const once = world.gather();
    const continual = world.gather({ continual: true });
    world.run(1000);
    world.gatherer.addSocket({ ...SOCKET, port: 4001 });
    world.run(1000);
    expect(world.told(once)).toEqual(['gathering', `+srflx ${PUBLIC}:14000`, 'complete']);
    expect(world.told(continual)).toEqual([...world.told(once), `+srflx ${PUBLIC}:14001`]);
  });

  it('that vanish take their candidates with them', () => {
    const world = World.usual();
    const id = world.gather();
    world.run(1000);
    world.gatherer.removeSocket(SOCKET);
    world.run(60_000);
    expect(world.told(id)).toEqual([
      'gathering',
      `+srflx ${PUBLIC}:14000`,
      'complete',
      `-srflx ${PUBLIC}:14000`,
    ]);
    expect(world.sent.length).toBe(1);
    expect(world.gatherer.inspect().sources).toEqual([]);
  });

  it('there must be one of the family', () => {
    const world = new World();
    const id = world.gather();
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', '701 stun:192.0.2.1', 'complete']);
    expect(world.of(id)[1]).toMatchObject({ error: { address: null, port: null } });
  });
});
