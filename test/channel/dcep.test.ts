import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DcepOpen } from '../../src/channel/index.ts';
import { DCEP_MAX_TEXT, decodeDcep, encodeAck, encodeOpen } from '../../src/channel/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import { encodeUtf8, fromHex, toHex } from '../../src/core/text.ts';

const LIMITS = { maxLabelLength: DCEP_MAX_TEXT, maxProtocolLength: DCEP_MAX_TEXT };

function decode(hex: string): ReturnType<typeof decodeDcep> {
  return decodeDcep(fromHex(hex) ?? expect.unreachable(), LIMITS);
}

function reasonOf(hex: string): string {
  const result = decode(hex);
  return isFailure(result) ? result.reason : 'decoded';
}

/** OPENs as Chromium 156 sent them (a recorded session with Firefox). */
const CHROMIUM_RELIABLE = '0300010000000000000400076368617470726f746f2d31';
const CHROMIUM_UNORDERED = '03810100000000000004000066617374';

describe('DCEP (RFC 8832 §5)', () => {
  test("reads Chromium's OPEN of a reliable channel with a protocol", () => {
    expect(decode(CHROMIUM_RELIABLE)).toEqual({
      type: 'open',
      label: 'chat',
      protocol: 'proto-1',
      priority: 256,
      ordered: true,
      maxRetransmits: undefined,
      maxPacketLifeTime: undefined,
    });
  });

  test("reads Chromium's OPEN of an unordered channel without retransmissions", () => {
    expect(decode(CHROMIUM_UNORDERED)).toEqual({
      type: 'open',
      label: 'fast',
      protocol: '',
      priority: 256,
      ordered: false,
      maxRetransmits: 0,
      maxPacketLifeTime: undefined,
    });
  });

  test('writes the same bytes as Chromium', () => {
    const reliable = { label: 'chat', protocol: 'proto-1', priority: 256, ordered: true };
    const unordered = { label: 'fast', protocol: '', priority: 256, ordered: false, maxRetransmits: 0 };
    expect(toHex(encodeOpen(reliable))).toBe(CHROMIUM_RELIABLE);
    expect(toHex(encodeOpen(unordered))).toBe(CHROMIUM_UNORDERED);
    expect(toHex(encodeAck())).toBe('02');
  });

  test.each([
    ['reliable', 0x00, true, {}],
    ['reliable unordered', 0x80, false, {}],
    ['partial, retransmissions', 0x01, true, { maxRetransmits: 7 }],
    ['partial, retransmissions, unordered', 0x81, false, { maxRetransmits: 7 }],
    ['partial, lifetime', 0x02, true, { maxPacketLifeTime: 7 }],
    ['partial, lifetime, unordered', 0x82, false, { maxPacketLifeTime: 7 }],
  ])('a channel that is %s has its own type', (_name, channelType, ordered, reliability) => {
    const bytes = encodeOpen({ label: '', protocol: '', priority: 128, ordered, ...reliability });
    expect(bytes[1]).toBe(channelType);
    expect(decodeDcep(bytes, LIMITS)).toMatchObject({ ordered, ...reliability });
  });

  test('the reliability parameter of a reliable channel is ignored', () => {
    const open = decode('030000000000000900000000');
    expect(open).toMatchObject({ maxRetransmits: undefined, maxPacketLifeTime: undefined });
  });

  test.each([
    ['nothing', '', 'dcep-empty'],
    ['an unknown message type', '00', 'dcep-unknown-type'],
    ['a header cut short', '0300010000000000000400', 'dcep-bad-length'],
    ['a label longer than the message', '030001000000000000050000' + '63686174', 'dcep-bad-length'],
    ['bytes behind the protocol', CHROMIUM_UNORDERED + '00', 'dcep-bad-length'],
    ['a reserved channel type', '037f01000000000000000000', 'dcep-unknown-channel-type'],
    ['an unassigned channel type', '030301000000000000000000', 'dcep-unknown-channel-type'],
    ['a label that is not UTF-8', '030001000000000000010000ff', 'dcep-bad-utf8'],
    ['a protocol that is not UTF-8', '030001000000000000000001c0', 'dcep-bad-utf8'],
  ])('%s is no DCEP message', (_name, hex, reason) => {
    expect(reasonOf(hex)).toBe(reason);
  });

  test('text over the limits is refused by its length in bytes', () => {
    const open = encodeOpen({ label: 'é', protocol: 'ab', priority: 256, ordered: true });
    expect(decodeDcep(open, { maxLabelLength: 2, maxProtocolLength: 2 })).toMatchObject({ label: 'é' });
    const tooLong = { failed: true, reason: 'dcep-text-too-long' };
    expect(decodeDcep(open, { maxLabelLength: 1, maxProtocolLength: 2 })).toEqual(tooLong);
    expect(decodeDcep(open, { maxLabelLength: 2, maxProtocolLength: 1 })).toEqual(tooLong);
  });

  test('label and protocol of 65535 bytes survive the trip', () => {
    const label = 'l'.repeat(DCEP_MAX_TEXT);
    const protocol = 'p'.repeat(DCEP_MAX_TEXT);
    const open = decodeDcep(encodeOpen({ label, protocol, priority: 0, ordered: true }), LIMITS);
    expect(open).toMatchObject({ label, protocol });
  });

  const u16 = fc.integer({ min: 0, max: 0xffff });
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const opens: fc.Arbitrary<DcepOpen> = fc
    .record({
      label: fc.string({ unit: 'grapheme' }),
      protocol: fc.string({ unit: 'grapheme' }),
      priority: u16,
      ordered: fc.boolean(),
      reliability: fc.oneof(
        fc.constant({ maxRetransmits: undefined, maxPacketLifeTime: undefined }),
        u32.map((maxRetransmits) => ({ maxRetransmits, maxPacketLifeTime: undefined })),
        u32.map((maxPacketLifeTime) => ({ maxRetransmits: undefined, maxPacketLifeTime })),
      ),
    })
    .map(({ reliability, ...open }) => ({ type: 'open', ...open, ...reliability }));

  test('every OPEN survives the trip', () => {
    fc.assert(
      fc.property(opens, (open) => {
        expect(decodeDcep(encodeOpen(open), LIMITS)).toEqual(open);
      }),
    );
  });

  test('random and mutated bytes decode or fail; what decodes as OPEN encodes to an equal OPEN', () => {
    const mutated = fc
      .tuple(opens, fc.array(fc.tuple(fc.nat(64), fc.nat(255)), { maxLength: 4 }), fc.nat(80))
      .map(([open, changes, length]) => {
        const bytes = encodeOpen(open);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes.slice(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (bytes) => {
        const result = decodeDcep(bytes, LIMITS);
        if (isFailure(result) || result.type === 'ack') return;
        expect(decodeDcep(encodeOpen(result), LIMITS)).toEqual(result);
        expect(encodeUtf8(result.label).length + encodeUtf8(result.protocol).length).toBe(bytes.length - 12);
      }),
    );
  });
});
