/**
 * An end: a process with one stack in it. The bench calls its methods over the process channel (program.mjs) and carries the
 * signals of its connections to the other end. The stack is imported, and prepared if it has anything to prepare, before the end is
 * ready; it is opened with its first connection, so that a first connection pays for all that comes after.
 *
 *   node end.mjs '{ "stack": URL, "role": "client" | "server", "settings": {} }'
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.mjs';
import { serve, signal } from './served.mjs';

const { stack: url, ...options } = JSON.parse(process.argv[2]);
const { open, prepare } = await import(url);
await prepare?.(options);

const connections = new Map();
let stack;
let echoes = false;

function connection(id) {
  let known = connections.get(id);
  if (known === undefined) {
    stack ??= open(options);
    known = new Connection(id, stack, signal);
    // Who awaits it is told as well.
    known.opened.catch((error) => console.error(error));
    connections.set(id, known);
  }
  return known;
}

function onSignal(message) {
  const known = connection(message.connection);
  if (echoes) known.echo();
  known.take(message);
  if (message.bye) connections.delete(message.connection);
}

/** Makes a connection; answers how long that took, ms, or `null` when it is not open in time. */
async function connect(id, patience) {
  const start = performance.now();
  const made = connection(id);
  made.offer();
  const opened = made.opened.then(() => performance.now() - start);
  return Promise.race([opened, sleep(patience, null, { ref: false })]);
}

const methods = {
  /** One after the other, each closed before the next. Answers the times of each, ms; `null`: not in time. */
  async connectInTurn({ first, count, patience }) {
    const times = [];
    for (let id = first; id < first + count; id++) {
      times.push(await connect(id, patience));
      await connections.get(id).close();
      connections.delete(id);
    }
    return times;
  },

  /** All at once, or one every so many ms; they stay. Answers the times of each, and when the last one was open, ms. */
  async connectCrowd({ count, every = 0, patience }) {
    const start = performance.now();
    let last = 0;
    const joining = [];
    for (let id = 0; id < count; id++) {
      joining.push(
        connect(id, patience).then((time) => {
          if (time !== null) last = performance.now() - start;
          return time;
        }),
      );
      if (every > 0) await sleep(every);
    }
    return { times: await Promise.all(joining), last };
  },

  /** From now on, every connection sends back what comes. */
  echo() {
    echoes = true;
  },

  bounce({ id, bytes }) {
    connection(id).bounce(bytes);
  },

  flow({ id, bytes, backlog }) {
    void connection(id).flow(bytes, backlog);
  },

  /** What this process has used and carried so far: CPU of all its threads in ms, memory in bytes. */
  sample({ collect = false } = {}) {
    if (collect) for (let i = 0; i < 3; i++) globalThis.gc();
    const { user, system } = process.cpuUsage();
    const all = [...connections.values()];
    return {
      time: performance.now(),
      cpu: (user + system) / 1000,
      rss: process.memoryUsage.rss(),
      sentBytes: sum(all, (each) => each.sentBytes - each.bufferedAmount),
      receivedBytes: sum(all, (each) => each.receivedBytes),
      receivedMessages: sum(all, (each) => each.receivedMessages),
    };
  },
};

function sum(items, pick) {
  return items.reduce((total, item) => total + pick(item), 0);
}

serve(methods, onSignal);
