/**
 * A better path that is found late: a page and the library are connected over TCP, and then learn of each other's UDP addresses. Who
 * takes it, with either browser, under either role: docs/ice.md has the table.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SansrtcPeers } from '../interop/sansrtc-peers.ts';
import { Talk } from '../interop/talk.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';

const UDP_CANDIDATE = /^a=(candidate:\S+ 1 udp .*)\r\n/gim;

/** Longer than anybody takes who does take it. */
const STAYS_FOR = 3000;

describe.each(BROWSERS)('%s', (browser) => {
  let running: RunningBrowser;
  let host: Host;

  beforeAll(async () => {
    running = await startBrowser(browser);
    console.log(running.description);
  });
  afterAll(() => running.stop());
  beforeEach(async () => {
    host = await Host.listen({ tcp: {} });
  });
  afterEach(() => host.close());

  interface Late {
    readonly talk: Talk;
    readonly peers: SansrtcPeers;
    /** The names of the two ends. */
    readonly page: string;
    readonly library: string;
  }

  /** Connected over TCP; each end has learnt of the other's UDP candidates since. */
  async function connectedOverTcp(
    controlling: 'page' | 'library',
    { isRenominating = false }: { readonly isRenominating?: boolean } = {},
  ): Promise<Late> {
    const peers = new SansrtcPeers(host);
    const [page, library] = [{ peer: running.peer }, { peer: peers.peer }];
    const isPages = (from: 'offerer' | 'answerer'): boolean =>
      (from === 'offerer') === (controlling === 'page');
    const late = { page: [] as string[], library: [] as string[] };
    const talk = await Talk.begin(
      controlling === 'page' ? page : library,
      controlling === 'page' ? library : page,
      {
        carry(sdp, from) {
          const withheld = isPages(from) ? late.library : late.page;
          for (const [, candidate = ''] of sdp.matchAll(UDP_CANDIDATE)) withheld.push(candidate);
          const told = sdp.replaceAll(UDP_CANDIDATE, '');
          return isPages(from) && isRenominating
            ? told.replaceAll('a=ice-options:trickle', 'a=ice-options:trickle renomination')
            : told;
        },
      },
    );
    const [pageName, libraryName] =
      controlling === 'page' ? talk.names : ([talk.names[1], talk.names[0]] as const);
    expect((await running.peer.selectedPair(pageName)).local.protocol).toBe('tcp');
    for (const candidate of late.page) await running.peer.addCandidate(pageName, candidate);
    const { rtc } = peers.connection(libraryName);
    for (const candidate of late.library) rtc.addRemoteCandidate(candidate);
    return { talk, peers, page: pageName, library: libraryName };
  }

  /** What either end sends over. */
  async function protocols({ peers, page, library }: Late): Promise<readonly string[]> {
    const pairs = [await running.peer.selectedPair(page), await peers.peer.selectedPair(library)];
    return pairs.map(({ local }) => local.protocol);
  }

  async function expectUdp(late: Late): Promise<void> {
    await vi.waitFor(async () => expect(await protocols(late)).toEqual(['udp', 'udp']), {
      timeout: 15_000,
      interval: 100,
    });
    await late.talk.expectEcho();
    await late.talk.close();
  }

  test('the page is controlling: it takes it, and the library follows', async () => {
    await expectUdp(await connectedOverTcp('page'));
  });

  test('the library is controlling: it stays where it is, for browsers do not say that they take another nomination', async () => {
    const late = await connectedOverTcp('library');
    await new Promise((resolve) => setTimeout(resolve, STAYS_FOR));
    expect(await protocols(late)).toEqual(['tcp', 'tcp']);
    await late.talk.expectEcho();
    await late.talk.close();
  });

  test('the library is controlling, and is told that the page has renomination: the page follows', async () => {
    await expectUdp(await connectedOverTcp('library', { isRenominating: true }));
  });
});
