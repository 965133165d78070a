/**
 * Channels: numbers that stand for peers, so that their data needs four bytes of header (RFC 8656 §12).
 *
 *     nobody ──data that is not STUN──▶ asked ──success──▶ bound ──540 s, and used since──▶ asked again, bound meanwhile
 *                                         │ error, timeout   └──600 s──▶ cooling ──300 s──▶ nobody; its number may be used again
 *                                         ▼                                 └──wanted──▶ asked, with the same number
 *                                      refused, for good: the peer's data goes by Send indications
 *
 * Numbers that were never used come first, so that a number hardly ever means another peer than it once did.
 */
import type { TransportAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
import { FIRST_CHANNEL, LAST_CHANNEL } from './channel-data.ts';

/** How long a binding lasts (RFC 8656 §12). Milliseconds. */
export const CHANNEL_LIFETIME = 600_000;
/** When it is asked for again. Milliseconds after it was asked for. */
const CHANNEL_REFRESH = 540_000;
/** How long after its end neither number nor peer may be bound otherwise (§12). Milliseconds. */
export const CHANNEL_COOLING = 300_000;

/** One peer's. Times in milliseconds. */
export interface Channel {
  readonly number: number;
  readonly peer: TransportAddress;
  /** A ChannelBind is on its way. */
  isAsked: boolean;
  /** The server does not want it. */
  isRefused: boolean;
  /** Until when it is bound; -Infinity: it has never been. */
  expiresAt: number;
  /** When it is asked for again, if it is used; meaningless while it is not bound. */
  refreshAt: number;
  /** Before then it is not asked for again. */
  retryAt: number;
  /** When something was last sent or came by it. */
  usedAt: number;
}

/** The channels of one allocation. */
export class Channels {
  readonly #byNumber = new Map<number, Channel>();
  readonly #byPeer = new Map<string, Channel>();
  readonly #capacity: number;
  #nextNumber = FIRST_CHANNEL;
  /** Numbers that have cooled, those that did first first. */
  readonly #free: number[] = [];

  /** @param capacity how many at once, cooling ones too */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  all(): Iterable<Channel> {
    return this.#byNumber.values();
  }

  ofPeer(peer: TransportAddress): Channel | undefined {
    return this.#byPeer.get(formatAddress(peer));
  }

  ofNumber(number: number): Channel | undefined {
    return this.#byNumber.get(number);
  }

  /** A new one, to be asked for. @returns `undefined` when there is no room, or no number */
  add(peer: TransportAddress, now: number): Channel | undefined {
    if (this.#byNumber.size >= this.#capacity) return undefined;
    const number = this.#nextNumber <= LAST_CHANNEL ? this.#nextNumber++ : this.#free.shift();
    if (number === undefined) return undefined;
    const { address, port } = peer;
    const channel: Channel = {
      number,
      peer: { address, port },
      isAsked: true,
      isRefused: false,
      expiresAt: -Infinity,
      refreshAt: Infinity,
      retryAt: -Infinity,
      usedAt: now,
    };
    this.#byNumber.set(number, channel);
    this.#byPeer.set(formatAddress(peer), channel);
    return channel;
  }

  /** The server has bound it. @param sentAt when it was asked: its clock runs from there at the earliest */
  bind(channel: Channel, sentAt: number): void {
    channel.isAsked = false;
    channel.expiresAt = sentAt + CHANNEL_LIFETIME;
    channel.refreshAt = sentAt + CHANNEL_REFRESH;
  }

  /** The server does not want it: it is kept, so that it is not asked again, and its number is not used for another peer. */
  refuse(channel: Channel): void {
    channel.isAsked = false;
    channel.isRefused = true;
    channel.expiresAt = -Infinity;
  }

  /** Asking came to nothing; it is asked again at `retryAt` while it is bound, and where it is not, once it is wanted. */
  giveUp(channel: Channel, now: number, retryAt: number): void {
    channel.isAsked = false;
    channel.retryAt = retryAt;
    if (channel.expiresAt > now) channel.refreshAt = retryAt;
    // The server may have heard, and bound it: that is as if it had been bound until now.
    else channel.expiresAt = Math.max(channel.expiresAt, now);
  }

  /** Ends what has cooled, and answers those to be asked for again, which count as asked from here on; none unless `mayAsk`. */
  takeDue(now: number, mayAsk: boolean): Channel[] {
    const due: Channel[] = [];
    for (const channel of this.#byNumber.values()) {
      const { isAsked, isRefused, expiresAt, refreshAt, usedAt } = channel;
      if (isAsked || isRefused) continue;
      if (expiresAt + CHANNEL_COOLING <= now) {
        this.#remove(channel);
      } else if (expiresAt > now && refreshAt <= now) {
        channel.refreshAt = Infinity;
        // What is not used is left to expire.
        if (!mayAsk || usedAt <= expiresAt - CHANNEL_LIFETIME) continue;
        channel.isAsked = true;
        due.push(channel);
      }
    }
    return due;
  }

  #remove({ number, peer }: Channel): void {
    this.#byNumber.delete(number);
    this.#byPeer.delete(formatAddress(peer));
    this.#free.push(number);
  }

  /** When one is to be asked for, ends, or has cooled. */
  nextTimeout(now: number): number {
    let at = Infinity;
    for (const { isAsked, isRefused, expiresAt, refreshAt } of this.#byNumber.values()) {
      if (isAsked || isRefused) continue;
      at = Math.min(at, expiresAt + CHANNEL_COOLING);
      if (expiresAt > now) at = Math.min(at, refreshAt, expiresAt);
    }
    return at;
  }

  clear(): void {
    this.#byNumber.clear();
    this.#byPeer.clear();
  }
}

/** True when data may go by it. */
export function isBound({ expiresAt }: Channel, now: number): boolean {
  return expiresAt > now;
}
