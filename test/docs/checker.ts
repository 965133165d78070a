/** TypeScript's opinion of the documents' programs: they are files that are nowhere, and `sansrtc` is `src/`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { type Program, textOf } from './blocks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** A folder that need not be there, inside of the project so that its packages are found. */
const folder = `${root}.documents/`;

/** The package's entry points by their names, as package.json exports them. */
function entryPoints(): Record<string, string[]> {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([name, target]) =>
      typeof target === 'string'
        ? []
        : [
            [
              `sansrtc${name.slice(1)}`,
              [target.default.replace('./dist/', `${root}src/`).replace(/js$/, 'ts')],
            ],
          ],
    ),
  );
}

const COMMON: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
  types: ['node'],
  module: ts.ModuleKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
  paths: entryPoints(),
};

/** As an editor checks JavaScript: what is not said is anything. */
const LOOSE: ts.CompilerOptions = { ...COMMON, allowJs: true, checkJs: true, strict: false };
/** As projects of users are set up. */
const STRICT: ts.CompilerOptions = {
  ...COMMON,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
};

const MODULE = /^module '([^']+)'$/;

/** What a program can take from the reader's declarations, and these as a module's text. */
interface Exported {
  readonly values: string[];
  readonly types: string[];
  readonly text: string;
}

function exported(text: string): Exported {
  const source = ts.createSourceFile('given.ts', text, ts.ScriptTarget.Latest, true);
  const values: string[] = [];
  const types: string[] = [];
  let out = '';
  for (const statement of source.statements) {
    const own = statement.getFullText(source);
    if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings;
      const isType = statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      const names =
        bindings !== undefined && ts.isNamedImports(bindings)
          ? bindings.elements.map(({ name }) => name.text)
          : [];
      (isType ? types : values).push(...names);
      out += `${own} export ${isType ? 'type ' : ''}{ ${names.join(', ')} };`;
      continue;
    }
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
    if (isType) types.push(statement.name.text);
    else if (ts.isVariableStatement(statement))
      values.push(...statement.declarationList.declarations.map(({ name }) => name.getText(source)));
    else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
      values.push(statement.name?.text ?? '');
    const leading = own.length - own.trimStart().length;
    out += `${own.slice(0, leading)}export ${isType ? '' : 'declare '}${own.slice(leading)}`;
  }
  return { values, types, text: out };
}

/** Files by their paths, and where each comes from. */
interface Files {
  readonly texts: Map<string, string>;
  readonly documents: Map<string, string>;
}

/** A program's file, and that of what is given. Answers the program's path. */
function add(files: Files, program: Program): string {
  const line = program.blocks.at(-1)?.line ?? 0;
  const name = `${folder}${program.document.replaceAll(/[^a-z]+/gi, '-')}-${line}`;
  let text = textOf(program);
  let given = '';
  const names = new Set<string>();
  for (const one of program.given) {
    const module = MODULE.exec(one.text.trim());
    if (module !== null) {
      const ambient = `${folder}ambient.d.ts`;
      files.texts.set(ambient, `${files.texts.get(ambient) ?? ''}declare module '${module[1] ?? ''}';\n`);
      continue;
    }
    const { values, types, text: declared } = exported(one.text);
    for (const value of values) names.add(value);
    if (program.language === 'ts') for (const type of types) names.add(`type ${type}`);
    given += '\n'.repeat(Math.max(0, one.line - given.split('\n').length)) + declared;
  }
  if (given !== '') {
    files.texts.set(`${name}.given.ts`, given);
    files.documents.set(`${name}.given.ts`, program.document);
    text = `import { ${[...names].join(', ')} } from '${name}.given.ts';${text}`;
  }
  const file = `${name}.${program.language}`;
  files.texts.set(file, text);
  files.documents.set(file, program.document);
  return file;
}

/** What TypeScript says of these programs, as `document:line: message`. */
function check(programs: readonly Program[], options: ts.CompilerOptions): string[] {
  const files: Files = { texts: new Map(), documents: new Map() };
  for (const program of programs) add(files, program);
  const host = ts.createCompilerHost(options);
  const disk = { ...host };
  host.fileExists = (name) => files.texts.has(name) || disk.fileExists(name);
  host.readFile = (name) => files.texts.get(name) ?? disk.readFile(name);
  host.directoryExists = (name) => `${name}/` === folder || disk.directoryExists?.(name) === true;
  host.getSourceFile = (name, language, ...rest) => {
    const text = files.texts.get(name);
    return text === undefined
      ? disk.getSourceFile(name, language, ...rest)
      : ts.createSourceFile(name, text, language);
  };
  const compiled = ts.createProgram([...files.texts.keys()], options, host);
  const told = new Set<string>();
  for (const [name, document] of files.documents) {
    const source = compiled.getSourceFile(name);
    if (source === undefined) throw new Error(`${name} is not in the program`);
    for (const { start = 0, messageText } of [
      ...compiled.getSyntacticDiagnostics(source),
      ...compiled.getSemanticDiagnostics(source),
    ]) {
      const line = ts.getLineAndCharacterOfPosition(source, start).line + 1;
      told.add(`${document}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
    }
  }
  return [...told];
}

/** What is wrong with these programs, as `document:line: message`. */
export function problems(programs: readonly Program[]): string[] {
  return [
    ...check(
      programs.filter(({ language }) => language === 'js'),
      LOOSE,
    ),
    ...check(
      programs.filter(({ language }) => language === 'ts'),
      STRICT,
    ),
  ];
}

/** What does not parse in code that is of another library. */
export function syntaxProblems(name: string, code: string, line: number, language: 'js' | 'ts'): string[] {
  const { diagnostics = [] } = ts.transpileModule(code, {
    fileName: `x.${language}`,
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, allowJs: true },
  });
  return diagnostics.map((diagnostic) => {
    const at = code.slice(0, diagnostic.start ?? 0).split('\n').length - 1;
    return `${name}:${line + at}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
  });
}
