import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
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
    socket.send(new Uint8Array(100), socket.local);
    socket.send(new Uint8Array(101), socket.local);
    expect(socket.stats()).toMatchObject({ datagramsSent: 1, droppedQueueFull: 1, queuedBytes: 900 });
  });

  test('after close are dropped and counted', async () => {
    const socket = await openSocket();
    await socket.close();
    socket.send(Uint8Array.of(1), { address: '127.0.0.1', port: 9 });
    expect(socket.stats()).toMatchObject({ droppedUnsendable: 1, queuedBytes: 0 });
  });
});

describe('F5a: errors of the socket itself', () => {
  test('are counted each time, told once, and do not end it', async () => {
    const warnings: UdpWarning[] = [];
    let dgram: Socket | undefined;
    const socket = await openSocket({
      onWarning: (warning) => warnings.push(warning),
      createSocket: tampered((made) => (dgram = made)),
    });
    dgram?.emit('error', systemError('ECONNREFUSED'));
    dgram?.emit('error', systemError('ECONNREFUSED'));
    expect(socket.stats().socketErrors).toEqual({ ECONNREFUSED: 2 });
    expect(warnings.map(({ code }) => code)).toEqual(['socket-error']);
  });

  test('a socket closed underneath is told, and sending to it is counted', async () => {
    const warnings: UdpWarning[] = [];
    let dgram: Socket | undefined;
    const socket = await openSocket({
      onWarning: (warning) => warnings.push(warning),
      createSocket: tampered((made) => (dgram = made)),
    });
    if (dgram === undefined) throw new Error('no socket was made');
    dgram.close();
    await once(dgram, 'close');
    socket.send(Uint8Array.of(1), socket.local);
    expect(warnings.map(({ code }) => code)).toEqual(['socket-closed']);
    expect(socket.stats()).toMatchObject({ droppedUnsendable: 1 });
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
