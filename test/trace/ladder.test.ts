/** The packet ladder: every datagram an arrow, every loss a cross, and a document that any viewer opens. */
import { describe, expect, test } from 'vitest';
import type { LoggedDatagram, Trace } from '../../src/trace/index.ts';
import { formatEntry, ladderSvg, parseTrace } from '../../src/trace/index.ts';
import { recordedSession } from './recorded.ts';

const session = recordedSession(3, { latency: 20, jitter: 10, loss: 0.1, duplicate: 0.05 });
const { net, offerer, answerer } = session;

function count(svg: string, pattern: RegExp): number {
  return [...svg.matchAll(pattern)].length;
}

/** Throws unless every element is closed where it must be, and every text is free of bare markup. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, close, name, empty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (close === '/') expect(open.pop()).toBe(name);
    else if (empty !== '/') open.push(name ?? '');
  }
  expect(open).toEqual([]);
  expect(svg.replaceAll(/<[^<>]*>/g, '').replaceAll(/&(amp|lt|gt|quot);/g, '')).not.toMatch(/[<>&]/);
}

/** What the labels say, top to bottom as they were sent. */
function labels(svg: string): string[] {
  return [
    ...svg.matchAll(/<text class="label (?:stun|dtls|sctp|other)"[^>]*><title>[^<]*<\/title>([^<]*)</g),
  ].map(([, said]) => said ?? '');
}

describe('of a network', () => {
  const svg = ladderSvg(
    { datagrams: net.datagrams, traces: [offerer.trace, answerer.trace] },
    { title: 'A < B' },
  );

  test('is a document that stands alone', () => {
    expectWellFormed(svg);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+" viewBox=/);
    expect(svg).toContain('A &lt; B');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('has an arrow for each datagram, a head for each arrival, a cross for each loss', () => {
    const lost = net.datagrams.filter(({ fate }) => fate !== 'delivered').length;
    const arrivals = net.datagrams.reduce((sum, one) => sum + one.arrivals.length, 0);
    const duplicates = arrivals - (net.datagrams.length - lost);
    expect(lost).toBeGreaterThan(2);
    expect(duplicates).toBeGreaterThan(0);
    expect(count(svg, /class="cross"/g)).toBe(lost);
    expect(count(svg, /class="label why"/g)).toBe(lost);
    expect(count(svg, /<path class="head/g)).toBe(arrivals);
    expect(count(svg, /<line class="arrow \w+ again"/g)).toBe(duplicates);
    expect(labels(svg)).toHaveLength(net.datagrams.length);
  });

  test('names both ends, and says what is inside the records', () => {
    expect(svg).toContain('>192.0.2.1</text>');
    expect(svg).toContain('>192.0.2.2</text>');
    const said = labels(svg);
    expect(said[0]).toBe('STUN Binding request');
    expect(said).toContain('STUN Binding request USE-CANDIDATE');
    expect(said).toContain('SCTP COOKIE ECHO');
    expect(said.some((label) => label.includes('DCEP OPEN &quot;chat&quot;'))).toBe(true);
  });

  test('time runs downwards: no arrow rises', () => {
    for (const [, y1, y2] of svg.matchAll(
      /<line class="arrow \w+[^"]*"[^>]*y1="([\d.]+)"[^>]*y2="([\d.]+)"/g,
    )) {
      expect(Number(y2)).toBeGreaterThanOrEqual(Number(y1));
    }
  });

  test('a long silence is cut short and told', () => {
    const quiet: LoggedDatagram[] = [0, 60_000].map((sentAt) => ({
      ...net.datagrams[0]!,
      sentAt,
      arrivals: [sentAt + 1],
    }));
    const height = Number(/height="(\d+)"/.exec(ladderSvg({ datagrams: quiet }))?.[1]);
    expect(height).toBeLessThan(300);
    expect(ladderSvg({ datagrams: quiet })).toContain('… 60 s');
  });

  test('draws so many at the most, and says how many more there are', () => {
    const some = ladderSvg({ datagrams: net.datagrams }, { maxArrows: 10 });
    expect(labels(some)).toHaveLength(10);
    expect(some).toContain(`… and ${String(net.datagrams.length - 10)} more`);
  });

  test('a network that kept no bytes, and one that carried nothing', () => {
    const bare = net.datagrams.map((one) => ({ ...one, data: undefined }));
    expect(labels(ladderSvg({ datagrams: bare }))[0]).toBe('96 bytes');
    expectWellFormed(ladderSvg({ datagrams: [] }));
  });
});

describe('of traces', () => {
  test('of one end: every datagram on one row, left is this end', () => {
    const svg = ladderSvg(offerer.trace);
    expectWellFormed(svg);
    const datagrams = offerer.trace.entries.filter(({ type }) => type === 'transmit' || type === 'receive');
    expect(labels(svg)).toHaveLength(datagrams.length);
    for (const [, y1, y2] of svg.matchAll(/<line class="arrow \w+"[^>]*y1="(\d+)" x2="\d+" y2="(\d+)"/g)) {
      expect(y1).toBe(y2);
    }
    expect(svg).toContain('>192.0.2.1:5000</text>');
  });

  test('of both ends: what never arrived is crossed, as the network knows', () => {
    const svg = ladderSvg([offerer.trace, answerer.trace], { left: 'alice', right: 'bob' });
    expectWellFormed(svg);
    expect(count(svg, /class="cross"/g)).toBe(
      net.datagrams.filter(({ fate }) => fate !== 'delivered').length,
    );
    expect(labels(svg)).toHaveLength(net.datagrams.length);
    expect(svg).toContain('>alice</text>');
  });

  test('a peer cannot write markup into it', () => {
    const header = JSON.stringify(offerer.trace.header);
    const receive = offerer.trace.entries.find((entry) => entry.type === 'receive');
    if (receive === undefined) throw new Error('nothing was received');
    const hostile = formatEntry({ ...receive, summary: '</text><script>\u0000\ud800&' });
    const trace: Trace = parseTrace(`${header}\n${hostile}\n`);
    const svg = ladderSvg(trace);
    expectWellFormed(svg);
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;\ufffd\ufffd&amp;');
  });
});
