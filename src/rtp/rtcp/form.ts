/**
 * PacketForm: how one type of RTCP packet is read, measured and written; each has a file of its own. All begin alike (RFC 3550 §6.4.1):
 *
 *     V=2 P count or format (5) │ packet type │ length in words, less one │ SSRC of who says it │ …
 */
import type { Bytes, Reader } from '../../core/bytes.ts';
import { writeU16 } from '../../core/bytes.ts';
import type { OptionRule, OptionRules } from '../../core/options.ts';
import { bytes, integer, required } from '../../core/options.ts';
import { badArgument } from '../../core/errors.ts';
import { RTCP_HEADER_LENGTH } from './packet-types.ts';

/** Reading and writing packets of the type `P`. */
export interface PacketForm<P> {
  /** Judges what is to be written, before a byte of it is. */
  readonly rules: OptionRules<P>;
  /**
   * Reads the body; what is left of it in the end is of no interest, as extensions of a profile are.
   * @param count the five bits of the header that are a count, a format or a subtype
   * @param room how many entries a packet may list that cost more to hold than to say
   * @returns `undefined`: it is malformed
   */
  read(body: Reader, count: number, room: number): P | undefined;
  /** Bytes with the header: whole words. */
  length(packet: P): number;
  /** Writes header and body at `at` of `into`, which has room for `length` bytes. */
  write(packet: P, into: Bytes, at: number, length: number): void;
}

/** Writes a header without padding. @returns where the body begins */
export function writeHeader(
  into: Bytes,
  at: number,
  packetType: number,
  count: number,
  length: number,
): number {
  into[at] = 0x80 | count;
  into[at + 1] = packetType;
  writeU16(into, at + 2, length / 4 - 1);
  return at + RTCP_HEADER_LENGTH;
}

/** Rules of numbers that have so many bits. */
export const U8: OptionRule = required(integer(0, 0xff));
/** See `U8`. */
export const U16: OptionRule = required(integer(0, 0xffff));
/** See `U8`. */
export const U32: OptionRule = required(integer(0, 0xffff_ffff));

/** The rule of `type`: the form has been found by it. */
export const ANY_TYPE: OptionRule = () => undefined;

/** Bytes of whole words. */
export const WORDS: OptionRule = required((value, name) => {
  bytes(value, name);
  const { length } = value as Uint8Array;
  if (length % 4 !== 0) throw badArgument(name, 'a multiple of 4 bytes', length);
});

/** A rule of arrays of `min` to `max` elements that `rule` takes; it names an element only when that is refused. */
export function elements(rule: OptionRule, min: number, max: number): OptionRule {
  return required((value, name) => {
    if (!Array.isArray(value)) throw badArgument(name, 'an array', value);
    if (value.length < min || value.length > max)
      throw badArgument(name, `${min} to ${max} of them`, value.length);
    for (const element of value as readonly unknown[]) rule(element, `one of "${name}"`);
  });
}
