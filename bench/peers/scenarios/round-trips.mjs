/** Round trips: a small message there and back, and the next one only then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pair } from '../pair.mjs';

const BYTES = 64;
const PATIENCE = 10_000;

export const roundTrips = {
  name: 'round-trips',
  title: `Round trips of ${BYTES} bytes over loopback, one at a time`,
  cases: [{ name: '' }],
  measures: { rate: 'a second', cpu: 'CPU, both ends, µs each' },

  async run({ stack, settings, seconds }) {
    const pair = await Pair.start(stack, { settings });
    try {
      await pair.server.call('echo');
      await pair.client.call('connectCrowd', { count: 1, patience: PATIENCE });
      await pair.client.call('bounce', { id: 0, bytes: BYTES });
      await sleep(seconds(1));
      const { client, server } = await pair.during(() => sleep(seconds(2)));
      if (!(client.receivedMessages > 0 && server.receivedMessages > 0)) throw new Error('it stalls');
      return {
        rate: (client.receivedMessages / client.time) * 1000,
        cpu: (client.cpu / client.receivedMessages + server.cpu / server.receivedMessages) * 1000,
      };
    } finally {
      pair.stop();
    }
  },
};
