/** The floor: datagrams alone, and with one seal and one open each, between two processes as in bulk (floor-end.mjs). */
import { setTimeout as sleep } from 'node:timers/promises';
import { difference } from '../pair.mjs';
import { Program } from '../program.mjs';

export const floor = {
  name: 'floor',
  title: 'The floor: datagrams without a stack, by size of their payload',
  cases: [1200, 1472].map((bytes) => ({ name: `${bytes} bytes`, bytes })),
  measures: { rate: 'MB/s', cpu: 'CPU-s per GB, both ends' },
  /** In place of the stacks. */
  contenders: [
    { name: 'dgram', seals: false },
    { name: 'dgram, a seal and an open', seals: true },
  ],

  async run({ stack: { seals }, seconds }, { bytes }) {
    const ends = [];
    try {
      const receiver = await Program.start('floor-end.mjs', { seals });
      ends.push(receiver);
      const sender = await Program.start('floor-end.mjs', { seals });
      ends.push(sender);
      await sender.call('send', { bytes, port: await receiver.call('receive') });
      await sleep(seconds(1));
      const sample = () => Promise.all(ends.map((end) => end.call('sample')));
      const before = await sample();
      await sleep(seconds(2));
      const after = await sample();
      const [received, sent] = ends.map((_, i) => difference(after[i], before[i]));
      return {
        rate: received.carried / received.time / 1000,
        cpu: (received.cpu / received.carried + sent.cpu / sent.carried) * 1e6,
      };
    } finally {
      for (const end of ends) end.stop();
    }
  },
};
