/** Sender: the handle of a stream that this end sends, the same for as long as its media, or its encoding, lives. */
import type { DtmfOptions, OutgoingPacket, RtpSender, SenderCall } from '../contract.ts';
import type { SentStream } from './stream.ts';

/** Who is told of calls. */
export interface SenderOwner {
  onSenderCall: ((sender: RtpSender, call: SenderCall) => void) | undefined;
  /** A call has been made on a sender of this stream. */
  handleCall(stream: SentStream): void;
}

/** A stream, as its host holds it. */
export class Sender implements RtpSender {
  readonly #stream: SentStream;
  readonly #owner: SenderOwner;

  constructor(stream: SentStream, owner: SenderOwner) {
    this.#stream = stream;
    this.#owner = owner;
  }

  get mediaId(): number {
    return this.#stream.mediaId;
  }

  get rid(): string | undefined {
    return this.#stream.rid;
  }

  get ssrc(): number {
    return this.#stream.source.ssrc;
  }

  get isWritable(): boolean {
    return this.#stream.isWritable;
  }

  get bufferedAmount(): number {
    return this.#stream.bufferedAmount;
  }

  write(packet: OutgoingPacket): boolean {
    const result = this.#stream.write(packet);
    const owner = this.#owner;
    if (owner.onSenderCall !== undefined) owner.onSenderCall(this, { method: 'writeRtp', packet, result });
    owner.handleCall(this.#stream);
    return result;
  }

  writeDtmf(tones: string, options: DtmfOptions = {}): boolean {
    const result = this.#stream.writeDtmf(tones, options);
    this.#owner.onSenderCall?.(this, { method: 'writeDtmf', tones, options, result });
    this.#owner.handleCall(this.#stream);
    return result;
  }
}
