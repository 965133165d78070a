/** Simulcast from pages: three layers come, one goes on, and another one with its next keyframe whenever it is asked for. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { LayerSelector } from '../../src/media/index.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import { PATIENCE, Round } from './round.ts';

/** Chromium sends no third layer of anything smaller. */
const PICTURE = { width: 960, height: 540, frameRate: 10 };
/** How wide the picture of each layer is; less, where a browser has too much to do. */
const WIDTHS = { l: 240, m: 480, h: 960 } as const;
const RIDS = ['l', 'm', 'h'];
const TARGETS = ['l', 'h', 'm', 'l', 'm', 'h', 'l'] as const;

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

  test('three layers; each switch is a keyframe of the new one', { timeout: 1_800_000 }, async () => {
    let selector: LayerSelector | undefined;
    const round = await Round.begin(
      host,
      browser,
      { kind: 'video', picture: PICTURE, rids: RIDS },
      {
        forwarder: (sent) => {
          selector = new LayerSelector({ codecs: sent.parameters?.send.codecs, layers: RIDS });
          return selector;
        },
      },
    );
    if (selector === undefined) throw new Error('there is no selector');
    await vi.waitFor(() => {
      expect([...round.streams].map(({ rid }) => rid).sort(), round.report()).toEqual(['h', 'l', 'm']);
    }, PATIENCE);

    const widths = new Map<string, number>();
    for (const target of TARGETS) {
      const before = (await round.played())?.keyFramesDecoded ?? 0;
      selector.setTarget(target);
      await vi.waitFor(async () => {
        expect(selector?.selected?.rid, round.report()).toBe(target);
        const played = await round.played();
        expect(played?.keyFramesDecoded, round.report()).toBeGreaterThan(before);
        expect(played?.frameWidth).toBeLessThanOrEqual(WIDTHS[target]);
      }, PATIENCE);
      const { frameWidth } = await round.expectPlayed(10);
      widths.set(target, frameWidth);
    }
    const [low = 0, medium = 0, high = 0] = RIDS.map((rid) => widths.get(rid));
    expect([low < medium, medium < high]).toEqual([true, true]);
    const played = await round.played();
    console.log(`${browser.description}: ${TARGETS.length} switches, ${JSON.stringify(played)}`);
    await round.end();
  });
});
