/** Set-up: connections one after the other between two new processes, the first of which pays for what is compiled and made once. */
import { median, quantile } from '../figures.mjs';
import { Pair } from '../pair.mjs';

const CONNECTIONS = 75;
const PATIENCE = 10_000;

export const connect = {
  name: 'connect',
  title: `Set-up, one after the other, the first ${CONNECTIONS} of a process`,
  cases: [{ name: '' }],
  measures: {
    firstTime: 'first: until open, ms',
    firstCpu: 'first: CPU, both ends, ms',
    quickTime: 'the others: until open, ms (lower quartile)',
    time: 'the others: until open, ms (median)',
    slowTime: 'the others: until open, ms (nine of ten within)',
    cpu: 'the others: CPU, both ends, ms each',
  },
  variants: [{ of: 'sansrtc.mjs', name: 'after warmUp()', settings: { warmUp: true } }],

  async run({ stack, settings }) {
    const pair = await Pair.start(stack, { settings });
    try {
      const first = await series(pair, 1, 1);
      const others = await series(pair, 2, CONNECTIONS - 1);
      return { firstTime: first.time, firstCpu: first.cpu, ...others };
    } finally {
      pair.stop();
    }
  },
};

async function series(pair, first, count) {
  let times;
  const { client, server } = await pair.during(async () => {
    const order = { first, count, patience: PATIENCE };
    times = await pair.client.call('connectInTurn', order, 2000 + count * 500 + PATIENCE);
  });
  const failed = times.filter((time) => time === null).length;
  if (failed > 0) throw new Error(`${failed} of ${count} were not open in ${PATIENCE / 1000} s`);
  return {
    quickTime: quantile(times, 0.25),
    time: median(times),
    slowTime: quantile(times, 0.9),
    cpu: (client.cpu + server.cpu) / count,
  };
}
