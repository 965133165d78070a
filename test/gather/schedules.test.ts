/** Whatever comes in whatever order: what a gathering is told adds up, ends, and leaves nothing behind. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress } from '../../src/core/address.ts';
import { howMany } from '../how-many.ts';
import { SOCKET, World, refusing, stunServer } from './world.ts';

const NAMES = ['a.example', 'b.example', 'none.example', 'silent.example'];
const SERVERS = [
  'stun:192.0.2.1',
  'stun:192.0.2.2',
  'stun:192.0.2.3',
  ...NAMES.map((name) => `stun:${name}`),
];

const step = fc.oneof(
  fc.record({
    do: fc.constant('gather' as const),
    servers: fc.subarray(SERVERS),
    continual: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('restart' as const, 'release' as const), pick: fc.nat(9) }),
  fc.record({
    do: fc.constantFrom('add' as const, 'remove' as const),
    port: fc.integer({ min: 4000, max: 4003 }),
  }),
  fc.record({ do: fc.constant('move' as const), port: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('run' as const), ms: fc.constantFrom(0, 1, 10, 60, 1000, 12_000, 60_000) }),
);

const schedule = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  fates: fc.array(fc.constantFrom('pass' as const, 'pass' as const, 'drop' as const, 'duplicate' as const), {
    minLength: 1,
    maxLength: 30,
  }),
});

test('what is told adds up', () => {
  fc.assert(
    fc.property(schedule, ({ steps, fates }) => {
      const world = new World();
      world.servers.set('192.0.2.1:3478', stunServer());
      world.servers.set(
        '192.0.2.2:3478',
        stunServer(({ address, port }) => ({ address, port: port + 1 })),
      );
      world.servers.set('192.0.2.3:3478', refusing(403, 'no'));
      world.names.set('a.example', ['192.0.2.1', '192.0.2.2']);
      world.names.set('b.example', ['192.0.2.9']);
      world.names.set('none.example', []);
      world.fate = (index) => fates[index % fates.length] ?? 'pass';
      world.gatherer.addSocket(SOCKET);
      const sockets = new Set<number>([SOCKET.port]);
      const living = new Set<number>();
      const released = new Map<number, number>();
      for (const one of steps) {
        switch (one.do) {
          case 'gather':
            living.add(
              world.gather({
                iceServers: [{ urls: one.servers }].filter(() => one.servers.length > 0),
                continual: one.continual,
              }),
            );
            break;
          case 'restart':
          case 'release': {
            const id = [...living][one.pick % Math.max(living.size, 1)];
            if (id === undefined) break;
            if (one.do === 'restart') world.gatherer.restart(id);
            else {
              world.gatherer.release(id);
              living.delete(id);
              released.set(id, world.events.length);
            }
            break;
          }
          case 'add':
            world.gatherer.addSocket({ ...SOCKET, port: one.port });
            sockets.add(one.port);
            break;
          case 'remove':
            world.gatherer.removeSocket({ ...SOCKET, port: one.port });
            sockets.delete(one.port);
            break;
          case 'move':
            world.nat = ({ port }) => ({ address: '198.51.100.7', port: port + one.port * 1000 });
            break;
          case 'run':
            world.run(one.ms);
        }
      }
      world.fate = () => 'pass';
      world.run(120_000);
      // Nothing is told twice, nothing is taken back that was not told, nothing after the end.
      for (const [id, at] of released)
        expect(world.events.slice(at).filter(({ gathering }) => gathering === id)).toEqual([]);
      for (const id of living) {
        const held = new Set<string>();
        for (const event of world.of(id)) {
          if (event.type === 'candidate') {
            expect(held.has(formatAddress(event.candidate))).toBe(false);
            held.add(formatAddress(event.candidate));
            expect(event.candidate.base?.address).toBe(SOCKET.address);
          } else if (event.type === 'candidateremoved') {
            expect(held.delete(formatAddress(event.candidate))).toBe(true);
          }
        }
        const states = world.of(id).filter(({ type }) => type === 'statechange');
        expect(states.at(-1)).toMatchObject({ state: 'complete' });
        // What is held is what a server sees now.
        for (const place of held) {
          const seen = [...sockets].map((port) => world.nat({ ...SOCKET, port }));
          const may = seen.flatMap(({ address, port }) => [`${address}:${port}`, `${address}:${port + 1}`]);
          expect(may).toContain(place);
        }
      }
      for (const id of living) world.gatherer.release(id);
      world.run(60_000);
      expect(world.gatherer.inspect()).toMatchObject({ sources: [], gatherings: [], timeout: { at: null } });
    }),
    { numRuns: howMany(200, 5000) },
  );
});
