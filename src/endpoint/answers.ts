/**
 * Answers awaited: which connection a STUN response is for. It carries no name, so its transaction id must do, and that
 * tells it in one look-up however many connections have asked one address.
 *
 *   check sent ──▶ latest ──30 s──▶ earlier ──30 s──▶ forgotten          answer verified: forgotten at once
 *
 * Nothing is held of a connection but its number, and of a check but half of its random bits: the agent
 * itself judges the answer. Each agent paces its checks, so what one connection adds in a minute has an end.
 */
import { readU16, readU32 } from '../core/bytes.ts';

/** An answer counts until consent has expired (RFC 7675 §5.1): at least so long is a check remembered. Milliseconds. */
const REMEMBERED = 30_000;

/** Where the transaction id begins (RFC 8489 §5). */
const TRANSACTION_ID = 8;

/**
 * The checks of all connections that are not answered yet, forgotten after 30 to 60 s. Nothing here is authenticated: what it
 * names is a guess, which the agent of that connection judges.
 */
export class AwaitedAnswers {
  #latest = new Map<number, number>();
  #earlier = new Map<number, number>();
  #since = -Infinity;

  get size(): number {
    return this.#latest.size + this.#earlier.size;
  }

  /** @param request a STUN request of the connection with the number `asker`, on its way to `port` */
  expect(request: Uint8Array, port: number, asker: number, now: number): void {
    this.#age(now);
    this.#latest.set(keyOf(request, port), asker);
  }

  /** Whose check `response`, a STUN message from `port`, says it answers: its number. */
  find(response: Uint8Array, port: number): number | undefined {
    const id = keyOf(response, port);
    return this.#latest.get(id) ?? this.#earlier.get(id);
  }

  /** `response` has been verified. (One that has not may be forged, and the true one still under way.) */
  forget(response: Uint8Array, port: number): void {
    const id = keyOf(response, port);
    this.#latest.delete(id);
    this.#earlier.delete(id);
  }

  /** Nobody is here any more. */
  clear(): void {
    this.#latest.clear();
    this.#earlier.clear();
  }

  #age(now: number): void {
    const age = now - this.#since;
    if (age < REMEMBERED) return;
    this.#earlier = age < 2 * REMEMBERED ? this.#latest : new Map<number, number>();
    this.#latest = new Map<number, number>();
    this.#since = now;
  }
}

/** The remote port is mixed in: connections that a test has made from one seed draw the same transaction ids. */
function keyOf(message: Uint8Array, port: number): number {
  return readU16(message, TRANSACTION_ID) * 2 ** 32 + ((readU32(message, TRANSACTION_ID + 2) ^ port) >>> 0);
}
