/** ABORT and ERROR: a list of error causes (RFC 9260 §3.3.7, §3.3.10). */
import type { Bytes } from '../../core/bytes.ts';
import { readU16, readU32, Writer } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import { decodeUtf8, encodeUtf8 } from '../../core/text.ts';
import { CAUSE, CHUNK } from '../constants.ts';
import { decodeParameters, writeParameter } from './parameters.ts';

/** One cause, for people and programs: the code, and the text of those that carry one. */
export interface SctpCause {
  readonly code: number;
  readonly text?: string | undefined;
}

/** Longest text kept of a peer's ABORT, in bytes. */
const MAX_TEXT = 256;

/** Stands for causes that cannot be read: the chunk counts all the same, and had something to say. No RFC has a cause 0. */
const UNREADABLE: readonly SctpCause[] = [{ code: 0 }];

/** The causes of an ABORT or ERROR chunk's value. Malformed ones are one of code 0. */
export function decodeCauses(body: Uint8Array): readonly SctpCause[] {
  const parameters = decodeParameters(body);
  if (isFailure(parameters)) return UNREADABLE;
  return parameters.map(({ type, value }) =>
    type === CAUSE.userInitiatedAbort || type === CAUSE.protocolViolation
      ? { code: type, text: decodeUtf8(value.subarray(0, MAX_TEXT)) }
      : { code: type },
  );
}

/** A whole ABORT or ERROR chunk with one cause. */
export function encodeCause(
  type: typeof CHUNK.abort | typeof CHUNK.error,
  code: number,
  value: Uint8Array,
): Bytes {
  const length = 8 + value.length;
  const writer = new Writer(length + 3).u8(type).u8(0).u16(length);
  return writeParameter(writer, code, value).finish().slice(0, length);
}

/** An ABORT whose cause carries text; the text is cut so that the packet stays small. */
export function encodeAbort(cause: SctpCause): Bytes {
  return encodeCause(CHUNK.abort, cause.code, encodeUtf8(cause.text ?? '').slice(0, MAX_TEXT));
}

/** Measure of staleness of a "stale cookie" cause's value, in microseconds (RFC 9260 §3.3.10.3). */
export function encodeStaleness(microseconds: number): Bytes {
  return new Writer(4).u32(Math.min(microseconds, 0xffff_ffff) >>> 0).finish();
}

/** The types a "missing mandatory parameter" cause lists; `undefined` when its count does not fit. */
export function decodeMissingParameters(value: Uint8Array): readonly number[] | undefined {
  if (value.length < 4 || readU32(value, 0) * 2 > value.length - 4) return undefined;
  return Array.from({ length: readU32(value, 0) }, (_, i) => readU16(value, 4 + 2 * i));
}

/** The value of the cause "Missing Mandatory Parameter" (RFC 9260 §3.3.10.2). */
export function encodeMissingParameters(types: readonly number[]): Bytes {
  const writer = new Writer(4 + 2 * types.length).u32(types.length);
  for (const type of types) writer.u16(type);
  return writer.finish();
}
