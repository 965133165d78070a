/**
 * examples/sfu as its users meet it: the built package, the server process, pages of both browsers in one room. With `SCREENSHOTS`, a
 * folder, what they show is kept there.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Terminal } from '../node/terminal.ts';
import { ExampleBrowser } from './example-page.ts';
import type { ExamplePage } from './example-page.ts';
import { PATIENCE } from './round.ts';

const SERVER = fileURLToPath(new URL('../../examples/sfu/server.mjs', import.meta.url));

/** What a tile shows. */
interface Tile {
  /** The layer that comes; one's own tile has none. */
  readonly received: string | undefined;
  readonly chosen: string | undefined;
  /** The layers that are sent now, and `off`. */
  readonly heard: readonly string[];
  readonly width: number;
  /** Frames per second. */
  readonly rate: number;
  readonly isHeard: boolean;
  readonly text: string;
}

/** Runs in the page: its tiles, by name. */
function lookAtTiles(): Record<string, Tile> {
  const figures = [...document.querySelectorAll<HTMLElement>('#people figure')];
  return Object.fromEntries(
    figures.map((figure) => {
      const video = figure.querySelector('video');
      const stream = video?.srcObject as MediaStream | null;
      const tile: Tile = {
        received: figure.dataset['received'],
        chosen: figure.querySelector<HTMLElement>('[aria-pressed=true]')?.dataset['rid'],
        heard: [...figure.querySelectorAll<HTMLElement>('button[data-heard=true]')].map(
          ({ dataset }) => dataset['rid'] ?? '',
        ),
        width: Number(figure.dataset['width'] ?? 0),
        rate: Number(figure.dataset['rate'] ?? 0),
        isHeard: stream?.getAudioTracks().some(({ muted }) => !muted) === true,
        text: figure.textContent.replaceAll(/\s+/g, ' ').trim(),
      };
      return [figure.dataset['name'] ?? '', tile];
    }),
  );
}

/** Runs in the page: presses the button of a layer. */
function pressLayer([name, rid]: readonly [string, string]): void {
  const found = document.querySelector<HTMLElement>(`figure[data-name="${name}"] button[data-rid="${rid}"]`);
  if (found === null) throw new Error(`no such button: ${name}, ${rid}`);
  found.click();
}

let chromium: ExampleBrowser;
let firefox: ExampleBrowser;
let server: Terminal;
let url: string;
let visitors: Visitor[] = [];

/** A page that has entered a room. */
class Visitor {
  readonly name: string;
  readonly #page: ExamplePage;

  static async enter(browser: ExampleBrowser, room: string, name: string): Promise<Visitor> {
    const page = await browser.open(`${url}?${new URLSearchParams({ room, name }).toString()}`);
    const visitor = new Visitor(name, page);
    visitors.push(visitor);
    return visitor;
  }

  private constructor(name: string, page: ExamplePage) {
    this.name = name;
    this.#page = page;
  }

  tiles(): Promise<Record<string, Tile>> {
    return this.#page.run(lookAtTiles, undefined);
  }

  /** Everybody else is seen and heard, and nobody besides. */
  async expectCompany(...others: readonly Visitor[]): Promise<void> {
    await vi.waitFor(async () => {
      const tiles = await this.tiles();
      const here = [`${this.name} (you)`, ...others.map(({ name }) => name)];
      expect(Object.keys(tiles).sort(), `as ${this.name} sees it`).toEqual(here.sort());
      for (const { name } of others) {
        const { received, width, rate, isHeard } = tiles[name]!; // it is there
        const seen = {
          received: received !== undefined && received !== 'none',
          width: width > 0,
          rate: rate > 0,
        };
        expect({ ...seen, isHeard }, `${name}, as ${this.name} sees it: ${JSON.stringify(tiles)}`).toEqual({
          received: true,
          width: true,
          rate: true,
          isHeard: true,
        });
      }
    }, PATIENCE);
  }

  /** Chooses a layer of somebody, and gets it; or the nearest, where a browser with too much to do does not send it. */
  async choose({ name }: Visitor, rid: 'l' | 'm' | 'h'): Promise<void> {
    await this.#page.run(pressLayer, [name, rid] as const);
    await vi.waitFor(async () => {
      const tile = (await this.tiles())[name];
      expect(tile, `${name}, as ${this.name} sees it`).toMatchObject({ chosen: rid });
      if (tile?.heard.includes(rid) === true) expect(tile.received).toBe(rid);
      expect(tile?.received).not.toBe('none');
      expect(tile?.rate).toBeGreaterThan(0);
    }, PATIENCE);
  }

  /** Chooses to see nothing of somebody, and sees nothing. */
  async hide({ name }: Visitor): Promise<void> {
    await this.#page.run(pressLayer, [name, 'off'] as const);
    await vi.waitFor(async () => {
      expect((await this.tiles())[name]).toMatchObject({ chosen: 'off', received: 'none', rate: 0 });
    }, PATIENCE);
  }

  async keepScreenshot(what: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await this.#page.screenshot(join(folder, `sfu-${this.name}-${what}.png`));
  }

  async leave(): Promise<void> {
    visitors = visitors.filter((one) => one !== this);
    expect(this.#page.problems, this.name).toEqual([]);
    await this.#page.close();
  }
}

beforeAll(async () => {
  server = new Terminal(SERVER, '--http-port', '0');
  url = await server.sees(/http:\S+/);
  chromium = await ExampleBrowser.launch('Chromium');
  firefox = await ExampleBrowser.launch('Firefox');
});
afterAll(async () => {
  await chromium.close();
  await firefox.close();
  server.process.kill('SIGKILL');
});
afterEach(async () => {
  for (const visitor of [...visitors]) await visitor.leave();
});

test(
  'three in a room, of two browsers: all see and hear all, choose layers, go and come back',
  { timeout: 600_000 },
  async () => {
    const ann = await Visitor.enter(chromium, 'kitchen', 'Ann');
    const bob = await Visitor.enter(firefox, 'kitchen', 'Bob');
    await ann.expectCompany(bob);
    await bob.expectCompany(ann);
    let cid = await Visitor.enter(chromium, 'kitchen', 'Cid');
    await ann.expectCompany(bob, cid);
    await bob.expectCompany(ann, cid);
    await cid.expectCompany(ann, bob);

    await ann.choose(bob, 'l');
    await ann.choose(cid, 'm');
    await bob.choose(ann, 'h');
    await cid.choose(ann, 'l');
    await cid.hide(bob);
    // What one chooses is nobody else's.
    await bob.choose(cid, 'l');
    expect((await ann.tiles())['Cid']?.chosen).toBe('m');
    for (const one of [ann, bob, cid]) await one.keepScreenshot('three');

    await cid.leave();
    await ann.expectCompany(bob);
    await bob.expectCompany(ann);
    cid = await Visitor.enter(chromium, 'kitchen', 'Cid');
    await ann.expectCompany(bob, cid);
    await bob.expectCompany(ann, cid);
    await cid.expectCompany(ann, bob);
    await ann.choose(cid, 'h');
    await ann.choose(bob, 'h');
    await ann.keepScreenshot('again');
  },
);

test('rooms know nothing of each other', { timeout: 600_000 }, async () => {
  const ann = await Visitor.enter(chromium, 'attic', 'Ann');
  const bob = await Visitor.enter(chromium, 'cellar', 'Bob');
  await vi.waitFor(async () => expect(Object.keys(await bob.tiles())).toEqual(['Bob (you)']), PATIENCE);
  await ann.expectCompany();
});
