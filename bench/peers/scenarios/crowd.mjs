/** Many clients at once join one server that has just started, stay, and say nothing. The clients share a process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pair, difference } from '../pair.mjs';

const PATIENCE = 25_000;
/** After the last one has joined, before what they hold is read, ms. */
const SETTLING = 1500;
/** Those who came together ask for consent together, every 4 to 6 s (RFC 7675): shorter would see it or not. */
const IDLE = 5000;

export const crowd = {
  name: 'crowd',
  title: 'Clients at once, to a new server',
  cases: [100, 500].map((count) => ({ name: `${count}`, count })),
  measures: {
    last: 'the last one open, s',
    cpu: 'CPU of the server, ms each',
    rss: 'RSS of the server, KiB each',
    idle: 'CPU of the server while they idle, % of a core',
  },

  /** Each takes long, and longest when it fails. */
  rounds: (rounds) => Math.ceil(rounds / 2),
  attempts: 1,

  async run({ stack }, { count }) {
    const pair = await Pair.start(stack, { collects: true });
    const sample = () => pair.server.call('sample', { collect: true });
    try {
      const before = await sample();
      const { times, last } = await pair.client.call(
        'connectCrowd',
        { count, patience: PATIENCE },
        PATIENCE + 10_000,
      );
      const open = times.filter((time) => time !== null).length;
      if (open < count) throw new Error(`${open} of ${count} are open after ${PATIENCE / 1000} s`);
      const joined = await pair.server.call('sample');
      await sleep(SETTLING);
      const settled = await sample();
      await sleep(IDLE);
      const idle = difference(await pair.server.call('sample'), settled);
      return {
        last: last / 1000,
        cpu: (joined.cpu - before.cpu) / count,
        rss: (settled.rss - before.rss) / count / 1024,
        idle: (idle.cpu / idle.time) * 100,
      };
    } finally {
      pair.stop();
    }
  },
};
