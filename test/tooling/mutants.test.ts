/** Mutants: the deliberate faults of scripts/mutants.mjs fit the code, and the random ones are what they say. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { KINDS, placesIn } from '../../scripts/mutants/places.mjs';
import { allMutants, sample } from '../../scripts/mutants/sample.mjs';

function run(...args: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  const script = new URL('../../scripts/mutants.mjs', import.meta.url).pathname;
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

describe('deliberate', () => {
  test('each mutant finds what it replaces exactly once: one that finds no place would prove nothing', () => {
    const { status, stderr } = run('--check');
    expect(status, stderr).toBe(0);
  });
});

describe('a sample', () => {
  const mutants = allMutants();

  test('a seed takes the same each time, of all kinds, in as many lines; another seed takes others', () => {
    const chosen = sample(mutants, 24, 7);
    expect(sample(mutants, 24, 7)).toEqual(chosen);
    expect(sample(mutants, 24, 8)).not.toEqual(chosen);
    for (const kind of KINDS) expect(chosen.filter((mutant) => mutant.kind === kind)).toHaveLength(4);
    expect(new Set(chosen.map(({ file, line }) => `${file}:${line}`)).size).toBe(24);
  });

  test('every protocol room has its share', () => {
    const rooms = [
      'channel',
      'core',
      'crypto',
      'dtls',
      'endpoint',
      'ice',
      'media',
      'negotiation',
      'rtc',
      'rtp',
      'sctp',
      'sdp',
      'srtp',
      'stun',
      'transport',
    ];
    expect([...new Set(mutants.map(({ room }) => room))].sort()).toEqual(rooms);
    expect(mutants.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['src/rtc.ts', 'src/endpoint.ts', 'src/rtc/stack.ts', 'src/sctp/tx/bbr.ts']),
    );
  });

  test('what is not sound is passed over', () => {
    const chosen = sample(mutants, 24, 7, ({ room }) => room === 'sdp');
    expect(new Set(chosen.map(({ room }) => room))).toEqual(new Set(['sdp']));
  });

  test('a number that is none, and a room that there is not, are refused', () => {
    expect(run('--sample', '0').stderr).toContain('--sample expected a whole number from 1, got "0"');
    expect(run('--sample', '1', '--rooms', 'attic').stderr).toContain('no such room: attic');
  });
});

describe('places', () => {
  /** The line with each of its changes, as `kind: line`. */
  function changes(line: string): string[] {
    return placesIn(line).map(
      ({ kind, start, end, replacement }) =>
        `${kind}: ${line.slice(0, start)}${replacement}${line.slice(end)}`,
    );
  }

  test.each([
    ['a < b;', ['boundary: a <= b;']],
    ['a >= b;', ['boundary: a > b;']],
    ['a === b;', ['negation: a !== b;']],
    ['if (a) b;', ['negation: if (!(a)) b;']],
    ['if (a === b) c;', ['negation: if (a !== b) c;']],
    ['if (!a) b;', ['negation: if (a) b;']],
    ['a ? b : c;', ['negation: !(a) ? b : c;']],
    ['timers.arm(name, at);', ['removal: ;']],
    ['this.size = size;', ['removal: ;']],
    ['if (isDue) count++;', ['negation: if (!(isDue)) count++;', 'removal: if (isDue) ;']],
    ['const a = 7;', ['constant: const a = (7 + 1);', 'constant: const a = (7 - 1);']],
    ['a * b;', ['arithmetic: a / b;']],
    ['a >>> b;', ['arithmetic: a << b;']],
    ['a && b;', ['logic: a || b;']],
    ['Math.min(a, b);', ['removal: ;', 'boundary: Math.max(a, b);']],
    ['const a = true;', ['constant: const a = false;']],
    ['for (;;) continue;', ['removal: for (;;) ;']],
    [
      'function a() { if (b) return; }',
      ['negation: function a() { if (!(b)) return; }', 'removal: function a() { if (b) ; }'],
    ],
  ])('%s', (line, expected) => {
    expect(changes(line)).toEqual(expected);
  });

  test.each([
    'type A = 7 | B;',
    "const a = 'x' + b;",
    'const a = { 7: b };',
    'super(a);',
    "import { a } from 'b';",
    'for (const a of b) {}',
    '// a < b',
    'const a = [\nb,\n];',
  ])('nothing in %j', (line) => {
    expect(changes(line)).toEqual([]);
  });
});
