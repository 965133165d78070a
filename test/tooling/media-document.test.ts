/** docs/media.md: its programs run and print what they say, its tests are there, and each counter of media stands in it. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { FEEDBACK_OPTION_RULES, SENT_PACKETS_OPTION_RULES } from '../../src/media/feedback/options.ts';
import { SENT_PACKETS_COUNTERS } from '../../src/media/feedback/sent-packets.ts';
import { MEDIA_SUPPORT_RULES } from '../../src/media/index.ts';
import { MEDIA_COUNTERS } from '../../src/media/inspection.ts';
import { RECEIVE_COUNTERS } from '../../src/media/receive/counters.ts';
import { RECEIVE_OPTION_RULES } from '../../src/media/receive/options.ts';
import { SEND_COUNTERS } from '../../src/media/send/counters.ts';
import { SEND_OPTION_RULES } from '../../src/media/send/options.ts';
import { SRTP_OPTION_RULES } from '../../src/srtp/index.ts';
import { programFolder, Programs } from './programs.ts';

const TITLE = 'Media: audio and video as packets';
const programs = new Programs('docs/media.md');
const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/media.md', root), 'utf8');

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

const PRINTED: Readonly<Record<string, readonly string[]>> = {
  'Send and receive': ['hears audio', '0 1 audio/opus', '1 2 audio/opus', '2 3 audio/opus'],
  Forward: ['forwarded true 1000'],
  Tones: ['1 120', '# 120'],
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
  const all = [
    ...RECEIVE_COUNTERS,
    ...SEND_COUNTERS,
    ...SENT_PACKETS_COUNTERS,
    ...MEDIA_COUNTERS,
    'unsentRtcp',
  ];
  expect(all.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test('each option of rtpMedia is explained, and no other', () => {
  const receive = Object.fromEntries(
    Object.entries(RECEIVE_OPTION_RULES).filter(([name]) => name !== 'feedback'),
  );
  const send = Object.fromEntries(
    Object.entries(SEND_OPTION_RULES).filter(([name]) => name !== 'sentPackets'),
  );
  const groups = {
    receive,
    'receive.feedback': FEEDBACK_OPTION_RULES,
    send,
    'send.sentPackets': SENT_PACKETS_OPTION_RULES,
    reports: { audio: 0, video: 0 },
    srtp: SRTP_OPTION_RULES,
  };
  expect(Object.keys(MEDIA_SUPPORT_RULES).filter((name) => !(name in groups))).toEqual([]);
  const all = Object.entries(groups).flatMap(([group, rules]) =>
    Object.keys(rules).map((name) => `${group}.${name}`),
  );
  const [, section = ''] = text.split('## Options\n');
  const explained = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)`/gm)].map(
    ([, name]) => name,
  );
  expect(explained).toEqual(all);
});

test('the tests that it names are there', () => {
  const named = [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});
