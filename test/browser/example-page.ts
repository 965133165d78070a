/** Pages of the examples in either browser, as a visitor has them: opened, clicked, looked at; and what their connections count. */
import { vi } from 'vitest';
import type { BrowserName } from './browsers.ts';
import { Chromium } from './chromium.ts';
import { Firefox } from './firefox.ts';

/** How long anything may take, ms. */
const PATIENCE = 40_000;

/** What is there of either driver's pages. */
interface DrivenPage {
  goto(url: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  evaluate<A, T>(run: (argument: A) => T | Promise<T>, argument: A): Promise<T>;
  evaluate(expression: string): Promise<unknown>;
  /** Puppeteer's, and playwright's. */
  setViewport?(size: { readonly width: number; readonly height: number }): Promise<void>;
  setViewportSize?(size: { readonly width: number; readonly height: number }): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void> };
  focus(selector: string): Promise<void>;
  screenshot(options: { readonly path: string; readonly fullPage: boolean }): Promise<unknown>;
  on(type: 'pageerror', listener: (error: unknown) => void): unknown;
  on(
    type: 'console',
    listener: (message: { readonly type: () => string; readonly text: () => string }) => void,
  ): unknown;
  close(): Promise<void>;
}

/** Numbers of an `RTCInboundRtpStreamStats` or `RTCOutboundRtpStreamStats`. */
export type StreamNumbers = Readonly<Record<string, number | undefined>>;

declare global {
  /** Of the page, in the order in which it has made them. */
  var connections: RTCPeerConnection[];
}

/** Sent to the page as source: keeps every connection that it makes. */
function keepConnections(): void {
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      globalThis.connections.push(this);
    }
  };
}

/** A visitor's page. */
export class ExamplePage {
  /** What it has thrown, and complained of. */
  readonly problems: string[] = [];
  readonly #page: DrivenPage;

  constructor(page: DrivenPage) {
    this.#page = page;
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
  }

  /** Runs a function of the test's in the page: it refers to nothing outside itself. */
  run<A, T>(run: (argument: A) => T | Promise<T>, argument: A): Promise<T> {
    return this.#page.evaluate(run, argument);
  }

  click(selector: string): Promise<void> {
    return this.#page.click(selector);
  }

  /** Presses a key while an element has the focus. */
  async press(selector: string, key: string): Promise<void> {
    await this.#page.focus(selector);
    await this.#page.keyboard.press(key);
  }

  /** Runs a script in the page, whatever its policy says of others'. */
  async script(source: string): Promise<void> {
    await this.#page.evaluate(`${source}\n;undefined`);
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#page.setViewport?.({ width, height });
    await this.#page.setViewportSize?.({ width, height });
  }

  /** Keeps what is seen of it, all of it. @param path a file's, ending with .png */
  async screenshot(path: string): Promise<void> {
    await this.#page.screenshot({ path, fullPage: true });
  }

  /** What an element says. */
  textOf(selector: string): Promise<string> {
    return this.run((at) => document.querySelector(at)?.textContent ?? '', selector);
  }

  /** Waits until an element says this. */
  async says(selector: string, text: RegExp): Promise<string> {
    return vi.waitFor(
      async () => {
        const said = await this.textOf(selector);
        if (!text.test(said)) throw new Error(`${selector} says "${said}", not ${String(text)}`);
        return said;
      },
      { timeout: PATIENCE, interval: 50 },
    );
  }

  /** What the latest connection counts of one direction and kind. */
  stream(direction: 'inbound' | 'outbound', kind: 'audio' | 'video'): Promise<StreamNumbers> {
    return this.run(
      async ([type, which]) => {
        const report = await connections.at(-1)?.getStats();
        for (const one of (report?.values() ?? []) as Iterable<Record<string, number>>)
          if (String(one['type']) === `${type}-rtp` && String(one['kind']) === which)
            return Object.fromEntries(Object.entries(one).filter(([, value]) => typeof value === 'number'));
        return {};
      },
      [direction, kind] as const,
    );
  }

  /** Waits until a counter of `stream` has grown by this. */
  async grows(
    direction: 'inbound' | 'outbound',
    kind: 'audio' | 'video',
    counter: string,
    by: number,
  ): Promise<void> {
    const count = async (): Promise<number> => (await this.stream(direction, kind))[counter] ?? 0;
    const before = await count();
    await vi.waitFor(
      async () => {
        const now = await count();
        if (now < before + by) throw new Error(`${counter} has grown from ${before} to ${now}, not by ${by}`);
      },
      { timeout: PATIENCE, interval: 50 },
    );
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

/** A browser with fake devices, for any number of visitors. */
export class ExampleBrowser {
  readonly #newPage: () => Promise<DrivenPage>;
  readonly close: () => Promise<void>;

  static async launch(name: BrowserName): Promise<ExampleBrowser> {
    if (name === 'Firefox') {
      const firefox = await Firefox.launch();
      return new ExampleBrowser(
        async () => {
          const page = await firefox.newPage();
          await page.evaluateOnNewDocument(keepConnections);
          return page as unknown as DrivenPage;
        },
        () => firefox.stop(),
      );
    }
    const chromium = await Chromium.launch();
    return new ExampleBrowser(
      async () => {
        const page = await chromium.newPage();
        await page.addInitScript(keepConnections);
        return page;
      },
      () => chromium.close(),
    );
  }

  private constructor(newPage: () => Promise<DrivenPage>, close: () => Promise<void>) {
    this.#newPage = newPage;
    this.close = close;
  }

  async open(url: string): Promise<ExamplePage> {
    const page = await this.#newPage();
    const visited = new ExamplePage(page);
    await page.goto(url);
    return visited;
  }
}
