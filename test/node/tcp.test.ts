/** ICE over TCP (RFC 6544): frames, limits, and a whole connection over one TCP connection. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Rtc } from '../../src/index.ts';
import { TcpListener, type TcpOptions } from '../../src/node/tcp-listener.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { sleep } from './program.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function listen(
  options: Omit<TcpOptions, 'address'> = {},
): Promise<{ listener: TcpListener; frames: number[][] }> {
  const listener = await TcpListener.open({ address: '127.0.0.1', ...options });
  const frames: number[][] = [];
  listener.onReceive = (data) => frames.push([...data]);
  closing.push(() => listener.close());
  return { listener, frames };
}

async function dial({ local }: TcpListener): Promise<Socket> {
  const socket = connect(local.port, local.address);
  closing.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function framed(data: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  return Buffer.concat([length, data]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

describe('frames (RFC 4571)', () => {
  test('arrive whole, however the stream was cut, empty ones too', async () => {
    const { listener, frames } = await listen();
    const socket = await dial(listener);
    const wanted = [[1, 2, 3], [], [4], Array.from({ length: 300 }, (_, i) => i & 255)];
    const stream = Buffer.concat(wanted.map((frame) => framed(Uint8Array.from(frame))));
    for (const byte of stream.subarray(0, 9)) {
      socket.write(Uint8Array.of(byte));
      await sleep(1);
    }
    socket.write(stream.subarray(9));
    await until(() => frames.length === wanted.length);
    expect(frames).toEqual(wanted);
    expect(listener.stats()).toMatchObject({ connections: 1, framesReceived: 4, bytesReceived: 304 });
  });

  test('leave with their length before them; to nobody they are dropped and counted', async () => {
    const { listener } = await listen();
    const socket = await dial(listener);
    await until(() => listener.stats().connections === 1);
    const { localAddress = '', localPort = 0 } = socket;
    const heard = once(socket, 'data');
    listener.send(Uint8Array.of(7, 8), { address: localAddress, port: localPort });
    listener.send(Uint8Array.of(9), { address: localAddress, port: 1 });
    expect([...((await heard) as [Buffer])[0]]).toEqual([0, 2, 7, 8]);
    expect(listener.stats()).toMatchObject({ framesSent: 1, droppedNoConnection: 1 });
  });
});

describe('limits', () => {
  test('a frame longer than any datagram ends its connection', async () => {
    const { listener } = await listen();
    const socket = await dial(listener);
    socket.write(Uint8Array.of(0x50, 0));
    await once(socket, 'close');
    expect(listener.stats()).toMatchObject({ connections: 0, closedFrameTooLong: 1 });
  });

  test.each([{ maxConnections: 2 }, { maxConnectionsPerAddress: 2 }])('%o', async (options) => {
    const { listener } = await listen(options);
    await dial(listener);
    await dial(listener);
    const third = await dial(listener);
    await once(third, 'close');
    expect(listener.stats()).toMatchObject({ connections: 2, accepted: 2, refused: 1 });
  });

  test('what has not proved itself in ten seconds is closed, what has been answered is closed after silence', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { listener } = await listen();
    const stranger = await dial(listener);
    const peer = await dial(listener);
    await until(() => listener.stats().connections === 2);
    const { localAddress = '', localPort = 0 } = peer;
    listener.send(Uint8Array.of(1), { address: localAddress, port: localPort });
    const gone = once(stranger, 'close');
    vi.advanceTimersByTime(12_000);
    await gone;
    expect(listener.stats()).toMatchObject({ connections: 1, closedUnanswered: 1, closedSilent: 0 });
    const silent = once(peer, 'close');
    vi.advanceTimersByTime(20_000);
    peer.resume();
    await silent;
    expect(listener.stats()).toMatchObject({ connections: 0, closedSilent: 1 });
  });

  test('a peer that does not read: what waits for it is bounded, the rest is dropped and counted', async () => {
    const { listener } = await listen();
    const socket = await dial(listener);
    socket.pause();
    await until(() => listener.stats().connections === 1);
    const remote = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    for (let i = 0; i < 10_000; i++) listener.send(new Uint8Array(1200), remote);
    const { queuedBytes, droppedQueueFull } = listener.stats();
    expect(queuedBytes).toBeLessThan(300_000);
    expect(droppedQueueFull).toBeGreaterThan(1000);
  });

  test('a port that is taken is ERR_SOCKET', async () => {
    const { listener } = await listen();
    await expect(TcpListener.open(listener.local)).rejects.toMatchObject({ code: 'ERR_SOCKET' });
  });
});

describe('a whole connection', () => {
  /** A peer whose datagrams go through one TCP connection; it takes that for a network like any other. */
  function drive(rtc: Rtc, socket: Socket, onMessage: (data: string | Uint8Array) => void): () => void {
    const source = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const destination = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    let timer: NodeJS.Timeout | undefined;
    let rest = Buffer.alloc(0);
    const drain = (): void => {
      for (;;) {
        const output = rtc.pollOutput();
        if (output.type === 'transmit') socket.write(framed(output.data));
        else if (output.type === 'event') {
          if (output.event.type === 'channelopen') output.event.channel.send('over TCP');
          if (output.event.type === 'message') onMessage(output.event.data);
        } else {
          clearTimeout(timer);
          if (output.at < Infinity) timer = setTimeout(run, Math.max(1, output.at - performance.now()));
          return;
        }
      }
    };
    const run = (): void => {
      rtc.handleInput({ type: 'timeout', now: performance.now() });
      drain();
    };
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const data = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + data.length);
        rtc.handleInput({
          type: 'receive',
          now: performance.now(),
          protocol: 'udp',
          source,
          destination,
          data,
        });
      }
      drain();
    });
    run();
    return () => clearTimeout(timer);
  }

  test('ICE, DTLS and data channels over TCP alone; the driver counts, and leaves nothing behind', async () => {
    const crypto = nodeCrypto();
    const certificate = selfSignedCertificate({ crypto });
    const driver = await UdpDriver.listen({ tcp: {} });
    closing.push(() => driver.close());
    const server = new Rtc({ certificate, crypto });
    driver.add(server, (event) => {
      if (event.type === 'message') event.channel.send(event.data);
    });
    expect(server.localCandidates.map(({ protocol, tcpType }) => [protocol, tcpType])).toEqual([
      ['udp', undefined],
      ['tcp', 'passive'],
    ]);

    const [tcp] = driver.tcpAddresses;
    const socket = connect(tcp?.port ?? 0, tcp?.address);
    closing.push(() => socket.destroy());
    await once(socket, 'connect');
    const client = new Rtc({ certificate, crypto });
    client.addLocalCandidate({
      type: 'host',
      protocol: 'udp',
      address: socket.localAddress ?? '',
      port: socket.localPort ?? 0,
    });
    const draft = client.negotiation();
    draft.addChannel('words');
    const offer = draft.offer();
    const answer = server.receiveOffer(offer.sdp.replaceAll(/^a=candidate.*\r\n/gm, '')).answer();
    expect(answer).toMatch(/a=candidate:\d+ 1 tcp \d+ 127\.0\.0\.1 \d+ typ host tcptype passive/);
    offer.accept(answer.replaceAll(/^a=candidate.*\r\n/gm, ''));
    client.addRemoteCandidate(
      `candidate:1 1 udp 2130706431 ${tcp?.address ?? ''} ${String(tcp?.port)} typ host`,
    );
    const echoed = new Promise((resolve) => closing.push(drive(client, socket, resolve)));
    expect(await echoed).toBe('over TCP');

    expect(driver.stats()).toMatchObject({ datagramsSent: 0, tcp: { connections: 1, closedUnanswered: 0 } });
    // The echo may have come over the pair before it was nominated.
    await vi.waitFor(() => {
      expect(server.inspect().ice.selectedPair?.remote).toMatchObject({ protocol: 'tcp' });
    });
    client.close();
    driver.flush();
    server.close();
    await sleep(20);
    expect(driver.endpoint.inspect()).toMatchObject({ connections: 0, routes: 0, armed: 0 });
  });
});
