/**
 * Parameters and error causes share one shape: type(2), length(2, with header, without padding), value, padded to 4
 * (RFC 9260 §3.2.1).
 */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes, readU16, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';
import { padded } from '../constants.ts';

const BAD_PARAMETER = decodeFailure('malformed-parameter');

/** A parameter of a chunk (RFC 9260 §3.2.1). */
export interface Parameter {
  readonly type: number;
  /** A view of the input. */
  readonly value: Uint8Array;
}

/** All parameters of `bytes`, as views; a failure if one does not fit. A packet bounds their number. */
export function decodeParameters(bytes: Uint8Array): readonly Parameter[] | DecodeFailure {
  const parameters: Parameter[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 4) return BAD_PARAMETER;
    const length = readU16(bytes, at + 2);
    if (length < 4 || length > bytes.length - at) return BAD_PARAMETER;
    parameters.push({ type: readU16(bytes, at), value: bytes.subarray(at + 4, at + length) });
    at += padded(length);
  }
  return parameters;
}

/** A parameter with its header, padded. */
export function encodeParameter(type: number, value: Uint8Array): Bytes {
  return writeParameter(new Writer(padded(4 + value.length)), type, value).finish();
}

/** Appends one parameter, padded. */
export function writeParameter(writer: Writer, type: number, value: Uint8Array): Writer {
  return writer
    .u16(type)
    .u16(4 + value.length)
    .raw(value)
    .pad(4);
}

/** What the two high bits of an unknown type ask for (RFC 9260 §3.2, §3.2.1). */
export interface UnknownRule {
  /** Go on with what follows; otherwise drop the rest. */
  readonly skip: boolean;
  /** Tell the sender. */
  readonly report: boolean;
}

/** @param highBits the two highest bits of a chunk or parameter type. */
export function unknownRule(highBits: number): UnknownRule {
  return { skip: (highBits & 2) !== 0, report: (highBits & 1) !== 0 };
}

/** A copy of an encoded parameter, as it is reported back. */
export function wholeParameter(parameter: Parameter): Bytes {
  return copyBytes(encodeParameter(parameter.type, parameter.value), 0, 4 + parameter.value.length);
}
