/**
 * Events on their way to the application. A message counts against the association's receive window until it is taken
 * here; those of a paused channel wait in its state, in front of this queue.
 */
import type { Bytes } from '../core/bytes.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { ChannelState } from './data-channel.ts';
import type { ChannelEvent } from './events.ts';
import type { SctpPort } from './port.ts';

export class EventQueue {
  readonly #port: SctpPort;
  /** Bounded by its causes: an event of the association, a gate or a call makes a few for each channel it concerns. */
  readonly #events = new BoundedQueue<ChannelEvent>(Infinity);
  /** What each `message` event among them takes of the receive window, in bytes. */
  readonly #held = new BoundedQueue<number>(Infinity);

  constructor(port: SctpPort) {
    this.#port = port;
  }

  get size(): number {
    return this.#events.size;
  }

  push(event: Exclude<ChannelEvent, { type: 'message' }>): void {
    this.#events.push(event);
  }

  /** @param held bytes the message takes of the window. */
  pushMessage(state: ChannelState, data: string | Bytes, held: number): void {
    if (state.isPaused) {
      state.unread.push({ data, held });
      return;
    }
    this.#held.push(held);
    this.#events.push({ type: 'message', channel: state.handle, data });
  }

  shift(): ChannelEvent | undefined {
    const event = this.#events.shift();
    if (event?.type === 'message') this.#port.release(this.#held.shift() ?? 0);
    return event;
  }

  /** What has waited comes out, and nothing waits any more. */
  resume(state: ChannelState): void {
    const { unread } = state;
    state.isPaused = false;
    state.unread = [];
    for (const { data, held } of unread) this.pushMessage(state, data, held);
  }

  /** What has waited is released unseen; how many messages that were. */
  dropUnread(state: ChannelState): number {
    const { unread } = state;
    state.unread = [];
    for (const { held } of unread) this.#port.release(held);
    return unread.length;
  }
}
