import { expect, test } from 'vitest';
import { reloadingPages } from './reloading-pages.ts';

/** `npm run test:soak` does the same for a minute, and with the deadlines as they are. */
const DURATION = 10_000;
const PATH_DOWN_TIMEOUT = 3000;

test(
  'two hundred channels of twenty Chromium pages on one port; ten pages reload in a loop: nothing is left of what has gone',
  { timeout: 180_000 },
  async () => {
    const { reloads, echoes, settled, left } = await reloadingPages(DURATION, PATH_DOWN_TIMEOUT);
    expect(reloads).toBeGreaterThan(10);
    expect(Math.min(...echoes)).toBeGreaterThan(10);
    expect(settled).toMatchObject({ connections: 20, armed: 20 });
    expect(settled.counters.routesBound).toBeGreaterThanOrEqual(20 + reloads);
    expect(left).toMatchObject({ connections: 0, routes: 0, armed: 0, ready: 0 });
  },
);
