/** Paths that are lost and found again, between pages and the library. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { RunningPeer } from '../interop/contract.ts';
import { Talk } from '../interop/talk.ts';
import { layWire, type Wire } from '../interop/wire.ts';
import { BROWSERS, startBrowser } from './browsers.ts';

const MEBIBYTE = 1024 * 1024;
/** Shorter than what makes a path count as lost. */
const SHORT_OUTAGE = 3000;
const ENDS = ['page', 'library'] as const;
type Which = (typeof ENDS)[number];

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe.each(BROWSERS)('%s', (browser) => {
  let running: RunningPeer;
  let wire: Wire;

  beforeAll(async () => {
    wire = await layWire();
    running = await startBrowser(browser);
    console.log(running.description);
  });
  afterAll(async () => {
    await running.stop();
    await wire.close();
  });

  async function connected(offerer: Which): Promise<Talk> {
    const page = { peer: running.peer };
    const library = { peer: wire.library };
    const isOurs = (from: 'offerer' | 'answerer'): boolean =>
      (from === 'offerer') === (offerer === 'library');
    return Talk.begin(offerer === 'page' ? page : library, offerer === 'page' ? library : page, {
      carry: (sdp, from) => wire.carry(sdp, isOurs(from)),
    });
  }

  test.each(ENDS)(
    '%s has offered; three seconds without any path, and no restart: nothing is lost',
    async (offerer) => {
      const talk = await connected(offerer);
      await talk.expectEcho();
      wire.cut();
      const transfer = talk.expectTransfer(MEBIBYTE);
      await sleep(SHORT_OUTAGE);
      wire.mend();
      await transfer;
      await talk.close();
    },
  );
});
