/**
 * Early messages: what has come on streams that have no channel yet. Of a negotiated channel the two ends do not make theirs
 * at one moment, and no OPEN says that it will come (RFC 8831 §6.5), so its first messages wait here: for our end of the
 * channel, for an OPEN that was overtaken, or for the gate `inboundOpen`. They count against the receive window meanwhile.
 */
import type { Bytes } from '../core/bytes.ts';

/** User data on a stream without a channel, as SCTP delivered it. */
export interface EarlyMessage {
  readonly ppid: number;
  readonly data: Bytes;
}

/** Of all streams together. */
export interface EarlyLimits {
  readonly maxEarlyMessages: number;
  /** Bytes of user data. */
  readonly maxEarlyBytes: number;
}

const NONE: readonly EarlyMessage[] = [];

/** The messages that wait for their channel, by stream, within the limits for all streams together. */
export class EarlyMessages {
  readonly #limits: EarlyLimits;
  readonly #byStream = new Map<number, EarlyMessage[]>();
  #count = 0;
  #bytes = 0;

  constructor(limits: EarlyLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(streamId: number): boolean {
    return this.#byStream.has(streamId);
  }

  /** False, and nothing is kept, beyond the limits. */
  keep(streamId: number, message: EarlyMessage): boolean {
    const bytes = this.#bytes + message.data.length;
    if (this.#count >= this.#limits.maxEarlyMessages || bytes > this.#limits.maxEarlyBytes) return false;
    const messages = this.#byStream.get(streamId);
    if (messages === undefined) this.#byStream.set(streamId, [message]);
    else messages.push(message);
    this.#count++;
    this.#bytes = bytes;
    return true;
  }

  /** What waits on the stream, in the order of arrival; it waits no longer. */
  take(streamId: number): readonly EarlyMessage[] {
    const messages = this.#byStream.get(streamId) ?? NONE;
    this.#byStream.delete(streamId);
    this.#count -= messages.length;
    for (const { data } of messages) this.#bytes -= data.length;
    return messages;
  }

  clear(): void {
    this.#byStream.clear();
    this.#count = 0;
    this.#bytes = 0;
  }
}
