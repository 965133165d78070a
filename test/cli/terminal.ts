/** A terminal in memory, and the real command as a child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Terminal } from '../../src/cli/terminal.ts';

export interface FakeTerminal extends Terminal {
  readonly out: () => string;
  readonly err: () => string;
  readonly files: Map<string, string>;
  /** As Ctrl-C. */
  readonly interrupt: () => void;
  /** Resolves once standard output has this. */
  readonly said: (text: RegExp) => Promise<RegExpExecArray>;
}

export function fakeTerminal(input: readonly string[] = []): FakeTerminal {
  let out = '';
  let err = '';
  const files = new Map<string, string>();
  const interrupts = new Set<() => void>();
  let told: (() => void)[] = [];
  return {
    read: (file) => {
      throw new Error(`no such file: ${file}`);
    },
    write: (file, data) => void files.set(file, String(data)),
    create: (file) => {
      files.set(file, '');
      return {
        write: (line) => void files.set(file, `${files.get(file) ?? ''}${line}\n`),
        close: () => undefined,
      };
    },
    stdout(data) {
      out += String(data);
      const waiting = told;
      told = [];
      for (const look of waiting) look();
    },
    stderr: (line) => void (err += `${line}\n`),
    async *lines() {
      for (const line of input) yield await Promise.resolve(line);
    },
    onInterrupt(listener) {
      interrupts.add(listener);
      return () => interrupts.delete(listener);
    },
    out: () => out,
    err: () => err,
    files,
    interrupt() {
      for (const listener of [...interrupts]) listener();
    },
    async said(text) {
      for (;;) {
        const found = text.exec(out);
        if (found !== null) return found;
        await new Promise<void>((resolve) => told.push(resolve));
      }
    },
  };
}

const bin = fileURLToPath(new URL('../../bin/sansrtc.mjs', import.meta.url));

/** The command in bin/ runs what was built. */
export const isBuilt = existsSync(new URL('../../dist/cli/index.js', import.meta.url));

export interface RunningCommand {
  readonly process: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly said: (text: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
}

/** Starts the real command. */
export function start(...args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const looks = new Set<() => void>();
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    for (const look of [...looks]) look();
  });
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    process: child,
    out: () => out,
    err: () => err,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = text.exec(out);
          if (found === null) return;
          looks.delete(look);
          resolve(found);
        };
        looks.add(look);
        void ended.then((code) => reject(new Error(`ended with ${code}: ${out}${err}`)));
        look();
      }),
  };
}
