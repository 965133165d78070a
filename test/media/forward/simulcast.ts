/**
 * A publisher with three layers of VP8, and the link from it: loss, of which most is repaired later, reordering, duplication.
 * Every counter of a layer begins close to its wrap. All of it follows from the seed.
 */
import type { RtpEvent, RtpStream } from '../../../src/media/index.ts';
import type { SeededRandom } from '../../../src/core/random.ts';
import { vp8 } from './picture.ts';
import { rtpEvent, stream } from './source.ts';

/** What a link does to packets: chances of 0–1, and ms. */
export interface Link {
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  /** How many of those lost are sent again in time. */
  readonly repair: number;
}

/** A packet on its way. */
export interface Arrival {
  readonly at: number;
  readonly event: RtpEvent;
}

const FRAME = 33;
const TICKS = 2970;
const RIDS = ['q', 'h', 'f'] as const;

/** One layer of the publisher's. */
class Encoder {
  readonly stream: RtpStream;
  readonly packets: number;
  sequence: number;
  id: number;
  tl0: number;
  key: number;
  readonly timeOrigin: number;
  wantsKeyframe = true;

  constructor(rid: string, packets: number, random: SeededRandom) {
    this.stream = stream({ rid });
    this.packets = packets;
    this.sequence = 65_536 + 65_000 + below(random, 500);
    this.id = 32_700 + below(random, 60);
    this.tl0 = below(random, 256);
    this.key = below(random, 32);
    this.timeOrigin = 2 ** 32 + below(random, 2 ** 31);
  }
}

/** An integer from 0 up to, and not, `end`. */
export function below(random: SeededRandom, end: number): number {
  return random.u32() % end;
}

function chance(random: SeededRandom, probability: number): boolean {
  return random.u32() / 2 ** 32 < probability;
}

/** Frames at 30 a second, and what arrives of them. */
export class Publisher {
  readonly encoders: readonly Encoder[];
  /** What was sent, by stream, in order. */
  readonly sent = new Map<RtpStream, RtpEvent[]>();
  readonly #random: SeededRandom;
  readonly #link: Link;
  #frame = 0;

  constructor(random: SeededRandom, link: Link) {
    this.#random = random;
    this.#link = link;
    this.encoders = RIDS.map((rid, n) => new Encoder(rid, 1 + 2 * n, random));
    for (const { stream } of this.encoders) this.sent.set(stream, []);
  }

  /** Each layer's next frame, all at one moment of capture. @returns its arrivals */
  frame(): Arrival[] {
    const now = this.#frame * FRAME;
    const arrivals = this.encoders.flatMap((encoder) => this.#encode(encoder, now));
    this.#frame++;
    return arrivals;
  }

  /** The next frame of a layer is one. */
  wantKeyframe(rid: string | undefined): void {
    for (const encoder of this.encoders) if (encoder.stream.rid === rid) encoder.wantsKeyframe = true;
  }

  #encode(encoder: Encoder, now: number): Arrival[] {
    const random = this.#random;
    const isKeyframe = encoder.wantsKeyframe;
    encoder.wantsKeyframe = false;
    const tid = isKeyframe ? 0 : this.#frame % 2;
    encoder.id = (encoder.id + 1) & 0x7fff;
    if (tid === 0) encoder.tl0 = (encoder.tl0 + 1) & 0xff;
    if (isKeyframe) encoder.key = (encoder.key + 1) & 0x1f;
    const packets = (isKeyframe ? 4 : 1) * encoder.packets;
    const arrivals: Arrival[] = [];
    for (let part = 0; part < packets; part++) {
      const payload = vp8({
        id: encoder.id,
        tl0: encoder.tl0,
        tid,
        key: encoder.key,
        isStart: part === 0,
        isKeyframe: isKeyframe && part === 0,
      });
      arrivals.push(...this.#send(encoder, now + part * 0.2, payload, part === packets - 1));
    }
    if (chance(random, 0.1)) arrivals.push(...this.#send(encoder, now + 3, new Uint8Array(0), false));
    return arrivals;
  }

  #send(encoder: Encoder, at: number, payload: Uint8Array, marker: boolean): Arrival[] {
    const random = this.#random;
    const { loss, duplication, reordering, repair } = this.#link;
    const { stream } = encoder;
    const sequence = encoder.sequence++;
    const time = encoder.timeOrigin + this.#frame * TICKS;
    const on = (receivedAt: number, isRecovered = false): Arrival => ({
      at: receivedAt,
      event: rtpEvent({ stream, sequence, time, receivedAt, payload, marker, isRecovered }),
    });
    this.sent.get(stream)?.push(on(at).event);
    const delay = 20 + (chance(random, reordering) ? below(random, 40) : 0);
    if (chance(random, loss))
      return chance(random, repair) ? [on(at + delay + 60 + below(random, 60), true)] : [];
    const arrivals = [on(at + delay)];
    if (chance(random, duplication)) arrivals.push(on(at + delay + below(random, 100)));
    return arrivals;
  }
}
