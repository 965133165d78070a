/**
 * Docstrings: every exported name of src/ has one of its own, directly above it; a file's header is none, unless it stands there.
 * `undocumented.json` lists the names that had none when this began, by file, and only shrinks:
 * `UPDATE_DOCS=1 npx vitest run --project unit test/tooling/docstrings.test.ts` takes out what has been mended, and adds nothing.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/** File below the root → the names in it without a docstring. */
type Undocumented = Record<string, string[]>;

const root = new URL('../../', import.meta.url);
const listFile = new URL('undocumented.json', import.meta.url);

type Declaration =
  | ts.ClassDeclaration
  | ts.FunctionDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.EnumDeclaration
  | ts.VariableStatement;

function isDeclaration(statement: ts.Statement): statement is Declaration {
  return (
    ts.isClassDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement) ||
    ts.isVariableStatement(statement)
  );
}

function namesOf(declaration: Declaration, source: ts.SourceFile): string[] {
  if (!ts.isVariableStatement(declaration)) return [declaration.name?.text ?? 'default'];
  return declaration.declarationList.declarations.map(({ name }) => name.getText(source));
}

/** What `export { a, b as c }` of this file's own names exports: their names here. */
function exportedByList(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier !== undefined) continue;
    if (statement.exportClause === undefined || !ts.isNamedExports(statement.exportClause)) continue;
    for (const { name, propertyName } of statement.exportClause.elements)
      names.add((propertyName ?? name).text);
  }
  return names;
}

/** The nearest comment is a JSDoc one (remarks in `//` may stand between), and no line is left empty up to the declaration. */
function hasDocstring(declaration: Declaration, source: ts.SourceFile): boolean {
  const { text } = source;
  const comments = ts.getLeadingCommentRanges(text, declaration.getFullStart()) ?? [];
  const docstring = comments.findLast(({ kind }) => kind === ts.SyntaxKind.MultiLineCommentTrivia);
  if (docstring === undefined || !text.startsWith('/**', docstring.pos)) return false;
  return !/\n\s*\n/.test(text.slice(docstring.end, declaration.getStart(source)));
}

/** Exported names without a docstring. Overloads share that of the first; so do a constant and the type of its name. */
function undocumentedIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const byList = exportedByList(source);
  const documented = new Set<string>();
  const missing = new Set<string>();
  for (const statement of source.statements.filter(isDeclaration)) {
    const hasKeyword = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
    for (const name of namesOf(statement, source)) {
      if (hasDocstring(statement, source)) documented.add(name);
      else if ((hasKeyword || byList.has(name)) && !documented.has(name)) missing.add(name);
    }
  }
  return [...missing];
}

function undocumented(): Undocumented {
  const files = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file.replaceAll('\\', '/')}`)
    .sort();
  const found: Undocumented = {};
  for (const file of files) {
    const missing = undocumentedIn(file, readFileSync(new URL(file, root), 'utf8'));
    if (missing.length > 0) found[file] = missing;
  }
  return found;
}

/** Everything in `a` that is not in `b`, as `file: name`. */
function beyond(a: Undocumented, b: Undocumented): string[] {
  return Object.entries(a).flatMap(([file, names]) =>
    names.filter((name) => b[file]?.includes(name) !== true).map((name) => `${file}: ${name}`),
  );
}

/** `listed` without what is documented by now. */
function shrunk(listed: Undocumented, found: Undocumented): Undocumented {
  const kept = Object.entries(listed).map(
    ([file, names]) => [file, names.filter((name) => found[file]?.includes(name) === true)] as const,
  );
  return Object.fromEntries(kept.filter(([, names]) => names.length > 0));
}

/** JSON, a line a file. */
function format(list: Undocumented): string {
  const lines = Object.entries(list).map(
    ([file, names]) => `  ${JSON.stringify(file)}: ${JSON.stringify(names)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}

describe('docstrings', () => {
  const found = undocumented();
  const listed = (existsSync(listFile) ? JSON.parse(readFileSync(listFile, 'utf8')) : {}) as Undocumented;

  test('every exported name has its own, but for those listed', () => {
    expect(beyond(found, listed), 'write a docstring directly above each').toEqual([]);
  });

  test('what is listed has none: who writes one takes the name off the list', () => {
    if (process.env['UPDATE_DOCS'] === undefined) {
      expect(beyond(listed, found), 'UPDATE_DOCS=1 takes these out').toEqual([]);
      return;
    }
    writeFileSync(listFile, format(shrunk(listed, found)));
  });
});

describe('the check itself', () => {
  const HEADER = "/** A file. */\nimport type { B } from './b.ts';\n\n";

  test.each([
    ['a class after the header and its imports', 'export class A {}', ['A']],
    [
      'a function, an interface, a type, a constant',
      'export function f(): void {}\nexport interface I {}\nexport type T = B;\nexport const c = 1;',
      ['f', 'I', 'T', 'c'],
    ],
    ['a comment that is no docstring', '// The answer.\nexport const c = 42;', ['c']],
    ['a docstring with a line between', '/** The answer. */\n\nexport const c = 42;', ['c']],
    ['a docstring of the name before', '/** One. */\nexport const a = 1;\nexport const b = 2;', ['b']],
    ['a name that a list exports', 'class A {}\nexport { A as Z };', ['A']],
    ['a default export', 'export default class {}', ['default']],
  ])('%s: found', (_, code, names) => {
    expect(undocumentedIn('x.ts', HEADER + code)).toEqual(names);
  });

  test.each([
    ['its own docstring', '/** One. */\nexport class A {}'],
    ['a remark between', '/** One. */\n// eslint-disable-next-line\nexport class A {}'],
    [
      'an overload',
      '/** One. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\nexport function f(a: number): number {\n  return a;\n}',
    ],
    ['not exported', 'class A {}'],
    ['exported again', "export { A } from './a.ts';\nexport * from './b.ts';"],
  ])('%s: nothing to find', (_, code) => {
    expect(undocumentedIn('x.ts', HEADER + code)).toEqual([]);
  });

  test('the list only shrinks', () => {
    const listed = { 'src/a.ts': ['A', 'B'], 'src/b.ts': ['C'] };
    expect(shrunk(listed, { 'src/a.ts': ['B', 'New'], 'src/c.ts': ['Newer'] })).toEqual({
      'src/a.ts': ['B'],
    });
    expect(beyond({ 'src/a.ts': ['B', 'New'] }, listed)).toEqual(['src/a.ts: New']);
    expect(beyond(listed, { 'src/a.ts': ['B'] })).toEqual(['src/a.ts: A', 'src/b.ts: C']);
  });
});
