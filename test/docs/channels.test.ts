/** docs/guides/channels.md: its programs run, and print what it says. */
import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { programFolder, Programs } from '../tooling/programs.ts';

const guide = new Programs('docs/guides/channels.md');

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

test('making one, in an offer and later', async () => {
  const { printed } = await guide.run('Making one');
  expect(printed.sort()).toEqual(['alice: chat is open', 'bob has chat ']);
});

test('a negotiated channel is announced by nobody', async () => {
  const { printed } = await guide.run('Options');
  expect(printed).toEqual(['1,2,3']);
});

test('back-pressure keeps the queue below its mark', async () => {
  const { printed } = await guide.run('Back-pressure');
  expect(printed).toEqual(['8192000 true']);
});

test('until all is sent: left, arrived, and the last word before the end', async () => {
  const { printed } = await guide.run('Until all is sent');
  expect(printed).toEqual([
    'all has left\nbob hears 100000\nthe file: acknowledged\nbob hears 7\nlocal-close',
  ]);
});

test('a deadline ends a message that nothing lets through', async () => {
  const { printed } = await guide.run('Deadlines and outcomes');
  expect(printed).toEqual(['1 acknowledged,2 expired']);
});
