/** Options of media: what `rtpMedia` can be told. */
import type { SrtpOptions } from '../srtp/index.ts';

/** Options of media; everything has a safe default. */
export interface MediaOptions {
  readonly srtp?: SrtpOptions | undefined;
}
