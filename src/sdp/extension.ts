/** RTP header extensions of a media section: `extmap`, `extmap-allow-mixed` (RFC 8285). */
import { badArgument } from '../core/errors.ts';
import type { Direction } from './attributes.ts';
import { attributes, DIRECTIONS, hasAttribute, mediaMid } from './attributes.ts';
import type { MediaDescription, SdpLine, SessionDescription } from './description.ts';
import { attributeLine } from './description.ts';
import type { SdpError, SdpWarning } from './error.ts';
import { ignoredLine, sdpError } from './error.ts';
import { firstWord, isTrimmed, isVisible, parseDecimal } from './token.ts';

/** One `a=extmap`. */
export interface SdpExtension {
  /** 1–14 in the one-byte form, 1–255 in the two-byte form (RFC 8285 §4.2, §4.3). */
  readonly id: number;
  readonly uri: string;
  /** Which way its sender would have it; `undefined` means that of the section. */
  readonly direction: Direction | undefined;
  /** What stands behind the URI, verbatim. */
  readonly attributes: string | undefined;
}

const MAX_ID = 255;

/**
 * Those of the section in order, then those of the session (RFC 8285 §5: they hold for every section).
 * `extmap-duplicate` if one id has two URIs. A line that does not read, or repeats one, costs itself alone.
 */
export function mediaExtensions(
  session: SessionDescription,
  media: MediaDescription,
  warnings: SdpWarning[] = [],
): SdpExtension[] | SdpError {
  const mid = mediaMid(media);
  const extensions = new Map<number, SdpExtension>();
  for (const { lines } of [media, session]) {
    for (const { value, line } of attributes(lines, 'extmap')) {
      const extension = parseExtension(value);
      if (extension === undefined) {
        warnings.push(
          ignoredLine('an "a=extmap" of an id of 1–255, perhaps a direction, and a URI', line, mid),
        );
        continue;
      }
      const other = extensions.get(extension.id);
      if (other === undefined) extensions.set(extension.id, extension);
      else if (other.uri !== extension.uri) {
        const once = `expected one header extension an id, got two of ${extension.id}`;
        return sdpError('extmap-duplicate', once, { line, mid });
      }
    }
  }
  return [...extensions.values()];
}

function parseExtension(value: string): SdpExtension | undefined {
  const [mapping, rest] = firstWord(value);
  const [uri, attributes] = firstWord(rest);
  const slash = mapping.indexOf('/');
  const id = parseDecimal(slash < 0 ? mapping : mapping.slice(0, slash), MAX_ID);
  const direction = slash < 0 ? undefined : DIRECTIONS.find((name) => name === mapping.slice(slash + 1));
  if (!id || !isVisible(uri) || (slash >= 0 && direction === undefined)) return undefined;
  return { id, uri, direction, attributes: attributes === '' ? undefined : attributes };
}

/** `a=extmap:…`. Throws `ERR_BAD_ARGUMENT` for an extension that would not be read back. */
export function extensionLine({ id, uri, direction, attributes }: SdpExtension): SdpLine {
  if (!parseDecimal(`${id}`, MAX_ID)) throw badArgument('id', 'a number of 1–255', id);
  if (!isVisible(uri)) throw badArgument('uri', 'visible ASCII', uri);
  const mapping = direction === undefined ? `${id}` : `${id}/${direction}`;
  if (attributes === undefined) return attributeLine('extmap', `${mapping} ${uri}`);
  if (attributes === '' || !isTrimmed(attributes))
    throw badArgument('attributes', 'text without blanks around it', attributes);
  return attributeLine('extmap', `${mapping} ${uri} ${attributes}`);
}

/** True if one stream may have both forms, one-byte and two-byte (RFC 8285 §4.1.2); said of the section or of the session. */
export function allowsMixedExtensions(session: SessionDescription, media: MediaDescription): boolean {
  return [media, session].some(({ lines }) => hasAttribute(lines, 'extmap-allow-mixed'));
}
