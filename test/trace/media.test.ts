/** Traces of connections with media: they replay byte for byte, show what is inside, and hide what is to be hidden. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import { readRtcp } from '../../src/rtp/index.ts';
import type { LinkConditions } from '../../src/sim/index.ts';
import type { Trace } from '../../src/trace/index.ts';
import {
  describeTrace,
  formatTrace,
  ladderSvg,
  parseTrace,
  pcapng,
  redactTrace,
  replay,
} from '../../src/trace/index.ts';
import { AUDIO, VIDEO, recordedMedia } from './recorded-media.ts';

const LOSSY: LinkConditions = { latency: 20, jitter: 8, loss: 0.05, reorder: 0.05, duplicate: 0.02 };
const lossy = recordedMedia(5, LOSSY);
const { trace } = lossy.offerer;

function packetsOf({ entries }: Trace, kind: 'rtp' | 'rtcp' | 'sctp', direction?: 'in' | 'out') {
  return entries.filter(
    (entry) =>
      entry.type === 'packet' && entry.kind === kind && (direction ?? entry.direction) === entry.direction,
  );
}

describe('record and replay', () => {
  test.each([1, 2, 3])(
    'audio, video, loss, RTX, keyframe requests, DTMF: the same bytes again, seed %i',
    (seed) => {
      const { offerer, answerer } = recordedMedia(seed, LOSSY);
      const all = [...offerer.events, ...answerer.events];
      expect(all.some((event) => event.type === 'rtp' && event.isRecovered)).toBe(true);
      for (const end of [offerer, answerer]) {
        const types = new Set(end.events.map(({ type }) => type));
        for (const type of [
          'rtp',
          'rtpstreamstart',
          'keyframerequest',
          'dtmf',
          'remb',
          'senderreport',
        ] as const)
          expect(types.has(type), type).toBe(true);
        const outcome = replay(formatTrace(end.trace));
        expect(outcome.identical ? '' : outcome.divergence.message).toBe('');
        expect(outcome.rtc.inspect()).toEqual(end.rtc.inspect());
        expect(end.rtc.isEmpty).toBe(true);
      }
    },
  );

  test('the text is read as what was written, packets by their kind', () => {
    const text = formatTrace(trace);
    expect(parseTrace(text)).toEqual(trace);
    expect(text).toContain('"kind":"rtp"');
    expect(text).not.toContain('"kind":"sctp"');
  });
});

describe('what is shown', () => {
  test('each packet of RTP and RTCP in the clear, between the datagrams it travels in', () => {
    for (const kind of ['rtp', 'rtcp', 'sctp'] as const) {
      expect(packetsOf(trace, kind, 'in').length).toBeGreaterThan(0);
      expect(packetsOf(trace, kind, 'out').length).toBeGreaterThan(0);
    }
    const text = describeTrace(trace);
    expect(text).toMatch(/packet out: RTP \d+ marker sequence \d+ time \d+ of \d+, 80 bytes/);
    expect(text).toMatch(/packet in: RTCP SR of \d+ reports \d/);
    expect(text).toMatch(/PLI of \d+ to \d+/);
    expect(text).toMatch(/transmit to 192\.0\.2\.2:5000, \d+ bytes: SRTP \d+ sequence \d+ of \d+, \d+ bytes/);
  });

  test('RTCP of ours is well-formed, all of it', () => {
    for (const entry of packetsOf(trace, 'rtcp')) {
      if (entry.type === 'packet') expect(readRtcp(entry.data)).toMatchObject({ malformed: 0, unknown: 0 });
    }
  });

  test('pcapng has a third interface with the packets opened, each with the name of its dissector', () => {
    const file = Buffer.from(pcapng(trace));
    const interfaces: number[] = [];
    const opened: string[] = [];
    for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
      const type = file.readUInt32LE(at);
      if (type === 1) interfaces.push(file.readUInt16LE(at + 8));
      if (type !== 6 || file.readUInt32LE(at + 8) !== 2) continue;
      const packet = file.subarray(at + 28, at + 28 + file.readUInt32LE(at + 20));
      expect([packet.readUInt16BE(0), packet.readUInt16BE(2)]).toEqual([12, 4]);
      const name = packet.toString('latin1', 4, 8).replaceAll('\0', '');
      // Addresses and ports, 8 bytes each, then the end of the tags.
      const tags = [0, 1, 2, 3].map((i) => packet.readUInt16BE(8 + 8 * i));
      expect(tags).toEqual([20, 21, 25, 26]);
      expect(packet.readUInt32BE(40)).toBe(0);
      opened.push(`${name} ${toHex(packet.subarray(44))}`);
    }
    expect(interfaces).toEqual([101, 248, 252]);
    const inside = trace.entries.flatMap((entry) =>
      entry.type === 'packet' && entry.kind !== 'sctp' ? [`${entry.kind} ${toHex(entry.data)}`] : [],
    );
    expect(opened.sort()).toEqual(inside.sort());
  });

  test('the ladder draws media in a colour of their own', () => {
    const svg = ladderSvg({ datagrams: lossy.net.datagrams, traces: [trace] });
    expect(svg.includes('RTP in SRTP')).toBe(true);
    expect(/<\/title>RTP \d+ marker sequence/.test(svg)).toBe(true);
  });
});

describe('what is hidden', () => {
  const hidden = redactTrace(trace, { hidePayload: true, secrets: true });

  test('no payload is left: neither as written, nor in packets, nor in events; headers are', () => {
    expect(hidden.entries).toHaveLength(trace.entries.length);
    const text = formatTrace(hidden);
    for (const byte of [AUDIO, VIDEO]) expect(text).not.toContain(toHex(new Uint8Array(40).fill(byte)));
    const headers = ({ entries }: Trace): string[] =>
      entries.flatMap((entry) =>
        entry.type === 'packet' && entry.kind === 'rtp' ? [toHex(entry.data.subarray(0, 12))] : [],
      );
    expect(headers(hidden)).toEqual(headers(trace));
  });

  test('RTCP stays as it was, and so do SRTP datagrams', () => {
    expect(packetsOf(hidden, 'rtcp')).toEqual(packetsOf(trace, 'rtcp'));
    const sealed = ({ entries }: Trace): unknown[] =>
      entries.filter((entry) => entry.type === 'transmit' && entry.summary.startsWith('SRTP'));
    expect(sealed(hidden).length).toBeGreaterThan(100);
    expect(sealed(hidden)).toEqual(sealed(trace));
  });
});
