/**
 * Permissions: which IP addresses of peers the server lets through (RFC 8656 §9), and what waits for that.
 *
 *     nobody ──send──▶ asked ──success──▶ installed ──240 s, and used since──▶ asked again, installed meanwhile
 *                        │ error, timeout       └──300 s──▶ nobody
 *                        ▼
 *                     refused ──refusalTimeout──▶ nobody
 */
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';

/** How long a permission lasts (RFC 8656 §9). Milliseconds. */
export const PERMISSION_LIFETIME = 300_000;
/** When it is asked for again. Milliseconds after it was asked for. */
const PERMISSION_REFRESH = 240_000;

/** One IP address. Times in milliseconds. */
export interface Permission {
  readonly address: string;
  /** A CreatePermission is on its way. */
  isAsked: boolean;
  /** Until when the server lets it through; -Infinity: it does not. */
  expiresAt: number;
  /** When it is asked for again, if it is used; meaningless while it is not installed. */
  refreshAt: number;
  /** Until when it is left alone; -Infinity: it is not refused. */
  refusedUntil: number;
  /** When something was last sent to it or came from it. */
  usedAt: number;
}

/** A datagram that waits for a permission, or for the allocation. */
export interface Waiting {
  readonly peer: TransportAddress;
  readonly data: Bytes;
}

/** The permissions of one allocation, and the datagrams that wait for them, oldest first. */
export class Permissions {
  readonly #byAddress = new Map<string, Permission>();
  readonly #capacity: number;
  readonly #maxWaiting: number;
  #waiting: Waiting[] = [];

  constructor(capacity: number, maxWaiting: number) {
    this.#capacity = capacity;
    this.#maxWaiting = maxWaiting;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  /** Datagrams that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  find(address: string): Permission | undefined {
    return this.#byAddress.get(address);
  }

  all(): Iterable<Permission> {
    return this.#byAddress.values();
  }

  /**
   * A new one, to be asked for. Where there is no room the one not used for longest goes, but none that is on its way.
   * @returns `undefined`: all are on their way
   */
  add(address: string, now: number): Permission | undefined {
    if (this.#byAddress.size >= this.#capacity && !this.#evict()) return undefined;
    const permission: Permission = {
      address,
      isAsked: true,
      expiresAt: -Infinity,
      refreshAt: Infinity,
      refusedUntil: -Infinity,
      usedAt: now,
    };
    this.#byAddress.set(address, permission);
    return permission;
  }

  #evict(): boolean {
    let oldest: Permission | undefined;
    for (const permission of this.#byAddress.values()) {
      if (permission.isAsked) continue;
      if (oldest === undefined || permission.usedAt < oldest.usedAt) oldest = permission;
    }
    if (oldest === undefined) return false;
    this.#byAddress.delete(oldest.address);
    return true;
  }

  /** The server has answered yes. @param sentAt when it was asked: its clock runs from there at the earliest */
  install(permission: Permission, sentAt: number): void {
    permission.isAsked = false;
    permission.expiresAt = sentAt + PERMISSION_LIFETIME;
    permission.refreshAt = sentAt + PERMISSION_REFRESH;
    permission.refusedUntil = -Infinity;
  }

  /** Asking came to nothing. One that is still installed is asked for again at `retryAt`; one that is not is left alone until then. */
  refuse(permission: Permission, now: number, retryAt: number): void {
    permission.isAsked = false;
    if (permission.expiresAt > now) permission.refreshAt = retryAt;
    else permission.refusedUntil = retryAt;
  }

  /** Ends what is over, and answers those to be asked for again, which count as asked from here on; none unless `mayAsk`. */
  takeDue(now: number, mayAsk: boolean): Permission[] {
    const due: Permission[] = [];
    for (const permission of this.#byAddress.values()) {
      const { address, isAsked, expiresAt, refreshAt, refusedUntil, usedAt } = permission;
      if (isAsked) continue;
      if (expiresAt <= now && refusedUntil <= now) {
        this.#byAddress.delete(address);
      } else if (expiresAt > now && refreshAt <= now) {
        // Who was neither sent to nor heard since is let go.
        permission.refreshAt = Infinity;
        if (!mayAsk || usedAt <= expiresAt - PERMISSION_LIFETIME) continue;
        permission.isAsked = true;
        due.push(permission);
      }
    }
    return due;
  }

  /** When one is to be asked for, or ends. */
  nextTimeout(now: number): number {
    let at = Infinity;
    for (const { isAsked, expiresAt, refreshAt, refusedUntil } of this.#byAddress.values()) {
      if (isAsked) continue;
      at = Math.min(at, expiresAt > now ? Math.min(refreshAt, expiresAt) : refusedUntil);
    }
    return at;
  }

  /** Puts a datagram at the end of those that wait. @returns false: the oldest had to go for it */
  wait(waiting: Waiting): boolean {
    this.#waiting.push(waiting);
    if (this.#waiting.length <= this.#maxWaiting) return true;
    this.#waiting.shift();
    return false;
  }

  /** Takes out the datagrams that wait for `address`; for all of them without one. */
  takeWaiting(address?: string): Waiting[] {
    const taken = this.#waiting.filter(({ peer }) => address === undefined || peer.address === address);
    this.#waiting = this.#waiting.filter(({ peer }) => address !== undefined && peer.address !== address);
    return taken;
  }

  clear(): void {
    this.#byAddress.clear();
    this.#waiting = [];
  }
}
