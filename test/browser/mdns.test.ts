/** Names in place of addresses (mDNS): a stock Chromium tab is found by its names, and the library tells none but names. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { LocalNames } from '../../src/node/local-names.ts';
import { Chromium } from './chromium.ts';
import { Host } from './host.ts';

const UUID_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local$/;

let chromium: Chromium;
let page: Page;
let host: Host;

beforeAll(async () => {
  chromium = await Chromium.launch();
});

afterAll(async () => {
  await chromium.close();
});

beforeEach(async () => {
  page = await chromium.newPage('mdns');
  host = await Host.listen({ address: '0.0.0.0', mdns: { publish: true } });
});

afterEach(async () => {
  await page.context().close();
  await host.close();
});

/** Addresses of the candidates in a description. */
function addresses(sdp: string): string[] {
  return [...sdp.matchAll(/^a=candidate:\S+ \d+ \S+ \d+ (\S+) /gm)].map(([, address]) => address ?? '');
}

function withoutCandidates(sdp: string): string {
  return sdp.replaceAll(/^a=(candidate|end-of-candidates).*\r\n/gm, '');
}

/** Whether a name that is published on this machine is found on it: a container may have no multicast. */
async function passesMulticast(): Promise<boolean> {
  const names = await LocalNames.open({ publish: true }).catch(() => undefined);
  if (names === undefined) return false;
  const asking = await LocalNames.open();
  const found = await asking.lookup(names.publish('192.0.2.1'));
  names.close();
  asking.close();
  return found.length > 0;
}

test('the library is told names of the page alone, and the page nothing: the names are resolved', async (context) => {
  if (!(await passesMulticast())) context.skip('no multicast passes on this machine');
  await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
  const offer = await page.evaluate(() => peers.completeDescription('tab'));
  const connection = host.connection();
  const answer = connection.rtc.receiveOffer(offer).answer();
  for (const sdp of [offer, answer]) {
    const named = addresses(sdp);
    expect(named.length).toBeGreaterThan(0);
    for (const address of named) expect(address).toMatch(UUID_NAME);
  }
  await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), withoutCandidates(answer));
  await connection.send('chat', { text: 'out' });
  expect(await page.evaluate(() => peers.receive('tab', 'chat'))).toEqual({ text: 'out' });
  await page.evaluate(() => peers.send('tab', 'chat', { text: 'back' }));
  expect(await connection.receive('chat')).toEqual({ text: 'back' });
  expect(host.driver.stats().mdns?.answered).toBeGreaterThan(0);
});
