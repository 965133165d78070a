/**
 * Lint: the rules that keep the rooms apart and the core sans-IO, run on files that break each of them. A line of
 * fixtures/ that must be reported ends with `// breaks:` and the rules it breaks; any other line must pass.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { beforeAll, describe, expect, test } from 'vitest';
import { FACES } from '../../scripts/lint/layers.mjs';
import { sansIo } from '../../scripts/lint/sans-io.mjs';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));

/** `line: rule`, sorted, so that two lists compare as text. */
type Findings = string[];

function marked(file: string): Findings {
  const lines = readFileSync(join(FIXTURES, file), 'utf8').split('\n');
  return lines
    .flatMap((line, i) => {
      const rules = /\/\/ breaks: (.*)$/.exec(line)?.[1]?.split(', ') ?? [];
      return rules.map((rule) => `${i + 1}: ${rule}`);
    })
    .sort();
}

const files = readdirSync(join(FIXTURES, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file));

describe('the house rules of src/', () => {
  const found = new Map<string, Findings>();

  beforeAll(async () => {
    const eslint = new ESLint({
      cwd: FIXTURES,
      overrideConfigFile: true,
      overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }, ...sansIo],
    });
    for (const { filePath, messages } of await eslint.lintFiles(['src'])) {
      const findings = messages.map(({ line, ruleId, message }) => `${line}: ${ruleId ?? message}`);
      found.set(relative(FIXTURES, filePath), findings.sort());
    }
  });

  test.each(files)('%s: what is marked is reported, and nothing else', (file) => {
    expect(found.get(file)).toEqual(marked(file));
  });

  test('a file that follows the rules has no marks', () => {
    expect(marked(join('src', 'sctp', 'clean.ts'))).toEqual([]);
  });
});

describe('faces', () => {
  const rooms = readdirSync(join(PROJECT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('README.md'))
    .map((file) => file.replaceAll('\\', '/').replace('/README.md', ''));

  test.each(rooms)('%s: its README names those that the rule lets in', (room) => {
    const readme = readFileSync(join(PROJECT, 'src', room, 'README.md'), 'utf8');
    const [, paragraph = ''] = /^Faces: ([\s\S]*?)\n\n/m.exec(readme) ?? [];
    const named = [...paragraph.matchAll(/`([\w./-]+\.ts)`/g)].map(([, file]) => file);
    expect(named).toEqual(FACES[room] ?? []);
    for (const file of named) expect(existsSync(join(PROJECT, 'src', room, file ?? ''))).toBe(true);
  });

  test('every room with faces has a README', () => {
    expect(Object.keys(FACES).filter((room) => !rooms.includes(room))).toEqual([]);
  });
});

describe("the project's own configuration", () => {
  const eslint = new ESLint({ cwd: PROJECT });

  async function rulesFor(file: string): Promise<Record<string, unknown>> {
    const config = (await eslint.calculateConfigForFile(join(PROJECT, file))) as {
      rules: Record<string, unknown>;
    };
    return config.rules;
  }

  test('holds every core file to all of them', async () => {
    for (const file of ['src/sctp/x.ts', 'src/core/bytes.ts', 'src/rtc.ts', 'src/crypto/js/gcm.ts']) {
      const rules = await rulesFor(file);
      for (const block of sansIo.filter(({ name }) => name !== 'sans-io/platform')) {
        for (const [name, setting] of Object.entries(block.rules)) {
          const [, ...options] = Array.isArray(setting) ? (setting as unknown[]) : [setting];
          expect(rules[name]).toEqual([2, ...options]);
        }
      }
    }
  });

  test('lets the edges see the host, and holds them to the layering all the same', async () => {
    for (const file of [
      'src/node/driver.ts',
      'src/streams/wait.ts',
      'src/crypto/node/index.ts',
      'src/certificate.ts',
    ]) {
      const rules = await rulesFor(file);
      expect(rules).toMatchObject({ 'sans-io/layers': [2] });
      expect(rules).not.toHaveProperty('no-restricted-globals');
    }
  });
});
