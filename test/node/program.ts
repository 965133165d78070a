/** Programs as processes of their own: bundled from the sources, so that no build is needed, and called over IPC. */
import { build } from 'esbuild';
import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = (file: string): string => fileURLToPath(new URL(`../../src/${file}`, import.meta.url));

/**
 * Bundles programs, keeping their places below `folder`, and copies what else they read.
 * @returns the folder where they are; it goes when this process ends.
 */
export async function bundle(folder: URL, programs: string[], files: string[] = []): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'sansrtc-'));
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  await build({
    entryPoints: programs.map((file) => fileURLToPath(new URL(file, folder))),
    outbase: fileURLToPath(folder),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    // It starts a worker from the file beside it, so it must stay where it is.
    external: ['*/pool.mjs'],
    alias: {
      'sansrtc/crypto/node': src('crypto/node/index.ts'),
      'sansrtc/media': src('media/index.ts'),
      'sansrtc/node': src('node/index.ts'),
      'sansrtc/rtp': src('rtp/index.ts'),
      'sansrtc/sdp': src('sdp/index.ts'),
      sansrtc: src('index.ts'),
    },
  });
  for (const file of files) copyFileSync(fileURLToPath(new URL(file, folder)), join(outdir, file));
  return outdir;
}

/** Bundles one program. @returns the file to run */
export async function bundled(program: URL): Promise<string> {
  const name = program.pathname.slice(program.pathname.lastIndexOf('/') + 1);
  const folder = await bundle(new URL('.', program), [name]);
  return join(folder, name.replace(/\.ts$/, '.mjs'));
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A program that answers `{ id, method, argument }` by `{ id, result }` or `{ id, error }`, and says `ready` first. */
export class Program {
  readonly child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #calls = 0;

  static async start(file: string, args: string[] = [], options: ForkOptions = {}): Promise<Program> {
    const child = fork(file, args, options);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the program ended with code ${String(code)}`)));
      child.once('message', () => resolve());
    });
    return new Program(child);
  }

  private constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result as never);
      else waiting?.reject(new Error(error));
    });
  }

  call<Result>(method: string, argument?: unknown): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(++this.#calls, { resolve, reject });
      this.child.send({ id: this.#calls, method, argument });
    });
  }

  /** Resolves when the process has gone. */
  async stop(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill('SIGKILL');
    await gone;
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
