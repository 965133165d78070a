/** Circles of files: src/ has none, imports of types included, so that it can be read from the ground up. */
import { readFileSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/** File → the files that it imports from, by import, export or `import()` type. */
type Imports = ReadonlyMap<string, readonly string[]>;

const root = new URL('../../src/', import.meta.url);

function importsIn(file: string, text: string): string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(file), specifier));
}

function importsOf(folder: URL): Imports {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'))
    .sort();
  return new Map(files.map((file) => [file, importsIn(file, readFileSync(new URL(file, folder), 'utf8'))]));
}

/** The shortest way from `file` back to itself, both ends included; `undefined` if there is none. */
function circleThrough(file: string, imports: Imports): string[] | undefined {
  const ways = [[file]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of imports.get(way.at(-1) ?? file) ?? []) {
      if (next === file) return [...way, file];
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

/** The shortest circle of each file that is in one, drawn; each circle once. */
function circles(imports: Imports): string[] {
  const drawn = new Set<string>();
  const shown = new Set<string>();
  for (const file of [...imports.keys()].sort()) {
    if (shown.has(file)) continue;
    const circle = circleThrough(file, imports);
    if (circle === undefined) continue;
    for (const member of circle) shown.add(member);
    drawn.add(circle.join(' → '));
  }
  return [...drawn];
}

describe('circles of files', () => {
  test('there are none', () => {
    expect(circles(importsOf(root)), 'move what both need to a third file, or to the lower one').toEqual([]);
  });
});

describe('the check itself', () => {
  test('finds the shortest circle, once', () => {
    const imports = new Map([
      ['a', ['b', 'x']],
      ['b', ['c']],
      ['c', ['a', 'b']],
      ['x', []],
    ]);
    expect(circles(imports)).toEqual(['a → b → c → a']);
    expect(circles(new Map([...imports, ['c', ['x']]]))).toEqual([]);
  });

  test('sees imports and exports, of types too', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from '../b.ts';",
      "export * from './c.ts';",
      "export type { D } from './d.ts';",
      "export type E = import('./e.ts').E;",
      "import './f.ts';",
      "import fs from 'node:fs'; // import './no.ts'",
    ].join('\n');
    expect(importsIn('room/x.ts', text).sort()).toEqual(
      ['b.ts', ...['a', 'c', 'd', 'e', 'f'].map((name) => `room/${name}.ts`)].sort(),
    );
  });
});
