/** Either browser with one page, asked alike. */
import type { Authority } from '../interop/authority.ts';
import type { RunningPeer } from '../interop/contract.ts';
import { Chromium, peersOf } from './chromium.ts';
import { Firefox } from './firefox.ts';

export const BROWSERS = ['Chromium', 'Firefox'] as const;
export type BrowserName = (typeof BROWSERS)[number];

/** @param authority vouches for servers, besides the authorities of the world. */
export async function startBrowser(name: BrowserName, authority?: Authority): Promise<RunningPeer> {
  if (name === 'Firefox') return Firefox.launch('1.3', authority);
  const chromium = await Chromium.launch(authority);
  return {
    description: `Chromium ${chromium.version}, Node ${process.versions.node}`,
    peer: peersOf(await chromium.newPage()),
    stop: () => chromium.close(),
  };
}
