/**
 * Media sections of an edited description: what is left of codecs, header extensions, encodings and sources, the direction, the streams.
 * The numbers stay what they are: packets have them.
 */
import type { MediaDescription, SdpCodec, SdpError, SdpExtension } from '../../sdp/index.ts';
import { isSdpError, mediaSourceGroups, mediaSources } from '../../sdp/index.ts';
import { meaningOf } from '../codec/payload-types.ts';
import { isWithin } from '../direction.ts';
import type { ReadMedia } from '../media-description.ts';
import { readMedia, streamsOf } from '../media-description.ts';
import type { EditedPair, EditedSection, MediaEdit } from './edit.ts';
import { changed, placeOf } from './edit.ts';

/** Compares a media section that is in use. */
export function compareMedia(pair: EditedPair, section: EditedSection): MediaEdit | SdpError {
  const written = readMedia(section.written, pair.written.inherited, []);
  if (isSdpError(written)) return written;
  const edited = readMedia(section.edited, pair.edited.inherited, []);
  if (isSdpError(edited)) return edited;
  const what =
    codecChange(written, edited) ??
    extensionChange(written, edited) ??
    encodingChange(written, edited) ??
    sourceChange(section.written.media, section.edited.media);
  if (what !== undefined) return changed(what, placeOf(section));
  if (!isWithin(edited.direction, written.direction)) {
    return changed(`the direction was changed to "${edited.direction}"`, placeOf(section));
  }
  return { kind: 'media', ...edited, streams: streamsOf(section.edited.media) };
}

/** All of `fmtp` but what says which format it is are wishes of a receiver. */
function codecChange(written: ReadMedia, edited: ReadMedia): string | undefined {
  const before = new Map(written.codecs.map((codec) => [codec.payloadType, codec]));
  for (const codec of edited.codecs) {
    const { payloadType } = codec;
    const old = before.get(payloadType);
    if (old === undefined || formatOf(codec) !== formatOf(old)) {
      return `payload type ${String(payloadType)} was added, or is of another codec`;
    }
    if (!codec.feedback.every((feedback) => old.feedback.includes(feedback))) {
      return `"a=rtcp-fb" of payload type ${String(payloadType)} was added to`;
    }
  }
  return undefined;
}

/** Of redundant payload (RFC 2198) the formats within are the whole of it. */
function formatOf(codec: SdpCodec): string {
  const isRedundant = codec.name.toLowerCase() === 'red';
  return isRedundant ? `${meaningOf(codec)};${codec.fmtp?.trim() ?? ''}` : meaningOf(codec);
}

function extensionChange(written: ReadMedia, edited: ReadMedia): string | undefined {
  const before = new Map(written.extensions.map((extension) => [extension.id, extension]));
  const added = edited.extensions.find((extension) => !isLess(extension, before.get(extension.id)));
  return added && `header extension ${String(added.id)} was added, or means another`;
}

function isLess(extension: SdpExtension, old: SdpExtension | undefined): boolean {
  if (extension.uri !== old?.uri || extension.attributes !== old.attributes) return false;
  return isWithin(extension.direction ?? 'sendrecv', old.direction ?? 'sendrecv');
}

/** `a=rid` lines are compared as lines (`lines.ts`); `a=simulcast` may name fewer of them. */
function encodingChange(written: ReadMedia, edited: ReadMedia): string | undefined {
  for (const direction of ['send', 'recv'] as const) {
    const before = new Set(written.simulcast.simulcast?.[direction].flat().map(({ rid }) => rid));
    const now = edited.simulcast.simulcast?.[direction].flat() ?? [];
    if (now.some(({ rid }) => !before.has(rid))) return '"a=simulcast" was added to';
  }
  return undefined;
}

/**
 * `a=ssrc` and `a=ssrc-group` are compared as lines (`lines.ts`), for this end sends from the sources that it has written; and it may
 * tell of fewer. But a source is only left as what it is: one that sends again what another has lost, with the group that says so
 * (RFC 5576 §4.2), or the peer would take it for another stream.
 */
function sourceChange(written: MediaDescription, edited: MediaDescription): string | undefined {
  const left = new Set(mediaSources(edited, []).map(({ ssrc }) => ssrc));
  const groups = mediaSourceGroups(edited, []);
  if (groups.some(({ ssrcs }) => !ssrcs.every((ssrc) => left.has(ssrc)))) {
    return '"a=ssrc" of a group was left out, and "a=ssrc-group" was not';
  }
  const named = new Set(groups.flatMap(({ ssrcs }) => ssrcs));
  const isAlone = mediaSourceGroups(written, []).some(({ ssrcs: [, ...others] }) =>
    others.some((ssrc) => left.has(ssrc) && !named.has(ssrc)),
  );
  return isAlone ? '"a=ssrc-group" was left out, and "a=ssrc" of it was not' : undefined;
}
