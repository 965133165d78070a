/** Programs in a document: JavaScript blocks by the heading they stand under, taken out, written to a file and imported. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { vi } from 'vitest';

/** Where they are written: inside of the project, so that its packages are found. */
export const programFolder: URL = new URL('../../.readme-code/', import.meta.url);

/** What a program exports, and what it has printed. */
export interface Ran {
  readonly exports: Record<string, unknown>;
  readonly printed: string[];
}

/** The programs of one document. Several blocks under one heading are one program. */
export class Programs {
  /** By heading. */
  readonly code: ReadonlyMap<string, string>;
  readonly #name: string;
  readonly #before: string;

  /**
   * @param path of the document, from the root of the project
   * @param before a heading of which each program has the code in front of its own
   */
  constructor(path: string, before?: string) {
    const markdown = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const code = new Map<string, string>();
    // What stands above the first heading goes by the document's own title.
    for (const section of markdown.split(/^##? /m).slice(1)) {
      const heading = section.slice(0, section.indexOf('\n'));
      const blocks = [...section.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, body]) => body ?? '');
      if (blocks.length > 0) code.set(heading, blocks.join('\n'));
    }
    this.code = code;
    this.#name = path.replaceAll(/[^a-z]+/gi, '-');
    this.#before = before === undefined ? '' : (code.get(before) ?? '');
  }

  /** Runs a program, with `more` behind it. */
  async run(heading: string, more = ''): Promise<Ran> {
    const code = this.code.get(heading);
    if (code === undefined) throw new Error(`there is no code under "${heading}"`);
    mkdirSync(programFolder, { recursive: true });
    const file = new URL(`${this.#name}-${heading.replaceAll(/[^a-z]+/gi, '-')}.mjs`, programFolder);
    writeFileSync(file, this.#before + code + more);
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
