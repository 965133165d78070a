/**
 * How long a browser's upload takes over a path that loses datagrams: Chromium and Firefox to this library's `UdpDriver`, and
 * to libdatachannel beside it, each behind the same relay. Prints a table of seconds, the median of its runs; a browser
 * or server that is not on this machine is named and left out. Exit code 0, whatever the figures are.
 *
 *   npm run bench:upload [-- --runs 3]
 */
import { parseArgs } from 'node:util';
import type { RunningPeer } from '../test/interop/contract.ts';
import { UPLOADERS } from './upload/browsers.ts';
import { Relay, withoutCandidates } from './upload/relay.ts';
import { SERVERS } from './upload/servers.ts';

const KIBIBYTE = 1024;
const SIZES = [128 * KIBIBYTE, 1024 * KIBIBYTE] as const;
const LOSSES = [0, 0.01, 0.05, 0.15] as const;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '3' } } });
const runs = Math.max(1, Math.trunc(Number(values.runs)) || 1);

let uploads = 0;

/** Seconds from the first call of `send` to the last byte at the server, on a fresh connection; infinite if it stalls. */
async function upload(
  browser: RunningPeer,
  server: RunningPeer,
  bytes: number,
  loss: number,
  seed: number,
): Promise<number> {
  const name = `upload ${++uploads}`;
  const relay = await Relay.open(seed);
  try {
    const { peer } = browser;
    const end = server.peer;
    await peer.offer(name, [{ label: 'upload' }]);
    await end.answer(name, withoutCandidates(await peer.completeDescription(name)));
    await peer.acceptAnswer(name, relay.inFrontOf(await end.completeDescription(name)));
    await Promise.all([peer.opened(name, 'upload'), end.opened(name, 'upload')]);
    relay.loss = loss;
    const start = performance.now();
    const received = end.receiveBulk(name, 'upload', bytes).then(
      (sha256) => ({ sha256, seconds: (performance.now() - start) / 1000 }),
      () => undefined,
    );
    const sent = await peer.sendBulk(name, 'upload', bytes);
    const { sha256, seconds } = (await received) ?? { sha256: sent.sha256, seconds: Infinity };
    if (sha256 !== sent.sha256) throw new Error('what arrived is not what was sent');
    relay.loss = 0;
    await peer.close(name);
    await end.close(name);
    return seconds;
  } finally {
    relay.close();
  }
}

async function median(
  browser: RunningPeer,
  server: RunningPeer,
  bytes: number,
  loss: number,
): Promise<string> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await upload(browser, server, bytes, loss, run + 1));
  const seconds = times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
  return Number.isFinite(seconds) ? `${seconds.toPrecision(2)} s` : 'stalls';
}

/** What could be started, and under which name; the rest is named. */
async function startAll<T>(
  kinds: readonly { readonly name: string; readonly start: () => Promise<T> }[],
): Promise<readonly (readonly [string, T])[]> {
  const running: (readonly [string, T])[] = [];
  for (const { name, start } of kinds) {
    try {
      running.push([name, await start()]);
    } catch (error) {
      console.log(`${name} is skipped: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return running;
}

const browsers = await startAll(UPLOADERS);
const servers = await startAll(SERVERS);
console.log(`| from, to | size | ${LOSSES.map((loss) => `${loss * 100} % lost`).join(' | ')} |`);
console.log(`| --- | --- | ${LOSSES.map(() => '---').join(' | ')} |`);
for (const [from, browser] of browsers) {
  for (const bytes of SIZES) {
    for (const [to, server] of servers) {
      const cells: string[] = [];
      for (const loss of LOSSES) cells.push(await median(browser, server, bytes, loss));
      console.log(`| ${from}, ${to} | ${bytes / KIBIBYTE} KiB | ${cells.join(' | ')} |`);
    }
  }
}
await Promise.all([...browsers, ...servers].map(([, running]) => running.stop()));
