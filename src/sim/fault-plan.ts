/**
 * A fault plan: what goes wrong between two ends, and when, as a list of plain data. It is what a property generates and
 * shrinks, and what a failing test prints; a printed one can be pasted back.
 *
 *   [{ "type": "datagram", "way": "up", "index": 3, "fault": { "type": "drop" } },
 *    { "type": "freeze", "end": "second", "at": 2000, "duration": 5000 }]
 */
import { badArgument } from '../core/errors.ts';
import type { Fault } from './faults.ts';
import type { Host } from './host.ts';
import type { Network } from './network.ts';

/** `up`: from the end named first to the other one, as in `PathConditions`. */
export type Way = 'up' | 'down';

/** Times are virtual milliseconds from the moment the plan is applied. Without a `duration` it is for good. */
export type PlannedFault =
  /** To the `index`-th datagram (from 0) of one direction, counted from the moment the plan is applied. */
  | { readonly type: 'datagram'; readonly way: Way; readonly index: number; readonly fault: Fault }
  /** One direction loses everything. */
  | {
      readonly type: 'cut';
      readonly way: Way;
      readonly at: number;
      readonly duration?: number | undefined;
    }
  /** Both directions do. */
  | { readonly type: 'partition'; readonly at: number; readonly duration?: number | undefined }
  /** One end stands still, and its clock has jumped when it wakes (`host.freeze`). */
  | {
      readonly type: 'freeze';
      readonly end: 'first' | 'second';
      readonly at: number;
      readonly duration: number;
    };

/**
 * Plans `faults` between two hosts of one address each. What ends, ends by `link.heal()`: of two overlapping cuts of one
 * direction the one that ends first ends both. Throws `ERR_BAD_ARGUMENT` for a value out of its range; what came before it
 * in the list is planned then.
 */
export function applyFaults(
  net: Network,
  ends: readonly [Host, Host],
  faults: readonly PlannedFault[],
): void {
  const [first, second] = ends;
  const links = { up: net.direction(first, second), down: net.direction(second, first) };
  const offered = { up: links.up.offered, down: links.down.offered };
  const during = (at: number, duration: number | undefined, begin: () => void, end: () => void): void => {
    if (duration !== undefined && !(duration >= 0 && duration < Infinity)) {
      throw badArgument('duration', 'milliseconds, 0 or more', duration);
    }
    net.after(at, begin);
    if (duration !== undefined) net.after(at + duration, end);
  };
  for (const fault of faults) {
    switch (fault.type) {
      case 'datagram':
        links[fault.way].inject(offered[fault.way] + fault.index, fault.fault);
        break;
      case 'cut': {
        const link = links[fault.way];
        during(
          fault.at,
          fault.duration,
          () => link.cut(),
          () => link.heal(),
        );
        break;
      }
      case 'partition':
        during(
          fault.at,
          fault.duration,
          () => net.partition([first], [second]),
          () => net.heal([first], [second]),
        );
        break;
      case 'freeze': {
        const { duration } = fault;
        const host = fault.end === 'first' ? first : second;
        net.after(fault.at, () => host.freeze(duration));
        break;
      }
    }
  }
}
