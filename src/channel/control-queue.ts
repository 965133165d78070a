/**
 * DCEP messages on their way to the association. Mostly they pass straight through; when its send buffer is full they
 * wait here, in order, for the next flush. One a stream at the most: an OPEN or an ACK.
 */
import type { Bytes } from '../core/bytes.ts';
import type { ChannelState } from './data-channel.ts';
import { Ppid } from './payload.ts';
import type { SctpPort } from './port.ts';
import { acceptsData } from './port.ts';

interface Control {
  readonly data: Bytes;
  /** The channel whose OPEN it is; `undefined` for an ACK. */
  readonly opening: ChannelState | undefined;
}

export class ControlQueue {
  readonly #port: SctpPort;
  readonly #waiting = new Map<number, Control>();

  constructor(port: SctpPort) {
    this.#port = port;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @param opening the channel that is `opening` from when its OPEN is on its way. */
  send(streamId: number, data: Bytes, opening?: ChannelState): void {
    this.#waiting.set(streamId, { data, opening });
    this.flush();
  }

  /** Hands the association what it has room for. */
  flush(): void {
    if (this.#waiting.size === 0 || !acceptsData(this.#port)) return;
    for (const [streamId, { data, opening }] of this.#waiting) {
      // RFC 8832 §6: reliable and ordered, whatever the channel is.
      if (!this.#port.send(streamId, { ppid: Ppid.dcep, data })) return;
      this.#waiting.delete(streamId);
      if (opening !== undefined) opening.phase = 'opening';
    }
  }

  /** What has not left for a stream never will. */
  drop(streamId: number): void {
    this.#waiting.delete(streamId);
  }

  clear(): void {
    this.#waiting.clear();
  }
}
