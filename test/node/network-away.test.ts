/** F5a, with a real network: two network namespaces and a cable between them, which is unplugged. */
import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import type { Report } from './programs/peer.ts';
import { bundled, Program, sleep } from './program.ts';

const names = [`sansrtc-a-${String(process.pid)}`, `sansrtc-b-${String(process.pid)}`] as const;
const addresses = ['198.18.77.1', '198.18.77.2'] as const;

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

function removeNamespaces(): void {
  for (const name of names) {
    try {
      ip('netns', 'del', name);
    } catch {
      // It was not there.
    }
  }
}

/** Two namespaces and a pair of virtual Ethernet devices. @returns why that is impossible here, if it is */
function makeNamespaces(): string | undefined {
  try {
    for (const name of names) ip('netns', 'add', name);
    ip('-n', names[0], 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire', 'netns', names[1]);
    names.forEach((name, i) => {
      ip('-n', name, 'address', 'add', `${addresses[i] ?? ''}/30`, 'dev', 'wire');
      ip('-n', name, 'link', 'set', 'wire', 'up');
    });
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here (root and iproute2 are needed): ${(error as Error).message}`;
  }
}

/** The peer program inside a namespace. */
function startIn(name: string, file: string, address: string): Promise<Program> {
  return Program.start(file, [address], {
    execPath: 'ip',
    execArgv: ['netns', 'exec', name, process.execPath],
  });
}

afterEach(removeNamespaces);

test('F5a: an interface goes down and comes up again: sends fail, the socket stays, the connection lives', async ({
  skip,
}) => {
  const obstacle = makeNamespaces();
  skip(obstacle !== undefined, obstacle);
  const file = await bundled(new URL('programs/peer.ts', import.meta.url));
  const [a, z] = await Promise.all([
    startIn(names[0], file, addresses[0]),
    startIn(names[1], file, addresses[1]),
  ]);
  try {
    await a.call('accept', await z.call('answer', await a.call<string>('offer')));
    while ((await a.call<Report>('report')).open === 0) await sleep(20);
    await a.call('say', 'hello');

    ip('-n', names[0], 'link', 'set', 'wire', 'down');
    const said = a.call('say', 'into the void');
    await sleep(3000);
    const { udp } = await a.call<Report>('report');
    expect(udp.state).toBe('open');
    expect(Object.keys(udp.sendErrors)).toContain('ENETUNREACH');
    ip('-n', names[0], 'link', 'set', 'wire', 'up');

    await said;
    for (const end of [a, z]) {
      expect(await end.call('report')).toMatchObject({ open: 1, ended: [], udp: { socketsLost: 0 } });
    }
  } finally {
    await Promise.all([a.stop(), z.stop()]);
  }
});
