/**
 * docs/README.md lists every page of the site, in the order of its navigation, with the first sentence of each.
 * `UPDATE_DOCS=1 npx vitest run --project unit test/docs/index.test.ts` writes the list anew.
 */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LANDING, groups } from '../../scripts/site/pages.mjs';
import { pageList } from '../../scripts/site/index.mjs';
import { read } from './blocks.ts';

const HEADING = '## All pages\n';

test('the list of pages is that of the navigation', () => {
  const text = read(LANDING);
  const at = text.indexOf(HEADING) + HEADING.length;
  expect(at).toBeGreaterThan(HEADING.length);
  const list = pageList(groups());
  if (process.env['UPDATE_DOCS'] !== undefined)
    writeFileSync(new URL(`../../${LANDING}`, import.meta.url), `${text.slice(0, at)}\n${list}`);
  else expect(text.slice(at).trim(), 'UPDATE_DOCS=1 writes it').toBe(list.trim());
});
