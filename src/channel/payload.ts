/**
 * Payload: what users send and receive, as SCTP messages (RFC 8831 §6.6): the payload protocol identifier says whether bytes
 * are text or binary, and stands in for the empty message, which SCTP cannot carry.
 */
import type { ByteSource, Bytes } from '../core/bytes.ts';
import { NO_BYTES, bytesOf } from '../core/bytes.ts';
import { badArgument } from '../core/errors.ts';
import { decodeUtf8, encodeUtf8 } from '../core/text.ts';

/** RFC 8831 §8: payload protocol identifiers. The partial ones are deprecated: understood, never sent. */
export const Ppid = {
  dcep: 50,
  text: 51,
  partialBinary: 52,
  binary: 53,
  partialText: 54,
  emptyText: 56,
  emptyBinary: 57,
} as const;

/** True for what applications say to each other, whole or in pieces. */
export function isUserData(ppid: number): boolean {
  return ppid !== Ppid.dcep && USER_DATA.has(ppid);
}

const USER_DATA: ReadonlySet<number> = new Set(Object.values(Ppid));

/** A message as SCTP carries it: its payload protocol identifier and its bytes. */
export interface Payload {
  readonly ppid: number;
  readonly data: Uint8Array;
}

/** A message as W3C's `RTCDataChannel.send` takes it: text, or bytes in any shape. */
export type MessageData = string | ByteSource;

/** Text, or the bytes of a message by reference. Throws `ERR_BAD_ARGUMENT` for what is neither. */
export function checkedData(data: MessageData): string | Uint8Array {
  if (typeof data === 'string') return data;
  const bytes = bytesOf(data);
  if (bytes === undefined) throw badArgument('data', 'a string, a buffer or a view of one', data);
  return bytes;
}

/** A user message as SCTP carries it, binary data by reference; `undefined` for one of more than `maxSize` bytes. */
export function toPayload(data: string | Uint8Array, maxSize: number): Payload | undefined {
  // A character is a byte or more: what is too long as text need not be encoded to say so.
  if (data.length > maxSize) return undefined;
  const payload = payloadOf(data);
  return payload.data.length > maxSize ? undefined : payload;
}

function payloadOf(data: string | Uint8Array): Payload {
  // RFC 8831 §6.6: an empty message is one zero byte under a PPID of its own.
  if (typeof data === 'string') {
    return data === ''
      ? { ppid: Ppid.emptyText, data: new Uint8Array(1) }
      : { ppid: Ppid.text, data: encodeUtf8(data) };
  }
  return data.length === 0
    ? { ppid: Ppid.emptyBinary, data: new Uint8Array(1) }
    : { ppid: Ppid.binary, data };
}

/** What a received piece of user data amounts to; `size` and `held` in bytes: of the message, and of the `pieces` it came in. */
export type Received =
  | {
      readonly type: 'message';
      readonly data: string | Bytes;
      readonly size: number;
      readonly held: number;
      readonly pieces: number;
    }
  | { readonly type: 'incomplete' }
  | { readonly type: 'violation'; readonly reason: 'unknown-ppid' | 'mixed-partial' | 'message-too-large' };

type Kind = 'text' | 'binary';

interface Partial {
  readonly kind: Kind;
  readonly pieces: Bytes[];
  bytes: number;
  /** Bytes of the pieces as they came: one, of an empty piece. */
  held: number;
}

const INCOMPLETE: Received = Object.freeze({ type: 'incomplete' });

/**
 * Turns arriving payloads into user messages. It holds something only for peers from before 2013, which cut long messages
 * into partial ones: all but the last piece under 52 or 54, the last under 53 or 51. What it holds counts against the receive
 * window: its caller releases no piece before the message has been read or dropped.
 */
export class PayloadReader {
  readonly #maxSize: number;
  #partial: Partial | undefined;

  /** @param maxSize bytes that the pieces of one message may add up to. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** `data` becomes the message's own where it is the whole of one. A piece that is a violation is not held. */
  read(ppid: number, data: Bytes): Received {
    switch (ppid) {
      case Ppid.text:
        return this.#last('text', data);
      case Ppid.binary:
        return this.#last('binary', data);
      case Ppid.emptyText:
        return this.#last('text', NO_BYTES, data.length);
      case Ppid.emptyBinary:
        return this.#last('binary', NO_BYTES, data.length);
      case Ppid.partialText:
        return this.#piece('text', data, data.length);
      case Ppid.partialBinary:
        return this.#piece('binary', data, data.length);
      default:
        return { type: 'violation', reason: 'unknown-ppid' };
    }
  }

  /** Forgets the pieces of a message that is not whole; what has been held. */
  drop(): { readonly bytes: number; readonly pieces: number } {
    const dropped = { bytes: this.#partial?.held ?? 0, pieces: this.#partial?.pieces.length ?? 0 };
    this.#partial = undefined;
    return dropped;
  }

  #piece(kind: Kind, data: Bytes, held: number): Received {
    this.#partial ??= { kind, pieces: [], bytes: 0, held: 0 };
    const partial = this.#partial;
    if (partial.kind !== kind) return { type: 'violation', reason: 'mixed-partial' };
    if (partial.bytes + data.length > this.#maxSize) {
      return { type: 'violation', reason: 'message-too-large' };
    }
    partial.pieces.push(data);
    partial.bytes += data.length;
    partial.held += held;
    return INCOMPLETE;
  }

  #last(kind: Kind, data: Bytes, length = data.length): Received {
    if (this.#partial === undefined) return message(kind, data, length, 1);
    const piece = this.#piece(kind, data, length);
    if (piece.type === 'violation') return piece;
    const { bytes, held, pieces } = this.#partial;
    this.#partial = undefined;
    return message(kind, joined(pieces, bytes), held, pieces.length);
  }
}

function joined(pieces: readonly Bytes[], length: number): Bytes {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function message(kind: Kind, data: Bytes, held: number, pieces: number): Received {
  return {
    type: 'message',
    data: kind === 'text' ? decodeUtf8(data) : data,
    size: data.length,
    held,
    pieces,
  };
}
