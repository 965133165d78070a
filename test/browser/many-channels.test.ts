/** Real Chromium: every kind of channel from both sides, a thousand opened and closed, and both sides closing at once. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Chromium } from './chromium.ts';
import type { Connection } from './host.ts';
import { Host } from './host.ts';
import type { PageChannelOptions } from './page-peer.ts';

const CHANNELS = 1000;
/** Open at once, where not all are. */
const BATCH = 50;
/**
 * While one reset request is under way, Chromium gathers all streams for the next one. One of 599 streams, which does not
 * fit a packet, was never sent (one of 549 was): those channels do not close on either side.
 */
const CHROMIUM_BATCH = 250;

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

/** Waits until the channels have closed on both sides, without an error. */
async function closedAtBothEnds(batch: readonly string[]): Promise<void> {
  await Promise.all(batch.map((label) => connection.channelClosed(label)));
  const logs = await page.evaluate(
    (all) => Promise.all(all.map((label) => peers.closed('tab', label))),
    batch,
  );
  for (const log of logs) expect(log).not.toContain('error');
}

const KINDS: readonly (readonly [string, Omit<PageChannelOptions, 'label'>])[] = [
  ['ordered, reliable', {}],
  ['unordered, reliable', { ordered: false }],
  ['ordered, retransmitted twice', { maxRetransmits: 2 }],
  ['unordered, never retransmitted', { ordered: false, maxRetransmits: 0 }],
  ['ordered, 500 ms', { maxPacketLifeTime: 500 }],
  ['unordered, 500 ms', { ordered: false, maxPacketLifeTime: 500 }],
  ['of a protocol', { protocol: 'käse.v1' }],
  ['negotiated', { negotiated: true, id: 500, ordered: false, maxRetransmits: 1 }],
];

describe.each(KINDS)('a channel that is %s carries messages both ways', (_, options) => {
  const { ordered = true, maxRetransmits, maxPacketLifeTime, protocol = '', negotiated = false } = options;
  const kind = { ordered, protocol, negotiated };

  async function expectKindAtBothEnds(origin: 'local' | 'remote'): Promise<void> {
    const ours = await connection.opened('kind');
    expect(ours).toMatchObject({ ...kind, maxRetransmits, maxPacketLifeTime, origin });
    const theirs = await page.evaluate(() => peers.describe('tab', 'kind'));
    const limits = {
      maxRetransmits: maxRetransmits ?? null,
      maxPacketLifeTime: maxPacketLifeTime ?? null,
    };
    expect(theirs).toEqual({ ...kind, ...limits, id: ours.id });
    await page.evaluate(() => peers.send('tab', 'kind', { text: 'back' }));
    expect(await connection.receive('kind')).toEqual({ text: 'back' });
    await connection.send('kind', { text: 'out' });
    expect(await page.evaluate(() => peers.receive('tab', 'kind'))).toEqual({ text: 'out' });
  }

  test('opened by sansrtc', async () => {
    if (negotiated) await page.evaluate((same) => peers.create('tab', [{ label: 'kind', ...same }]), options);
    connection.rtc.createChannel('kind', options);
    await expectKindAtBothEnds('local');
  });

  if (negotiated) return;
  test('opened by Chromium', async () => {
    await page.evaluate((same) => peers.create('tab', [{ label: 'kind', ...same }]), options);
    await expectKindAtBothEnds('remote');
  });
});

test('a channel of high priority carries messages both ways', async () => {
  const chat = connection.rtc.createChannel('high', { priority: 'high' });
  await connection.opened('high');
  chat.priority = 'very-low';
  await connection.send('high', { text: 'out' });
  expect(await page.evaluate(() => peers.receive('tab', 'high'))).toEqual({ text: 'out' });
});

test(
  `${String(CHANNELS)} channels opened, used and closed, fifty at a time: identifiers are used again`,
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

test(
  `${String(CHANNELS)} channels open at once, half of them opened by Chromium, and again: the same identifiers`,
  { timeout: 120_000 },
  async () => {
    const ids = new Set<number | undefined>();
    const batch = labels(0, CHANNELS);
    const [ours, theirs] = [batch.slice(0, CHANNELS / 2), batch.slice(CHANNELS / 2)];
    for (const round of [1, 2]) {
      for (const label of ours) connection.rtc.createChannel(label);
      await page.evaluate(
        (all) =>
          peers.create(
            'tab',
            all.map((label) => ({ label })),
          ),
        theirs,
      );
      for (const label of batch) {
        ids.add((await connection.opened(label)).id);
        await connection.send(label, { text: `${label}, ${String(round)}` });
      }
      const heard = await page.evaluate(
        (all) => Promise.all(all.map((label) => peers.receive('tab', label))),
        batch,
      );
      expect(heard).toEqual(batch.map((label) => ({ text: `${label}, ${String(round)}` })));
      expect(connection.rtc.inspect().channels.channels).toHaveLength(CHANNELS + 1);
      // Whoever has opened a channel closes it.
      for (const label of ours) (await connection.opened(label)).close();
      await closedAtBothEnds(ours);
      for (let from = 0; from < theirs.length; from += CHROMIUM_BATCH) {
        const part = theirs.slice(from, from + CHROMIUM_BATCH);
        await page.evaluate((all) => Promise.all(all.map((label) => peers.closeChannel('tab', label))), part);
        await closedAtBothEnds(part);
      }
      connection.forget(batch);
      await page.evaluate((all) => peers.forget('tab', all), batch);
    }
    expect(ids.size).toBe(CHANNELS);
    const { channels } = connection.rtc.inspect();
    expect(channels).toMatchObject({ quarantinedStreams: 0, refusedStreams: 0, timers: {} });
    expect(channels.channels.map(({ label }) => label)).toEqual(['chat']);
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
