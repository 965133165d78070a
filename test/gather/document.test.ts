/** docs/ice.md says how a gatherer stands beside a bare Rtc: the program there runs. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test, vi } from 'vitest';

const folder = new URL('../../.readme-code/gathering/', import.meta.url);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('a gatherer beside a bare Rtc', async () => {
  const document = readFileSync(new URL('../../docs/ice.md', import.meta.url), 'utf8');
  const [, code] = /### A gatherer beside a bare `Rtc`[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(document) ?? [];
  if (code === undefined) throw new Error('docs/ice.md has no program there');
  mkdirSync(folder, { recursive: true });
  const file = new URL('client.mjs', folder);
  writeFileSync(file, code);
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
    printed.push(words.join(' '));
  });
  try {
    await import(/* @vite-ignore */ file.pathname);
  } finally {
    log.mockRestore();
  }
  expect(printed).toEqual(['host 10.0.0.2 5000', 'srflx 198.51.100.7 40000', 'relay 192.0.2.1 49152']);
});
