/** Active TCP candidates (RFC 6544): connected on the first datagram, and every bound on what a peer can make us connect to. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { TransportAddress } from '../../src/core/address.ts';
import { TcpDialer } from '../../src/node/tcp-dialer.ts';
import { TcpListener, type TcpOptions } from '../../src/node/tcp-listener.ts';
import { sleep } from './program.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(closing.splice(0).map((close) => close()));
});

function dial(options: TcpOptions = {}, taken: number[] = []) {
  const dialer = new TcpDialer<string>(options, taken);
  closing.push(() => dialer.close());
  const heard: { data: number[]; source: TransportAddress; destination: TransportAddress }[] = [];
  dialer.onReceive = (data, source, destination) => heard.push({ data: [...data], source, destination });
  const base = dialer.reserve('rtc', '127.0.0.1') ?? { address: 'none', port: 0 };
  return { dialer, heard, base };
}

async function listen(): Promise<TcpListener> {
  const listener = await TcpListener.open({ address: '127.0.0.1' });
  closing.push(() => listener.close());
  return listener;
}

async function serve(onSocket: (socket: Socket) => void): Promise<TransportAddress> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** Where nobody listens. */
async function nowhere(): Promise<TransportAddress> {
  const place = await serve(() => undefined);
  await closing.pop()?.();
  return place;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

describe('a base', () => {
  test('has a port that no other one has, nor a listener', () => {
    const { dialer, base } = dial({}, [2, 3]);
    const others = [dialer.reserve('a', '127.0.0.1'), dialer.reserve('b', '::1')];
    expect([base, ...others].map((place) => place?.port)).toEqual([1, 4, 5]);
    dialer.release('a');
    for (let i = 0; i < 0xffff - 4; i++) expect(dialer.reserve('many', '::1')).toBeDefined();
    expect(dialer.reserve('one more', '::1')).toBeUndefined();
    dialer.release('many');
    expect(dialer.reserve('one more', '::1')).toBeDefined();
  });

  test('connects on the first datagram to a destination, and hears what comes back', async () => {
    const listener = await listen();
    const { dialer, heard, base } = dial();
    listener.onReceive = (data, source) =>
      listener.send(
        data.map((byte) => byte + 1),
        source,
      );
    expect(dialer.stats()).toMatchObject({ dialed: 0 });
    for (const data of [[1, 2], [3]])
      expect(dialer.send(Uint8Array.from(data), base, listener.local)).toBe(true);
    await until(() => heard.length === 2);
    const path = { source: listener.local, destination: base };
    expect(heard).toEqual([
      { data: [2, 3], ...path },
      { data: [4], ...path },
    ]);
    expect(dialer.stats()).toMatchObject({
      dialed: 1,
      connected: 1,
      connections: 1,
      framesSent: 2,
      framesReceived: 2,
    });
    expect(listener.stats()).toMatchObject({ accepted: 1 });
  });

  test('that is none of ours is not sent from', async () => {
    const { dialer, base } = dial();
    const remote = await nowhere();
    expect(dialer.send(Uint8Array.of(1), { ...base, port: 9 }, remote)).toBe(false);
    expect(dialer.send(Uint8Array.of(1), { ...base, address: '127.0.0.2' }, remote)).toBe(false);
  });

  test('released: the last datagrams leave, then its connections end, and nothing is heard', async () => {
    const listener = await listen();
    const frames: number[] = [];
    listener.onReceive = (data) => frames.push(...data);
    const { dialer, base, heard } = dial();
    dialer.send(Uint8Array.of(1), base, listener.local);
    await until(() => frames.length === 1);
    dialer.send(Uint8Array.of(2), base, listener.local);
    dialer.release('rtc');
    await until(() => listener.stats().connections === 0 && dialer.stats().connections === 0);
    expect(frames).toEqual([1, 2]);
    expect(heard).toEqual([]);
    expect(dialer.send(Uint8Array.of(3), base, listener.local)).toBe(false);
  });
});

describe('bounds', () => {
  test('who refuses is asked again a second later at the earliest', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { dialer, base } = dial();
    const remote = await nowhere();
    dialer.send(Uint8Array.of(1), base, remote);
    await until(() => dialer.stats().connections === 0);
    dialer.send(Uint8Array.of(1), base, remote);
    expect(dialer.stats()).toMatchObject({ dialed: 1, failed: 1, droppedNoConnection: 1 });
    vi.advanceTimersByTime(1000);
    dialer.send(Uint8Array.of(1), base, remote);
    expect(dialer.stats()).toMatchObject({ dialed: 2 });
  });

  test.each<TcpOptions>([{ maxDestinations: 2 }, { maxConnections: 2 }, { maxConnectionsPerAddress: 2 }])(
    '%o',
    async (options) => {
      const { dialer, base } = dial(options);
      for (let i = 0; i < 4; i++) dialer.send(Uint8Array.of(1), base, await serve(() => undefined));
      expect(dialer.stats()).toMatchObject({ dialed: 2, refused: 2, connections: 2 });
    },
  );

  test('nobody answers: the connection is given up', async () => {
    // The address of a network for documentation (RFC 5737) is routed nowhere; refused at once or lost, no connection is made.
    const { dialer, base } = dial({ connectTimeout: 50 });
    dialer.send(Uint8Array.of(1), base, { address: '192.0.2.250', port: 9 });
    await until(() => dialer.stats().connections === 0);
    expect(dialer.stats().connected).toBe(0);
  });

  test('a peer that does not read, one that says too much at once', async () => {
    const { dialer, base } = dial({ maxQueuedBytesPerConnection: 50_000 });
    const deaf = await serve((socket) => socket.pause());
    for (let i = 0; i < 3; i++) dialer.send(new Uint8Array(20_000), base, deaf);
    expect(dialer.stats()).toMatchObject({ framesSent: 2, droppedQueueFull: 1 });
    const loud = await serve((socket) => socket.write(Uint8Array.of(0xff, 0xff)));
    dialer.send(Uint8Array.of(1), base, loud);
    await until(() => dialer.stats().closedFrameTooLong === 1);
  });

  test('a peer that says nothing: closed after silence, and forgotten', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { dialer, base } = dial({ maxDestinations: 1 });
    dialer.send(Uint8Array.of(1), base, await serve(() => undefined));
    await until(() => dialer.stats().connected === 1);
    vi.advanceTimersByTime(32_000);
    await until(() => dialer.stats().connections === 0);
    expect(dialer.stats()).toMatchObject({ closedSilent: 1 });
    vi.advanceTimersByTime(2000);
    dialer.send(Uint8Array.of(1), base, await nowhere());
    expect(dialer.stats()).toMatchObject({ dialed: 2, refused: 0 });
  });
});
