/**
 * The anti-replay window (RFC 6347 §4.1.2.6) over 48-bit sequence numbers, one per read epoch.
 *
 * Two steps, because only an authenticated record may move the window: `isFresh` before the AEAD is run (cheap refusal
 * of replays), `accept` after it has answered.
 */

/** How many numbers behind the highest are still told apart. A multiple of 32 and a power of two. */
export const REPLAY_WINDOW = 256;

const SLOT_MASK = REPLAY_WINDOW - 1;

/** The numbers that have come in one epoch. */
export class ReplayWindow {
  /** The highest number accepted so far, -1 before the first. */
  highest = -1;
  /** One bit for each of the last `REPLAY_WINDOW` numbers, at the number modulo the window. */
  readonly seen: Uint32Array = new Uint32Array(REPLAY_WINDOW / 32);

  /** False for a number accepted before, or too old to tell. */
  isFresh(sequence: number): boolean {
    if (sequence > this.highest) return true;
    if (this.highest - sequence >= REPLAY_WINDOW) return false;
    const slot = sequence & SLOT_MASK;
    return (this.seen[slot >>> 5]! & (1 << (slot & 31))) === 0;
  }

  /** Marks a number whose record has been authenticated. */
  accept(sequence: number): void {
    if (sequence > this.highest) {
      const skipped = sequence - this.highest;
      if (skipped >= REPLAY_WINDOW) {
        this.seen.fill(0);
      } else {
        for (let number = this.highest + 1; number < sequence; number++) this.#clear(number & SLOT_MASK);
      }
      this.highest = sequence;
    }
    const slot = sequence & SLOT_MASK;
    this.seen[slot >>> 5]! |= 1 << (slot & 31);
  }

  #clear(slot: number): void {
    this.seen[slot >>> 5]! &= ~(1 << (slot & 31));
  }
}
