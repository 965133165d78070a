/** Counters of what is sent: every silent drop has one. */

/** What was not sent, and what the peer asked for in vain, by number. */
export type SendCounter =
  /** `write` while nothing can be sent: not agreed on, or no path. */
  | 'writesNotWritable'
  /** `write` with the queue full. */
  | 'writesQueueFull'
  /** Packets that the path does not carry, found by `write` or, once the path has changed, when polled. */
  | 'writesTooLarge'
  /** Packets under a payload type that is not agreed on, or not any more. */
  | 'writesUnknownCodec'
  /** Packets whose given sequence number was used before, or is too old. */
  | 'writesBadSequence'
  /** Audio while a tone of DTMF sounds. */
  | 'writesDuringTone'
  /** Packets that waited longer than `writeTimeout`. */
  | 'writesExpired'
  /** Packets that waited when their media ended or changed. */
  | 'writesDiscarded'
  /** Given sequence numbers that went on so far away that what follows is numbered anew. */
  | 'sequenceJumps'
  /** Calls of `writeDtmf` that were answered by false. */
  | 'tonesRefused'
  /** Tones that waited longer than `writeTimeout` or whose media ended. */
  | 'tonesDropped'
  /** Packets that the peer wants again and that are not in the history: never sent, or too old. */
  | 'retransmissionsUnknown'
  /** Packets that it wants again too soon after the last time: within a round trip, and twice as long after each further time. */
  | 'retransmissionsRepeated'
  /** Packets that are not sent again, as the share of retransmissions is used up. */
  | 'retransmissionsOverShare'
  /** Packets that could be sent again when that was decided, and not any more when it was their turn. */
  | 'retransmissionsDropped'
  /** Feedback on sources that this end does not send from. */
  | 'sentSourcesUnknown'
  /** Requests for a keyframe that came within `keyframeRequestInterval` of the last one told. */
  | 'keyframeRequestsThrottled'
  /** FIRs of a number that has been heard already. */
  | 'keyframeRequestsRepeated'
  /** Report blocks from which no round trip can be: of a time yet to come, or of long ago. */
  | 'roundTripsRefused'
  /** Sources that were to be ours twice: one has another number. */
  | 'sourcesRedrawn'
  /** Events for which there was no room. */
  | 'sendEventsDropped';

/** Their names, each at 0 from the start. */
export const SEND_COUNTERS: readonly SendCounter[] = [
  'writesNotWritable',
  'writesQueueFull',
  'writesTooLarge',
  'writesUnknownCodec',
  'writesBadSequence',
  'writesDuringTone',
  'writesExpired',
  'writesDiscarded',
  'sequenceJumps',
  'tonesRefused',
  'tonesDropped',
  'retransmissionsUnknown',
  'retransmissionsRepeated',
  'retransmissionsOverShare',
  'retransmissionsDropped',
  'sentSourcesUnknown',
  'keyframeRequestsThrottled',
  'keyframeRequestsRepeated',
  'roundTripsRefused',
  'sourcesRedrawn',
  'sendEventsDropped',
];
