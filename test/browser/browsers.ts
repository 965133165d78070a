/** Either browser with one page, asked alike, and stopped and continued as a computer that sleeps does it. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Authority } from '../interop/authority.ts';
import type { RunningPeer } from '../interop/contract.ts';
import { Chromium, mediaOf, peersOf } from './chromium.ts';
import { Firefox } from './firefox.ts';
import type { PageMediaPeer } from './page-media.ts';

export const BROWSERS = ['Chromium', 'Firefox'] as const;
export type BrowserName = (typeof BROWSERS)[number];

/** The command line of a process that has pages in it. */
const PAGE_PROCESS: Readonly<Record<BrowserName, RegExp>> = {
  Chromium: /--type=renderer/,
  Firefox: /-contentproc[\0 ].*[\0 ]tab[\0 ]*$/s,
};

export interface RunningBrowser extends RunningPeer {
  /** Audio and video of the peers of its page. */
  readonly media: PageMediaPeer;
  /** Stops the processes of its pages: they neither run nor know of it. Nothing can be asked of them until `thaw`. */
  freeze(): void;
  thaw(): void;
}

/** @param authority vouches for servers, besides the authorities of the world. */
export async function startBrowser(name: BrowserName, authority?: Authority): Promise<RunningBrowser> {
  let frozen: readonly number[] = [];
  const freezer = {
    freeze(): void {
      frozen = descendants(process.pid).filter((pid) => PAGE_PROCESS[name].test(commandLine(pid)));
      if (frozen.length === 0) throw new Error(`${name} has no process with a page in it`);
      for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    },
    thaw(): void {
      for (const pid of frozen) process.kill(pid, 'SIGCONT');
      frozen = [];
    },
  };
  if (name === 'Firefox') {
    const firefox = await Firefox.launch('1.3', authority);
    const { description, peer, media } = firefox;
    return { description, peer, media, stop: () => firefox.stop(), ...freezer };
  }
  const chromium = await Chromium.launch(authority);
  const page = await chromium.newPage();
  return {
    description: `Chromium ${chromium.version}, Node ${process.versions.node}`,
    peer: peersOf(page),
    media: mediaOf(page),
    stop: () => chromium.close(),
    ...freezer,
  };
}

/** All processes that this one has started, and those that they have. */
function descendants(ancestor: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      // "pid (name) state parent …": the name may have anything in it.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = new Set([ancestor]);
  // Children are listed after their parents but for when numbers have wrapped: so until nothing is new.
  for (let size = 0; size < found.size;) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(ancestor);
  return [...found];
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
