/**
 * Invariants: what must hold of an association after every public call, asked by simulations: whatever waits has a clock of its own,
 * and what has ended holds nothing. It looks at the facts, not at how `updateTimers` derives them.
 */
import type { TransmissionControlBlock } from './state.ts';

/** A sentence about what does not hold; `undefined` while all is well. */
export function invariantViolation(tcb: TransmissionControlBlock): string | undefined {
  switch (tcb.state) {
    case 'new':
      return undefined;
    case 'closed':
      return closedViolation(tcb);
    case 'cookie-wait':
    case 'cookie-echoed':
      if (!tcb.deadlines.isArmed('t1')) return `${tcb.state}, no t1`;
      return tcb.deadlines.isArmed('sctpConnect') ? undefined : `${tcb.state}, no sctpConnect`;
    case 'established':
    case 'shutdown-pending':
    case 'shutdown-received':
    case 'shutdown-sent':
    case 'shutdown-ack-sent':
      return sendingViolation(tcb) ?? resetViolation(tcb) ?? receivingViolation(tcb);
  }
}

function closedViolation(tcb: TransmissionControlBlock): string | undefined {
  if (tcb.deadlines.next() !== Infinity) return 'the association is closed and a timer is armed';
  const holds = tcb.sender.hasPending || tcb.outgoingResets.isPending || tcb.undated.length > 0;
  return holds || (tcb.receiver?.usedBytes ?? 0) > 0
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
