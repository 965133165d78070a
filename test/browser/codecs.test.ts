/** Every codec that browsers send goes to the library, and comes back to be played. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import type { PageCapability } from './page-media.ts';
import { Round } from './round.ts';

/** What carries no media of its own. */
const COMPANIONS = /\/(?:rtx|red|ulpfec|flexfec-03|CN|telephone-event)$/i;

/** What must be among them. */
const LEAST = {
  Chromium: ['audio/opus', 'video/VP8', 'video/VP9', 'video/AV1'],
  Firefox: ['audio/opus', 'video/VP8', 'video/VP9'],
} as const;

const PICTURE = { width: 320, height: 240, frameRate: 15 };

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

  function shown({ mimeType, clockRate, sdpFmtpLine = '' }: PageCapability): string {
    return `${mimeType}/${clockRate} ${sdpFmtpLine}`.trim();
  }

  async function codecs(kind: 'audio' | 'video'): Promise<PageCapability[]> {
    const all = await browser.media.capabilities(kind);
    console.log(`${browser.description} sends ${all.map(shown).join(', ')}`);
    const media = all.filter(({ mimeType }) => !COMPANIONS.test(mimeType));
    const least = LEAST[browserName].filter((mimeType) => mimeType.startsWith(kind));
    expect(media.map(({ mimeType }) => mimeType)).toEqual(expect.arrayContaining([...least]));
    return media;
  }

  test('audio', { timeout: 600_000 }, async () => {
    for (const codec of await codecs('audio')) {
      const round = await Round.begin(host, browser, { kind: 'audio', codec });
      const { mimeType, totalAudioEnergy } = await round.expectPlayed(30);
      expect(mimeType).toBe(codec.mimeType);
      expect(totalAudioEnergy).toBeGreaterThan(0);
      await round.end();
    }
  });

  test('video', { timeout: 600_000 }, async () => {
    for (const codec of await codecs('video')) {
      const round = await Round.begin(host, browser, { kind: 'video', codec, picture: PICTURE });
      const played = await round.expectPlayed(30);
      const { width, height } = PICTURE;
      expect(played).toMatchObject({ mimeType: codec.mimeType, frameWidth: width, frameHeight: height });
      await round.end();
    }
  });
});
