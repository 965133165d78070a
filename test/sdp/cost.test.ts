/**
 * What a hostile description costs: ten times the text takes at most twelve times the work, whatever it is that there is much of. That is
 * counted in looks at lines, which no machine changes. What happens within a line is timed, in the least processor time of many tries: others
 * on the machine do not count, but they share its caches, and so it may be twenty times. A cost that multiplied would be a hundred.
 */
import { describe, expect, test } from 'vitest';
import type { MediaDescription, SdpLimits, SdpLine, SessionDescription } from '../../src/sdp/index.ts';
import { DEFAULT_SDP_LIMITS, parseSdp, parseSdpFragment, writeSdp } from '../../src/sdp/index.ts';
import { everyView } from './every-view.ts';
import { codeOf, valid } from './recorded.ts';

const SMALL = 100_000;
const LARGE = 10 * SMALL;
const AT_MOST = 12;
const AT_MOST_IN_TIME = 20;
const TRIES = 20;
/** Microseconds. */
const FEW_MILLISECONDS = 5000;

/** All but the one that bounds a product: what every section inherits from. */
const RAISED: Partial<SdpLimits> = {
  maxLength: Infinity,
  maxLines: Infinity,
  maxLineLength: Infinity,
  maxMediaSections: Infinity,
  maxSectionLines: Infinity,
  maxPayloadTypes: Infinity,
  maxSources: Infinity,
  maxRids: Infinity,
  maxCandidates: Infinity,
  maxFingerprints: Infinity,
};

const HEAD = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0'];
const VIDEO = 'm=video 9 UDP/TLS/RTP/SAVPF';
const FORMATS = Array.from({ length: 60 }, (_, i) => 35 + i);

/** As many of what `next` gives as this many characters hold. */
function fill(size: number, next: (i: number) => string): string[] {
  const parts: string[] = [];
  for (let length = 0; length < size;) {
    const part = next(parts.length);
    parts.push(part);
    length += part.length + 2;
  }
  return parts;
}

function oneSection(formats: string, lines: (size: number) => readonly string[]): (size: number) => string {
  return (size) => [...HEAD, `${VIDEO} ${formats}`, 'a=rtpmap:96 VP8/90000', ...lines(size), ''].join('\r\n');
}

/** What there is much of, and the code by which the default limits refuse it where its length is none. */
const SHAPES: readonly (readonly [string, string, (size: number) => string])[] = [
  [
    'ssrc lines, a source each',
    'too-many-section-lines',
    oneSection('96', (size) => fill(size, (i) => `a=ssrc:${i} cname:x`)),
  ],
  [
    'ssrc lines of one source',
    'too-many-section-lines',
    oneSection('96', (size) => fill(size, (i) => `a=ssrc:1 msid:s${i} t`)),
  ],
  [
    'sections in a group',
    'too-many-media-sections',
    (size) => {
      const sections = fill(
        size,
        (i) => `${VIDEO} 96\r\na=mid:${i}\r\na=rtpmap:96 VP8/90000\r\na=extmap:1 urn:x\r\na=msid:s`,
      );
      const group = `a=group:BUNDLE ${sections.map((_, i) => i).join(' ')}`;
      return [...HEAD, group, ...sections, ''].join('\r\n');
    },
  ],
  [
    'sections that inherit',
    'too-many-media-sections',
    (size) => {
      const session = Array.from({ length: 20 }, (_, i) => `a=extmap:${i + 1} urn:${i}`);
      return [...HEAD, ...session, ...fill(size, () => `${VIDEO} 96\r\na=rtpmap:96 VP8/90000`), ''].join(
        '\r\n',
      );
    },
  ],
  [
    'formats on the m= line',
    'too-many-payload-types',
    (size) => oneSection(fill(size, (i) => `${96 + (i % 32)}`).join(' '), () => [])(size),
  ],
  [
    'fmtp and rtcp-fb of many formats',
    'too-many-section-lines',
    oneSection(`96 ${FORMATS.join(' ')}`, (size) =>
      fill(size, (i) => {
        const format = FORMATS[i % FORMATS.length] ?? 96;
        return [`a=fmtp:${format} x=${i};y`, `a=rtcp-fb:${format} x${i}`, `a=rtcp-fb:* y${i}`][i % 3] ?? '';
      }),
    ),
  ],
  [
    'rids, and all of them in simulcast',
    'too-many-section-lines',
    oneSection('96', (size) => {
      const rids = fill(size, (i) => `a=rid:${i} send pt=96;max-width=${i}`);
      return [...rids, `a=simulcast:send ${rids.map((_, i) => i).join(';')}`];
    }),
  ],
  [
    'candidates',
    'too-many-section-lines',
    oneSection('96', (size) => fill(size, (i) => `a=candidate:${i} 1 udp ${i} 192.0.2.1 9 typ host`)),
  ],
  [
    'fingerprints',
    'too-many-section-lines',
    oneSection('96', (size) => fill(size, () => 'a=fingerprint:sha-1 AB')),
  ],
  [
    'lines that do not read, before the mid that their warnings have',
    'too-many-section-lines',
    oneSection('96', (size) => [
      ...fill(
        size,
        (i) =>
          `a=${['fmtp', 'rtcp-fb', 'extmap', 'ssrc', 'rid', 'msid', 'rtcp', 'ptime', 'imageattr', 'candidate'][i % 10] ?? ''}:`,
      ),
      'a=mid:x',
    ]),
  ],
  [
    'parameters in one line each',
    'line-too-long',
    oneSection('96', (size) => [
      `a=fmtp:96 ${fill(size / 5, (i) => `x${i}=${i}`).join(';')}`,
      `a=rid:a send ${fill(size / 5, (i) => `x${i}=${i}`).join(';')}`,
      `a=imageattr:96 send ${fill(size / 5, (i) => `[x=${i},y=[1:2]]`).join(' ')}`,
      `a=ice-options:${fill(size / 5, (i) => `x${i}`).join(' ')}`,
      `a=extmap:1 urn:x ${'x'.repeat(size / 5)}`,
    ]),
  ],
  [
    'SCTP maps of other ports',
    'too-many-section-lines',
    (size) =>
      [
        ...HEAD,
        'm=application 9 DTLS/SCTP 5000',
        ...fill(size, (i) => `a=sctpmap:${1 + (i % 4000)} webrtc-datachannel 1`),
        'a=mid:x',
        '',
      ].join('\r\n'),
  ],
  [
    'sources in one group',
    'too-many-sources',
    oneSection('96', (size) => [`a=ssrc-group:SIM ${fill(size, String).join(' ')}`]),
  ],
];

function read(text: string): SessionDescription {
  return valid(parseSdp(text, RAISED));
}

/** How often the lines of a description are looked at by every view of it. */
function looksAt(text: string): number {
  let looks = 0;
  const counted = (lines: readonly SdpLine[]): SdpLine[] =>
    lines.map(({ type, text, number }) => ({
      get type() {
        looks++;
        return type;
      },
      get text() {
        looks++;
        return text;
      },
      number,
    }));
  const session = read(text);
  const media = session.media.map((section): MediaDescription => ({
    ...section,
    lines: counted(section.lines),
  }));
  everyView({ ...session, lines: counted(session.lines), media });
  return looks;
}

/** Microseconds that this process was at work: others on the machine do not count. */
function timeOf(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/**
 * The least time of `large` by that of ten of `small`, of so many tries, or until it is at most `wanted`. Ten, so that both have the same
 * garbage to collect.
 */
function leastRatio(small: () => void, large: () => void, wanted: number): number {
  const ten = (): void => {
    for (let i = 0; i < 10; i++) small();
  };
  let least = { ten: Infinity, large: Infinity };
  for (let i = 0; i < TRIES; i++) {
    least = { ten: Math.min(least.ten, timeOf(ten)), large: Math.min(least.large, timeOf(large)) };
    if (i > 0 && least.large / least.ten <= wanted) break;
  }
  return least.large / least.ten;
}

describe.each(SHAPES)('%s', (_, code, shape) => {
  const small = shape(SMALL);
  const large = shape(LARGE);
  // What a number has more digits, the text is longer than was asked.
  const sizes = large.length / small.length;

  test('ten times the text is at most twelve times the looks at lines', () => {
    expect(sizes).toBeGreaterThan(9);
    expect(looksAt(large) / looksAt(small)).toBeLessThanOrEqual(AT_MOST);
  });

  test('and at most twenty times the time', () => {
    const work = (text: string) => (): void => {
      const session = read(text);
      everyView(session);
      writeSdp(session);
    };
    expect(leastRatio(work(small), work(large), AT_MOST_IN_TIME / 10)).toBeLessThanOrEqual(
      AT_MOST_IN_TIME / 10,
    );
  });

  test('is refused by its code before that, and without a look where it is too long', () => {
    const maxLineLength = code === 'line-too-long' ? DEFAULT_SDP_LIMITS.maxLineLength : Infinity;
    expect(codeOf(parseSdp(large, { maxLength: Infinity, maxLines: Infinity, maxLineLength }))).toBe(code);
    expect(codeOf(parseSdp(large))).toBe('sdp-too-large');
    const refuse = (): void => void parseSdp(large);
    expect(Math.min(...Array.from({ length: TRIES }, () => timeOf(refuse)))).toBeLessThan(FEW_MILLISECONDS);
  });
});

test('a fragment of many candidates is linear too', () => {
  const fragment = (size: number): string =>
    [
      'm=audio 9 RTP/AVP 0',
      'a=mid:0',
      ...fill(size, (i) => `a=candidate:${i} 1 udp ${i} 192.0.2.1 9 typ host`),
    ].join('\n');
  const [small, large] = [fragment(SMALL), fragment(LARGE)];
  const work = (text: string) => (): void => void valid(parseSdpFragment(text, RAISED));
  expect(leastRatio(work(small), work(large), AT_MOST_IN_TIME / 10)).toBeLessThanOrEqual(
    AT_MOST_IN_TIME / 10,
  );
  expect(codeOf(parseSdpFragment(large))).toBe('sdp-too-large');
});
