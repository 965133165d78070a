/** Pages: a server for them, what is on them, and the two browsers that open them. Each page posts its report back. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Chromium } from '../browser/chromium.ts';
import { Firefox } from '../browser/firefox.ts';
import type { BrowserRuntime } from './runtimes.ts';
import { parseReport, type Report } from './report.ts';

/** From opening a page to its report, ms. */
const REPORT_WITHIN = 300_000;

/** The entries that the core's checks import, and where their files are in the package. */
const IMPORTS = {
  sansrtc: 'index.js',
  'sansrtc/media': 'media/index.js',
  'sansrtc/sim': 'sim/index.js',
  'sansrtc/trace': 'trace/index.js',
};

/** One module for runtimes that have no import map: what a user's bundler makes of a program in the project. */
export async function bundleIn(project: string, program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(project, program)],
    bundle: true,
    format: 'esm',
    // Neither a browser's nor Node's: what the package cannot resolve without is a fault of ours.
    platform: 'neutral',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

const SCRIPT = 'text/javascript';
const HTML = 'text/html; charset=utf-8';

/** Every file from the package, without a bundler. `bundle`: `sansrtc` is the one-file bundle for browsers instead. */
function windowPage(bundle?: string): string {
  const files = Object.entries(IMPORTS).map(([name, file]) => [name, `/node_modules/sansrtc/dist/${file}`]);
  const imports = { ...Object.fromEntries(files), ...(bundle === undefined ? {} : { sansrtc: bundle }) };
  return `<!doctype html><title>sansrtc</title>
<script>${tell}</script>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import { checkCore } from '/core.mjs';
  tell(await checkCore());
</script>`;
}

const workerPage = (): string => `<!doctype html><title>sansrtc</title>
<script>${tell}
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => tell(data);
  worker.onerror = ({ message }) => tell('the worker: ' + message);
</script>`;

/** What fails before there is a report is told as well. */
const tell = `
  const tell = (report) => fetch('/report', { method: 'POST', body: JSON.stringify(report) });
  addEventListener('error', ({ message }) => tell(message));
  addEventListener('unhandledrejection', ({ reason }) => tell(String(reason)));
`;

/** Serves the project and its pages to one browser. */
class PageServer {
  readonly #server: Server;
  readonly #files: string;
  readonly #worker: string;
  #hear: (report: string) => void = () => undefined;

  static async open(project: string): Promise<PageServer> {
    const pages = new PageServer(project, await bundleIn(project, 'worker.mjs'));
    await new Promise<void>((resolve) => pages.#server.listen(0, '127.0.0.1', resolve));
    return pages;
  }

  private constructor(files: string, worker: string) {
    this.#files = files;
    this.#worker = worker;
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname === '/report') {
        let body = '';
        request.setEncoding('utf8').on('data', (text: string) => (body += text));
        request.on('end', () => {
          response.end();
          this.#hear(body);
        });
        return;
      }
      const [type, content] = this.#content(pathname);
      if (content === undefined) response.writeHead(404).end();
      else response.setHeader('content-type', type).end(content);
    });
  }

  #content(pathname: string): readonly [string, string | undefined] {
    if (pathname === '/window') return [HTML, windowPage()];
    if (pathname === '/bundle') return [HTML, windowPage('/node_modules/sansrtc/dist/browser/sansrtc.js')];
    if (pathname === '/worker') return [HTML, workerPage()];
    if (pathname === '/worker.js') return [SCRIPT, this.#worker];
    try {
      return [SCRIPT, readFileSync(join(this.#files, pathname), 'utf8')];
    } catch {
      return [SCRIPT, undefined];
    }
  }

  /** Opens a page and answers what it reports. */
  async report(page: { goto(url: string): Promise<unknown> }, path: string): Promise<Report> {
    const { port } = this.#server.address() as AddressInfo;
    let timer: NodeJS.Timeout | undefined;
    const told = new Promise<string>((resolve, reject) => {
      this.#hear = resolve;
      timer = setTimeout(
        () => reject(new Error(`no report within ${String(REPORT_WITHIN)} ms`)),
        REPORT_WITHIN,
      );
    });
    try {
      await page.goto(`http://localhost:${String(port)}${path}`);
      const text = await told;
      const report = parseReport(text);
      if (typeof report === 'string') throw new Error(report);
      return report;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A browser, started: its version, and its reports. */
export interface OpenBrowser {
  readonly version: string;
  reports(page: BrowserRuntime['page']): Promise<Report[]>;
  close(): Promise<void>;
}

/** Rejects with a sentence where there is no such browser. */
export async function openBrowser(name: BrowserRuntime['browser'], project: string): Promise<OpenBrowser> {
  const pages = await PageServer.open(project);
  const opened =
    name === 'Chromium'
      ? await Chromium.launch().then((browser) => ({
          version: browser.version,
          newPage: () => browser.newPage(),
          close: () => browser.close(),
        }))
      : await Firefox.launch().then((browser) => ({
          version: /[\d.]+/.exec(browser.description)?.[0] ?? '',
          newPage: () => browser.newPage(),
          close: () => browser.stop(),
        }));
  return {
    version: opened.version,
    async reports(kind): Promise<Report[]> {
      const paths = kind === 'window' ? ['/window', '/bundle'] : ['/worker'];
      const reports: Report[] = [];
      for (const path of paths) {
        const page = await opened.newPage();
        reports.push(await pages.report(page, path));
        await page.close();
      }
      return reports;
    },
    async close(): Promise<void> {
      await opened.close();
      pages.close();
    },
  };
}
