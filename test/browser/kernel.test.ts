/** The browser bundle in a page whose content security policy allows WebAssembly, and in one whose policy does not. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Chromium } from './chromium.ts';

const BUNDLE = fileURLToPath(new URL('../../dist/browser/sansrtc.js', import.meta.url));

let chromium: Chromium;

beforeAll(async () => {
  if (!existsSync(BUNDLE)) throw new Error(`no ${BUNDLE}: npm run build`);
  chromium = await Chromium.launch();
});

afterAll(async () => {
  await chromium.close();
});

/**
 * A script of the page's own: what DevTools evaluates may do what the policy forbids. Two connections talk through two arrays, and the
 * page says how many messages came back, and how many instances of WebAssembly modules were made.
 */
const SCRIPT = `
  let instances = 0;
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, parameters) {
      const instance = new target(...parameters);
      instances++;
      return instance;
    },
  });
  const { Rtc, jsCrypto, selfSignedCertificate } = await import('/sansrtc.js');
  const MESSAGES = 10;
  let echoes = 0;
  let now = 0;
  const message = new Uint8Array(60_000).fill(7);
  const isEqual = (data) => data.length === message.length && data.every((byte) => byte === 7);

  const [caller, callee] = ['192.0.2.1', '192.0.2.2'].map((address) => {
    const rtc = new Rtc({ certificate: selfSignedCertificate(), crypto: jsCrypto(), now });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 1 });
    return { rtc, inbox: [], deadline: 0 };
  });
  const draft = caller.rtc.negotiation();
  draft.addChannel('echo');
  const offer = draft.offer();
  offer.accept(callee.rtc.receiveOffer(offer.sdp).answer());

  function note(end, { type, channel, data }) {
    if (end === callee && type === 'message') channel.send(data);
    if (end === caller && type === 'channelopen') for (let i = 0; i < MESSAGES; i++) channel.send(message);
    if (end === caller && type === 'message' && isEqual(data)) echoes++;
  }

  function turn(end, other) {
    for (const { protocol, source, destination, data } of end.inbox.splice(0)) {
      end.rtc.handleInput({ type: 'receive', now, protocol, source, destination, data });
    }
    end.rtc.handleInput({ type: 'timeout', now });
    for (;;) {
      const output = end.rtc.pollOutput();
      if (output.type === 'transmit') other.inbox.push(output);
      else if (output.type === 'event') note(end, output.event);
      else return;
    }
  }

  for (; echoes < MESSAGES && now < 10_000; now++) {
    turn(caller, callee);
    turn(callee, caller);
  }
  document.body.textContent = JSON.stringify({ echoes, instances });
`;

/** What the script says in a page with this policy for scripts. */
async function outcome(policy: string): Promise<{ echoes: number; instances: number; problems: string[] }> {
  const page = await chromium.newPage();
  const problems: string[] = [];
  page.on('pageerror', ({ message }) => problems.push(message));
  await page.route('**/page', (route) =>
    route.fulfill({
      contentType: 'text/html',
      headers: { 'content-security-policy': `script-src ${policy}` },
      body: '<!doctype html><body></body><script type="module" src="/script.js"></script>',
    }),
  );
  await page.route('**/script.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: SCRIPT }),
  );
  await page.route('**/sansrtc.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', path: BUNDLE }),
  );
  await page.goto(new URL('/page', page.url()).href);
  const said = await page.locator('body:has-text("echoes")').textContent();
  await page.context().close();
  return { ...(JSON.parse(said ?? '{}') as { echoes: number; instances: number }), problems };
}

describe('AES-GCM in a page', () => {
  test('runs in WebAssembly where the policy has wasm-unsafe-eval', async () => {
    expect(await outcome("'self' 'wasm-unsafe-eval'")).toEqual({ echoes: 10, instances: 1, problems: [] });
  });

  test('runs in JavaScript where it has not', async () => {
    expect(await outcome("'self'")).toEqual({ echoes: 10, instances: 0, problems: [] });
  });
});
