/**
 * The port to an SCTP association: what data channels need of it, and no more, so that a test's fake has this shape as well;
 * and the DCEP messages that wait until it has room for them.
 */
import type { Bytes } from '../core/bytes.ts';
import type { SctpAssociation } from '../sctp/index.ts';
import type { ChannelState } from './data-channel.ts';
import { Ppid } from './payload.ts';

/** An SCTP association, as its data channels see it. */
export type SctpPort = Pick<SctpAssociation, 'retainsMessages'> &
  Readonly<
    Pick<
      SctpAssociation,
      | 'state'
      | 'outboundStreams'
      | 'maxMessageSize'
      | 'send'
      | 'resetStreams'
      | 'discard'
      | 'ignore'
      | 'bufferedAmount'
      | 'setBufferedAmountLowThreshold'
      | 'setPriority'
      | 'release'
      | 'peerSilentFor'
    >
  >;

/**
 * False once the association is over or on its way down, while events from before may still come out of it: it takes
 * nothing more, and its `closed` event will close the channels.
 */
export function acceptsData(port: SctpPort): boolean {
  return port.state !== 'closed' && !port.state.startsWith('shutdown');
}

interface Control {
  readonly data: Bytes;
  /** The channel whose OPEN it is; `undefined` for an ACK. */
  readonly opening: ChannelState | undefined;
}

/**
 * DCEP messages on their way to the association. Mostly they pass straight through; when its send buffer is full they
 * wait here, in order, for the next flush. One a stream at the most: an OPEN or an ACK.
 */
export class ControlQueue {
  readonly #port: SctpPort;
  /** How many wait. */
  size = 0;
  readonly #waiting = new Map<number, Control>();

  constructor(port: SctpPort) {
    this.#port = port;
  }

  /** @param opening the channel that is `opening` from when its OPEN is on its way. */
  send(streamId: number, data: Bytes, opening?: ChannelState): void {
    this.#waiting.set(streamId, { data, opening });
    this.size = this.#waiting.size;
    this.flush();
  }

  /** Hands the association what it has room for. */
  flush(): void {
    if (this.size === 0 || !acceptsData(this.#port)) return;
    for (const [streamId, { data, opening }] of this.#waiting) {
      // RFC 8832 §6: reliable and ordered, whatever the channel is.
      if (!this.#port.send(streamId, { ppid: Ppid.dcep, data })) return;
      this.drop(streamId);
      if (opening !== undefined) opening.phase = 'opening';
    }
  }

  /** Forgets what waits for the stream. */
  drop(streamId: number): void {
    this.#waiting.delete(streamId);
    this.size = this.#waiting.size;
  }

  clear(): void {
    this.#waiting.clear();
    this.size = 0;
  }
}
