/**
 * Lines that no view reads: what may be edited, left out, or neither. An attribute that is not named here stays as it was, for
 * nobody here could keep what a new one promises.
 */
import type { SdpError, SdpLine } from '../../sdp/index.ts';
import type { EditedPair, EditedSection } from './edit.ts';
import { changed, placeOf, words } from './edit.ts';

/** Lines that say nothing this end has to keep, and `a=`. */
const FREE_TYPES: ReadonlySet<string> = new Set('suiepcbtrz');

/**
 * Read by the views, or of no effect on this end: addresses (RFC 8839), what a receiver would like (RFC 8866 §6, RFC 6236), names
 * for people and applications (RFC 4574, RFC 4796, RFC 8830), and the one flag that applications wrote for old Chromium.
 */
const READ_OR_FREE: ReadonlySet<string> = new Set([
  ...['candidate', 'end-of-candidates', 'remote-candidates', 'rtcp', 'msid-semantic', 'msid'],
  ...['ptime', 'maxptime', 'framerate', 'quality', 'imageattr'],
  ...['label', 'content', 'lang', 'sdplang', 'charset', 'keywds', 'tool', 'type', 'cat'],
  ...['x-google-flag'],
  ...['group', 'mid', 'ice-lite', 'ice-ufrag', 'ice-pwd', 'ice-options', 'fingerprint', 'setup', 'tls-id'],
  ...['sctp-port', 'max-message-size', 'sendrecv', 'sendonly', 'recvonly', 'inactive'],
  ...['rtpmap', 'fmtp', 'rtcp-fb', 'extmap', 'simulcast'],
]);

/** What may be left out: then this end does without. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'rtcp-rsize',
  'extmap-allow-mixed',
  'rid',
  'ssrc',
  'ssrc-group',
]);

/** Looks for lines that were added, and for such that must not be left out. */
export function compareLines(
  { written, edited }: EditedPair,
  sections: readonly EditedSection[],
): SdpError | undefined {
  const error = compareLevel(written.session.lines, edited.session.lines, {});
  if (error !== undefined) return error;
  for (const section of sections) {
    if (section.written.isRejected) continue;
    const [before, now] = [section.written.media.lines, section.edited.media.lines];
    const found = compareLevel(before, now, placeOf(section));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A line is as good as another that differs in white space alone. */
function compareLevel(
  written: readonly SdpLine[],
  edited: readonly SdpLine[],
  place: ReturnType<typeof placeOf>,
): SdpError | undefined {
  const before = new Set(written.filter(isCompared).map(textOf));
  const now = edited.filter(isCompared);
  const added = now.find((line) => !before.has(textOf(line)));
  if (added !== undefined) {
    return changed(`${nameOf(added)} was added or changed`, { ...place, line: added.number });
  }
  const left = new Set(now.map(textOf));
  const missing = written.filter(isCompared).find((line) => !isOptional(line) && !left.has(textOf(line)));
  return missing === undefined ? undefined : changed(`${nameOf(missing)} was left out`, place);
}

function isCompared(line: SdpLine): boolean {
  return line.type === 'a' ? !READ_OR_FREE.has(attributeName(line)) : !FREE_TYPES.has(line.type);
}

function isOptional(line: SdpLine): boolean {
  return line.type === 'a' && OPTIONAL.has(attributeName(line));
}

function attributeName({ text }: SdpLine): string {
  return text.split(':', 1)[0]!.trimEnd(); // `split` gives one part at the least
}

function textOf(line: SdpLine): string {
  return `${line.type}=${words(line.text).join(' ')}`;
}

/** For an error: of a name that is not ours, so much as is sure to be short and plain. */
function nameOf(line: SdpLine): string {
  const name = line.type === 'a' ? attributeName(line) : '';
  if (line.type !== 'a') return `"${line.type}="`;
  return /^[a-zA-Z0-9-]{1,32}$/.test(name) ? `"a=${name}"` : 'an attribute';
}
