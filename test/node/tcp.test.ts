/** ICE over TCP (RFC 6544): frames, limits, and a whole connection over one TCP connection. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Rtc } from '../../src/index.ts';
import { holderOf } from '../../src/node/framed-connection.ts';
import { TcpListener, type TcpOptions } from '../../src/node/tcp-listener.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { sleep } from './program.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
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

/** The listener's name for that socket. */
function remoteOf({ localAddress = '', localPort = 0 }: Socket): { address: string; port: number } {
  return { address: localAddress, port: localPort };
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
    const remote = remoteOf(socket);
    const heard = once(socket, 'data');
    listener.send(Uint8Array.of(7, 8), remote);
    listener.send(Uint8Array.of(9), { ...remote, port: 1 });
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
    listener.send(Uint8Array.of(1), remoteOf(peer));
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
    for (let i = 0; i < 10_000; i++) listener.send(new Uint8Array(1200), remoteOf(socket));
    const { queuedBytes, droppedQueueFull } = listener.stats();
    expect(queuedBytes).toBeLessThanOrEqual(256 * 1024);
    expect(droppedQueueFull).toBeGreaterThan(1000);
  });

  test('maxFrameSize: a frame as long is taken, one a byte longer ends its connection', async () => {
    const { listener, frames } = await listen({ maxFrameSize: 16 });
    const socket = await dial(listener);
    socket.write(framed(new Uint8Array(16)));
    await until(() => frames.length === 1);
    socket.write(framed(new Uint8Array(17)));
    await once(socket, 'close');
    expect(frames).toHaveLength(1);
    expect(listener.stats()).toMatchObject({ connections: 0, framesReceived: 1, closedFrameTooLong: 1 });
  });

  test('unansweredTimeout: what has not proved itself by then is closed, what has been answered stays', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { listener } = await listen({ unansweredTimeout: 2500 });
    const stranger = await dial(listener);
    const peer = await dial(listener);
    await until(() => listener.stats().connections === 2);
    listener.send(Uint8Array.of(1), remoteOf(peer));
    vi.advanceTimersByTime(2000);
    expect(listener.stats()).toMatchObject({ connections: 2, closedUnanswered: 0 });
    const gone = once(stranger, 'close');
    vi.advanceTimersByTime(1000);
    expect(listener.stats()).toMatchObject({ connections: 1, closedUnanswered: 1, closedSilent: 0 });
    await gone;
  });

  test('silenceTimeout: a word from the peer begins it anew, an answer of ours does not', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { listener, frames } = await listen({ silenceTimeout: 2500 });
    const peer = await dial(listener);
    await until(() => listener.stats().connections === 1);
    vi.advanceTimersByTime(2000);
    peer.write(framed(Uint8Array.of(1)));
    await until(() => frames.length === 1);
    vi.advanceTimersByTime(2000);
    expect(listener.stats()).toMatchObject({ connections: 1, closedSilent: 0 });
    listener.send(Uint8Array.of(2), remoteOf(peer));
    const gone = once(peer.resume(), 'close');
    vi.advanceTimersByTime(1000);
    expect(listener.stats()).toMatchObject({ connections: 0, closedUnanswered: 0, closedSilent: 1 });
    await gone;
  });

  test('maxQueuedBytesPerConnection: a frame with its length fills it, one a byte longer is dropped', async () => {
    const { listener } = await listen({ maxQueuedBytesPerConnection: 1202 });
    const socket = await dial(listener);
    await until(() => listener.stats().connections === 1);
    listener.send(new Uint8Array(1201), remoteOf(socket));
    expect(listener.stats()).toMatchObject({ connections: 1, framesSent: 0, droppedQueueFull: 1 });
    listener.send(new Uint8Array(1200), remoteOf(socket));
    expect(listener.stats()).toMatchObject({ connections: 1, framesSent: 1, droppedQueueFull: 1 });
  });

  test('maxQueuedBytesPerConnection: no more than that waits for a peer that does not read', async () => {
    const { listener } = await listen({ maxQueuedBytesPerConnection: 4096 });
    const socket = await dial(listener);
    socket.pause();
    await until(() => listener.stats().connections === 1);
    for (let i = 0; i < 10_000; i++) listener.send(new Uint8Array(1200), remoteOf(socket));
    const { queuedBytes, droppedQueueFull } = listener.stats();
    expect(queuedBytes).toBeGreaterThan(0);
    expect(queuedBytes).toBeLessThanOrEqual(4096);
    expect(droppedQueueFull).toBeGreaterThan(1000);
  });

  test('the driver hands each of them on', async () => {
    const open = vi.spyOn(TcpListener, 'open');
    const limits = {
      maxConnections: 1,
      maxConnectionsPerAddress: 2,
      unansweredTimeout: 3,
      silenceTimeout: 4,
      maxFrameSize: 5,
      maxQueuedBytesPerConnection: 6,
    } satisfies TcpOptions;
    const driver = await UdpDriver.listen({ tcp: limits });
    closing.push(() => driver.close());
    expect(open).toHaveBeenCalledWith(expect.objectContaining({ address: '127.0.0.1', ...limits }));
  });

  test('a port that is taken is ERR_SOCKET', async () => {
    const { listener } = await listen();
    await expect(TcpListener.open(listener.local)).rejects.toMatchObject({ code: 'ERR_SOCKET' });
  });
});

describe('A10: what strangers can hold', () => {
  const sweeping = { toFake: ['setInterval', 'clearInterval', 'performance'] } as const;

  test('A10: a frame that drips byte by byte costs a few copies of a byte, and is no word of a peer', async () => {
    vi.useFakeTimers({ toFake: [...sweeping.toFake] });
    const { listener } = await listen({ silenceTimeout: 2500 });
    const peer = await dial(listener);
    await until(() => listener.stats().connections === 1);
    listener.send(Uint8Array.of(1), remoteOf(peer));
    peer.resume();
    const gone = once(peer, 'close');
    for (let i = 0; i < 4; i++) {
      peer.write(Uint8Array.of(i === 0 ? 0x10 : 0));
      await sleep(2);
      listener.send(Uint8Array.of(1), remoteOf(peer)); // in use, as far as we are concerned
      vi.advanceTimersByTime(1000);
    }
    await gone;
    expect(listener.stats()).toMatchObject({ connections: 0, framesReceived: 0, closedSilent: 1 });
  });

  test("A10: empty frames hold no place, and are nobody's", async () => {
    vi.useFakeTimers({ toFake: [...sweeping.toFake] });
    const { listener, frames } = await listen({ silenceTimeout: 2500 });
    const peer = await dial(listener);
    await until(() => listener.stats().connections === 1);
    listener.send(Uint8Array.of(1), remoteOf(peer));
    peer.resume();
    const gone = once(peer, 'close');
    for (let i = 1; i <= 3; i++) {
      peer.write(framed(new Uint8Array(0)));
      await until(() => frames.length === i);
      vi.advanceTimersByTime(1000);
    }
    await gone;
    expect(listener.stats()).toMatchObject({ connections: 0, closedSilent: 1 });
  });

  test('A10: a peer that speaks and is not answered any more loses its place', async () => {
    vi.useFakeTimers({ toFake: [...sweeping.toFake] });
    const { listener, frames } = await listen({ silenceTimeout: 2500 });
    const peer = await dial(listener);
    await until(() => listener.stats().connections === 1);
    listener.send(Uint8Array.of(1), remoteOf(peer));
    peer.resume();
    const gone = once(peer, 'close');
    for (let i = 1; i <= 3; i++) {
      peer.write(framed(Uint8Array.of(22)));
      await until(() => frames.length === i);
      vi.advanceTimersByTime(1000);
    }
    await gone;
    expect(listener.stats()).toMatchObject({ connections: 0, closedSilent: 0, closedUnused: 1 });
  });

  test('A10: addresses of one /64 count as one, those of another do not', () => {
    const holder = (address: string): string => holderOf({ address, port: 1 });
    expect(holder('2001:db8:1:2::1')).toBe(holder('2001:db8:1:2:ffff::9'));
    expect(holder('2001:db8:1:2::1')).not.toBe(holder('2001:db8:1:3::1'));
    expect(holder('192.0.2.1')).not.toBe(holder('192.0.2.2'));
  });

  test('A10: close() does not wait for a peer that reads nothing', async () => {
    const listener = await TcpListener.open({ address: '127.0.0.1' });
    const socket = await dial(listener);
    socket.pause();
    await until(() => listener.stats().connections === 1);
    for (let i = 0; i < 10_000; i++) listener.send(new Uint8Array(1200), remoteOf(socket));
    expect(listener.stats().queuedBytes).toBeGreaterThan(0);
    await listener.close(); // or the test times out
    expect(listener.stats().connections).toBe(0);
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
