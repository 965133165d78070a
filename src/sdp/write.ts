/**
 * Description → text, lines ended by CRLF. Writing what was parsed gives the same bytes back, except that LF becomes CRLF and
 * white space at the end of an `m=` line goes.
 */
import { badArgument } from '../core/errors.ts';
import type { MediaDescription, SdpOrigin, SessionDescription } from './description.ts';

/** Throws `ERR_BAD_ARGUMENT` if any text holds CR, LF or NUL: it would become a line of its own. */
export function writeSdp(description: SessionDescription): string {
  const lines = ['v=0', originLine(description.origin)];
  for (const line of description.lines) lines.push(`${line.type}=${line.text}`);
  for (const media of description.media) {
    lines.push(mediaLine(media));
    for (const line of media.lines) lines.push(`${line.type}=${line.text}`);
  }
  return joinLines(lines);
}

/** The text of these lines. Throws `ERR_BAD_ARGUMENT` if one of them holds CR, LF or NUL. */
export function joinLines(lines: readonly string[]): string {
  for (const line of lines) {
    if (/[\r\n]/.test(line) || line.includes('\0'))
      throw badArgument('description', 'no line ends inside a line', line);
  }
  return lines.map((line) => `${line}\r\n`).join('');
}

function originLine(origin: SdpOrigin): string {
  const { username, sessionId, sessionVersion, networkType, addressType, address } = origin;
  return `o=${username} ${sessionId} ${sessionVersion} ${networkType} ${addressType} ${address}`;
}

/** The `m=` line. */
export function mediaLine(media: Omit<MediaDescription, 'lines' | 'number'>): string {
  const ports = media.portCount === undefined ? `${media.port}` : `${media.port}/${media.portCount}`;
  return `m=${media.kind} ${ports} ${media.protocol} ${media.formats.join(' ')}`;
}
