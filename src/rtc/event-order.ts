/**
 * The order of events: those of all layers come out in the order of their causes.
 *
 * Events of channels stay in the channels until they are polled, for a message counts against the receive window until the
 * host takes it. Here each has a place among the others.
 */
import type { DataChannels } from '../channel/index.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { RtcEvent } from './contract.ts';

/** The place of an event that waits in the channels. */
const CHANNEL_EVENT = 'channel-event';

export class EventOrder {
  readonly #channels: DataChannels;
  // Bounded by what the layers' own queues let through.
  readonly #places = new BoundedQueue<RtcEvent | typeof CHANNEL_EVENT>(Infinity);
  #placed = 0;

  constructor(channels: DataChannels) {
    this.#channels = channels;
  }

  get size(): number {
    return this.#places.size;
  }

  push(event: RtcEvent): void {
    this.#places.push(event);
  }

  /** Places what has come to wait in the channels, behind everything that is here. */
  placeChannelEvents(): void {
    for (; this.#placed < this.#channels.queuedEvents; this.#placed++) this.#places.push(CHANNEL_EVENT);
  }

  shift(): RtcEvent | undefined {
    if (this.#places.size === 0) this.placeChannelEvents();
    for (let event = this.#places.shift(); event !== undefined; event = this.#places.shift()) {
      if (event !== CHANNEL_EVENT) return event;
      this.#placed--;
      const channelEvent = this.#channels.pollEvent();
      // The channels may have taken an event back: a message, as its channel was paused.
      if (channelEvent !== undefined) return channelEvent;
    }
    return undefined;
  }
}
