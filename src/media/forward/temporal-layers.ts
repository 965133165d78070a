/**
 * TemporalLayers: which pictures of VP8 are sent on, by their temporal layer (RFC 7741 §4.2, TID and Y).
 *
 *     TID   0  2  1  2  0  2  1  2         no picture depends on one of a higher layer: those above the limit can be left out
 *     Y        ·  Y  ·     Y  ·  ·         with Y it depends on layer 0 alone: its layer can be joined there, one step at a time
 *
 * A picture is sent whole or not at all: what is decided by the first packet seen of it holds for the others.
 */
import type { Vp8Descriptor } from '../../rtp/index.ts';
import { isVp8Keyframe } from '../../rtp/index.ts';

/** Pictures whose decisions are remembered: packets of older ones do not come together with newer. */
const REMEMBERED = 64;
/** TID has two bits. */
export const HIGHEST_TEMPORAL_LAYER = 3;

/** Of one source that is sent. */
export class TemporalLayers {
  /** The highest layer that is wanted, 0–3. */
  limit: number = HIGHEST_TEMPORAL_LAYER;
  /** The highest layer that is sent. */
  #current = HIGHEST_TEMPORAL_LAYER;
  /** By their order of coming, in a ring: RTP times of pictures, and whether they are sent. */
  readonly #times = new Float64Array(REMEMBERED).fill(NaN);
  readonly #wanted = new Uint8Array(REMEMBERED);
  #next = 0;

  /** A source begins, at a keyframe. */
  begin(limit: number): void {
    this.limit = limit;
    this.#current = limit;
    this.#times.fill(NaN);
  }

  /**
   * @param time of the picture, unwrapped
   * @param isNew no later packet has come yet; what comes late has a place in the rows already, and loses nothing by being sent
   */
  isWanted(payload: Uint8Array, descriptor: Vp8Descriptor, time: number, isNew: boolean): boolean {
    const { temporalLayer, isLayerSync } = descriptor;
    if (temporalLayer === undefined) return true;
    if (this.limit === HIGHEST_TEMPORAL_LAYER && this.#current === HIGHEST_TEMPORAL_LAYER) {
      // Nothing is left out; but should a limit come now, the rest of this picture goes on.
      this.#times[0] = time;
      this.#wanted[0] = 1;
      return true;
    }
    const known = this.#times.indexOf(time);
    if (known >= 0) return this.#wanted[known] === 1;
    if (this.limit < this.#current || isVp8Keyframe(payload)) this.#current = this.limit;
    const isJoined = isLayerSync && temporalLayer === this.#current + 1 && temporalLayer <= this.limit;
    if (isJoined) this.#current = temporalLayer;
    const isWanted = !isNew || temporalLayer <= this.#current;
    this.#times[this.#next] = time;
    this.#wanted[this.#next] = isWanted ? 1 : 0;
    this.#next = (this.#next + 1) % REMEMBERED;
    return isWanted;
  }

  /** Which layers are sent and wanted, as plain data. */
  inspect(): { readonly temporalLayer: number; readonly temporalLimit: number } {
    return { temporalLayer: this.#current, temporalLimit: this.limit };
  }
}
