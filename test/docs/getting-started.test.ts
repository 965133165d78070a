/** docs/guides/getting-started.md, as a reader goes through it: each file pasted under its name, and run. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Terminal } from '../node/terminal.ts';
import { filesOf, unpacked } from './guide-files.ts';

const GUIDE = 'docs/guides/getting-started.md';
const terminals: Terminal[] = [];
let folder: string;

function start(file: string, ...args: string[]): Terminal {
  const terminal = new Terminal(join(folder, file), ...args);
  terminals.push(terminal);
  return terminal;
}

beforeAll(async () => {
  // Any free port will do here: the program says which one it got.
  folder = await unpacked(GUIDE, (code) => code.replace('${port}/', '${server.address().port}/'));
});

afterAll(() => {
  for (const { process } of terminals) process.kill('SIGKILL');
});

test('two peers in one process: the lines are those in the guide, whenever it is run', () => {
  const printed = execFileSync(process.execPath, [join(folder, 'two-peers.mjs')], { encoding: 'utf8' });
  const guide = readFileSync(fileURLToPath(new URL(`../../${GUIDE}`, import.meta.url)), 'utf8');
  const shown = /^```text\n(0 ms {2}alice[\s\S]*?)^```$/m.exec(guide)?.[1] ?? '';
  const lines = (text: string): string[] => text.split('\n').map((line) => line.trimEnd());
  const [first = '', last = ''] = shown.split('…\n');
  expect(first).not.toBe('');
  expect(lines(printed).join('\n').startsWith(lines(first).join('\n').trimEnd())).toBe(true);
  expect(lines(printed).join('\n').endsWith(lines(last).join('\n'))).toBe(true);
});

test('two processes over UDP: connected, answered, closed at both ends', async () => {
  const server = start('server.mjs', '0');
  const url = await server.sees(/open (http:\S+)/);
  const client = start('client.mjs', url);
  await client.sees(/^connecting\nconnected\nyou said: hello\nclosed\nclosed: local-close$/m);
  expect(await client.ended()).toBe(0);
  await server.sees(/^channel "chat"$/m);
  await server.sees(/^closed: remote-close$/m);
});

test('the page is served; what is no offer is answered by a reason', async () => {
  const url = await start('server.mjs', '0').sees(/open (http:\S+)/);
  expect(await (await fetch(url)).text()).toBe(filesOf(GUIDE).get('page.html'));
  const refused = await fetch(`${url}join`, { method: 'POST', body: 'hello?' });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toMatch(/\w/);
});
