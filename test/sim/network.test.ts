import { describe, expect, it } from 'vitest';
import type { NetworkOptions, SimMachine, SimOutput } from '../../src/sim/index.ts';
import { congested, lan, lte, Network, satellite, wifi } from '../../src/sim/index.ts';
import { Echo, machineOf, Pinger, Recorder, transmit } from './toys.ts';

const A = { address: '192.0.2.1', port: 4000 };
const B = { address: '192.0.2.2', port: 4001 };

function pingPong(options: Partial<NetworkOptions> = {}) {
  const net = new Network({ seed: 1, ...options });
  const a = net.host(A.address, { name: 'a' });
  const b = net.host(B.address, { name: 'b' });
  const pinger = new Pinger(A, B);
  const alice = a.attach(pinger, { name: 'alice', port: A.port });
  const bob = b.attach(new Echo(), { name: 'bob', port: B.port });
  return { net, a, b, pinger, alice, bob };
}

describe('run', () => {
  it('ends when nothing is under way and nobody wants to be woken', () => {
    const { net, pinger, alice } = pingPong({ defaults: { latency: 20 } });
    pinger.ping(1); // a -> ping -> b
    const outcome = net.run(); // a <- pong <- b
    expect(outcome).toMatchObject({ reason: 'quiescent', now: 40, elapsed: 40 });
    expect(alice.events).toEqual([
      { type: 'event', event: { type: 'pong', id: 1, roundTrip: 40 }, at: 40, peer: 'alice' },
    ]);
  });

  it('is quiescent at the last thing that happened, not at a deadline that was called off', () => {
    const { net, pinger } = pingPong({ defaults: { latency: 3 } });
    pinger.ping(1);
    expect(net.run({ limit: 10 })).toMatchObject({ reason: 'quiescent', now: 6 });
  });

  it('ends as soon as the condition holds, before any step when it holds already', () => {
    const { net, pinger, alice } = pingPong();
    pinger.ping(1);
    pinger.ping(2);
    expect(net.run({ until: () => alice.events.length === 1 })).toMatchObject({
      reason: 'condition',
      now: 2,
    });
    expect(net.run({ until: () => true })).toMatchObject({ reason: 'condition', steps: 0 });
  });

  it('ends at the limit, with the clock exactly there, and goes on from there', () => {
    const { net, pinger, alice } = pingPong({ defaults: { latency: 20 } });
    pinger.ping(1);
    expect(net.run({ limit: 30 })).toMatchObject({ reason: 'limit', now: 30, elapsed: 30 });
    expect(alice.events).toEqual([]);
    expect(net.run()).toMatchObject({ reason: 'quiescent', now: 40, elapsed: 10 });
  });

  it('stops before a deadline that still stands, and keeps it', () => {
    const net = new Network({ seed: 1 });
    let woken = 0;
    const machine = machineOf(
      () => ({ type: 'timeout', at: woken === 0 ? 100 : Infinity }),
      ({ now }) => (woken = now === 100 ? now : 0),
    );
    net.host(A.address).attach(machine);
    expect(net.run({ limit: 50 })).toMatchObject({ reason: 'limit', now: 50 });
    expect(net.run({ limit: 50 })).toMatchObject({ reason: 'quiescent', now: 100 });
    expect(woken).toBe(100);
  });

  it('keeps the clock at its first time until something happens', () => {
    const { net, pinger } = pingPong({ start: 1e9 });
    expect(net.run()).toMatchObject({ reason: 'quiescent', now: 1e9 });
    pinger.ping(1);
    expect(net.run()).toMatchObject({ now: 1e9 + 2 });
  });

  it('advances over a quiet time', () => {
    const { net } = pingPong();
    net.advance(500);
    expect(net.now).toBe(500);
  });

  it('lets a machine repeat what was lost', () => {
    const { net, pinger, alice, a, b } = pingPong();
    net.direction(a, b).inject(0, { type: 'drop' });
    pinger.ping(1);
    net.run(); // a -> ping -> (lost); 200 ms later a -> ping -> b, a <- pong <- b
    expect(alice.events.map(({ at, event }) => [at, event.type])).toEqual([[202, 'pong']]);
  });

  it('picks up calls made on a machine between runs, and by planned functions', () => {
    const { net, pinger, alice } = pingPong();
    net.run();
    pinger.ping(1);
    net.at(100, () => pinger.ping(2));
    alice.after(200, () => pinger.ping(3));
    net.run();
    expect(alice.events.map(({ at }) => at)).toEqual([2, 102, 202]);
  });

  it('polls a machine again for what its own event handler made it do', () => {
    const net = new Network({ seed: 1 });
    const pinger = new Pinger(A, B);
    const seen: number[] = [];
    net.host(A.address).attach(pinger, {
      onEvent: ({ event, at }) => {
        seen.push(at);
        if (event.id < 3) pinger.ping(event.id + 1);
      },
    });
    net.host(B.address).attach(new Echo());
    pinger.ping(1);
    net.run();
    expect(seen).toEqual([2, 4, 6]);
  });

  it('polls another machine when asked to wake it', () => {
    const net = new Network({ seed: 1 });
    const first = new Pinger(A, B);
    const second = new Pinger({ address: A.address, port: 4002 }, B);
    const host = net.host(A.address);
    const other = host.attach(second, { name: 'second', port: 4002 });
    host.attach(first, {
      name: 'first',
      port: A.port,
      onEvent: () => {
        second.ping(9);
        other.wake();
        other.wake();
      },
    });
    net.host(B.address).attach(new Echo());
    first.ping(1);
    net.run();
    expect(other.events.map(({ at }) => at)).toEqual([4]);
  });

  it('is told of work by a machine that has onWake, and leaves a host that listens there alone', () => {
    const net = new Network({ seed: 1 });
    const sleeper: SimMachine & { inputs: number } = {
      inputs: 0,
      onWake: undefined,
      handleInput() {
        this.inputs++;
      },
      pollOutput: () => ({ type: 'timeout', at: Infinity }),
    };
    const taken = { ...sleeper, onWake: () => undefined };
    const { onWake } = taken;
    const host = net.host(A.address);
    host.attach(sleeper, { port: 1 });
    host.attach(taken, { port: 2 });
    const pinger = new Pinger({ ...A, port: 3 }, B);
    host.attach(pinger, { port: 3, onEvent: () => sleeper.onWake?.() });
    net.host(B.address).attach(new Echo());
    pinger.ping(1);
    net.run();
    expect(sleeper.inputs).toBe(2);
    expect(taken.onWake).toBe(onWake);
  });

  it('refuses to run within a step, and to plan in the past', () => {
    const { net } = pingPong();
    net.after(5, () => {
      expect(() => net.run()).toThrow('within a step');
      expect(() => {
        net.at(4, () => undefined);
      }).toThrow('a time not before now');
    });
    expect(net.run().now).toBe(5);
  });

  it('lets an error of the test itself through as it is', () => {
    const { net, pinger } = pingPong();
    const failure = new TypeError('mine');
    net.host('192.0.2.3').attach(new Recorder('192.0.2.3'), {
      onEvent: () => {
        throw failure;
      },
    });
    net.after(1, () => {
      throw failure;
    });
    pinger.ping(1);
    expect(() => net.run()).toThrow(failure);
  });

  it('drives each machine at its own deadlines, with its reasons to be read', () => {
    const net = new Network({ seed: 1 });
    const woken: number[] = [];
    let next = 10;
    const ticking = machineOf(
      () => ({ type: 'timeout', at: next, reason: 'tick' }),
      ({ now }) => {
        woken.push(now);
        if (now >= next) next = now === 30 ? Infinity : next + 10;
      },
    );
    const peer = net.host(A.address).attach(ticking);
    net.run({ limit: 5 });
    expect([peer.deadline, peer.reason]).toEqual([10, 'tick']);
    expect(net.inspect().peers).toEqual([
      { name: A.address, host: A.address, deadline: 10, reason: 'tick', closed: false, steps: 1 },
    ]);
    net.run();
    expect(woken).toEqual([0, 5, 10, 20, 30]);
  });
});

describe('a deadline', () => {
  it('that moves ahead and back again is met once', () => {
    const net = new Network({ seed: 1 });
    const deadlines = [100, 50, 100, Infinity];
    const woken: number[] = [];
    const machine = machineOf(
      () => ({ type: 'timeout', at: deadlines[woken.length - 1] ?? Infinity }),
      ({ now }) => woken.push(now),
    );
    net
      .host(A.address)
      .attach(machine)
      .at(10, () => undefined);
    net.run();
    expect(woken).toEqual([0, 10, 50, 100]);
  });
});

describe('determinism', () => {
  function storm(seed: number) {
    const { net, pinger, a, b } = pingPong({ seed });
    net.link(a, b, {
      latency: 10,
      jitter: 50,
      loss: 0.2,
      reorder: 0.2,
      duplicate: 0.2,
      corrupt: 0.1,
      rate: 1e5,
    });
    for (let id = 0; id < 100; id++) net.at(id * 7, () => pinger.ping(id));
    net.run();
    return net;
  }

  it('the same seed gives the same datagrams, times and fates', () => {
    const once = storm(42);
    const again = storm(42);
    expect(again.datagrams).toEqual(once.datagrams);
    expect(again.events).toEqual(once.events);
    expect(again.digest()).toBe(once.digest());
    expect(once.digest()).toMatch(/^[0-9a-f]{16}$/);
  });

  it('another seed gives another run', () => {
    const digests = new Set(Array.from({ length: 50 }, (_, seed) => storm(seed).digest()));
    expect(digests.size).toBe(50);
  });

  it('the digest sees one bit, one microsecond, one address', () => {
    function digest(bytes: number[], at: number, to = B.address): string {
      const net = new Network({ seed: 1 });
      const a = new Recorder(A.address);
      const alice = net.host(A.address).attach(a);
      net.host([B.address, '192.0.2.3']).attach(new Recorder(B.address));
      alice.at(at, () => a.send({ address: to, port: 5000 }, bytes));
      net.run();
      return net.digest();
    }
    const base = digest([1, 2, 3, 4, 5], 1);
    const others = [digest([1, 2, 3, 4, 4], 1), digest([1, 2, 3, 0, 5], 1), digest([1, 2, 3, 4, 5], 1.001)];
    others.push(digest([1, 2, 3, 4, 5], 1, '192.0.2.3'), digest([1, 2, 3, 4, 5, 0], 1));
    expect(new Set([base, ...others]).size).toBe(6);
    expect(digest([1, 2, 3, 4, 5], 1)).toBe(base);
  });

  it('recording changes nothing but what is kept', () => {
    const seen = [{}, { bytes: true }, { datagrams: false }, { events: false }].map((record) => {
      const { net, pinger } = pingPong({ record, defaults: { loss: 0.3 } });
      for (let id = 0; id < 20; id++) pinger.ping(id);
      net.run();
      return { digest: net.digest(), datagrams: net.datagrams.length > 0, events: net.events.length > 0 };
    });
    expect(new Set(seen.map(({ digest }) => digest)).size).toBe(1);
    expect(seen.map(({ datagrams }) => datagrams)).toEqual([true, true, false, true]);
    expect(seen.map(({ events }) => events)).toEqual([true, true, true, false]);
  });
});

describe('faults of the network', () => {
  it('a partition loses both ways until it is healed; what is under way arrives', () => {
    const { net, a, b, pinger, alice } = pingPong({ defaults: { latency: 20 } });
    pinger.ping(1);
    net.at(10, () => net.partition([a])); // a -> ping -> b arrives; a <- pong is cut
    net.at(450, () => net.heal([a], [b])); // pings at 200 and 400 are cut, at 600 all is well
    net.run();
    expect(alice.events.map(({ at, event }) => [at, event.type])).toEqual([[640, 'pong']]);
    expect(net.datagrams.map(({ from, fate }) => [from, fate])).toEqual([
      ['alice', 'delivered'],
      ['bob', 'cut'],
      ['alice', 'cut'],
      ['alice', 'cut'],
      ['alice', 'delivered'],
      ['bob', 'delivered'],
    ]);
  });

  it('a partition leaves those on the same side alone', () => {
    const net = new Network({ seed: 1 });
    const hosts = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => net.host(address));
    const machines = hosts.map(({ address }) => new Recorder(address));
    const [one, two, three] = machines as [Recorder, Recorder, Recorder];
    hosts.forEach((host, i) => host.attach(machines[i] as Recorder));
    net.partition([hosts[0] as never, hosts[1] as never], [hosts[2] as never]);
    one.send(two, [1]);
    one.send(three, [1]);
    three.send(two, [1]);
    net.run();
    expect(net.datagrams.map(({ fate }) => fate)).toEqual(['delivered', 'cut', 'cut']);
    net.heal();
    three.send(two, [1]);
    net.run();
    expect(net.counts).toMatchObject({ delivered: 2, cut: 2 });
  });

  it('a one-way cut loses one direction', () => {
    const { net, a, b, pinger, alice } = pingPong();
    net.cut(b, a);
    pinger.ping(1);
    net.run();
    expect(alice.events.map(({ at, event }) => [at, event.type])).toEqual([[1000, 'gaveup']]);
    expect(net.counts).toMatchObject({ delivered: 5, cut: 5 });
  });

  it('an interface that is down neither sends nor hears', () => {
    const { net, b, pinger } = pingPong();
    net.at(0.5, () => b.interface(B.address)?.down());
    net.at(250, () => b.interface(B.address)?.up());
    pinger.ping(1);
    net.run();
    expect(net.datagrams.map(({ fate }) => fate)).toEqual([
      'interface-down',
      'interface-down',
      'delivered',
      'delivered',
    ]);
  });

  it('a detached machine is never driven again and its port is free', () => {
    const { net, b, bob, pinger, alice } = pingPong();
    pinger.ping(1);
    net.at(0.5, () => {
      bob.detach();
      bob.detach();
    });
    net.run({ limit: 300 });
    expect(net.counts).toMatchObject({ 'no-listener': 2, delivered: 0 });
    b.attach(new Echo(), { port: B.port, name: 'bob' });
    net.run();
    expect(alice.events.map(({ event }) => event.type)).toEqual(['pong']);
  });

  it('a machine detached by its own event handler does nothing more, and may be attached again', () => {
    const net = new Network({ seed: 1 });
    const host = net.host(A.address);
    const outputs: SimOutput[] = [{ type: 'event', event: 'last words' }, transmit(A, B, [1])];
    const machine = machineOf(() => outputs.shift() ?? { type: 'timeout', at: Infinity });
    const peer = host.attach(machine, { onEvent: () => peer.detach() });
    net.run();
    expect([net.datagrams.length, peer.detached, host.peers.length]).toEqual([0, true, 0]);
    host.attach(machine);
    net.run();
    expect(net.datagrams.length).toBe(1);
  });

  it('a duplicated datagram counts as delivered when one copy was', () => {
    const net = new Network({ seed: 1, defaults: { duplicate: 1, duplicateDelay: 50 } });
    const a = new Recorder(A.address);
    const b = new Recorder(B.address);
    net.host(A.address).attach(a);
    const bob = net.host(B.address).attach(b);
    a.send(b, [1]);
    net.at(20, () => bob.detach());
    net.run();
    expect(net.datagrams[0]).toMatchObject({ fate: 'delivered', arrivals: [1] });
    expect(net.counts).toMatchObject({ delivered: 1, 'no-listener': 1, 'in-flight': 0 });
  });

  it('a datagram to nobody, or to another family, has no route', () => {
    const net = new Network({ seed: 1 });
    const a = new Recorder(A.address);
    net.host(A.address).attach(a);
    net.host('2001:db8::2').attach(new Recorder('2001:db8::2'));
    a.send({ address: '192.0.2.99', port: 1 }, [1]);
    a.send({ address: '2001:db8::2', port: 5000 }, [1]);
    net.run();
    expect(net.counts['no-route']).toBe(2);
  });
});

describe('presets', () => {
  it.each(Object.entries({ lan, wifi, lte, satellite, congested }))('%s carries pings', (_, path) => {
    const { net, a, b, pinger, alice } = pingPong();
    net.link(a, b, path);
    for (let id = 0; id < 50; id++) net.at(id * 20, () => pinger.ping(id));
    net.run({ limit: 60_000 });
    const trips = alice.events.flatMap(({ event }) => (event.type === 'pong' ? [event.roundTrip] : []));
    const latency = (path.up.latency ?? 0) + (path.down.latency ?? 0);
    expect(trips.length).toBeGreaterThan(40);
    expect(Math.min(...trips)).toBeGreaterThanOrEqual(latency);
  });
});
