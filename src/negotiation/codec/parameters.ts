/**
 * Parameters of a format, as its `fmtp` has them: `profile-id=0;max-fr=30`. A `fmtp` is kept verbatim and read where a codec's rules
 * ask for one name; names are compared without regard to case, as those of media types are (RFC 6838 §4.3), and the first counts.
 */
import { parseFormatParameters } from '../../sdp/index.ts';

/** The value of the parameter `name` (in lower case); `undefined` where it is absent or has no value. */
export function formatParameter(fmtp: string | undefined, name: string): string | undefined {
  if (fmtp === undefined) return undefined;
  return parseFormatParameters(fmtp).find((parameter) => parameter.name.toLowerCase() === name)?.value;
}

/** A parameter that is a decimal number of at most six digits; `fallback` where it is absent, `undefined` where it is none. */
export function numberParameter(
  fmtp: string | undefined,
  name: string,
  fallback: number,
): number | undefined {
  const value = formatParameter(fmtp, name);
  if (value === undefined) return fallback;
  return /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

/** `fmtp` with another value for the parameter `name` (in lower case), in its place, or at the end; the others stay verbatim. */
export function withFormatParameter(fmtp: string | undefined, name: string, value: string): string {
  if (fmtp === undefined || fmtp.trim() === '') return `${name}=${value}`;
  const parts = fmtp.split(';');
  for (const [index, part] of parts.entries()) {
    const [written = ''] = part.split('=', 1);
    if (written.trim().toLowerCase() !== name) continue;
    parts[index] = `${written}=${value}`;
    return parts.join(';');
  }
  return `${fmtp};${name}=${value}`;
}
