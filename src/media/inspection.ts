/** What media show of themselves: every stream, queue and counter, as plain JSON-safe data. */

/** What `MediaUser.inspect` shows. */
export interface MediaInspection {
  readonly received: readonly object[];
  readonly sent: readonly object[];
  readonly counters: Readonly<Record<string, number>>;
}
