/** The table of where the package runs: written, read back, and compared; and the README's, with what the runtimes are checked for. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RUNTIMES } from './runtimes.ts';
import type { Column, Row, Tick } from './table.ts';
import { BEGIN, END, markdownTable, tableDifference, ticksIn, ticksOf, withTable } from './table.ts';

function row(name: string, version: string, ticks: Partial<Record<Column, Tick>> = {}, notes = ''): Row {
  return {
    name,
    version,
    ticks: { core: 'yes', media: 'yes', driver: 'yes', nodeCrypto: 'yes', ...ticks },
    notes,
  };
}

const ROWS = [
  row('Node.js', '20'),
  row('Node.js', '22'),
  row('Deno', '2.9', {}, '`deno run`'),
  row('workerd', '2026-11-17', { driver: 'never', nodeCrypto: 'never' }, 'no UDP'),
];

const document = (table: string): string => `# A\n\n${BEGIN}\n\n${table}\n\n${END}\n\n| other | table |\n`;

describe('the table', () => {
  test('has a row a runtime, with all versions that do the same', () => {
    expect(`\n${markdownTable(ROWS)}\n`).toBe(`
| runtime | version tested | core | media | \`sansrtc/node\` | \`sansrtc/crypto/node\` | notes      |
| ------- | -------------- | ---- | ----- | -------------- | --------------------- | ---------- |
| Node.js | 20, 22         | ✓    | ✓     | ✓              | ✓                     |            |
| Deno    | 2.9            | ✓    | ✓     | ✓              | ✓                     | \`deno run\` |
| workerd | 2026-11-17     | ✓    | ✓     | –              | –                     | no UDP     |
`);
  });

  test('has a row of its own for a version that does less', () => {
    const table = markdownTable([...ROWS, row('Node.js', '26', { driver: 'no' })]);
    expect(table.match(/^\| Node\.js .*$/gm)).toEqual([
      expect.stringMatching(/20, 22 .*✓/),
      expect.stringMatching(/26 .*✗/),
    ]);
    expect(ticksOf(table).get('Node.js')).toBe('✓ ✓ ✓ ✓, ✓ ✓ ✗ ✓');
  });

  test('is put between the marks, and nothing else is changed', () => {
    const written = withTable(document('| old |'), markdownTable(ROWS));
    expect(written).toBe(document(markdownTable(ROWS)));
    expect(withTable(written, markdownTable(ROWS))).toBe(written);
    expect(() => withTable('# no marks', '')).toThrow(`there is no ${BEGIN} … ${END}`);
  });

  test('is read back: names and ticks', () => {
    expect([...(ticksIn(document(markdownTable(ROWS))) ?? [])]).toEqual([
      ['Node.js', '✓ ✓ ✓ ✓'],
      ['Deno', '✓ ✓ ✓ ✓'],
      ['workerd', '✓ ✓ – –'],
    ]);
    expect(ticksIn('# no marks')).toBeUndefined();
  });
});

describe('a document’s table and that of a run', () => {
  const written = document(markdownTable(ROWS));

  test.each<[string, Row[], string | undefined]>([
    ['the same', ROWS, undefined],
    ['other versions', [row('Node.js', '22'), row('Node.js', '28'), ...ROWS.slice(2)], undefined],
    [
      'a runtime that failed',
      [...ROWS.slice(0, 2), row('Deno', '2.9', { driver: 'no' }), ...ROWS.slice(3)],
      'Deno expected "✓ ✓ ✗ ✓", got "✓ ✓ ✓ ✓"',
    ],
    [
      'a runtime that was not there',
      [...ROWS.slice(0, 2), row('Deno', '2.9', { core: 'untested' }), ...ROWS.slice(3)],
      undefined,
    ],
    ['a new runtime', [...ROWS, row('Bun', '1')], 'Bun is missing'],
    ['one less', ROWS.slice(0, 3), 'workerd is not tested any more'],
  ])('%s', (_what, rows, difference) => {
    expect(tableDifference(written, markdownTable(rows))).toBe(difference);
  });
});

test('every runtime is checked for the core, and none twice', () => {
  const all = RUNTIMES.map((runtime) =>
    runtime.kind === 'browser' ? runtime.name : `${runtime.name} ${runtime.package.version}`,
  );
  expect(new Set(all).size).toBe(all.length);
  for (const { columns } of RUNTIMES) expect(columns).toContain('core');
});

test('the README says of each runtime what it is checked for', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const checked = RUNTIMES.map(({ name, columns, notes }) => {
    const tick = (column: Column): Tick => (columns.includes(column) ? 'yes' : 'never');
    const ticks = {
      core: tick('core'),
      media: tick('media'),
      driver: tick('driver'),
      nodeCrypto: tick('nodeCrypto'),
    };
    return { name, version: '', ticks, notes };
  });
  expect(ticksIn(readme) ?? new Map()).toEqual(ticksOf(markdownTable(checked)));
});
