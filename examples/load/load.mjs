#!/usr/bin/env node
/** `npm run load -- --clients 500 --at-once`: so many clients join one UDP port; what it took. `--help` lists the options. */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Client } from './clients.mjs';

const USAGE = `Usage: npm run load -- [options]

  --clients N     how many join (default 100)
  --at-once       all in the same instant; otherwise --rate of them a second
  --rate N        default 100
  --loss SHARE    of all datagrams, each way, 0 to 0.5 (default 0)
  --idle SECONDS  how long they stay without a word, to measure that (default 3)
  --workers N     the server on so many worker threads, a port each (default 0: one thread, one port)
  --warm-up N     how many come and go before each measurement (default 2500); 0: the first ones a process meets
  --json          the report as JSON
  --help          this text

Exits 0 if every client connected and had a message echoed, and 1 if not.
`;

/**
 * Connections before a measurement: code is compiled once, and not for each connection. What happens once in a
 * connection has to happen a thousand times before V8 compiles it for good.
 */
const WARM_UP = '2500';
/** They come and go in crowds of so many. */
const WARM_UP_CROWD = 300;

try {
  process.exitCode = await main(readOptions());
} catch (error) {
  console.error(`load: ${error.message}`);
  process.exitCode = 1;
}

async function main(options) {
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const server = await startServer(options.workers);
  try {
    const report = await run(server, options);
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : describe(report));
    return report.connected === options.clients ? 0 : 1;
  } finally {
    server.stop();
  }
}

async function run(server, options) {
  await warmUp(server, options.warmUp);
  const start = await server.call('measure', { collect: true });
  // Again, because a collection with nobody there takes compiled code with it: it goes with the last object it is made for.
  await warmUp(server, options.warmUp);
  const before = await server.call('measure');

  const { clients, times, failures } = await crowd(server, options);
  const joined = await server.call('measure');
  const retransmitted = clients.map((client) => client.inspect().dtls.counters.retransmissions);
  const settled = await server.call('measure', { collect: true });
  await sleep(options.idle * 1000);
  const idle = await server.call('measure');

  await leave(server, clients);
  const end = await server.call('measure', { collect: true });

  times.sort((a, b) => a - b);
  return {
    clients: options.clients,
    workers: options.workers,
    loss: options.loss,
    connected: times.length,
    failures,
    milliseconds: { first: times[0], median: times[times.length >> 1], last: times.at(-1) },
    cpuPerConnection: (joined.cpu - before.cpu) / options.clients,
    rssPerConnection: (settled.rss - start.rss) / options.clients,
    heapPerConnection: (settled.heap - start.heap) / options.clients,
    idleCpuPercent: options.idle > 0 ? (idle.cpu - settled.cpu) / options.idle / 10 : null,
    heap: { before: start.heap, after: end.heap },
    rss: { before: start.rss, after: end.rss },
    clientFlightsRetransmitted: retransmitted.reduce((sum, count) => sum + count, 0),
    endpointAfterClose: end.endpoint,
    udp: difference(joined.udp, before.udp),
  };
}

/** So many come and go. */
async function warmUp(server, count) {
  for (let left = count; left > 0; left -= WARM_UP_CROWD) {
    const { clients } = await crowd(server, {
      clients: Math.min(left, WARM_UP_CROWD),
      atOnce: true,
      loss: 0,
    });
    await leave(server, clients);
  }
}

/** Everybody joins; the times until the first echo, ms since the first one started. */
async function crowd(server, { clients: count, atOnce, rate, loss }) {
  const clients = await Promise.all(Array.from({ length: count }, (_, i) => Client.open(loss, i)));
  const times = [];
  const failures = [];
  const start = performance.now();
  await Promise.all(
    clients.map(async (client, i) => {
      if (!atOnce) await sleep((i * 1000) / rate);
      try {
        await client.join((offer) => server.call('answer', offer));
        times.push(performance.now() - start);
      } catch (error) {
        failures.push(error.message);
      }
    }),
  );
  return { clients, times, failures };
}

/** Everybody leaves; resolves when the server has let go of them. */
async function leave(server, clients) {
  await Promise.all(clients.map((client) => client.leave()));
  while ((await server.call('measure')).endpoint.connections > 0) await sleep(20);
}

/** The server's process, and calls to it. */
async function startServer(workers) {
  const child = fork(new URL('server.mjs', import.meta.url), [String(workers)], {
    execArgv: ['--expose-gc'],
  });
  const waiting = new Map();
  let calls = 0;
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)));
    child.once('message', resolve);
  });
  child.once('exit', (code, signal) => {
    const error = new Error(`the server ended with ${signal ?? `code ${code}`}`);
    for (const { reject } of waiting.values()) reject(error);
  });
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  });
  return {
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        waiting.set(++calls, { resolve, reject });
        child.send({ id: calls, method, argument });
      }),
    stop: () => child.disconnect(),
  };
}

function describe(report) {
  const { milliseconds: time, heap, rss, udp } = report;
  const rows = [
    ['connected', `${report.connected} of ${report.clients}`, 'each with a message there and back'],
    ['first, median, last', `${ms(time.first)}, ${ms(time.median)}, ${ms(time.last)}`, 'signalling included'],
    ['server CPU', `${ms(report.cpuPerConnection)} a connection`, 'signalling included'],
    [
      'server memory',
      `${kib(report.rssPerConnection)} RSS`,
      `${kib(report.heapPerConnection)} heap, a connection`,
    ],
    [
      'idle CPU',
      report.idleCpuPercent === null ? 'not measured' : `${report.idleCpuPercent.toFixed(1)} %`,
      'of one core, all connections',
    ],
    [
      'heap after close',
      `${mib(heap.after)}`,
      `${mib(heap.before)} before; RSS ${mib(rss.after)}, ${mib(rss.before)} before`,
    ],
    [
      'left after close',
      `${report.endpointAfterClose.connections} connections`,
      `${report.endpointAfterClose.routes} routes, ${report.endpointAfterClose.armed} deadlines`,
    ],
    [
      'datagrams',
      `${udp.datagramsReceived} in`,
      `${udp.datagramsSent} out, ${udp.kernelDrops} dropped by the kernel`,
    ],
    ['DTLS flights again', String(report.clientFlightsRetransmitted), 'by the clients'],
    ...report.failures.slice(0, 3).map((message) => ['failed', '', message]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return `${rows.map(([name, value, detail]) => `${name.padEnd(widths[0])}  ${value.padEnd(widths[1])}  ${detail}`).join('\n')}\n`;
}

function difference(after, before) {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]));
}

function ms(milliseconds = NaN) {
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}

function mib(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '100' },
      'at-once': { type: 'boolean', default: false },
      rate: { type: 'string', default: '100' },
      loss: { type: 'string', default: '0' },
      idle: { type: 'string', default: '3' },
      workers: { type: 'string', default: '0' },
      'warm-up': { type: 'string', default: WARM_UP },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    help: values.help,
    json: values.json,
    atOnce: values['at-once'],
    clients: numberOption('--clients', values.clients, 1, 10_000),
    rate: numberOption('--rate', values.rate, 1, 100_000),
    loss: numberOption('--loss', values.loss, 0, 0.5),
    idle: numberOption('--idle', values.idle, 0, 3600),
    warmUp: numberOption('--warm-up', values['warm-up'], 0, 100_000),
    workers: numberOption('--workers', values.workers, 0, 64),
  };
}

function numberOption(name, text, least, most) {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most)) {
    throw new Error(`${name} expected a number from ${least} to ${most}, got "${text}"`);
  }
  return value;
}
