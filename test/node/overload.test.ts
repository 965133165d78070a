/** Overload on real sockets: memory stays bounded, those who are connected stay so, and the counters tell. */
import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { SeededRandom, randomBytes } from '../../src/core/random.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import type { DataChannel, RtcEvent } from '../../src/index.ts';
import { Rtc } from '../../src/index.ts';
import { UdpDriver, type UdpDriverOptions } from '../../src/node/index.ts';
import { bundled, Program, sleep } from './program.ts';

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

/** Two connected ends. @returns the channel of the first; `onEvent` sees the events of the second */
async function connect(
  from: UdpDriver,
  to: UdpDriver,
  onEvent: (event: RtcEvent) => void,
  onOwnEvent: (event: RtcEvent) => void = () => undefined,
): Promise<DataChannel> {
  const [offerer, answerer] = [new Rtc({ certificate, crypto }), new Rtc({ certificate, crypto })];
  const open = new Promise<DataChannel>((resolve) => {
    from.add(offerer, (event) => {
      if (event.type === 'channelopen') resolve(event.channel);
      onOwnEvent(event);
    });
  });
  to.add(answerer, onEvent);
  const draft = offerer.negotiation();
  draft.addChannel('data');
  const offer = draft.offer();
  offer.accept(answerer.receiveOffer(offer.sdp).answer());
  return open;
}

/** What a scanner, or somebody who means ill, sends: STUN checks for nobody, DTLS, RTP, noise, nothing. */
function garbage(count: number): Uint8Array[] {
  const random = new SeededRandom(1);
  const check = Uint8Array.of(0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42, ...new Uint8Array(12), 0, 6, 0, 9);
  const username = Uint8Array.from('noon:here\0\0\0', (character) => character.charCodeAt(0));
  return Array.from({ length: count }, (_, i) => {
    const noise = randomBytes(random, i % 100);
    switch (i % 4) {
      case 0:
        return Uint8Array.of(...check, ...username);
      case 1:
        return Uint8Array.of(22, 254, 253, 0, ...noise);
      case 2:
        return Uint8Array.of(128, 96, ...noise);
      default:
        return noise;
    }
  });
}

describe('overload', () => {
  test('a flood of garbage: no state is made of it, a connection goes on, every datagram is counted', async () => {
    const server = await listen();
    const client = await listen();
    let echoes = 0;
    const channel = await connect(
      client,
      server,
      (event) => {
        if (event.type === 'message') event.channel.send(event.data);
      },
      (event) => {
        if (event.type === 'message') echoes++;
      },
    );
    const { routes } = server.endpoint.inspect();

    const flood = garbage(1000);
    const stranger: Socket = createSocket('udp4');
    const { port } = server.addresses[0]!;
    for (let round = 0; round < 20; round++) {
      for (const datagram of flood) stranger.send(datagram, port, '127.0.0.1');
      channel.send(`round ${String(round)}`);
      await sleep(10);
    }
    while (echoes < 20) await sleep(5);
    // The kernel may still hold some of it; where it tells what it dropped, everything must be accounted for in the end.
    const accountedFor = (): number => {
      const { droppedUnknownAddress, droppedUnknownUsername } = server.endpoint.inspect().counters;
      return droppedUnknownAddress + droppedUnknownUsername + (server.stats().kernelDrops ?? Infinity);
    };
    while (accountedFor() < 20_000) await sleep(5);
    stranger.close();

    const { connections, routes: routesAfter, counters } = server.endpoint.inspect();
    expect({ connections, routes: routesAfter }).toEqual({ connections: 1, routes });
    const { droppedUnknownAddress, droppedUnknownUsername } = counters;
    expect(droppedUnknownUsername).toBeGreaterThan(100);
    expect(droppedUnknownAddress).toBeGreaterThan(droppedUnknownUsername);
  });

  test('a receiver that never reads: send() says so, what waits is bounded, another connection goes on', async () => {
    const file = await bundled(new URL('programs/peer.ts', import.meta.url));
    const [deaf, lively] = await Promise.all([Program.start(file), Program.start(file)]);
    try {
      const server = await listen();
      const channels: DataChannel[] = [];
      const heard: unknown[] = [];
      for (const program of [deaf, lively]) {
        const rtc = new Rtc({ certificate, crypto });
        server.add(rtc, (event) => {
          if (event.type === 'channelopen') channels.push(event.channel);
          if (event.type === 'message') heard.push(event.data);
        });
        const draft = rtc.negotiation();
        draft.addChannel('data');
        const offer = draft.offer();
        offer.accept(await program.call('answer', offer.sdp));
        const before = channels.length;
        while (channels.length === before) await sleep(5);
      }

      deaf.child.kill('SIGSTOP');
      const message = 'x'.repeat(16_384);
      let accepted = 0;
      while (channels[0]?.send(message) === true) {
        accepted++;
        if (accepted % 16 === 0) await sleep(1);
      }
      expect(accepted * message.length).toBeLessThan(64 * 2 ** 20);
      expect(channels[0]?.readyState).toBe('open');
      expect(server.stats().queuedBytes).toBeLessThan(4 * 2 ** 20);

      channels[1]?.send('still there?');
      while (heard.length === 0) await sleep(5);
      expect(heard).toEqual(['echo:still there?']);
    } finally {
      await Promise.all([deaf.stop(), lively.stop()]);
    }
  });

  test('a sender faster than its receiver: the kernel drops, nothing is lost, the counter tells', async () => {
    const sender = await listen();
    const receiver = await listen({ recvBufferSize: 1 }); // the kernel's minimum: a few datagrams
    let received = 0;
    const channel = await connect(sender, receiver, (event) => {
      if (event.type !== 'message') return;
      received++;
      const busyUntil = performance.now() + 0.5;
      while (performance.now() < busyUntil);
    });
    // Its kernel takes a datagram or two at a time: most of what is sent at once is lost, and waits for a time-out.
    const message = new Uint8Array(8000);
    for (let sent = 0; sent < 40;) {
      if (channel.send(message)) sent++;
      else await sleep(5);
    }
    while (received < 40) await sleep(5);
    expect(receiver.stats().receiveBufferSize).toBeLessThan(10_000);
    if (process.platform === 'linux') expect(receiver.stats().kernelDrops).toBeGreaterThan(0);
    expect(sender.stats().queuedBytes).toBeLessThan(1_000_000);
  });
});
