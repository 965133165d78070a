/**
 * The index of a packet: its sequence number with the roll-over counter above it (RFC 3711 §3.3.1), 48 bits. The counter is
 * not sent; both ends count, and a receiver guesses from the highest index that was authentic.
 *
 *     index = 2^16 · roll-over counter + sequence number: of those that end so, the one nearest to the highest so far
 */

/** Sequence numbers of one value of the roll-over counter. */
const CIRCLE = 0x1_0000;
const HALF = 0x8000;

/** Indices of one key (RFC 3711 §9.2). */
export const MAX_INDICES: number = 2 ** 48;

/**
 * The index of a packet with this sequence number after packets of which `highest` was the highest index, -1: none. Before the first
 * index there are no others, so a number that would lie there is one ahead. `MAX_INDICES` and up: there is no such index.
 */
export function packetIndex(highest: number, sequenceNumber: number): number {
  // RFC 3711 §3.3.1: the roll-over counter begins at zero.
  if (highest < 0) return sequenceNumber;
  const last = highest % CIRCLE;
  const circle = highest - last;
  if (last < HALF) {
    return sequenceNumber - last > HALF && circle > 0
      ? circle - CIRCLE + sequenceNumber
      : circle + sequenceNumber;
  }
  return last - HALF > sequenceNumber ? circle + CIRCLE + sequenceNumber : circle + sequenceNumber;
}
