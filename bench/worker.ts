/**
 * What a web worker carries: the browser bundle in a worker of Chromium sends messages back to a server in Node. MB/s are what
 * comes back (it went there as well), CPU time is that of the worker's thread; the median of the rounds, which alternate.
 * Each bundle is run with WebAssembly, and once more without.
 *
 * A worker has no UDP socket, so datagrams travel in a WebSocket, and Chromium's part of that takes CPU time of the same cores.
 *
 *   npm run bench:worker -- [--package DIR]… [--seconds 3] [--size 65536] [--rounds 3]
 *
 * DIR is a checkout with its `dist` built, for a bundle from before a change beside one from after it.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Browser } from './worker/browser.ts';
import { EchoServer } from './worker/server.ts';

const { values } = parseArgs({
  options: {
    package: { type: 'string', multiple: true, default: ['.'] },
    seconds: { type: 'string', default: '3' },
    size: { type: 'string', default: '65536' },
    rounds: { type: 'string', default: '3' },
  },
});
const size = Number(values.size);

const WARM_UP = 2000;

interface Result {
  readonly megabytesPerSecond: number;
  /** Of the worker, for a gigabyte that came and went; `NaN` where the system does not tell. */
  readonly secondsPerGigabyte: number;
}

const bundles = values.package.map((directory, i) => {
  const file = resolve(join(directory, 'dist/browser/sansrtc.js'));
  if (!existsSync(file)) throw new Error(`no ${file}: build that checkout first (npm run build)`);
  return { directory, file, path: `/${i}/sansrtc.js` };
});
const contenders = bundles.flatMap(({ directory, path }) =>
  ['with', 'without'].map((webassembly) => ({ directory, path, webassembly, results: [] as Result[] })),
);
// The worker lies beside the bundle of this file.
const worker = fileURLToPath(new URL('./worker/echo.mjs', import.meta.url));
const server = await EchoServer.listen(
  new Map([['/echo.mjs', worker], ...bundles.map(({ path, file }) => [path, file] as const)]),
);

/** One fresh browser. */
async function measure(bundle: string, webassembly: string): Promise<Result> {
  const next = server.nextWorker();
  const parameters = new URLSearchParams({
    bundle,
    webassembly,
    pipe: `ws://${server.address}/`,
  });
  const browser = new Browser(`http://${server.address}/?${parameters}`);
  try {
    const channel = await next;
    const snapshot = (): [number, number, number] => [
      performance.now(),
      channel.echoed,
      browser.workerTime() ?? NaN,
    ];
    channel.start(size);
    await new Promise((done) => setTimeout(done, WARM_UP));
    const [time, echoed, cpu] = snapshot();
    await new Promise((done) => setTimeout(done, Number(values.seconds) * 1000));
    const [timeAfter, echoedAfter, cpuAfter] = snapshot();
    channel.close();
    const bytes = echoedAfter - echoed;
    return {
      megabytesPerSecond: bytes / 1e3 / (timeAfter - time),
      secondsPerGigabyte: ((cpuAfter - cpu) * 1e6) / bytes,
    };
  } finally {
    await browser.close();
  }
}

function median(figures: readonly number[]): string {
  return ([...figures].sort((a, b) => a - b)[figures.length >> 1] ?? NaN).toFixed(1);
}

for (let round = 0; round < Number(values.rounds); round++) {
  for (const { path, webassembly, results } of contenders) results.push(await measure(path, webassembly));
}
console.log(`messages of ${size} bytes, Node ${process.versions.node}\n`);
console.log('| bundle of | WebAssembly | MB/s each way | worker, CPU-s per GB echoed |');
console.log('| --- | --- | --- | --- |');
for (const { directory, webassembly, results } of contenders) {
  const rate = median(results.map(({ megabytesPerSecond }) => megabytesPerSecond));
  const cpu = median(results.map(({ secondsPerGigabyte }) => secondsPerGigabyte));
  console.log(`| ${directory} | ${webassembly} | ${rate} | ${cpu} |`);
}
await server.close();
