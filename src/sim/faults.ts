/**
 * Scripted faults: what happens to the n-th datagram of one direction, whatever the dice say. Plain data, so that a
 * list of them can be generated, shrunk and printed.
 */
import { badArgument } from '../core/errors.ts';

/** What happens to one datagram. */
export type Fault =
  /** This datagram is lost. */
  | { readonly type: 'drop' }
  /** It arrives twice, the second time `delay` milliseconds later (default 0). */
  | { readonly type: 'duplicate'; readonly delay?: number | undefined }
  /** It arrives `by` milliseconds late; others overtake it. */
  | { readonly type: 'delay'; readonly by: number }
  /** It arrives right behind the next one of its direction; alone, it is `SWAP_LIMIT` late. */
  | { readonly type: 'swap' }
  /** The byte at `offset` (modulo the length; default 0) is XORed with `mask` (1–255; default 255). */
  | { readonly type: 'corrupt'; readonly offset?: number | undefined; readonly mask?: number | undefined }
  /** The direction is cut: this datagram and all later ones are lost, until it is healed. */
  | { readonly type: 'cut' };

/** Milliseconds after which a swapped datagram arrives although no other has followed it. */
export const SWAP_LIMIT = 1000;

/** Throws `ERR_BAD_ARGUMENT` for a fault with a value out of its range. */
export function checkFault(fault: Fault): void {
  switch (fault.type) {
    case 'duplicate':
      checkDelay('delay', fault.delay ?? 0);
      return;
    case 'delay':
      checkDelay('by', fault.by);
      return;
    case 'corrupt': {
      const { offset = 0, mask = 0xff } = fault;
      if (!(Number.isInteger(offset) && offset >= 0)) throw badArgument('offset', 'a count of bytes', offset);
      if (!(Number.isInteger(mask) && mask >= 1 && mask <= 255)) throw badArgument('mask', '1 to 255', mask);
      return;
    }
    case 'drop':
    case 'swap':
    case 'cut':
      return;
  }
}

function checkDelay(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw badArgument(name, 'milliseconds, 0 or more', value);
}
