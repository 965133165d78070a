/**
 * Code blocks of the documents, and the programs they make.
 *
 * For who writes a document:
 *
 * - Every fenced block names its language, one of `LANGUAGES`. `js` and `ts` are type-checked against `src/`, `html` for its scripts,
 *   `json` is parsed, `sh` is searched for scripts, commands and files that do not exist. Output is `text`.
 * - The `js` blocks under one heading (of the first or second level) are one program, in order; so are the `ts` blocks. `Programs`
 *   (test/tooling/programs.ts) runs one: `new Programs('docs/guides/streams.md').run('Back-pressure')`.
 * - `js` is checked as an editor checks JavaScript: loosely, but for names, members, options and arguments. `ts` is checked strictly.
 *
 * Comments in front of a block, unseen by the reader, say what a block needs:
 *
 *     <!-- given: const signal: (offer: string) => Promise<string> -->     what a reader has: declarations, one or many
 *     <!-- given: module 'express' -->                                     a package that is not installed here
 *     <!-- prelude -->                   this block is in front of every later program of the document
 *     <!-- after: Back-pressure -->      the program goes on from the one under that heading
 *     <!-- alone -->                     the block is a program of its own, the first of another file, say
 *     <!-- alone file: server.mjs -->    the same, and a whole file that the reader saves: guide-files.ts runs those of a guide
 *     <!-- foreign: simple-peer -->      code of another library: it must parse, no more
 *     <!-- why: answer lost, offerer -->   of a picture or an output: which run it is from, for the test that checks it
 */
import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** Languages a block may be in. */
export const LANGUAGES = [
  'js',
  'ts',
  'html',
  'json',
  'sh',
  'text',
  'css',
  'diff',
  'dockerfile',
  'go',
  'ini',
  'mermaid',
  'rust',
  'sdp',
  'toml',
  'yaml',
] as const;

/** What a comment in front of a block says of it. */
export interface Remarks {
  /** Declarations of names that the reader has. */
  readonly given: readonly { readonly line: number; readonly text: string }[];
  /** Headings of the programs that this one goes on from. */
  readonly after: readonly string[];
  readonly prelude: boolean;
  readonly alone: boolean;
  /** Whose code it is, if it is not for this library. */
  readonly foreign: string | undefined;
}

/** One fenced block. */
export interface Block {
  /** Path of the document from the root of the project. */
  readonly document: string;
  /** The first or second level heading it stands under; `''` above the first. */
  readonly heading: string;
  /** What is written behind the fence. */
  readonly language: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  readonly remarks: Remarks;
}

/** Blocks that are one file. */
export interface Program {
  readonly document: string;
  readonly heading: string;
  readonly language: 'js' | 'ts';
  /** Its own, and in front of them those it goes on from. */
  readonly blocks: readonly Block[];
  readonly given: Remarks['given'];
}

/** Every document for users: README.md, docs/, and the examples' READMEs. */
export function documents(): string[] {
  const within = ['docs', 'examples'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((name) => name.endsWith('.md')),
  );
  return ['README.md', ...within.sort()];
}

/** The text of a document. */
export function read(document: string): string {
  return readFileSync(new URL(document, root), 'utf8');
}

const REMARK = /<!--\s*(given:|after:|foreign:|prelude|alone)([\s\S]*?)-->/g;
const NO_REMARKS: Remarks = { given: [], after: [], prelude: false, alone: false, foreign: undefined };

/** Remarks in the text between two blocks, which begins at `line`. */
function remarksIn(text: string, line: number): Remarks {
  const remarks = { ...NO_REMARKS, given: [...NO_REMARKS.given], after: [...NO_REMARKS.after] };
  for (const match of text.matchAll(REMARK)) {
    const [whole, kind = '', value = ''] = match;
    const at = line + text.slice(0, match.index + whole.indexOf(value)).split('\n').length - 1;
    if (kind === 'given:') remarks.given.push({ line: at, text: value });
    else if (kind === 'after:') remarks.after.push(value.trim());
    else if (kind === 'foreign:') remarks.foreign = value.trim();
    else if (kind === 'prelude') remarks.prelude = true;
    else remarks.alone = true;
  }
  return remarks;
}

/** The fenced blocks of a document's text, in order. A fence may be indented, in a list. */
export function blocksOf(document: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  let heading = '';
  let between = 0; // the line from 0 at which the text in front of the next block begins
  for (let i = 0; i < lines.length; i++) {
    const title = /^##? (.*)$/.exec(lines[i] ?? '');
    if (title !== null) {
      heading = title[1] ?? '';
      between = i;
    }
    const fence = /^( *)(`{3,}|~{3,})(.*)$/.exec(lines[i] ?? '');
    if (fence === null) continue;
    const [, indent = '', marks = '', language = ''] = fence;
    const end = lines.findIndex((line, at) => at > i && line.trim() === marks && line.startsWith(indent));
    if (end < 0) throw new Error(`${document}:${i + 1}: a block without an end`);
    blocks.push({
      document,
      heading,
      language: language.trim(),
      line: i + 2,
      code: lines
        .slice(i + 1, end)
        .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
        .join('\n'),
      remarks: remarksIn(lines.slice(between, i).join('\n'), between + 1),
    });
    i = end;
    between = end + 1;
  }
  return blocks;
}

/** The programs that the blocks of one document make. Foreign code is in none. */
export function programsOf(blocks: readonly Block[]): Program[] {
  const programs: Program[] = [];
  const preludes: Block[] = [];
  for (const block of blocks) {
    const { document, heading, language, remarks } = block;
    if ((language !== 'js' && language !== 'ts') || remarks.foreign !== undefined) continue;
    const goesOn = (program: Program): boolean =>
      program.heading === heading && program.language === language;
    const at = remarks.alone ? -1 : programs.findLastIndex(goesOn);
    const before = at < 0 ? undefined : programs[at];
    const earlier = remarks.after.flatMap((wanted) => {
      const found = programs.find((program) => program.heading === wanted && program.language === language);
      if (found === undefined) throw new Error(`${document}:${block.line}: no ${language} under "${wanted}"`);
      return found.blocks;
    });
    const own = before?.blocks ?? preludes.filter((prelude) => prelude.language === language);
    const all = [...new Set([...own, ...earlier, block])].sort((a, b) => a.line - b.line);
    const program: Program = {
      document,
      heading,
      language,
      blocks: all,
      given: all.flatMap((each) => each.remarks.given),
    };
    if (before === undefined) programs.push(program);
    else programs[at] = program;
    if (remarks.prelude) preludes.push(block);
  }
  return programs;
}

/** The scripts of an `html` block, each as a program. What loads another file is none. */
export function scriptsOf(block: Block): Program[] {
  return [...block.code.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map((match) => {
    const [whole, code = ''] = match;
    const line = block.line + block.code.slice(0, match.index + whole.indexOf(code)).split('\n').length - 1;
    const script: Block = { ...block, language: 'js', line, code };
    const { document, heading } = block;
    return { document, heading, language: 'js', blocks: [script], given: block.remarks.given };
  });
}

/** The program's text, each line of code on the line that it has in its document: what is told of a line is true of both. */
export function textOf(program: Program): string {
  const lines: string[] = [];
  for (const { line, code } of program.blocks) {
    while (lines.length < line - 1) lines.push('');
    lines.push(...code.split('\n'));
  }
  return `${lines.join('\n')}\n`;
}
