/** A peer that is authentic and means harm: nothing throws, nothing grows, each drop is counted, and no packet costs much. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RtcpPacket } from '../../../src/rtp/index.ts';
import { receiveSettings } from '../../../src/media/receive/options.ts';
import type { PacketInit } from './rig.ts';
import { AUDIO, Rig, SIMULCAST, VIDEO, VP8_KEYFRAME, media, rtp } from './rig.ts';

const arbitraryPacket: fc.Arbitrary<PacketInit> = fc.record(
  {
    ssrc: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(50, 60, 0xffff_ffff)),
    payloadType: fc.constantFrom(96, 97, 111, 126, 96, 97, 33),
    sequence: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 65_535 })),
    timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
    mid: fc.constantFrom('0', '1', 'x', 'a long one of 16'),
    rid: fc.constantFrom('h', 'l', 'z'),
    repairedRid: fc.constantFrom('h', 'l', 'z'),
    transportSequence: fc.integer({ min: 0, max: 65_535 }),
    payload: fc.oneof(fc.constant(VP8_KEYFRAME), fc.uint8Array({ maxLength: 12 })),
    padding: fc.integer({ min: 1, max: 200 }),
    repairs: fc.integer({ min: 0, max: 65_535 }),
  },
  { requiredKeys: ['ssrc', 'payloadType', 'sequence'] },
);

type Step =
  | { readonly do: 'packet'; readonly init: PacketInit; readonly flip: number | undefined }
  | { readonly do: 'bytes'; readonly bytes: Uint8Array }
  | { readonly do: 'time'; readonly after: number }
  | { readonly do: 'media'; readonly which: number }
  | { readonly do: 'keyframe'; readonly id: number; readonly rid: string | undefined }
  | { readonly do: 'path'; readonly writable: boolean; readonly roundTripTime: number | undefined }
  | { readonly do: 'rtcp'; readonly ssrc: number; readonly kind: 'bye' | 'report' | 'answer' }
  | { readonly do: 'reports' }
  | { readonly do: 'feedback' }
  | { readonly do: 'drain' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('packet' as const),
      init: arbitraryPacket,
      flip: fc.option(fc.nat(400), { nil: undefined, freq: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('time' as const),
      after: fc.oneof(fc.nat(30), fc.nat(2000), fc.integer({ min: -500, max: 60_000 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('media' as const), which: fc.nat(4) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('keyframe' as const),
      id: fc.integer({ min: 1, max: 3 }),
      rid: fc.constantFrom(undefined, 'h', 'x'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('path' as const),
      writable: fc.boolean(),
      roundTripTime: fc.constantFrom(undefined, 1, 500),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('rtcp' as const),
      ssrc: fc.nat(6),
      kind: fc.constantFrom('bye' as const, 'report' as const, 'answer' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reports' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'feedback' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'drain' as const }) },
);

const AGREEMENTS = [
  [AUDIO, VIDEO],
  [AUDIO, SIMULCAST],
  [media(1, '0', 'audio', AUDIO.receive.codecs, { sources: [{ ssrc: 1 }, { ssrc: 2 }] }), VIDEO],
  [],
  [
    media(2, '1', 'video', VIDEO.receive.codecs, {
      sources: [{ ssrc: 5 }],
      sourceGroups: [{ semantics: 'FID', ssrcs: [5, 50] }],
    }),
  ],
];

function act(rig: Rig, one: Step): void {
  const { receiver } = rig;
  switch (one.do) {
    case 'packet': {
      const bytes = rtp(one.init);
      if (one.flip !== undefined) bytes[one.flip % bytes.length]! ^= 1 << (one.flip % 8);
      receiver.handleRtp(bytes, rig.now);
      return;
    }
    case 'bytes':
      receiver.handleRtp(new Uint8Array(one.bytes), rig.now);
      return;
    case 'time':
      rig.now += one.after;
      receiver.handleTimeout(rig.now);
      expect(receiver.nextTimeout()).toBeGreaterThan(rig.now);
      return;
    case 'media':
      receiver.setMedia(AGREEMENTS[one.which] ?? [], rig.now);
      return;
    case 'keyframe':
      receiver.requestKeyframe(one.id, one.rid, rig.now);
      return;
    case 'path':
      receiver.setPath({ ...one, largestDatagram: 1200, overhead: 0, generation: 1 });
      return;
    case 'rtcp':
      rtcp(rig, one.ssrc, one.kind);
      return;
    case 'reports':
      for (const { fractionLost, packetsLost, jitter } of receiver.reportBlocks(rig.now)) {
        expect(fractionLost).toBeGreaterThanOrEqual(0);
        expect(fractionLost).toBeLessThan(256);
        expect(packetsLost).toBeGreaterThanOrEqual(0);
        expect(jitter).toBeGreaterThanOrEqual(0);
      }
      return;
    case 'feedback':
      rig.feedback();
      return;
    case 'drain':
      rig.drain();
  }
}

function rtcp(rig: Rig, ssrc: number, kind: 'bye' | 'report' | 'answer'): void {
  const { receiver, now } = rig;
  if (kind === 'bye') receiver.handleBye({ type: 'bye', ssrcs: [ssrc, ssrc], reason: '\u0000\n' }, now);
  else if (kind === 'report') {
    const times = { ntpSeconds: ssrc * 0x1000_0000, ntpFraction: 5, rtpTimestamp: 0x8000_0000 };
    receiver.handleSenderReport(
      { type: 'sender-report', ssrc, ...times, packetCount: 1, octetCount: 1, reports: [] },
      now,
    );
  } else {
    const reports = [{ ssrc: 77, lastReceiverReport: ssrc * 0x1000_0000, delay: 0xffff_ffff }];
    receiver.handleExtendedReport(
      { type: 'extended-report', ssrc, blocks: [{ type: 'delay-since-last-receiver-report', reports }] },
      now,
    );
  }
}

describe('a peer that means harm', () => {
  test('whatever happens in whatever order, nothing throws, and the invariants hold', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        const rig = new Rig([AUDIO, SIMULCAST], { maxStreams: 3, maxQueuedPackets: 20 });
        for (const one of steps) {
          act(rig, one);
          rig.check();
          // Of what marks the life of streams there is a handful each at the most.
          expect(rig.events.size).toBeLessThan(20 + 5 * steps.length);
        }
        rig.receiver.close();
        rig.check();
        expect(rig.receiver.nextTimeout()).toBe(Infinity);
        JSON.stringify(rig.receiver.inspect());
      }),
    );
  });

  test('events that nobody takes stay bounded, though sources change all the time', () => {
    const rig = new Rig([VIDEO, AUDIO], { maxQueuedPackets: 100 });
    for (let ssrc = 1; ssrc < 5000; ssrc++) {
      rig.receiver.handleRtp(rtp({ ssrc, mid: '1' }), rig.now);
      rig.now += 40;
      rig.receiver.handleTimeout(rig.now);
      if (ssrc % 100 === 0) rig.receiver.handleBye({ type: 'bye', ssrcs: [ssrc] }, rig.now);
    }
    expect(rig.events.size).toBeLessThan(110);
  });

  test('numbers far apart cost a bounded time, and ask for a bounded number of packets', () => {
    const cost = (distance: number): { readonly milliseconds: number; readonly asked: number } => {
      const rig = new Rig([VIDEO], { maxQueuedPackets: 100_000 });
      const packets = Array.from({ length: 4000 }, (_, index) =>
        rtp({ ssrc: 5, mid: '1', sequence: index * distance }),
      );
      let feedback: RtcpPacket[] = [];
      const began = performance.now();
      for (const packet of packets) {
        rig.receiver.handleRtp(packet, ++rig.now);
        rig.receiver.handleTimeout(rig.now);
        for (let next = rig.receiver.pollFeedback(rig.now); next !== undefined;) {
          feedback.push(next);
          next = rig.receiver.pollFeedback(rig.now);
        }
      }
      const milliseconds = performance.now() - began;
      feedback = feedback.filter(({ type }) => type === 'nack');
      const asked = Math.max(
        0,
        ...feedback.map((one) => (one.type === 'nack' ? one.sequenceNumbers.length : 0)),
      );
      return { milliseconds, asked };
    };
    const { nackWindow } = receiveSettings({});
    cost(1);
    for (const distance of [2, 100, 511, 512, 2999, 3001, 32_768, 65_535]) {
      const { milliseconds, asked } = cost(distance);
      console.info(`${distance} apart: ${((milliseconds * 1000) / 4000).toFixed(1)} µs a packet`);
      expect(asked).toBeLessThan(nackWindow);
      // A generous bound: what grows with the distance squared would take minutes.
      expect(milliseconds).toBeLessThan(5000);
    }
  });

  test('a packet that was recorded and sent again later is a duplicate', () => {
    const rig = new Rig([VIDEO]);
    for (let sequence = 1; sequence <= 100; sequence++) rig.take({ ssrc: 5, mid: '1', sequence });
    for (let sequence = 1; sequence <= 100; sequence++) expect(rig.take({ ssrc: 5, sequence })).toEqual([]);
    expect(rig.receiver.counters.get('duplicatePackets')).toBe(100);
  });

  test('a header that ends early, or lies of its padding, is counted', () => {
    const rig = new Rig([VIDEO]);
    const lie = rtp({ ssrc: 5, mid: '1', padding: 3 });
    lie[lie.length - 1] = 255;
    for (const bytes of [new Uint8Array(0), new Uint8Array(11), lie, rtp({ ssrc: 5 }).subarray(0, 10)]) {
      rig.receiver.handleRtp(bytes, rig.now);
    }
    expect(rig.receiver.counters.get('malformedPackets')).toBe(4);
  });
});
