/** The property: whatever the network does, the watcher sees a figure that walks forward walk forward, and where it stops. */
import fc from 'fast-check';
import { arbitraryFaults, reportInOneLine } from 'sansrtc/sim/fast-check';
import { CarefulWatcher, Watcher } from './moves.mjs';
import { STEPS, walk } from './walk.mjs';

/** Throws, in one line, the smallest list of faults under which a watcher of this kind is wrong. */
export function check(Kind, parameters = {}) {
  const faults = arbitraryFaults({ maxFaults: 5, datagrams: 12, endless: false });
  const property = fc.property(faults, (list) => {
    const seen = walk(new Kind(), list);
    if (seen === undefined) return;
    if (seen.some((place, i) => place < seen[i - 1])) throw new Error(`seen walking back: ${seen.join(' ')}`);
    if (seen.at(-1) !== STEPS) throw new Error(`seen standing at ${seen.at(-1)}, it stands at ${STEPS}`);
  });
  fc.assert(property, { numRuns: 200, reporter: reportInOneLine, ...parameters });
}

/** Both kinds: the one with the bug is caught, the careful one is not. */
export function main() {
  for (const Kind of [Watcher, CarefulWatcher]) {
    try {
      check(Kind);
      console.log(`${Kind.name}: nothing found`);
    } catch (error) {
      console.log(`${Kind.name}: ${error.message}`);
    }
  }
}
