/**
 * RTCP feedback that both ends take (RFC 4585 §4.2).
 *
 *     of each codec       what both say of it
 *     of all together     `ack ccfb`, congestion control feedback (RFC 8888 §6): of every format under `*`, and in place of `transport-cc`
 */
import type { MediaCodec } from '../media.ts';

/** Congestion control feedback, by SSRC and sequence number. */
export const CONGESTION_FEEDBACK = 'ack ccfb';

/** By transport-wide sequence numbers: what congestion control feedback is offered beside. */
const TRANSPORT_FEEDBACK = 'transport-cc';

/** Values of ours that the other end has, too. */
export function commonFeedback(ours: readonly string[], theirs: readonly string[]): string[] {
  const common = new Set(theirs);
  return ours.filter((value) => common.has(value));
}

/** Whether a section with these codecs has congestion control feedback: what one of them has, all have. */
export function hasCongestionFeedback(codecs: readonly MediaCodec[]): boolean {
  return codecs.some(({ rtcpFeedback }) => rtcpFeedback.includes(CONGESTION_FEEDBACK));
}

/**
 * Codecs that are agreed on, with one mechanism of congestion control: of those offered side by side an answer has one (RFC 8888 §6), and it
 * is congestion control feedback, for who does not want it does not say it.
 */
export function withOneMechanism(codecs: readonly MediaCodec[]): readonly MediaCodec[] {
  if (!hasCongestionFeedback(codecs)) return codecs;
  return codecs.map((codec) => {
    const others = codec.rtcpFeedback.filter(
      (value) => value !== CONGESTION_FEEDBACK && value !== TRANSPORT_FEEDBACK,
    );
    return { ...codec, rtcpFeedback: [...others, CONGESTION_FEEDBACK] };
  });
}
