/** Counters of what is received: every packet that is dropped in silence has one, and every wait that has ended for nothing. */

/** Their names; docs/media.md says what each of them tells. */
export const RECEIVE_COUNTERS = [
  /** No RTP packets, or such as end early or lie about their padding; of RTX what is behind the original number, too. */
  'malformedPackets',
  /** Neither a mid, nor a source that is known, nor a payload type of one media alone. */
  'unknownSources',
  /** A mid that is not agreed on, or of a media that is not received. */
  'unknownMids',
  /** A rid that is not agreed on. */
  'unknownRids',
  /** A payload type that is not agreed on for the media. */
  'unknownPayloadTypes',
  /** Sent to see what the path carries: from SSRC 0, or RTX without anything to repair. */
  'probes',
  /** RTX, and no one stream that it belongs to. */
  'unpairedRepairs',
  /** Still from a source that has just been replaced, or has said BYE. */
  'retiredSourcePackets',
  /** No room for another stream (`maxStreams`). */
  'refusedStreams',
  /** RTP and sender reports while the host takes no events: dropped as if the path had lost them (`maxQueuedPackets`, `maxQueuedBytes`). */
  'unqueuedPackets',
  /** Seen before. */
  'duplicatePackets',
  /** So old that nobody can tell whether they were seen, or from before a pause. */
  'latePackets',
  /** Far from all before; two in a row are a new beginning (RFC 3550 A.1). */
  'jumpingPackets',
  /** A source has begun to count anew. */
  'sequenceRestarts',
  /** Sent again, and missing until then. */
  'recoveredPackets',
  /** Asked for, and given up (gate `nack`). */
  'unrecoveredPackets',
  /** More was missing than is asked for (`nackWindow`). */
  'nackOverflows',
  /** A keyframe was asked for as packets had been given up (`keyframeAfterLoss`). */
  'keyframesForLoss',
  /** Gate `keyframe`. */
  'keyframeTimeouts',
  /** Events of RFC 4733 that are no tones of DTMF, have no duration, or are none at all. */
  'unknownTones',
  /** Sender reports and BYE of sources that are not received. */
  'unknownReports',
  /** Answers to reference times that cannot be true: of a time yet to come, or of long ago. */
  'referenceAnswersRefused',
] as const;

/** Name of a counter of what is received. */
export type ReceiveCounter = (typeof RECEIVE_COUNTERS)[number];
