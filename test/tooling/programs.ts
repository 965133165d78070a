/** Programs in a document: JavaScript blocks by the heading they stand under, taken out, written to a file and imported. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { vi } from 'vitest';
import { blocksOf, programsOf, read, textOf } from '../docs/blocks.ts';

/** Where they are written: inside of the project, so that its packages are found, and a folder for each process that tests. */
export const programFolder: URL = new URL(`../../.readme-code/${process.pid}-${threadId}/`, import.meta.url);

/** What a program exports, and what it has printed. */
export interface Ran {
  readonly exports: Record<string, unknown>;
  readonly printed: string[];
}

/** Where the code finds what it is given. */
const shelf = globalThis as { documentsGiven?: Record<string, unknown>[] };
let runs = 0;

/** The programs of one document. Several blocks under one heading are one program; what else makes one, test/docs/blocks.ts says. */
export class Programs {
  /** By heading. Of several under one, the first. */
  readonly code: ReadonlyMap<string, string>;
  readonly #name: string;

  /** @param path of the document, from the root of the project */
  constructor(path: string) {
    const code = new Map<string, string>();
    for (const program of programsOf(blocksOf(path, read(path)))) {
      if (program.language === 'js' && !code.has(program.heading)) code.set(program.heading, textOf(program));
    }
    this.code = code;
    this.#name = path.replaceAll(/[^a-z]+/gi, '-');
  }

  /** Runs a program, with `more` behind it, and with values for the names that are `given` to it. */
  async run(heading: string, more = '', given: Record<string, unknown> = {}): Promise<Ran> {
    const code = this.code.get(heading);
    if (code === undefined) throw new Error(`there is no code under "${heading}"`);
    mkdirSync(programFolder, { recursive: true });
    // A name of its own for each run: a module runs once.
    const run = ++runs;
    const file = new URL(`${this.#name}-${heading.replaceAll(/[^a-z]+/gi, '-')}-${run}.mjs`, programFolder);
    (shelf.documentsGiven ??= [])[run] = given;
    const names = Object.keys(given);
    const before = names.length > 0 ? `const { ${names.join(', ')} } = documentsGiven[${run}];` : '';
    writeFileSync(file, before + code + more);
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
      printed.push(words.map(String).join(' '));
    });
    try {
      return {
        exports: (await import(/* @vite-ignore */ file.pathname)) as Record<string, unknown>,
        printed,
      };
    } finally {
      log.mockRestore();
    }
  }
}
