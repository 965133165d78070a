/** Relays: one allocation a socket and server, shared, kept, made anew when it is lost, given back when nobody uses it. */
import { describe, expect, it } from 'vitest';
import type { TransportAddress } from '../../src/core/address.ts';
import { formatAddress } from '../../src/core/address.ts';
import { CLIENT, OUTSIDE, PEER, RelayWorld, SOCKET, TURN } from './relay-world.ts';

const MAPPED = `+srflx ${OUTSIDE}:40000`;
const RELAYED = `+relay ${TURN}:49152`;

describe.each(['udp', 'tcp', 'tls'])('a relay over %s', (transport) => {
  const url = transport === 'tls' ? `turns:${TURN}:3478` : `turn:${TURN}?transport=${transport}`;

  it('gives a candidate, and carries datagrams both ways', () => {
    const world = new RelayWorld();
    const id = world.gather(url);
    world.run(2000);
    expect(world.told(id)).toEqual([
      'gathering',
      ...(transport === 'udp' ? [MAPPED] : []),
      RELAYED,
      'complete',
    ]);
    const event = world.machine.events.find(
      (one) => one.type === 'candidate' && one.candidate.type === 'relay',
    );
    expect(event).toMatchObject({
      candidate: {
        protocol: 'udp',
        relayProtocol: transport,
        url,
        relatedAddress: OUTSIDE,
        overhead: transport === 'udp' ? 36 : 0,
      },
    });
    world.send('hello', world.relayed(id));
    world.run(1000);
    world.send('once more', world.relayed(id));
    world.run(1000);
    const from = `${formatAddress(PEER)} > ${TURN}:49152`;
    expect(world.machine.received).toEqual([`${from}: hello`, `${from}: once more`]);
  });

  it('is shared, and given back when nobody uses it any more', () => {
    const world = new RelayWorld();
    const ids = [world.gather(url), world.gather(url), world.gather(url)];
    world.run(2000);
    for (const id of ids) expect(world.told(id)).toContain(RELAYED);
    expect(world.server.allocations).toBe(1);
    for (const id of ids) world.call(() => world.gatherer.release(id));
    world.run(4000);
    expect(world.server.allocations).toBe(1); // it lingers
    world.run(3000);
    expect(world.server.allocations).toBe(0);
    expect(world.gatherer.inspect()).toMatchObject({ sources: [], timeout: { at: null } });
    expect(world.net.run({ limit: 60_000 }).reason).toBe('quiescent');
  });

  it('is there again within 10 s of a server that was started anew', () => {
    const world = new RelayWorld();
    const id = world.gather(url);
    world.run(2000);
    const first = world.relayed(id);
    world.server.isDown = true;
    world.server.restart();
    const chatter = setTraffic(world, first);
    world.run(20_000);
    world.server.isDown = false;
    const back = world.net.now;
    world.run(10_000, () => world.told(id).filter((told) => told.startsWith('+relay')).length === 2);
    chatter.stop();
    expect(world.net.now - back).toBeLessThan(10_000);
    expect(world.told(id)).toContain(`-relay ${formatAddress(first)}`);
    expect(world.count('relaysLost')).toBe(1);
    world.send('hello', world.relayed(id));
    world.run(1000);
    expect(world.machine.received.at(-1)).toContain('hello');
  });
});

/** Something is sent every half second, as ICE does in its way. */
function setTraffic(world: RelayWorld, from: TransportAddress): { stop(): void } {
  let isRunning = true;
  const tick = (): void => {
    if (!isRunning) return;
    world.send('are you there?', from);
    world.net.at(world.net.now + 500, tick);
  };
  world.net.at(world.net.now + 1, tick);
  return { stop: () => (isRunning = false) };
}

describe('allocations', () => {
  it('of both families come from one', () => {
    const world = new RelayWorld({}, { relays: [TURN, '2001:db8::1'] });
    const id = world.gather();
    world.run(2000);
    expect(world.told(id)).toEqual([
      'gathering',
      MAPPED,
      RELAYED,
      expect.stringMatching(/^\+relay \[2001:db8::1\]/),
      'complete',
    ]);
    expect(world.server.allocations).toBe(1);
  });

  it('over UDP are those of the socket, whoever made them; over streams of each user', () => {
    const world = new RelayWorld();
    const bob = { username: 'bob', credential: 'other' };
    const [ann, other] = [world.gather(), world.gather(undefined, {}, bob)];
    world.run(2000);
    expect(world.relayed(ann)).toEqual(world.relayed(other));
    expect(world.server.allocations).toBe(1);
    const url = `turn:${TURN}?transport=tcp`;
    const [annToo, bobToo] = [world.gather(url), world.gather(url, {}, bob)];
    world.run(2000);
    expect(world.relayed(annToo)).not.toEqual(world.relayed(bobToo));
    expect(world.server.allocations).toBe(3);
  });

  it('are bounded: there are no more than maxRelays', () => {
    const world = new RelayWorld({ maxRelays: 1 });
    const host = world.net.host('192.0.2.2');
    world.addServer(host, { address: '192.0.2.2' });
    const id = world.gather([`turn:${TURN}`, 'turn:192.0.2.2']);
    world.run(20_000);
    expect(world.told(id)).toEqual(['gathering', '701 turn:192.0.2.2', MAPPED, RELAYED, 'complete']);
    expect(world.count('relaysRefused')).toBeGreaterThan(0);
  });

  it('one that nobody uses makes room for another', () => {
    const world = new RelayWorld({ maxRelays: 1, linger: 60_000 });
    world.addServer(world.net.host('192.0.2.2'), { address: '192.0.2.2' });
    const first = world.gather();
    world.run(2000);
    world.call(() => world.gatherer.release(first));
    world.run(100);
    const second = world.gather('turn:192.0.2.2');
    world.run(2000);
    expect(world.told(second)).toContain('+relay 192.0.2.2:49152');
    expect(world.server.allocations).toBe(0);
  });

  it('survive a restart of ICE: the same address is told, and none is made', () => {
    const world = new RelayWorld();
    const id = world.gather();
    world.run(2000);
    world.call(() => world.gatherer.restart(id));
    world.run(2000);
    expect(world.told(id)).toEqual(['gathering', MAPPED, RELAYED, 'complete', 'gathering', 'complete']);
    expect(world.server.allocations).toBe(1);
    expect(world.count('relaysAllocated')).toBe(1);
  });

  it('are given up with their socket', () => {
    const world = new RelayWorld();
    const id = world.gather();
    world.run(2000);
    world.call(() => world.gatherer.removeSocket(SOCKET));
    world.run(2000);
    expect(world.told(id).slice(-2)).toEqual([`-srflx ${OUTSIDE}:40000`, `-relay ${TURN}:49152`]);
    expect(world.gatherer.isRelayed({ address: TURN, port: 49_152 })).toBe(false);
  });

  it('are given back at close', () => {
    const world = new RelayWorld();
    world.gather();
    world.run(2000);
    const reason = { layer: 'rtc', code: 'local-close', message: 'closed' } as const;
    world.call(() => world.gatherer.close(reason, world.net.now));
    world.run(2000);
    expect(world.server.allocations).toBe(0);
    expect(world.net.run({ limit: 60_000 }).reason).toBe('quiescent');
  });

  it('live on with their lifetime refreshed, for hours', () => {
    const world = new RelayWorld();
    const id = world.gather();
    world.run(3 * 3_600_000);
    expect(world.server.allocations).toBe(1);
    expect(world.told(id)).toEqual(['gathering', MAPPED, RELAYED, 'complete']);
  });
});

describe('a server that fails', () => {
  it('by its password is told once, with its code', () => {
    const world = new RelayWorld();
    const id = world.gather(undefined, {}, { username: 'ann', credential: 'wrong' });
    world.run(20_000);
    expect(world.told(id)).toEqual(['gathering', `401 turn:${TURN}`, 'complete']);
    expect(world.machine.events.find(({ type }) => type === 'candidateerror')).toMatchObject({
      error: { address: CLIENT, port: 4000, errorCode: 401 },
    });
  });

  it('and is not asked again by each who comes, unless with other credentials', () => {
    const world = new RelayWorld();
    const wrong = { username: 'ann', credential: 'wrong' };
    for (let i = 0; i < 100; i++) {
      world.gather(undefined, {}, wrong);
      world.run(50);
    }
    expect(world.count('serversFailed')).toBe(1);
    const id = world.gather(undefined, {}, { username: 'bob', credential: 'other' });
    world.run(2000);
    expect(world.told(id)).toContain(RELAYED);
  });

  it('by its quota: 486', () => {
    const world = new RelayWorld({}, { quota: 0 });
    const id = world.gather();
    world.run(20_000);
    expect(world.told(id)).toEqual(['gathering', `486 turn:${TURN}`, 'complete']);
  });

  it('that is silent is told at the gate: 10 s over UDP, 39.5 s over a stream', () => {
    const world = new RelayWorld();
    world.server.isDown = true;
    const udp = world.gather();
    const tcp = world.gather(`turn:${TURN}?transport=tcp`);
    world.run(9000);
    expect(world.told(udp)).toEqual(['gathering']);
    world.run(2000);
    expect(world.told(udp)).toEqual(['gathering', `701 turn:${TURN}`, 'complete']);
    world.run(27_000);
    expect(world.told(tcp)).toEqual(['gathering']);
    world.run(3000);
    expect(world.told(tcp)).toEqual(['gathering', `701 turn:${TURN}?transport=tcp`, 'complete']);
    world.run(60_000);
    expect(world.gatherer.inspect().sources).toEqual([]);
  });

  it('that refuses the stream is told at once', () => {
    const world = new RelayWorld();
    const id = world.gather('turn:203.0.113.5:9999?transport=tcp');
    world.run(1000);
    expect(world.told(id)).toEqual(['gathering', '701 turn:203.0.113.5:9999?transport=tcp', 'complete']);
  });

  it('redirects to another one, which is gone to; not into the network behind us', () => {
    const world = new RelayWorld({}, { redirect: { address: '192.0.2.2', port: 3478 } });
    world.addServer(world.net.host('192.0.2.2'), { address: '192.0.2.2' });
    const id = world.gather();
    world.run(2000);
    expect(world.told(id)).toContain('+relay 192.0.2.2:49152');
    world.send('hello', world.relayed(id));
    world.run(1000);
    expect(world.machine.received).toHaveLength(1);

    const trap = new RelayWorld({}, { redirect: { address: '10.0.0.1', port: 3478 } });
    const other = trap.gather();
    trap.run(2000);
    expect(trap.told(other)).toEqual(['gathering', `701 turn:${TURN}`, 'complete']);
  });

  it('tells relayed addresses that cannot be: one of ours', () => {
    const world = new RelayWorld({}, { relays: [CLIENT], firstRelayPort: 4000 });
    const id = world.gather();
    world.run(2000);
    expect(world.told(id)).toEqual(['gathering', `701 turn:${TURN}`, 'complete']);
    expect(world.count('relayedAddressesRefused')).toBe(1);
    expect(world.gatherer.isRelayed(SOCKET)).toBe(false);
  });

  it('is tried again while a continual gathering wants it', () => {
    const world = new RelayWorld();
    world.server.isDown = true;
    const id = world.gather(undefined, { continual: true });
    world.run(60_000);
    world.server.isDown = false;
    const back = world.net.now;
    world.run(20_000, () => world.told(id).includes(RELAYED));
    expect(world.net.now - back).toBeLessThan(10_000);
  });
});

it('credentials are renewed, and the allocation stays', () => {
  const world = new RelayWorld({}, { nonceLifetime: 60_000 });
  const id = world.gather();
  world.run(2000);
  world.server.options = { ...world.server.options, users: { ann: 'new secret' } };
  world.call(() =>
    world.gatherer.renewCredentials(id, [
      { urls: `turn:${TURN}`, username: 'ann', credential: 'new secret' },
    ]),
  );
  world.run(3_600_000);
  expect(world.told(id)).toEqual(['gathering', MAPPED, RELAYED, 'complete']);
  expect(world.server.allocations).toBe(1);
});

it('credentials that the server takes no more are asked for', () => {
  const world = new RelayWorld({}, { nonceLifetime: 60_000 });
  const id = world.gather();
  world.run(2000);
  world.server.options = { ...world.server.options, users: { ann: 'new secret' } };
  world.run(400_000, () => world.told(id).length > 4);
  expect(world.told(id).slice(4)).toEqual([`401 turn:${TURN}`]);
});

it('what comes from a server and is no TURN is for somebody else', () => {
  const world = new RelayWorld();
  world.gather();
  world.run(2000);
  const source = { address: TURN, port: 3478 };
  const input = {
    type: 'receive',
    now: world.net.now,
    protocol: 'udp',
    source,
    destination: SOCKET,
  } as const;
  expect(world.gatherer.handleInput({ ...input, data: new Uint8Array([22, 254, 253, 0]) })).toBe(false);
  expect(world.gatherer.handleInput({ ...input, data: new Uint8Array([0x40, 0, 0, 0]) })).toBe(true);
  expect(world.gatherer.handleInput({ ...input, data: new Uint8Array() })).toBe(false);
});
