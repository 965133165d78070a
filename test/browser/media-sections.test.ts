/** Pages that offer audio, video and data under each bundle policy: what is not chosen is answered `inactive`, and connects all the same. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Chromium } from './chromium.ts';
import { Firefox } from './firefox.ts';
import { Host } from './host.ts';

const POLICIES: readonly RTCBundlePolicy[] = ['balanced', 'max-compat', 'max-bundle'];
const KINDS = [['audio', 'video'], ['video'], ['audio']] as const;
const CASES = POLICIES.flatMap((policy) => KINDS.map((kinds) => [policy, kinds] as const));
const CHANNELS = [{ label: 'chat' }];

let host: Host;

beforeEach(async () => {
  host = await Host.listen();
});

afterEach(() => host.close());

describe('Chromium', () => {
  let chromium: Chromium;
  let page: Page;

  beforeAll(async () => {
    chromium = await Chromium.launch();
    page = await chromium.newPage();
  });
  afterAll(() => chromium.close());

  test.each(CASES)('C12: %s, %o and data: connects, and offers again', async (policy, kinds) => {
    const name = `${policy} ${kinds.join()}`;
    const connection = host.connection();
    const offer = await page.evaluate(([who, ...parameters]) => peers.offerMedia(who, ...parameters), [
      name,
      policy,
      kinds,
      CHANNELS,
    ] as const);
    await page.evaluate(([who, sdp]) => peers.acceptAnswer(who, sdp), [
      name,
      connection.rtc.receiveOffer(offer).answer(),
    ] as const);
    await connection.opened('chat');
    const message = { text: 'hello' };
    await page.evaluate(([who, say]) => peers.send(who, 'chat', say), [name, message] as const);
    expect(await connection.receive('chat')).toEqual(message);
    const again = await page.evaluate((who) => peers.offer(who, []), name);
    await page.evaluate(([who, sdp]) => peers.acceptAnswer(who, sdp), [
      name,
      connection.rtc.receiveOffer(again).answer(),
    ] as const);
    await page.evaluate(([who, say]) => peers.send(who, 'chat', say), [name, message] as const);
    expect(await connection.receive('chat')).toEqual(message);
  });
});

describe('Firefox', () => {
  let firefox: Firefox;

  beforeAll(async () => {
    firefox = await Firefox.launch();
  });
  afterAll(() => firefox.stop());

  test.each(CASES)('C12: %s, %o and data: connects, and offers again', async (policy, kinds) => {
    const name = `${policy} ${kinds.join()}`;
    const { peer } = firefox;
    const connection = host.connection();
    const offer = await firefox.offerMedia(name, policy, kinds, CHANNELS);
    await peer.acceptAnswer(name, connection.rtc.receiveOffer(offer).answer());
    await connection.opened('chat');
    const message = { text: 'hello' };
    await peer.send(name, 'chat', message);
    expect(await connection.receive('chat')).toEqual(message);
    await peer.acceptAnswer(name, connection.rtc.receiveOffer(await peer.offer(name, [])).answer());
    await peer.send(name, 'chat', message);
    expect(await connection.receive('chat')).toEqual(message);
  });
});
