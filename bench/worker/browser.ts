/**
 * A Chromium that nothing drives: one page, whose address says what it does. A driver over DevTools would be told of each message
 * of a WebSocket, which costs more than the connection that is measured.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As test/browser has it: `CHROMIUM` names another executable. */
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Of `/proc/…/stat` (man 5 proc_pid_stat): a Linux tick, ms. */
const TICK = 10;

export class Browser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #ended: Promise<unknown>;

  constructor(url: string) {
    if (!existsSync(EXECUTABLE)) {
      throw new Error(`no Chromium at ${EXECUTABLE}: install it or set CHROMIUM to its path`);
    }
    this.#profile = mkdtempSync(join(tmpdir(), 'sansrtc-worker-'));
    this.#process = spawn(EXECUTABLE, [...FLAGS, `--user-data-dir=${this.#profile}`, url], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#process.stdout?.resume();
    // Its standard output closes when the last of its processes has ended.
    this.#ended = new Promise((resolve) => this.#process.once('close', resolve));
  }

  /** CPU time of its web workers' threads, ms; `undefined` where the system does not tell. */
  workerTime(): number | undefined {
    try {
      const own = descendants(this.#process.pid ?? 0).flatMap((pid) =>
        readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`),
      );
      const workers = own.filter((task) =>
        readFileSync(`${task}/comm`, 'utf8').startsWith('DedicatedWorker'),
      );
      return workers.reduce((sum, task) => sum + timeOf(`${task}/stat`), 0);
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#process.kill();
    await this.#ended;
    rmSync(this.#profile, { recursive: true, force: true });
  }
}

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(descendants)];
}

/** In user and system mode. */
function timeOf(stat: string): number {
  // The second field is a name in parentheses, with anything in it; the 14th and 15th are the times.
  const fields = readFileSync(stat, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}
