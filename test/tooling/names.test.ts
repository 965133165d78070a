/**
 * E7: what comments and documents name exists. A name of code in backticks (`camelCase`, `PascalCase`, `call()`, each part of
 * `a.b`) is a word of some code in this repository: of an export, an option, a counter, or of what the platform gives.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);

/** Text of every file below `folders` whose name ends like that, by its name. */
function texts(folders: readonly string[], ending: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of folders) {
    for (const name of readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })) {
      const file = `${folder}/${name}`;
      if (ending.test(file)) found.set(file, readFileSync(new URL(file, root), 'utf8'));
    }
  }
  return found;
}

const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
const NAME = /^([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)(\(.*\))?$/;
/** Others in backticks are words of a protocol, of a shell, or English. */
const OF_CODE = /^(?:[a-z]+|[A-Z][a-z]+)[A-Z]\w*$/;

/** Fields and kinds of Kubernetes, in its guide. */
const KUBERNETES = ['hostNetwork', 'hostPort', 'NodePort', 'LoadBalancer', 'terminationGracePeriodSeconds'];

/** Names of other people's code, where ours is said to do as theirs. */
const FOREIGN = ['IsIceChar', 'MessagePort', ...KUBERNETES];

/** Names that `prose` has in backticks and that are not `known`. */
function unknownNames(prose: string, known: ReadonlySet<string>): string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].flatMap(([, span]) => {
    const [, path = '', call] = NAME.exec(span ?? '') ?? [];
    const parts = path.split('.').filter((part) => OF_CODE.test(part) || (call !== undefined && part !== ''));
    return parts.filter((part) => !known.has(part));
  });
}

const code = texts(['src', 'test', 'scripts', 'examples'], /\.(ts|mjs)$/);
const known = new Set(
  [...code].flatMap(([, text]) => text.replaceAll(COMMENT, ' ').match(/[A-Za-z_$][\w$]*/g) ?? []),
);
for (const name of FOREIGN) known.add(name);

test('E7: the check finds a name that is none, and passes those that are', () => {
  expect(known.size).toBeGreaterThan(1000);
  const prose =
    'see `formatCandidat' + 'es`, `Rtc`, `rtc.inspect()`, `rtc.inspekt()`, `maxMessageSize`, `a=setup`';
  expect(unknownNames(prose, new Set(['Rtc', 'rtc', 'inspect', 'maxMessageSize']))).toEqual([
    'formatCandidates',
    'inspekt',
  ]);
});

test('E7: names in the comments of the sources exist', () => {
  const wrong = [...code]
    .filter(([file]) => file.startsWith('src/'))
    .flatMap(([file, text]) =>
      (text.match(COMMENT) ?? []).flatMap((comment) =>
        unknownNames(comment, known).map((name) => `${file}: ${name}`),
      ),
    );
  expect(wrong).toEqual([]);
});

test('E7: names in the documents exist', () => {
  const documents = texts(['docs', 'src', 'examples'], /\.md$/);
  documents.set('README.md', readFileSync(new URL('README.md', root), 'utf8'));
  const wrong = [...documents].flatMap(([file, text]) => {
    // What a document makes in its own code it may speak of.
    const own = [...text.matchAll(/^ *```(?:js|ts)\n([\s\S]*?)^ *```$/gm)].flatMap(
      ([, body]) => body?.match(/[A-Za-z_$][\w$]*/g) ?? [],
    );
    return unknownNames(text, new Set([...known, ...own])).map((name) => `${file}: ${name}`);
  });
  expect(wrong).toEqual([]);
});
