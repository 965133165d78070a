/** Two ends in processes of their own, whose signals are carried from one to the other, and what they used while something went on. */
import { udpAddress } from './candidate.mjs';
import { Program } from './program.mjs';

export class Pair {
  /** @param path given, they meet through it alone (path.mjs) */
  static async start(stack, { settings = {}, path, collects = false } = {}) {
    const execArgv = collects ? ['--expose-gc'] : [];
    const start = (role) => Program.start('end.mjs', { stack: stack.url, role, settings }, execArgv);
    const [client, server] = await Promise.allSettled([start('client'), start('server')]);
    if (client.status === 'fulfilled' && server.status === 'fulfilled') {
      return new Pair(client.value, server.value, path);
    }
    client.value?.stop();
    server.value?.stop();
    throw client.reason ?? server.reason;
  }

  constructor(client, server, path) {
    this.client = client;
    this.server = server;
    carry(client, server, path);
    carry(server, client, path);
  }

  /** What each end used and carried while `work` went on, as differences of samples. */
  async during(work) {
    const before = await this.#samples();
    await work();
    const after = await this.#samples();
    return {
      client: difference(after[0], before[0]),
      server: difference(after[1], before[1]),
    };
  }

  stop() {
    this.client.stop();
    this.server.stop();
  }

  #samples() {
    return Promise.all([this.client.call('sample'), this.server.call('sample')]);
  }
}

/** In order, whatever the path takes its time for. Without one, they meet directly, over UDP and IPv4 like everybody else here. */
function carry(from, to, path) {
  let carried = Promise.resolve();
  from.onSignal = (signal) => {
    if (path === undefined) {
      const { candidate } = signal;
      if (candidate === undefined || udpAddress(candidate.candidate) !== undefined) to.signal(signal);
      return;
    }
    carried = carried.then(async () => {
      const changed = await path.inFrontOf(signal);
      if (changed !== undefined) to.signal(changed);
    });
  };
}

export function difference(after, before) {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]));
}
