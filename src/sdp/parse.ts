/**
 * Text → description. One pass over the text, no regular expression that can backtrack, nothing thrown.
 *
 *   split      CRLF or LF; a missing last line end and blank lines after the last line are forgiven
 *   preamble   v=0, then o= (RFC 8866 §5 fixes their order); neither comes again
 *   sections   each m= begins one; every other line is kept verbatim
 *
 * What a line means is not asked here: the views answer that, and a bad candidate is no reason to refuse a session.
 */
import { checkOptions, withDefaults } from '../core/options.ts';
import type { MediaDescription, SdpLine, SdpOrigin, SessionDescription } from './description.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import type { SdpLimits } from './limits.ts';
import { DEFAULT_SDP_LIMITS, exceededLimit, SDP_LIMIT_RULES } from './limits.ts';
import { isToken, parseDecimal, withoutSpaceBehind } from './token.ts';

/**
 * @returns the description, or why the text is none; what it holds beyond structure is not judged.
 * Throws `ERR_BAD_ARGUMENT` for limits that are none.
 */
export function parseSdp(text: string, limits: Partial<SdpLimits> = {}): SessionDescription | SdpError {
  checkOptions('parseSdp', limits, SDP_LIMIT_RULES);
  const bounds = withDefaults(DEFAULT_SDP_LIMITS, limits);
  const lines = splitLines(text, bounds);
  if (isSdpError(lines)) return lines;
  const [version, originLine, ...rest] = lines;
  if (version?.type !== 'v' || version.text !== '0') {
    return sdpError('version-invalid', 'the first line of a description is "v=0"', { line: 1 });
  }
  const origin = originLine?.type === 'o' ? parseOrigin(originLine.text) : undefined;
  if (origin === undefined) {
    return sdpError('origin-invalid', 'the second line of a description is "o=" with six fields', {
      line: 2,
    });
  }
  const levels = divide(rest, bounds);
  return isSdpError(levels) ? levels : { origin, ...levels };
}

/** The lines of a text. */
export function splitLines(text: string, limits: SdpLimits): SdpLine[] | SdpError {
  if (text.length > limits.maxLength) {
    const sizes = `expected at most ${limits.maxLength} characters, got ${text.length}`;
    return sdpError('sdp-too-large', sizes);
  }
  const lines: SdpLine[] = [];
  for (let at = 0; at < text.length;) {
    const number = lines.length + 1;
    const feed = text.indexOf('\n', at);
    const next = feed < 0 ? text.length : feed + 1;
    const end = feed > at && text[feed - 1] === '\r' ? feed - 1 : feed < 0 ? text.length : feed;
    if (end === at && text.slice(at).trim() === '') break;
    if (number > limits.maxLines) {
      return sdpError('too-many-lines', `expected at most ${limits.maxLines} lines`, { line: number });
    }
    if (end - at > limits.maxLineLength) {
      const sizes = `expected at most ${limits.maxLineLength} characters a line, got ${end - at}`;
      return sdpError('line-too-long', sizes, { line: number });
    }
    const line = text.slice(at, end);
    if (!isLine(line)) {
      return sdpError('line-malformed', 'expected a lower-case letter, "=" and text', { line: number });
    }
    lines.push({ type: line.charAt(0), text: line.slice(2), number });
    at = next;
  }
  return lines;
}

/** RFC 8866 §9: `byte-string` is anything but NUL, CR and LF. A lone CR would be a line end to some other reader. */
function isLine(line: string): boolean {
  return /^[a-z]=/.test(line) && !line.includes('\r') && !line.includes('\0');
}

function parseOrigin(text: string): SdpOrigin | undefined {
  const [username, sessionId, sessionVersion, networkType, addressType, address, ...more] = text.split(' ');
  if (!username || !sessionId || !sessionVersion || !networkType || !addressType || !address)
    return undefined;
  if (more.length > 0 || !/^\d+$/.test(sessionId) || !/^\d+$/.test(sessionVersion)) return undefined;
  return { username, sessionId, sessionVersion, networkType, addressType, address };
}

/** The lines before the sections, and the sections. */
export function divide(
  lines: readonly SdpLine[],
  limits: SdpLimits,
): Omit<SessionDescription, 'origin'> | SdpError {
  const session: SdpLine[] = [];
  const media: MediaDescription[] = [];
  let section = session;
  for (const line of lines) {
    if (line.type !== 'm') {
      if (isMisplaced(line, media.length > 0)) {
        const order = `"${line.type}=" stands once, before the first "m="`;
        return sdpError('line-malformed', order, { line: line.number });
      }
      section.push(line);
      continue;
    }
    if (media.length === limits.maxMediaSections) {
      const count = `expected at most ${limits.maxMediaSections} media sections`;
      return sdpError('too-many-media-sections', count, { line: line.number });
    }
    section = [];
    const description = parseMediaLine(line, section);
    if (description === undefined) {
      const grammar = 'expected "m=<media> <port> <protocol> <format> …"';
      return sdpError('media-line-invalid', grammar, { line: line.number });
    }
    media.push(description);
  }
  return exceededLimit(session, media, limits) ?? { lines: session, media };
}

/**
 * RFC 8866 §5: `v=` and `o=` have been read, a section has `i=`, `c=`, `b=`, `k=` and `a=`. What belongs to the session
 * and stands in a section would be another session to some other reader.
 */
function isMisplaced({ type }: SdpLine, inSection: boolean): boolean {
  return type === 'v' || type === 'o' || (inSection && (type === 's' || type === 't'));
}

/** What an answer repeats must be tokens (RFC 8866 §9): they hold no control character, and end where they seem to. */
function parseMediaLine(line: SdpLine, lines: readonly SdpLine[]): MediaDescription | undefined {
  const [kind = '', ports, protocol = '', ...formats] = withoutSpaceBehind(line.text).split(' ');
  if (!isToken(kind) || ports === undefined || !protocol.split('/').every(isToken)) return undefined;
  if (formats.length === 0 || !formats.every(isToken)) return undefined;
  const slash = ports.indexOf('/');
  const port = parseDecimal(slash < 0 ? ports : ports.slice(0, slash), 65_535);
  if (port === undefined) return undefined;
  if (slash < 0) return { kind, port, protocol, formats, lines, number: line.number };
  const portCount = parseDecimal(ports.slice(slash + 1), 65_535);
  return portCount === undefined
    ? undefined
    : { kind, port, portCount, protocol, formats, lines, number: line.number };
}
