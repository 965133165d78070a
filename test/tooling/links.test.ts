/** Links in the documents lead somewhere: to a file of this repository, and to a heading in it. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);

/** Every document but those of other packages. */
function documents(): string[] {
  const inFolders = ['bench', 'docs', 'examples', 'src', 'test'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  return [...readdirSync(root), ...inFolders].filter((file) => file.endsWith('.md'));
}

/** The README is read where the documents are not: in the registry, in node_modules. It names them by where they are published. */
const PUBLISHED = 'https://github.com/sansrtc/sansrtc/blob/main/';

/** Link targets outside of code that are files of this repository, relative to the document. */
function links(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target ?? '');
  return targets
    .map((target) => (target.startsWith(PUBLISHED) ? target.slice(PUBLISHED.length) : target))
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(markdown: string): string[] {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading ?? '');
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What is wrong with a link of `document`; `undefined` if nothing is. */
function problem(document: URL, target: string): string | undefined {
  const { pathname, hash } = new URL(target, document);
  if (!existsSync(pathname)) return `${target}: no such file`;
  if (hash === '' || statSync(pathname).isDirectory()) return undefined;
  return anchors(readFileSync(pathname, 'utf8')).includes(hash.slice(1))
    ? undefined
    : `${target}: no such heading`;
}

describe('links', () => {
  test('of the README are absolute, and there are some', () => {
    const readme = readFileSync(new URL('README.md', root), 'utf8');
    expect(links(readme).length).toBeGreaterThan(5);
    expect([...readme.matchAll(/\]\((?![a-z]+:|#)[^)]*\)/g)].map(String)).toEqual([]);
  });

  test.each(documents())('%s', (name) => {
    const document = new URL(name, root);
    const found = links(readFileSync(document, 'utf8'));
    expect(found.map((target) => problem(document, target)).filter((each) => each !== undefined)).toEqual([]);
  });

  test('the check itself: a missing file and a missing heading are found', () => {
    const document = new URL('README.md', root);
    expect(links('[a](docs/none.md) `[b](c)` [d](https://example.org)')).toEqual(['docs/none.md']);
    expect(problem(document, 'docs/none.md')).toBe('docs/none.md: no such file');
    expect(problem(document, 'docs/operations.md#nowhere')).toBe(
      'docs/operations.md#nowhere: no such heading',
    );
    expect(problem(document, 'docs/operations.md#before')).toBeUndefined();
  });
});
