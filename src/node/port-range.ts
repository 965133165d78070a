/** PortRange: a range of ports to bind in, for hosts behind a firewall that opens some. */
import { randomInt } from 'node:crypto';
import { badArgument, RtcError } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import { integer, nested, required } from '../core/options.ts';

/** Ports from `min` to `max`, both included, 1–65535. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

/** One port, 0 for any free one, or any free one of a range. */
export type PortChoice = number | PortRange;

const onePort: OptionRule = integer(0, 0xffff);
const RANGE_RULES: OptionRules<PortRange> = {
  min: required(integer(1, 0xffff)),
  max: required(integer(1, 0xffff)),
};
const range: OptionRule = nested(RANGE_RULES);

/** The rule of an option that takes either. */
export const portChoice: OptionRule = (value, name) => {
  if (typeof value !== 'object' || value === null) {
    onePort(value, name);
    return;
  }
  range(value, name);
  const { min, max } = value as PortRange;
  if (min > max) throw badArgument(name, 'a range whose "min" is not above its "max"', value);
};

/**
 * Binds by `bind` at the port, or at the ports of the range in turn, from a random one on, until one is free. Rejects with what
 * `bind` does, with `ERR_SOCKET` when all are taken.
 */
export async function bindWithin<T>(choice: PortChoice, bind: (port: number) => Promise<T>): Promise<T> {
  if (typeof choice === 'number') return bind(choice);
  const { min, max } = choice;
  const count = max - min + 1;
  const first = randomInt(count);
  let cause: unknown;
  for (let i = 0; i < count; i++) {
    try {
      return await bind(min + ((first + i) % count));
    } catch (error) {
      if (!isTaken(error)) throw error;
      cause = error;
    }
  }
  const failure = new RtcError('ERR_SOCKET', `every port from ${min} to ${max} is already in use`);
  failure.cause = cause;
  throw failure;
}

/** In use, or not for this process. */
function isTaken(error: unknown): boolean {
  const cause = error instanceof RtcError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === 'EADDRINUSE' || cause?.code === 'EACCES';
}
