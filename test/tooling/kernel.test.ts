/** The kernel that is checked in is what its source compiles to: nobody has to trust a binary. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileKernel, moduleSource } from '../../scripts/kernel.mjs';

test('src/crypto/kernel/module.ts is made from src/crypto/kernel/assembly, byte for byte', async () => {
  const checkedIn = readFileSync(new URL('../../src/crypto/kernel/module.ts', import.meta.url), 'utf8');
  expect(moduleSource(await compileKernel()) === checkedIn, 'npm run build:kernel writes it anew').toBe(true);
}, 60_000);
