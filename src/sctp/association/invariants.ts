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
      return sendingViolation(tcb) ?? idleViolation(tcb) ?? resetViolation(tcb) ?? receivingViolation(tcb);
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

/** The fields by which idle parts are passed over must tell the truth. */
function idleViolation({
  sender,
  outgoingResets,
  pathMtu,
  now,
}: TransmissionControlBlock): string | undefined {
  const { outstanding, forwarding } = sender;
  let abandoned = 0;
  for (let position = outstanding.cumulative + 1; position < outstanding.next; position++)
    if (outstanding.isAbandoned(position)) abandoned++;
  if (abandoned !== outstanding.abandonedCount) return 'the chunks given up are miscounted';
  if (forwarding.isIdle && forwarding.isDue) return 'a FORWARD TSN is due, and forwarding is idle';
  const isResetting = outgoingResets.inFlight || outgoingResets.waitingCount > 0;
  if (outgoingResets.isPending !== isResetting) return 'whether stream resets are pending is wrong';
  const isProbing = pathMtu.awaitsAnswer || pathMtu.inspect().probing !== null;
  return isProbing && now < pathMtu.restUntil ? 'the path MTU search rests and probes' : undefined;
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
  if (receiver.tracker.sackNow && !receiver.tracker.sackPending) return 'a SACK is due and not pending';
  if (receiver.isStalled !== deadlines.isArmed('readerStalled'))
    return receiver.isStalled ? 'the reader stalls, no readerStalled' : 'readerStalled, and the reader reads';
  if (receiver.awaitsMore === deadlines.isArmed('reassembly')) return undefined;
  return receiver.awaitsMore ? 'a chunk is missing, no reassembly' : 'reassembly, and no chunk is missing';
}
