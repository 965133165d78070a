/**
 * Timers and gates: which are armed after every public call (`updateTimers`), and what each does when its time has come
 * (`runDeadline`).
 *
 * `updateTimers` is the watchdog: it looks at what waits and arms or stops the clock that bounds it, so that no handler has to
 * think of it. Data outstanding ⇒ T3 runs; anything waiting ⇒ its gate runs. Parts that say they are idle are not asked.
 */
import type { TransmissionControlBlock } from './state.ts';
import { BACKOFF_CAP, failGate, failure } from './state.ts';
import type { DeadlineName } from './deadlines.ts';
import { PROBE_TIMER } from './path-mtu.ts';
import { handleT1 } from './setup.ts';
import type { Receiver } from '../rx/receiver.ts';
import type { Waiting } from '../rx/waiting.ts';

/** Milliseconds the SHUTDOWN handshake may take once everything has been delivered (RFC 9260 §9.2 "T5"). */
const SHUTDOWN_HANDSHAKE = 10_000;

/** Milliseconds by which a deadline lies in the future at the least. */
const SHORTEST_WAIT = 1;

/** Arms and stops the timers and gates of whatever waits, and takes the steps that need nothing but that. */
export function updateTimers(tcb: TransmissionControlBlock): void {
  if (tcb.state === 'closed') return;
  if (tcb.isAssociated) {
    if (tcb.outgoingResets.isPending) planResets(tcb);
    advanceShutdown(tcb);
    armSending(tcb);
  }
  armReceiving(tcb);
  armProbe(tcb);
  tcb.deadlines.set('messageLifetime', tcb.sender.abandonment.nextExpiry);
  noteSendBuffer(tcb);
}

/** Runs one deadline that is due. A handler arms again only in the future. */
export function runDeadline(tcb: TransmissionControlBlock, name: DeadlineName): void {
  switch (name) {
    case 't1':
      handleT1(tcb);
      return;
    case 't2':
      repeatShutdown(tcb);
      return;
    case 't3':
      tcb.sender.recovery.handleTimeout(tcb.now);
      return;
    case 'pacing':
      tcb.sender.sendWindow.releaseAt = Infinity;
      return;
    case 'reordering':
      tcb.sender.recovery.handleReordering(tcb.now);
      return;
    case 'tailProbe': {
      const left = tcb.sender.recovery.handleTailProbe(tcb.now);
      if (left > 0 && Number.isFinite(left)) tcb.deadlines.restart('tailProbe', left);
      return;
    }
    case 'forwardTsn':
      tcb.sender.forwarding.remind();
      return;
    case 'sack':
      tcb.receiver?.tracker.demandSack();
      return;
    case 'reconfig':
      tcb.outbox.reconfig = true;
      restartReconfig(tcb);
      return;
    case 'messageLifetime':
      tcb.sender.abandonment.expire(tcb.now);
      return;
    case 'heartbeat':
      handleHeartbeatDue(tcb);
      return;
    case 'pathProbe':
      tcb.pathMtu.handleTimeout(tcb.now);
      return;
    case 'peerLiveness':
      handleLivenessDue(tcb);
      return;
    case 'reassembly':
      handleReassemblyDue(tcb);
      return;
    case 'streamReset':
      giveUpReset(tcb);
      return;
    case 'sctpConnect':
    case 'dataProgress':
    case 'zeroWindow':
    case 'readerStalled':
    case 'shutdown':
      failGate(tcb, name);
      return;
  }
}

/** Our reset request has been answered: the streams go on, and each is told. */
export function finishReset(tcb: TransmissionControlBlock, outcome: 'performed' | 'denied'): void {
  for (const streamId of tcb.outgoingResets.finish()) {
    tcb.sender.queue.resume(streamId, outcome === 'performed');
    tcb.events.push({ type: 'streamreset', streamId, origin: 'local', outcome });
  }
  tcb.sender.forwarding.barrier = Infinity;
  tcb.sender.sendWindow.allowBurst();
  tcb.outbox.reconfig = false;
  tcb.deadlines.stop('reconfig');
  tcb.deadlines.stop('streamReset');
}

/** The request goes out again after a time-out; one that is overdue, less often. */
export function restartReconfig(tcb: TransmissionControlBlock): void {
  const { timeout } = tcb.sender.rto;
  tcb.deadlines.restart('reconfig', tcb.outgoingResets.isOverdue ? Math.max(timeout, BACKOFF_CAP) : timeout);
}

/** The answer takes too long: the streams go on as they were, an event says so for each, and the request is still repeated. */
function giveUpReset(tcb: TransmissionControlBlock): void {
  for (const streamId of tcb.outgoingResets.giveUp(tcb.sender.queue)) {
    tcb.sender.queue.resume(streamId, false);
    tcb.events.push({ type: 'streamreset', streamId, origin: 'local', outcome: 'timeout' });
  }
  tcb.sender.forwarding.barrier = Infinity;
  tcb.sender.sendWindow.allowBurst();
}

function planResets(tcb: TransmissionControlBlock): void {
  const { outgoingResets: resets, sender } = tcb;
  if (resets.awaitsAnswer(sender.queue)) tcb.deadlines.start('streamReset', tcb.settings.gates.streamReset);
  const last = sender.outstanding.next - 1;
  if (!resets.plan(sender.queue, sender.line.wire(last))) return;
  sender.forwarding.barrier = last;
  tcb.outbox.reconfig = true;
  tcb.deadlines.restart('reconfig', sender.rto.timeout);
  tcb.deadlines.restart('streamReset', tcb.settings.gates.streamReset);
}

/** RFC 9260 §9.2: SHUTDOWN and SHUTDOWN ACK wait until everything accepted has been delivered. */
function advanceShutdown(tcb: TransmissionControlBlock): void {
  if (tcb.state !== 'shutdown-pending' && tcb.state !== 'shutdown-received') return;
  if (tcb.sender.hasPending) return;
  if (tcb.state === 'shutdown-pending') {
    tcb.state = 'shutdown-sent';
    tcb.outbox.shutdown = true;
  } else {
    tcb.state = 'shutdown-ack-sent';
    tcb.outbox.shutdownAck = true;
  }
  tcb.deadlines.restart('t2', tcb.sender.rto.timeout);
  tcb.deadlines.shorten('shutdown', Math.min(SHUTDOWN_HANDSHAKE, tcb.settings.gates.shutdown));
}

function repeatShutdown(tcb: TransmissionControlBlock): void {
  if (tcb.state === 'shutdown-sent') tcb.outbox.shutdown = true;
  else if (tcb.state === 'shutdown-ack-sent') tcb.outbox.shutdownAck = true;
  else return;
  tcb.sender.rto.backOff();
  tcb.deadlines.restart('t2', tcb.sender.rto.timeout);
}

function armSending(tcb: TransmissionControlBlock): void {
  const { deadlines, pathWritable, sender } = tcb;
  const { gates } = tcb.settings;
  sender.advanceForwarding();
  deadlines.set('forwardTsn', pathWritable ? sender.forwarding.remindAt : Infinity);
  deadlines.set('pacing', pathWritable ? sender.sendWindow.releaseAt : Infinity);
  if (!sender.hasPending) {
    sender.earliestResent = false;
    for (const name of SENDING) deadlines.stop(name);
    return;
  }
  if (!sender.needsTimer) deadlines.stop('t3');
  else if (sender.earliestResent) deadlines.restart('t3', sender.rto.timeout);
  else deadlines.start('t3', sender.rto.timeout);
  sender.earliestResent = false;
  armLosses(tcb);
  deadlines.start('dataProgress', gates.dataProgress);
  if (sender.sendWindow.peerWindow === 0) deadlines.start('zeroWindow', gates.zeroWindow);
}

/** What runs only while data is queued or outstanding. */
const SENDING: readonly DeadlineName[] = ['t3', 'reordering', 'tailProbe', 'dataProgress', 'zeroWindow'];

/** What the sender waits for by itself, besides T3. Without a path there is nothing to wait for. */
function armLosses({ deadlines, sender, pathWritable, now }: TransmissionControlBlock): void {
  deadlines.set(
    'reordering',
    pathWritable ? Math.max(sender.recovery.reorderingDeadline, now + SHORTEST_WAIT) : Infinity,
  );
  const silence = pathWritable ? sender.recovery.probeTimeout : Infinity;
  if (silence === Infinity) deadlines.stop('tailProbe');
  else deadlines.start('tailProbe', silence);
}

function armReceiving(tcb: TransmissionControlBlock): void {
  const { deadlines, receiver } = tcb;
  if (receiver === undefined) return;
  if (receiver.tracker.sackPending) deadlines.start('sack', tcb.settings.sackDelay);
  if (!receiver.hasChanged) return;
  receiver.hasChanged = false;
  if (receiver.isStalled) deadlines.start('readerStalled', tcb.settings.gates.readerStalled);
  else deadlines.stop('readerStalled');
  if (receiver.awaitsMore) deadlines.start('reassembly', tcb.settings.gates.reassembly);
  else deadlines.stop('reassembly');
}

/** RFC 8899 §5.1.1: PROBE_TIMER lasts longer than any answer takes. */
function armProbe({ deadlines, pathMtu, sender }: TransmissionControlBlock): void {
  if (pathMtu.awaitsAnswer) deadlines.start('pathProbe', Math.max(PROBE_TIMER, sender.rto.timeout));
  else deadlines.stop('pathProbe');
}

/** A host whose `send` was refused is told when it is worth trying again. */
function noteSendBuffer(tcb: TransmissionControlBlock): void {
  if (tcb.sender.heldBytes > tcb.settings.sendBufferLowThreshold) {
    tcb.sendBufferHigh = true;
  } else if (tcb.sendBufferHigh) {
    tcb.sendBufferHigh = false;
    tcb.events.push({ type: 'sendbufferlow' });
  }
}

/** RFC 9260 §8.3: only a silent peer gets a HEARTBEAT, and gets more until it answers or `peerLiveness` expires. */
function handleHeartbeatDue(tcb: TransmissionControlBlock): void {
  const { deadlines, heartbeat } = tcb;
  const quietFor = tcb.now - tcb.lastHeardAt;
  if (quietFor < heartbeat.interval) {
    deadlines.restart('heartbeat', heartbeat.interval - quietFor);
    return;
  }
  tcb.outbox.heartbeat = true;
  deadlines.restart('heartbeat', heartbeat.retry);
}

/**
 * What was missing when the gate was armed may have arrived, and something else may be missing now. A missing TSN holds up all
 * streams. A message that will never be whole, or whose turn never comes although no TSN is missing, holds up its own alone.
 */
function handleReassemblyDue(tcb: TransmissionControlBlock): void {
  const { receiver } = tcb;
  if (receiver === undefined) return;
  const { reassembly: gate } = tcb.settings.gates;
  const overdue = tcb.deadlines.awake - gate;
  if (receiver.missingSince() <= overdue) {
    failGate(tcb, 'reassembly');
    return;
  }
  let waiting = receiver.longestWaiting;
  for (; waiting !== undefined && waiting.since <= overdue; waiting = receiver.longestWaiting)
    giveUpStream(tcb, receiver, waiting);
  tcb.deadlines.restart('reassembly', receiver.waitingSince() - overdue);
}

function giveUpStream(tcb: TransmissionControlBlock, receiver: Receiver, { streamId, since }: Waiting): void {
  receiver.giveUp(streamId);
  tcb.counters.add('stalled-streams');
  const elapsed = tcb.deadlines.awake - since;
  const text = 'the rest of a message, or one in front of it, never came';
  tcb.events.push({
    type: 'streamstalled',
    streamId,
    failure: { ...failure(tcb, 'reassembly-timeout', text), gate: 'reassembly', elapsed },
  });
}

function handleLivenessDue(tcb: TransmissionControlBlock): void {
  const left = tcb.settings.gates.peerLiveness - (tcb.now - tcb.lastHeardAt);
  if (left > 0) tcb.deadlines.restart('peerLiveness', left);
  else failGate(tcb, 'peerLiveness');
}
