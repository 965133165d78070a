/**
 * Video that goes from a page through the library to a page, over a way that loses nothing or a twentieth of everything, beside video
 * that goes from page to page over as bad a way at the same time: it does not freeze more than twice as much.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DroppingRelay } from '../interop/dropping-relay.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import type { PagePlayed } from './page-media.ts';
import { PageToPage, Round } from './round.ts';

const PUBLISHED = { kind: 'video', picture: { width: 320, height: 240, frameRate: 15 } } as const;

/** How long it is looked at, ms. */
const WATCHED = 15_000;
/**
 * Freezes that mean nothing: a computer that has other things to do stops either picture now and then, and at this loss a few more or
 * less are a matter of luck.
 */
const LUCK = 4;
/** Trials: the worst that luck can do does not come three times in a row. */
const TRIALS = 3;

let host: Host;

beforeAll(async () => {
  host = await Host.listen();
});
afterAll(() => host.close());

describe.each(BROWSERS)('%s', (browserName) => {
  let browser: RunningBrowser;

  beforeAll(async () => {
    browser = await startBrowser(browserName);
  });
  afterAll(() => browser.stop());

  /** What is played of both, at the same time. */
  async function watched(loss: number): Promise<Record<'ours' | 'theirs', PagePlayed>> {
    const relays = await Promise.all([1, 2, 3].map(() => DroppingRelay.open()));
    const [first, second, third] = relays as [DroppingRelay, DroppingRelay, DroppingRelay];
    const pageToPage = await PageToPage.begin(browser, PUBLISHED, first);
    const round = await Round.begin(host, browser, PUBLISHED, { relay: [second, third] });
    await round.expectPlayed(15);
    for (const relay of relays) relay.loss = loss;
    await new Promise((resolve) => setTimeout(resolve, WATCHED));
    const [ours, theirs] = [await round.played(), await pageToPage.played()];
    if (ours === undefined || theirs === undefined) throw new Error('nothing is played');
    // It goes on.
    for (const relay of relays) relay.loss = 0;
    await round.expectPlayed(15);
    const dropped = relays.map(({ counters }) => `${counters.dropped} of ${counters.heard}`);
    console.log(`${browser.description}, ${loss * 100} % loss (${dropped.join(', ')})
  through the library ${JSON.stringify(ours)}
  page to page        ${JSON.stringify(theirs)}`);
    await Promise.all([round.end(), pageToPage.end()]);
    for (const relay of relays) relay.close();
    return { ours, theirs };
  }

  test.each([0, 0.05])('loss of %d', { timeout: 600_000 }, async (loss) => {
    for (let trial = 1; ; trial++) {
      const { ours, theirs } = await watched(loss);
      expect(ours.framesDecoded).toBeGreaterThan(0);
      const bound = 2 * theirs.freezeCount + LUCK;
      if (trial < TRIALS && ours.freezeCount > bound) continue;
      expect(ours.freezeCount).toBeLessThanOrEqual(bound);
      return;
    }
  });
});
