/**
 * How much of its media a section wants at once: `b=` (RFC 8866 §5.8; `TIAS` of RFC 3890), and `ptime` and `maxptime` (RFC 8866 §6.4, §6.5)
 * for how long a packet of audio is.
 */
import { badArgument } from '../core/errors.ts';
import type { SdpAttribute } from './attributes.ts';
import { attributes, mediaMid } from './attributes.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import { attributeLine, sdpLine } from './description.ts';
import type { SdpWarning } from './error.ts';
import { ignoredLine } from './error.ts';
import { isToken, parseDecimal, withoutSpaceBehind } from './token.ts';

/** One `b=` line. */
export interface SdpBandwidth {
  /** `AS` and `CT` in kbit/s, `TIAS` in bit/s, and others. */
  readonly type: string;
  readonly value: number;
}

/** Every `b=` of a section, in order. A line that does not read costs itself alone: `-1` says nothing either. */
export function mediaBandwidths(media: MediaDescription, warnings: SdpWarning[] = []): SdpBandwidth[] {
  const mid = mediaMid(media);
  const bandwidths: SdpBandwidth[] = [];
  for (const { type, text, number } of media.lines) {
    if (type !== 'b') continue;
    const bandwidth = parseBandwidth(withoutSpaceBehind(text));
    if (bandwidth !== undefined) bandwidths.push(bandwidth);
    else warnings.push(ignoredLine('a "b=" of a type and a number', number, mid));
  }
  return bandwidths;
}

function parseBandwidth(text: string): SdpBandwidth | undefined {
  const colon = text.indexOf(':');
  const type = text.slice(0, Math.max(0, colon));
  const value = parseDecimal(text.slice(colon + 1), Number.MAX_SAFE_INTEGER);
  return isToken(type) && value !== undefined ? { type, value } : undefined;
}

/** `b=<type>:<value>`. Throws `ERR_BAD_ARGUMENT` for what would not be read back. */
export function bandwidthLine({ type, value }: SdpBandwidth): SdpLine {
  const text = `${type}:${value}`;
  if (parseBandwidth(text)?.type !== type) throw badArgument('bandwidth', 'a token and a whole number', text);
  return sdpLine('b', text);
}

/** `a=ptime`, milliseconds: how much audio a packet should hold. The first that reads; `undefined` if there is none. */
export function mediaPacketTime(media: MediaDescription, warnings: SdpWarning[] = []): number | undefined {
  return milliseconds(attributes(media.lines, 'ptime'), media, warnings);
}

/** `a=maxptime`, milliseconds: how much audio a packet may hold. The first that reads; `undefined` if there is none. */
export function mediaMaxPacketTime(media: MediaDescription, warnings: SdpWarning[] = []): number | undefined {
  return milliseconds(attributes(media.lines, 'maxptime'), media, warnings);
}

function milliseconds(
  found: readonly SdpAttribute[],
  media: MediaDescription,
  warnings: SdpWarning[],
): number | undefined {
  const mid = mediaMid(media);
  for (const { value, line } of found) {
    if (isMilliseconds(value)) return Number(value);
    warnings.push(ignoredLine('a number of milliseconds', line, mid));
  }
  return undefined;
}

/** RFC 8866 §9: `non-zero-int-or-real`, of a length that any number of milliseconds has. */
function isMilliseconds(text: string): boolean {
  return /^\d{1,10}(?:\.\d{1,6})?$/.test(text) && Number(text) > 0;
}

/** `a=ptime`. Throws `ERR_BAD_ARGUMENT` for what is no number of milliseconds. */
export function packetTimeLine(time: number): SdpLine {
  return timeLine('ptime', time);
}

/** `a=maxptime`. Throws `ERR_BAD_ARGUMENT` for what is no number of milliseconds. */
export function maxPacketTimeLine(time: number): SdpLine {
  return timeLine('maxptime', time);
}

function timeLine(name: string, time: number): SdpLine {
  if (!isMilliseconds(`${time}`)) throw badArgument(name, 'a number of milliseconds', time);
  return attributeLine(name, `${time}`);
}
