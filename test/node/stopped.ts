/** F5b, with a real process: stopped by SIGSTOP for a while, then continued, as a machine that is migrated. */
import type { Report } from './programs/peer.ts';
import { bundled, Program, sleep } from './program.ts';

const CONNECTIONS = 10;

/** What a server and its clients report after the server has been stopped for so long, and everybody has spoken again. */
export async function afterStop(milliseconds: number): Promise<{ server: Report; clients: Report }> {
  const file = await bundled(new URL('programs/peer.ts', import.meta.url));
  const [server, clients] = await Promise.all([Program.start(file), Program.start(file)]);
  try {
    for (let i = 0; i < CONNECTIONS; i++) {
      const offer = await clients.call<string>('offer');
      await clients.call('accept', await server.call('answer', offer));
    }
    while ((await clients.call<Report>('report')).open < CONNECTIONS) await sleep(20);
    await clients.call('say', 'before');

    server.child.kill('SIGSTOP');
    const said = clients.call('say', 'to somebody who does not listen');
    await sleep(milliseconds);
    server.child.kill('SIGCONT');

    await said;
    await server.call('say', 'back again');
    return { server: await server.call('report'), clients: await clients.call('report') };
  } finally {
    await Promise.all([server.stop(), clients.stop()]);
  }
}
