/** The list of pages in docs/README.md: each with its title and its first sentence. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { LANDING } from './pages.mjs';
import { titleOf } from './stage.mjs';

const root = new URL('../../', import.meta.url);

/** The first sentence of the first paragraph, without links and marks; `''` where a document opens with something else. */
function sentenceOf(markdown) {
  const paragraphs = markdown
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .replace(/^# .*$/m, '')
    .split(/\n\s*\n/)
    .map((each) => each.trim());
  const paragraph = paragraphs.find((each) => /^[\w`*[]/.test(each)) ?? '';
  const text = paragraph
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\*\*|__/g, '');
  return /^.*?[.:?!](?= [A-Z`]|$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;
}

/**
 * Markdown: a heading for each group, a line for each page.
 *
 * @param {readonly { title: string, pages: readonly string[] }[]} groups
 */
export function pageList(groups) {
  const from = posix.dirname(LANDING);
  return groups
    .map(({ title, pages }) => {
      const lines = pages.map((page) => {
        const markdown = readFileSync(new URL(page, root), 'utf8');
        return `- [${titleOf(markdown)}](${posix.relative(from, page)}). ${sentenceOf(markdown)}`;
      });
      return `### ${title}\n\n${lines.join('\n')}\n`;
    })
    .join('\n');
}
