/** Simulcast of a media section: `rid` (RFC 8851) and `simulcast` (RFC 8853). */
import { badArgument } from '../core/errors.ts';
import { attributes, mediaMid, singleAttribute } from './attributes.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import { attributeLine } from './description.ts';
import type { SdpError, SdpWarning } from './error.ts';
import { ignoredLine, isSdpError, sdpError } from './error.ts';
import type { SdpParameter } from './parameter.ts';
import { parseFormatParameters, writeFormatParameters } from './parameter.ts';
import { firstWord, parseDecimal } from './token.ts';

/** One `a=rid`. */
export interface SdpRid {
  /** 1–255 of A–Z a–z 0–9 - _. */
  readonly id: string;
  readonly direction: 'send' | 'recv';
  /** `pt=`: the formats that it may have; `undefined` for any. */
  readonly payloadTypes: readonly number[] | undefined;
  /** `max-width=1280` and the like, in order, known or not. */
  readonly restrictions: readonly SdpParameter[];
}

/** One name in `a=simulcast`. */
export interface SdpSimulcastRid {
  readonly rid: string;
  /** Marked by `~`: it does not flow at first. */
  readonly paused: boolean;
}

/** `a=simulcast`: streams in order, each with its alternatives in order of preference. */
export interface SdpSimulcast {
  readonly send: readonly (readonly SdpSimulcastRid[])[];
  readonly recv: readonly (readonly SdpSimulcastRid[])[];
}

/** The name of the restriction that lists formats (RFC 8851 §4). */
const PAYLOAD_TYPES = 'pt';

/** True for what may stand in `a=rid` and `a=simulcast`: 1–255 of A–Z a–z 0–9 - _. Header extensions hold 16 at most. */
export function isRid(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z0-9\-_]+$/.test(text);
}

/**
 * The rids of a section, in order, the first of each id. A line that does not read, or has an id again, costs itself alone (RFC 8851 §6).
 * Formats are not looked up: `payloadTypes` may name some that the section does not have.
 */
export function mediaRids(media: MediaDescription, warnings: SdpWarning[] = []): SdpRid[] {
  const mid = mediaMid(media);
  const rids = new Map<string, SdpRid>();
  for (const { value, line } of attributes(media.lines, 'rid')) {
    const rid = parseRid(value);
    if (rid !== undefined && !rids.has(rid.id)) rids.set(rid.id, rid);
    else
      warnings.push(
        ignoredLine('an "a=rid" of an id of its own, "send" or "recv", and restrictions', line, mid),
      );
  }
  return [...rids.values()];
}

function parseRid(value: string): SdpRid | undefined {
  const [id, rest] = firstWord(value);
  const [direction, text] = firstWord(rest);
  if (!isRid(id) || (direction !== 'send' && direction !== 'recv')) return undefined;
  let payloadTypes: number[] | undefined;
  const restrictions: SdpParameter[] = [];
  for (const parameter of parseFormatParameters(text)) {
    if (parameter.name !== PAYLOAD_TYPES) {
      restrictions.push(parameter);
      continue;
    }
    const listed = parsePayloadTypes(parameter.value ?? '');
    if (listed === undefined || payloadTypes !== undefined) return undefined;
    payloadTypes = listed;
  }
  return { id, direction, payloadTypes, restrictions };
}

function parsePayloadTypes(text: string): number[] | undefined {
  const payloadTypes = text.split(',').map((word) => parseDecimal(word, 127));
  return payloadTypes.every((payloadType) => payloadType !== undefined) ? payloadTypes : undefined;
}

/** `a=rid:…`. Throws `ERR_BAD_ARGUMENT` for a rid that would not be read back. */
export function ridLine({ id, direction, payloadTypes, restrictions }: SdpRid): SdpLine {
  if (!isRid(id)) throw badArgument('id', '1–255 of A–Z a–z 0–9 - _', id);
  const listed = payloadTypes?.join(',');
  if (listed !== undefined && parsePayloadTypes(listed) === undefined)
    throw badArgument('payloadTypes', 'numbers of 0–127', listed);
  if (restrictions.some(({ name }) => name === PAYLOAD_TYPES))
    throw badArgument('restrictions', 'no "pt": payloadTypes has the formats', PAYLOAD_TYPES);
  const own = listed === undefined ? [] : [{ name: PAYLOAD_TYPES, value: listed }];
  const parameters = writeFormatParameters([...own, ...restrictions]);
  return attributeLine('rid', parameters === '' ? `${id} ${direction}` : `${id} ${direction} ${parameters}`);
}

/**
 * The `a=simulcast` of a section; `undefined` if there is none. `simulcast-invalid` if it is malformed, `duplicate-attribute` if there are
 * several that differ. Rids are not looked up: those without an `a=rid` are for whoever answers to leave out (RFC 8853 §5.2).
 */
export function mediaSimulcast(media: MediaDescription): SdpSimulcast | SdpError | undefined {
  const attribute = singleAttribute(media.lines, 'simulcast');
  if (attribute === undefined) return undefined;
  if (isSdpError(attribute)) return { ...attribute, mid: mediaMid(media) };
  const simulcast = parseSimulcast(attribute.value);
  if (simulcast !== undefined) return simulcast;
  const grammar = '"a=simulcast" needs "send" or "recv" or both, each once and with rids';
  return sdpError('simulcast-invalid', grammar, { line: attribute.line, mid: mediaMid(media) });
}

/** Drafts before RFC 8853, and Firefox for years, had a blank first and `rid=` before the list. */
function parseSimulcast(value: string): SdpSimulcast | undefined {
  const words = value.split(' ').filter((word) => word !== '');
  if (words.length !== 2 && words.length !== 4) return undefined;
  let simulcast: SdpSimulcast = { send: [], recv: [] };
  for (let i = 0; i < words.length; i += 2) {
    const direction = words[i]!;
    const list = words[i + 1]!;
    if ((direction !== 'send' && direction !== 'recv') || simulcast[direction].length > 0) return undefined;
    const streams = parseStreams(list.startsWith('rid=') ? list.slice('rid='.length) : list);
    if (streams === undefined) return undefined;
    simulcast = { ...simulcast, [direction]: streams };
  }
  return simulcast;
}

function parseStreams(list: string): SdpSimulcastRid[][] | undefined {
  const streams = list.split(';').map((stream) => stream.split(',').map(parseAlternative));
  return streams.flat().every(({ rid }) => isRid(rid)) ? streams : undefined;
}

function parseAlternative(text: string): SdpSimulcastRid {
  return text.startsWith('~') ? { rid: text.slice(1), paused: true } : { rid: text, paused: false };
}

/** `a=simulcast:…`. Throws `ERR_BAD_ARGUMENT` for one that would not be read back: nothing either way, or a rid that is none. */
export function simulcastLine(simulcast: SdpSimulcast): SdpLine {
  const words = (['send', 'recv'] as const).flatMap((direction) => {
    const streams = simulcast[direction];
    if (streams.length === 0) return [];
    return [direction, streams.map((stream) => stream.map(alternativeText).join(',')).join(';')];
  });
  const value = words.join(' ');
  if (parseSimulcast(value) === undefined)
    throw badArgument('simulcast', 'rids to send or to receive', value);
  return attributeLine('simulcast', value);
}

function alternativeText({ rid, paused }: SdpSimulcastRid): string {
  return paused ? `~${rid}` : rid;
}
