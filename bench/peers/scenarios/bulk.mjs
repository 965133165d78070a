/** Bulk: one channel over loopback as fast as it goes, by size of message. */
import { Pair } from '../pair.mjs';
import { FLOW_MEASURES, flow } from './flow.mjs';

const KIBIBYTE = 1024;

export const bulk = {
  name: 'bulk',
  title: 'Bulk over loopback, by size of message',
  cases: [1, 16, 64, 256].map((size) => ({ name: `${size} KiB`, bytes: size * KIBIBYTE })),
  measures: FLOW_MEASURES,
  /** By the file that uses the stack: what is tried besides its defaults. */
  variants: [{ of: 'sansrtc.mjs', name: 'pathMtu.max 16384', settings: { pathMtu: { max: 16384 } } }],

  async run({ stack, settings, seconds }, { bytes }) {
    const pair = await Pair.start(stack, { settings });
    try {
      return await flow(pair, { bytes, warmUp: seconds(1), window: seconds(2) });
    } finally {
      pair.stop();
    }
  },
};
