/** Waits: a promise that is settled by what is seen, a deadline or a signal, whichever comes first, and leaves nothing behind. */
import type { RtcEvent } from '../rtc.ts';
import { StreamsError } from './errors.ts';
import type { WaitOptions } from './options.ts';
import type { Watcher } from './watch.ts';

/**
 * Without progress for so long a wait ends by itself, ms: longer than the gates of a connection, of which `signaling` is the longest (120 s),
 * and the end of hosts that have stopped to poll.
 */
export const PATIENCE = 150_000;

/** `setTimeout` takes 31 bits of milliseconds, and that is as good as never. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** What is waited for. */
export interface Awaited {
  /** For people: `"drained" of the channel "chat"`. */
  readonly what: string;
  /** Where events come from. */
  readonly source: { add(watcher: Watcher): () => void };
  /** True: it is there. Throws what to reject with. Asked at once, then at each event. */
  judge(event?: RtcEvent): boolean;
  /** Numbers that change as long as it gets on. */
  progress(): number;
  /** Called when the deadline has passed or the signal is aborted. */
  give?(): void;
}

/** Waits. The options have been checked. */
export function wait(awaited: Awaited, { timeout, signal }: WaitOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const ends: (() => void)[] = [];
    const settle = (act: () => void): void => {
      for (const end of ends.splice(0)) end();
      act();
    };
    const give = (error: unknown): void => {
      settle(() => reject(reasonFor(error)));
      awaited.give?.();
    };
    const look: Watcher = (event) => {
      try {
        if (awaited.judge(event)) settle(resolve);
      } catch (error) {
        settle(() => reject(reasonFor(error)));
      }
    };
    // What judging does may bring about an event: it is listened for before.
    ends.push(awaited.source.add(look));
    ends.push(
      startDeadline(
        timeout,
        () => awaited.progress(),
        () => give(timeoutError(awaited.what, timeout)),
      ),
    );
    ends.push(onAbort(signal, give));
    look();
  });
}

/** What was thrown, or a signal's reason, as what a promise rejects with: an error, unless its owner has chosen something else. */
export function reasonFor(thrown: unknown): Error {
  return thrown as Error;
}

/** Calls `expire` after `timeout` ms, or, if that is `undefined`, after `PATIENCE` in which nothing changed. @returns what ends it */
export function startDeadline(
  timeout: number | undefined,
  progress: () => number,
  expire: () => void,
): () => void {
  if (timeout !== undefined && timeout > LONGEST_TIMEOUT) return () => undefined;
  let seen = progress();
  let timer: ReturnType<typeof setTimeout>;
  const fired = (): void => {
    const now = progress();
    if (timeout !== undefined || now === seen) {
      expire();
      return;
    }
    seen = now;
    timer = setTimeout(fired, PATIENCE);
  };
  timer = setTimeout(fired, timeout ?? PATIENCE);
  return () => clearTimeout(timer);
}

/** What a passed deadline rejects with. */
export function timeoutError(what: string, timeout: number | undefined): StreamsError {
  const how = timeout === undefined ? `${PATIENCE} ms without progress` : `${timeout} ms`;
  return new StreamsError('ERR_TIMEOUT', `${what}: not within ${how}`);
}

/** Calls `give` with the reason when the signal is aborted. @returns what ends it */
export function onAbort(signal: AbortSignal | undefined, give: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => undefined;
  const aborted = (): void => give(signal.reason);
  signal.addEventListener('abort', aborted, { once: true });
  return () => signal.removeEventListener('abort', aborted);
}
