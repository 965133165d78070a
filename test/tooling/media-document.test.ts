/** docs/media.md: its programs run and print what they say, its tests are there, and each counter of media stands in it. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { MEDIA_COUNTERS } from '../../src/media/inspection.ts';
import { RECEIVE_COUNTERS } from '../../src/media/receive/counters.ts';
import { SEND_COUNTERS } from '../../src/media/send/counters.ts';
import { programFolder, Programs } from './programs.ts';

const TITLE = 'Media: audio and video as packets';
const programs = new Programs('docs/media.md', TITLE);
const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/media.md', root), 'utf8');

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

const PRINTED: Readonly<Record<string, readonly string[]>> = {
  'Send and receive': ['hears audio', '0 1 audio/opus', '1 2 audio/opus', '2 3 audio/opus'],
  Forward: ['forwarded true 1000'],
};

test('there is a program for each of these headings, and no other', () => {
  expect([...programs.code.keys()].sort()).toEqual([TITLE, ...Object.keys(PRINTED)].sort());
});

describe('docs/media.md', () => {
  test.each(Object.entries(PRINTED))('%s', async (heading, printed) => {
    expect((await programs.run(heading)).printed).toEqual(printed);
  });
});

test('each counter of media is explained', () => {
  const all = [...RECEIVE_COUNTERS, ...SEND_COUNTERS, ...MEDIA_COUNTERS, 'unsentRtcp'];
  expect(all.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test('the tests that it names are there', () => {
  const named = [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});
