/**
 * DER (X.690), as much as certificates need: writing values inside out, and one cursor that reads them outside in.
 *
 * The reader takes definite, minimal lengths of up to 32 bits only (X.690 §10.1) and never throws: past an error every
 * answer is empty and `failed` is set, so that a parser reads straight through and asks once.
 */
import type { Bytes } from '../../core/bytes.ts';
import { concatBytes, NO_BYTES } from '../../core/bytes.ts';

/** Identifier octet (X.690 §8.1.2) of an INTEGER. */
export const DER_INTEGER = 0x02;
/** Identifier octet of a BIT STRING. */
export const DER_BIT_STRING = 0x03;
/** Identifier octet of an OCTET STRING. */
export const DER_OCTET_STRING = 0x04;
/** Identifier octet of an OBJECT IDENTIFIER. */
export const DER_OBJECT_IDENTIFIER = 0x06;
/** Identifier octet of a UTF8String. */
export const DER_UTF8_STRING = 0x0c;
/** Identifier octet of a UTCTime. */
export const DER_UTC_TIME = 0x17;
/** Identifier octet of a GeneralizedTime. */
export const DER_GENERALIZED_TIME = 0x18;
/** Identifier octet of a SEQUENCE, which is constructed. */
export const DER_SEQUENCE = 0x30;
/** Identifier octet of a SET, which is constructed. */
export const DER_SET = 0x31;

/** The identifier octet of a constructed, context-specific value `[number]`, `number` up to 30. */
export function derContext(number: number): number {
  return 0xa0 | number;
}

/** One value: identifier, length, contents. */
export function derValue(tag: number, ...contents: readonly Uint8Array[]): Bytes {
  const content = concatBytes(...contents);
  const length = content.length;
  const header: number[] = [tag];
  if (length < 0x80) header.push(length);
  else if (length < 0x100) header.push(0x81, length);
  else if (length < 0x1_0000) header.push(0x82, length >>> 8, length & 0xff);
  else header.push(0x83, length >>> 16, (length >>> 8) & 0xff, length & 0xff);
  return concatBytes(Uint8Array.from(header), content);
}

/** A non-negative INTEGER from its big-endian bytes. */
export function derInteger(magnitude: Uint8Array): Bytes {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const significant = magnitude.subarray(start);
  // The first bit is the sign (X.690 §8.3.3).
  const needsZero = significant.length === 0 || significant[0]! >= 0x80;
  return derValue(DER_INTEGER, needsZero ? Uint8Array.of(0) : NO_BYTES, significant);
}

/** A BIT STRING of whole bytes. */
export function derBitString(bytes: Uint8Array): Bytes {
  return derValue(DER_BIT_STRING, Uint8Array.of(0), bytes);
}

/** @param dotted such as `1.2.840.10045.2.1`. */
export function derObjectIdentifier(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const content: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(0x80 | (left & 0x7f));
    content.push(...groups);
  }
  return derValue(DER_OBJECT_IDENTIFIER, Uint8Array.from(content));
}

const MS_PER_DAY = 86_400_000;

/**
 * A time of milliseconds since 1970, to the second: UTCTime up to 2049, GeneralizedTime from 2050 on
 * (RFC 5280 §4.1.2.5).
 */
export function derTime(ms: number): Bytes {
  const days = Math.floor(ms / MS_PER_DAY);
  const second = Math.floor((ms - days * MS_PER_DAY) / 1000);
  const { year, month, day } = civilDate(days);
  const isUtcTime = year >= 1950 && year < 2050;
  const text =
    (isUtcTime ? digits(year % 100, 2) : digits(year, 4)) +
    digits(month, 2) +
    digits(day, 2) +
    digits(Math.floor(second / 3600), 2) +
    digits(Math.floor(second / 60) % 60, 2) +
    digits(second % 60, 2) +
    'Z';
  const ascii = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return derValue(isUtcTime ? DER_UTC_TIME : DER_GENERALIZED_TIME, ascii);
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/**
 * The Gregorian date of a number of days since 1970-01-01, without a `Date`. Years are counted from March, so that the
 * leap day comes last, in eras of 400 years, which all have 146097 days; 719468 is 1970-01-01 from 0000-03-01.
 */
function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // From March on, months have 31, 30, 31, 30, 31 days, again and again: 153 days in five.
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day };
}

/** A cursor over nested values. What it hands out are views of its input. */
export class DerReader {
  failed = false;
  readonly #bytes: Uint8Array;
  #offset = 0;
  #end: number;
  /** Where the values entered end, innermost last. */
  readonly #outerEnds: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** True once everything in the value entered last, or in the input, has been read. */
  atEnd(): boolean {
    return this.#offset === this.#end;
  }

  /** True if a value with this identifier octet comes next. */
  isNext(tag: number): boolean {
    return !this.failed && this.#offset < this.#end && this.#bytes[this.#offset] === tag;
  }

  /** Steps into the next value. */
  enter(tag: number): void {
    const length = this.#header(tag);
    this.#outerEnds.push(this.#end);
    this.#end = this.#offset + length;
  }

  /** Steps out of the value entered last; what was not read in it is passed over. */
  leave(): void {
    if (this.failed) return;
    this.#offset = this.#end;
    this.#end = this.#outerEnds.pop() ?? this.#end;
  }

  /** The contents of the next value. */
  content(tag: number): Uint8Array {
    const length = this.#header(tag);
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, start + length);
  }

  skip(tag: number): void {
    const length = this.#header(tag);
    this.#offset += length;
  }

  /** The next value as a dotted text; empty if it is no object identifier. */
  objectIdentifier(): string {
    const content = this.content(DER_OBJECT_IDENTIFIER);
    const arcs: number[] = [];
    let arc = 0;
    for (const byte of content) {
      arc = arc * 128 + (byte & 0x7f);
      if (byte >= 0x80) continue;
      if (arcs.length === 0) {
        const first = Math.min(2, Math.floor(arc / 40));
        arcs.push(first, arc - 40 * first);
      } else {
        arcs.push(arc);
      }
      arc = 0;
    }
    return arcs.join('.');
  }

  /** Reads identifier and length; the length of the contents, which fit the value entered last. */
  #header(tag: number): number {
    if (!this.isNext(tag)) return this.#fail();
    const bytes = this.#bytes;
    let at = this.#offset + 1;
    if (at >= this.#end) return this.#fail();
    let length = bytes[at++]!;
    if (length >= 0x80) {
      const count = length & 0x7f;
      // 0x80 is the indefinite form, which DER does not have.
      if (count === 0 || count > 4 || count > this.#end - at) return this.#fail();
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + bytes[at++]!;
      const isMinimal = length >= (count === 1 ? 0x80 : 256 ** (count - 1));
      if (!isMinimal) return this.#fail();
    }
    if (length > this.#end - at) return this.#fail();
    this.#offset = at;
    return length;
  }

  #fail(): 0 {
    this.failed = true;
    this.#offset = this.#end;
    return 0;
  }
}
