/** Code in the documents is right: programs are type-checked, JSON is JSON, and a shell finds what it is told to run. */
import { describe, expect, test } from 'vitest';
import {
  type Block,
  type Program,
  LANGUAGES,
  blocksOf,
  documents,
  programsOf,
  read,
  scriptsOf,
  textOf,
} from './blocks.ts';
import { problems, syntaxProblems } from './checker.ts';
import { shellProblems } from './shell.ts';

const blocks = new Map(documents().map((document) => [document, blocksOf(document, read(document))]));
const all = [...blocks.values()].flat();
const inLanguage = (language: string): Block[] => all.filter((block) => block.language === language);

/** What does not parse: one value, or one a line. */
function jsonProblems({ document, line, code }: Block): string[] {
  const parses = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  if (parses(code)) return [];
  return code.split('\n').flatMap((text, i) => (parses(text) ? [] : [`${document}:${line + i}: no JSON`]));
}

/** Comments that are no remark, and so say nothing to anybody: a slip of the pen. */
function strayComments(document: string, text: string): string[] {
  const code = text.replaceAll(/^( *)(`{3,})[\s\S]*?^\1\2$/gm, (block) => block.replaceAll(/[^\n]/g, ''));
  return [...code.matchAll(/<!--\s*(\S[^\n]*)/g)]
    .filter(
      ([, words = '']) =>
        !/^(?:given:|after: |foreign: |why: |(?:alone )?file: \S+ -->|(?:prelude|alone|\/?runtimes) -->|prettier-ignore)/.test(
          words,
        ),
    )
    .map(({ index, 1: words }) => `${document}:${code.slice(0, index).split('\n').length}: ${words ?? ''}`);
}

describe('blocks', () => {
  test('each says in what language it is', () => {
    const strange = all.filter(({ language }) => !LANGUAGES.some((known) => known === language));
    expect(strange.map(({ document, line, language }) => `${document}:${line - 1}: "${language}"`)).toEqual(
      [],
    );
  });

  test('programs are right by their types', () => {
    const programs = [...blocks.values()].flatMap(programsOf);
    expect(programs.length).toBeGreaterThan(20);
    expect(problems([...programs, ...inLanguage('html').flatMap(scriptsOf)])).toEqual([]);
  });

  test('code of other libraries parses', () => {
    const foreign = all.filter(({ remarks }) => remarks.foreign !== undefined);
    const wrong = foreign.flatMap(({ document, line, language, code }) =>
      language === 'js' || language === 'ts' ? syntaxProblems(document, code, line, language) : [],
    );
    expect(wrong).toEqual([]);
  });

  test('JSON parses', () => {
    expect(inLanguage('json').flatMap(jsonProblems)).toEqual([]);
  });

  test('a shell finds what it is told to run', () => {
    expect(inLanguage('sh').length).toBeGreaterThan(10);
    expect(inLanguage('sh').flatMap(shellProblems)).toEqual([]);
  });

  test('no comment is an unknown remark', () => {
    expect(documents().flatMap((document) => strayComments(document, read(document)))).toEqual([]);
  });
});

describe('the checks themselves', () => {
  const fenced = (language: string, code: string, remarks = ''): string =>
    `${remarks}\n\`\`\`${language}\n${code}\n\`\`\`\n`;
  const programsIn = (document: string, ...parts: string[]): Program[] =>
    programsOf(blocksOf(document, parts.join('\n')));
  const told = problems([
    ...programsIn(
      'wrong.md',
      '# A',
      fenced('js', "import { Rtc, Nothing } from 'sansrtc';\nnew Rtc({ certificate: 1 }).answer();"),
      '# B',
      fenced('ts', 'const a: string = nobody;'),
    ),
    ...programsIn('given.md', '# A', '', fenced('ts', 'a;', '<!-- given:\nconst a: Elsewhere -->')),
    ...programsIn(
      'right.md',
      '# A',
      fenced('js', 'const a = 1;', '<!-- prelude -->'),
      '# B',
      fenced('js', 'const b = a + c;', '<!-- given: const c: number -->'),
      fenced('js', "import y from 'y';\nconst d = b;", "<!-- given: module 'y' -->"),
      fenced('js', 'const d = a;', '<!-- alone -->'),
      '# C',
      fenced('js', 'const e = d;', '<!-- after: B -->'),
      '# D',
      fenced('ts', 'const f: T = { g };', '<!-- given: type T = { g: number };\nconst g: number -->'),
      fenced('js', 'new Peer(;', '<!-- foreign: simple-peer -->'),
    ),
  ]);

  test('a name that is none, a wrong option, a wrong import are found at their lines', () => {
    const places = told.filter((each) => each.startsWith('wrong')).map((each) => each.replace(/: .*/, ''));
    expect(places).toEqual(['wrong.md:4', 'wrong.md:5', 'wrong.md:5', 'wrong.md:11']);
  });

  test('what is given, goes on, stands in front, stands alone: nothing to find', () => {
    expect(told.filter((each) => each.startsWith('right'))).toEqual([]);
  });

  test('a mistake in what is given is found at its line', () => {
    expect(told.filter((each) => each.startsWith('given'))).toEqual([
      "given.md:4: Cannot find name 'Elsewhere'.",
    ]);
  });

  test('the lines of a program are those of its document', () => {
    const [program] = programsOf(
      blocksOf('d.md', `# A\n\ntext\n\n${fenced('js', 'one;')}${fenced('js', 'two;')}`),
    );
    const lines = program === undefined ? [] : textOf(program).split('\n');
    expect([lines.indexOf('one;'), lines.indexOf('two;')]).toEqual([6, 10]);
  });

  test('a fence in a list, a `#` in a shell', () => {
    const found = blocksOf(
      'd.md',
      '# A\n\n```sh\n# not a heading\n```\n\n- x\n\n  ```json\n  {\n    "a": 1\n  }\n  ```\n',
    );
    expect(found.map(({ heading, code }) => [heading, code])).toEqual([
      ['A', '# not a heading'],
      ['A', '{\n  "a": 1\n}'],
    ]);
  });

  test('JSON, a shell, a foreign block, a comment', () => {
    const wrong = [
      fenced('json', '{}\n{ "a": }'),
      fenced(
        'sh',
        'npm run test && npm run nothing # npm run no\nnpx sansrtc-trace walk\nnode examples/no.mjs',
      ),
      fenced('js', 'let = 1 +;', '<!-- foreign: x -->'),
    ];
    const [json, sh, foreign] = blocksOf('d.md', wrong.join(''));
    expect(json && jsonProblems(json)).toEqual(['d.md:4: no JSON']);
    expect(sh && shellProblems(sh)).toEqual([
      'd.md:8: no script "nothing"',
      'd.md:9: sansrtc-trace has no command "walk"',
      'd.md:10: no file examples/no.mjs',
    ]);
    expect(foreign && syntaxProblems('d.md', foreign.code, foreign.line, 'js')[0]).toMatch(/^d.md:14: /);
    expect(strayComments('d.md', '\n<!-- givn: const a -->\n<!-- given: const a -->')).toEqual([
      'd.md:2: givn: const a -->',
    ]);
  });
});
