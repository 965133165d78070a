/**
 * Invariants: what must hold of an association after every public call, asked by simulations: whatever waits has a clock of its own,
 * and what has ended holds nothing. It looks at the facts, not at how `updateTimers` derives them.
 */
import type { TransmissionControlBlock } from './state.ts';

/** A sentence about what does not hold; `undefined` while all is well. */
export function invariantViolation(a: TransmissionControlBlock): string | undefined {
  switch (a.state) {
    case 'new':
      return undefined;
    case 'closed':
      return closedViolation(a);
    case 'cookie-wait':
    case 'cookie-echoed':
      if (!a.deadlines.isArmed('t1')) return `${a.state}, no t1`;
      return a.deadlines.isArmed('sctpConnect') ? undefined : `${a.state}, no sctpConnect`;
    case 'established':
    case 'shutdown-pending':
    case 'shutdown-received':
    case 'shutdown-sent':
    case 'shutdown-ack-sent':
      return sendingViolation(a) ?? resetViolation(a) ?? receivingViolation(a);
  }
}

function closedViolation(a: TransmissionControlBlock): string | undefined {
  if (a.deadlines.next() !== Infinity) return 'the association is closed and a timer is armed';
  const holds = a.sender.hasPending || a.outgoingResets.isPending || a.undated.length > 0;
  return holds || (a.receiver?.usedBytes ?? 0) > 0
    ? 'the association is closed and holds something'
    : undefined;
}

function sendingViolation({
  state,
  sender,
  deadlines,
  settings,
  pathWritable,
  pathMtu,
}: TransmissionControlBlock): string | undefined {
  if (sender.heldBytes > settings.sendBuffer) return 'more is held than the send buffer may hold';
  if (sender.outstanding.count > 0 && !deadlines.isArmed('t3')) return 'data outstanding, no t3';
  if (sender.sendWindow.releaseAt !== Infinity && pathWritable && !deadlines.isArmed('pacing'))
    return 'the pacer holds, no pacing';
  if (sender.hasPending && !deadlines.isArmed('dataProgress')) return 'data waits, no dataProgress';
  if (sender.hasPending && sender.sendWindow.peerWindow === 0 && !deadlines.isArmed('zeroWindow')) {
    return 'the peer takes nothing, no zeroWindow';
  }
  if (pathMtu.awaitsAnswer && !deadlines.isArmed('pathProbe')) return 'a path MTU probe, no pathProbe';
  if (!deadlines.isArmed('peerLiveness')) return `${state}, no peerLiveness`;
  if (state === 'established')
    return deadlines.isArmed('heartbeat') ? undefined : 'established, no heartbeat';
  if (!deadlines.isArmed('shutdown')) return `${state}, no shutdown gate`;
  const isAnswerDue = state === 'shutdown-sent' || state === 'shutdown-ack-sent';
  return isAnswerDue && !deadlines.isArmed('t2') ? `${state}, no t2` : undefined;
}

function resetViolation({ outgoingResets, sender, deadlines }: TransmissionControlBlock): string | undefined {
  if (!outgoingResets.isPending) return undefined;
  if (!outgoingResets.inFlight) return sender.hasPending ? undefined : 'a stream reset waits for nothing';
  if (!deadlines.isArmed('reconfig')) return 'a stream reset in flight, no reconfig';
  const isAwaited = outgoingResets.awaitsAnswer(sender.queue);
  return isAwaited && !deadlines.isArmed('streamReset')
    ? 'a stream reset in flight, no streamReset'
    : undefined;
}

function receivingViolation({ receiver, deadlines }: TransmissionControlBlock): string | undefined {
  if (receiver === undefined) return undefined;
  if (receiver.tracker.sackPending && !deadlines.isArmed('sack')) return 'a SACK is owed, no sack timer';
  if (receiver.isStalled && !deadlines.isArmed('readerStalled')) return 'the reader stalls, no readerStalled';
  return receiver.awaitsMore && !deadlines.isArmed('reassembly')
    ? 'a chunk is missing, no reassembly'
    : undefined;
}
