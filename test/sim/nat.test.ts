import { describe, expect, it } from 'vitest';
import type { NatOptions } from '../../src/sim/index.ts';
import { FIRST_NAT_PORT, NAT_KINDS, Network } from '../../src/sim/index.ts';
import { Recorder } from './toys.ts';

const OUTSIDE = '198.51.100.1';

/** A host at home behind a NAT, and two servers of two ports each on the internet. */
function home(options: NatOptions) {
  const net = new Network({ seed: 1 });
  const nat = net.nat(OUTSIDE, options);
  const inside = new Recorder('192.168.1.2', 5000);
  const laptop = net.host('192.168.1.2', { name: 'laptop', behind: nat }).attach(inside);
  const servers = ['192.0.2.1', '192.0.2.2'].map((address) => {
    const host = net.host(address);
    return [1, 2].map((port) => {
      const machine = new Recorder(address, port);
      return { machine, peer: host.attach(machine, { port }) };
    });
  });
  /** Sends from inside to a server; the port it was seen to come from. */
  function out(server: number, port: number): number {
    const target = servers[server]?.[port] as { machine: Recorder; peer: typeof laptop };
    inside.send(target.machine, [1]);
    net.run();
    const source = target.peer.events.at(-1)?.event.source;
    expect(source?.address).toBe(OUTSIDE);
    return source?.port ?? 0;
  }
  /** Sends from a server to an outside port; whether it came through. */
  function comesIn(server: number, port: number, to = FIRST_NAT_PORT): boolean {
    const before = laptop.events.length;
    const machine = servers[server]?.[port]?.machine as Recorder;
    machine.send({ address: OUTSIDE, port: to }, [2]);
    net.run();
    return laptop.events.length > before;
  }
  return { net, nat, inside, laptop, out, comesIn };
}

describe('mapping (RFC 4787 §4.1)', () => {
  it.each([
    ['endpoint-independent', [0, 0, 0, 0]],
    ['address-dependent', [0, 0, 1, 1]],
    ['address-and-port-dependent', [0, 1, 2, 3]],
  ] as const)('%s', (mapping, ports) => {
    const { out } = home({ mapping });
    const seen = [out(0, 0), out(0, 1), out(1, 0), out(1, 1)];
    expect(seen).toEqual(ports.map((offset) => FIRST_NAT_PORT + offset));
    expect([out(0, 0), out(0, 1), out(1, 0), out(1, 1)]).toEqual(seen);
  });
});

describe('filtering (RFC 4787 §5)', () => {
  // After one datagram to server 0, port 0: who may answer to that mapping.
  it.each([
    ['endpoint-independent', [true, true, true]],
    ['address-dependent', [true, true, false]],
    ['address-and-port-dependent', [true, false, false]],
  ] as const)('%s', (filtering, allowed) => {
    const { net, out, comesIn } = home({ filtering });
    out(0, 0);
    expect([comesIn(0, 0), comesIn(0, 1), comesIn(1, 0)]).toEqual(allowed);
    expect(net.counts['nat-filtered']).toBe(allowed.filter((passes) => !passes).length);
  });

  it('lets nobody in before anything went out', () => {
    expect(home(NAT_KINDS.fullCone).comesIn(0, 0)).toBe(false);
  });

  it('hands in the outside source and the inside destination', () => {
    const { out, comesIn, laptop } = home({});
    out(0, 0);
    expect(comesIn(0, 0)).toBe(true);
    expect(laptop.events[0]?.event).toMatchObject({
      source: { address: '192.0.2.1', port: 1 },
      destination: { address: '192.168.1.2', port: 5000 },
    });
  });

  it('decides when the datagram arrives: a hole punched while it is under way lets it in', () => {
    const { net, laptop, inside, out } = home({ filtering: 'address-and-port-dependent' });
    out(0, 0);
    const [, late] = net.hosts[2]?.peers ?? [];
    expect(late?.name).toBe('192.0.2.2#2');
    const machine = new Recorder('203.0.113.5', 9);
    const far = net.host('203.0.113.5', { name: 'far' }).attach(machine);
    net.link(far.host, laptop.host, { latency: 50 });
    machine.send({ address: OUTSIDE, port: FIRST_NAT_PORT }, [7]); // far -> (under way for 50 ms) -> NAT
    net.after(10, () => inside.send(machine, [8])); // laptop -> NAT -> far
    net.run();
    expect(laptop.events.map(({ event }) => event.bytes)).toEqual([[7]]);
  });
});

describe('a mapping', () => {
  it('is forgotten without outbound traffic, and the next has another port', () => {
    const { net, nat, out, comesIn } = home({ timeout: 30_000 });
    expect(out(0, 0)).toBe(FIRST_NAT_PORT);
    net.advance(20_000);
    expect(comesIn(0, 0)).toBe(true);
    net.advance(20_000);
    expect(nat.mappings(net.now)).toEqual([]);
    expect(comesIn(0, 0)).toBe(false);
    expect(out(0, 0)).toBe(FIRST_NAT_PORT + 1);
  });

  it('is kept by outbound traffic; by inbound traffic only where the NAT says so', () => {
    const outbound = home({ timeout: 30_000 });
    for (let i = 0; i < 5; i++) {
      expect(outbound.out(0, 0)).toBe(FIRST_NAT_PORT);
      outbound.net.advance(20_000);
    }
    const inbound = home({ timeout: 30_000, refreshInbound: true });
    inbound.out(0, 0);
    for (let i = 0; i < 5; i++) {
      inbound.net.advance(20_000);
      expect(inbound.comesIn(0, 0)).toBe(true);
    }
  });

  it('outlives the permission of a remote that has not been sent to for as long', () => {
    const { net, out, comesIn } = home({ timeout: 30_000 });
    out(0, 0);
    net.advance(20_000);
    expect(out(1, 0)).toBe(FIRST_NAT_PORT);
    net.advance(20_000);
    expect([comesIn(0, 0), comesIn(1, 0)]).toEqual([false, true]);
  });

  it('is gone after a restart of the NAT', () => {
    const { nat, out, comesIn } = home(NAT_KINDS.fullCone);
    out(0, 0);
    nat.reset();
    expect(comesIn(0, 0)).toBe(false);
    expect(out(0, 0)).toBe(FIRST_NAT_PORT + 1);
  });
});

describe('two homes', () => {
  function twoHomes(kindA: NatOptions, kindB: NatOptions) {
    const net = new Network({ seed: 1 });
    const a = new Recorder('192.168.1.2', 5000);
    const b = new Recorder('192.168.1.2', 6000);
    const server = new Recorder('192.0.2.1', 3478);
    const alice = net
      .host('192.168.1.2', { name: 'alice', behind: net.nat('198.51.100.1', kindA) })
      .attach(a);
    const bob = net.host('192.168.1.2', { name: 'bob', behind: net.nat('203.0.113.1', kindB) }).attach(b);
    const watch = net.host('192.0.2.1').attach(server);
    // Both learn their outside addresses from the server, as STUN tells them.
    a.send(server, [1]);
    b.send(server, [1]);
    net.run();
    const [ofA, ofB] = watch.events.map(({ event }) => event.source);
    if (ofA === undefined || ofB === undefined) throw new Error('the server heard both');
    // Then both send to each other, twice, as ICE checks do.
    for (const at of [100, 150]) {
      net.at(at, () => {
        a.send(ofB, [2]);
        b.send(ofA, [3]);
      });
    }
    net.run();
    return { net, alice, bob };
  }

  it('with the same private address reach each other through port-restricted cones', () => {
    const { alice, bob } = twoHomes(NAT_KINDS.portRestrictedCone, NAT_KINDS.portRestrictedCone);
    expect(alice.events.length).toBeGreaterThan(0);
    expect(bob.events.length).toBeGreaterThan(0);
  });

  it('do not when one NAT is symmetric and the other restricts ports', () => {
    const { alice, bob } = twoHomes(NAT_KINDS.symmetric, NAT_KINDS.portRestrictedCone);
    expect([alice.events, bob.events]).toEqual([[], []]);
  });

  it('do one way, to be answered, when a symmetric one meets a restricted cone', () => {
    const { alice, bob } = twoHomes(NAT_KINDS.symmetric, NAT_KINDS.restrictedCone);
    expect(bob.events.length).toBeGreaterThan(0);
    expect(alice.events).toEqual([]);
  });

  it('have conditions between the hosts, whatever NATs are on the way', () => {
    const { net, alice, bob } = twoHomes(NAT_KINDS.fullCone, NAT_KINDS.fullCone);
    const link = net.direction(alice.host, bob.host);
    expect(link.counters.carried).toBe(2);
    expect(net.datagrams.at(-1)?.link).toBe('bob 192.168.1.2 → alice 192.168.1.2');
  });
});

describe('one home', () => {
  function oneHome(options: NatOptions) {
    const net = new Network({ seed: 1 });
    const nat = net.nat(OUTSIDE, options);
    const a = new Recorder('192.168.1.2');
    const b = new Recorder('192.168.1.3');
    net.host('192.168.1.2', { behind: nat }).attach(a);
    const bob = net.host('192.168.1.3', { behind: nat }).attach(b);
    net.host('192.0.2.1').attach(new Recorder('192.0.2.1'));
    b.send({ address: '192.0.2.1', port: 5000 }, [0]);
    net.run();
    return { net, a, bob };
  }

  it('talks inside without the NAT', () => {
    const { net, a, bob } = oneHome({});
    a.send({ address: '192.168.1.3', port: 5000 }, [1]);
    net.run();
    expect(bob.events[0]?.event.source).toEqual({ address: '192.168.1.2', port: 5000 });
  });

  it('reaches its own outside addresses only by hairpin, from an outside source (REQ-9)', () => {
    const hairpin = oneHome({ filtering: 'endpoint-independent', hairpin: true });
    hairpin.a.send({ address: OUTSIDE, port: FIRST_NAT_PORT }, [1]);
    hairpin.net.run();
    expect(hairpin.bob.events[0]?.event.source).toEqual({ address: OUTSIDE, port: FIRST_NAT_PORT + 1 });

    const without = oneHome({ filtering: 'endpoint-independent' });
    without.a.send({ address: OUTSIDE, port: FIRST_NAT_PORT }, [1]);
    without.net.run();
    expect(without.net.counts['nat-no-hairpin']).toBe(1);
  });
});

describe('NATs', () => {
  it('stand behind one another', () => {
    const net = new Network({ seed: 1 });
    const carrier = net.nat('198.51.100.1', NAT_KINDS.fullCone);
    const router = net.nat('100.64.0.7', { ...NAT_KINDS.fullCone, behind: carrier });
    const inside = new Recorder('192.168.1.2');
    const phone = net.host('192.168.1.2', { behind: router }).attach(inside);
    const server = new Recorder('192.0.2.1');
    const seen = net.host('192.0.2.1').attach(server);
    inside.send(server, [1]);
    net.run();
    const source = seen.events[0]?.event.source;
    expect(source).toEqual({ address: '198.51.100.1', port: FIRST_NAT_PORT });
    if (source !== undefined) server.send(source, [2]);
    net.run();
    expect(phone.events[0]?.event).toMatchObject({
      bytes: [2],
      destination: { address: '192.168.1.2', port: 5000 },
    });
  });

  it('leave the other family in the open', () => {
    const net = new Network({ seed: 1 });
    const inside = new Recorder('2001:db8::1');
    net.host(['192.168.1.2', '2001:db8::1'], { behind: net.nat(OUTSIDE) }).attach(inside);
    const server = new Recorder('2001:db8::2');
    const seen = net.host('2001:db8::2').attach(server);
    inside.send(server, [1]);
    net.run();
    expect(seen.events[0]?.event.source.address).toBe('2001:db8::1');
  });

  it('run out of ports, and have them again when mappings expire', () => {
    const net = new Network({ seed: 1 });
    const nat = net.nat(OUTSIDE, { ...NAT_KINDS.symmetric, timeout: 1000, ports: 3 });
    const inside = new Recorder('192.168.1.2');
    net.host('192.168.1.2', { behind: nat }).attach(inside);
    const seen = net.host('192.0.2.1').attach(new Recorder('192.0.2.1'));
    for (let port = 1; port <= 4; port++) inside.send({ address: '192.0.2.1', port }, [1]);
    net.run();
    expect(net.counts).toMatchObject({ delivered: 3, 'nat-ports-exhausted': 1 });
    net.advance(2000);
    inside.send({ address: '192.0.2.1', port: 4 }, [1]);
    net.run();
    expect(seen.events.map(({ event }) => event.source.port - FIRST_NAT_PORT)).toEqual([0, 1, 2, 0]);
  });
});
