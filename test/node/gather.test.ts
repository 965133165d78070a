/** A driver as a client: what it gathers, TCP alone, and names on the link. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TransportAddress } from '../../src/core/address.ts';
import { Rtc } from '../../src/index.ts';
import type { UdpDriver } from '../../src/node/index.ts';
import { StunAttributeType, StunMethod, StunWriter } from '../../src/stun/index.ts';
import { issueCertificate, type IssuedCertificate } from './certificates.ts';
import { certificate, closeDrivers, connect, crypto, DrivenPeer, listen } from './driven-peer.ts';
import { sleep } from './program.ts';
import { TurnHost } from './turn-host.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  await closeDrivers();
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A STUN server on loopback: it sees a NAT that adds one to the port. */
async function stunServer(): Promise<TransportAddress> {
  const socket = createSocket('udp4');
  socket.on('message', (data, { address, port }) => {
    const answer = new StunWriter('success', StunMethod.binding, data.subarray(8, 20))
      .xorAddress(StunAttributeType.xorMappedAddress, { address, port: port ^ 1 })
      .finish();
    socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closing.push(() => socket.close());
  return { address: '127.0.0.1', port: socket.address().port };
}

function types(rtc: Rtc): string[] {
  return rtc.localCandidates.map(({ type }) => type);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}

/** As a network that passes some candidates only would have them. */
async function connectBy(a: DrivenPeer, z: DrivenPeer, passes: (line: string) => boolean): Promise<void> {
  const only = (sdp: string): string =>
    sdp
      .split('\r\n')
      .filter((line) => !line.startsWith('a=candidate:') || passes(line))
      .join('\r\n');
  const draft = a.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(only(z.rtc.receiveOffer(only(offer.sdp)).answer()));
  await Promise.all([a.until('channelopen'), z.until('datachannel')]);
}

describe('driver.gather', () => {
  test('adds the connection, asks by name, tells a candidate, and resolves when all is there', async () => {
    const { address, port } = await stunServer();
    const asked: string[] = [];
    const driver = await listen({
      dns: {
        lookup: (name) => {
          asked.push(name);
          return Promise.resolve([address]);
        },
      },
    });
    const rtc = new Rtc({ certificate, crypto });
    const events: string[] = [];
    await driver.gather(rtc, { iceServers: [{ urls: `stun:stun.example:${port}` }] }, (event) =>
      events.push(event.type === 'icecandidate' ? `${event.type} ${event.candidate.type}` : event.type),
    );
    expect(asked).toEqual(['stun.example']);
    expect(types(rtc)).toEqual(['host', 'srflx']);
    expect(rtc.iceGatheringState).toBe('complete');
    expect(events.filter((type) => type.startsWith('icecandidate'))).toEqual(['icecandidate srflx']);
    expect(driver.stats().dns).toMatchObject({ resolved: 1 });
    // Again, and for another connection: the socket's address is known.
    const other = new DrivenPeer(driver);
    await driver.gather(other.rtc, { iceServers: [{ urls: `stun:stun.example:${port}` }] });
    expect(types(other.rtc)).toEqual(['host', 'srflx']);
  });

  test('a server that cannot be is refused, and the connection is not here', async () => {
    const driver = await listen();
    const rtc = new Rtc({ certificate, crypto });
    await expect(driver.gather(rtc, { iceServers: [{ urls: 'http://example' }] })).rejects.toMatchObject({
      code: 'ERR_BAD_ARGUMENT',
    });
    expect(driver.endpoint.size).toBe(0);
    await driver.gather(rtc, { iceServers: [] });
    expect(driver.endpoint.size).toBe(1);
  });

  test('a name that does not resolve: an error of that server, and complete', async () => {
    const driver = await listen({ dns: { lookup: () => Promise.resolve([]) } });
    const peer = new DrivenPeer(driver);
    await driver.gather(peer.rtc, { iceServers: [{ urls: 'stun:nowhere.example' }] });
    expect(peer.events.map(({ type }) => type)).toContain('icecandidateerror');
    expect(types(peer.rtc)).toEqual(['host']);
  });

  test('a connection that closes, a driver that closes: nobody waits for ever', async () => {
    const driver = await listen({ dns: { lookup: () => new Promise(() => undefined) } });
    const config = { iceServers: [{ urls: 'stun:silent.example' }] };
    const [one, two] = [new DrivenPeer(driver), new DrivenPeer(driver)];
    const first = driver.gather(one.rtc, config);
    one.rtc.close();
    await first;
    const second = driver.gather(two.rtc, config);
    await driver.close();
    await second;
    await expect(driver.gather(new Rtc({ certificate, crypto }), config)).rejects.toMatchObject({
      code: 'ERR_INVALID_STATE',
    });
  });
});

describe('through a TURN server', () => {
  const users = { alice: 'secret' };
  let issued: IssuedCertificate;

  beforeAll(async () => {
    issued = await issueCertificate();
  });

  test.each([
    ['udp', (ports: TurnHost['ports']) => `turn:127.0.0.1:${ports.udp}`],
    ['tcp', (ports: TurnHost['ports']) => `turn:turn.example:${ports.tcp}?transport=tcp`],
    ['tls', (ports: TurnHost['ports']) => `turns:turn.example:${ports.tls}`],
  ] as const)('over %s: nothing else is used, and nothing is left there', async (protocol, urlOf) => {
    const host = await TurnHost.open(users, issued);
    closing.push(() => host.close());
    const config = {
      iceServers: [{ urls: urlOf(host.ports), username: 'alice', credential: 'secret' }],
    };
    const options = { tls: { ca: issued.ca }, dns: { lookup: () => Promise.resolve(['127.0.0.1']) } };
    const drivers = [await listen(options), await listen(options)] as const;
    const ice = { transportPolicy: 'relay' } as const;
    const [a, z] = [new DrivenPeer(drivers[0], { ice }), new DrivenPeer(drivers[1], { ice })];
    await Promise.all([drivers[0].gather(a.rtc, config), drivers[1].gather(z.rtc, config)]);
    expect(a.events.filter(({ type }) => type === 'icecandidateerror')).toEqual([]);
    expect(types(a.rtc)).toEqual(['relay']);
    expect(host.streams).toBe(protocol === 'udp' ? 0 : 2);
    await connect(a, z);
    for (let i = 0; i < 20; i++) a.send('x'.repeat(10_000));
    await until(() => z.received().length === 20);
    expect(host.server.allocations).toBe(2);
    await Promise.all(drivers.map((driver) => driver.close()));
    await until(() => host.server.allocations === 0 && host.streams === 0);
    for (const driver of drivers) expect(driver.stats().streams).toMatchObject({ streams: 0 });
  });
});

test('a network that passes TCP alone: the active end connects, whoever offers', async () => {
  const server = await listen({ tcp: {} });
  const client = await listen({ tcp: { active: true } });
  expect(client.tcpAddresses).toEqual([]);
  for (const [offerer, answerer] of [
    [client, server],
    [server, client],
  ] as [UdpDriver, UdpDriver][]) {
    const [a, z] = [new DrivenPeer(offerer), new DrivenPeer(answerer)];
    await connectBy(a, z, (line) => / tcp /i.test(line));
    a.send('by TCP');
    await until(() => z.received().length === 1);
    expect(a.rtc.sendPath?.protocol).toBe('tcp');
    a.rtc.close();
    await z.until('closed');
    expect(z.ended).toBe('remote-close');
  }
  await until(() => server.stats().tcp?.connections === 0 && client.stats().tcpActive?.connections === 0);
});

test('addresses go by names of the link where it has multicast, both ways', async (context) => {
  const drivers = await Promise.all([
    listen({ mdns: { publish: true } }),
    listen({ mdns: { publish: true } }),
  ]).catch((error: unknown) => context.skip(`port 5353 is not to be had: ${String(error)}`));
  const [a, z] = drivers.map((driver) => new DrivenPeer(driver)) as [DrivenPeer, DrivenPeer];
  const names = a.rtc.localCandidates.map(({ address }) => address);
  expect(names).toEqual([expect.stringMatching(/^[0-9a-f-]{36}\.local$/)]);
  await connectBy(a, z, () => true);
  const resolved = drivers.reduce((sum, driver) => sum + (driver.stats().mdns?.answered ?? 0), 0);
  if (resolved === 0) context.skip('no multicast passes on this machine: connected by checks of the peer');
  expect(drivers[0].stats().mdns).toMatchObject({ published: 1 });
});
