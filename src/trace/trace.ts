/** Trace: a recorded connection as plain data, and what may be shown of it. */
import type { MediaOptions } from '../media/index.ts';
import type { RtcOptions, TraceEntry, TraceOptions } from '../rtc.ts';
import { hidePasswords, redactor } from '../rtc/tracer/redact.ts';

/**
 * The options of an `Rtc` that are plain data; certificate and randomness come from the seed, and media are made of what `rtpMedia()` is
 * told.
 */
export interface TraceConfiguration extends Omit<RtcOptions, 'certificate' | 'crypto' | 'random' | 'media'> {
  readonly media?: MediaOptions | undefined;
}

/** The first line: what the file is, and what a replay needs. */
export interface TraceHeader {
  readonly type: 'header';
  readonly format: 'sansrtc-trace';
  readonly version: 1;
  /**
   * Where all randomness, the certificate's key included, comes from: 64 hexadecimal digits, or a number. A trace with a
   * seed can be replayed, and must be kept as secret as the keys of the connection.
   */
  readonly seed?: number | string | undefined;
  readonly options?: TraceConfiguration | undefined;
}

/** A recorded connection as plain data: a `TraceRecorder`'s, or one that `parseTrace` has read. */
export interface Trace {
  readonly header: TraceHeader;
  readonly entries: readonly TraceEntry[];
}

/** What a file says of itself, in its first line. */
export const FORMAT = 'sansrtc-trace';
/** Of the format: it grows when what was written before cannot be read any more. */
export const VERSION = 1;

/** A header, of a trace that can be replayed if both are given. */
export function traceHeader(seed?: number | string, options?: TraceConfiguration): TraceHeader {
  return {
    type: 'header',
    format: FORMAT,
    version: VERSION,
    ...(seed === undefined ? {} : { seed }),
    ...(options === undefined ? {} : { options }),
  };
}

/** The line of the file that entry `index` stands on, from 1. */
export function lineOf(index: number): number {
  return index + 2;
}

/**
 * A copy of a trace, redacted as `setTrace` would have: without `secrets: true` the seed and all keys and passwords go, and
 * the copy cannot be replayed.
 */
export function redactTrace({ header, entries }: Trace, options: TraceOptions = {}): Trace {
  const redact = redactor(options);
  const shown = entries.flatMap((entry) => redact(entry) ?? []);
  if (options.secrets === true && options.hideAddresses !== true && options.hidePayload !== true) {
    return { header, entries: shown };
  }
  return { header: traceHeader(undefined, hidePasswords(header.options)), entries: shown };
}
