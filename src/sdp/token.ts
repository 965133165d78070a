/** The small grammars that attributes share (RFC 8866 §9, RFC 8839 §5). */

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

/** RFC 8866 §9 `token`. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`{|}~A-Za-z0-9]+$/.test(text);
}

/** Any visible ASCII, no spaces: what may stand between two spaces of a line we write. */
export function isVisible(text: string): boolean {
  return /^[!-~]+$/.test(text);
}
