import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlannedFault } from '../../src/sim/index.ts';
import { applyFaults, Network } from '../../src/sim/index.ts';
import {
  arbitraryFaults,
  arbitraryNetwork,
  PropertyFailure,
  reportInOneLine,
} from '../../src/sim/fast-check/index.ts';
import type { NetworkPlan } from '../../src/sim/fast-check/index.ts';
import { Echo, Pinger } from './toys.ts';

/** What a ping is told under a plan and faults. */
function ping(plan: NetworkPlan, faults: readonly PlannedFault[]): string {
  const net = new Network({ seed: plan.seed });
  const hosts = [net.host('192.0.2.1'), net.host('192.0.2.2')] as const;
  net.link(...hosts, plan);
  applyFaults(net, hosts, faults);
  const pinger = new Pinger({ address: '192.0.2.1', port: 1 }, { address: '192.0.2.2', port: 2 });
  const alice = hosts[0].attach(pinger);
  hosts[1].attach(new Echo());
  pinger.ping(1);
  net.run();
  return alice.events.map(({ event }) => event.type).join();
}

describe('arbitraryNetwork and arbitraryFaults', () => {
  it('make plain data that a network takes', () => {
    fc.assert(
      fc.property(arbitraryNetwork(), arbitraryFaults(), (plan, faults) => {
        expect(JSON.parse(JSON.stringify([plan, faults]))).toEqual([plan, faults]);
        expect(['pong', 'gaveup', '']).toContain(ping(plan, faults));
      }),
      { numRuns: 200 },
    );
  });

  it('keep to their constraints', () => {
    const faults = arbitraryFaults({
      maxFaults: 3,
      datagrams: 4,
      within: 10,
      maxDuration: 5,
      endless: false,
    });
    const network = arbitraryNetwork({ maxLoss: 0.01, maxLatency: 9, maxCorruption: 0 });
    fc.assert(
      fc.property(network, faults, ({ up }, list) => {
        expect(up.loss ?? 0).toBeLessThanOrEqual(0.01);
        expect(up.latency ?? 0).toBeLessThanOrEqual(9);
        expect(up.corrupt ?? 0).toBe(0);
        expect(list.length).toBeLessThanOrEqual(3);
        for (const fault of list) {
          if (fault.type !== 'datagram')
            expect([fault.at <= 10, (fault.duration ?? 99) <= 5]).toEqual([true, true]);
          else expect([fault.index < 4, fault.fault.type === 'cut']).toEqual([true, false]);
        }
      }),
    );
  });
});

describe('a property that does not hold', () => {
  /** Wrong on purpose: a cut for good is more than a ping can take. */
  const property = fc.property(arbitraryNetwork(), arbitraryFaults(), (plan, faults) => {
    if (ping(plan, faults) === 'gaveup') throw new Error('the ping\n  gave up');
  });

  function failure(): PropertyFailure {
    try {
      fc.assert(property, { seed: 1, numRuns: 2000, reporter: reportInOneLine });
    } catch (error) {
      if (error instanceof PropertyFailure) return error;
      throw error;
    }
    throw new Error('it held');
  }

  it('shrinks to a clean network and a fault or two', () => {
    const [plan, faults] = failure().counterexample as [NetworkPlan, PlannedFault[]];
    expect(plan).toEqual({ seed: plan.seed, up: {}, down: {} });
    expect(faults.length).toBeLessThanOrEqual(2);
  });

  it('says in one line what brings it back', () => {
    const { message, counterexample } = failure();
    expect(message).toMatch(/^the ping gave up \(examples: \[\[\{"seed":.*\]\], seed 1\)$/);
    const pasted = JSON.parse(/examples: (\[.*\]), seed/.exec(message)?.[1] ?? '') as [
      NetworkPlan,
      PlannedFault[],
    ][];
    expect(pasted).toEqual([counterexample]);
    expect(fc.check(property, { examples: pasted, numRuns: 1 }).failed).toBe(true);
  });

  it('says so when it was interrupted', () => {
    const slow = { interruptAfterTimeLimit: 0, markInterruptAsFailure: true, reporter: reportInOneLine };
    expect(() => fc.assert(property, { ...slow, seed: 7 })).toThrow(/^interrupted after \d+ runs, seed 7$/);
  });
});
