/** The browsers that upload, as foreign peers; one that is not on this machine says so. */
import { Chromium } from '../../test/browser/chromium.ts';
import { Firefox } from '../../test/browser/firefox.ts';
import { peerOver, type RunningPeer } from '../../test/interop/contract.ts';

export interface Uploader {
  readonly name: string;
  readonly start: () => Promise<RunningPeer>;
}

async function startChromium(): Promise<RunningPeer> {
  const chromium = await Chromium.launch();
  const page = await chromium.newPage();
  const peer = peerOver((verb, args) =>
    page.evaluate(
      ([method, parameters]) => {
        const verbs = peers as unknown as Record<string, (...all: readonly unknown[]) => unknown>;
        return verbs[method]?.(...parameters);
      },
      [verb as string, args] as const,
    ),
  );
  return { description: `Chromium ${chromium.version}`, peer, stop: () => chromium.close() };
}

export const UPLOADERS: readonly Uploader[] = [
  { name: 'Chromium', start: startChromium },
  { name: 'Firefox', start: () => Firefox.launch() },
];
