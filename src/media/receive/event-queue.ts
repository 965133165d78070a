/**
 * MediaEventQueue: what media have to tell, in its order, until the host takes it.
 *
 * What a peer can cause at will (packets, reports, requests) finds no room once the host does not keep up, and is dropped by
 * who tells it, with a counter. What marks the life of a stream is never lost: of that there is no more than of streams, for a
 * stream neither begins nor goes on without room for its packets.
 */
import { BoundedQueue } from '../../core/queue.ts';
import type { MediaStreamEvent } from '../contract.ts';

/** Events of media, bounded by their number and by the bytes of the packets in them. */
export class MediaEventQueue extends BoundedQueue<MediaStreamEvent> {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param limits `maxQueuedPackets` events, and `maxQueuedBytes` of the packets among them */
  constructor(limits: { readonly maxQueuedPackets: number; readonly maxQueuedBytes: number }) {
    super(Infinity);
    this.#maxEvents = limits.maxQueuedPackets;
    this.#maxBytes = limits.maxQueuedBytes;
  }

  /** Bytes of the packets that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `push` takes another event. */
  get hasRoom(): boolean {
    return this.size < this.#maxEvents && this.#bytes < this.#maxBytes;
  }

  /** Appends what a peer can cause at will; false, and nothing has changed, when there is no room. */
  override push(event: MediaStreamEvent): boolean {
    if (!this.hasRoom) return false;
    this.#bytes += bytesOf(event);
    return super.push(event);
  }

  /** Appends what marks the life of a stream, room or not. */
  pushAlways(event: Exclude<MediaStreamEvent, { readonly type: 'rtp' | 'rtcp' }>): void {
    super.push(event);
  }

  override shift(): MediaStreamEvent | undefined {
    const event = super.shift();
    if (event !== undefined) this.#bytes -= bytesOf(event);
    return event;
  }

  override clear(): void {
    super.clear();
    this.#bytes = 0;
  }
}

/** Of the packet in it: RTP, or RTCP of an application's own. */
function bytesOf(event: MediaStreamEvent): number {
  if (event.type === 'rtp') return event.packet.bytes.length;
  return event.type === 'rtcp' ? event.packet.data.length : 0;
}
