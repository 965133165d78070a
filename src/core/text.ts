/**
 * Text: bytes as UTF-8, hexadecimal and base64, without the ambient `TextEncoder`, `Buffer` or `btoa`; and text of others, quoted.
 */
import type { Bytes } from './bytes.ts';

const REPLACEMENT = 0xfffd;

/** UTF-8 (RFC 3629). Lone surrogates become U+FFFD, as `TextEncoder` does. */
export function encodeUtf8(text: string): Bytes {
  const ascii = encodeAscii(text);
  if (ascii !== undefined) return ascii;
  const out = new Uint8Array(text.length * 3);
  let at = 0;
  for (const character of text) {
    // The iterator yields whole code points, so there always is one.
    let code = character.codePointAt(0) ?? REPLACEMENT;
    if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
    if (code < 0x80) {
      out[at++] = code;
    } else if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
      out[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0x1_0000) {
      out[at++] = 0xe0 | (code >> 12);
      out[at++] = 0x80 | ((code >> 6) & 0x3f);
      out[at++] = 0x80 | (code & 0x3f);
    } else {
      out[at++] = 0xf0 | (code >> 18);
      out[at++] = 0x80 | ((code >> 12) & 0x3f);
      out[at++] = 0x80 | ((code >> 6) & 0x3f);
      out[at++] = 0x80 | (code & 0x3f);
    }
  }
  return out.slice(0, at);
}

function encodeAscii(text: string): Bytes | undefined {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return undefined;
    out[i] = code;
  }
  return out;
}

/** How many characters one call of `fromCharCode` may take before an engine's argument limit is near. */
const TEXT_CHUNK = 8192;

/** UTF-8 to text. Malformed sequences become U+FFFD (WHATWG "maximal subpart"), overlong forms and surrogates included. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  let units: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at++]!;
    if (lead < 0x80) {
      units.push(lead);
    } else {
      const form = utf8Form(lead);
      let code = form.bits;
      let low = form.low;
      let high = form.high;
      let missing = form.following;
      while (missing > 0 && at < bytes.length && bytes[at]! >= low && bytes[at]! <= high) {
        code = (code << 6) | (bytes[at++]! & 0x3f);
        low = 0x80;
        high = 0xbf;
        missing--;
      }
      if (form.following === 0 || missing > 0) code = REPLACEMENT;
      if (code >= 0x1_0000)
        units.push(0xd800 + ((code - 0x1_0000) >> 10), 0xdc00 + ((code - 0x1_0000) & 0x3ff));
      else units.push(code);
    }
    if (units.length >= TEXT_CHUNK) {
      text += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return text + String.fromCharCode.apply(null, units);
}

/** True if `bytes` are well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at++]!;
    if (lead < 0x80) continue;
    const form = utf8Form(lead);
    if (form.following === 0) return false;
    let low = form.low;
    let high = form.high;
    for (let i = 0; i < form.following; i++) {
      if (at >= bytes.length || bytes[at]! < low || bytes[at]! > high) return false;
      at++;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

interface Utf8Form {
  readonly following: number;
  readonly bits: number;
  /** The range of the second byte: narrower than 80..BF where overlong forms and surrogates are cut off. */
  readonly low: number;
  readonly high: number;
}

const INVALID_LEAD: Utf8Form = { following: 0, bits: 0, low: 0, high: 0 };

function utf8Form(lead: number): Utf8Form {
  if (lead >= 0xc2 && lead <= 0xdf) return { following: 1, bits: lead & 0x1f, low: 0x80, high: 0xbf };
  if (lead >= 0xe0 && lead <= 0xef) {
    return {
      following: 2,
      bits: lead & 0x0f,
      low: lead === 0xe0 ? 0xa0 : 0x80,
      high: lead === 0xed ? 0x9f : 0xbf,
    };
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    return {
      following: 3,
      bits: lead & 0x07,
      low: lead === 0xf0 ? 0x90 : 0x80,
      high: lead === 0xf4 ? 0x8f : 0xbf,
    };
  }
  return INVALID_LEAD;
}

const HEX = '0123456789abcdef';

/** Hexadecimal in lower case, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

/** Hexadecimal of either case to bytes; `undefined` for anything else. */
export function fromHex(text: string): Bytes | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(i * 2, i * 2 + 2), 16);
  return bytes;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 (RFC 4648 §4) with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64.charAt(group >> 18) + BASE64.charAt((group >> 12) & 63);
    text += i + 1 < bytes.length ? BASE64.charAt((group >> 6) & 63) : '=';
    text += i + 2 < bytes.length ? BASE64.charAt(group & 63) : '=';
  }
  return text;
}

/** Base64 (RFC 4648 §4), padded or not, to bytes; `undefined` for anything else. */
export function fromBase64(text: string): Bytes | undefined {
  const digits = text.replace(/={1,2}$/, '');
  const isPadded = digits.length < text.length;
  if (digits.length % 4 === 1 || (isPadded && text.length % 4 !== 0)) return undefined;
  const bytes = new Uint8Array((digits.length * 3) >> 2);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = BASE64.indexOf(digits.charAt(i));
    if (digit < 0) return undefined;
    bits = (bits << 6) | digit;
    // Each digit but the first of four completes a byte.
    if ((i & 3) !== 0) bytes[at++] = bits >> (6 - 2 * (i & 3));
  }
  return bytes;
}

/** Longest quotation of a peer's text, in characters. */
const LONGEST_QUOTATION = 80;

/** Text that came from outside, for one line: in quotes, control characters escaped, cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTATION ? `${text.slice(0, LONGEST_QUOTATION)}…` : text);
}
