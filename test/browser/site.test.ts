/**
 * The site (`npm run docs`), built into a folder of its own: every kind of page, light and dark, on a wide screen and on a phone, in
 * both browsers: axe-core finds nothing, nothing is wider than the screen, pictures are there. Search finds a page, by keys alone.
 * `SITE_SHOTS=folder` keeps a picture of each to look at.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AxeResults } from 'axe-core';
import { Chromium } from './chromium.ts';
import { Firefox } from './firefox.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const axe = readFileSync(`${root}node_modules/axe-core/axe.min.js`, 'utf8');
const shots = process.env['SITE_SHOTS'];

/** A page of each kind: the landing, prose, tables, pictures, an entry point, a class, an interface, a type, a function. */
const PAGES = [
  'index.html',
  'guides/getting-started.html',
  'errors.html',
  'how-it-works.html',
  'modules.html',
  'api/sansrtc/node.html',
  'api/sansrtc/Rtc.html',
  'api/sansrtc/RtcOptions.html',
  'api/sansrtc/RtcEvent.html',
  'api/sansrtc/selfSignedCertificate.html',
];
const WIDE = { name: 'wide', width: 1280, height: 900 };
const PHONE = { name: 'phone', width: 390, height: 844 };
/** Every page is looked at in the first two of these, a few and whatever is to be pictured in the others as well: they are made of the same rules. */
const LOOKS = [
  { scheme: 'light', screen: WIDE },
  { scheme: 'dark', screen: PHONE },
  { scheme: 'light', screen: PHONE },
  { scheme: 'dark', screen: WIDE },
];
const FEW = 2;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

let folder: string;
let server: Server | undefined;
let base: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sansrtc-site-'));
  await promisify(execFile)(process.execPath, [`${root}scripts/site/build.mjs`, folder], { cwd: root });
  server = createServer(({ url }, response) => {
    const file = join(folder, decodeURIComponent(new URL(url ?? '/', 'http://localhost').pathname));
    if (!existsSync(file) || statSync(file).isDirectory()) {
      response.writeHead(404).end();
      return;
    }
    response
      .setHeader('content-type', `${TYPES[extname(file)] ?? 'application/octet-stream'}; charset=utf-8`)
      .end(readFileSync(file));
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`;
}, 900_000);

afterAll(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  rmSync(folder, { recursive: true, force: true });
});

/** What both browsers' pages can do. */
interface AnyPage {
  goto(url: string): Promise<unknown>;
  evaluate<T, A extends unknown[]>(code: ((...args: A) => T) | string, ...args: A): Promise<Awaited<T>>;
  resize(width: number, height: number): Promise<void>;
  shoot(path: string): Promise<unknown>;
}

/** In the page: what is wrong with it, once its navigation has come. */
async function findings(): Promise<string[]> {
  while (document.querySelector('#tsd-nav-container details') === null)
    await new Promise((done) => setTimeout(done, 20));
  const { violations } = await (
    globalThis as unknown as { axe: { run: (of: Document) => Promise<AxeResults> } }
  ).axe.run(document);
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' · ')}`,
  );
  const excess = document.documentElement.scrollWidth - innerWidth;
  if (excess > 0) found.push(`wider than the screen by ${excess}`);
  const pictures = [...document.querySelectorAll('main img')] as HTMLImageElement[];
  for (const picture of pictures) {
    await picture.decode().catch(() => undefined);
    if (picture.naturalWidth === 0 || picture.alt === '') found.push(`picture ${picture.src}`);
  }
  return found;
}

async function everyPage(page: AnyPage, browser: string, pages: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [i, { scheme, screen }] of LOOKS.entries()) {
    const { name, width, height } = screen;
    await page.goto(`${base}index.html`);
    await page.evaluate((value: string) => localStorage.setItem('tsd-theme', value), scheme);
    await page.resize(width, height);
    for (const path of i < 2 || shots !== undefined ? pages : pages.slice(0, FEW)) {
      await page.goto(base + path);
      await page.evaluate(axe);
      const found = await page.evaluate(findings);
      wrong.push(...found.map((each) => `${path}, ${scheme}, ${name}: ${each}`));
      if (shots === undefined) continue;
      mkdirSync(shots, { recursive: true });
      await page.shoot(join(shots, `${browser}-${scheme}-${name}-${path.replaceAll('/', '-')}.png`));
    }
  }
  return wrong;
}

describe('the site', () => {
  test('Chromium: nothing to find on any page; search, by keys', { timeout: 1_200_000 }, async () => {
    const chromium = await Chromium.launch();
    try {
      const page = await chromium.newPage();
      const wrong = await everyPage(
        {
          goto: (url) => page.goto(url),
          evaluate: (code, ...args) => page.evaluate(code as never, args[0] as never),
          resize: (width, height) => page.setViewportSize({ width, height }),
          shoot: (path) => page.screenshot({ path }),
        },
        'chromium',
        PAGES,
      );
      expect(wrong).toEqual([]);
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(`${base}index.html`);
      await page.locator('#tsd-search-trigger').press('Enter');
      await page.keyboard.type('pollOutput');
      await page.locator('#tsd-search-results li').first().waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(/api\/sansrtc\//);
    } finally {
      await chromium.close();
    }
  });

  test('Firefox: nothing to find on any page', { timeout: 1_200_000 }, async () => {
    const firefox = await Firefox.launch();
    try {
      const page = await firefox.newPage();
      const wrong = await everyPage(
        {
          goto: (url) => page.goto(url),
          evaluate: (code, ...args) => page.evaluate(code as never, ...(args as unknown as never[])),
          resize: (width, height) => page.setViewport({ width, height }),
          shoot: (path) => page.screenshot({ path: path }),
        },
        'firefox',
        // What browsers may see differently is the same on the others.
        PAGES.filter((_, i) => i % 2 === 0),
      );
      expect(wrong).toEqual([]);
    } finally {
      await firefox.stop();
    }
  });
});
