import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { requestBuffer, smallBufferMessage } from '../../src/node/bound-socket.ts';
import { UdpSocket, type UdpSocketOptions, type UdpWarning } from '../../src/node/udp-socket.ts';

const open: UdpSocket[] = [];

async function openSocket(options: Partial<UdpSocketOptions> = {}): Promise<UdpSocket> {
  const socket = await UdpSocket.open({
    address: '127.0.0.1',
    port: 0,
    receiveBufferSize: 16_384,
    sendBufferSize: 16_384,
    maxQueuedBytes: 1_000_000,
    onWarning: () => undefined,
    ...options,
  });
  open.push(socket);
  return socket;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

/** A dgram socket some of whose methods are replaced, to fail on demand. */
function tampered(change: (socket: Socket) => void): (options: SocketOptions) => Socket {
  return (options) => {
    const socket = createSocket(options);
    change(socket);
    return socket;
  };
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`send ${code}`), { code });
}

describe('binding', () => {
  test('a port that is taken is ERR_SOCKET and says so', async () => {
    const first = await openSocket();
    await expect(openSocket({ port: first.local.port })).rejects.toMatchObject({
      name: 'RtcError',
      code: 'ERR_SOCKET',
      message: `UDP 127.0.0.1:${String(first.local.port)} is already in use: choose another port, or 0 for any free one`,
    });
  });

  test('an address this host does not have is ERR_SOCKET and says so', async () => {
    await expect(openSocket({ address: '203.0.113.1' })).rejects.toMatchObject({
      code: 'ERR_SOCKET',
      message: 'UDP 203.0.113.1:0: this host has no such address',
    });
  });
});

describe('datagrams', () => {
  test('arrive with their source, and both ends count them', async () => {
    const a = await openSocket();
    const z = await openSocket();
    const arrived = new Promise((resolve) => {
      z.onReceive = (data, source) => {
        resolve({ data: [...data], source });
      };
    });
    a.send(Uint8Array.of(1, 2, 3), z.local);
    expect(await arrived).toEqual({ data: [1, 2, 3], source: a.local });
    expect(a.stats()).toMatchObject({ datagramsSent: 1, bytesSent: 3 });
    expect(z.stats()).toMatchObject({ datagramsReceived: 1, bytesReceived: 3 });
  });

  test('a dual-stack socket reaches IPv4 peers and names them in IPv4', async () => {
    const both = await openSocket({ address: '::' });
    const four = await openSocket();
    const echoed = new Promise((resolve) => {
      both.onReceive = (data, source) => {
        both.send(data, source);
      };
      four.onReceive = (data) => {
        resolve([...data]);
      };
    });
    four.send(Uint8Array.of(7), { address: '127.0.0.1', port: both.local.port });
    expect(await echoed).toEqual([7]);
  });

  test('to port 0 (a crafted source) are dropped and counted, nothing is thrown', async () => {
    const socket = await openSocket();
    socket.send(Uint8Array.of(1), { address: '127.0.0.1', port: 0 });
    expect(socket.stats()).toMatchObject({ datagramsSent: 0, droppedUnsendable: 1 });
  });

  test('F5a: failed sends are counted by code, and the socket goes on', async () => {
    let failure: Error | null = systemError('ENETUNREACH');
    const socket = await openSocket({
      createSocket: tampered((dgram) => {
        const send = dgram.send.bind(dgram) as (...all: unknown[]) => void;
        dgram.send = (...all: unknown[]) => {
          const callback = all.at(-1) as (error: Error | null) => void;
          if (failure === null) send(...all);
          else callback(failure);
        };
      }),
    });
    socket.send(Uint8Array.of(1), socket.local);
    socket.send(Uint8Array.of(2), socket.local);
    expect(socket.stats().sendErrors).toEqual({ ENETUNREACH: 2 });

    failure = null;
    const arrived = new Promise((resolve) => {
      socket.onReceive = (data) => {
        resolve([...data]);
      };
    });
    socket.send(Uint8Array.of(3), socket.local);
    expect(await arrived).toEqual([3]);
  });

  test('over the byte limit of the send queue are dropped and counted', async () => {
    const socket = await openSocket({
      maxQueuedBytes: 1000,
      createSocket: tampered((dgram) => {
        dgram.getSendQueueSize = () => 900;
      }),
    });
    socket.send(new Uint8Array(100).fill(23), socket.local);
    socket.send(new Uint8Array(101).fill(23), socket.local);
    expect(socket.stats()).toMatchObject({
      datagramsSent: 1,
      droppedQueueFull: { stun: 0, handshake: 0, data: 1 },
      queuedBytes: 900,
    });
  });

  test('while the kernel takes nothing, wait by class, and go out when it does', async () => {
    let held = 70_000;
    const sent: number[] = [];
    const settle: (() => void)[] = [];
    const socket = await openSocket({
      createSocket: tampered((dgram) => {
        dgram.getSendQueueSize = () => held;
        dgram.send = (...all: unknown[]) => {
          sent.push((all[0] as Uint8Array)[0]!);
          settle.push(() => (all.at(-1) as (error: null) => void)(null));
        };
      }),
    });
    held = 0;
    socket.send(Uint8Array.of(23), socket.local); // dgram takes it: its end is what the others wait for
    held = 70_000;
    for (const first of [24, 22, 0]) socket.send(Uint8Array.of(first), socket.local);
    expect(sent).toEqual([23]);
    expect(socket.stats().queuedBytes).toBe(70_003);
    held = 0;
    settle[0]?.();
    expect(sent).toEqual([23, 0, 22, 24]);
    for (const settled of settle.slice(1)) settled();
  });

  test('after close are dropped and counted', async () => {
    const socket = await openSocket();
    await socket.close();
    socket.send(Uint8Array.of(1), { address: '127.0.0.1', port: 9 });
    expect(socket.stats()).toMatchObject({ state: 'closed', droppedNoSocket: 1, queuedBytes: 0 });
  });
});

/** Every socket made, the newest last; `fail` answers the error with which the bind of number `made` is to fail. */
function inspected(fail: (made: number) => string | undefined = () => undefined): {
  readonly made: Socket[];
  readonly warnings: UdpWarning[];
  readonly options: Partial<UdpSocketOptions>;
} {
  const made: Socket[] = [];
  const warnings: UdpWarning[] = [];
  const make = tampered((socket) => {
    made.push(socket);
    const code = fail(made.length);
    if (code === undefined) return;
    socket.bind = () => {
      queueMicrotask(() => socket.emit('error', systemError(code)));
      return socket;
    };
  });
  return { made, warnings, options: { createSocket: make, onWarning: (warning) => warnings.push(warning) } };
}

/** Resolves when the warning has been given. */
async function until(warnings: readonly UdpWarning[], code: UdpWarning['code']): Promise<void> {
  while (!warnings.some((warning) => warning.code === code)) await nextTurn();
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** What `from` receives next. */
function nextDatagram(on: UdpSocket): Promise<number[]> {
  return new Promise((resolve) => {
    on.onReceive = (data) => resolve([...data]);
  });
}

/** From now on every send of `socket` fails, the way dgram tells it: in the next tick. */
function failSends(socket: Socket | undefined, code: string): void {
  if (socket === undefined) throw new Error('no socket was made');
  socket.send = (...all: unknown[]) => {
    const callback = all.at(-1) as (error: Error | null) => void;
    process.nextTick(callback, systemError(code));
  };
}

describe('F5a: errors that the socket survives', () => {
  test('are counted each time, told once, and do not end it', async () => {
    const { made, warnings, options } = inspected();
    const socket = await openSocket(options);
    made[0]?.emit('error', systemError('ENETDOWN'));
    made[0]?.emit('error', systemError('ENETDOWN'));
    expect(socket.stats()).toMatchObject({ state: 'open', socketErrors: { ENETDOWN: 2 }, socketsLost: 0 });
    expect(warnings.map(({ code }) => code)).toEqual(['socket-error']);
  });

  test.each(['ENETUNREACH', 'EHOSTUNREACH', 'EPERM', 'ENOBUFS', 'EMSGSIZE'])(
    'a send that fails with %s keeps it',
    async (code) => {
      const { made, options } = inspected();
      const socket = await openSocket(options);
      failSends(made[0], code);
      socket.send(Uint8Array.of(1), socket.local);
      await nextTurn();
      expect(socket.stats()).toMatchObject({ state: 'open', sendErrors: { [code]: 1 }, socketsLost: 0 });
    },
  );
});

describe('F5a: a dead socket is replaced on the same address and port', () => {
  test('closed underneath: at once, and datagrams travel both ways again', async () => {
    const { made, warnings, options } = inspected();
    const socket = await openSocket(options);
    const { local } = socket;
    made[0]?.close();
    await until(warnings, 'socket-rebound');
    expect(warnings.map(({ code }) => code)).toEqual(['socket-lost', 'socket-rebound']);
    expect(made.at(-1)?.address()).toMatchObject(local);
    const arrived = nextDatagram(socket);
    socket.send(Uint8Array.of(5), local);
    expect(await arrived).toEqual([5]);
    expect(socket.stats()).toMatchObject({ state: 'open', socketsLost: 1, rebindAttempts: 1 });
  });

  test.each(['EBADF', 'ENOTSOCK'])(
    'a send that fails with %s: once, however many were under way',
    async (code) => {
      const { made, warnings, options } = inspected();
      const socket = await openSocket(options);
      failSends(made[0], code);
      for (let i = 0; i < 5; i++) socket.send(Uint8Array.of(i), socket.local);
      await until(warnings, 'socket-rebound');
      expect(made).toHaveLength(2);
      expect(socket.stats()).toMatchObject({ sendErrors: { [code]: 5 }, socketsLost: 1 });
    },
  );

  test('drowned by its own errors', async () => {
    const { made, warnings, options } = inspected();
    const socket = await openSocket(options);
    for (let i = 0; i < 21; i++) made[0]?.emit('error', systemError('ENETDOWN'));
    await until(warnings, 'socket-rebound');
    expect(socket.stats()).toMatchObject({ state: 'open', socketsLost: 1, socketErrors: { ENETDOWN: 21 } });
  });

  test('deaf: once, and not again before something has been heard', async () => {
    const { made, warnings, options } = inspected();
    const socket = await openSocket(options);
    const sink = await openSocket();
    const arrived = nextDatagram(socket);
    sink.send(Uint8Array.of(1), socket.local);
    await arrived;
    for (let i = 0; i < 8; i++) socket.send(Uint8Array.of(1), sink.local);
    await nextTurn();
    socket.watch(1000);
    socket.watch(10_999);
    expect(made).toHaveLength(1);
    socket.watch(11_000);
    await until(warnings, 'socket-rebound');
    for (let i = 0; i < 8; i++) socket.send(Uint8Array.of(1), sink.local);
    await nextTurn();
    socket.watch(12_000);
    socket.watch(60_000);
    expect(made).toHaveLength(2);
  });

  test('a socket that never heard anything is not deaf', async () => {
    const { made, options } = inspected();
    const socket = await openSocket(options);
    const sink = await openSocket();
    for (let i = 0; i < 20; i++) socket.send(Uint8Array.of(1), sink.local);
    await nextTurn();
    socket.watch(1000);
    socket.watch(60_000);
    expect(made).toHaveLength(1);
  });

  test('an address that is away is tried again until it is back; sends meanwhile are counted', async () => {
    const { made, warnings, options } = inspected((number) =>
      number === 2 || number === 3 ? 'EADDRNOTAVAIL' : undefined,
    );
    const socket = await openSocket(options);
    made[0]?.close();
    await until(warnings, 'socket-lost');
    expect(socket.stats().state).toBe('rebinding');
    socket.send(Uint8Array.of(1), socket.local);
    await until(warnings, 'socket-rebound');
    expect(socket.stats()).toMatchObject({
      state: 'open',
      rebindAttempts: 3,
      droppedNoSocket: 1,
      socketErrors: { EADDRNOTAVAIL: 2 },
    });
  });

  test('F5c: no restart after close', async () => {
    const { made, options } = inspected();
    const socket = await openSocket(options);
    await socket.close();
    made[0]?.emit('close');
    await nextTurn();
    expect(made).toHaveLength(1);
    expect(socket.stats().state).toBe('closed');
  });

  test('F5c: close ends the tries at once', async () => {
    const { made, warnings, options } = inspected((number) => (number > 1 ? 'EADDRINUSE' : undefined));
    const socket = await openSocket(options);
    made[0]?.close();
    await until(warnings, 'socket-lost');
    await socket.close();
    const tries = made.length;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(made).toHaveLength(tries);
    expect(socket.stats().state).toBe('closed');
  });

  test('F5c: close in the midst of a try leaves no socket behind', async () => {
    let closed: Promise<void> | undefined;
    const { made, options } = inspected();
    const socket = await openSocket({
      ...options,
      onWarning: ({ code }) => {
        if (code === 'socket-lost') closed = socket.close();
      },
    });
    made[0]?.close();
    while (closed === undefined) await nextTurn();
    await closed;
    expect(made).toHaveLength(2);
    const again = await openSocket({ port: socket.local.port });
    expect(again.local).toEqual(socket.local);
  });
});

describe('F3b: kernel buffers', () => {
  // What the kernel reports: Linux doubles.
  const reported = (bytes: number): number => (process.platform === 'linux' ? bytes * 2 : bytes);

  function clamping(bytes: number): (options: SocketOptions) => Socket {
    return tampered((dgram) => {
      dgram.setRecvBufferSize = dgram.setSendBufferSize = () => undefined;
      dgram.getRecvBufferSize = dgram.getSendBufferSize = () => reported(bytes);
    });
  }

  test('granted less than asked: one warning each, with both sizes and, on Linux, the sysctl', async () => {
    const warnings: UdpWarning[] = [];
    const socket = await openSocket({
      receiveBufferSize: 4_194_304,
      sendBufferSize: 4_194_304,
      onWarning: (warning) => warnings.push(warning),
      createSocket: clamping(212_992),
    });
    expect(warnings.map(({ code }) => code)).toEqual(['receive-buffer-small', 'send-buffer-small']);
    expect(warnings[0]?.message).toContain('4194304');
    expect(warnings[0]?.message).toContain('212992');
    if (process.platform === 'linux') expect(warnings[0]?.message).toContain('net.core.rmem_max=4194304');
    expect(socket.stats()).toMatchObject({ receiveBufferSize: 212_992, sendBufferSize: 212_992 });
  });

  test('granted what was asked: no warning', async () => {
    const warnings: UdpWarning[] = [];
    await openSocket({ onWarning: (warning) => warnings.push(warning), createSocket: clamping(16_384) });
    expect(warnings).toEqual([]);
  });

  test('a system that refuses instead of clamping: the size in force is read back', async () => {
    const socket = await openSocket({
      createSocket: tampered((dgram) => {
        dgram.setRecvBufferSize = () => {
          throw systemError('ENOBUFS');
        };
        dgram.getRecvBufferSize = () => reported(9216);
      }),
    });
    expect(socket.stats().receiveBufferSize).toBe(9216);
  });
});

describe('a dgram that is not Node’s', () => {
  test('a datagram in a larger buffer is copied out of it, for it may be kept', async () => {
    let dgram: Socket | undefined;
    const socket = await openSocket({
      createSocket: tampered((made) => {
        dgram = made;
      }),
    });
    const kept: Uint8Array[] = [];
    socket.onReceive = (data) => kept.push(data);
    const large = Buffer.from(new ArrayBuffer(65_536), 0, 3).fill(7);
    dgram?.emit('message', large, { address: '192.0.2.1', family: 'IPv4', port: 1, size: 3 });
    large.fill(0);
    expect([...(kept[0] ?? [])]).toEqual([7, 7, 7]);
    expect(kept[0]?.buffer.byteLength).toBe(3);
  });

  test('one that does not tell how much it holds is given no more than usual', async () => {
    const waiting: (() => void)[] = [];
    const socket = await openSocket({
      maxQueuedBytes: 200_000,
      createSocket: tampered((dgram) => {
        Object.assign(dgram, {
          getSendQueueSize: undefined,
          send: (data: Uint8Array, _port: number, _address: string, sent: (error: null) => void) => {
            waiting.push(() => {
              sent(null);
            });
            return data.length;
          },
        });
      }),
    });
    const record = new Uint8Array(1200).fill(23); // DTLS's application data
    for (let i = 0; i < 1000; i++) socket.send(record, { address: '192.0.2.1', port: 9 });
    expect(waiting.length).toBeLessThan(60);
    expect(socket.stats().queuedBytes).toBeGreaterThan(100_000);
    expect(socket.stats().queuedBytes).toBeLessThanOrEqual(200_000);
    const { droppedQueueFull, datagramsSent } = socket.stats();
    expect(droppedQueueFull.data).toBeGreaterThan(500);
    // What has gone makes room for what waits, to the last.
    for (let sent = waiting.shift(); sent !== undefined; sent = waiting.shift()) sent();
    expect(socket.stats()).toMatchObject({ queuedBytes: 0, datagramsSent: 1000 - droppedQueueFull.data });
    expect(datagramsSent).toBeLessThan(60);
  });

  test('one that cannot ask the kernel is not asked', async () => {
    const socket = createSocket('udp4');
    socket.setRecvBufferSize = () => {
      throw new Error('asked');
    };
    expect(requestBuffer(socket, 'Recv', 4_194_304, true)).toBe(0);
    expect(smallBufferMessage('receive', 4_194_304, 0)).toContain('net.core.rmem_default=4194304');
    expect(smallBufferMessage('send', 4_194_304, 0)).toContain('net.core.wmem_default=4194304');
    await new Promise<void>((resolve) => socket.close(resolve));
  });
});

describe('F3c: what the kernel dropped', () => {
  test('shows in stats() where the system tells it', async () => {
    const z = await openSocket({ receiveBufferSize: 2048 });
    const a = await openSocket();
    expect([undefined, 0]).toContain(z.stats().kernelDrops);
    // All in one turn: the reader has no chance.
    for (let i = 0; i < 100; i++) a.send(new Uint8Array(1000), z.local);
    if (process.platform === 'linux') expect(z.stats().kernelDrops).toBeGreaterThan(0);
    else expect(z.stats().kernelDrops).toBeUndefined();
  });
});

describe('closing', () => {
  test('waits until the last datagram is out', async () => {
    const z = await openSocket();
    const arrived = new Promise((resolve) => {
      z.onReceive = (data) => {
        resolve([...data]);
      };
    });
    const a = await openSocket();
    a.send(Uint8Array.of(9), z.local);
    await a.close();
    expect(await arrived).toEqual([9]);
  });

  test('twice is fine', async () => {
    const socket = await openSocket();
    await Promise.all([socket.close(), socket.close()]);
    await socket.close();
  });
});
