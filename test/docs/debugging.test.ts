/**
 * docs/guides/debugging.md: each output that it shows is what `sansrtc trace why` says of a connection with that trouble.
 * `UPDATE_DOCS=1 npx vitest run --project unit test/docs/debugging.test.ts` writes them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { explainTrace } from '../../src/cli/why.ts';
import { recordRtc } from '../../src/trace/index.ts';
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
    ['descriptions mixed up', 'offerer', 'path', 'foreign-username'],
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

  test('an end that nobody drives is told apart from a path that is blocked', () => {
    const [driven, idle] = [recordRtc({ seed: 1 }), recordRtc({ seed: 2 })];
    for (const [{ rtc }, address] of [[driven, '192.0.2.1'] as const, [idle, '198.51.100.2'] as const])
      rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
    const draft = driven.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    offer.accept(idle.rtc.receiveOffer(offer.sdp).answer());
    for (let now = 1; now < 5000; now += 50) {
      driven.rtc.handleInput({ type: 'timeout', now });
      for (;;) {
        const output = driven.rtc.pollOutput();
        if (output.type === 'timeout') break;
        if (output.type === 'transmit') idle.rtc.handleInput({ ...output, type: 'receive', now });
      }
    }
    const said = explainTrace(idle.recorder.trace);
    expect(said).toMatch(/stopped +path: 0 checks sent, 0 answered; [1-9]\d* checks of theirs received/);
    expect(said).toContain('try: Drive this end');
  });

  test('a connection without trouble opens and has nothing to say', () => {
    const { offerer } = troubled({ after: () => undefined });
    expect(explainTrace(offerer)).not.toContain('stopped');
  });
});
