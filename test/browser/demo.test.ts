/** `npm run demo` as a newcomer meets it: the built package, the server process, the page in a stock tab. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parseTrace } from '../../src/trace/index.ts';
import { findings } from './accessibility.ts';
import { BROWSERS } from './browsers.ts';
import { Chromium } from './chromium.ts';
import { ExampleBrowser } from './example-page.ts';

const SERVER = fileURLToPath(new URL('../../examples/demo/server.mjs', import.meta.url));

/** For the long one, on a machine that does other things, too. */
const LONG = 240_000;

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function start(...options: string[]): ChildProcessByStdio<null, Readable, Readable> {
  const demo = spawn(process.execPath, [SERVER, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  cleanups.push(() => demo.kill('SIGKILL'));
  return demo;
}

/** Runs the demo to its end. */
async function run(...options: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const demo = start(...options);
  const exit = new Promise<number | null>((resolve) => demo.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(demo.stdout), text(demo.stderr)]);
  return { code: await exit, stdout, stderr };
}

/** The URL that the demo prints. */
function urlOf(demo: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    demo.stdout.setEncoding('utf8').on('data', (part: string) => {
      output += part;
      const url = /http:\/\/\S+/.exec(output)?.[0];
      if (url !== undefined) resolve(url);
    });
    demo.once('exit', (code) => reject(new Error(`the demo ended with ${String(code)}: ${output}`)));
  });
}

async function occupiedPort(): Promise<number> {
  const server: Server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('the page', () => {
  test('connects, pings, transfers both ways with equal hashes, and shows the server inspected', async () => {
    const url = await urlOf(start('--port', '0', '--http-port', '0'));
    const chromium = await Chromium.launch();
    cleanups.push(() => chromium.close());
    const page = await chromium.newPage('mdns');
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });

    await page.goto(url);
    await page.locator('#state[data-state=connected]').waitFor();
    await page.locator('#rtt-median:has-text("ms")').waitFor();
    for (const name of ['put', 'get']) {
      await page.locator(`#bulk button[name=${name}]:enabled`).click();
      await page
        .locator('#bulk-result:has-text("SHA-256")')
        .and(page.locator(':has-text("10 MiB")'))
        .waitFor();
      expect(await page.locator('#bulk-result').textContent()).toContain('SHA-256 equal');
    }
    await page.locator('#inspect:has-text("connectionState")').waitFor();
    expect(problems).toEqual([]);
  });
});

describe.each(BROWSERS)('the page in %s', (name) => {
  test(
    'loses by slider, gives its trace, says why it ended, disables what cannot be, and axe finds nothing',
    async () => {
      const demo = start('--port', '0', '--http-port', '0');
      const url = await urlOf(demo);
      const browser = await ExampleBrowser.launch(name);
      cleanups.push(() => browser.close());
      const page = await browser.open(url);
      const disabled = (): Promise<string[]> =>
        page.run(
          () =>
            [...document.querySelectorAll<HTMLButtonElement>('button, input, select')]
              .filter((control) => control.disabled)
              .map((control) => control.id || control.name),
          undefined,
        );
      const looks = async (): Promise<string[]> => {
        const found: string[] = [];
        for (const [scheme, width] of [
          ['light', 1200],
          ['dark', 1200],
          ['dark', 360],
          ['light', 360],
        ] as const) {
          await page.resize(width, 800);
          await page.run((chosen) => {
            document.documentElement.style.colorScheme = chosen;
          }, scheme);
          found.push(...(await findings(page)).map((finding) => `${scheme}, ${width}: ${finding}`));
          const isWider = await page.run(
            () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
            undefined,
          );
          if (isWider) found.push(`${scheme}, ${width}: wider than the window`);
        }
        return found;
      };

      await page.says('#state', /^connected$/);
      await page.says('#rtt-median', /ms/);
      expect(await disabled()).toEqual([]);
      expect(await looks()).toEqual([]);

      await page.run(() => {
        const slider = document.querySelector<HTMLInputElement>('#loss');
        if (slider === null) throw new Error('no slider');
        slider.value = '20';
        slider.dispatchEvent(new Event('input'));
      }, undefined);
      await page.says('#loss-value', /20 %/);
      await page.says('#inspect', /"loss": 0\.2/);
      await page.click('#bulk button[name=get]');
      expect(await disabled()).toEqual(['mebibytes', 'put', 'get']);
      await page.run(() => fetch('loss', { method: 'POST', body: '0' }).then(() => undefined), undefined);
      await page.says('#bulk-result', /SHA-256 equal/);

      const trace = await page.run(async () => {
        const { requested } = { requested: performance.getEntriesByType('resource').map((one) => one.name) };
        const id = requested
          .map((one) => /inspect\?id=(.*)$/.exec(one)?.[1])
          .findLast((one) => one !== undefined);
        return (await fetch(`trace?id=${id ?? ''}`)).text();
      }, undefined);
      const { header, entries } = parseTrace(trace);
      expect(header.seed).toBeUndefined();
      expect(entries.length).toBeGreaterThan(100);
      expect(entries.length).toBeLessThanOrEqual(5000);

      demo.kill('SIGKILL');
      await page.says('#state', /^failed$/);
      await page.says('#reason', /The server is gone/);
      expect(await disabled()).toEqual(['trace', 'loss', 'text', '', 'repeat', 'mebibytes', 'put', 'get']);
      await page.click('#reconnect');
      await page.says('#reason', /The server cannot be reached\. Is it still running\?/);
      expect(await looks()).toEqual([]);
    },
    LONG,
  );
});

describe('the command line', () => {
  test('--self-check measures, compares and exits 0', async () => {
    const { code, stdout, stderr } = await run('--self-check');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/connect .*ICE .*DTLS .*SCTP/);
    expect(stdout).toMatch(/upload .*MB\/s .*SHA-256 equal/);
    expect(stdout).toMatch(/download .*MB\/s .*SHA-256 equal/);
    expect(code).toBe(0);
  });

  test('a page port that is taken: one line, exit 1', async () => {
    const port = String(await occupiedPort());
    const { code, stderr } = await run('--port', '0', '--http-port', port);
    expect(lastLine(stderr)).toBe(
      `demo: HTTP 127.0.0.1:${port} is already in use: choose another --http-port`,
    );
    expect(code).toBe(1);
  });

  test.each([
    [['--port', '70000'], 'demo: --port expected a port from 0 to 65535, got "70000"'],
    [['--host', 'example'], 'demo: --host expected an IP address, got "example"'],
  ])('%j: one line, exit 1', async (options, line) => {
    const { code, stderr } = await run(...options);
    expect(stderr.trim()).toBe(line);
    expect(code).toBe(1);
  });

  test('an unknown option is named, exit 1', async () => {
    const { code, stderr } = await run('--speed');
    expect(stderr).toMatch(/^demo: .*--speed/);
    expect(code).toBe(1);
  });

  test('--help lists every option, exit 0', async () => {
    const { code, stdout } = await run('--help');
    for (const option of ['--host', '--http-port', '--port', '--self-check'])
      expect(stdout).toContain(option);
    expect(code).toBe(0);
  });
});

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
