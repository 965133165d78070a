/**
 * MemoryBudget: what the connections of an endpoint may hold together, and who has to go when they hold more.
 *
 * Each connection bounds what it holds; ten thousand of them at once may still hold more than there is. The one that holds
 * most goes, whoever was the last to add something: no peer can make another one pay by holding a little.
 */
import type { Failure } from '../core/errors.ts';

/** A connection as the budget knows it. */
export interface Holder {
  /** Bytes, when it was last asked. */
  held: number;
}

/** The sum of what all members hold, against one limit, in bytes. */
export class MemoryBudget<Member extends Holder> {
  /** Bytes that all of them hold. */
  total = 0;
  readonly #limit: number;

  /** @param limit bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isExceeded(): boolean {
    return this.total > this.#limit;
  }

  note(member: Member, bytes: number): void {
    this.total += bytes - member.held;
    member.held = bytes;
  }

  /** Whoever holds most; a look at each, when the budget is exceeded alone. */
  largest(members: Iterable<Member>): Member | undefined {
    let largest: Member | undefined;
    for (const member of members) if (largest === undefined || member.held > largest.held) largest = member;
    return largest;
  }

  failure({ held }: Member): Failure {
    const message = `the connections of this endpoint hold ${this.total} bytes, above "maxBufferedBytes", and this one ${held} of them`;
    return { layer: 'rtc', code: 'memory-budget', message };
  }
}
