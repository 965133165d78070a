/** Sizes of images that a section sends or receives: `imageattr` (RFC 6236 §3.1). */
import { badArgument } from '../core/errors.ts';
import { attributes, mediaMid } from './attributes.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import { attributeLine } from './description.ts';
import type { SdpWarning } from './error.ts';
import { ignoredLine } from './error.ts';
import type { SdpParameter } from './parameter.ts';
import { firstWord, isToken, parseDecimal } from './token.ts';

/**
 * One `a=imageattr`. A set is `[x=320,y=240,q=0.6]`: its parameters in order, known or not, ranges and lists as text (`[320:16:640]`).
 * `*` is any size; `undefined` says nothing of that direction.
 */
export interface SdpImageAttributes {
  /** 0–127; `*` for every format of the section. */
  readonly payloadType: number | '*';
  readonly send: SdpImageSets | undefined;
  readonly recv: SdpImageSets | undefined;
}

/** Sets of sizes, or any. */
export type SdpImageSets = '*' | readonly (readonly SdpParameter[])[];

/** Every `a=imageattr` of a section, in order. A line that does not read costs itself alone. */
export function mediaImageAttributes(
  media: MediaDescription,
  warnings: SdpWarning[] = [],
): SdpImageAttributes[] {
  const mid = mediaMid(media);
  const found: SdpImageAttributes[] = [];
  for (const { value, line } of attributes(media.lines, 'imageattr')) {
    const image = parseImageAttributes(value);
    if (image !== undefined) found.push(image);
    else warnings.push(ignoredLine('an "a=imageattr" of a format and sets to send or to receive', line, mid));
  }
  return found;
}

function parseImageAttributes(value: string): SdpImageAttributes | undefined {
  const [format, text] = firstWord(value);
  const payloadType = format === '*' ? format : parseDecimal(format, 127);
  if (payloadType === undefined) return undefined;
  const found = new Map<string, '*' | SdpParameter[][]>();
  let direction: string | undefined;
  for (const word of splitOutside(text, ' ')) {
    if (word === '') continue;
    if (word === 'send' || word === 'recv') {
      if (found.has(word) || !isSaid(found, direction)) return undefined;
      direction = word;
      found.set(word, []);
      continue;
    }
    const sets = direction === undefined ? undefined : found.get(direction);
    if (direction === undefined || sets === undefined || sets === '*') return undefined;
    if (word === '*') {
      if (sets.length > 0) return undefined;
      found.set(direction, word);
      continue;
    }
    const set = parseSet(word);
    if (set === undefined) return undefined;
    sets.push(set);
  }
  if (direction === undefined || !isSaid(found, direction)) return undefined;
  return { payloadType, send: found.get('send'), recv: found.get('recv') };
}

/** A direction has at least one set, or `*`. */
function isSaid(found: ReadonlyMap<string, '*' | SdpParameter[][]>, direction: string | undefined): boolean {
  return direction === undefined || found.get(direction)?.length !== 0;
}

function parseSet(text: string): SdpParameter[] | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined;
  const parameters: SdpParameter[] = [];
  for (const part of splitOutside(text.slice(1, -1), ',')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals));
    const value = part.slice(equals + 1);
    if (!isToken(name) || !isValue(value)) return undefined;
    parameters.push({ name, value });
  }
  return parameters;
}

/** A word, or one in brackets. */
function isValue(text: string): boolean {
  return /^(?:[^[\],\s]+|\[[^[\]\s]+\])$/.test(text);
}

/** Splits where no bracket is open. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '[') depth++;
    else if (character === ']') depth--;
    else if (character === separator && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** `a=imageattr:…`. Throws `ERR_BAD_ARGUMENT` for what would not be read back. */
export function imageAttributesLine(image: SdpImageAttributes): SdpLine {
  const { payloadType, send, recv } = image;
  const words = [`${payloadType}`];
  if (send !== undefined) words.push('send', setsText(send));
  if (recv !== undefined) words.push('recv', setsText(recv));
  const value = words.join(' ');
  if (parseImageAttributes(value) === undefined)
    throw badArgument('image', 'sets of parameters to send or to receive', value);
  return attributeLine('imageattr', value);
}

function setsText(sets: SdpImageSets): string {
  if (sets === '*') return sets;
  return sets.map((set) => `[${set.map(parameterText).join(',')}]`).join(' ');
}

function parameterText({ name, value = '' }: SdpParameter): string {
  if (!isToken(name) || !isValue(value))
    throw badArgument('image', 'tokens with a word or a range', `${name}=${value}`);
  return `${name}=${value}`;
}
