/** ICE attributes (RFC 8839 §5): credentials, options, lite, candidates. */
import type { SdpAttribute } from './attributes.ts';
import { attributes, hasAttribute, inheritedAttribute, mediaMid } from './attributes.ts';
import type { SdpCandidate } from './candidate.ts';
import { parseCandidate } from './candidate.ts';
import type { MediaDescription, SessionDescription } from './description.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import { isIceText, isTolerableIceText } from './token.ts';

/** `a=ice-ufrag` and `a=ice-pwd`: the credentials of one end. */
export interface SdpIceParameters {
  /** 4–256 characters. */
  readonly usernameFragment: string;
  /** 22–256 characters. A secret: whoever has it can take over the path. */
  readonly password: string;
}

/**
 * `a=ice-ufrag` and `a=ice-pwd`, from the section or the session; `undefined` if neither has any.
 * @param strict by RFC 8839 §5.4 to the letter; false takes what the big browsers take besides
 */
export function mediaIce(
  session: SessionDescription,
  media: MediaDescription,
  strict: boolean = false,
): SdpIceParameters | SdpError | undefined {
  const ufrag = inheritedAttribute(session, media, 'ice-ufrag');
  if (isSdpError(ufrag)) return ufrag;
  const pwd = inheritedAttribute(session, media, 'ice-pwd');
  if (isSdpError(pwd)) return pwd;
  return readCredentials(ufrag, pwd, mediaMid(media), strict);
}

/** Credentials of the two attributes that one level has, or inherits. */
export function readCredentials(
  ufrag: SdpAttribute | undefined,
  pwd: SdpAttribute | undefined,
  mid: string | undefined,
  strict: boolean,
): SdpIceParameters | SdpError | undefined {
  if (ufrag === undefined && pwd === undefined) return undefined;
  if (ufrag === undefined || pwd === undefined) {
    return sdpError('ice-credentials-missing', '"a=ice-ufrag" and "a=ice-pwd" come together', { mid });
  }
  const isText = strict ? isIceText : isTolerableIceText;
  const characters = strict ? 'A–Z a–z 0–9 + /' : 'A–Z a–z 0–9 + / - = _ #';
  if (!isText(ufrag.value, 4, 256)) {
    const grammar = `"a=ice-ufrag" needs 4–256 of ${characters}`;
    return sdpError('ice-credentials-invalid', grammar, { line: ufrag.line, mid });
  }
  if (!isText(pwd.value, 22, 256)) {
    const grammar = `"a=ice-pwd" needs 22–256 of ${characters}`;
    return sdpError('ice-credentials-invalid', grammar, { line: pwd.line, mid });
  }
  return { usernameFragment: ufrag.value, password: pwd.value };
}

/** RFC 8839 §5.3: a session-level flag. */
export function isIceLite(session: SessionDescription): boolean {
  return hasAttribute(session.lines, 'ice-lite');
}

/** The words of every `a=ice-options` that applies to the section: `trickle`, `renomination`, … */
export function mediaIceOptions(session: SessionDescription, media: MediaDescription): string[] {
  const lines = [...session.lines, ...media.lines];
  return attributes(lines, 'ice-options').flatMap(({ value }) =>
    value.split(' ').filter((word) => word !== ''),
  );
}

/** RFC 8840, `a=end-of-candidates`: of the section, or of the session for all. */
export function hasEndOfCandidates(session: SessionDescription, media: MediaDescription): boolean {
  return hasAttribute(media.lines, 'end-of-candidates') || hasAttribute(session.lines, 'end-of-candidates');
}

/** Every `a=candidate` of a section; a line that does not read costs itself alone. */
export function mediaCandidates(
  media: MediaDescription,
  strict: boolean = false,
): (SdpCandidateAt | SdpError)[] {
  const mid = mediaMid(media);
  return attributes(media.lines, 'candidate').map(({ value, line }) => {
    const candidate = parseCandidate(value, strict);
    return isSdpError(candidate) ? { ...candidate, line, mid } : { candidate, line };
  });
}

/** A candidate and its place. */
export interface SdpCandidateAt {
  readonly candidate: SdpCandidate;
  /** 1-based line. */
  readonly line: number;
}
