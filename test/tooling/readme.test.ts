/** The README's code runs: each JavaScript block is taken out, written to a file and imported. `npm run check:package` runs it as pasted. */
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { Rtc } from '../../src/index.ts';
import { programFolder, Programs } from './programs.ts';

const programs = new Programs('README.md');

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

describe('README', () => {
  test('two peers, no network', async () => {
    const { printed } = await programs.run('Two peers, no network');
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/^"hello" after \d+ ms of virtual time$/);
  });

  test('the loop inside, over real UDP: heard, and both ends closed at once', async () => {
    const { exports, printed } = await programs.run('The loop inside', '\nexport { bob };');
    expect(printed).toEqual(['over real UDP']);
    // A socket that is closed before the last datagram has gone out leaves the peer to wait for a gate.
    const { bob } = exports as { bob: Rtc };
    await vi.waitFor(() => expect(bob.inspect().closed).toMatchObject({ code: 'remote-close' }), 5000);
  });

  test('the loop has about thirty lines', () => {
    const loop =
      /async function drive[\s\S]*?^}/m.exec(programs.code.get('The loop inside') ?? '')?.[0] ?? '';
    const lines = loop.split('\n').length;
    expect(lines).toBeGreaterThan(10);
    expect(lines).toBeLessThanOrEqual(32);
  });

  test('the contents name every section, in its order', () => {
    const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const sections = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    const [contents = ''] = /\*\*Contents\*\*[\s\S]*?\n\n/.exec(text) ?? [];
    const named = [...contents.matchAll(/\[([^\]]+)\]\(#/g)].map(([, heading]) => heading);
    expect(sections).toEqual([...named, 'Contributing, security, license']);
  });
});
