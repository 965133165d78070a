/** A2: what the host's own functions throw is reported, and harms no other connection. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Endpoint } from '../../src/index.ts';
import type { UdpDriverOptions } from '../../src/node/index.ts';
import type { Rtc } from '../../src/rtc.ts';
import { closeDrivers, connect, DrivenPeer, listen } from './driven-peer.ts';
import { sleep } from './program.ts';
import { catchUncaught } from './uncaught.ts';

afterEach(closeDrivers);

const fault = new Error('a fault of the application');

function thrower(): never {
  throw fault;
}

/** A server with two connections, each to a driver of its own. */
async function served(options: UdpDriverOptions = {}) {
  const server = await listen(options);
  const faulty = new DrivenPeer(server);
  const other = new DrivenPeer(server);
  const clients = [new DrivenPeer(await listen()), new DrivenPeer(await listen())] as const;
  await Promise.all([connect(clients[0], faulty), connect(clients[1], other)]);
  return { server, faulty, other, clients };
}

function errorLog() {
  const errors: { error: unknown; rtc: Rtc | undefined }[] = [];
  const onError = (error: unknown, rtc?: Rtc): void => void errors.push({ error, rtc });
  return { errors, onError };
}

async function echoesBetween(client: DrivenPeer, served: DrivenPeer): Promise<void> {
  client.send('are you there?');
  await vi.waitFor(() => expect(served.received()).toContain('are you there?'));
}

describe('a listener that throws', () => {
  it('A2: is reported with its connection; by default that goes on, and so do the others', async () => {
    const { errors, onError } = errorLog();
    const { faulty, other, clients } = await served({ onError });
    faulty.onEvent = (event) => {
      if (event.type === 'message') throw fault;
    };
    clients[0].send('1');
    clients[0].send('2');
    await vi.waitFor(() => expect(faulty.received()).toEqual(['1', '2']));
    await echoesBetween(clients[1], other);
    expect(errors).toEqual([
      { error: fault, rtc: faulty.rtc },
      { error: fault, rtc: faulty.rtc },
    ]);
    expect(faulty.rtc.connectionState).toBe('connected');
  });

  it("A2: with onListenerError 'close' its connection ends, in order, and no other", async () => {
    const { errors, onError } = errorLog();
    const { faulty, other, clients } = await served({ onError, onListenerError: 'close' });
    faulty.onEvent = (event) => {
      if (event.type === 'message') throw fault;
    };
    clients[0].send('1');
    await clients[0].until('closed');
    expect([faulty.ended, clients[0].ended]).toEqual(['local-close', 'remote-close']);
    expect(errors).toEqual([{ error: fault, rtc: faulty.rtc }]);
    await echoesBetween(clients[1], other);
  });

  it('A2: during close() the others hear `closed`, and all peers are told', async () => {
    const { errors, onError } = errorLog();
    const { server, faulty, other, clients } = await served({ onError, onEvent: thrower });
    faulty.onEvent = thrower;
    other.onEvent = thrower;
    await server.close();
    await Promise.all(clients.map((client) => client.until('closed')));
    expect(clients.map((client) => client.ended)).toEqual(['remote-close', 'remote-close']);
    expect([faulty.ended, other.ended]).toEqual(['local-close', 'local-close']);
    expect(errors.length).toBeGreaterThan(3);
    expect(server.endpoint.inspect()).toMatchObject({ connections: 0, routes: 0, armed: 0, ready: 0 });
    expect(server.stats().state).toBe('closed');
  });

  it('A2: without onError, close() rejects with the error once everything is closed', async () => {
    const { server, faulty, other, clients } = await served();
    faulty.onEvent = (event) => {
      if (event.type === 'channelclose') throw fault;
    };
    await expect(server.close()).rejects.toBe(fault);
    expect([faulty.ended, other.ended]).toEqual(['local-close', 'local-close']);
    expect(server.stats().state).toBe('closed');
    await Promise.all(clients.map((client) => client.until('closed')));
  });

  it('A2: without onError, an uncaughtException handler sees each error once, after the drain', async () => {
    const { faulty, other, clients } = await served();
    const uncaught = catchUncaught();
    const order: string[] = [];
    faulty.onEvent = (event) => {
      if (event.type !== 'message') return;
      order.push(`${String(event.data)}, ${String(uncaught.caught.length)} caught`);
      throw fault;
    };
    clients[0].send('1');
    await vi.waitFor(() => expect(faulty.received()).toEqual(['1']));
    await echoesBetween(clients[1], other);
    await sleep(30);
    expect(uncaught.release()).toEqual([fault]);
    expect(order).toEqual(['1, 0 caught']);
  });

  it('A2: a promise that rejects is the same as a throw', async () => {
    const { errors, onError } = errorLog();
    const { faulty, other, clients } = await served({ onError, onListenerError: 'close' });
    // eslint-disable-next-line @typescript-eslint/require-await
    faulty.onEvent = async (event) => {
      if (event.type === 'message') throw fault;
    };
    clients[0].send('1');
    await clients[0].until('closed');
    expect(errors).toEqual([{ error: fault, rtc: faulty.rtc }]);
    await echoesBetween(clients[1], other);
  });

  it('A2: onError that throws itself: what it throws is uncaught, and nothing else is harmed', async () => {
    const uncaught = catchUncaught();
    const { faulty, other, clients } = await served({ onError: thrower });
    faulty.onEvent = (event) => {
      if (event.type === 'message') throw new Error('the first');
    };
    clients[0].send('1');
    await vi.waitFor(() => expect(uncaught.caught).toEqual([fault]));
    uncaught.release();
    await echoesBetween(clients[1], other);
  });
});

describe('every other function of the host', () => {
  it('A2: onEvent', async () => {
    const { errors, onError } = errorLog();
    const { faulty } = await served({ onError, onEvent: thrower });
    expect(errors.length).toBeGreaterThan(5);
    expect(faulty.rtc.connectionState).toBe('connected');
  });

  it('A2: onWarning, at listen() and when a socket dies', async () => {
    const { errors, onError } = errorLog();
    const sockets: Socket[] = [];
    const { server, faulty, clients } = await served({
      recvBufferSize: 2 ** 31 - 1, // more than is granted anywhere
      onError,
      onWarning: thrower,
      createSocket: (options) => {
        const socket = createSocket(options);
        sockets.push(socket);
        return socket;
      },
    });
    const before = errors.length;
    sockets[0]?.close();
    await vi.waitFor(() => expect(server.stats()).toMatchObject({ state: 'open', socketsLost: 1 }));
    await echoesBetween(clients[0], faulty);
    expect(errors.length).toBeGreaterThan(before);
    expect(errors.every(({ error, rtc }) => error === fault && rtc === undefined)).toBe(true);
  });

  it('A2: createSocket: listen() rejects; when a socket is replaced it is counted and tried again', async () => {
    await expect(listen({ createSocket: thrower })).rejects.toMatchObject({
      code: 'ERR_SOCKET',
      cause: fault,
    });
    const sockets: Socket[] = [];
    let refusals = 2;
    const server = await listen({
      createSocket: (options) => {
        if (sockets.length > 0 && refusals-- > 0) throw fault;
        const socket = createSocket(options);
        sockets.push(socket);
        return socket;
      },
    });
    sockets[0]?.close();
    await vi.waitFor(() => expect(server.stats()).toMatchObject({ state: 'open', rebindAttempts: 3 }), 5000);
    expect(server.stats().socketErrors).toEqual({ Error: 2 });
  });

  it('A2: onUnknown of an endpoint', async () => {
    const { errors, onError } = errorLog();
    const { server, faulty, clients } = await served({
      onError,
      endpoint: new Endpoint({ onUnknown: thrower }),
    });
    const { address, port } = server.addresses[0]!;
    const stranger = createSocket('udp4');
    stranger.send(Uint8Array.of(22, 1, 2, 3), port, address);
    await vi.waitFor(() => expect(errors).toEqual([{ error: fault, rtc: undefined }]));
    stranger.close();
    await echoesBetween(clients[0], faulty);
  });

  it('A2: a trace listener: tracing ends, the connection goes on', async () => {
    const { errors, onError } = errorLog();
    const { faulty, clients } = await served({ onError });
    let told = 0;
    faulty.rtc.setTrace(() => {
      told++;
      throw fault;
    });
    await echoesBetween(clients[0], faulty);
    expect(told).toBe(1);
    expect(errors).toEqual([{ error: fault, rtc: faulty.rtc }]);
  });
});

describe('a connection that throws by itself', () => {
  it.each(['pollOutput', 'handleInput'] as const)(
    'A2: %s: it ends with internal-error, the others live, and nothing turns in circles',
    async (method) => {
      const { errors, onError } = errorLog();
      const { server, faulty, other, clients } = await served({ onError });
      faulty.rtc[method] = thrower;
      clients[0].send('1');
      await faulty.until('closed');
      expect(faulty.ended).toBe('internal-error');
      await echoesBetween(clients[1], other);
      await sleep(30);
      expect(errors.length).toBeLessThanOrEqual(2);
      expect(errors[0]).toEqual({ error: fault, rtc: faulty.rtc });
      expect(server.endpoint.size).toBe(1);
    },
  );

  it('A2: under an uncaughtException handler it does not throw again and again', async () => {
    const { faulty, other, clients } = await served();
    const uncaught = catchUncaught();
    faulty.rtc.pollOutput = thrower;
    faulty.rtc.close = thrower;
    clients[0].send('1');
    await faulty.until('closed');
    await echoesBetween(clients[1], other);
    await sleep(30);
    expect(uncaught.release()).toEqual([fault]);
  });

  it('A2: an endpoint that throws while it is drained is drained again a second later, not at once', async () => {
    const { errors, onError } = errorLog();
    const endpoint = new Endpoint();
    const server = await listen({ onError, endpoint });
    endpoint.pollOutput = thrower;
    const peer = new DrivenPeer(server);
    await sleep(50);
    expect(errors.length).toBeLessThanOrEqual(2);
    Reflect.deleteProperty(endpoint, 'pollOutput');
    expect(endpoint.inspect().ready).toBe(1);
    await vi.waitFor(() => expect(endpoint.inspect().ready).toBe(0), 10_000);
    expect(peer.ended).toBeUndefined();
  });
});

describe('over TCP', () => {
  it('A2: frames behind the one whose listener threw are not lost, nor is the place in the stream', async () => {
    const { errors, onError } = errorLog();
    const seen: number[][] = [];
    const endpoint = new Endpoint({
      onUnknown: ({ data }) => {
        seen.push([...data]);
        throw fault;
      },
    });
    const server = await listen({ onError, endpoint, tcp: {} });
    const { address, port } = server.tcpAddresses[0]!;
    const socket = dial(port, address);
    await once(socket, 'connect');
    socket.write(Uint8Array.of(0, 2, 22, 1, 0, 2, 22, 2, 0, 3, 22));
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    socket.write(Uint8Array.of(3, 3));
    await vi.waitFor(() =>
      expect(seen).toEqual([
        [22, 1],
        [22, 2],
        [22, 3, 3],
      ]),
    );
    expect(errors).toHaveLength(3);
    socket.destroy();
  });
});

describe('adding', () => {
  it('A2: what cannot be added leaves nothing behind', async () => {
    const server = await listen();
    const peer = new DrivenPeer(await listen());
    peer.rtc.close();
    expect(() => server.add(peer.rtc)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    expect(server.endpoint.inspect()).toMatchObject({ connections: 0, armed: 0 });
  });
});
