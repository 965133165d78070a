/**
 * Debian's Chromium, driven headless, with pages that may gather loopback candidates.
 *
 * `CHROMIUM` names another executable. A machine without one fails with a sentence instead of skipping: a green run
 * means that a browser took part.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { Authority } from '../interop/authority.ts';
import { peerOver, type ForeignPeer } from '../interop/contract.ts';
import { installPageMedia, mediaOver, type PageMediaPeer } from './page-media.ts';
import { installPagePeer } from './page-peer.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Together with a media permission it makes Chromium gather 127.0.0.1, so that no network is needed at all.
  '--allow-loopback-in-peer-connection',
  // A camera and a microphone.
  '--use-fake-device-for-media-stream',
];

/** Where it looks for the certificates that its user believes, below the user's folder: old versions, and new ones. */
const NSS_FOLDERS = ['.pki/nssdb', '.local/share/pki/nssdb'];

export class Chromium {
  readonly version: string;
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #home: string;

  /** @param authority vouches for servers, besides the authorities of the world. */
  static async launch(authority?: Authority): Promise<Chromium> {
    const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
    if (!existsSync(executablePath)) {
      throw new Error(
        `no Chromium at ${executablePath}: install it (apt-get install chromium) or set CHROMIUM to its path`,
      );
    }
    const server = createServer((_request, response) => {
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end('<!doctype html><title>sansrtc</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const home = mkdtempSync(join(tmpdir(), 'sansrtc-chromium-'));
    for (const folder of NSS_FOLDERS) authority?.becomeKnownTo(join(home, folder));
    const env = { ...process.env, HOME: home };
    return new Chromium(await chromium.launch({ executablePath, args: FLAGS, env }), server, home);
  }

  private constructor(browser: Browser, server: Server, home: string) {
    this.version = browser.version();
    this.#browser = browser;
    this.#server = server;
    this.#home = home;
  }

  /**
   * A fresh page in a context of its own.
   * @param candidates `loopback`: plain addresses, 127.0.0.1 among them. `mdns`: what a stock tab gives, names only.
   */
  async newPage(candidates: 'loopback' | 'mdns' = 'loopback'): Promise<Page> {
    const context = await this.#browser.newContext({
      permissions: candidates === 'loopback' ? ['microphone', 'camera'] : [],
    });
    const page = await context.newPage();
    await page.addInitScript(installPagePeer);
    await page.addInitScript(installPageMedia);
    // localhost is a secure context, which crypto.subtle and the permission need.
    await page.goto(`http://localhost:${String((this.#server.address() as AddressInfo).port)}/`);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The page's peers, as those of Firefox and of other stacks are asked. */
export function peersOf(page: Page): ForeignPeer {
  return peerOver((verb, args) => ask(page, 'peers', verb, args));
}

/** The same for its audio and video. */
export function mediaOf(page: Page): PageMediaPeer {
  return mediaOver((verb, args) => ask(page, 'pageMedia', verb, args));
}

function ask(
  page: Page,
  object: 'peers' | 'pageMedia',
  verb: string,
  args: readonly unknown[],
): Promise<unknown> {
  return page.evaluate(
    ([which, method, parameters]) => {
      const verbs = globalThis[which] as unknown as Record<string, (...all: unknown[]) => unknown>;
      return verbs[method]?.(...parameters);
    },
    [object, verb, args as unknown[]] as const,
  );
}
