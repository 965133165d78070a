import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PayloadTypes } from '../../../src/negotiation/codec/index.ts';
import {
  answeredCodecs,
  fromSdpCodecs,
  matchAnswer,
  NO_PAYLOAD_TYPES,
  notePayloadTypes,
  offeredCodecs,
  toSdpCodecs,
} from '../../../src/negotiation/codec/index.ts';
import { formatKey } from '../../../src/negotiation/codec/format.ts';
import { H264_RULES } from '../../../src/negotiation/codec/h264.ts';
import { H265_RULES } from '../../../src/negotiation/codec/h265.ts';
import type { CodecCapability, MediaCodec } from '../../../src/negotiation/media.ts';
import type { SdpCodec } from '../../../src/sdp/index.ts';
import { isSdpError } from '../../../src/sdp/index.ts';
import { howMany } from '../../how-many.ts';

const NUM_RUNS = howMany(300, 3000);

const name = fc.constantFrom(
  'VP8',
  'vp8',
  'VP9',
  'H264',
  'h264',
  'H265',
  'AV1',
  'red',
  'ulpfec',
  '__proto__',
);
const parameter = fc.oneof(
  fc.constantFrom(
    'profile-id=0',
    'profile-id=2',
    'profile=1',
    'packetization-mode=1',
    'profile-level-id=42e01f',
    'profile-level-id=42c034',
    'profile-level-id=42001f',
    'profile-level-id=42f00b',
    'profile-level-id=64000b',
    'profile-level-id=zz',
    'level-asymmetry-allowed=1',
    'level-id=93',
    'level-id=180',
    'tier-flag=1',
    '__proto__=1',
    'constructor',
  ),
  fc.string({ unit: fc.constantFrom('a', '=', ';', ' ', '1'), maxLength: 6 }),
);
const fmtp = fc.option(
  fc.array(parameter, { maxLength: 3 }).map((parts) => parts.join(';')),
  { nil: undefined },
);
const feedback = fc.uniqueArray(fc.constantFrom('nack', 'nack pli', 'ccm fir', 'transport-cc'));

const capability = fc.record({
  mimeType: name.map((text) => `video/${text}`),
  clockRate: fc.constantFrom(90_000, 8000),
  sdpFmtpLine: fmtp,
  rtcpFeedback: feedback,
  rtx: fc.boolean(),
});
const capabilities = fc.array(capability, { maxLength: 40 });

const sdpCodec = fc.record({
  name: fc.oneof(name, fc.constant('rtx')),
  clockRate: fc.constantFrom(90_000, 8000),
  channels: fc.constantFrom(undefined, 1, 2),
  fmtp: fc.oneof(
    fmtp,
    fc.integer({ min: 0, max: 130 }).map((number) => `apt=${number}`),
  ),
  feedback,
});
/** Formats of a section of a peer that says what it likes. */
const hostile = fc
  .tuple(fc.array(sdpCodec, { maxLength: 60 }), fc.shuffledSubarray(Array.from({ length: 128 }, (_, i) => i)))
  .map(([codecs, numbers]) =>
    codecs.flatMap((codec, index): SdpCodec[] => {
      const payloadType = numbers[index];
      return payloadType === undefined ? [] : [{ payloadType, ...codec }];
    }),
  );

function numbersOf(codecs: readonly MediaCodec[]): number[] {
  return toSdpCodecs(codecs).map(({ payloadType }) => payloadType);
}

function noted(known: PayloadTypes, ...sections: (readonly SdpCodec[])[]): PayloadTypes {
  const result = notePayloadTypes(known, sections);
  if (isSdpError(result)) throw new Error(result.message);
  return result;
}

describe('codecs of two ends', () => {
  test('what one end answers the other takes, format by format and with equal parameters', () => {
    fc.assert(
      fc.property(capabilities, capabilities, fc.boolean(), (ours, theirs, orderIsOurs) => {
        const { codecs: offered } = offeredCodecs(ours, NO_PAYLOAD_TYPES);
        const there = answeredCodecs(theirs, toSdpCodecs(offered), orderIsOurs);
        if (there.receive.length === 0) return;
        const here = matchAnswer(offered, toSdpCodecs(there.receive));
        if (isSdpError(here)) throw new Error(here.message);
        const plain = (codecs: readonly MediaCodec[]): unknown[] =>
          [...codecs]
            .sort((a, b) => a.payloadType - b.payloadType)
            .map(({ mimeType, rtcpFeedback, ...rest }) => ({
              ...rest,
              mimeType: mimeType.toLowerCase(),
              rtcpFeedback: [...rtcpFeedback].sort(),
            }));
        expect(plain(here.send)).toEqual(plain(there.receive));
        expect(numbersOf(here.receive).sort()).toEqual(numbersOf(there.send).sort());
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('matching is symmetric: whoever offers, as much is common', () => {
    fc.assert(
      fc.property(capabilities, capabilities, (ours, theirs) => {
        const count = (offering: CodecCapability[], answering: CodecCapability[]): number =>
          answeredCodecs(answering, toSdpCodecs(offeredCodecs(offering, NO_PAYLOAD_TYPES).codecs), true)
            .receive.length;
        // Where numbers do not run out.
        const [a, b] = [ours.slice(0, 30), theirs.slice(0, 30)];
        expect(count(a, b)).toBe(count(b, a));
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('levels are agreed on the same way from both sides, and the codec stays what it was', () => {
    fc.assert(
      fc.property(fmtp, fmtp, (ours, theirs) => {
        for (const [codec, rules] of [
          ['H264', H264_RULES],
          ['H265', H265_RULES],
        ] as const) {
          const here = rules.agree?.(ours, theirs);
          const there = rules.agree?.(theirs, ours);
          expect(here?.receive).toBe(there?.send);
          expect(here?.send).toBe(there?.receive);
          const key = (text: string | undefined): string =>
            formatKey({ name: codec, clockRate: 90_000, channels: undefined, fmtp: text });
          if (key(ours) === key(theirs)) {
            expect(key(here?.receive)).toBe(key(ours));
            expect(key(here?.send)).toBe(key(ours));
            expect(rules.agree?.(here?.receive, here?.send)).toEqual(here);
          }
        }
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('numbers never collide, are never invalid, and mean one thing as long as the session lasts', () => {
    fc.assert(
      fc.property(fc.array(capabilities, { maxLength: 5 }), (sections) => {
        let known = NO_PAYLOAD_TYPES;
        for (const section of sections) {
          const offered = offeredCodecs(section, known);
          const numbers = numbersOf(offered.codecs);
          expect(new Set(numbers).size).toBe(numbers.length);
          for (const number of numbers) {
            expect((number >= 96 && number <= 127) || (number >= 35 && number <= 63)).toBe(true);
          }
          expect(offered.known.slice(0, known.length)).toEqual(known);
          known = offered.known;
          // What an offer says is what its numbers are known to mean: noting it adds nothing.
          expect(noted(known, toSdpCodecs(offered.codecs))).toHaveLength(known.length);
          expect(offeredCodecs(section, known).codecs).toEqual(offered.codecs);
        }
      }),
      { numRuns: NUM_RUNS },
    );
  });
});

describe('a peer that says what it likes', () => {
  test('is answered with numbers of its offer, each once, its rtx sane, and the same every time', () => {
    fc.assert(
      fc.property(capabilities, hostile, fc.boolean(), (ours, offer, orderIsOurs) => {
        const answer = answeredCodecs(ours, offer, orderIsOurs);
        expect(answeredCodecs(ours, offer, orderIsOurs)).toEqual(answer);
        const formats = new Map(offer.map((codec) => [codec.payloadType, codec]));
        for (const list of [answer.receive, answer.send]) {
          const numbers = numbersOf(list);
          expect(new Set(numbers).size).toBe(numbers.length);
          for (const { payloadType, mimeType, clockRate, rtxPayloadType } of list) {
            const format = formats.get(payloadType);
            expect(`video/${format?.name}`.toLowerCase()).toBe(mimeType.toLowerCase());
            expect(format?.clockRate).toBe(clockRate);
            if (rtxPayloadType === undefined) continue;
            expect(formats.get(rtxPayloadType)).toMatchObject({
              name: 'rtx',
              fmtp: `apt=${payloadType}`,
            });
          }
        }
        expect(numbersOf(answer.receive).sort()).toEqual(numbersOf(answer.send).sort());
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('answers with anything: it is an error, or what flows is of our offer', () => {
    fc.assert(
      fc.property(capabilities, hostile, (ours, answer) => {
        const { codecs: offered } = offeredCodecs(ours, NO_PAYLOAD_TYPES);
        const matched = matchAnswer(offered, answer);
        if (isSdpError(matched)) return;
        const own = new Set(numbersOf(offered));
        for (const number of numbersOf(matched.receive)) expect(own.has(number)).toBe(true);
        expect(matched.receive).toHaveLength(matched.send.length);
        const sent = numbersOf(matched.send);
        expect(new Set(sent).size).toBe(sent.length);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('is shown as it is, and its numbers are noted or a conflict', () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        const shown = fromSdpCodecs(one, 'video');
        expect(shown).toHaveLength(one.filter((codec) => codec.name !== 'rtx').length);
        const known = notePayloadTypes(NO_PAYLOAD_TYPES, [one, other]);
        if (isSdpError(known)) expect(known.code).toBe('payload-type-conflict');
        else expect(new Set(known.map(({ payloadType }) => payloadType)).size).toBe(known.length);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('costs what it says, and not that times what we can do', () => {
    const ours: CodecCapability[] = Array.from({ length: 60 }, (_, index) => ({
      mimeType: 'video/H264',
      clockRate: 90_000,
      sdpFmtpLine: `profile-level-id=42e01f;packetization-mode=${index}`,
      rtx: true,
    }));
    // How often parameters are read is what grows with formats: counted, since a clock would count the machine as well.
    let reads = 0;
    const counted = (length: number): SdpCodec[] =>
      Array.from({ length }, (_, payloadType) => ({
        payloadType,
        name: 'H264',
        clockRate: 90_000,
        channels: undefined,
        get fmtp() {
          reads++;
          return `packetization-mode=${payloadType}`;
        },
        feedback: [],
      }));
    const readsOf = (length: number): number => {
      reads = 0;
      answeredCodecs(ours, counted(length), false);
      return reads;
    };
    expect(readsOf(120)).toBeLessThanOrEqual(2 * readsOf(60) + 10);
    expect(readsOf(120)).toBeLessThanOrEqual(10 * 120);
  });
});
