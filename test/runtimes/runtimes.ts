/** The runtimes: which, in which version, how each is started, and what a reader of the table should know. */
import type { Column } from './table.ts';

/** A runtime that npm brings, at the version tested. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** Default: the package's name. */
  readonly command?: string;
}

interface Described {
  readonly name: string;
  /** What there is to check; the rest cannot be there. */
  readonly columns: readonly Column[];
  readonly notes: string;
}

/** A command that runs a script. */
export interface CommandRuntime extends Described {
  readonly kind: 'command';
  readonly package: Package;
  /** In front of the script. */
  readonly args: readonly string[];
}

/** Cloudflare's server, asked over HTTP. */
export interface WorkerdRuntime extends Described {
  readonly kind: 'workerd';
  readonly package: Package;
  readonly compatibilityDate: string;
}

/** A page of a browser of this machine. */
export interface BrowserRuntime extends Described {
  readonly kind: 'browser';
  readonly browser: 'Chromium' | 'Firefox';
  readonly page: 'window' | 'worker';
}

export type Runtime = CommandRuntime | WorkerdRuntime | BrowserRuntime;

/** In place of the one whose major version runs the tests. */
const NODES = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

const EVERYTHING: readonly Column[] = ['core', 'media', 'driver', 'nodeCrypto'];
const CORE: readonly Column[] = ['core', 'media'];

const PAGE_NOTES = {
  window: 'by an import map, without a bundler, and as the one-file bundle',
  worker: 'bundled; where `RTCPeerConnection` does not exist',
};

export const RUNTIMES: readonly Runtime[] = [
  ...NODES.map((version): CommandRuntime => ({
    kind: 'command',
    name: 'Node.js',
    package: { name: 'node', version },
    args: [],
    columns: EVERYTHING,
    notes: '',
  })),
  {
    kind: 'command',
    name: 'Bun',
    package: { name: 'bun', version: '1.4.5' },
    args: ['run'],
    columns: EVERYTHING,
    notes: '',
  },
  {
    kind: 'command',
    name: 'Deno',
    package: { name: 'deno', version: '2.9.6' },
    // What the driver needs, and no more: sockets, and the addresses of this host.
    args: ['run', '--no-prompt', '--allow-net', '--allow-sys=networkInterfaces'],
    columns: EVERYTHING,
    notes: '`deno run --allow-net --allow-sys=networkInterfaces`',
  },
  {
    kind: 'workerd',
    name: 'Cloudflare workerd',
    package: { name: 'workerd', version: '1.20261117.1' },
    compatibilityDate: '2026-01-01',
    columns: CORE,
    notes: 'no compatibility flag; no UDP there: datagrams come by a WebSocket, say',
  },
  ...(['Chromium', 'Firefox'] as const).flatMap((browser) =>
    (['window', 'worker'] as const).map((page): BrowserRuntime => ({
      kind: 'browser',
      name: `${browser}, ${page}`,
      browser,
      page,
      columns: CORE,
      notes: PAGE_NOTES[page],
    })),
  ),
];
