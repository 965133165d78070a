/** Plans of media sections, for ends that are told of them without a description. */
import type { MediaPlan } from '../../src/negotiation/index.ts';

const FLOW = { codecs: [], headerExtensions: [], encodings: [], streams: [], reducedSizeRtcp: false };

/** A plan of an audio section. */
export function audioPlan(mid: string, direction: MediaPlan['direction']): MediaPlan {
  const receive = { ...FLOW, sources: [], sourceGroups: [] };
  return { kind: 'media', id: 0, mid, media: 'audio', direction, send: FLOW, receive };
}
