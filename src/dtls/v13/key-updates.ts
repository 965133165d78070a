/**
 * KeyUpdate (RFC 8446 §4.6.3): one byte, whether the other side is asked to change its keys too. And the bounds of the peer's
 * (RFC 9147 §8): one at a time, and so many in a minute, for each costs us a hundred times what its bytes do. What is done
 * with either end's stands in session.ts.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

const MALFORMED = decodeFailure('key-update-malformed');

/** request_update: 1 if an answer is asked for, 0 if not; any other byte is for the reader to refuse. */
export function decodeKeyUpdate(body: Uint8Array): number | DecodeFailure {
  const [request] = body;
  return body.length !== 1 || request === undefined ? MALFORMED : request;
}

/** The body of a KeyUpdate. */
export function encodeKeyUpdate(requestPeer: boolean): Bytes {
  return Uint8Array.of(requestPeer ? 1 : 0);
}

const MINUTE = 60_000;

/** The peer's KeyUpdates: as many as are allowed in a minute may come at once, and no more than that in the long run. */
export class PeerKeyUpdates {
  readonly perMinute: number;
  left: number;
  /** When `left` was counted last, in ms. */
  countedAt: number = -Infinity;
  /** True from a KeyUpdate to the ACK that lets the peer use its new keys: before that it must not send another. */
  unacknowledged = false;

  constructor(perMinute: number) {
    this.perMinute = perMinute;
    this.left = perMinute;
  }

  /** True if another one may be taken at `now`. */
  mayTake(now: number): boolean {
    const earned = ((now - this.countedAt) * this.perMinute) / MINUTE;
    this.left = Math.min(this.perMinute, this.left + earned);
    this.countedAt = now;
    return this.left >= 1;
  }

  /** One has been taken. */
  take(now: number): void {
    if (this.mayTake(now)) this.left--;
    this.unacknowledged = true;
  }
}
