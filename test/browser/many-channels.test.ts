/** Real Chromium: every kind of reliability, channels opened and closed by the hundred, and both sides closing at once. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { DataChannelOptions } from '../../src/index.ts';
import { Chromium } from './chromium.ts';
import type { Connection } from './host.ts';
import { Host } from './host.ts';

/** `CHANNELS=1000` for a longer run. */
const CHANNELS = Number(process.env['CHANNELS'] ?? 300);
/** Open at once. */
const BATCH = 50;

let chromium: Chromium;
let page: Page;
let host: Host;
let connection: Connection;

beforeAll(async () => {
  chromium = await Chromium.launch();
});

afterAll(async () => {
  await chromium.close();
});

beforeEach(async () => {
  page = await chromium.newPage();
  host = await Host.listen();
  connection = host.connection();
  const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
  const answer = connection.rtc.receiveOffer(offer).answer();
  await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
  await connection.opened('chat');
});

afterEach(async () => {
  await page.context().close();
  await host.close();
});

function labels(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `channel ${String(from + i)}`);
}

test.each<[string, DataChannelOptions]>([
  ['ordered, reliable', {}],
  ['unordered, reliable', { ordered: false }],
  ['ordered, retransmitted twice', { maxRetransmits: 2 }],
  ['unordered, never retransmitted', { ordered: false, maxRetransmits: 0 }],
  ['ordered, 500 ms', { maxPacketLifeTime: 500 }],
  ['unordered, 500 ms', { ordered: false, maxPacketLifeTime: 500 }],
  ['of high priority', { priority: 'high' }],
])('a channel that is %s carries messages both ways', async (_name, options) => {
  connection.rtc.createChannel('kind', options);
  await connection.opened('kind');
  const { ordered, maxRetransmits } = await page.evaluate(() => peers.describe('tab', 'kind'));
  expect([ordered, maxRetransmits]).toEqual([options.ordered ?? true, options.maxRetransmits ?? null]);
  await connection.send('kind', { text: 'out' });
  expect(await page.evaluate(() => peers.receive('tab', 'kind'))).toEqual({ text: 'out' });
  await page.evaluate(() => peers.send('tab', 'kind', { text: 'back' }));
  expect(await connection.receive('kind')).toEqual({ text: 'back' });
});

test(
  `${String(CHANNELS)} channels opened, used and closed: identifiers are used again`,
  { timeout: 120_000 },
  async () => {
    const ids = new Set<number | undefined>();
    for (let from = 0; from < CHANNELS; from += BATCH) {
      const batch = labels(from, Math.min(BATCH, CHANNELS - from));
      for (const label of batch) connection.rtc.createChannel(label);
      for (const label of batch) {
        ids.add((await connection.opened(label)).id);
        await connection.send(label, { text: label });
      }
      const heard = await page.evaluate(
        (all) => Promise.all(all.map((label) => peers.receive('tab', label))),
        batch,
      );
      expect(heard).toEqual(batch.map((text) => ({ text })));
      for (const label of batch) (await connection.opened(label)).close();
      await Promise.all(batch.map((label) => connection.channelClosed(label)));
    }
    expect(ids.size).toBeLessThanOrEqual(BATCH);
    expect(connection.rtc.inspect().channels).toMatchObject({ quarantinedStreams: 0, refusedStreams: 0 });
  },
);

test('both sides close fifty channels at the same moment: each closes once, the connection lives', async () => {
  const batch = labels(0, BATCH);
  for (const label of batch) connection.rtc.createChannel(label);
  const channels = await Promise.all(batch.map((label) => connection.opened(label)));
  await page.evaluate((all) => Promise.all(all.map((label) => peers.opened('tab', label))), batch);
  const theirs = page.evaluate(
    (all) => Promise.all(all.map((label) => peers.closeChannel('tab', label))),
    batch,
  );
  for (const channel of channels) channel.close();
  await theirs;
  const logs = await Promise.all(batch.map((label) => connection.channelClosed(label)));
  for (const log of logs) expect(log.filter((type) => type === 'channelclose')).toHaveLength(1);
  await connection.send('chat', { text: 'still here' });
  expect(await page.evaluate(() => peers.receive('tab', 'chat'))).toEqual({ text: 'still here' });
});
