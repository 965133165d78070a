/** Pages that negotiate by themselves, by W3C's perfect negotiation, and a `PerfectNegotiator`: either end may be the polite one. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { PerfectNegotiator } from '../../src/index.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import { MediaSession, takeNew } from './media-session.ts';

let host: Host;

beforeEach(async () => {
  host = await Host.listen();
});

afterEach(() => host.close());

describe.each(BROWSERS)('%s', (browserName) => {
  let browser: RunningBrowser;

  beforeAll(async () => {
    browser = await startBrowser(browserName);
  });
  afterAll(() => browser.stop());

  test.each([true, false])('offers that cross, again and again; the page is polite: %s', async (polite) => {
    const session = await MediaSession.begin(host, browser);
    const { name, rtc } = session;
    const { media, peer } = browser;
    const negotiator = new PerfectNegotiator(rtc, { polite: !polite, onOffer: takeNew });
    session.connection.onEvent = (event) => negotiator.handleEvent(event);
    await media.negotiate(name, polite);

    /** Carries descriptions either way until neither end has any more to say. */
    async function settle(): Promise<void> {
      let quiet = 0;
      while (quiet < 5) {
        const theirs = await media.takeSignals(name);
        const ours = [];
        for (let signal = negotiator.pollSignal(); signal !== undefined; signal = negotiator.pollSignal())
          ours.push(signal);
        // Both are on their way before either arrives.
        for (const signal of theirs) expect(negotiator.handleSignal(signal)).toEqual([]);
        for (const signal of ours) if ('description' in signal) await media.handleSignal(name, signal);
        quiet = theirs.length + ours.length === 0 ? quiet + 1 : 0;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }

    // The first exchange is the page's: a first offer of Chromium's for data that is rolled back is never made again, and it asks
    // for an exchange for ever; Firefox has numbers of its own for media that it adds, whatever they mean in the sections before.
    await peer.openChannel(name, { label: 'chat' });
    await media.add(name, 'video');
    await vi.waitFor(async () => expect((await media.states(name)).signaling).toBe('have-local-offer'));
    await settle();
    await session.expectConnected();
    await session.expectEcho('chat');
    await session.expectAgreement('sendrecv');

    for (let round = 1; round <= 3; round++) {
      await media.add(name, 'video');
      negotiator.draft.addMedia('video');
      negotiator.negotiate();
      await vi.waitFor(async () => expect((await media.states(name)).signaling).toBe('have-local-offer'));
      await settle();
      expect(rtc.media).toHaveLength(1 + 2 * round);
      await session.expectAgreement(
        ...rtc.media.map(({ currentDirection }) => currentDirection ?? expect.unreachable()),
      );
      await session.expectEcho('chat', { text: `after round ${round}` });
    }
    await peer.close(name);
  });
});
