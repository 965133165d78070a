/** Invariants: what must hold of the channels after every call, asked by simulations: whatever waits stands at a gate. */
import type { Gates } from './gate.ts';
import { earliestGate } from './gate.ts';
import type { ChannelTable } from './channel-table.ts';
import type { Stream } from './streams.ts';

/** A sentence about what does not hold; `undefined` while all is well. */
export function invariantViolation({
  association,
  channels,
  control,
  streams,
  gates,
  waits,
  early,
}: ChannelTable): string | undefined {
  let waiting = 0;
  for (const gate of Object.values(gates)) waiting += gate.size;
  if (waits.count !== waiting) return 'who waits at the gates is miscounted';
  if (association === 'closed') {
    const held = channels.size + control.size + early.count;
    const isEmpty = held === 0 && earliestGate(gates).next() === Infinity;
    return isEmpty ? undefined : 'the channels are closed and hold something';
  }
  for (const stream of streams.all()) {
    const violation = streamViolation(stream, gates, association);
    if (violation !== undefined) return violation;
    if (stream.occupant !== 'half-open' && early.has(stream.id) && !isWaiting(stream)) {
      return `messages wait on stream ${stream.id} for a channel that it has`;
    }
  }
  return undefined;
}

/** A negotiated channel of ours that waits for the association, and so do its messages. */
function isWaiting({ occupant }: Stream): boolean {
  return typeof occupant === 'object' && occupant.phase === 'waiting';
}

function streamViolation(
  stream: Stream,
  gates: Gates<Stream>,
  association: ChannelTable['association'],
): string | undefined {
  const { id, occupant, outgoing, incoming } = stream;
  if (occupant === 'half-open') {
    return gates.inboundOpen.has(stream) ? undefined : `stream ${id} is half open, no inboundOpen`;
  }
  if (occupant === 'quarantined') return undefined;
  if (outgoing === 'draining' && !gates.closeDrain.has(stream)) return `stream ${id} drains, no closeDrain`;
  // A graceful end of the association ends what is in use with it.
  if (association === 'shutting-down' && outgoing === 'in-use') return undefined;
  const isEnding = outgoing === 'resetting' || (outgoing === 'reset') !== (incoming === 'reset');
  if (isEnding && outgoing !== 'draining' && !gates.streamReset.has(stream))
    return `stream ${id} ends, no streamReset`;
  const isOpening = typeof occupant === 'object' && occupant.phase === 'opening';
  return isOpening && !gates.openAck.has(stream) ? `stream ${id} is opening, no openAck` : undefined;
}
