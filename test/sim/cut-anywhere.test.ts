import { describe, expect, it } from 'vitest';
import type { CutFault, CutOptions, CutPlace, CutScenario, CutStage } from '../../src/sim/index.ts';
import { CUT_FAULTS, cutAnywhere, CutFailure, Network } from '../../src/sim/index.ts';
import { Echo, Pinger } from './toys.ts';

interface PingStage extends CutStage {
  readonly net: Network;
  readonly answers: () => readonly (readonly [string, number])[];
}

/** Three pings, answered by an echo; each is sent again every 200 ms, five times at most. */
const pings: CutScenario<PingStage> = {
  name: 'three pings',
  build(seed) {
    const net = new Network({ seed });
    const a = net.host('192.0.2.1', { name: 'a' });
    const b = net.host('192.0.2.2', { name: 'b' });
    const pinger = new Pinger({ address: '192.0.2.1', port: 1 }, { address: '192.0.2.2', port: 2 });
    const alice = a.attach(pinger);
    b.attach(new Echo());
    // The first comes before what is searched.
    pinger.ping(0);
    net.run({ until: () => alice.events.length === 1 });
    for (const id of [1, 2, 3]) alice.after(id * 10, () => pinger.ping(id));
    const answers = (): [string, number][] =>
      alice.events.slice(1).map(({ event }) => [event.type, event.id]);
    return { net, ends: [a, b], answers, isDone: () => answers().length === 3 };
  },
};

const UP = 'a 192.0.2.1 → b 192.0.2.2';

function search(options: Partial<CutOptions<PingStage>> = {}) {
  return cutAnywhere(pings, { seed: 5, outcome: () => undefined, ...options });
}

function failureOf(options: Partial<CutOptions<PingStage>>): CutFailure {
  try {
    search(options);
  } catch (error) {
    if (error instanceof CutFailure) return error;
    throw error;
  }
  throw new Error('nothing went wrong');
}

describe('cutAnywhere', () => {
  it('visits every datagram of both directions with every fault', () => {
    const seen: string[] = [];
    const report = search({
      outcome: (stage, fault, run) => {
        seen.push(`${fault} ${run.reason} ${stage.answers().length}`);
        return undefined;
      },
    });
    expect(report).toEqual({
      scenario: 'three pings',
      seed: 5,
      cases: 36,
      of: 36,
      byFault: { drop: 6, duplicate: 6, delay: 6, swap: 6, corrupt: 6, cut: 6 },
      datagrams: [
        { direction: UP, count: 3 },
        { direction: 'b 192.0.2.2 → a 192.0.2.1', count: 3 },
      ],
    });
    expect(seen[0]).toBe('none condition 3');
    expect(seen).toHaveLength(37);
  });

  it('hits the datagram it names and no other', () => {
    const hit = (fault: CutFault, index: number): unknown[] => {
      let fates: unknown[] = [];
      search({
        only: { direction: UP, index, fault },
        outcome: (stage) => {
          fates = stage.net.datagrams
            .filter(({ link }) => link === UP)
            .slice(1)
            .map(({ fate, corrupted, arrivals, sentAt }) => {
              if (corrupted) return 'corrupted';
              return fate === 'delivered' && (arrivals[0] ?? 0) - sentAt > 900
                ? 'late'
                : `${fate} ${arrivals.length}`;
            });
          return undefined;
        },
      });
      return fates.slice(0, 3);
    };
    expect(hit('drop', 1)).toEqual(['delivered 1', 'dropped 0', 'delivered 1']);
    expect(hit('duplicate', 2)).toEqual(['delivered 1', 'delivered 1', 'delivered 2']);
    expect(hit('corrupt', 0)).toEqual(['corrupted', 'delivered 1', 'delivered 1']);
    expect(hit('delay', 0).slice(1)).toEqual(['delivered 1', 'delivered 1']);
    expect(hit('cut', 1)).toEqual(['delivered 1', 'cut 0', 'cut 0']);
  });

  it('names scenario, seed, direction, index and fault in one line, which brings the case back', () => {
    const gaveUp: CutOptions<PingStage>['outcome'] = (stage) =>
      stage.answers().some(([type]) => type === 'gaveup') ? 'a ping\ngave up' : undefined;
    const found = failureOf({ outcome: gaveUp });
    const place: CutPlace = { direction: UP, index: 0, fault: 'cut' };
    expect(found.message).toBe(
      `cut anywhere: three pings, seed 5, only: ${JSON.stringify(place)}: a ping gave up`,
    );
    expect(found.place).toEqual(place);
    expect(failureOf({ outcome: gaveUp, only: place }).message).toBe(found.message);
    expect(search({ outcome: gaveUp, faults: CUT_FAULTS.filter((fault) => fault !== 'cut') }).cases).toBe(30);
  });

  it('fails when the scenario does not reach its end undisturbed', () => {
    const found = failureOf({ limit: 5, outcome: (_, fault, run) => `${fault}: ${run.reason}` });
    expect(found.message).toBe('cut anywhere: three pings, seed 5, undisturbed: none: limit');
    expect(found.place).toBeUndefined();
  });

  it('reports what is thrown in a case, with the case', () => {
    const broken: CutScenario<PingStage> = {
      name: 'broken',
      build: (seed) => {
        const stage = pings.build(seed);
        return { ...stage, isDone: () => stage.answers().length === 3 || stage.net.counts.dropped > 0 };
      },
    };
    const outcome = (_: PingStage, fault: string): undefined => {
      if (fault === 'drop') throw new Error('two\n  lines');
    };
    expect(() => cutAnywhere(broken, { seed: 1, outcome })).toThrow(
      /^cut anywhere: broken, .*"drop"}: two lines$/,
    );
  });

  it('spreads a sample over all cases, another one for another seed', () => {
    const sampled = (seed: number): string[] => {
      const places: string[] = [];
      const report = search({ seed, sample: 6, outcome: (_, fault) => void places.push(fault) });
      expect(report).toMatchObject({ cases: 6, of: 36 });
      return places.slice(1);
    };
    expect(sampled(1)).toEqual(sampled(1));
    expect(new Set([1, 2, 3, 4].map((seed) => sampled(seed).join())).size).toBeGreaterThan(1);
  });

  it('wants two ends, and a direction that exists', () => {
    const lonely: CutScenario<PingStage> = {
      name: 'lonely',
      build: (seed) => ({ ...pings.build(seed), ends: [] }),
    };
    expect(() => cutAnywhere(lonely, { seed: 1, outcome: () => undefined })).toThrow(/at least two/);
    expect(() => search({ only: { direction: 'nowhere', index: 0, fault: 'drop' } })).toThrow(/direction/);
  });
});
