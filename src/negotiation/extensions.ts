/**
 * RTP header extensions (RFC 8285) of a session: which of them both ends take in a section, and what each number means. In a BUNDLE group
 * a number means one extension (RFC 9143 §10.1.3). Once it is agreed on it never means another one: packets that are under way name no
 * description. One that was offered and not taken may: an end need not remember what it does not know.
 */
import type { Direction, SdpError, SdpExtension } from '../sdp/index.ts';
import { sdpError } from '../sdp/index.ts';
import type { MediaHeaderExtension, MediaKind } from './media.ts';

/** What one number means. */
export interface ExtensionMeaning extends MediaHeaderExtension {
  /** By both ends, once. */
  readonly isAgreed: boolean;
}

/**
 * What every number means that has been spoken of in a session, the newest last; at most one entry a number. Plain and immutable.
 */
export type ExtensionTable = readonly ExtensionMeaning[];

/** Of a session in which nothing has been said yet. */
export const NO_EXTENSIONS: ExtensionTable = [];

/** An extension that both ends take, and the way it goes, as seen from this end: `a=extmap` of ours says so. */
export interface AgreedExtension extends MediaHeaderExtension {
  /** `undefined`: every way that the section has. */
  readonly direction: Direction | undefined;
}

/** Says which section a packet belongs to (RFC 9143 §15). */
export const MID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:mid';
/** Says which stream of a simulcast a packet belongs to (RFC 8852 §3). */
export const RID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
/** Says which stream of a simulcast a retransmission belongs to (RFC 8852 §3). */
export const REPAIRED_RID_EXTENSION = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';

/** Numbers the packets of a connection, for transport-wide feedback. */
export const TRANSPORT_SEQUENCE_EXTENSION =
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

const BANDWIDTH_EXTENSIONS: readonly string[] = [
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  TRANSPORT_SEQUENCE_EXTENSION,
];

/**
 * The extensions that this end is taken to want where the application does not say, by their URIs. Of them this end reads the
 * identifiers of streams and what bandwidth estimation needs; the others are carried.
 */
export const DEFAULT_HEADER_EXTENSIONS: Readonly<Record<MediaKind, readonly string[]>> = {
  audio: [MID_EXTENSION, ...BANDWIDTH_EXTENSIONS, 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'],
  video: [
    MID_EXTENSION,
    ...BANDWIDTH_EXTENSIONS,
    RID_EXTENSION,
    REPAIRED_RID_EXTENSION,
    'urn:3gpp:video-orientation',
    'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  ],
};

/** RFC 8285 §4.2: the one-byte form has 4 bits, of which 0 is padding and 15 ends the packet's extensions. */
const LAST_ONE_BYTE_ID = 14;
const RESERVED_ID = 15;
/** RFC 8285 §4.3. */
const LAST_TWO_BYTE_ID = 255;

/** What an offer has of the extensions, and what is known of numbers once it is out. */
export interface OfferedExtensions {
  readonly extensions: readonly MediaHeaderExtension[];
  readonly table: ExtensionTable;
}

/**
 * The extensions for a section of an offer, in the order of `uris`. Each keeps the number that it has in `table`, or has the lowest that
 * has never meant anything. Where numbers run out the last are left out.
 * @param allowsMixed the peer takes the two-byte form as well (`a=extmap-allow-mixed`): numbers above 14 may be given
 */
export function offeredExtensions(
  uris: readonly string[],
  table: ExtensionTable,
  allowsMixed = false,
): OfferedExtensions {
  const known = new Map(table.map(({ uri, id }) => [uri, id]));
  const taken = new Set(table.map(({ id }) => id));
  const extensions: MediaHeaderExtension[] = [];
  const added: ExtensionMeaning[] = [];
  const last = allowsMixed ? LAST_TWO_BYTE_ID : LAST_ONE_BYTE_ID;
  let next = 1;
  for (const uri of new Set(uris)) {
    const before = known.get(uri);
    if (before !== undefined) {
      extensions.push({ id: before, uri });
      continue;
    }
    while (next <= last && (taken.has(next) || next === RESERVED_ID)) next++;
    if (next > last) continue;
    const extension = { id: next++, uri };
    extensions.push(extension);
    added.push({ ...extension, isAgreed: false });
  }
  return { extensions, table: [...table, ...added] };
}

/**
 * The extensions of our answer to a section that offers `offered`: those of `uris`, under the offer's numbers and in its order, each once.
 * What the offer would have one way goes that way; what it offers as `inactive` is answered so.
 */
export function answeredExtensions(
  uris: readonly string[],
  offered: readonly SdpExtension[],
): AgreedExtension[] {
  const wanted = new Set(uris);
  return offered.flatMap(({ id, uri, direction }) => {
    if (!isUsableId(id) || !wanted.delete(uri)) return [];
    return [{ id, uri, direction: direction === undefined ? undefined : seenFromHere(direction) }];
  });
}

/**
 * What the peer's answer `answered` leaves of the extensions that we `offered`, in our order. What was not offered is passed over, unless
 * it takes a number of ours: `extension-conflict`. A number that is not the one we offered the extension under: `extension-remapped`.
 */
export function matchAnsweredExtensions(
  offered: readonly MediaHeaderExtension[],
  answered: readonly SdpExtension[],
): AgreedExtension[] | SdpError {
  const byUri = new Map(offered.map((extension) => [extension.uri, extension]));
  const ids = new Set(offered.map(({ id }) => id));
  const agreed = new Map<string, AgreedExtension>();
  for (const { id, uri, direction } of answered) {
    const ours = byUri.get(uri);
    if (ours === undefined) {
      if (ids.has(id)) return conflict(id);
    } else if (ours.id !== id) {
      return sdpError(
        'extension-remapped',
        `the answer has a header extension under ${String(id)} that was offered under ${String(ours.id)}`,
      );
    } else if (!agreed.has(uri)) {
      agreed.set(uri, {
        ...ours,
        direction: direction === undefined ? undefined : seenFromHere(direction),
      });
    }
  }
  return offered.flatMap(({ uri }) => agreed.get(uri) ?? []);
}

/** What of these this end may put into the packets that it sends. */
export function sentExtensions(extensions: readonly AgreedExtension[]): MediaHeaderExtension[] {
  return withDirections(extensions, 'sendonly');
}

/** What of these this end may find in the packets that it receives. */
export function receivedExtensions(extensions: readonly AgreedExtension[]): MediaHeaderExtension[] {
  return withDirections(extensions, 'recvonly');
}

/**
 * What is known after a description of the peer's whose sections, those of one BUNDLE group, have these extensions.
 * `extension-conflict` where a number means two extensions in it, `extension-remapped` where another one has been agreed on for it.
 */
export function noteExtensions(
  table: ExtensionTable,
  sections: readonly (readonly MediaHeaderExtension[])[],
): ExtensionTable | SdpError {
  const known = new Map(table.map((meaning) => [meaning.id, meaning]));
  const noted = new Map<number, ExtensionMeaning>();
  for (const { id, uri } of sections.flat()) {
    const before = noted.get(id);
    if (before !== undefined && before.uri !== uri) return conflict(id);
    const agreed = known.get(id)?.isAgreed === true ? known.get(id) : undefined;
    if (agreed !== undefined && agreed.uri !== uri) {
      return sdpError(
        'extension-remapped',
        `header extension ${String(id)} was agreed on as another one in this session`,
      );
    }
    noted.set(id, agreed ?? { id, uri, isAgreed: false });
  }
  return [...table.filter(({ id }) => !noted.has(id)), ...noted.values()];
}

/** What is known once sections of both ends have agreed on these. */
export function noteAgreedExtensions(
  table: ExtensionTable,
  sections: readonly (readonly MediaHeaderExtension[])[],
): ExtensionTable {
  const agreed = new Map(
    sections.flat().map(({ id, uri }): [number, ExtensionMeaning] => [id, { id, uri, isAgreed: true }]),
  );
  return [...table.filter(({ id }) => !agreed.has(id)), ...agreed.values()];
}

function conflict(id: number): SdpError {
  return sdpError(
    'extension-conflict',
    `header extension ${String(id)} means two of them in one BUNDLE group`,
  );
}

function isUsableId(id: number): boolean {
  return id >= 1 && id <= LAST_TWO_BYTE_ID && id !== RESERVED_ID;
}

/** The peer's direction, as this end has it. */
function seenFromHere(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}

function withDirections(
  extensions: readonly AgreedExtension[],
  oneWay: 'sendonly' | 'recvonly',
): MediaHeaderExtension[] {
  return extensions
    .filter(({ direction }) => direction === undefined || direction === 'sendrecv' || direction === oneWay)
    .map(({ id, uri }) => ({ id, uri }));
}
