/** docs/guides/game-server.md: fifty bots play on the server. How fast is a matter of the machine, and is not judged. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Terminal } from '../node/terminal.ts';
import { unpacked } from './guide-files.ts';

const terminals: Terminal[] = [];

afterAll(() => {
  for (const { process } of terminals) process.kill('SIGKILL');
});

function start(...args: [string, ...string[]]): Terminal {
  const terminal = new Terminal(...args);
  terminals.push(terminal);
  return terminal;
}

test('fifty bots join, hear snapshots, and are told what became of their shots', async () => {
  // Any free port will do here: the program says which one it got.
  const folder = await unpacked('docs/guides/game-server.md', (code) =>
    code.replace('127.0.0.1:${port}/', '127.0.0.1:${server.address().port}/'),
  );
  const server = start(join(folder, 'game.mjs'), '0', '0');
  const url = await server.sees(/join at (http:\S+)/);
  const bots = start(join(folder, 'bots.mjs'), url, '50', '2');
  await bots.sees(/^50 bots joined/m);
  expect(Number(await bots.sees(/^(\d+) snapshots/m))).toBeGreaterThan(0);
  const [arrived, expired] = [await bots.sees(/(\d+) arrived/), await bots.sees(/(\d+) given up/)];
  expect(Number(arrived) + Number(expired)).toBeGreaterThan(0);
  expect(await bots.ended()).toBe(0);
  await server.sees(/players, longest tick/);
  server.process.kill('SIGINT');
  expect(await server.ended()).toBe(0);
});
