/**
 * A session with real Chromium, recorded and replayed. `RECORD_TRACES=1` also keeps the recordings, as the fixtures of
 * test/trace/chromium.test.ts: do that after a change of what goes over the wire.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { formatTrace, recordRtc, replay } from '../../src/trace/index.ts';
import { Chromium } from './chromium.ts';
import { Connection } from './host.ts';

const FIXTURES = new URL('../fixtures/traces/', import.meta.url);

let chromium: Chromium;
let page: Page;
let driver: UdpDriver;

beforeAll(async () => {
  chromium = await Chromium.launch();
});

afterAll(async () => {
  await chromium.close();
});

beforeEach(async () => {
  page = await chromium.newPage();
  driver = await UdpDriver.listen();
});

afterEach(async () => {
  await page.context().close();
  await driver.close();
});

test.each(['offers', 'answers'] as const)(
  'Chromium %s: the session replays to the same bytes',
  async (part) => {
    const { rtc, recorder } = recordRtc({ crypto: nodeCrypto() });
    const connection = new Connection(rtc);
    driver.add(rtc, (event) => connection.note(event));
    if (part === 'offers') {
      const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
      const answer = rtc.receiveOffer(offer).answer();
      await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
    } else {
      const draft = rtc.negotiation();
      draft.addChannel('chat');
      const offer = draft.offer();
      offer.accept(await page.evaluate((sdp) => peers.answer('tab', sdp), offer.sdp));
    }

    await connection.opened('chat');
    await page.evaluate(() => peers.send('tab', 'chat', { text: 'grüß dich, 世界 🦊' }));
    await connection.send('chat', await connection.receive('chat'));
    expect(await page.evaluate(() => peers.receive('tab', 'chat'))).toEqual({ text: 'grüß dich, 世界 🦊' });
    (await connection.opened('chat')).send(new Uint8Array(5000).map((_, i) => i));
    await page.evaluate(() => peers.receive('tab', 'chat'));
    await page.evaluate(() => peers.closeChannel('tab', 'chat'));
    await connection.channelClosed('chat');
    if (part === 'offers') await page.evaluate(() => peers.close('tab'));
    else rtc.close();
    await connection.closed();

    const text = formatTrace(recorder.trace);
    expect(replay(text)).toMatchObject({ identical: true });
    if (process.env['RECORD_TRACES'] !== undefined) {
      mkdirSync(FIXTURES, { recursive: true });
      writeFileSync(new URL(`chromium-${part}.jsonl`, FIXTURES), text);
    }
  },
);
