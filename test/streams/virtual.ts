/** Promises over the virtual clock: a slice of it, then whatever has been waiting for that, and so on. */
import type { Pair } from '../rtc/pair.ts';

/** Milliseconds of virtual time between two looks of those who wait; longer where nothing has happened for long. */
const SLICE = 10;
const LONG_SLICE = 250;
const LONG_AFTER = 3000;

/** The real one, also where a test has put another in its place. */
const realTimeout = setTimeout;

/** Lets real time go by, a millisecond or two: some of what is waited for is a timer of the host's, however fast the virtual clock runs. */
async function moment(): Promise<void> {
  await new Promise((resolve) => realTimeout(resolve, 2));
}

/** Lets everything that waits for a promise go on. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Runs the network until `promise` is settled, for `limit` ms of virtual time at the most. */
export async function through<T>(
  { net }: Pick<Pair, 'net'>,
  promise: Promise<T>,
  limit = 120_000,
): Promise<T> {
  const state = { isSettled: false };
  const settled = promise.finally(() => {
    state.isSettled = true;
  });
  settled.catch(() => undefined);
  const begin = net.now;
  while (!state.isSettled && net.now < begin + limit) {
    const isLong = net.now >= begin + LONG_AFTER;
    net.advance(isLong ? LONG_SLICE : SLICE);
    await (isLong ? moment() : turn());
  }
  if (!state.isSettled)
    throw new Error(`seed ${String(net.seed)}: not settled within ${String(limit)} ms of virtual time`);
  return promise;
}

/** Runs the network for so many ms of virtual time. */
export async function pass({ net }: Pick<Pair, 'net'>, ms: number): Promise<void> {
  for (const end = net.now + ms; net.now < end;) {
    net.advance(Math.min(50, ms));
    await moment();
  }
}
