/**
 * What makes two formats of a section the same one, for an offer, an answer and all of a session: the encoding name, the clock rate, the
 * channels, and what the codec's own rules add. It is a text, so that formats are found by it at once, however many a peer offers.
 */
import { H264_RULES } from './h264.ts';
import { H265_RULES } from './h265.ts';
import { AV1_RULES, VP9_RULES } from './profiles.ts';
import type { AgreedParameters, CodecRules } from './rules.ts';

/** A format, whoever speaks of it. */
export interface Format {
  /** The encoding name: `opus`, `VP8`. */
  readonly name: string;
  /** Hz. */
  readonly clockRate: number;
  readonly channels: number | undefined;
  readonly fmtp: string | undefined;
}

/** By their names, in lower case. */
const RULES: ReadonlyMap<string, CodecRules> = new Map([
  ['h264', H264_RULES],
  ['h265', H265_RULES],
  ['vp9', VP9_RULES],
  ['av1', AV1_RULES],
]);

/**
 * What accompanies a codec and is none to speak by: W3C's list of what codec preferences may not be alone, forward error correction, and
 * telephone events.
 */
const COMPANIONS: ReadonlySet<string> = new Set([
  'rtx',
  'red',
  'ulpfec',
  'flexfec',
  'flexfec-03',
  'cn',
  'telephone-event',
]);

/** The encoding name in lower case, clock rate and channels: `opus/48000/2`. No channels are one. */
export function encodingOf({ name, clockRate, channels }: Format): string {
  return `${name.toLowerCase()}/${String(clockRate)}/${String(channels ?? 1)}`;
}

/** Equal for two formats exactly where they can be agreed on as one. */
export function formatKey(format: Format): string {
  const rules = RULES.get(format.name.toLowerCase());
  const encoding = encodingOf(format);
  return rules === undefined ? encoding : `${encoding};${rules.identity(format.fmtp)}`;
}

/** Whether the ends may declare what each has, where no format of both is equal. */
export function isAsymmetric({ name }: Format): boolean {
  return RULES.get(name.toLowerCase())?.isAsymmetric === true;
}

/** The parameters that both ends come to. `name` is that of the codec of both. */
export function agreedParameters(
  name: string,
  ours: string | undefined,
  theirs: string | undefined,
): AgreedParameters {
  return RULES.get(name.toLowerCase())?.agree?.(ours, theirs) ?? { receive: ours, send: theirs };
}

/** Whether media can be sent in it: not a format that only accompanies others. */
export function isMediaFormat({ name }: Pick<Format, 'name'>): boolean {
  return !COMPANIONS.has(name.toLowerCase());
}

/** The encoding name of a MIME type: `VP8` of `video/VP8`. */
export function encodingName(mimeType: string): string {
  return mimeType.slice(mimeType.indexOf('/') + 1);
}

/** Whether a MIME type is one of audio. */
export function isAudio(mimeType: string): boolean {
  return mimeType.slice(0, 6).toLowerCase() === 'audio/';
}
