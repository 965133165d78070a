/** Which version of DTLS real Chromium and sansrtc agree on, in both roles, with either provider. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsVersions } from '../../src/dtls/index.ts';
import { Chromium } from './chromium.ts';
import type { Connection } from './host.ts';
import { Host } from './host.ts';

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
  page = await chromium.newPage();
  host = await Host.listen();
});

afterEach(async () => {
  await page.context().close();
  await host.close();
});

type Case = readonly [versions: DtlsVersions, provider: 'js' | 'node', tlsVersion: string];

const CASES: readonly Case[] = [
  [{ min: '1.2', max: '1.2' }, 'node', 'FEFD'],
  [{ min: '1.2', max: '1.3' }, 'node', 'FEFC'],
  [{ min: '1.2', max: '1.3' }, 'js', 'FEFC'],
  [{ min: '1.3', max: '1.3' }, 'node', 'FEFC'],
];

function connectionOf([versions, provider]: Case): Connection {
  const crypto = provider === 'js' ? jsCrypto() : nodeCrypto();
  return host.connection({ crypto, dtls: { versions } });
}

/** Data flows both ways, and both ends tell the same story of what they agreed on. */
async function expectNegotiated(connection: Connection, tlsVersion: string): Promise<void> {
  const message = { text: 'hello' };
  await page.evaluate((say) => peers.send('tab', 'chat', say), message);
  await connection.send('chat', await connection.receive('chat'));
  expect(await page.evaluate(() => peers.receive('tab', 'chat'))).toEqual(message);
  const theirs = await page.evaluate(() => peers.transport('tab'));
  const ours = connection.rtc.inspect().dtls;
  console.log(
    `Chromium as ${String(theirs.dtlsRole)}: ${String(theirs.tlsVersion)} ${String(theirs.dtlsCipher)}`,
  );
  expect([theirs.tlsVersion, theirs.dtlsCipher]).toEqual([ours?.tlsVersion, ours?.dtlsCipher]);
  expect(theirs.tlsVersion).toBe(tlsVersion);
  expect(ours?.counters).toMatchObject({ recordsForged: 0, recordsMalformed: 0, fragmentsWrongEpoch: 0 });
}

describe.each(CASES)('versions %o, provider %s', (...setting) => {
  const [, , tlsVersion] = setting;

  test('sansrtc is the client', async () => {
    const connection = connectionOf(setting);
    const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
    const answer = connection.rtc.receiveOffer(offer).answer();
    await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
    await expectNegotiated(connection, tlsVersion);
  });

  test('sansrtc is the server', async () => {
    const connection = connectionOf(setting);
    const draft = connection.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    await page.evaluate((sdp) => peers.answer('tab', sdp), offer.sdp);
    offer.accept(await page.evaluate(() => peers.completeDescription('tab')));
    await expectNegotiated(connection, tlsVersion);
  });
});
