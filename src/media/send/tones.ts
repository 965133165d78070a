/**
 * Tones: DTMF as telephone events (RFC 4733). Time turns what is queued into packets:
 *
 *     start      marker, duration 50 ms      every 50 ms the same timestamp and 50 ms more      end: three times, with the end bit
 *       │             │        │        │       │  │  │
 *       └─────────────┴────────┴────────┴───────┴──┴──┴───── gap ─────┐ next tone
 *
 * A tone longer than 16 bits of duration can say goes on as a segment with a timestamp of its own (§2.5.1.3).
 *
 * "The final packet for each event and for each segment SHOULD be sent a total of three times at the interval used by the source for
 * updates" (§2.5.1.4). Here the ends of a tone are closer where the gap has no room for that, so that they come before the next tone or
 * the audio; and those of a segment go at once, before the next one begins: a receiver that takes another timestamp for another tone
 * would hear one too many of an end that comes between.
 */
import { badArgument } from '../../core/errors.ts';
import type { OptionRules } from '../../core/options.ts';
import { checkOptions, number } from '../../core/options.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { Bytes } from '../../core/bytes.ts';
import { ownBytes, writeU16 } from '../../core/bytes.ts';
import type { DtmfOptions } from '../contract.ts';

/** By their event codes (RFC 4733 §3.2). */
const EVENTS = '0123456789*#ABCD';
/** Milliseconds that `,` stands for (W3C webrtc-pc, insertDTMF). */
const PAUSE = 2000;
/** Milliseconds between the packets of a tone (RFC 4733 §2.5.1.2). */
const UPDATE_INTERVAL = 50;
/** How often the end is told (§2.5.1.4). */
const ENDS = 3;
/** The longest duration of a packet, in units of the timestamp. */
const MAX_DURATION = 0xffff;
/** -dBm0; a level that every decoder takes (§2.3.3). */
const VOLUME = 10;
const DEFAULT_DURATION = 100;
const DEFAULT_GAP = 70;

const DTMF_RULES: OptionRules<DtmfOptions> = { duration: number(40, 6000), gap: number(30, 6000) };

interface QueuedTone {
  /** -1: a pause. */
  readonly event: number;
  readonly duration: number;
  readonly gap: number;
}

interface SoundingTone extends QueuedTone {
  readonly startedAt: number;
  readonly timestamp: number;
  readonly clockRate: number;
  /** Units before the segment that is sent now. */
  segment: number;
  /** Packets with the end of this segment that have been sent. */
  segmentEnds: number;
  isBegun: boolean;
  /** Packets with the end bit that have been sent. */
  ends: number;
}

/** A packet of a tone. */
export interface TonePacket {
  readonly payload: Bytes;
  /** 32 bits. */
  readonly timestamp: number;
  readonly marker: boolean;
}

/** The tones of one sender. */
export class Tones {
  readonly #waiting: BoundedQueue<QueuedTone>;
  #sounding: SoundingTone | undefined;
  /** When the next packet is due, or the next tone may begin. */
  #nextAt = -Infinity;

  /** @param capacity tones that may wait */
  constructor(capacity: number) {
    this.#waiting = new BoundedQueue(capacity);
  }

  /** A tone sounds: its packets take the place of audio. */
  get isSounding(): boolean {
    return this.#sounding !== undefined;
  }

  /** Tones that have not ended. */
  get count(): number {
    return this.#waiting.size + (this.#sounding === undefined ? 0 : 1);
  }

  /** @returns false: there is no room for all of them */
  queue(tones: string, options: DtmfOptions): boolean {
    if (this.#waiting.size + tones.length > this.#waiting.capacity) return false;
    const { duration = DEFAULT_DURATION, gap = DEFAULT_GAP } = options;
    for (const tone of tones.toUpperCase())
      this.#waiting.push({ event: EVENTS.indexOf(tone), duration, gap });
    return true;
  }

  /** When `next` has a packet; `Infinity`: never. */
  nextTimeout(): number {
    return this.count === 0 ? Infinity : this.#nextAt;
  }

  /**
   * The packet that is due at `now`, `undefined` for none.
   * @param timestamp of this moment, should a tone begin
   * @param clockRate Hz, of durations
   */
  next(now: number, timestamp: number, clockRate: number): TonePacket | undefined {
    if (now < this.#nextAt) return undefined;
    const tone = (this.#sounding ??= this.#begin(now, timestamp, clockRate));
    return tone === undefined ? undefined : this.#packet(tone, now);
  }

  /** The host stood still: the tone sounds on where it was. */
  thaw(missed: number): void {
    this.#nextAt += missed;
    if (this.#sounding === undefined) return;
    this.#sounding = { ...this.#sounding, startedAt: this.#sounding.startedAt + missed };
  }

  clear(): void {
    this.#waiting.clear();
    this.#sounding = undefined;
  }

  #begin(now: number, timestamp: number, clockRate: number): SoundingTone | undefined {
    const tone = this.#waiting.shift();
    if (tone === undefined) return undefined;
    if (tone.event < 0) {
      this.#nextAt = now + PAUSE;
      return undefined;
    }
    const { event, duration, gap } = tone;
    return {
      event,
      duration,
      gap,
      startedAt: now,
      timestamp,
      clockRate,
      segment: 0,
      segmentEnds: 0,
      isBegun: false,
      ends: 0,
    };
  }

  #packet(tone: SoundingTone, now: number): TonePacket {
    const marker = !tone.isBegun;
    const isOver = tone.isBegun && now >= tone.startedAt + tone.duration;
    const updates = Math.floor((now - tone.startedAt) / UPDATE_INTERVAL) + 1;
    const lasted = isOver ? tone.duration : Math.min(updates * UPDATE_INTERVAL, tone.duration);
    const units = Math.round((lasted * tone.clockRate) / 1000) - tone.segment;
    const timestamp = (tone.timestamp + tone.segment) >>> 0;
    tone.isBegun = true;
    if (units > MAX_DURATION) {
      // §2.5.1.4 again; the event goes on, so there is no end bit.
      if (++tone.segmentEnds === ENDS) {
        tone.segment += MAX_DURATION;
        tone.segmentEnds = 0;
      }
      return { payload: eventPayload(tone.event, false, MAX_DURATION), timestamp, marker };
    }
    if (!isOver) {
      this.#nextAt = tone.startedAt + Math.min(updates * UPDATE_INTERVAL, tone.duration);
    } else if (++tone.ends < ENDS) {
      this.#nextAt = now + Math.min(UPDATE_INTERVAL, tone.gap / ENDS);
    } else {
      this.#sounding = undefined;
      this.#nextAt = Math.max(now, tone.startedAt + tone.duration + tone.gap);
    }
    return { payload: eventPayload(tone.event, isOver, units), timestamp, marker };
  }
}

/** Throws `ERR_BAD_ARGUMENT` for what is no text of tones, or no way to send them. */
export function checkTones(tones: string, options: DtmfOptions): void {
  if (typeof tones !== 'string') throw badArgument('tones', 'a string', tones);
  if (!/^[0-9A-Da-d#*,]*$/.test(tones)) throw badArgument('tones', 'of 0-9, A-D, #, * and ","', tones);
  checkOptions('writeDtmf', options, DTMF_RULES);
}

/** RFC 4733 §2.3. */
function eventPayload(event: number, isEnd: boolean, duration: number): Bytes {
  const payload = ownBytes(4);
  payload[0] = event;
  payload[1] = (isEnd ? 0x80 : 0) | VOLUME;
  writeU16(payload, 2, duration);
  return payload;
}
