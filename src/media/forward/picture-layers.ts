/**
 * PictureLayers: which pictures of VP8 and VP9 are sent on, by their temporal layer, and how much of each, by its spatial layers
 * (RFC 7741 §4.2, RFC 9628 §4.2).
 *
 *     TID   0  2  1  2  0  2  1  2         no picture depends on one of a higher layer: those above the limit can be left out
 *     Y        ·  Y  ·     Y  ·  ·         VP8: it depends on layer 0 alone, so that its own layer can be joined, one step at a time
 *     U     U     ·        U     ·         VP9: nothing behind it depends on higher layers before it: all can be joined behind it
 *     SID   2 ─ left out                   parts of one picture, each of which depends on lower ones at the most; higher ones are
 *           1                              joined at a keyframe
 *           0
 *
 * What is decided by the first packet seen of a picture holds for the others.
 */

/** Pictures whose decisions are remembered: packets of older ones do not come together with newer. */
const REMEMBERED = 64;
/** TID and SID of VP9 have three bits. */
export const HIGHEST_LAYER = 7;

/** Of a payload descriptor, what is decided by. Fields that its codec does not have are absent. */
export interface LayerFields {
  readonly temporalLayer: number | undefined;
  /** Y of VP8. */
  readonly isLayerSync?: boolean | undefined;
  /** U of VP9. */
  readonly isSwitchingUpPoint?: boolean | undefined;
}

/** The highest layers that are wanted, 0–7. */
export interface LayerLimits {
  readonly temporal: number;
  readonly spatial: number;
}

/** Nothing is left out. */
export const ALL_LAYERS: LayerLimits = { temporal: HIGHEST_LAYER, spatial: HIGHEST_LAYER };

/** Of one source that is sent. */
export class PictureLayers {
  limits: LayerLimits = ALL_LAYERS;
  /** The highest layers that are sent. */
  #temporal = HIGHEST_LAYER;
  #spatial = HIGHEST_LAYER;
  /** By their order of coming, in a ring: RTP times of pictures, and the highest spatial layer that is sent of each, -1: none. */
  readonly #times = new Float64Array(REMEMBERED).fill(NaN);
  readonly #highest = new Int8Array(REMEMBERED);
  #next = 0;

  /** A source begins, at a keyframe. */
  begin(limits: LayerLimits): void {
    this.limits = limits;
    this.#join();
    this.#times.fill(NaN);
  }

  /**
   * The highest spatial layer of the picture that is sent on; -1: nothing is.
   * @param time of the picture, unwrapped
   * @param isKeyframe as far as this packet shows
   * @param isNew no later packet has come yet. A picture that comes late has a place in the rows already, and loses nothing by being
   * sent, whatever its temporal layer; but later ones may depend on what has been left out behind it: nothing is joined there
   */
  decide(
    { temporalLayer = 0, isLayerSync, isSwitchingUpPoint }: LayerFields,
    time: number,
    isKeyframe: boolean,
    isNew: boolean,
  ): number {
    if (this.#sendsAll()) {
      // Nothing is left out; but should a limit come now, the rest of this picture goes on.
      this.#times[0] = time;
      this.#highest[0] = HIGHEST_LAYER;
      return HIGHEST_LAYER;
    }
    const known = this.#times.indexOf(time);
    if (known >= 0) return this.#highest[known]!;
    const { temporal, spatial } = this.limits;
    this.#temporal = Math.min(this.#temporal, temporal);
    this.#spatial = Math.min(this.#spatial, spatial);
    if (isNew && isKeyframe) this.#join();
    if (isNew && isLayerSync === true && temporalLayer === this.#temporal + 1 && temporalLayer <= temporal)
      this.#temporal = temporalLayer;
    const isWanted = !isNew || temporalLayer <= this.#temporal;
    if (isNew && isSwitchingUpPoint === true && isWanted) this.#temporal = temporal;
    const highest = isWanted ? this.#spatial : -1;
    this.#times[this.#next] = time;
    this.#highest[this.#next] = highest;
    this.#next = (this.#next + 1) % REMEMBERED;
    return highest;
  }

  /** Which layers are sent and wanted, as plain data. */
  inspect(): Record<'temporalLayer' | 'temporalLimit' | 'spatialLayer' | 'spatialLimit', number> {
    const { temporal, spatial } = this.limits;
    return {
      temporalLayer: this.#temporal,
      temporalLimit: temporal,
      spatialLayer: this.#spatial,
      spatialLimit: spatial,
    };
  }

  #sendsAll(): boolean {
    const { temporal, spatial } = this.limits;
    return Math.min(temporal, spatial, this.#temporal, this.#spatial) === HIGHEST_LAYER;
  }

  #join(): void {
    this.#temporal = this.limits.temporal;
    this.#spatial = this.limits.spatial;
  }
}
