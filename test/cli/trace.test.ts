/** `sansrtc trace`: the commands, their exit codes, and one line for each thing that goes wrong. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { traceCli } from '../../src/cli/trace.ts';
import { formatTrace } from '../../src/trace/index.ts';
import { recordedSession } from '../trace/recorded.ts';

const { offerer, answerer } = recordedSession(3, { latency: 20, loss: 0.1 });
const files = new Map([
  ['a.jsonl', formatTrace(offerer.trace)],
  ['b.jsonl', formatTrace(answerer.trace)],
  ['diverging.jsonl', formatTrace(offerer.trace).replace(/("type":"transmit".*"data":")../, '$1ff')],
  ['cut.jsonl', formatTrace(offerer.trace).slice(0, 5000)],
]);

function run(...args: readonly string[]): {
  code: number;
  out: string;
  err: string[];
  written: Map<string, string>;
} {
  let out = '';
  const err: string[] = [];
  const written = new Map<string, string>();
  const text = (data: string | Uint8Array): string =>
    typeof data === 'string' ? data : Buffer.from(data).toString('latin1');
  const code = traceCli(args, {
    read: (file) => {
      const content = files.get(file);
      if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${file}'`);
      return content;
    },
    write: (file, data) => written.set(file, text(data)),
    stdout: (data) => (out += text(data)),
    stderr: (line) => err.push(line),
  });
  return { code, out, err, written };
}

describe('commands', () => {
  test('summary: what it is, how much of what, one line for each entry', () => {
    const { code, out } = run('summary', 'a.jsonl');
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toBe('sansrtc trace, version 1: can be replayed, holds the keys of the connection');
    expect(lines[1]).toMatch(/^\d+ call, \d+ state, \d+ time/);
    expect(lines).toHaveLength(3 + offerer.trace.entries.length);
    expect(out).toContain('transmit to 192.0.2.2:5000, 96 bytes: STUN Binding request');
  });

  test('replay: 0 when identical, 1 with the line when not', () => {
    expect(run('replay', 'a.jsonl')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^identical: \d+ outputs\n$/),
    });
    const { code, out } = run('replay', 'diverging.jsonl');
    expect(code).toBe(1);
    expect(out).toMatch(/^diverged at line \d+: transmit "data" expected /);
  });

  test('ladder: of one end, and of both with the losses', () => {
    expect(run('ladder', 'a.jsonl').out).toMatch(/^<svg /);
    const { written, out } = run('ladder', 'a.jsonl', 'b.jsonl', '-o', 'both.svg');
    expect(out).toBe('');
    expect(written.get('both.svg')).toContain('class="cross"');
  });

  test('pcap: bytes to a file', () => {
    const { written } = run('pcap', 'a.jsonl', '--output', 'a.pcapng');
    expect(written.get('a.pcapng')?.slice(0, 4)).toBe('\n\r\r\n');
  });

  test('--help', () => {
    const { code, out } = run('--help');
    expect(code).toBe(0);
    for (const command of ['summary', 'replay', 'ladder', 'pcap']) expect(out).toContain(`  ${command} FILE`);
  });
});

describe('what goes wrong is one line and exit code 2', () => {
  test.each([
    [[], 'sansrtc trace: expected a command'],
    [['dance', 'a.jsonl'], 'sansrtc trace: unknown command "dance"'],
    [['summary'], 'sansrtc trace: expected one file, got 0'],
    [['replay', 'a.jsonl', 'b.jsonl'], 'sansrtc trace: expected one file, got 2'],
    [['ladder', 'a.jsonl', 'a.jsonl', 'a.jsonl'], 'sansrtc trace: expected one or two files, got 3'],
    [['summary', '--loud', 'a.jsonl'], expect.stringContaining("'--loud'")],
    [['summary', 'missing.jsonl'], expect.stringContaining('no such file')],
    [['summary', 'cut.jsonl'], expect.stringMatching(/cut\.jsonl: line \d+: the file ends in the middle/)],
  ])('%j', (args, line) => {
    const { code, out, err } = run(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err[0]).toEqual(line);
    expect(err[0]).not.toContain('\n');
  });
});

describe('the installed command', () => {
  const bin = fileURLToPath(new URL('../../bin/sansrtc-trace.mjs', import.meta.url));
  const isBuilt = existsSync(new URL('../../dist/cli/index.js', import.meta.url));
  if (!isBuilt) console.info('dist is not built: bin/sansrtc-trace.mjs is not run');

  test.skipIf(!isBuilt)('runs', () => {
    expect(execFileSync(process.execPath, [bin, '--help'], { encoding: 'utf8' })).toContain(
      'Usage: sansrtc-trace',
    );
    expect(spawnSync(process.execPath, [bin]).status).toBe(2);
  });
});
