/**
 * A foreign peer as a child process that speaks JSON lines: requests `{ id, method, args }` go in, answers
 * `{ id, result }` or `{ id, error }` come out in any order. Its first line is `{ ready: "<who it is>" }`.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { RunningPeer } from './contract.ts';
import { peerOver } from './contract.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly id?: number;
  readonly ready?: string;
  readonly result?: unknown;
  readonly error?: string;
}

/** A foreign peer that is a process of its own. */
export interface PeerProcess extends RunningPeer {
  /** Ends it as a crash does: it says nothing any more. */
  kill(): Promise<void>;
}

/** Starts the process and waits for its first line. */
export async function startProcess(command: string, args: readonly string[] = []): Promise<PeerProcess> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map<number, Waiting>();
  let complaints = '';
  let lastId = 0;
  let end: Error | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  // What is written to a process that has died: 'close' tells of it.
  child.stdin.on('error', () => undefined);

  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      end = new Error(`${command} has ended: ${complaints}`);
      for (const { reject: rejectOne } of waiting.values()) rejectOne(end);
      waiting.clear();
      reject(end);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A library may log to standard output: that is for a reader of a failure, not for us.
      if (!line.startsWith('{')) {
        complaints += `${line}\n`;
        return;
      }
      const answer = JSON.parse(line) as Answer;
      if (answer.ready !== undefined) resolve(answer.ready);
      const request = waiting.get(answer.id ?? 0);
      waiting.delete(answer.id ?? 0);
      if (answer.error === undefined) request?.resolve(answer.result ?? undefined);
      else request?.reject(new Error(`${command}: ${answer.error}`));
    });
  });

  const peer = peerOver((method, parameters) => {
    if (end !== undefined) return Promise.reject(end);
    const id = ++lastId;
    child.stdin.write(`${JSON.stringify({ id, method, args: parameters })}\n`);
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  });

  return {
    description: await ready,
    peer,
    async stop(): Promise<void> {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
      await gone;
      clearTimeout(timer);
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
