/** Set-up through the relay when it loses much: how many connections open, and when. */
import { median } from '../figures.mjs';
import { Pair } from '../pair.mjs';
import { Path } from '../path.mjs';

const ROUND_TRIP = 50;
const LOSS = 0.1;
/** So many tries, one every so many ms: none waits for the CPU of others. */
const TRIES = 45;
const EVERY = 150;
const PATIENCE = 20_000;

export const lossySetUp = {
  name: 'lossy-set-up',
  title: `Set-up over a round trip of ${ROUND_TRIP} ms, ${LOSS * 100} % lost each way`,
  cases: [{ name: '' }],
  measures: {
    open: `open within ${PATIENCE / 1000} s, %`,
    time: 'until open, ms (median of those)',
    slowest: 'the slowest of those, ms',
  },
  /** The tries are many as it is. */
  rounds: () => 1,

  async run({ stack, quick }) {
    const count = quick ? TRIES / 3 : TRIES;
    const path = await Path.open({ delay: ROUND_TRIP / 2, seed: 1 });
    try {
      await path.lose(LOSS);
      const pair = await Pair.start(stack, { path });
      try {
        const order = { count, every: EVERY, patience: PATIENCE };
        const { times } = await pair.client.call('connectCrowd', order, count * EVERY + 2 * PATIENCE);
        const opened = times.filter((time) => time !== null);
        return {
          open: (opened.length / count) * 100,
          time: median(opened),
          slowest: Math.max(...opened),
        };
      } finally {
        pair.stop();
      }
    } finally {
      path.close();
    }
  },
};
