/**
 * An `Rtc` on a pipe of messages, where there is no UDP socket: the datagrams of a turn travel as one message, each behind its length
 * in sixteen bits. Both ends of the bench use it, so it knows browsers and Node alike, and no `Rtc` of its own.
 */
import type { Rtc, RtcEvent } from '../../src/index.ts';

/** Datagrams taken in before a drain, as `UdpDriver` has it. */
const BATCH = 16;
const LENGTH_BYTES = 2;

/** Where an end of the pipe pretends to be. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** The worker's and the server's; nobody else is on the pipe. */
export const WORKER: Place = { address: '192.0.2.1', port: 1 };
export const SERVER: Place = { address: '192.0.2.2', port: 2 };

export interface Pipe {
  readonly local: Place;
  readonly remote: Place;
  /** Carries a message to the other end. */
  readonly post: (message: Uint8Array) => void;
}

export class PipedRtc {
  readonly rtc: Rtc;
  readonly #pipe: Pipe;
  readonly #onEvent: (event: RtcEvent) => void;
  #outbox: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onEvent may call the connection; what that brings leaves in the same turn. */
  constructor(rtc: Rtc, pipe: Pipe, onEvent: (event: RtcEvent) => void) {
    this.rtc = rtc;
    this.#pipe = pipe;
    this.#onEvent = onEvent;
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...pipe.local });
  }

  /** Takes in a message from the other end. */
  receive(message: Uint8Array): void {
    const { local: destination, remote: source } = this.#pipe;
    const now = performance.now();
    let count = 0;
    for (const data of unpack(message)) {
      this.rtc.handleInput({ type: 'receive', now, protocol: 'udp', source, destination, data, owned: true });
      if (++count % BATCH === 0) this.#drain();
    }
    this.#flush();
  }

  /** Lets out what calls from outside of `onEvent` have brought, and what is due. */
  wake(): void {
    this.rtc.handleInput({ type: 'timeout', now: performance.now() });
    this.#flush();
  }

  /** Ends the timer; the pipe is the caller's. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    const deadline = this.#drain();
    if (this.#outbox.length > 0) this.#pipe.post(pack(this.#outbox));
    this.#outbox = [];
    clearTimeout(this.#timer);
    if (deadline === Infinity) return;
    this.#timer = setTimeout(() => this.wake(), Math.max(0, Math.ceil(deadline - performance.now())));
  }

  /** @returns the deadline. */
  #drain(): number {
    for (;;) {
      const output = this.rtc.pollOutput();
      if (output.type === 'transmit') this.#outbox.push(output.data);
      else if (output.type === 'event') this.#onEvent(output.event);
      else return output.at;
    }
  }
}

function pack(datagrams: readonly Uint8Array[]): Uint8Array {
  const message = new Uint8Array(datagrams.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const datagram of datagrams) {
    message[at] = datagram.length >> 8;
    message[at + 1] = datagram.length;
    message.set(datagram, at + LENGTH_BYTES);
    at += LENGTH_BYTES + datagram.length;
  }
  return message;
}

/** Each in a buffer of its own, as a socket gives them. */
function* unpack(message: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < message.length;) {
    const start = at + LENGTH_BYTES;
    at = start + ((message[at]! << 8) | message[at + 1]!);
    yield new Uint8Array(message.subarray(start, at));
  }
}
