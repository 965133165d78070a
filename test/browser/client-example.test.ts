/** examples/client as its reader meets it: a terminal, a page, and a relay between them that is all they have. */
import type { Page } from 'playwright-core';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeForeign } from '../interop/availability.ts';
import { Coturn, missingCoturn } from '../interop/coturn.ts';
import { bundle } from '../node/program.ts';
import { Terminal } from '../node/terminal.ts';
import { Chromium } from './chromium.ts';

describeForeign('examples/client, with coturn', missingCoturn(), () => {
  let folder: string;
  let coturn: Coturn;
  let chromium: Chromium;
  let page: Page;
  let url: string;
  const terminals: Terminal[] = [];

  function start(program: string, ...args: string[]): Terminal {
    const terminal = new Terminal(join(folder, program), ...args);
    terminals.push(terminal);
    return terminal;
  }

  /** Relays alone: between two processes of one machine there would be nothing to relay. */
  function iceOptions(): string[] {
    return ['--relay', '--ice-servers', JSON.stringify([coturn.iceServer('udp')])];
  }

  beforeAll(async () => {
    folder = await bundle(
      new URL('../../examples/', import.meta.url),
      ['client/client.mjs', 'client/server.mjs'],
      ['client/page.html'],
    );
    coturn = await Coturn.start();
    chromium = await Chromium.launch();
    page = await chromium.newPage();
    url = await start('client/server.mjs', '--http-port', '0', ...iceOptions()).sees(/http:\S+/);
    await page.goto(url);
  });
  afterAll(async () => {
    await chromium.close();
    await coturn.stop();
    for (const { process } of terminals) process.kill('SIGKILL');
  });
  afterEach(() => page.reload());

  async function expectConversation(client: Terminal): Promise<void> {
    await client.sees(/connected \(relay to relay\)/);
    client.type('hello page');
    await page.getByText('hello page').waitFor();
    await page.locator('#say input').fill('hello terminal');
    await page.locator('#say input').press('Enter');
    await client.sees(/^> hello terminal$/m);
    client.process.stdin.end();
    expect(await client.ended()).toBe(0);
    await page.getByText('a client has left').waitFor();
  }

  test('it POSTs its offer, and the page answers', async () => {
    await expectConversation(
      start('client/client.mjs', '--address', '127.0.0.1', ...iceOptions(), `${url}meet`),
    );
  });

  test('an invitation is pasted into the page, its reply into the terminal', async () => {
    const client = start('client/client.mjs', '--address', '127.0.0.1', ...iceOptions());
    await page.locator('#invite input').fill(await client.sees(/its reply here:\n(\S+)\n/));
    await page.locator('#invite input').press('Enter');
    await expect.poll(() => page.locator('#reply').inputValue(), { timeout: 20_000 }).not.toBe('');
    client.type(await page.locator('#reply').inputValue());
    await expectConversation(client);
  });
});
