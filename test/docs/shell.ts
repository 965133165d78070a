/** Shell blocks of the documents: what they call of this project exists. Nothing of them is run. */
import { existsSync, readFileSync } from 'node:fs';
import type { Block } from './blocks.ts';

const root = new URL('../../', import.meta.url);
const { scripts, bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  scripts: Record<string, string>;
  bin: Record<string, string>;
};

/** Sub-commands by command. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  sansrtc: ['trace', 'serve', 'connect', 'doctor', 'help'],
  'sansrtc-trace': ['summary', 'replay', 'ladder', 'pcap'],
};

/** A path of this repository: a reader is in its root. */
const OWN_PATH = /^(?:examples|scripts|bench|test|bin)\/[\w./-]+$/;

/** What is wrong with one command line. */
function problem(words: readonly string[]): string | undefined {
  const [program, first = '', second = ''] = words;
  if (program === 'npm' && first === 'run' && !(second in scripts)) return `no script "${second}"`;
  if (program === 'npx' && Object.hasOwn(COMMANDS, first)) {
    if (!Object.hasOwn(bin, first)) return `no command "${first}"`;
    const known = COMMANDS[first] ?? [];
    if (second !== '' && !second.startsWith('-') && !known.includes(second))
      return `${first} has no command "${second}"`;
  }
  const missing = words.find((word) => OWN_PATH.test(word) && !existsSync(new URL(word, root)));
  return missing === undefined ? undefined : `no file ${missing}`;
}

/** What a shell block names and is not there, as `document:line: message`. */
export function shellProblems({ document, line, code }: Block): string[] {
  return code.split('\n').flatMap((text, i) =>
    text
      .replace(/(^|\s)#.*$/, '')
      .split(/&&|\|\||[|;]/)
      .flatMap((command) => {
        const words = command.trim().split(/\s+/);
        const found = problem(words);
        return found === undefined ? [] : [`${document}:${line + i}: ${found}`];
      }),
  );
}
