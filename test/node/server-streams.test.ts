/** Streams to servers: what is told of them, verification of TLS, and every bound. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HostReply } from '../../src/core/host.ts';
import {
  ServerStreams,
  type ServerStreamOptions,
  type ServerTlsOptions,
} from '../../src/node/server-streams.ts';
import { issueCertificate, type IssuedCertificate } from './certificates.ts';
import { sleep } from './program.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

class Streams {
  readonly all: ServerStreams;
  readonly replies: HostReply[] = [];

  constructor(options: ServerStreamOptions = {}, tls: ServerTlsOptions = {}) {
    this.all = new ServerStreams(options, tls);
    this.all.onReply = (reply) => {
      expect(this.#asking).toBe(false);
      this.replies.push(reply.type === 'streamdata' ? { ...reply, data: reply.data.slice() } : reply);
    };
    closing.push(() => this.all.close());
  }

  #asking = false;

  ask(request: Parameters<ServerStreams['handleRequest']>[0]): void {
    this.#asking = true;
    this.all.handleRequest(request);
    this.#asking = false;
  }

  open(port: number, over: { protocol?: 'tcp' | 'tls'; serverName?: string; stream?: number } = {}): void {
    const destination = { address: '127.0.0.1', port };
    this.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination, ...over });
  }

  async until(type: HostReply['type']): Promise<HostReply> {
    for (;;) {
      const found = this.replies.find((reply) => reply.type === type);
      if (found !== undefined) return found;
      await sleep(1);
    }
  }

  received(): number[] {
    return this.replies.flatMap((reply) => (reply.type === 'streamdata' ? [...reply.data] : []));
  }
}

async function serve(onSocket: (socket: Socket) => void, server: Server = createServer()): Promise<number> {
  const sockets = new Set<Socket>();
  const accepted = (socket: Socket): void => {
    sockets.add(socket.on('error', () => undefined));
    onSocket(socket);
  };
  server.on(server.listenerCount('secureConnection') > 0 ? 'tlsClientError' : 'error', () => undefined);
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.on('pki' in server ? 'secureConnection' : 'connection', accepted);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('a stream over TCP', () => {
  test('is opened, carries bytes both ways, and is closed by us once all of them have left', async () => {
    const heard: number[] = [];
    const ended = new Promise<void>((resolve) => {
      void serve((socket) => {
        socket.on('data', (data) => heard.push(...data)).on('end', resolve);
        socket.write(Uint8Array.of(9, 8));
      }).then((port) => streams.open(port));
    });
    const streams = new Streams();
    const opened = await streams.until('streamopened');
    expect(opened).toMatchObject({ stream: 1, source: { address: '127.0.0.1' } });
    streams.ask({ type: 'writestream', stream: 1, data: Uint8Array.of(1, 2, 3) });
    await streams.until('streamdata');
    streams.ask({ type: 'writestream', stream: 1, data: Uint8Array.of(4) });
    streams.ask({ type: 'closestream', stream: 1 });
    await ended;
    expect(heard).toEqual([1, 2, 3, 4]);
    expect(streams.received()).toEqual([9, 8]);
    await streams.all.close();
    expect(streams.replies.map(({ type }) => type)).toEqual(['streamopened', 'streamdata']);
    expect(streams.all.stats()).toMatchObject({ streams: 0, opened: 1, bytesSent: 4, bytesReceived: 2 });
    // What is asked of a stream that is over means nothing.
    streams.ask({ type: 'writestream', stream: 1, data: Uint8Array.of(5) });
    streams.ask({ type: 'closestream', stream: 1 });
  });

  test('what is written before it is open leaves as it opens', async () => {
    const heard: number[] = [];
    const port = await serve((socket) => socket.on('data', (data) => heard.push(...data)));
    const streams = new Streams();
    streams.open(port);
    streams.ask({ type: 'writestream', stream: 1, data: Uint8Array.of(1) });
    while (heard.length === 0) await sleep(1);
    expect(heard).toEqual([1]);
  });

  test('a server that is not there: closed, with the code of the system in the reason', async () => {
    const port = await serve(() => undefined);
    await closing.pop()?.();
    const streams = new Streams();
    streams.open(port);
    expect(await streams.until('streamclosed')).toMatchObject({
      stream: 1,
      reason: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(streams.all.stats()).toMatchObject({ streams: 0, failed: 1 });
  });

  test('a server that ends its half, in the middle of whatever it was saying: what came is told, then the end', async () => {
    const port = await serve((socket) => socket.end(Uint8Array.of(1, 1, 0, 8, 0x21)));
    const streams = new Streams();
    streams.open(port);
    expect(await streams.until('streamclosed')).toMatchObject({ reason: 'the server has ended the stream' });
    expect(streams.received()).toEqual([1, 1, 0, 8, 0x21]);
    expect(streams.replies.at(-1)?.type).toBe('streamclosed');
  });

  test('a server that resets it', async () => {
    const port = await serve((socket) => socket.resetAndDestroy());
    const streams = new Streams();
    streams.open(port);
    await streams.until('streamclosed');
    expect(streams.all.stats().streams).toBe(0);
  });
});

describe('bounds', () => {
  test('more streams than there may be', async () => {
    const port = await serve(() => undefined);
    const streams = new Streams({ maxStreams: 1 });
    streams.open(port);
    streams.open(port, { stream: 2 });
    expect(await streams.until('streamclosed')).toMatchObject({
      stream: 2,
      reason: expect.stringContaining('maxStreams') as string,
    });
    expect(streams.all.stats()).toMatchObject({ streams: 1, refused: 1 });
  });

  test('a server that does not read: what waits for it is bounded, then its stream is closed', async () => {
    const port = await serve((socket) => socket.pause());
    const streams = new Streams({ maxQueuedBytes: 100_000 });
    streams.open(port);
    await streams.until('streamopened');
    for (let i = 0; i < 2000 && streams.all.stats().closedQueueFull === 0; i++) {
      streams.ask({ type: 'writestream', stream: 1, data: new Uint8Array(20_000) });
      expect(streams.all.stats().queuedBytes).toBeLessThanOrEqual(100_000);
      if (i % 50 === 0) await sleep(0);
    }
    expect(await streams.until('streamclosed')).toMatchObject({
      reason: expect.stringContaining('maxQueuedBytes') as string,
    });
    expect(streams.all.stats()).toMatchObject({ streams: 0, queuedBytes: 0, closedQueueFull: 1 });
  });

  test('a handshake that nobody answers ends within the time to connect', async () => {
    const port = await serve(() => undefined);
    const streams = new Streams({ connectTimeout: 50 });
    streams.open(port, { protocol: 'tls' });
    expect(await streams.until('streamclosed')).toMatchObject({ reason: 'not connected within 50 ms' });
    expect(streams.all.stats()).toMatchObject({ streams: 0, opened: 0, closedUnconnected: 1 });
  });

  test('closing does not wait for a server that does not read for more than a second or so', async () => {
    const port = await serve((socket) => socket.pause());
    const streams = new Streams({ maxQueuedBytes: 32 * 1024 * 1024 });
    streams.open(port);
    await streams.until('streamopened');
    streams.ask({ type: 'writestream', stream: 1, data: new Uint8Array(30 * 1024 * 1024) });
    await streams.all.close();
    expect(streams.all.stats()).toMatchObject({ streams: 0, queuedBytes: 0 });
  });
});

describe('a stream over TLS', () => {
  let issued: IssuedCertificate;

  beforeAll(async () => {
    issued = await issueCertificate();
  });

  function serveTls(onSocket: (socket: Socket) => void = () => undefined): Promise<number> {
    const server = createTlsServer(issued);
    server.on('secureConnection', onSocket);
    return serve(() => undefined, server);
  }

  test.each(['turn.example', '127.0.0.1'])('to a server whose certificate is for %s', async (serverName) => {
    const port = await serveTls((socket) => socket.end(Uint8Array.of(7)));
    const streams = new Streams({}, { ca: issued.ca });
    streams.open(port, { protocol: 'tls', serverName });
    await streams.until('streamclosed');
    expect(streams.replies.map(({ type }) => type)).toEqual(['streamopened', 'streamdata', 'streamclosed']);
  });

  test('without a name the address has to be in the certificate', async () => {
    const port = await serveTls();
    const streams = new Streams({}, { ca: issued.ca });
    streams.open(port, { protocol: 'tls' });
    await streams.until('streamopened');
  });

  test.each(['other.example', '127.0.0.2'])(
    'a certificate that is not for %s is refused',
    async (serverName) => {
      const port = await serveTls();
      const streams = new Streams({}, { ca: issued.ca });
      streams.open(port, { protocol: 'tls', serverName });
      expect(await streams.until('streamclosed')).toMatchObject({
        reason: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as string,
      });
      expect(streams.all.stats()).toMatchObject({ opened: 0, failed: 1 });
    },
  );

  test('an authority that nobody trusts is refused, whatever the environment says', async () => {
    const port = await serveTls();
    const streams = new Streams();
    streams.open(port, { protocol: 'tls', serverName: 'turn.example' });
    const { reason } = (await streams.until('streamclosed')) as { reason?: string };
    expect(reason).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
  });

  test('authorities that cannot be read are refused at once', () => {
    expect(() => new ServerStreams({}, { ca: '-----BEGIN CERTIFICATE-----\nnothing' })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }) as Error,
    );
  });
});
