/**
 * docs/guides/debugging.md: each output that it shows is what `sansrtc trace why` says of a connection with that trouble.
 * `UPDATE_DOCS=1 npx vitest run --project unit test/docs/debugging.test.ts` writes them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { explainTrace } from '../../src/cli/why.ts';
import { TROUBLES, troubled, type TroubledTraces } from './troubled-connections.ts';

const guide = new URL('../../docs/guides/debugging.md', import.meta.url);
const MARK = /<!-- why: ([\w ]+), (offerer|answerer) -->\n(?:\n```text\n([\s\S]*?)```\n)?/g;

const traces = new Map<string, TroubledTraces>();

/** What the command says, in lines that fit a page. */
function said(name: string, end: string): string {
  const trouble = Object.entries(TROUBLES).find(([known]) => known === name)?.[1];
  if (trouble === undefined || (end !== 'offerer' && end !== 'answerer'))
    throw new Error(`no such trouble: ${name}`);
  const made = traces.get(name) ?? troubled(trouble);
  traces.set(name, made);
  return explainTrace(made[end]);
}

if (process.env['UPDATE_DOCS'] !== undefined) {
  const text = readFileSync(guide, 'utf8');
  writeFileSync(
    guide,
    text.replace(
      MARK,
      (_, name: string, end: string) =>
        `<!-- why: ${name}, ${end} -->\n\n\`\`\`text\n${said(name, end)}\`\`\`\n`,
    ),
  );
}

const text = readFileSync(guide, 'utf8');
const shown = [...text.matchAll(MARK)].map(([, name = '', end = '', output]) => ({ name, end, output }));

describe('the outputs of the guide', () => {
  test('there are some', () => {
    expect(shown.length).toBeGreaterThan(7);
  });

  test.each(shown)('$name, $end', ({ name, end, output }) => {
    expect(output).toBe(said(name, end));
  });
});

describe('the table of symptoms', () => {
  /** Layer, code and the step at which it stopped, of each end of each trouble. */
  const EXPECTED: readonly [
    name: keyof typeof TROUBLES,
    end: 'offerer' | 'answerer',
    step: string | undefined,
    code: string,
  ][] = [
    ['answer lost', 'offerer', 'signalling', 'signaling-timeout'],
    ['no addresses', 'offerer', 'their addresses', 'connect-timeout'],
    ['UDP blocked', 'offerer', 'path', 'connect-timeout'],
    ['UDP blocked one way', 'answerer', 'path', 'connect-timeout'],
    ['wrong address', 'answerer', 'path', 'candidate-not-tried'],
    ['wrong DTLS role', 'offerer', 'DTLS', 'role-conflict-both-active'],
    ['wrong DTLS role', 'answerer', 'DTLS', 'role-conflict-both-active'],
    ['wrong fingerprint', 'answerer', 'DTLS', 'fingerprint-mismatch'],
    ['wrong fingerprint', 'offerer', 'DTLS', 'alert-received'],
    ['large datagrams dropped', 'answerer', 'DTLS', 'no-response'],
    ['large datagrams dropped', 'offerer', 'DTLS', 'no-client-hello'],
    ['peer gone', 'offerer', undefined, 'path-down'],
  ];

  test.each(EXPECTED)('%s, %s: stopped at %s, %s', (name, end, step, code) => {
    const output = said(name, end);
    expect(/^ {2}stopped +([\w ]+):/m.exec(output)?.[1]).toBe(step);
    expect(output).toContain(code);
    const row = text
      .split('\n')
      .find(
        (line) =>
          line.startsWith('|') && line.includes(`\`${code}\``) && line.includes(`| ${step ?? 'nothing'}`),
      );
    expect(row).toBeDefined();
  });

  test('a connection without trouble opens and has nothing to say', () => {
    const { offerer } = troubled({ after: () => undefined });
    expect(explainTrace(offerer)).not.toContain('stopped');
  });
});
