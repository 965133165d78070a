import { describe, expect, it } from 'vitest';
import { Network } from '../../src/sim/index.ts';
import { Echo, Pinger, Recorder } from './toys.ts';

const A = { address: '192.0.2.1', port: 4000 };
const B = { address: '192.0.2.2', port: 4001 };

describe('a frozen host', () => {
  it('handles nothing, then sees the clock jump: first the time, then all it kept, in one drain', () => {
    const net = new Network({ seed: 1 });
    const hostA = net.host('192.0.2.1');
    const hostB = net.host('192.0.2.2');
    const a = new Recorder('192.0.2.1');
    const b = new Recorder('192.0.2.2');
    const alice = hostA.attach(a);
    const bob = hostB.attach(b);
    net.run();
    b.inputs.length = 0;
    hostB.freeze(15_000);
    for (let i = 0; i < 3; i++) alice.at(i * 100, () => a.send(b, [i]));
    net.run();
    expect(bob.events.map(({ at, event }) => [at, event.bytes])).toEqual([
      [15_000, [0]],
      [15_000, [1]],
      [15_000, [2]],
    ]);
    expect(b.inputs).toEqual(['timeout', 'receive', 'receive', 'receive']);
    expect(net.datagrams[2]?.arrivals).toEqual([15_000]);
  });

  it('drops what its receive buffer cannot hold', () => {
    const net = new Network({ seed: 1 });
    const a = new Recorder('192.0.2.1');
    const b = new Recorder('192.0.2.2');
    net.host('192.0.2.1').attach(a);
    const hostB = net.host('192.0.2.2', { receiveBuffer: 2 });
    hostB.attach(b);
    hostB.freeze(1000);
    for (let i = 0; i < 5; i++) a.send(b, [i]);
    net.run();
    expect(net.counts).toMatchObject({ delivered: 2, 'receive-buffer-full': 3, 'in-flight': 0 });
  });

  it('forgets what it kept for a machine that is gone when it wakes', () => {
    const net = new Network({ seed: 1 });
    const a = new Recorder('192.0.2.1');
    const b = new Recorder('192.0.2.2');
    net.host('192.0.2.1').attach(a);
    const hostB = net.host('192.0.2.2');
    const bob = hostB.attach(b);
    hostB.freeze(1000);
    a.send(b, [1]);
    net.at(500, () => bob.detach());
    net.run();
    expect(net.counts).toMatchObject({ 'no-listener': 1, 'in-flight': 0, delivered: 0 });
  });

  it('sleeps on when it is frozen again, and wakes once', () => {
    const { net, a, alice } = frozenPinger();
    net.run();
    a.freeze(100);
    a.freeze(500);
    const steps = alice.steps;
    net.run();
    expect([net.now, alice.steps - steps]).toEqual([500, 1]);
  });

  it('does not wake a machine that another one has detached on waking', () => {
    const net = new Network({ seed: 1 });
    const a = new Recorder('192.0.2.1');
    net.host('192.0.2.1').attach(a);
    const server = net.host('192.0.2.2');
    const second = new Recorder('192.0.2.2', 2);
    server.attach(new Recorder('192.0.2.2', 1), { port: 1, onEvent: () => other.detach() });
    const other = server.attach(second, { port: 2 });
    server.freeze(100);
    a.send({ address: '192.0.2.2', port: 1 }, [1]);
    a.send({ address: '192.0.2.2', port: 2 }, [2]);
    net.run();
    expect(second.inputs).toEqual([]);
    expect(net.counts).toMatchObject({ delivered: 1, 'no-listener': 1, 'in-flight': 0 });
  });

  it('misses its deadlines and has one late timeout', () => {
    const { net, a, pinger, alice } = frozenPinger();
    net.partition([a]);
    pinger.ping(1);
    net.run({ limit: 100 });
    a.freeze(10_000);
    net.run({ limit: 10_150 });
    expect(net.datagrams.map(({ sentAt }) => sentAt)).toEqual([0, 10_100]);
    expect(alice.deadline).toBe(10_300);
  });

  it('puts off calls of its application, and wakes as usual afterwards', () => {
    const { net, a, pinger, alice } = frozenPinger();
    a.freeze(500);
    a.freeze(200);
    alice.at(100, () => pinger.ping(1));
    net.run();
    pinger.ping(2);
    net.run();
    expect(alice.events.map(({ at }) => at)).toEqual([502, 504]);
  });
});

describe('hosts', () => {
  it('gives a datagram to the machine that has the port, else to the one that has them all', () => {
    const net = new Network({ seed: 1 });
    const a = new Recorder(A.address);
    net.host(A.address).attach(a);
    const server = net.host(B.address, { name: 'server' });
    const one = server.attach(new Recorder(B.address, 1), { port: [1, 2] });
    const rest = server.attach(new Recorder(B.address, 9));
    for (const port of [1, 2, 3]) a.send({ address: B.address, port }, [port]);
    net.run();
    expect(one.events.map(({ event }) => event.bytes)).toEqual([[1], [2]]);
    expect(rest.events.map(({ event }) => event.bytes)).toEqual([[3]]);
    expect([one.name, rest.name]).toEqual(['server', 'server#2']);
  });

  it('speaks both families, and its links are between addresses', () => {
    const net = new Network({ seed: 1 });
    const hostA = net.host(['192.0.2.1', '2001:DB8::1'], { name: 'a' });
    const hostB = net.host(['192.0.2.2', '2001:db8:0:0::2'], { name: 'b' });
    net.link(hostA, hostB, { latency: 10 });
    const overV6 = hostA.interface('2001:db8::1');
    if (overV6 === undefined) throw new Error('the address is canonical');
    net.direction(overV6, hostB.interfaces[1] as never).update({ latency: 40 });
    const v4 = new Recorder('192.0.2.1', 1);
    const v6 = new Recorder('2001:db8::1', 2);
    hostA.attach(v4, { port: 1 });
    hostA.attach(v6, { port: 2 });
    const bob = hostB.attach(new Recorder('192.0.2.2'));
    v4.send({ address: '192.0.2.2', port: 5 }, [4]);
    v6.send({ address: '2001:db8::2', port: 5 }, [6]);
    net.run();
    expect(bob.events.map(({ at, event }) => [at, event.bytes, event.destination.address])).toEqual([
      [10, [4], '192.0.2.2'],
      [40, [6], '2001:db8::2'],
    ]);
    expect(() => net.direction(hostA, hostB)).toThrow('2 pairs');
  });

  it('gets a further address, as in a handover', () => {
    const net = new Network({ seed: 1 });
    const phone = net.host('192.0.2.1');
    const heard = phone.attach(new Recorder('192.0.2.1'));
    const server = new Recorder('192.0.2.9');
    net.host('192.0.2.9').attach(server);
    phone.interfaces[0]?.down();
    phone.addAddress('198.51.100.1');
    server.send({ address: '192.0.2.1', port: 1 }, [1]);
    server.send({ address: '198.51.100.1', port: 1 }, [2]);
    net.run();
    expect(heard.events.map(({ event }) => event.bytes)).toEqual([[2]]);
  });

  it('refuses names, addresses and ports that are taken or none', () => {
    const net = new Network({ seed: 1 });
    const host = net.host('192.0.2.1', { name: 'a' });
    host.attach(new Echo(), { name: 'echo', port: 7 });
    host.attach(new Echo());
    expect(() => net.host('192.0.2.1')).toThrow('free in its realm');
    expect(() => net.host('192.0.2.2', { name: 'a' })).toThrow('"name"');
    expect(() => net.host(['192.0.2.5', '192.0.2.1'])).toThrow('free in its realm');
    expect(() => net.host(['192.0.2.5', '192.0.2.5'])).toThrow('free in its realm');
    expect(net.host('192.0.2.5').name).toBe('192.0.2.5');
    expect(() => net.host('localhost')).toThrow('an IP address');
    expect(() => host.attach(new Echo(), { port: 7 })).toThrow('a free port');
    expect(() => host.attach(new Echo(), { port: 70_000 })).toThrow('0 to 65535');
    expect(() => host.attach(new Echo(), { name: 'echo', port: 8 })).toThrow('"name"');
    expect(() => host.attach(new Echo())).toThrow('has all');
    expect(() => new Network({ seed: NaN })).toThrow('"seed"');
  });
});

function frozenPinger() {
  const net = new Network({ seed: 1 });
  const a = net.host(A.address);
  const pinger = new Pinger(A, B);
  const alice = a.attach(pinger);
  net.host(B.address).attach(new Echo());
  return { net, a, pinger, alice };
}
