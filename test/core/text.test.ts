import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8, fromBase64, fromHex, isUtf8, toBase64, toHex } from '../../src/core/text.ts';

const platformEncoder = new TextEncoder();
const platformDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strictDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

function platformAccepts(bytes: Uint8Array): boolean {
  try {
    strictDecoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Bytes that come near to UTF-8: lead and continuation bytes at every border of RFC 3629 §4. */
const nearUtf8 = fc
  .array(
    fc.oneof(
      fc.constantFrom(0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf),
      fc.constantFrom(0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff),
    ),
    { maxLength: 24 },
  )
  .map((bytes) => Uint8Array.from(bytes));

/** Any sequence of UTF-16 code units, lone surrogates included. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7fe, max: 0xe002 })))
  .map((units) => String.fromCharCode(...units));

describe("UTF-8, with the platform's own as the witness", () => {
  test('encodes any text, lone surrogates included', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(encodeUtf8(text)).toEqual(platformEncoder.encode(text));
      }),
    );
  });

  test('decodes any bytes, malformed ones to the same replacement characters', () => {
    fc.assert(
      fc.property(fc.oneof(nearUtf8, fc.uint8Array()), (bytes) => {
        expect(decodeUtf8(bytes)).toBe(platformDecoder.decode(bytes));
      }),
    );
  });

  test('tells well-formed from malformed', () => {
    const wellFormed = fc.string({ unit: 'grapheme' }).map((text) => encodeUtf8(text));
    fc.assert(
      fc.property(fc.oneof(nearUtf8, wellFormed, fc.uint8Array()), (bytes) => {
        expect(isUtf8(bytes)).toBe(platformAccepts(bytes));
      }),
    );
  });

  test.each([
    ['an overlong form', [0xc0, 0x80]],
    ['an overlong form of three bytes', [0xe0, 0x9f, 0xbf]],
    ['an overlong form of four bytes', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a continuation byte alone', [0x80]],
    ['a sequence cut short', [0xe2, 0x82]],
  ])('%s is not UTF-8', (_name, bytes) => {
    expect(isUtf8(Uint8Array.from(bytes))).toBe(false);
    expect(decodeUtf8(Uint8Array.from(bytes))).toContain('\ufffd');
  });

  test('long text crosses the decoder’s internal pieces unharmed', () => {
    for (const text of ['a'.repeat(8191) + '😀b', '😀'.repeat(10_000), 'é'.repeat(70_000)]) {
      expect(decodeUtf8(encodeUtf8(text)) === text).toBe(true);
    }
  });

  test('a byte order mark is a character like any other', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });
});

describe('hexadecimal', () => {
  test('survives the trip, in either case', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
      }),
    );
  });

  test.each(['0', '0g', ' 00', '0x00', '00 '])('"%s" is none', (text) => {
    expect(fromHex(text)).toBeUndefined();
  });
});

test('base64 is that of RFC 4648 §4', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      expect(fromBase64(toBase64(bytes).replaceAll('=', ''))).toEqual(bytes);
    }),
  );
  for (const text of ['A', 'AA=A', 'AA===', '=', 'AA-_', 'A A=', 'AAAA\n', 'AAAAA']) {
    expect(fromBase64(text), JSON.stringify(text)).toBeUndefined();
  }
});
