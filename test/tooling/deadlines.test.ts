/** F2a: docs/deadlines.md says what the code does. `UPDATE_DOCS=1` writes its table anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gateTable } from '../../scripts/gate-table.ts';

const file = new URL('../../docs/deadlines.md', import.meta.url);

/** Cells without the padding that the formatter gives them. */
function cells(table: string): string[][] {
  return table
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('| -'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

test('the table of gates is the one that the code makes', () => {
  const document = readFileSync(file, 'utf8');
  const table = document.split('\n').filter((line) => line.startsWith('|'));
  if (process.env['UPDATE_DOCS'] !== undefined) {
    writeFileSync(file, document.replace(table.join('\n'), gateTable()));
    return;
  }
  expect(cells(gateTable()).length).toBeGreaterThan(15);
  expect(cells(document)).toEqual(cells(gateTable()));
});
