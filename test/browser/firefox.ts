/**
 * Debian's Firefox, driven headless over WebDriver BiDi, with a page that may gather loopback candidates.
 *
 * `FIREFOX` names another executable. A machine without one fails with a sentence instead of skipping: a green run means
 * that a browser took part.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, type Browser, type Page } from 'puppeteer-core';
import type { Authority } from '../interop/authority.ts';
import { peerOver, type ForeignPeer, type RunningPeer } from '../interop/contract.ts';
import { installPageMedia, mediaOver, type PageMediaPeer } from './page-media.ts';
import { installPagePeer, type PagePeers } from './page-peer.ts';

const PREFERENCES = {
  // Together with the permissions it makes Firefox gather 127.0.0.1, so that no network is needed at all.
  'media.peerconnection.ice.loopback': true,
  'permissions.default.microphone': 1,
  'permissions.default.camera': 1,
  // A camera and a microphone.
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
};

/** `version` of TLS as Firefox's preferences count them. */
const DTLS_VERSIONS = { '1.2': 771, '1.3': 772 } as const;

export class Firefox implements RunningPeer {
  readonly description: string;
  /** The page's peers, as the conversations with foreign peers ask for them. */
  readonly peer: ForeignPeer;
  /** Their audio and video. */
  readonly media: PageMediaPeer;
  readonly #page: Page;
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #profile: string;

  /**
   * @param maxVersion the highest DTLS version it is to speak.
   * @param authority vouches for servers, besides the authorities of the world.
   */
  static async launch(
    maxVersion: keyof typeof DTLS_VERSIONS = '1.3',
    authority?: Authority,
  ): Promise<Firefox> {
    const executablePath = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr';
    if (!existsSync(executablePath)) {
      throw new Error(
        `no Firefox at ${executablePath}: install it (apt-get install firefox-esr) or set FIREFOX to its path`,
      );
    }
    const server = createServer((_request, response) => {
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end('<!doctype html><title>sansrtc</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const profile = mkdtempSync(join(tmpdir(), 'sansrtc-firefox-'));
    authority?.becomeKnownTo(profile);
    const browser = await launch({
      browser: 'firefox',
      executablePath,
      headless: true,
      userDataDir: profile,
      extraPrefsFirefox: {
        ...PREFERENCES,
        'media.peerconnection.dtls.version.max': DTLS_VERSIONS[maxVersion],
      },
    });
    const page = await browser.newPage();
    // localhost is a secure context, which crypto.subtle and the permissions need.
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(installPagePeer);
    await page.evaluate(installPageMedia);
    return new Firefox(await browser.version(), browser, page, server, profile);
  }

  private constructor(version: string, browser: Browser, page: Page, server: Server, profile: string) {
    this.description = `${version}, Node ${process.versions.node}`;
    this.#browser = browser;
    this.#page = page;
    this.#server = server;
    this.#profile = profile;
    this.peer = peerOver((verb, args) => this.#ask('peers', verb, args));
    this.media = mediaOver((verb, args) => this.#ask('pageMedia', verb, args));
  }

  /** Another page, with nothing in it. */
  newPage(): Promise<Page> {
    return this.#browser.newPage();
  }

  /** `peers.offerMedia` in the page. */
  offerMedia(...parameters: Parameters<PagePeers['offerMedia']>): Promise<string> {
    return this.#page.evaluate((...all) => peers.offerMedia(...all), ...parameters);
  }

  #ask(object: 'peers' | 'pageMedia', verb: string, args: readonly unknown[]): Promise<unknown> {
    return this.#page.evaluate(
      (which, method, parameters) => {
        const verbs = globalThis[which] as unknown as Record<string, (...all: unknown[]) => unknown>;
        return verbs[method]?.(...parameters);
      },
      object,
      verb,
      args as unknown[],
    );
  }

  async stop(): Promise<void> {
    await this.#page.close();
    await this.#browser.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
