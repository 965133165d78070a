/** A process of the bench, and calls to it: what it does not answer in time has failed, and so has all it was asked once it has ended. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How long a process may take to be ready, and to answer a call that names no other time, ms. */
const PATIENCE = 20_000;
/** Of what it has written to stderr, characters. */
const LAST_WORDS = 2000;

export class Program {
  /** What is done with its signals. */
  onSignal = () => {};
  #child;
  #stderr = '';
  #waiting = new Map();
  #calls = 0;
  #ready;
  #ended;

  /** @param file beside this one @param argument its only one, as JSON */
  static async start(file, argument, execArgv = []) {
    const program = new Program(file, argument, execArgv);
    try {
      await program.#answered('ready', PATIENCE, 'it is not ready');
    } catch (error) {
      program.stop();
      throw error;
    }
    return program;
  }

  constructor(file, argument, execArgv) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)], {
      execArgv,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr.on('data', (text) => (this.#stderr = `${this.#stderr}${text}`.slice(-LAST_WORDS)));
    this.#child.on('message', (message) => this.#take(message));
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', (code, killedBy) => this.#end(`it ended with ${killedBy ?? `code ${code}`}`));
  }

  call(method, argument, patience = PATIENCE) {
    const id = ++this.#calls;
    const answer = this.#answered(id, patience, `no answer to ${method}`);
    if (this.#ended === undefined) this.#child.send({ id, method, argument }, () => {});
    return answer;
  }

  signal(message) {
    if (this.#child.connected) this.#child.send({ signal: message }, () => {});
  }

  stop() {
    this.#child.kill('SIGKILL');
  }

  async #answered(id, patience, otherwise) {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    if (id === 'ready' && this.#ready) return;
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(new Error(`${otherwise} in ${patience / 1000} s`)), patience);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  #take({ id, result, error, signal, ready }) {
    if (signal !== undefined) {
      this.onSignal(signal);
      return;
    }
    this.#ready ??= ready;
    const asked = this.#waiting.get(ready ? 'ready' : id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new Error(error));
  }

  #end(reason) {
    const words = this.#stderr.trim();
    this.#ended ??= words === '' ? reason : `${reason}: ${words}`;
    for (const { reject } of this.#waiting.values()) reject(new Error(this.#ended));
  }
}
