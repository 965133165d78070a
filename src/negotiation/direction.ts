/**
 * Directions of media (RFC 3264 §5.1, §6.1), each as its own end sees it: what one end calls `sendonly` is `recvonly` for the other.
 */
import type { Direction } from '../sdp/index.ts';

/** Whether an end of this direction sends. */
export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

/** Whether an end of this direction receives. */
export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

/** The direction of an end that does these. */
export function directionOf(flows: { readonly send: boolean; readonly receive: boolean }): Direction {
  if (flows.send) return flows.receive ? 'sendrecv' : 'sendonly';
  return flows.receive ? 'recvonly' : 'inactive';
}

/** The same direction, as the other end sees it. */
export function reversed(direction: Direction): Direction {
  return directionOf({ send: receives(direction), receive: sends(direction) });
}

/** What both allow; both as the same end sees them. */
export function intersection(a: Direction, b: Direction): Direction {
  return directionOf({ send: sends(a) && sends(b), receive: receives(a) && receives(b) });
}

/** Whether `narrow` does nothing that `wide` does not. */
export function isWithin(narrow: Direction, wide: Direction): boolean {
  return intersection(narrow, wide) === narrow;
}
