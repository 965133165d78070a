import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { UdpDriver, type UdpDriverOptions, type UdpWarning } from '../../src/node/index.ts';
import { Rtc, type RtcEvent } from '../../src/rtc.ts';
import { catchUncaught } from './uncaught.ts';

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const drivers: UdpDriver[] = [];

async function listen(options: UdpDriverOptions = {}): Promise<UdpDriver> {
  const driver = await UdpDriver.listen(options);
  drivers.push(driver);
  return driver;
}

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});

/** A connection on `driver` whose events can be waited for. */
class Peer {
  readonly rtc = new Rtc({ certificate, crypto });
  readonly events: RtcEvent[] = [];
  onEvent: (event: RtcEvent) => void = () => undefined;
  #waiting: { found: (event: RtcEvent) => boolean; resolve: () => void }[] = [];

  constructor(driver: UdpDriver) {
    driver.add(this.rtc, (event) => {
      this.events.push(event);
      this.onEvent(event);
      for (const { found, resolve } of this.#waiting) if (found(event)) resolve();
    });
  }

  /** Resolves once an event of this type has happened. */
  until(type: RtcEvent['type']): Promise<void> {
    if (this.events.some((event) => event.type === type)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ found: (event) => event.type === type, resolve }));
  }
}

/** `a` offers a channel, `z` answers; both are connected when this resolves. */
async function connect(a: Peer, z: Peer): Promise<void> {
  const draft = a.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(z.rtc.receiveOffer(offer.sdp).answer());
  await Promise.all([a.until('channelopen'), z.until('datachannel')]);
}

describe('listening', () => {
  test('a free port on loopback by default; its address is the one host candidate of a connection', async () => {
    const driver = await listen();
    const { rtc } = new Peer(driver);
    expect(driver.addresses).toEqual([{ address: '127.0.0.1', port: expect.any(Number) }]);
    expect(rtc.localCandidates).toMatchObject([{ type: 'host', protocol: 'udp', ...driver.addresses[0] }]);
  });

  test('several addresses, both families: a socket and a candidate each, and a connection over either', async () => {
    const server = await listen({ addresses: ['127.0.0.1', { address: '::1', port: 0 }] });
    expect(server.addresses.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
    const peers = [];
    for (const address of ['127.0.0.1', '::1']) {
      const a = new Peer(await listen({ address }));
      const z = new Peer(server);
      await connect(a, z);
      peers.push(z.rtc);
    }
    const remotes = peers.map((rtc) => rtc.inspect().ice.pairs.find(({ valid }) => valid)?.remote.address);
    expect(remotes).toEqual(['127.0.0.1', '::1']);
    const { sockets, ...sum } = server.stats();
    expect(sockets.map(({ local }) => local)).toEqual(server.addresses);
    for (const { datagramsReceived } of sockets) expect(datagramsReceived).toBeGreaterThan(5);
    expect(sum.datagramsSent).toBe(sockets.reduce((total, { datagramsSent }) => total + datagramsSent, 0));
  });

  test('several addresses of which one cannot be had: none is bound', async () => {
    const taken = (await listen()).addresses;
    const free = await listen();
    const { addresses } = free;
    await free.close();
    await expect(UdpDriver.listen({ addresses: [...addresses, ...taken] })).rejects.toMatchObject({
      code: 'ERR_SOCKET',
    });
    expect((await listen({ addresses })).addresses).toEqual(addresses);
  });

  test('a port that is taken is ERR_SOCKET', async () => {
    const port = (await listen()).addresses[0]?.port;
    await expect(UdpDriver.listen({ port })).rejects.toMatchObject({ code: 'ERR_SOCKET' });
  });

  test.each([
    { address: 'localhost' },
    { port: 65_536 },
    { port: 1.5 },
    { recvBufferSize: 0 },
    { sendBufferSize: NaN },
    { maxQueuedBytes: -1 },
    { addresses: [] },
    { addresses: ['127.0.0.1', 'localhost'] },
    { tcp: { address: 'localhost' } },
    { tcp: { port: 65_536 } },
    { tcp: { maxConnections: 0 } },
    { tcp: { maxConnectionsPerAddress: 0 } },
    { tcp: { unansweredTimeout: 0 } },
    { tcp: { unansweredTimeout: Infinity } },
    { tcp: { silenceTimeout: 0 } },
    { tcp: { silenceTimeout: NaN } },
    { tcp: { maxFrameSize: 0 } },
    { tcp: { maxFrameSize: 65_536 } },
    { tcp: { maxQueuedBytesPerConnection: 0 } },
    { tcp: { maxQueuedBytesPerConnection: 1.5 } },
  ])('%o is ERR_BAD_ARGUMENT, before any socket is made', async (options) => {
    let made = 0;
    const counted = (wanted: SocketOptions): Socket => {
      made++;
      return createSocket(wanted);
    };
    await expect(UdpDriver.listen({ ...options, createSocket: counted })).rejects.toMatchObject({
      code: 'ERR_BAD_ARGUMENT',
    });
    expect(made).toBe(0);
  });

  test('E5: options that cannot be are refused by name, before anything is bound', async () => {
    const refusal = async (options: object): Promise<string> => {
      const driver = await UdpDriver.listen(options).catch((error: unknown) => error);
      expect(driver).toMatchObject({ code: 'ERR_BAD_ARGUMENT' });
      return (driver as Error).message;
    };
    const names =
      'address port addresses tcp endpoint recvBufferSize sendBufferSize maxQueuedBytes unref onEvent onError ' +
      'onListenerError onWarning signal createSocket announcedAddresses keepBoundAddresses interfaces ' +
      'interfacePollInterval networkInterfaces dns mdns streams tls announce certificate crypto';
    for (const name of names.split(' ')) {
      expect(await refusal({ [name]: Symbol('garbage') })).toContain(`"${name}" expected`);
    }
    const limits =
      'address port maxConnections maxConnectionsPerAddress unansweredTimeout silenceTimeout maxFrameSize ' +
      'maxQueuedBytesPerConnection active passive connectTimeout maxDestinations';
    for (const name of limits.split(' ')) {
      expect(await refusal({ tcp: { [name]: Symbol('garbage') } })).toContain(`"tcp.${name}" expected`);
    }
    expect(await refusal({ announcedAddress: '192.0.2.1' })).toContain('"announcedAddresses"');
    expect(await refusal({ iceServers: [] })).toContain('driver.gather');
    expect(await refusal({ address: 'fe80::1%eth0' })).toContain('without a zone');
    expect(await refusal({ port: { min: 2, max: 1 } })).toContain('"port" expected a range');
    expect(await refusal({ interfaces: { networks: ['10.0.0.0/33'] } })).toContain('CIDR');
    expect(await refusal({ tls: { ca: 5 } })).toContain('"tls.ca" expected');
    expect(await refusal({ host: '0.0.0.0' })).toContain('its name is "address"');
    expect(await refusal({ tcp: { maxConnection: 5 } })).toContain('did you mean "maxConnections"?');
    expect(await refusal({ addresses: ['127.0.0.1', 'localhost'] })).toContain(
      '"addresses[1]" expected an IP address',
    );
    expect(await refusal([])).toContain('an object of options');
  });

  test('a signal that is aborted already rejects with its reason', async () => {
    const reason = new Error('not today');
    await expect(UdpDriver.listen({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('two connections over real UDP', () => {
  test('connect, and what a listener sends arrives without any other push', async () => {
    const a = new Peer(await listen());
    const z = new Peer(await listen());
    z.onEvent = (event) => {
      if (event.type === 'message') event.channel.send(event.data);
    };
    a.onEvent = (event) => {
      if (event.type === 'channelopen') event.channel.send('there and back');
    };
    await connect(a, z);
    await a.until('message');
    expect(a.events.find((event) => event.type === 'message')).toMatchObject({ data: 'there and back' });
  });

  test('a send from outside the drain goes out by itself', async () => {
    const a = new Peer(await listen());
    const z = new Peer(await listen());
    await connect(a, z);
    const open = a.events.find((event) => event.type === 'channelopen');
    open?.channel.send('later');
    await z.until('message');
    expect(z.events.find((event) => event.type === 'message')).toMatchObject({ data: 'later' });
  });

  test('F3a: twenty connections at the same moment share one socket and one certificate', async () => {
    const server = await listen();
    const pairs = await Promise.all(
      Array.from({ length: 20 }, async () => [new Peer(await listen()), new Peer(server)] as const),
    );
    await Promise.all(pairs.map(([a, z]) => connect(a, z)));
    expect(server.endpoint.size).toBe(20);
  });

  test('a listener that throws does not stop the others', async () => {
    const driver = await listen();
    const a = new Peer(driver);
    const z = new Peer(await listen());
    const thrown = new Error('a bug in the application');
    const caught = catchUncaught();
    a.onEvent = (event) => {
      if (event.type === 'iceconnectionstatechange') throw thrown;
    };
    await connect(a, z);
    expect(caught.release()).toContain(thrown);
  });
});

describe('closing', () => {
  test('F2c: ends every connection on both sides and leaves nothing behind', async () => {
    const driver = await listen();
    const peers = [new Peer(driver), new Peer(driver)];
    const others = [new Peer(await listen()), new Peer(await listen())];
    await Promise.all(peers.map((peer, i) => connect(peer, others[i]!)));

    await driver.close();

    for (const peer of peers) {
      expect(peer.events.at(-1)).toMatchObject({ type: 'closed', reason: { code: 'local-close' } });
    }
    // The farewells were sent before the socket closed: the other side need not wait for a deadline.
    await Promise.all(others.map((peer) => peer.until('closed')));
    for (const peer of others) expect(peer.events.at(-1)).toMatchObject({ reason: { code: 'remote-close' } });
    expect(driver.endpoint.inspect()).toMatchObject({ connections: 0, routes: 0, armed: 0, ready: 0 });
  });

  test('from a listener, in the midst of a drain, still says goodbye', async () => {
    const driver = await listen();
    const a = new Peer(driver);
    const z = new Peer(await listen());
    let closing: Promise<void> | undefined;
    a.onEvent = (event) => {
      if (event.type === 'message') closing = driver.close();
    };
    z.onEvent = (event) => {
      if (event.type === 'datachannel') event.channel.send('go');
    };
    await connect(a, z);
    await z.until('closed');
    await closing;
    expect(z.events.at(-1)).toMatchObject({ reason: { code: 'remote-close' } });
  });

  test('answers the same promise again, and takes no connection any more', async () => {
    const driver = await listen();
    expect(driver.close()).toBe(driver.close());
    await driver.close();
    expect(() => new Peer(driver)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error);
    driver.flush();
  });

  test('an abort closes', async () => {
    const abort = new AbortController();
    const driver = await listen({ signal: abort.signal });
    const peer = new Peer(driver);
    abort.abort();
    await driver.close();
    expect(peer.events.at(-1)).toMatchObject({ type: 'closed', reason: { code: 'local-close' } });
  });
});

describe('F5a: a socket in trouble', () => {
  test('errors between datagrams change nothing for the connections', async () => {
    const warnings: UdpWarning[] = [];
    let dgram: Socket | undefined;
    const driver = await listen({
      onWarning: (warning) => warnings.push(warning),
      createSocket: (options) => (dgram = createSocket(options)),
    });
    const a = new Peer(driver);
    const z = new Peer(await listen());
    await connect(a, z);
    dgram?.emit('error', Object.assign(new Error('recvmsg ENETDOWN'), { code: 'ENETDOWN' }));
    a.events.find((event) => event.type === 'channelopen')?.channel.send('still here');
    await z.until('message');
    expect(driver.stats().socketErrors).toEqual({ ENETDOWN: 1 });
    expect(warnings.map(({ code }) => code)).toContain('socket-error');
  });
});

describe('F5a: a socket that dies', () => {
  test('is replaced underneath: connection, state and port are the same, and data flows both ways', async () => {
    const sockets: Socket[] = [];
    const warnings: UdpWarning[] = [];
    const driver = await listen({
      onWarning: (warning) => warnings.push(warning),
      createSocket: (options) => {
        const socket = createSocket(options);
        sockets.push(socket);
        return socket;
      },
    });
    const [address] = driver.addresses;
    const a = new Peer(driver);
    const z = new Peer(await listen());
    z.onEvent = (event) => {
      if (event.type === 'message') event.channel.send(event.data);
    };
    await connect(a, z);

    sockets[0]?.close();
    a.events.find((event) => event.type === 'channelopen')?.channel.send('still here');
    await a.until('message');

    expect(sockets).toHaveLength(2);
    expect(driver.addresses).toEqual([address]);
    expect(a.rtc.connectionState).toBe('connected');
    expect(driver.stats()).toMatchObject({ state: 'open', socketsLost: 1, rebindAttempts: 1 });
  });

  test('F5c: an abort ends the tries to replace it, and the connections', async () => {
    const abort = new AbortController();
    const sockets: Socket[] = [];
    const driver = await listen({
      signal: abort.signal,
      createSocket: (options) => {
        const socket = createSocket(options);
        if (sockets.push(socket) > 1) {
          socket.bind = () => {
            queueMicrotask(() => socket.emit('error', Object.assign(new Error(), { code: 'EADDRINUSE' })));
            return socket;
          };
        }
        return socket;
      },
    });
    const peer = new Peer(driver);
    sockets[0]?.close();
    while (sockets.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    abort.abort();
    await driver.close();
    const tries = sockets.length;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(sockets).toHaveLength(tries);
    expect(peer.events.at(-1)).toMatchObject({ type: 'closed', reason: { code: 'local-close' } });
  });
});
