/**
 * Attributes: `a=` lines, looked up by name. A name matches as a whole: `mid` finds `a=mid:0`, never `a=midi:0`. White space at the end of a
 * line is no part of its value, as in both big browsers: `a=ice-lite ` is a flag, `a=setup:active ` is active.
 */
import type { MediaDescription, SdpLine, SessionDescription } from './description.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import { withoutSpaceBehind } from './token.ts';

/** One `a=` line. */
export interface SdpAttribute {
  /** Everything after the colon but white space at the end; empty for a flag. */
  readonly value: string;
  /** 1-based line. */
  readonly line: number;
}

/** Every occurrence, in order. */
export function attributes(lines: readonly SdpLine[], name: string): SdpAttribute[] {
  const found: SdpAttribute[] = [];
  for (const line of lines) {
    if (isAttribute(line, name))
      found.push({ value: withoutSpaceBehind(line.text.slice(name.length + 1)), line: line.number });
  }
  return found;
}

/** The name of an `a=` line; `undefined` for another one. */
export function attributeName({ type, text }: SdpLine): string | undefined {
  if (type !== 'a') return undefined;
  const colon = text.indexOf(':');
  return colon < 0 ? withoutSpaceBehind(text) : text.slice(0, colon);
}

/** How many `a=` lines of that name there are. */
export function countAttributes(lines: readonly SdpLine[], name: string): number {
  let count = 0;
  for (const line of lines) if (isAttribute(line, name)) count++;
  return count;
}

/** True if there is an `a=` line of that name. */
export function hasAttribute(lines: readonly SdpLine[], name: string): boolean {
  return lines.some((line) => isAttribute(line, name));
}

/** An attribute that may stand once. Repeating it is forgiven where the value is the same: `duplicate-attribute` if not. */
export function singleAttribute(
  lines: readonly SdpLine[],
  name: string,
): SdpAttribute | SdpError | undefined {
  const [first, ...others] = attributes(lines, name);
  const other = others.find(({ value }) => value !== first?.value);
  if (other === undefined) return first;
  return sdpError('duplicate-attribute', `expected one "a=${name}", got several that differ`, {
    line: other.line,
  });
}

/** RFC 8866 §5.13 and the attributes' own RFCs: the media level first, the session level where it says nothing. */
export function inheritedAttribute(
  session: SessionDescription,
  media: MediaDescription,
  name: string,
): SdpAttribute | SdpError | undefined {
  const own = singleAttribute(media.lines, name);
  if (own === undefined) return singleAttribute(session.lines, name);
  return isSdpError(own) ? { ...own, mid: mediaMid(media) } : own;
}

/** The section's `a=mid`; `undefined` if there is none. */
export function mediaMid(media: MediaDescription): string | undefined {
  return attributes(media.lines, 'mid')[0]?.value;
}

/** Which way the media of a section go (RFC 8866 §6.7). */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** All of them. */
export const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** That of the section, else of the session (Firefox writes one there), else `sendrecv`. */
export function mediaDirection(session: SessionDescription, media: MediaDescription): Direction {
  for (const { lines } of [media, session]) {
    const direction = DIRECTIONS.find((name) => hasAttribute(lines, name));
    if (direction !== undefined) return direction;
  }
  return 'sendrecv';
}

function isAttribute(line: SdpLine, name: string): boolean {
  if (line.type !== 'a' || !line.text.startsWith(name)) return false;
  const { length } = name;
  return line.text[length] === ':' || withoutSpaceBehind(line.text.slice(length)) === '';
}
