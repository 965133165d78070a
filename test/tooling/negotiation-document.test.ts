/** docs/negotiation.md: its programs run and print what they say, and the tests and files that it names are there. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { programFolder, Programs } from './programs.ts';

const TITLE = 'Negotiation: offers and answers, with media, data channels or both';
const programs = new Programs('docs/negotiation.md');
const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/negotiation.md', root), 'utf8');

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

const PRINTED: Readonly<Record<string, readonly string[]>> = {
  'Offer and answer': ['video sendonly video/VP8', 'audio sendrecv audio/opus', 'sendonly sendrecv stable'],
  'Changing, stopping, using a place again': ['true false', '2 2'],
  'Several drafts, and both ends at once': ['1 video,audio'],
  'Perfect negotiation': ['sendrecv sendrecv stable stable'],
  'Taking an offer back': ['true stable', 'false 0'],
  'Applied and not answered yet, provisional answers, drafts of descriptions': [
    'inactive have-remote-pranswer have-local-pranswer',
    'sendrecv stable stable',
  ],
  'Edited descriptions': ['sendonly', 'local-description-changed stable'],
  'WHIP and WHEP': ['application/trickle-ice-sdpfrag 1'],
  'No SDP at all': ['connecting stable'],
  'What goes wrong': ['ERR_SDP direction-mismatch 0'],
};

test('there is a program for each of these headings, and no other', () => {
  expect([...programs.code.keys()].sort()).toEqual([TITLE, ...Object.keys(PRINTED)].sort());
});

describe('docs/negotiation.md', () => {
  test.each(Object.entries(PRINTED))('%s', async (heading, printed) => {
    expect((await programs.run(heading)).printed).toEqual(printed);
  });
});

describe('its tables', () => {
  const rows = (heading: string): readonly (readonly string[])[] => {
    const [, section = ''] = text.split(`## ${heading}\n`);
    const [table = ''] = section.split(/^## /m);
    const lines = table
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2);
    return lines.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  };

  test('each rule of RFC 9429 has a test that is there, or a reason why it has none', () => {
    for (const [section = '', rule = '', where = '', tests = ''] of rows('Rules of RFC 9429')) {
      expect(section, rule).toMatch(/^\d/);
      expect(where, rule).not.toBe('');
      if (tests === '') expect(where, rule).toMatch(/^no: /);
      for (const [, name = ''] of tests.matchAll(/`([^`]+)`/g)) {
        const path = name.startsWith('test/') ? name : `test/negotiation/${name}`;
        const isThere = existsSync(new URL(`${path}.test.ts`, root)) || existsSync(new URL(path, root));
        expect(isThere, `${rule}: ${path}`).toBe(true);
      }
    }
  });

  test('each file that is named is there', () => {
    const files = new Set(readdirSync(new URL('src/negotiation', root)));
    for (const [, rule = '', where = ''] of rows('Rules of RFC 9429'))
      for (const [, name = ''] of where.matchAll(/`([^`]+\.ts)`/g))
        expect(
          files.has(name) ||
            existsSync(new URL(name.includes('/') ? name : `src/rtc/signaling/${name}`, root)),
          `${rule}: ${name}`,
        ).toBe(true);
  });

  test('what is left out has its reason', () => {
    for (const [what = '', why = ''] of rows('What is left out')) expect(why, what).not.toBe('');
  });
});
