/** Cut anywhere: gathering, an allocation's life and its end, with one fault at one datagram. */
import { expect, test } from 'vitest';
import type { CutFault, CutReport } from '../../src/sim/index.ts';
import { cutAnywhere } from '../../src/sim/index.ts';
import { howMany } from '../how-many.ts';
import { OUTSIDE, RelayWorld, TURN, USER } from './relay-world.ts';

const MAPPED = `+srflx ${OUTSIDE}:40000`;
const RELAYED = `+relay ${TURN}:49152`;

interface Stage {
  readonly net: RelayWorld['net'];
  readonly ends: RelayWorld['ends'];
  readonly isDone: () => boolean;
  readonly world: RelayWorld;
  readonly id: number;
}

function search(
  name: string,
  build: (seed: number) => Stage,
  outcome: (stage: Stage, fault: CutFault | 'none') => string | undefined,
): CutReport {
  return cutAnywhere({ name, build }, { seed: 1, outcome, sample: howMany(60, 100_000) });
}

function stageOf(world: RelayWorld, id: number, isDone: () => boolean): Stage {
  return { net: world.net, ends: world.ends, isDone, world, id };
}

/** Nothing but a cut, and bits that are flipped, may cost a candidate. */
function isHarmless(fault: CutFault | 'none'): boolean {
  return fault !== 'cut' && fault !== 'corrupt';
}

test.each([
  ['udp', 10_100],
  ['tcp', 39_600],
])('gathering over %s is complete, by its gate at the latest', (transport, gate) => {
  const build = (seed: number): Stage => {
    const world = new RelayWorld({}, {}, seed);
    const iceServers = [{ urls: `stun:${TURN}` }, { urls: `turn:${TURN}?transport=${transport}`, ...USER }];
    const id = world.gather([], { iceServers });
    return stageOf(world, id, () => world.told(id).at(-1) === 'complete');
  };
  const report = search(`gathering over ${transport}`, build, ({ world, id, net }, fault) => {
    const told = world.told(id);
    if (told.at(-1) !== 'complete') return `not complete: ${told.join(', ')}`;
    if (net.now > gate) return `complete after ${net.now} ms`;
    if (isHarmless(fault) && !(told.includes(MAPPED) && told.includes(RELAYED))) return told.join(', ');
    return undefined;
  });
  expect(report.cases).toBeGreaterThan(20);
});

test('an allocation lives for two lifetimes, and is given back or ends by itself', () => {
  const build = (seed: number): Stage => {
    const world = new RelayWorld({}, { nonceLifetime: 300_000 }, seed);
    const id = world.gather([], { iceServers: [{ urls: `turn:${TURN}`, ...USER }] });
    world.run(5000, () => world.told(id).includes('complete'));
    world.net.at(1_300_000, () => {
      world.call(() => {
        world.gatherer.release(id);
      });
    });
    return stageOf(world, id, () => world.net.now > 1_330_000);
  };
  const report = cutAnywhere(
    { name: 'an allocation', build },
    {
      seed: 1,
      limit: 1_400_000,
      sample: howMany(40, 100_000),
      outcome: ({ world, id }, fault) => {
        const { sources, timeout } = world.gatherer.inspect();
        if (sources.length > 0 || timeout.at !== null) return 'something is held after the release';
        if (fault === 'cut') return undefined;
        if (world.told(id).some((told) => told.startsWith('-'))) return `lost: ${world.told(id).join(', ')}`;
        return world.server.allocations === 0 ? undefined : 'the server was not told that it is over';
      },
    },
  );
  expect(report.cases).toBeGreaterThan(20);
});

test('a restart keeps what lives', () => {
  const build = (seed: number): Stage => {
    const world = new RelayWorld({}, {}, seed);
    const iceServers = [{ urls: `stun:${TURN}` }, { urls: `turn:${TURN}`, ...USER }];
    const id = world.gather([], { iceServers });
    world.run(5000, () => world.told(id).includes('complete'));
    world.call(() => {
      world.gatherer.restart(id);
    });
    return stageOf(world, id, () => world.net.now > 40_000);
  };
  search('a restart', build, ({ world, id }, fault) => {
    const told = world.told(id);
    const since = told.slice(told.indexOf('complete') + 1);
    const isKept = since.join() === 'gathering,complete';
    // A flipped bit may tell of another mapping, until the next answer tells the truth.
    return isKept || fault === 'corrupt' ? undefined : told.join(', ');
  });
});
