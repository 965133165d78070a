import { expect, test } from 'vitest';
import { reloadingPages } from '../browser/reloading-pages.ts';

test('twenty Chromium pages with ten channels each, ten of them reloading for a minute: nothing is left behind', async () => {
  const { reloads, echoes, most, ended, settled, left } = await reloadingPages(60_000);
  console.log(JSON.stringify({ reloads, most, ended, echoes, counters: left.counters }));
  expect(reloads).toBeGreaterThan(50);
  expect(Math.min(...echoes)).toBeGreaterThan(100);
  expect(settled).toMatchObject({ connections: 20, armed: 20 });
  expect(left).toMatchObject({ connections: 0, routes: 0, armed: 0, ready: 0 });
});
