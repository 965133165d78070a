/**
 * Terminal: where a command reads and writes. Node's own, unless a test looks on.
 *
 * Results go to standard output. Progress, warnings and errors go to standard error, so that a pipe carries results alone.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A file that is written line by line. */
export interface LineFile {
  /** Does nothing once it is closed. */
  write(line: string): void;
  close(): void;
}

/** Where a command reads and writes. */
export interface Terminal {
  readonly read: (file: string) => string;
  readonly write: (file: string, data: string | Uint8Array) => void;
  /** Begins a file anew. Throws if it cannot be written. */
  readonly create: (file: string) => LineFile;
  readonly stdout: (data: string | Uint8Array) => void;
  /** One line, without its end. */
  readonly stderr: (line: string) => void;
  /** Draws over the last line of standard error, or clears it (`''`). Absent where that is no terminal. */
  readonly redraw?: ((text: string) => void) | undefined;
  /** The lines of standard input. */
  readonly lines: () => AsyncIterable<string>;
  /**
   * Calls back when the command is to end: Ctrl-C, SIGTERM, or nobody reads standard output any more. A second Ctrl-C ends the
   * process at once. @returns what takes the listener away.
   */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** To the beginning of the line, and all of it gone (ECMA-48 EL). */
const CLEAR = '\r\u001b[K';

/** The terminal of this process. */
export const NODE_TERMINAL: Terminal = {
  read: (file) => readFileSync(file, 'utf8'),
  write: (file, data) => writeFileSync(file, data),
  create(file) {
    let descriptor: number | undefined = openSync(file, 'w');
    return {
      write(line) {
        if (descriptor !== undefined) writeSync(descriptor, `${line}\n`);
      },
      close() {
        if (descriptor !== undefined) closeSync(descriptor);
        descriptor = undefined;
      },
    };
  },
  stdout: (data) => void process.stdout.write(data),
  // A line that is drawn in place makes room.
  stderr: (line) => void process.stderr.write(`${process.stderr.isTTY ? CLEAR : ''}${line}\n`),
  redraw: process.stderr.isTTY ? (text) => void process.stderr.write(CLEAR + text) : undefined,
  lines: () => createInterface({ input: process.stdin }),
  onInterrupt(listener) {
    const broken = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EPIPE') listener();
    };
    process.once('SIGINT', listener).once('SIGTERM', listener);
    process.stdout.on('error', broken);
    return () => {
      process.off('SIGINT', listener).off('SIGTERM', listener);
      process.stdout.off('error', broken);
    };
  },
};

/** How long a step may take before a terminal that draws nothing in place is told of it, ms. */
const WORTH_A_LINE = 2000;
const REDRAW_INTERVAL = 250;

/**
 * Runs something that may take a while and says so on standard error: on a terminal one line that is drawn in place and goes away,
 * elsewhere one plain line once two seconds are over.
 *
 * @param what what is being done; asked again for each drawing.
 */
export async function withProgress<T>(
  terminal: Terminal,
  what: () => string,
  run: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const { redraw } = terminal;
  const seconds = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
  const timer =
    redraw === undefined
      ? setTimeout(() => terminal.stderr(`${what()} …`), WORTH_A_LINE)
      : setInterval(() => redraw(`${what()} … ${seconds()}`), REDRAW_INTERVAL);
  try {
    return await run();
  } finally {
    clearInterval(timer);
    redraw?.('');
  }
}
