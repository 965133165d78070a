/**
 * TelephoneEvents: the tones of DTMF that a stream carries (RFC 4733 §2.3, §2.5.2).
 *
 * A tone comes as packets of one timestamp with a growing duration; the last has the end bit and comes three times. Where all
 * three are lost, the next tone ends it, or `toneTimeout`. One that is longer than its field can say (0xffff) goes on under a
 * timestamp so much later.
 *
 * A duration of 0 is for states, and nothing where the event is none (§2.3.5). What else may stand behind the first event of a packet is one
 * without a gap before it (§2.5.1.5), as digits have: it is not read.
 *
 *     event, 8 bits │ E R volume │ duration, 16 bits
 */
import { readU16 } from '../../core/bytes.ts';

/** Events 0–15 (RFC 4733 §3.2). */
const TONES = '0123456789*#ABCD';
const PAYLOAD_LENGTH = 4;
const END = 0x80;
const MAX_DURATION = 0xffff;

/** A tone that has ended. */
export interface Tone {
  readonly tone: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** The tones of one stream. */
export class TelephoneEvents {
  readonly #timeout: number;
  #event = -1;
  /** Unwrapped timestamp of the tone, or of the part of it that goes on. */
  #time = -1;
  /** Of the parts before, in units of the timestamp. */
  #before = 0;
  #duration = 0;
  #clockRate = 1;
  #isOpen = false;
  #deadline = Infinity;

  /** @param timeout gate `toneEnd`, ms */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  nextTimeout(): number {
    return this.#deadline;
  }

  /**
   * @param time the packet's timestamp, unwrapped
   * @returns the tones that have ended by this packet, none, one or two; `undefined`: it is of no tone
   */
  take(payload: Uint8Array, time: number, clockRate: number, now: number): readonly Tone[] | undefined {
    if (payload.length < PAYLOAD_LENGTH || payload[0]! >= TONES.length) return undefined;
    const event = payload[0]!;
    const duration = readU16(payload, 2);
    if (duration === 0) return undefined;
    const ended: Tone[] = [];
    if (time < this.#time) return ended;
    if (time > this.#time) {
      if (this.#isOpen && event === this.#event && time === this.#time + MAX_DURATION) {
        this.#before += MAX_DURATION;
      } else {
        if (this.#isOpen) ended.push(this.#end());
        this.#before = 0;
      }
      this.#time = time;
      this.#event = event;
      this.#duration = 0;
      this.#clockRate = clockRate;
      this.#isOpen = true;
    }
    if (!this.#isOpen) return ended;
    this.#duration = Math.max(this.#duration, duration);
    this.#deadline = now + this.#timeout;
    if ((payload[1]! & END) !== 0) ended.push(this.#end());
    return ended;
  }

  /** @returns the tone whose end is lost, if its time is over */
  handleTimeout(now: number): Tone | undefined {
    return now >= this.#deadline ? this.#end() : undefined;
  }

  /** The gate is so much longer, and at least until `earliest`. */
  thaw(missed: number, earliest: number): void {
    this.#deadline = Math.max(this.#deadline + missed, earliest);
  }

  #end(): Tone {
    this.#isOpen = false;
    this.#deadline = Infinity;
    const duration = ((this.#before + this.#duration) * 1000) / this.#clockRate;
    return { tone: TONES.charAt(this.#event), duration };
  }
}
