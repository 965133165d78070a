/** Twenty pages with ten channels each against one port, all echoing, while ten of the pages reload again and again. */
import type { Page } from 'playwright-core';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import type { EndpointInspection } from '../../src/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { Rtc } from '../../src/rtc.ts';
import { Chromium } from './chromium.ts';

const PAGES = 20;
const RELOADING = 10;
const CHANNELS = 10;

interface Outcome {
  readonly reloads: number;
  /** Echoes that the pages which stayed have had meanwhile: by page, the fewest on one channel. */
  readonly echoes: readonly number[];
  /** Most connections at once. */
  readonly most: number;
  /** Connections that have ended, by reason. */
  readonly ended: Readonly<Record<string, number>>;
  /** While all pages are there and nobody reloads, and after all of them have closed. */
  readonly settled: EndpointInspection;
  readonly left: EndpointInspection;
}

/** In the page: ten channels to the server; each says something as soon as the last thing has come back. */
async function converse(channels: number): Promise<void> {
  const scope = globalThis as unknown as { echoes: number[]; answer: (offer: string) => Promise<string> };
  scope.echoes = [];
  const peer = new RTCPeerConnection();
  const open = Array.from({ length: channels }, (_, i) => {
    const channel = peer.createDataChannel(`channel ${String(i)}`);
    scope.echoes[i] = 0;
    channel.onmessage = () => {
      scope.echoes[i] = (scope.echoes[i] ?? 0) + 1;
      setTimeout(() => channel.readyState === 'open' && channel.send('again'), 20);
    };
    return new Promise<void>((resolve) => {
      channel.onopen = () => {
        channel.send('hello');
        resolve();
      };
    });
  });
  await peer.setLocalDescription();
  await new Promise<void>((resolve) => {
    if (peer.iceGatheringState === 'complete') resolve();
    else peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && resolve();
  });
  const sdp = await scope.answer(peer.localDescription?.sdp ?? '');
  await peer.setRemoteDescription({ type: 'answer', sdp });
  await Promise.all(open);
}

/**
 * @param duration how long pages reload, ms
 * @param pathDownTimeout how long the connection of a page that has gone without a word may stay once it is disconnected, ms
 */
export async function reloadingPages(duration: number, pathDownTimeout = 60_000): Promise<Outcome> {
  const crypto = nodeCrypto();
  const certificate = selfSignedCertificate({ crypto });
  const driver = await UdpDriver.listen();
  const chromium = await Chromium.launch();
  const ended: Record<string, number> = {};
  const answer = (offer: string): string => {
    const rtc = new Rtc({ certificate, crypto, pathDownTimeout });
    driver.add(rtc, (event) => {
      // The last words of a page that has gone are told, and cannot be answered any more.
      if (event.type === 'message' && event.channel.readyState === 'open') event.channel.send(event.data);
      if (event.type === 'closed') ended[event.reason.code] = (ended[event.reason.code] ?? 0) + 1;
    });
    return rtc.receiveOffer(offer).answer();
  };
  try {
    const pages = await Promise.all(Array.from({ length: PAGES }, () => chromium.newPage()));
    await Promise.all(pages.map((page) => page.exposeFunction('answer', answer)));
    await Promise.all(pages.map((page) => page.evaluate(converse, CHANNELS)));

    const end = performance.now() + duration;
    let reloads = 0;
    let most = 0;
    const reload = async (page: Page): Promise<void> => {
      while (performance.now() < end) {
        await page.reload();
        await page.evaluate(converse, CHANNELS);
        reloads++;
        most = Math.max(most, driver.endpoint.size);
      }
    };
    await Promise.all(pages.slice(0, RELOADING).map(reload));

    // Up to eleven seconds until two checks in a row are unanswered.
    const patience = pathDownTimeout + 20_000;
    await until(() => driver.endpoint.size === PAGES, patience);
    const settled = driver.endpoint.inspect();
    const echoes = await Promise.all(pages.slice(RELOADING).map((page) => page.evaluate(fewestEchoes)));
    await Promise.all(pages.map((page) => page.context().close()));
    await until(() => driver.endpoint.size === 0, patience);
    return { reloads, echoes, most, ended, settled, left: driver.endpoint.inspect() };
  } finally {
    await chromium.close();
    await driver.close();
  }
}

/** In the page. */
function fewestEchoes(): number {
  return Math.min(...(globalThis as unknown as { echoes: number[] }).echoes);
}

async function until(condition: () => boolean, patience: number): Promise<void> {
  const end = performance.now() + patience;
  while (!condition() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
}
