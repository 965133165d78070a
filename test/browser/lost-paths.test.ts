/** Paths that are lost and found again, between pages and the library: by patience, and by ICE restarts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Talk } from '../interop/talk.ts';
import { layWire, type Wire } from '../interop/wire.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';

const MEBIBYTE = 1024 * 1024;
/** Shorter than what makes a path count as lost. */
const SHORT_OUTAGE = 3000;
/** Long enough for a path to count as lost, and inside the gate `pathDown`. */
const OUTAGE = 10_000;
/** Longer on its way than a restart takes to be signalled. */
const BULK = 24 * MEBIBYTE;
/** Shorter than consent lasts (RFC 7675). */
const FROZEN_FOR = 20_000;
const ENDS = ['page', 'library'] as const;
type Which = (typeof ENDS)[number];
const CASES = ENDS.flatMap((offerer) => ENDS.map((restarter) => [offerer, restarter] as const));

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe.each(BROWSERS)('%s', (browser) => {
  let running: RunningBrowser;
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

  test.each(CASES)(
    '%s has offered; a restart by the %s in the middle of a transfer: nothing is lost',
    async (offerer, restarter) => {
      const talk = await connected(offerer);
      let isOver = false;
      const transfer = talk.expectTransfer(BULK).finally(() => (isOver = true));
      await sleep(50);
      await talk.restart(restarter === offerer ? 'offerer' : 'answerer');
      expect(isOver).toBe(false);
      await transfer;
      await talk.expectEcho();
      await talk.close();
    },
  );

  test.each(ENDS)(
    'ten seconds without any path, then a restart by the %s: nothing is lost',
    async (restarter) => {
      const talk = await connected('page');
      wire.cut();
      const transfer = talk.expectTransfer(MEBIBYTE);
      await sleep(OUTAGE);
      wire.mend();
      await talk.restart(restarter === 'page' ? 'offerer' : 'answerer');
      await transfer;
      await talk.expectEcho();
      await talk.close();
    },
  );

  test('a tab stopped for twenty seconds, and continued: what was said meanwhile arrives', async () => {
    const talk = await connected('page');
    await talk.expectEcho();
    const [page, library] = talk.names;
    running.freeze();
    try {
      await wire.library.send(library, 'chat', { text: 'are you there?' });
      await sleep(FROZEN_FOR);
    } finally {
      running.thaw();
    }
    expect(await running.peer.receive(page, 'chat')).toEqual({ text: 'are you there?' });
    await talk.expectEcho();
    await talk.close();
  });

  // The last one: what it blocks stays so.
  test('UDP does not pass: TCP does', async () => {
    wire.blockUdp();
    const talk = await connected('page');
    await talk.expectTransfer(MEBIBYTE);
    for (const [end, name] of [
      [running.peer, talk.names[0]],
      [wire.library, talk.names[1]],
    ] as const)
      expect(await end.selectedPair(name)).toMatchObject({
        local: { protocol: 'tcp' },
        remote: { protocol: 'tcp' },
      });
    await talk.close();
  });
});
