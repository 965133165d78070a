/** Grammars that attributes share (RFC 8866 §9, RFC 8839 §5). */

/** A decimal number in its shortest form, 0 … `max`; `undefined` for anything else. Leading zeros are not allowed. */
export function parseDecimal(text: string, max: number): number | undefined {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

/** RFC 8839 §5.4: `ice-char = ALPHA / DIGIT / "+" / "/"`. */
export function isIceText(text: string, min: number, max: number): boolean {
  return text.length >= min && text.length <= max && /^[A-Za-z0-9+/]*$/.test(text);
}

/**
 * What both big browsers take for `ice-char` besides: `-`, `=`, `_` and `#`, which base64 with padding and base64url bring
 * along (libwebrtc's `IsIceChar`; Firefox takes any text).
 */
export function isTolerableIceText(text: string, min: number, max: number): boolean {
  return text.length >= min && text.length <= max && /^[A-Za-z0-9+/\-=_#]*$/.test(text);
}

/** RFC 8866 §9 `token`. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`{|}~A-Za-z0-9]+$/.test(text);
}

/** Without blanks and tabs at the end. (`trimEnd` would take other characters, too, that mean something.) */
export function withoutSpaceBehind(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return text.slice(0, end);
}

/** Any visible ASCII, no spaces: what may stand between two spaces of a line we write. */
export function isVisible(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

/** The word up to the first blank, and what stands behind it without blanks around it. */
export function firstWord(text: string): readonly [word: string, rest: string] {
  const end = text.indexOf(' ');
  return end < 0 ? [text, ''] : [text.slice(0, end), withoutSpaceAround(text.slice(end))];
}

/** Without blanks and tabs at either end. */
export function withoutSpaceAround(text: string): string {
  let start = 0;
  while (text[start] === ' ' || text[start] === '\t') start++;
  return withoutSpaceBehind(text.slice(start));
}

/** True for text without blanks and tabs at either end: with them it would not be read back as it is. */
export function isTrimmed(text: string): boolean {
  return withoutSpaceAround(text) === text;
}
