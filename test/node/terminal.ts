/** Programs in Node as people use them: what they print is read, and lines are typed. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

/** One program that runs, what it prints, and what is typed into it. */
export class Terminal {
  readonly process: ChildProcessWithoutNullStreams;
  #printed = '';
  #looking: (() => void) | undefined;

  constructor(file: string, ...args: string[]) {
    this.process = spawn(process.execPath, [file, ...args]);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        this.#printed += part;
        this.#looking?.();
      });
    }
    // Who looks for what will never be printed is told.
    this.process.once('close', () => this.#looking?.());
  }

  type(line: string): void {
    this.process.stdin.write(`${line}\n`);
  }

  /** What a pattern finds, as soon as it is printed; the first group, if there is one. */
  async sees(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#printed);
      if (found !== null) return found[1] ?? found[0];
      if (this.process.exitCode !== null) throw new Error(`it has ended: ${this.#printed}`);
      await new Promise<void>((resolve) => (this.#looking = resolve));
    }
  }

  ended(): Promise<number | null> {
    if (this.process.exitCode !== null) return Promise.resolve(this.process.exitCode);
    return new Promise((resolve) => this.process.once('exit', resolve));
  }
}
