/** What media show of themselves: every stream, queue and counter, as plain JSON-safe data. */

/** Counters of RTCP as such; those of streams stand with them. */
export type MediaCounter =
  /** Datagrams. */
  | 'rtcpReceived'
  | 'rtcpSent'
  /** Packets that end early, or contradict themselves. */
  | 'malformedRtcp'
  /** Packets of a type or a format that is not known. */
  | 'unknownRtcp'
  /** Events of RTCP for which there was no room. */
  | 'unqueuedEvents'
  /** More receivers want to know their round trip than are answered at once. */
  | 'referenceTimesDropped';

/** Their names, each at 0 from the start. */
export const MEDIA_COUNTERS: readonly MediaCounter[] = [
  'rtcpReceived',
  'rtcpSent',
  'malformedRtcp',
  'unknownRtcp',
  'unqueuedEvents',
  'referenceTimesDropped',
];

/** What `MediaUser.inspect` shows. */
export interface MediaInspection {
  readonly received: object;
  readonly sent: object;
  /** Deadlines, milliseconds on the caller's clock. */
  readonly timers: Readonly<Record<string, number>>;
  readonly queued: { readonly events: number; readonly rtcp: number };
  readonly counters: Readonly<Record<string, number>>;
}
