/** Cloudflare's workerd: a configuration with one worker in it, served on a free port of loopback and asked once. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { bundleIn } from './pages.ts';
import { parseReport, type Report } from './report.ts';
import type { WorkerdRuntime } from './runtimes.ts';

const REPORT_WITHIN = 300_000;
const ASK_AGAIN_AFTER = 100;

/** Nothing but the language and the web's interfaces: no compatibility flag is set. */
function configuration(port: number, compatibilityDate: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "workerd.js", esModule = embed "workerd.js")],
    compatibilityDate = "${compatibilityDate}",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${String(port)}", http = (), service = "main")],
);
`;
}

export async function workerdReport(
  command: string,
  { compatibilityDate }: WorkerdRuntime,
  project: string,
): Promise<Report> {
  const port = await freePort();
  writeFileSync(join(project, 'workerd.js'), await bundleIn(project, 'workerd.mjs'));
  writeFileSync(join(project, 'workerd.capnp'), configuration(port, compatibilityDate));
  const child = spawn(command, ['serve', 'workerd.capnp'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const gone = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`workerd has ended: ${said.slice(-1500)}`)));
  });
  gone.catch(() => undefined);
  try {
    return parseReport(await Promise.race([gone, ask(`http://127.0.0.1:${String(port)}/`)]));
  } finally {
    child.kill('SIGKILL');
  }
}

/** Asks until somebody listens. */
async function ask(url: string): Promise<string> {
  const signal = AbortSignal.timeout(REPORT_WITHIN);
  for (;;) {
    try {
      return await (await fetch(url, { signal })).text();
    } catch (error) {
      if (signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_AFTER));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
