/** Over distance: the same flow through a relay that holds every datagram for half of a round trip and loses some. */
import { Pair } from '../pair.mjs';
import { Path } from '../path.mjs';
import { flow } from './flow.mjs';

const ROUND_TRIP = 50;
const BYTES = 64 * 1024;

export const paths = {
  name: 'paths',
  title: `Messages of ${BYTES / 1024} KiB over a round trip of ${ROUND_TRIP} ms, by what is lost each way`,
  cases: [0, 0.01, 0.03].map((loss) => ({ name: `${loss * 100} %`, loss })),
  measures: { rate: 'MB/s' },

  async run({ stack, seconds, round }, { loss }) {
    const path = await Path.open({ delay: ROUND_TRIP / 2, seed: round + 1 });
    try {
      const pair = await Pair.start(stack, { path });
      try {
        const { rate } = await flow(pair, {
          bytes: BYTES,
          warmUp: seconds(1.5),
          window: seconds(4),
          onOpen: () => path.lose(loss),
        });
        return { rate };
      } finally {
        pair.stop();
      }
    } finally {
      path.close();
    }
  },
};
