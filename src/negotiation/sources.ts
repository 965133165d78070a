/**
 * Sources of a session: the SSRCs that this end sends from, and what its descriptions say of them (RFC 5576, RFC 9429 §5.2.1).
 *
 * An SSRC follows from the session's seed, the media and the encoding, so that nothing has to be kept and a media keeps its own whatever
 * is negotiated. Streams of a simulcast are told by their rids, as browsers do (RFC 8853 §5.5), and have no `ssrc` lines.
 */
import type { SdpLine } from '../sdp/index.ts';
import { sourceGroupLine, sourceLines } from '../sdp/index.ts';
import { sends } from './direction.ts';
import type { MediaPlan, SentSource } from './media.ts';

/** How this end names its sources. */
export interface SourceNaming {
  /** 32 bits, drawn at random by the caller. */
  readonly seed: number;
  /** RTCP's name of this end (RFC 7022), the same for all its sources. */
  readonly cname: string;
}

/**
 * The sources of one media: one for each encoding, one where there are none.
 * @param rids of the encodings
 * @param hasRtx what is lost is sent again from a source of its own (RFC 4588)
 */
export function sentSources(
  { seed }: SourceNaming,
  id: number,
  rids: readonly string[],
  hasRtx: boolean,
): readonly SentSource[] {
  const source = (index: number): SentSource => ({
    ssrc: ssrcOf(seed, id, 2 * index),
    ...(hasRtx ? { rtxSsrc: ssrcOf(seed, id, 2 * index + 1) } : {}),
  });
  return rids.length === 0 ? [source(0)] : rids.map((rid, index) => ({ rid, ...source(index) }));
}

/** A plan with the sources of what is sent. */
export function withSources(plan: MediaPlan, naming: SourceNaming): MediaPlan {
  const { id, direction, send } = plan;
  if (!sends(direction)) return plan;
  const rids = send.encodings.map(({ rid }) => rid);
  const hasRtx = send.codecs.some(({ rtxPayloadType }) => rtxPayloadType !== undefined);
  return { ...plan, send: { ...send, sources: sentSources(naming, id, rids, hasRtx) } };
}

/** What a section says of the sources of one plain stream. */
export function sentSourceLines(
  { cname }: SourceNaming,
  { ssrc, rtxSsrc }: Pick<SentSource, 'ssrc' | 'rtxSsrc'>,
): readonly SdpLine[] {
  const ssrcs = rtxSsrc === undefined ? [ssrc] : [ssrc, rtxSsrc];
  return [
    ...(rtxSsrc === undefined ? [] : [sourceGroupLine({ semantics: 'FID', ssrcs })]),
    ...ssrcs.flatMap((one) => sourceLines({ ssrc: one, attributes: [{ name: 'cname', value: cname }] })),
  ];
}

/** MurmurHash3's mixing of 32 bits: one to one, so that neighbours are far apart. Never 0, which is for probes. */
function ssrcOf(seed: number, id: number, index: number): number {
  let mixed = mix(mix(seed ^ Math.imul(id + 1, 0x9e3779b1)) + index);
  while (mixed === 0) mixed = mix(mixed + 1);
  return mixed;
}

function mix(bits: number): number {
  let mixed = bits | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
