/** The README's code runs: each JavaScript block is taken out, written to a file and imported. */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { Rtc, selfSignedCertificate } from '../../src/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { programFolder, Programs } from './programs.ts';

const programs = new Programs('README.md');

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

describe('README', () => {
  test('two peers, no network', async () => {
    const { printed } = await programs.run('Two peers, no network');
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/^"hello" after \d+ ms of virtual time$/);
  });

  test('the poll loop, over real UDP: heard, and both ends closed at once', async () => {
    const { exports, printed } = await programs.run('The poll loop', '\nexport { bob };');
    expect(printed).toEqual(['over real UDP']);
    // A socket that is closed before the last datagram has gone out leaves the peer to wait for a gate.
    const { bob } = exports as { bob: Rtc };
    await vi.waitFor(() => expect(bob.inspect().closed).toMatchObject({ code: 'remote-close' }), 5000);
  });

  test('the poll loop has about thirty lines', () => {
    const loop = /async function drive[\s\S]*?^}/m.exec(programs.code.get('The poll loop') ?? '')?.[0] ?? '';
    const lines = loop.split('\n').length;
    expect(lines).toBeGreaterThan(10);
    expect(lines).toBeLessThanOrEqual(32);
  });

  test('a server in Node: a client joins and hears its echo', async () => {
    const { exports } = await programs.run('A server in Node', '\nexport { driver, join };');
    const { driver, join } = exports as { driver: UdpDriver; join: (offer: string) => string };
    const client = await UdpDriver.listen();
    try {
      const rtc = new Rtc({ certificate: selfSignedCertificate() });
      const echo = new Promise((resolve) => {
        client.add(rtc, (event) => {
          if (event.type === 'channelopen') event.channel.send('anybody there?');
          if (event.type === 'message') resolve(event.data);
        });
      });
      const draft = rtc.negotiation();
      draft.addChannel('echo');
      const offer = draft.offer();
      offer.accept(join(offer.sdp));
      expect(await echo).toBe('anybody there?');
    } finally {
      await Promise.all([client.close(), driver.close()]);
    }
  });

  test('media: a client hears its own packets', async () => {
    const { exports } = await programs.run('Media', '\nexport { driver, mirror };');
    const { driver, mirror } = exports as { driver: UdpDriver; mirror: (offer: string) => string };
    const client = await UdpDriver.listen();
    try {
      const rtc = new Rtc({ certificate: selfSignedCertificate(), media: rtpMedia() });
      const heard = new Promise<Uint8Array>((resolve) => {
        client.add(rtc, (event) => {
          if (event.type === 'rtp') resolve(event.packet.payload);
        });
      });
      const draft = rtc.negotiation();
      const media = draft.addMedia('audio', { direction: 'sendrecv' });
      const offer = draft.offer();
      offer.accept(mirror(offer.sdp));
      let timestamp = 0;
      const talk = setInterval(() => {
        media.sender()?.write({ payload: Uint8Array.of(0x78, 1, 2), timestamp: (timestamp += 960) });
      }, 20);
      expect(await heard).toEqual(Uint8Array.of(0x78, 1, 2));
      clearInterval(talk);
    } finally {
      await Promise.all([client.close(), driver.close()]);
    }
  });

  test('a client in Node: gathers, offers, and is heard', async () => {
    const { exports } = await programs.run('A client in Node', '\nexport { call, driver };');
    const { call, driver } = exports as {
      call: (iceServers: object[], signal: (offer: string) => string) => Promise<Rtc>;
      driver: UdpDriver;
    };
    const crypto = nodeCrypto();
    const heard: unknown[] = [];
    const peer = await UdpDriver.listen({
      address: '0.0.0.0',
      onEvent: (event) => {
        if (event.type === 'message') heard.push(event.data);
      },
    });
    await call([], (offer) => {
      const rtc = new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto });
      peer.add(rtc);
      return rtc.receiveOffer(offer).answer();
    });
    await vi.waitFor(() => expect(heard).toEqual(['hello']), 5000);
    await Promise.all([driver.close(), peer.close()]);
  });
});
