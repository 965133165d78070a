/**
 * Control chunks that wait for the next packet. What is sent again and again is a flag, encoded when it goes out, so
 * that missed polls cannot pile it up; answers to the peer are queued, within a bound.
 */
import type { Bytes } from '../../core/bytes.ts';
import { BoundedQueue } from '../../core/queue.ts';

/** Answers waiting at once, at the most: what a flood of requests gets per drain. */
const MAX_REPLIES = 16;

/** SACKs set aside, at the most: twice what a driver takes from its socket at once. */
const MAX_SACKS = 16;

/** A packet of its own: one chunk under a verification tag that need not be the association's. */
export interface LonePacket {
  readonly tag: number;
  readonly chunk: Bytes;
}

/** What waits for the next packet, apart from data and SACKs that go with it. */
export class Outbox {
  init = false;
  cookieEcho = false;
  cookieAck = false;
  heartbeat = false;
  reconfig = false;
  shutdown = false;
  shutdownAck = false;
  /** INIT ACKs and what else must stand alone (RFC 9260 §6.10). */
  readonly lone: BoundedQueue<LonePacket> = new BoundedQueue<LonePacket>(MAX_REPLIES);
  /**
   * SACKs as they were when the packet after theirs came. RFC 9260 §6.7 wants one at once for each packet over a gap: the
   * peer counts them, and sends again what three have missed.
   */
  readonly sacks: BoundedQueue<Bytes> = new BoundedQueue<Bytes>(MAX_SACKS);
  /** HEARTBEAT ACKs, ERRORs, RE-CONFIG responses. */
  readonly replies: BoundedQueue<Bytes> = new BoundedQueue<Bytes>(MAX_REPLIES);
  /** The last packet of a closed association. */
  farewell: LonePacket | undefined;

  /** Forgets everything but the farewell. */
  clear(): void {
    this.init = false;
    this.cookieEcho = false;
    this.cookieAck = false;
    this.heartbeat = false;
    this.reconfig = false;
    this.shutdown = false;
    this.shutdownAck = false;
    this.lone.clear();
    this.sacks.clear();
    this.replies.clear();
  }
}
