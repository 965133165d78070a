/** Conversations under random fault schedules: the property that `npm test` and `npm run test:soak` share. */
import fc from 'fast-check';
import { arbitraryFaults, arbitraryNetwork, reportInOneLine } from '../../src/sim/fast-check/index.ts';
import { materials } from '../cut/stage.ts';
import { converse } from './conversation.ts';

/** Throws for the first schedule that breaks something, shrunk. @param timeLimit milliseconds, shrinking included */
export function checkSchedules(numRuns: number, seed: number, timeLimit: number): void {
  const providers = [materials.js(), materials.node()];
  const property = fc.property(arbitraryNetwork(), arbitraryFaults(), (plan, faults) => {
    const crypto = providers[plan.seed % providers.length];
    if (crypto !== undefined) converse(crypto, plan, faults);
  });
  fc.assert(property, {
    numRuns,
    seed,
    interruptAfterTimeLimit: timeLimit,
    markInterruptAsFailure: true,
    reporter: reportInOneLine,
  });
}
