/**
 * Two connections over DTLS-SRTP, and an end of one that owns its keys and means harm: whatever it seals, nothing throws, what is held stays
 * within its bounds, every kind of harm has a counter, answers are in proportion, and honest media go on afterwards.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { writeU16, writeU32 } from '../../src/core/bytes.ts';
import { encodeUtf8 } from '../../src/core/text.ts';
import { OpusDepacketizer } from '../../src/media/index.ts';
import type { RtcpPacket, SdesItem } from '../../src/rtp/index.ts';
import { MID_URI, RID_URI, TRANSPORT_SEQUENCE_URI } from '../../src/rtp/index.ts';
import { howMany } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import { HostilePeer, compound } from './hostile-peer.ts';

/** How often each kind of harm is done. */
const PLENTY = 1000;
/** Packets between two drains. */
const BATCH = 100;
/** What the victim may hold more than before, as the length of its inspection: a handful of streams. */
const MORE_HELD = 4000;
/** What the memory may grow by over a flood of the size of many megabytes. */
const MORE_MEMORY = 6_000_000;

/** One kind of harm, done for the `index`th time. */
interface Harm {
  readonly name: string;
  readonly act: (peer: HostilePeer, index: number) => void;
  /** Counters that tell of it. */
  readonly counts: readonly string[];
  /** Bytes of answers for each time, on average. Default: none that is not due anyway. */
  readonly answer?: number;
}

const mid = (peer: HostilePeer, kind: 'audio' | 'video'): readonly [string, Uint8Array] => [
  MID_URI,
  encodeUtf8(peer.stream(kind).mid ?? ''),
];

/** A packet whose last byte says how much padding there is, and the bit in front that there is any. */
function padded(packet: Bytes, padding: number): Bytes {
  packet[0]! |= 0x20;
  packet[packet.length - 1] = padding;
  return packet;
}

/** The header of RTCP: what it says of its length need not be so. */
function rtcp(count: number, type: number, words: number, ...body: readonly number[]): Bytes {
  const bytes = new Uint8Array(4 + body.length);
  bytes[0] = 0x80 | count;
  bytes[1] = type;
  writeU16(bytes, 2, words);
  bytes.set(body, 4);
  return bytes;
}

/** A tone of DTMF. */
function tone(event: number, flags: number, duration: number): Bytes {
  return Uint8Array.of(event, flags, duration >> 8, duration & 0xff);
}

const u32 = (value: number): number[] => {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value >>> 0);
  return [...bytes];
};

const RTP_HARM: readonly Harm[] = [
  {
    name: 'lies about its padding',
    counts: ['malformedPackets'],
    act: (peer, index) => {
      const payload = new Uint8Array(20);
      peer.say(padded(peer.rtp({ sequence: index, payload }), index % 2 === 0 ? 0 : 40));
    },
  },
  {
    name: 'CSRCs and extensions that lie beyond its end',
    counts: ['malformed'],
    act: (peer, index) => {
      const packet = peer.rtp({ sequence: index, payload: new Uint8Array(0) });
      packet[0]! |= index % 2 === 0 ? 0x0f : 0x10;
      peer.arrive(peer.seal('rtp', packet.slice(0, 12)).slice(0, 28));
    },
  },
  {
    name: 'extensions that lie beyond their block, or are of the reserved id',
    counts: ['unknownSources'],
    act: (peer, index) => {
      const packet = peer.rtp({
        sequence: index,
        ssrc: peer.base + index,
        payloadType: 20,
        extensions: [[MID_URI, new Uint8Array(5)]],
      });
      packet[16] = [0xff, 0x1f, 0xf0, 0x0f][index % 4]!;
      peer.say(packet);
    },
  },
  {
    name: 'one id for two mids, a rid in the place of a mid, and mids of all lengths',
    counts: ['unknownMids'],
    act: (peer, index) => {
      const nobody = encodeUtf8('x'.repeat(index % 200));
      const id = peer.stream('video').extensionIds.get(MID_URI) ?? 0;
      const both = [[id, nobody] as const, mid(peer, 'video')];
      peer.say({ sequence: index, ssrc: peer.base, form: 'two-byte', extensions: both });
    },
  },
  {
    name: 'rids where none are agreed on',
    counts: ['unknownPayloadTypes'],
    act: (peer, index) => {
      const rid = [RID_URI, encodeUtf8(`r${String(index)}`)] as const;
      peer.say({
        sequence: index,
        ssrc: peer.base + index,
        payloadType: 20,
        extensions: [mid(peer, 'video'), rid],
      });
    },
  },
  {
    name: 'payload types that were never negotiated, from a source that is known and from others',
    counts: ['unknownPayloadTypes', 'unknownSources'],
    act: (peer, index) => {
      const payloadType = 20 + (index % 10);
      const known = { sequence: index, ssrc: peer.base, payloadType, extensions: [mid(peer, 'video')] };
      peer.say(index % 2 === 0 ? known : { sequence: index, ssrc: peer.base + 1, payloadType });
    },
  },
  {
    name: 'sources, each replacing the one before',
    counts: ['retiredSourcePackets'],
    // BYE is not said for them, and what was due of the honest ones is asked for again.
    answer: 4,
    act: (peer, index) => {
      peer.say({ ssrc: peer.base + index, sequence: index });
      peer.say({ ssrc: peer.base + index - 1, sequence: index + 1 });
    },
  },
  {
    name: 'packets said again',
    counts: ['replayed'],
    act: (peer, index) => {
      const packet = peer.seal('rtp', peer.rtp({ sequence: index % 3, payloadType: 20 }));
      for (let copy = 0; copy < 3; copy++) peer.arrive(packet.slice());
    },
  },
  {
    name: 'numbers that jump all over the circle',
    counts: ['jumpingPackets', 'latePackets'],
    answer: 4,
    act: (peer, index) => {
      // Coprime to the circle: no number twice in a turn of it.
      const total = 24_001 * index;
      peer.say({ ssrc: peer.base, sequence: total }, Math.floor(total / 65_536));
    },
  },
  {
    name: 'numbers that begin anew with every other packet',
    counts: ['sequenceRestarts'],
    answer: 4,
    act: (peer, index) => {
      const total = 20_000 * index;
      peer.say({ ssrc: peer.base, sequence: total }, Math.floor(total / 65_536));
      peer.say({ ssrc: peer.base, sequence: total + 1 }, Math.floor((total + 1) / 65_536));
    },
  },
  {
    name: 'holes of the most that counts as loss',
    counts: ['nackOverflows'],
    answer: 40,
    act: (peer, index) => {
      const total = 2900 * index;
      peer.say({ ssrc: peer.base, sequence: total }, Math.floor(total / 65_536));
    },
  },
  {
    name: 'RTX of numbers that nobody misses, and of nothing',
    counts: ['probes', 'latePackets'],
    answer: 4,
    act: (peer, index) => {
      const rtx = peer.payloadType('rtx');
      if (index % 50 === 0) peer.say({ ssrc: peer.base, sequence: index / 50 });
      const from = {
        ssrc: peer.base + 1,
        payloadType: rtx,
        sequence: index,
        extensions: [mid(peer, 'video')],
      };
      if (index % 2 === 0) peer.say({ ...from, payload: new Uint8Array(index % 4 === 0 ? 0 : 1) });
      else peer.say({ ...from, repairs: 30_000 + 13 * index });
    },
  },
  {
    name: 'RTX from another source each time, of numbers far ahead',
    counts: ['latePackets'],
    answer: 4,
    act: (peer, index) => {
      const payloadType = peer.payloadType('rtx');
      peer.say({ ssrc: peer.base + index, payloadType, sequence: index, repairs: 30_000 + index });
    },
  },
  {
    name: 'redundancy that says it holds more than it does',
    counts: [],
    answer: 4,
    act: (peer, index) => {
      const opus = 0x80 | peer.payloadType('opus');
      const payload = Uint8Array.of(opus, 0xff, 0xff, index & 0xff, index & 0x7f, 1, 2);
      peer.say({
        ssrc: peer.base,
        payloadType: peer.payloadType('red'),
        sequence: index,
        timestamp: 960 * index,
        payload: payload.subarray(0, index % 8),
      });
    },
  },
  {
    name: 'tones that are none, never end, or last for ever',
    counts: ['unknownTones'],
    answer: 4,
    act: (peer, index) => {
      const payloads = [
        tone(200, 0, 1),
        tone(index % 16, 0x0a, 0xffff),
        tone(index % 16, 0x8a, 0),
        tone(1, 0, 1).subarray(0, index % 4),
      ];
      peer.say({
        ssrc: peer.base,
        payloadType: peer.payloadType('telephone-event'),
        sequence: index,
        timestamp: index % 3 === 0 ? 0xffff * index : 1000 * index,
        payload: payloads[index % payloads.length]!,
      });
    },
  },
  {
    name: 'transport-wide numbers that jump, stand still and run backwards',
    counts: ['lateArrivals', 'duplicateArrivals', 'untoldArrivals'],
    answer: 30,
    act: (peer, index) => {
      const number = [7000 * index, 5, 65_535 - index, index][index % 4]! & 0xffff;
      const value = Uint8Array.of(number >> 8, number & 0xff);
      peer.say({
        ssrc: peer.base,
        payloadType: 20,
        sequence: index,
        extensions: [[TRANSPORT_SEQUENCE_URI, value]],
      });
    },
  },
];

const NOW = { ntpSeconds: 0xffff_ffff, ntpFraction: 0xffff_ffff };

/** Packets of SDES with one item of this length, whose text is as long as it says, or not. */
function description(ssrc: number, index: number): Bytes {
  const length = index % 256;
  const is = index % 3 === 0 ? Math.min(length, 5) : length;
  const item = [index % 17, length, ...new Array<number>(is).fill(0x61)];
  const body = [...u32(ssrc), ...item, 0];
  while (body.length % 4 !== 0) body.push(0);
  return rtcp(1 + (index % 2), 202, body.length / 4, ...body);
}

const RTCP_HARM: readonly Harm[] = [
  {
    name: 'compounds that end early, of another version, and of lengths that lie',
    counts: ['malformedRtcp'],
    act: (peer, index) => {
      const report: RtcpPacket = { type: 'receiver-report', ssrc: peer.base, reports: [] };
      const lies = [
        rtcp(0, 201, 9),
        rtcp(31, 200, 1, ...u32(1)),
        rtcp(0, 201, 0xffff, ...u32(1)),
        Uint8Array.of(0x80, 201),
        Uint8Array.of(0x00, 201, 0, 0),
        padded(rtcp(1, 202, 1, 0, 0, 0, 0), 200),
        padded(rtcp(1, 206, 1, 0, 0, 0, 0), 0),
      ];
      peer.report(report, lies[index % lies.length]!);
    },
  },
  {
    name: 'types and formats that nobody knows',
    counts: ['unknownRtcp'],
    act: (peer, index) => {
      const types = [192, 195, 205, 206, 208, 223];
      peer.report(rtcp(29, types[index % types.length]!, 2, ...u32(peer.base), ...u32(index)));
    },
  },
  {
    name: 'NACKs for packets that were never sent, as many as a datagram names',
    counts: ['retransmissionsUnknown', 'sentSourcesUnknown'],
    act: (peer, index) => {
      const mediaSsrc = [peer.sent.video, peer.sent.audio, peer.base][index % 3]!;
      const sequenceNumbers = Array.from({ length: 1000 }, (_, at) => (20_000 + 17 * index + at) & 0xffff);
      peer.report({ type: 'nack', senderSsrc: peer.base, mediaSsrc, sequenceNumbers });
    },
  },
  {
    name: 'NACKs again and again for what was sent',
    counts: ['retransmissionsRepeated'],
    // Once a round trip, within the share.
    answer: 70_000 / PLENTY,
    act: (peer) => {
      const sequenceNumbers = Array.from({ length: 0x1000 }, (_, at) => 16 * at);
      for (let from = 0; from < 16; from += 4) {
        peer.report({
          type: 'nack',
          senderSsrc: peer.base,
          mediaSsrc: peer.sent.video,
          sequenceNumbers: sequenceNumbers.slice(256 * from, 256 * (from + 4)),
        });
      }
    },
  },
  {
    name: 'keyframes wanted without an end',
    counts: ['keyframeRequestsThrottled', 'keyframeRequestsRepeated', 'sentSourcesUnknown'],
    act: (peer, index) => {
      const [senderSsrc, ssrc] = [peer.base, peer.sent.video];
      peer.report({ type: 'pli', senderSsrc, mediaSsrc: ssrc });
      const entries = Array.from({ length: 100 }, (_, at) => ({
        ssrc: at % 2 === 0 ? ssrc : at,
        sequenceNumber: (index + (at >> 2)) & 0xff,
      }));
      peer.report({ type: 'fir', senderSsrc, entries });
    },
  },
  {
    name: 'estimates of nothing and of everything, of sources that it does not list',
    counts: ['malformedRtcp'],
    act: (peer, index) => {
      const remb = [...u32(peer.base), ...u32(0), 0x52, 0x45, 0x4d, 0x42];
      peer.report(rtcp(15, 206, 4, ...remb, index % 2 === 0 ? 0 : 255, 0xff, 0xff, 0xff));
      peer.report({ type: 'remb', senderSsrc: peer.base, bitrate: 0, ssrcs: [] });
    },
  },
  {
    name: 'transport-wide feedback on what was never sent, as much as few bytes can say',
    counts: ['unknownFeedbackPackets', 'malformedRtcp', 'lostTransportFeedbacks'],
    act: (peer, index) => {
      const run = [0x1f, 0xff];
      const [base, count] = [(977 * index) & 0xffff, index % 2 === 0 ? 8191 : 65_535];
      const fields = [base >> 8, base & 0xff, count >> 8, count & 0xff, 0x7f, 0xff, 0xff, (3 * index) & 0xff];
      const runs = [...run, ...run, ...run, ...run, ...run, ...run, ...run, ...run];
      const body = [...u32(peer.base), ...u32(peer.sent.video), ...fields, ...runs];
      peer.report(rtcp(15, 205, body.length / 4, ...body));
    },
  },
  {
    name: 'feedback of RFC 8888, which nobody has agreed on',
    counts: ['congestionFeedbacks'],
    act: (peer, index) => {
      const packets = Array.from({ length: 500 }, (_, at) =>
        at % 3 === 0 ? null : { ecn: 3, arrivedBefore: 0x1fff },
      );
      const streams = [{ ssrc: peer.sent.video, firstSequenceNumber: (999 * index) & 0xffff, packets }];
      peer.report({
        type: 'congestion-feedback',
        senderSsrc: peer.base,
        reportTimestamp: 2 ** 32 - 1,
        streams,
      });
    },
  },
  {
    name: 'descriptions of all lengths, true and not, of sources that are not there',
    counts: ['malformedRtcp'],
    act: (peer, index) => {
      peer.report(description(peer.base + index, index));
      const items: readonly { readonly type: SdesItem; readonly text: string }[] = [
        { type: 'mid', text: peer.stream('video').mid ?? '' },
        { type: 'rtp-stream-id', text: 'x'.repeat(index % 256) },
      ];
      peer.report({ type: 'source-description', chunks: [{ ssrc: peer.base + index, items }] });
    },
  },
  {
    name: 'goodbyes for others, and for the victim',
    counts: ['unknownReports'],
    act: (peer, index) => {
      const others = Array.from({ length: 20 }, (_, at) => 31 * index + at);
      peer.report({
        type: 'bye',
        ssrcs: [peer.sent.audio, peer.sent.video, ...others],
        reason: 'x'.repeat(index % 256),
      });
      peer.report(rtcp(31, 203, 1, ...u32(peer.sent.video)));
    },
  },
  {
    name: 'times before all clocks, after them, and of sources of nobody',
    counts: ['unknownReports'],
    act: (peer, index) => {
      const times = [{ ntpSeconds: 0, ntpFraction: 0 }, NOW, { ntpSeconds: index, ntpFraction: 1 }];
      for (const ssrc of [peer.stream('video').ssrc, peer.stream('audio').ssrc, peer.base]) {
        peer.report({
          type: 'sender-report',
          ssrc,
          ...times[index % times.length]!,
          rtpTimestamp: (0x7fff_ffff * index) >>> 0,
          packetCount: 0xffff_ffff,
          octetCount: 0xffff_ffff,
          reports: [],
        });
      }
    },
  },
  {
    name: 'reports on what the victim sends that cannot be true',
    counts: ['roundTripsRefused', 'sentSourcesUnknown'],
    act: (peer, index) => {
      const block = {
        fractionLost: 255,
        packetsLost: -0x80_0000,
        highestSequenceNumber: 0xffff_ffff,
        jitter: 0xffff_ffff,
        lastSenderReport: 0x8000_0000,
        delaySinceLastSenderReport: (0xffff * index) >>> 0,
      };
      const reports = [peer.sent.audio, peer.sent.video, index].map((ssrc) => ({ ssrc, ...block }));
      peer.report({ type: 'receiver-report', ssrc: peer.base, reports });
    },
  },
  {
    name: 'receivers that want to know their round trip, and answers to what was never asked',
    counts: ['referenceTimesDropped', 'referenceAnswersRefused'],
    answer: 1,
    act: (peer, index) => {
      const reports = Array.from({ length: 50 }, (_, at) => ({
        ssrc: at === 0 ? peer.feedbackSsrc : at,
        lastReceiverReport: (0x7000_0000 * (at + 1)) >>> 0,
        delay: 0xffff_ffff,
      }));
      peer.report({
        type: 'extended-report',
        ssrc: peer.base + index,
        blocks: [
          { type: 'receiver-reference-time', ...NOW },
          { type: 'delay-since-last-receiver-report', reports },
        ],
      });
      peer.report(rtcp(0, 207, 3, ...u32(peer.base), 4, 0, 0, 99, ...u32(1)));
    },
  },
  {
    name: 'packets of applications, large ones',
    counts: [],
    act: (peer, index) => {
      const data = new Uint8Array(4 * (index % 300));
      peer.report({ type: 'app', ssrc: peer.base + index, subtype: index % 32, name: 'HARM', data });
      peer.report({ type: 'application-feedback', senderSsrc: peer.base, mediaSsrc: index, data });
    },
  },
];

const HARM: readonly Harm[] = [...RTP_HARM, ...RTCP_HARM];

/** Does it, in batches with a drain and a millisecond behind each. */
function flood(peer: HostilePeer, act: Harm['act'], times = PLENTY): void {
  peer.base += 10_000;
  for (let index = 1; index <= times; index++) {
    act(peer, index);
    if (index % BATCH === 0) peer.wait(1);
  }
}

let collect = (): void => undefined;

beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc') as () => void;
});

function memory(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Forgets what the stage has written down of the victim. */
function clear(peer: HostilePeer): void {
  peer.victim.events.length = 0;
  peer.datagrams.length = 0;
}

describe('an end that owns its keys', () => {
  for (const { name, act, counts, answer = 0 } of HARM) {
    test(`${name}: counted, bounded, and honest media go on`, () => {
      const peer = new HostilePeer(7);
      const held = peer.held().length;
      const since = peer.now;
      // What is due anyway in so much time: reports, and feedback on honest media.
      peer.wait(PLENTY / BATCH);
      const due = bytesOf(peer.media(since)) + 2000;
      const from = peer.now;
      flood(peer, act);
      expect(peer.victim.peer.deadline).toBeGreaterThan(peer.now);
      expect(peer.victim.peer.deadline).toBeLessThan(peer.now + 60_000);
      expect(bytesOf(peer.media(from))).toBeLessThan(due + answer * PLENTY);
      expect(peer.held().length).toBeLessThan(held + MORE_HELD);
      const counted = peer.counted();
      for (const counter of counts) expect(counted, counter).toHaveProperty(counter);
      // A source that was replaced is refused for a second.
      peer.talk(3000);
      const heard = peer.honestPackets;
      peer.talk(1000);
      expect(peer.honestPackets - heard).toBe(100);
      for (const { time, ntpTime } of peer.heard('senderreport')) {
        expect(Number.isFinite(time) && Number.isFinite(ntpTime)).toBe(true);
      }
      expect(JSON.stringify(peer.victim.rtc.getStats(), finite)).toBeDefined();
    });
  }

  test('all of it one after the other, twice: no memory grows', () => {
    const peer = new HostilePeer(8);
    const depacketizer = new OpusDepacketizer();
    peer.victim.tap.hears = (event) => {
      if (event.type !== 'rtp' || event.stream.kind !== 'audio') return;
      depacketizer.push({ event, isContiguous: true });
      while (depacketizer.poll() !== undefined);
    };
    const round = (): number => {
      for (const { act } of HARM) {
        flood(peer, act, 200);
        clear(peer);
      }
      peer.wait(60_000);
      clear(peer);
      return memory();
    };
    round();
    const before = round();
    expect(round() - before).toBeLessThan(MORE_MEMORY);
    expect(depacketizer.counters.packetsMalformed).toBeGreaterThan(0);
  });

  test('65,535 sources, of media that is agreed on and of none, RTCP of each', () => {
    const peer = new HostilePeer(9);
    const held = peer.held().length;
    const round = (first: number, count: number): void => {
      for (let index = 0; index < count; index++) {
        const ssrc = first + index;
        peer.say({ ssrc, sequence: 1, payloadType: index % 16 === 0 ? peer.payloadType('VP8') : 20 });
        if (index % 8 === 0) peer.report({ type: 'receiver-report', ssrc, reports: [] });
        if (index % BATCH === 0) {
          peer.wait(1);
          clear(peer);
        }
      }
      clear(peer);
    };
    round(1, 65_535);
    const before = memory();
    round(65_536, 5000);
    expect(memory() - before).toBeLessThan(MORE_MEMORY);
    expect(peer.held().length).toBeLessThan(held + MORE_HELD);
    expect(peer.counted()).toMatchObject({
      sourcesEvicted: expect.any(Number),
      unknownSources: expect.any(Number),
    });
    peer.talk(3000);
    const heard = peer.honestPackets;
    peer.talk(1000);
    expect(peer.honestPackets - heard).toBe(100);
  });

  test('whatever it seals, in whatever order, with drains and time between: nothing throws, nothing stays', () => {
    const seed = freshSeed('hostile peer');
    const harm = fc.record({
      harm: fc.constantFrom(...HARM),
      index: fc.nat(1000),
      times: fc.integer({ min: 1, max: 5 }),
      after: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(40_000)),
    });
    const noise = fc.record({
      kind: fc.constantFrom('rtp' as const, 'rtcp' as const),
      from: fc.constantFrom('random' as const, 'rtp' as const, 'rtcp' as const),
      bytes: fc.uint8Array({ minLength: 12, maxLength: 200 }),
      flips: fc.array(fc.nat(2000), { maxLength: 6 }),
      after: fc.oneof(fc.constant(0), fc.nat(2000)),
    });
    const property = fc.property(fc.array(fc.oneof(harm, noise), { maxLength: 30 }), (steps) => {
      const peer = new HostilePeer(10);
      for (const step of steps) {
        if ('harm' in step) {
          peer.base += 10_000;
          for (let time = 0; time < step.times; time++) step.harm.act(peer, step.index + time);
        } else peer.arrive(peer.seal(step.kind, noisy(peer, step)));
        if (step.after > 0) peer.wait(step.after);
        expect(peer.victim.peer.deadline).toBeGreaterThan(peer.now);
      }
      peer.victim.rtc.close();
      peer.wait(60_000);
      expect(peer.victim.rtc.isEmpty).toBe(true);
    });
    fc.assert(property, { seed, numRuns: howMany(60, 2000) });
  });
});

/** Random bytes behind a header that passes, or a packet that means something with a few bits turned. */
function noisy(
  peer: HostilePeer,
  {
    kind,
    from,
    bytes,
    flips,
  }: { kind: 'rtp' | 'rtcp'; from: 'random' | 'rtp' | 'rtcp'; bytes: Uint8Array; flips: readonly number[] },
): Bytes {
  const packet =
    from === 'random'
      ? new Uint8Array(bytes)
      : from === 'rtp'
        ? peer.rtp({ ssrc: peer.base, sequence: bytes[0]!, extensions: [mid(peer, 'video')], payload: bytes })
        : compound(description(peer.base, bytes[0]!), {
            type: 'nack',
            senderSsrc: peer.base,
            mediaSsrc: peer.sent.video,
            sequenceNumbers: [...bytes.subarray(0, 20)],
          });
  for (const flip of flips) packet[(flip >> 3) % packet.length]! ^= 1 << (flip & 7);
  packet[0] = 0x80 | (packet[0]! & 0x3f);
  packet[1] = kind === 'rtcp' ? 192 + (packet[1]! & 0x1f) : packet[1]! & 0x7f;
  return packet;
}

function bytesOf(datagrams: readonly Bytes[]): number {
  return datagrams.reduce((sum, { length }) => sum + length, 0);
}

/** Refuses numbers that JSON does not have. */
function finite(name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${name} is ${String(value)}`);
  return value;
}
