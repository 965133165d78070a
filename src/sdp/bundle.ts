/** Groups of sections that share a transport: `mid` and `group` (RFC 5888), BUNDLE and `bundle-only` (RFC 8843). */
import { attributes, hasAttribute, mediaMid, singleAttribute } from './attributes.ts';
import type { MediaDescription, SessionDescription } from './description.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import { isToken } from './token.ts';

/** The mids of every section, in order: tokens, each used once. `undefined` stands where a section has none. */
export function readMids(session: Pick<SessionDescription, 'media'>): (string | undefined)[] | SdpError {
  const mids: (string | undefined)[] = [];
  const seen = new Set<string>();
  for (const media of session.media) {
    const attribute = singleAttribute(media.lines, 'mid');
    if (isSdpError(attribute)) return attribute;
    if (attribute !== undefined) {
      const place = { line: attribute.line };
      if (!isToken(attribute.value)) return sdpError('mid-invalid', '"a=mid" needs a token', place);
      if (seen.has(attribute.value))
        return sdpError('mid-duplicate', 'two sections have the same "a=mid"', place);
      seen.add(attribute.value);
    }
    mids.push(attribute?.value);
  }
  return mids;
}

/**
 * Every `a=group:BUNDLE`, its mids in order: the first is the tag, whose section speaks for the shared transport.
 * `bundle-invalid` if one names a section that does not exist, or that is in a group already.
 */
export function readBundles(session: SessionDescription): string[][] | SdpError {
  const free = new Set(session.media.map(mediaMid));
  const bundles: string[][] = [];
  for (const { value, line } of attributes(session.lines, 'group')) {
    const [semantics, ...mids] = value.split(' ').filter((word) => word !== '');
    if (semantics !== 'BUNDLE') continue;
    for (const mid of mids) {
      if (!free.delete(mid)) {
        return sdpError('bundle-invalid', 'a BUNDLE group names existing sections, each once', { line });
      }
    }
    bundles.push(mids);
  }
  return bundles;
}

/**
 * Port 0 rejects a section, or switches it off (RFC 3264 §6, §8.2), except with `a=bundle-only` in a BUNDLE group: there
 * it only says that the section has no transport of its own (RFC 8843 §6).
 */
export function isRejected(media: MediaDescription, bundles: readonly (readonly string[])[]): boolean {
  if (media.port !== 0) return false;
  if (!isBundleOnly(media)) return true;
  const mid = mediaMid(media);
  return mid === undefined || !bundles.some((mids) => mids.includes(mid));
}

/** True for port 0 with `a=bundle-only`; with another port the attribute means nothing (RFC 8843 §6). */
export function isBundleOnly(media: MediaDescription): boolean {
  return media.port === 0 && hasAttribute(media.lines, 'bundle-only');
}
