/** What a bundler makes of the package: it runs where nothing ambient exists, weighs what we say, and shakes to nothing. */
import { gzipSync } from 'node:zlib';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

/** Kilobytes of the whole package, minified and compressed; raise it on purpose only. Seven of them are ML-KEM, eight the kernel of AES-GCM, counter mode and HMAC-SHA-1, six the congestion controller, one ICE restarts, two graceful ends and the sections of a negotiation, one the warm-up, one getStats(), five candidates of every kind and restarts, three DTLS connection ids, 19 TURN and gathering. */
const BUDGET_KB = 225;

/** Kilobytes of `Rtc` alone, with its default provider: what a page with data channels weighs. 42 of them are the provider. */
const RTC_BUDGET_KB = 197.5;

/** Kilobytes of layers that are of use alone. */
const LAYER_BUDGETS_KB = { stun: 8, sdp: 13, rtp: 15, srtp: 6, streams: 6 };

async function bundle(contents: string, format: 'esm' | 'iife'): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir: new URL('../..', import.meta.url).pathname, loader: 'ts' },
    bundle: true,
    minify: true,
    format,
    target: 'es2022',
    platform: 'browser',
    globalName: 'sansrtc',
    write: false,
    logLevel: 'silent',
  });
  return result.outputFiles[0]?.text ?? '';
}

/** Kilobytes, of 1000 bytes. */
function compressed(code: string): number {
  return gzipSync(code, { level: 9 }).length / 1000;
}

/** Two connections on a simulated link, inside the bundle: what it says once a word has come back. */
const CONVERSATION = `
  const { Rtc, SeededRandom, selfSignedCertificate } = sansrtc;
  const certificate = selfSignedCertificate({ random: new SeededRandom(1) });
  const net = new sansrtc.Network({ seed: 1 });
  const heard = [];
  const ends = [1, 2].map((n) => {
    const rtc = new Rtc({ certificate, random: new SeededRandom(n) });
    const address = '192.0.2.' + n;
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
    net.host(address).attach(rtc, { onEvent: ({ event }) => {
      if (event.type === 'channelopen') event.channel.send('ünïcode');
      if (event.type === 'message') heard.push(event.data);
    } });
    return rtc;
  });
  const draft = ends[0].negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(ends[1].receiveOffer(offer.sdp).answer());
  net.run({ until: () => heard.length > 0, limit: 5000 });
  heard.join();
`;

describe('the bundle', () => {
  test('connects two peers in a context without timers, crypto, console, TextEncoder or Buffer', async () => {
    const code = await bundle(
      `export * from './src/index.ts'; export { Network } from './src/sim/index.ts';`,
      'iife',
    );
    const bare = createContext({});
    expect(
      runInContext('typeof setTimeout + typeof crypto + typeof TextEncoder + typeof console', bare),
    ).toMatch(/^(undefined){3}/);
    runInContext(code, bare);
    expect(runInContext(CONVERSATION, bare)).toBe('ünïcode');
  });

  test(`the whole package is within ${String(BUDGET_KB)} KB compressed`, async () => {
    const code = await bundle(`export * from './src/index.ts'`, 'esm');
    const kilobytes = compressed(code);
    console.info(`the whole package: ${kilobytes.toFixed(1)} KB`);
    expect(kilobytes).toBeGreaterThan(20);
    expect(kilobytes).toBeLessThan(BUDGET_KB);
  });

  test(`Rtc alone is within ${String(RTC_BUDGET_KB)} KB compressed`, async () => {
    const kilobytes = compressed(await bundle(`export { Rtc } from './src/index.ts'`, 'esm'));
    console.info(`Rtc: ${kilobytes.toFixed(1)} KB`);
    expect(kilobytes).toBeLessThan(RTC_BUDGET_KB);
  });

  test.each(Object.entries(LAYER_BUDGETS_KB))(
    'sansrtc/%s alone is within %d KB compressed',
    async (layer, budget) => {
      const kilobytes = compressed(await bundle(`export * from './src/${layer}/index.ts'`, 'esm'));
      console.info(`sansrtc/${layer}: ${kilobytes.toFixed(1)} KB`);
      expect(kilobytes).toBeLessThan(budget);
    },
  );

  test('importing without using costs nothing', async () => {
    expect((await bundle(`import './src/index.ts'`, 'esm')).trim()).toBe('');
  });
});
