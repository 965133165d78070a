/** Real Chromium against sansrtc over real UDP on loopback: everything a data-channel user does, from both sides. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { writeCandidateLine } from '../../src/sdp/index.ts';
import { Chromium } from './chromium.ts';
import { Host, type Connection } from './host.ts';
import type { PageChannelOptions, WireMessage } from './page-peer.ts';

const MEBIBYTE = 1024 * 1024;
const TEN_MEBIBYTES = 10 * MEBIBYTE;

let chromium: Chromium;
let page: Page;
let host: Host;

beforeAll(async () => {
  chromium = await Chromium.launch();
  console.log(`Chromium ${chromium.version}, Node ${process.versions.node}`);
});

afterAll(async () => {
  await chromium.close();
});

beforeEach(async () => {
  page = await chromium.newPage();
  host = await Host.listen();
});

afterEach(async () => {
  await page.context().close();
  await host.close();
});

/** Chromium offers `channels` in a bare description (no candidates in it); sansrtc answers with its own. */
async function browserOffers(channels: readonly PageChannelOptions[], name = 'tab'): Promise<Connection> {
  const connection = host.connection();
  const offer = await page.evaluate(([who, what]) => peers.offer(who, what), [name, channels] as const);
  const answer = connection.rtc.receiveOffer(offer).answer();
  await page.evaluate(([who, sdp]) => peers.acceptAnswer(who, sdp), [name, answer] as const);
  return connection;
}

/** A connection with one open channel, `chat`. */
async function connected(): Promise<Connection> {
  const connection = await browserOffers([{ label: 'chat' }]);
  await connection.opened('chat');
  return connection;
}

async function expectEcho(connection: Connection, label: string, name = 'tab'): Promise<void> {
  const message = { text: `hello from ${name}` };
  await page.evaluate(([who, what, say]) => peers.send(who, what, say), [name, label, message] as const);
  const heard = await connection.receive(label);
  await connection.send(label, heard);
  expect(await page.evaluate(([who, what]) => peers.receive(who, what), [name, label] as const)).toEqual(
    message,
  );
}

describe('connecting', () => {
  test('Chromium offers with all its candidates, sansrtc answers', async () => {
    await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
    const offer = await page.evaluate(() => peers.completeDescription('tab'));
    const connection = host.connection();
    const answer = connection.rtc.receiveOffer(offer).answer();
    await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
    await expectEcho(connection, 'chat');
    expect(connection.rtc.connectionState).toBe('connected');
  });

  test('sansrtc offers, Chromium answers with all its candidates', async () => {
    const connection = host.connection();
    const draft = connection.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    await page.evaluate((sdp) => peers.answer('tab', sdp), offer.sdp);
    offer.accept(await page.evaluate(() => peers.completeDescription('tab')));
    await expectEcho(connection, 'chat');
    expect(connection.rtc.connectionState).toBe('connected');
  });

  test('a stock tab, which gives names (mDNS) instead of addresses, is reached through peer-reflexive candidates', async () => {
    await page.context().close();
    page = await chromium.newPage('mdns');
    await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
    const offer = await page.evaluate(() => peers.completeDescription('tab'));
    expect(offer).toContain('.local');
    const connection = host.connection();
    const answer = connection.rtc.receiveOffer(offer).answer();
    await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
    await expectEcho(connection, 'chat');
  });

  test('trickled candidates, from Chromium alone: sansrtc tells none of its own', async () => {
    const connection = host.connection();
    const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
    const answer = withoutCandidates(connection.rtc.receiveOffer(offer).answer());
    await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
    for (const candidate of await page.evaluate(() => peers.candidates('tab'))) {
      connection.rtc.addRemoteCandidate(candidate);
    }
    await expectEcho(connection, 'chat');
  });

  test('trickled candidates, from sansrtc alone: Chromium tells none of its own', async () => {
    const connection = host.connection();
    const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
    const answer = withoutCandidates(connection.rtc.receiveOffer(offer).answer());
    await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
    for (const candidate of connection.rtc.localCandidates) {
      await page.evaluate((line) => peers.addCandidate('tab', line), writeCandidateLine(candidate));
    }
    await expectEcho(connection, 'chat');
  });

  test('eight connections at the same moment, one port, one certificate: all open and each talks to its own', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `tab ${String(i)}`);
    const connections = await Promise.all(names.map((name) => browserOffers([{ label: 'chat' }], name)));
    await Promise.all(connections.map((connection, i) => expectEcho(connection, 'chat', names[i])));
    expect(host.driver.addresses).toHaveLength(1);
    expect(host.driver.endpoint.size).toBe(8);
  });
});

describe('messages', () => {
  const messages: readonly (readonly [string, WireMessage])[] = [
    ['a string', { text: 'grüß dich, 世界 🦊' }],
    ['an empty string', { text: '' }],
    ['a binary message', { binary: '\x00\x01\x7f\x80\xff' }],
    ['an empty binary message', { binary: '' }],
    ['a string of 256 KiB', { text: 'sixteen letters.'.repeat(16_384) }],
    ['a binary message of 256 KiB', { binary: 'sixteen \x80\x81\xfe\xff\x00\x01\x02\x03'.repeat(16_384) }],
  ];

  test.each(messages)('%s travels both ways as what it is', async (_name, message) => {
    const connection = await connected();
    await page.evaluate((say) => peers.send('tab', 'chat', say), message);
    expect(await connection.receive('chat')).toEqual(message);
    await connection.send('chat', message);
    expect(await page.evaluate(() => peers.receive('tab', 'chat'))).toEqual(message);
  });

  test('10 MiB from Chromium arrive intact, with back-pressure', async () => {
    const connection = await connected();
    const [sent, received] = await Promise.all([
      page.evaluate((bytes) => peers.sendBulk('tab', 'chat', bytes), TEN_MEBIBYTES),
      connection.receiveBulk('chat', TEN_MEBIBYTES),
    ]);
    expect(received).toBe(sent.sha256);
    expect(sent.waits).toBeGreaterThan(0);
  });

  test('10 MiB to Chromium arrive intact, with back-pressure', async () => {
    const connection = await connected();
    const [received, sent] = await Promise.all([
      page.evaluate((bytes) => peers.receiveBulk('tab', 'chat', bytes), TEN_MEBIBYTES),
      connection.sendBulk('chat', TEN_MEBIBYTES),
    ]);
    expect(received).toBe(sent.sha256);
    expect(sent.waits).toBeGreaterThan(0);
  });

  test('it answers a path MTU probe: packets grow', async () => {
    const connection = await connected();
    // A browser that is too busy to read loses packets, and three large ones in a row look like a black hole for a second.
    await vi.waitFor(
      async () => {
        await Promise.all([
          page.evaluate((bytes) => peers.receiveBulk('tab', 'chat', bytes), MEBIBYTE),
          connection.sendBulk('chat', MEBIBYTE),
        ]);
        expect(connection.rtc.inspect().sctp.pathMtu).toMatchObject({ state: 'complete', size: 1470 });
      },
      { timeout: 15_000, interval: 300 },
    );
  });

  test('an unordered channel with maxRetransmits 0, opened by Chromium', async () => {
    const connection = await browserOffers([{ label: 'game', ordered: false, maxRetransmits: 0 }]);
    const channel = await connection.opened('game');
    expect(channel).toMatchObject({ ordered: false, maxRetransmits: 0, origin: 'remote' });
    await expectEcho(connection, 'game');
  });

  test('an unordered channel with maxRetransmits 0, opened by sansrtc', async () => {
    const connection = await connected();
    connection.rtc.createChannel('game', { ordered: false, maxRetransmits: 0 });
    await connection.opened('game');
    expect(await page.evaluate(() => peers.describe('tab', 'game'))).toMatchObject({
      ordered: false,
      maxRetransmits: 0,
    });
    await expectEcho(connection, 'game');
  });
});

describe('closing', () => {
  test('a channel, by Chromium: sansrtc sees it close, the connection lives', async () => {
    const connection = await browserOffers([{ label: 'chat' }, { label: 'other' }]);
    await connection.opened('chat');
    await page.evaluate(() => peers.closeChannel('tab', 'chat'));
    expect(await connection.channelClosed('chat')).toContain('channelclosing');
    await page.evaluate(() => peers.closed('tab', 'chat'));
    await expectEcho(connection, 'other');
  });

  test('a channel, by sansrtc: Chromium sees it close without an error, the connection lives', async () => {
    const connection = await browserOffers([{ label: 'chat' }, { label: 'other' }]);
    (await connection.opened('chat')).close();
    expect(await page.evaluate(() => peers.closed('tab', 'chat'))).toEqual(['closing', 'close']);
    await connection.channelClosed('chat');
    await expectEcho(connection, 'other');
  });

  test('the connection, by Chromium: sansrtc ends at once with "remote-close" and holds nothing', async () => {
    const connection = await connected();
    await page.evaluate(() => peers.close('tab'));
    expect(await connection.closed()).toMatchObject({ code: 'remote-close' });
    expect(await connection.channelClosed('chat')).toContain('channelclose');
    expect(connection.rtc.isEmpty).toBe(true);
    expect(host.driver.endpoint.inspect()).toMatchObject({ connections: 0, routes: 0, armed: 0, ready: 0 });
  });

  test('the connection, by sansrtc: the channel in Chromium closes', async () => {
    const connection = await connected();
    connection.rtc.close();
    expect(await connection.closed()).toMatchObject({ code: 'local-close' });
    expect(await page.evaluate(() => peers.closed('tab', 'chat'))).toContain('close');
    expect(host.driver.endpoint.size).toBe(0);
  });
});

function withoutCandidates(sdp: string): string {
  return sdp.replaceAll(/a=(candidate:.*|end-of-candidates)\r\n/g, '');
}
