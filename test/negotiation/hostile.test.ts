/** What a hostile offer costs, judged and answered: in proportion to its length, whatever it repeats; and next to nothing over the limits. */
import { describe, expect, test } from 'vitest';
import { answerOffer, chooseSections, receiveOffer } from '../../src/negotiation/index.ts';
import type { SdpLimits } from '../../src/sdp/index.ts';
import { DEFAULT_SDP_LIMITS, isSdpError } from '../../src/sdp/index.ts';
import { howMany } from '../how-many.ts';
import { codeOf } from '../sdp/recorded.ts';
import { DIGEST_A, LOCAL_B, newState, restarted } from './ends.ts';
import type { SectionText } from './peer-description.ts';
import { described } from './peer-description.ts';

/** No limit but the length of the text. */
const UNLIMITED = Object.fromEntries(
  Object.keys(DEFAULT_SDP_LIMITS).map((name) => [name, Infinity]),
) as unknown as SdpLimits;

const RTP = ['a=rtcp-mux', 'a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'];

/** One section with so many lines of a kind. */
function lines(count: number, line: (index: number) => string): string {
  const many = Array.from({ length: count }, (_, index) => line(index));
  return described([{ media: 'video', mid: 'v', formats: '96 97', lines: [...RTP, ...many] }]);
}

/** So many sections, each with some lines of its own. */
function sections(
  count: number,
  of: (index: number) => Partial<SectionText> = () => ({}),
  session: readonly string[] = [],
): string {
  const many = Array.from({ length: count }, (_, index): SectionText => ({
    media: 'video',
    mid: `m${index}`,
    ...of(index),
  }));
  return described(many, { lines: session });
}

const repeated = (count: number, part: (index: number) => string, between: string): string =>
  Array.from({ length: count }, (_, index) => part(index)).join(between);

/** Descriptions of about `kB` thousand characters, and what of them there is much of. */
const SHAPES: Readonly<Record<string, (kB: number) => string>> = {
  'sections of one group': (kB) => sections(kB * 3.2),
  'sections without a group': (kB) => described(Array.from({ length: kB * 3.5 }, () => ({ media: 'audio' }))),
  'sections that are rejected': (kB) =>
    described(
      Array.from({ length: kB * 16 }, (_, i) => ({ media: 'video', mid: `m${i}`, port: 0, lines: [] })),
    ),
  'sections of data channels': (kB) => sections(kB * 3.3, () => ({ media: 'application' })),
  'sections of unknown kinds': (kB) => sections(kB * 3.2, (i) => ({ media: `x${i}` })),
  'sections, and lines above them': (kB) =>
    sections(
      kB * 1.6,
      () => ({}),
      Array.from({ length: kB * 8 }, (_, i) => `a=extmap:${1 + (i % 14)} urn:x:${i}:${'y'.repeat(30)}`),
    ),
  'sections, and directions above them': (kB) =>
    sections(
      kB * 1.6,
      () => ({}),
      Array.from({ length: kB * 40 }, () => 'a=sendrecv'),
    ),
  'sections with several codecs': (kB) =>
    sections(kB * 2, () => ({
      formats: '96 97 98 99',
      lines: [...RTP, 'a=rtpmap:98 H264/90000', 'a=rtpmap:99 VP9/90000'],
    })),
  'sections with header extensions': (kB) =>
    sections(kB, () => ({
      lines: [
        ...RTP,
        ...Array.from({ length: 14 }, (_, i) => `a=extmap:${i + 1} urn:x:${i}:${'y'.repeat(20)}`),
      ],
    })),
  formats: (kB) =>
    described([
      {
        media: 'video',
        mid: 'v',
        formats: `96 97 ${repeated(kB * 330, (i) => String(100 + (i % 28)), ' ')}`,
        lines: RTP,
      },
    ]),
  'formats of one number': (kB) =>
    described([{ media: 'video', mid: 'v', formats: repeated(kB * 330, () => '96', ' '), lines: RTP }]),
  'rtpmap lines': (kB) => lines(kB * 38, (i) => `a=rtpmap:${100 + (i % 28)} x${i}/90000`),
  'fmtp lines': (kB) => lines(kB * 45, (i) => `a=fmtp:96 x${i}=y`),
  'rtcp-fb lines': (kB) => lines(kB * 45, (i) => `a=rtcp-fb:96 x${i}`),
  'rtcp-fb lines for all formats': (kB) => lines(kB * 45, (i) => `a=rtcp-fb:* x${i}`),
  'a fmtp of parameters': (kB) => lines(1, () => `a=fmtp:96 ${repeated(kB * 120, (i) => `x${i}=y`, ';')}`),
  sources: (kB) => lines(kB * 38, (i) => `a=ssrc:${i} cname:abcdef`),
  'attributes of one source': (kB) => lines(kB * 45, (i) => `a=ssrc:1 x${i}:y`),
  'groups of sources': (kB) => lines(kB * 30, (i) => `a=ssrc-group:FID ${2 * i} ${2 * i + 1}`),
  'a group of sources': (kB) => lines(1, () => `a=ssrc-group:SIM ${repeated(kB * 140, String, ' ')}`),
  'extmap lines': (kB) => lines(kB * 40, (i) => `a=extmap:${i + 1} urn:x:${i}`),
  rids: (kB) => lines(kB * 55, (i) => `a=rid:r${i} send`),
  'rids in a simulcast': (kB) =>
    lines(kB * 30, (i) => `a=rid:r${i} send`) +
    `a=simulcast:send ${repeated(kB * 30, (i) => `r${i}`, ';')}\r\n`,
  'alternatives in a simulcast': (kB) =>
    lines(1, () => `a=rid:r0 send\r\na=simulcast:send ${repeated(kB * 120, (i) => `r${i}`, ',')}`),
  'restrictions of a rid': (kB) =>
    lines(1, () => `a=rid:r send ${repeated(kB * 120, (i) => `x${i}=1`, ';')}`),
  'formats of a rid': (kB) => lines(1, () => `a=rid:r send pt=${repeated(kB * 330, () => '96', ',')}`),
  streams: (kB) => lines(kB * 60, (i) => `a=msid:s${i} t`),
  candidates: (kB) =>
    lines(kB * 17, (i) => `a=candidate:${i} 1 udp ${i + 1} 192.0.2.1 ${1 + (i % 65_000)} typ host`),
  'candidates nobody can read': (kB) => lines(kB * 50, () => 'a=candidate:garbage'),
  fingerprints: (kB) =>
    lines(
      kB * 8,
      (i) => `a=fingerprint:sha-256 ${DIGEST_A.slice(0, -2)}${(i % 256).toString(16).padStart(2, '0')}`,
    ),
  'BUNDLE groups': (kB) =>
    described(
      Array.from({ length: kB * 8 }, (_, i) => ({ media: 'x', mid: `m${i}`, lines: [], transport: [] })),
      { group: null, lines: Array.from({ length: kB * 8 }, (_, i) => `a=group:BUNDLE m${i}`) },
    ),
  'groups of other kinds': (kB) =>
    described([{ media: 'video', mid: 'v' }], {
      lines: Array.from({ length: kB * 60 }, () => 'a=group:LS v v'),
    }),
  'unknown lines': (kB) => lines(kB * 90, (i) => `a=x${i}`),
  'lines that are not attributes': (kB) => lines(kB * 90, (i) => `b=X:${i}`),
  'one long line': (kB) => lines(1, () => `a=x:${'y'.repeat(kB * 1000)}`),
  'image sizes': (kB) => lines(kB * 25, (i) => `a=imageattr:96 send [x=${i + 1},y=1]`),
};

/** Judged with every choice taken, and answered where it can be. */
function judged(text: string): void {
  const received = receiveOffer(newState({ limits: UNLIMITED }), text);
  if (isSdpError(received)) return;
  const choices = received.media.map(
    ({ index }) => ({ index, direction: 'sendrecv', streams: ['s'] }) as const,
  );
  const chosen = chooseSections(received, choices);
  const prepared = isSdpError(chosen) ? received : chosen;
  answerOffer(prepared, prepared.plan.transport.iceRestart ? restarted(LOCAL_B) : LOCAL_B);
}

/** Milliseconds of processor time that it takes: what the machine does besides is of no concern. */
function timeOf(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Thousands of characters: a hundred, and a thousand, in the long run. */
const SHORT = howMany(25, 100);

/**
 * A text ten times as long costs ten times as much. A machine at rest took at most twelve times for 29 of the shapes and up to 17 for the
 * others, whose tables outgrow its caches; what costs the square of its length would be a hundred.
 */
const MOST = 24;

describe('within (raised) limits', () => {
  test.each(Object.entries(SHAPES))('%s: the cost is in proportion to the length', (_, shape) => {
    const [short, long] = [shape(SHORT), shape(10 * SHORT)];
    expect(short.length).toBeGreaterThan(600 * SHORT);
    // Longer numbers make longer lines.
    const most = (MOST * long.length) / (10 * short.length);
    let [ofShort, ofLong] = [Infinity, Infinity];
    // The least of several, as much garbage being made by both.
    for (let round = 0; round < 10; round++) {
      const ten = timeOf(() => {
        for (let i = 0; i < 10; i++) judged(short);
      });
      const one = timeOf(() => {
        judged(long);
      });
      ofShort = Math.min(ofShort, ten / 10);
      ofLong = Math.min(ofLong, one);
      if (ofLong <= most * ofShort) break;
    }
    expect(ofLong / Math.max(ofShort, 0.05)).toBeLessThanOrEqual(most);
  });
});

describe('over the limits', () => {
  test.each(Object.entries(SHAPES))('%s: a megabyte is refused by its length alone', (_, shape) => {
    const long = shape(1000);
    expect(codeOf(receiveOffer(newState(), long))).toBe('sdp-too-large');
    const least = Math.min(...Array.from({ length: 5 }, () => timeOf(() => receiveOffer(newState(), long))));
    expect(least).toBeLessThan(10);
  });

  const CODES: Readonly<Record<string, string>> = {
    'sections of one group': 'too-many-media-sections',
    'sections that are rejected': 'too-many-media-sections',
    'rtpmap lines': 'too-many-section-lines',
    'a fmtp of parameters': 'line-too-long',
    sources: 'too-many-section-lines',
    'groups of sources': 'too-many-section-lines',
    'extmap lines': 'too-many-section-lines',
    rids: 'too-many-section-lines',
    candidates: 'too-many-candidates',
    fingerprints: 'too-many-fingerprints',
    'BUNDLE groups': 'too-many-media-sections',
    'groups of other kinds': 'too-many-session-lines',
  };

  test.each(Object.entries(CODES))('%s: too many for %s', (name, code) => {
    const text = SHAPES[name]?.(200) ?? '';
    expect(text.length).toBeLessThanOrEqual(DEFAULT_SDP_LIMITS.maxLength);
    expect(codeOf(receiveOffer(newState(), text))).toBe(code);
    const least = Math.min(...Array.from({ length: 5 }, () => timeOf(() => receiveOffer(newState(), text))));
    expect(least).toBeLessThan(50);
  });

  test.each([
    [
      'too-many-payload-types',
      () =>
        described([{ media: 'video', mid: 'v', formats: repeated(65, (i) => String(i), ' '), lines: RTP }]),
    ],
    ['too-many-sources', () => lines(65, (i) => `a=ssrc:${i} cname:x`)],
    ['too-many-rids', () => lines(33, (i) => `a=rid:r${i} send`)],
    ['too-many-candidates', () => lines(129, (i) => `a=candidate:${i} 1 udp 1 192.0.2.1 9 typ host`)],
    [
      'too-many-lines',
      () => sections(5, () => ({ lines: [...RTP, ...Array.from({ length: 3500 }, () => 'a=x')] })),
    ],
  ])('%s, by one', (code, text) => {
    expect(codeOf(receiveOffer(newState(), text()))).toBe(code);
  });
});

test('what is warned of is bounded, whatever came', () => {
  const text = lines(120, () => 'a=candidate:garbage').replace(
    'a=rtcp-mux',
    Array.from({ length: 200 }, () => 'a=rid').join('\r\n') + '\r\na=rtcp-mux',
  );
  const received = receiveOffer(newState({ limits: UNLIMITED }), text);
  if (isSdpError(received)) return expect.unreachable(received.code);
  expect(received.warnings.length).toBeLessThanOrEqual(64);
});
