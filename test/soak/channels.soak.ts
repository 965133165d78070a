import { test } from 'vitest';
import { checkTraffic } from './channels.ts';

/** Real milliseconds; an idle core takes a fifth of it. */
const PATIENCE = 1_500_000;

test('10,000 seeds of traffic on twenty channels of mixed kinds over hostile links', () => {
  const start = performance.now();
  const total = { messages: 0, bytes: 0, givenUp: 0, packets: 0, closedAtGate: 0, duration: 0 };
  for (let seed = 1000; seed < 11_000; seed++) {
    try {
      const report = checkTraffic(seed);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += report[name];
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    const elapsed = performance.now() - start;
    if (elapsed > PATIENCE) throw new Error(`${seed - 999} seeds in ${Math.round(elapsed / 1000)} s`);
  }
  console.log(
    `${total.messages} messages (${Math.round(total.bytes / 1e6)} MB, ${total.givenUp} given up) in ` +
      `${total.packets} packets and ${Math.round(total.duration / 3_600_000)} virtual hours; ` +
      `${total.closedAtGate} of ${10_000 * 40} channel ends closed at a gate; ` +
      `${Math.round((performance.now() - start) / 1000)} s`,
  );
});
