/** docs/guides/trickle.md: two peers whose offers cross, and two by hand. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Terminal } from '../node/terminal.ts';
import { unpacked } from './guide-files.ts';

const terminals: Terminal[] = [];
let folder: string;

beforeAll(async () => {
  folder = await unpacked('docs/guides/trickle.md');
});

afterAll(() => {
  for (const { process } of terminals) process.kill('SIGKILL');
});

function start(file: string, ...args: string[]): Terminal {
  const terminal = new Terminal(join(folder, file), ...args);
  terminals.push(terminal);
  return terminal;
}

test('both offer at once: one takes its offer back, both channels work, and the end of candidates is told', async () => {
  const both = start('both.mjs');
  expect(await both.ended()).toBe(0);
  await both.sees(/^alice hears: bob's channel works$/m);
  await both.sees(/^bob hears: alice's channel works$/m);
  await both.sees(/^alice says no more candidates$/m);
  await both.sees(/^offers taken back: 1$/m);
});

test('by hand', async () => {
  const byHand = start('by-hand.mjs');
  expect(await byHand.ended()).toBe(0);
  await byHand.sees(/^hello yourself$/m);
});
