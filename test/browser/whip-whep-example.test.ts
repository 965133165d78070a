/** examples/whip-whep as its users meet it: browsers and Debian's simple-whip-client publish, browsers watch. */
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { hostAddresses } from '../../src/node/index.ts';
import { describeForeign } from '../interop/availability.ts';
import { missingWhipClient, WhipClient } from '../interop/whip-client.ts';
import { Terminal } from '../node/terminal.ts';
import { BROWSERS, type BrowserName } from './browsers.ts';
import { ExampleBrowser, type ExamplePage } from './example-page.ts';

const SERVER = fileURLToPath(new URL('../../examples/whip-whep/server.mjs', import.meta.url));

// Several browsers at once, and what they encode and decode, are work.
vi.setConfig({ testTimeout: 180_000 });

const browsers = new Map<BrowserName, ExampleBrowser>();
const pages: ExamplePage[] = [];
let server: Terminal;
let url: string;

beforeAll(async () => {
  for (const name of BROWSERS) browsers.set(name, await ExampleBrowser.launch(name));
});
afterAll(() => Promise.all([...browsers.values()].map((browser) => browser.close())));

beforeEach(() => start());
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
  server.process.kill('SIGKILL');
});

async function start(...options: string[]): Promise<void> {
  server = new Terminal(SERVER, '--http-port', '0', ...options);
  url = await server.sees(/http:\S+/);
}

async function open(name: BrowserName, path = ''): Promise<ExamplePage> {
  const page = await browsers.get(name)?.open(`${url}${path}`);
  if (page === undefined) throw new Error(`${name} has not been started`);
  pages.push(page);
  return page;
}

async function publish(name: BrowserName): Promise<ExamplePage> {
  const page = await open(name, 'publish');
  await page.click('#start');
  await page.says('#state', /connected/);
  return page;
}

async function expectPlaying(page: ExamplePage): Promise<void> {
  await page.grows('inbound', 'video', 'framesDecoded', 10);
  await page.grows('inbound', 'audio', 'packetsReceived', 25);
}

describe.each(BROWSERS)('%s publishes', (publisher) => {
  test('who comes at once and who comes late see it, in both browsers', async () => {
    const early = await open('Chromium');
    const page = await publish(publisher);
    await expectPlaying(early);
    // Later than the first keyframe by more than a picture: they have to be given another one.
    for (const name of BROWSERS) await expectPlaying(await open(name));
    // They were given it because the stage asked for it.
    expect((await page.stream('outbound', 'video'))['pliCount']).toBeGreaterThanOrEqual(1);
  });

  test('ICE is restarted by both, and nobody misses a thing', async () => {
    const page = await publish(publisher);
    const viewer = await open('Chromium');
    await expectPlaying(viewer);
    const fragments = (): Promise<(string | undefined)[]> =>
      page.run(
        () =>
          [connections.at(-1)?.localDescription, connections.at(-1)?.remoteDescription].map(
            (one) => /a=ice-ufrag:(\S+)/.exec(one?.sdp ?? '')?.[1],
          ),
        undefined,
      );
    const before = await fragments();
    await page.click('#restart');
    await page.says('#state', /restarted|connected/);
    const after = await fragments();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    await expectPlaying(viewer);
    // Long enough for the path of before to have lost its consent, if it were the one in use.
    await expectPlaying(viewer);
  });

  test('another takes over: who watched goes on watching', async () => {
    const first = await publish(publisher);
    const viewer = await open('Chromium');
    await expectPlaying(viewer);
    const other = await open('Chromium', 'publish');
    await other.click('#start');
    await other.says('#state', /409: somebody else publishes/);
    await first.click('#stop');
    await first.says('#state', /stopped/);
    await other.click('#start');
    await other.says('#state', /connected/);
    await expectPlaying(viewer);
    expect((await viewer.stream('inbound', 'video'))['packetsLost']).toBeLessThan(50);
  });
});

test.each(['VP9', 'H264', 'AV1'])('--video %s: all have that one', async (codec) => {
  server.process.kill('SIGKILL');
  await start('--video', codec);
  await publish('Chromium');
  await expectPlaying(await open('Chromium'));
  await expectPlaying(await open('Chromium'));
});

describeForeign('simple-whip-client', missingWhipClient(), () => {
  test.each([
    ['it trickles', []],
    ['it does not trickle', ['--no-trickle']],
  ] as const)('publishes, and a browser watches: %s', async (_, options) => {
    server.process.kill('SIGKILL');
    // It gathers no loopback address, so that the server has to be at one of the machine's own.
    const [host] = hostAddresses();
    if (host === undefined) throw new Error('this machine has no address but loopback ones');
    await start('--host', host);
    const client = WhipClient.start(`${url}whip`, ...options);
    try {
      await client.sees(/PeerConnection connected/);
      await expectPlaying(await open('Chromium'));
      await expectPlaying(await open('Chromium'));
    } finally {
      await client.stop();
    }
    const state = (await (await fetch(`${url}state`)).json()) as { isLive: boolean };
    expect(state.isLive).toBe(false);
  });
});
