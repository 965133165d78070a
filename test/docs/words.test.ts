/** Documents for users speak their language: no word that only those who build the library know, and "gate" never unexplained. */
import { expect, test } from 'vitest';
import { documents, read } from './blocks.ts';

/** For whoever changes the library: these name its parts as the sources do. */
const FOR_CONTRIBUTORS = ['docs/architecture.md', 'docs/dependencies.md'];

/** The word, and what to say. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/\bcarry\(\)/, 'say what happens'],
  [/\bseats?\b/, 'say what it is'],
  [/\b(?:W3C|its|other|public) faces?\b/, 'API'],
  [/\bhouse\b/, 'the library'],
  [/\b(?:protocol|all|each|every|these|other|its) rooms?\b(?! of)/, 'layer'],
  [/\bfield reports?\b|\b[F][1-5][a-f]\b|\bE7\b/i, 'say what is required'],
  [/\banchors\b/, 'say what is meant'],
  [/\bworktree\b|\bhelper branch\b/, 'leave it out'],
];

/** What is told of, as `document:line: word: advice`. Code is not prose. */
function told(document: string, text: string): string[] {
  const prose = text
    .replaceAll(/^( *)(`{3,})[\s\S]*?^\1\2/gm, (code) => code.replaceAll(/[^\n]/g, ''))
    .replaceAll(/`[^`\n]*`/g, '');
  return prose.split('\n').flatMap((line, i) =>
    FORBIDDEN.flatMap(([word, advice]) => {
      const found = word.exec(line);
      return found === null ? [] : [`${document}:${i + 1}: "${found[0]}": ${advice}`];
    }),
  );
}

const forUsers = documents().filter((document) => !FOR_CONTRIBUTORS.includes(document));

test('no private words', () => {
  expect(forUsers.length).toBeGreaterThan(20);
  expect(forUsers.flatMap((document) => told(document, read(document)))).toEqual([]);
});

test('who says "gate" says what it is, or where that stands', () => {
  const unexplained = forUsers.filter((document) => {
    const text = read(document);
    return /\bgates?\b/.test(text.replaceAll(/`[^`\n]*`/g, '')) && !/deadlines?\b/i.test(text);
  });
  expect(unexplained).toEqual([]);
});

test('the check itself', () => {
  const text =
    '# A\n\nthe tests of its room, F1a\n\n```js\nseat();\n```\n\nno room for it, rooms of browsers, `carry()`\n';
  expect(told('d.md', text)).toEqual(['d.md:3: "its room": layer', 'd.md:3: "F1a": say what is required']);
});
