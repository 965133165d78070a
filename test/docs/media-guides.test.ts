/** docs/guides/whip-whep-sfu.md and recording.md: their programs run, and print what they say. */
import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { programFolder, Programs } from '../tooling/programs.ts';

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

test('a forwarding unit, step by step: both viewers see what is filmed', async () => {
  const { printed } = await new Programs('docs/guides/whip-whep-sfu.md').run('Step by step');
  expect(printed).toEqual(['ann sees 900 bytes\nbob sees 900 bytes']);
});

test('recording: frames in order, though packets are lost and overtaken', async () => {
  const { printed } = await new Programs('docs/guides/recording.md').run('From packets to frames');
  expect(printed).toEqual(['nearly all frames, in order']);
});
