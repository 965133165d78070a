/** The direction of a section's media (RFC 8866 §6.7). */
import { hasAttribute } from './attributes.ts';
import type { MediaDescription, SessionDescription } from './description.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** That of the section, else of the session (Firefox writes one there), else `sendrecv`. */
export function mediaDirection(session: SessionDescription, media: MediaDescription): Direction {
  for (const { lines } of [media, session]) {
    const direction = DIRECTIONS.find((name) => hasAttribute(lines, name));
    if (direction !== undefined) return direction;
  }
  return 'sendrecv';
}
