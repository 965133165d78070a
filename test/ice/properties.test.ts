import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CandidatePair } from '../../src/ice/pair.ts';
import { IcePair, LOCAL_CLOSE } from './pair.ts';

/** The invariants of a layer machine are checked by the harness after every step of every run. */
describe('random networks', () => {
  it('up to 25 % loss: both ends connect, and agree on the pair', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 300 }),
        fc.double({ min: 0, max: 0.25, noNaN: true }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (seed, delay, loss, hostsOfA, hostsOfB) => {
          const pair = new IcePair({ seed, delay, loss });
          for (let i = 0; i < hostsOfA; i++) pair.a.host('192.0.2.1', 1000 + i);
          for (let i = 0; i < hostsOfB; i++) pair.b.host('192.0.2.2', 2000 + i);
          pair.signal();
          const both = (): readonly (CandidatePair | undefined)[] => [
            pair.a.agent.selectedPair,
            pair.b.agent.selectedPair,
          ];
          const agree = (): boolean => {
            const [a, b] = both();
            if (a === undefined || b === undefined) return false;
            return a.local.port === b.remote.port && a.remote.port === b.local.port;
          };
          pair.run(120_000, () => both().every((selected) => selected !== undefined));
          expect(both()).not.toContain(undefined);
          // The controlling end may be about to move on: the check that says so is repeated every few seconds if it is lost.
          pair.run(20_000, agree);
          expect(agree()).toBe(true);
        },
      ),
    );
  });

  it('in whatever order things arrive: both ends agree on the pair, full or lite, with renomination or without', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 200 }),
        fc.record({ a: fc.boolean(), b: fc.boolean(), lite: fc.boolean(), swapped: fc.boolean() }),
        fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 400 })), { minLength: 8, maxLength: 8 }),
        (seed, delay, { a, b, lite, swapped }, order) => {
          const roles =
            swapped && !lite
              ? (['controlled', 'controlling'] as const)
              : (['controlling', 'controlled'] as const);
          const pair = new IcePair({
            seed,
            delay,
            a: { renomination: a, role: roles[0] },
            b: { renomination: b, role: roles[1], ...(lite ? { lite } : {}) },
          });
          for (let i = 0; i < 2; i++) {
            pair.a.host('192.0.2.1', 1000 + i);
            pair.b.host('192.0.2.2', 2000 + i);
          }
          // What signalling brings, each at a moment of its own: parameters and candidates of either side, in any order.
          const steps = [pair.a, pair.b].flatMap((side) => {
            const { agent } = pair.other(side);
            return [
              () => side.agent.setRemoteParameters(agent.localParameters, pair.now),
              ...agent.localCandidates.map((candidate) => () => {
                side.agent.addRemoteCandidate(candidate, pair.now);
              }),
              () => {
                side.agent.endOfRemoteCandidates(pair.now);
              },
            ];
          });
          const schedule = steps.map((step, i) => ({ step, place: order[i] ?? [0, 0] }));
          schedule.sort((x, y) => x.place[0] - y.place[0]);
          for (const { step, place } of schedule) {
            step();
            pair.run(place[1]);
          }
          pair.run(60_000);
          const [ofA, ofB] = [pair.a.agent.selectedPair, pair.b.agent.selectedPair];
          expect([ofA?.local.port, ofA?.remote.port]).toEqual([ofB?.remote.port, ofB?.local.port]);
          expect(ofA).toBeDefined();
        },
      ),
    );
  });

  it('any loss at any time, and any moment of closing: an outcome within the gates, then nothing stays armed', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 40_000 }),
        fc.integer({ min: 0, max: 60_000 }),
        (seed, loss, cutAt, closeAt) => {
          const pair = new IcePair({ seed, loss });
          pair.a.host('192.0.2.1', 1000);
          pair.b.host('192.0.2.2', 2000);
          pair.drop = ({ sentAt }) => sentAt >= cutAt;
          pair.signal();
          pair.run(closeAt);
          pair.a.agent.close(LOCAL_CLOSE, pair.now);
          // From the cut, the longest way to the end: consent granted just before it, or a connect gate just begun.
          pair.run(cutAt + 75_000);
          expect(pair.states()).toEqual(['closed', 'failed']);
          for (const { agent } of [pair.a, pair.b]) {
            expect(agent.nextTimeout()).toBe(Infinity);
            expect(agent.inspect()).toMatchObject({
              timers: {},
              queues: { transmits: 0, events: 0, triggeredChecks: 0, transactions: 0 },
            });
          }
        },
      ),
    );
  });

  it('polling late changes when things happen, not what happens', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 400 }), (seed, step) => {
        const pair = new IcePair({ seed });
        pair.a.host('192.0.2.1', 1000);
        pair.b.host('192.0.2.2', 2000);
        pair.signal();
        for (let i = 0; i < 20; i++) {
          pair.run(0);
          pair.freeze(step);
        }
        pair.run(1000);
        expect(pair.states()).toEqual(['completed', 'completed']);
      }),
    );
  });
});
