/**
 * Events on their way to the application. A message has a place here among them, and waits in its channel's `unread` until the
 * place comes up: a channel that was paused meanwhile keeps it, one that was closed has dropped it. It counts against the
 * association's receive window until it is taken.
 */
import type { Bytes } from '../core/bytes.ts';
import { BoundedQueue } from '../core/queue.ts';
import { ChannelState } from './data-channel.ts';
import type { SctpTransportEvent } from './events.ts';
import type { SctpPort } from './port.ts';

/** Anything but messages; those of the association's owner have their place here, too. */
type OtherEvent = Exclude<SctpTransportEvent, { type: 'message' }>;

/** The events that wait for `pollEvent`, in their order. */
export class EventQueue {
  #port: SctpPort;
  /** How many places are from the time of another association: what is taken there counts against nothing any more. */
  #former = 0;
  /**
   * Events, and for each message its channel. Bounded by its causes: an event of the association, a gate or a call makes a few
   * for each channel it concerns, and the receive window bounds messages.
   */
  readonly #places = new BoundedQueue<OtherEvent | ChannelState>(Infinity);

  constructor(port: SctpPort) {
    this.#port = port;
  }

  /** How many may come out: messages that are kept back meanwhile do not. */
  get size(): number {
    return this.#places.size;
  }

  /** The messages that are pushed from now on are of another association. */
  attach(port: SctpPort): void {
    this.#port = port;
    this.#former = this.#places.size;
  }

  push(event: OtherEvent): void {
    this.#places.push(event);
  }

  /** @param held bytes the message takes of the window. */
  pushMessage(state: ChannelState, data: string | Bytes, held: number): void {
    state.unread.push({ data, held });
    if (!state.isPaused) this.#place(state);
  }

  shift(): SctpTransportEvent | undefined {
    for (let next = this.#places.shift(); next !== undefined; next = this.#places.shift()) {
      const isFormer = this.#former > 0;
      if (isFormer) this.#former--;
      if (!(next instanceof ChannelState)) return next;
      next.placed--;
      const message = next.isPaused ? undefined : next.unread.shift();
      if (message === undefined) continue;
      if (!isFormer) this.#port.release(message.held);
      return { type: 'message', channel: next.handle, data: message.data };
    }
    return undefined;
  }

  /** What has waited comes out, and nothing waits any more. */
  resume(state: ChannelState): void {
    state.isPaused = false;
    while (state.placed < state.unread.size) this.#place(state);
  }

  /** What has not been taken is released unseen; how many messages that were. */
  dropUnread(state: ChannelState): number {
    const count = state.unread.size;
    for (let message = state.unread.shift(); message !== undefined; message = state.unread.shift()) {
      this.#port.release(message.held);
    }
    return count;
  }

  #place(state: ChannelState): void {
    state.placed++;
    this.#places.push(state);
  }
}
