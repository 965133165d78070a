/**
 * Timers and gates: which are armed after every public call (`updateTimers`), and what each does when its time has come
 * (`runDeadline`).
 *
 * `updateTimers` is the watchdog: it looks at what waits and arms or stops the clock that bounds it, so that no handler has to
 * remember. Data outstanding ⇒ T3 runs; anything waiting ⇒ its gate runs.
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
export function updateTimers(a: TransmissionControlBlock): void {
  if (a.state === 'closed') return;
  if (a.isAssociated) {
    planResets(a);
    advanceShutdown(a);
    armSending(a);
  }
  armReceiving(a);
  armProbe(a);
  a.deadlines.set('messageLifetime', a.sender.abandonment.nextExpiry);
  noteSendBuffer(a);
}

/** Runs one deadline that is due. A handler arms again only in the future. */
export function runDeadline(a: TransmissionControlBlock, name: DeadlineName): void {
  switch (name) {
    case 't1':
      handleT1(a);
      return;
    case 't2':
      repeatShutdown(a);
      return;
    case 't3':
      a.sender.recovery.handleTimeout(a.now);
      return;
    case 'pacing':
      a.sender.sendWindow.releaseAt = Infinity;
      return;
    case 'reordering':
      a.sender.recovery.handleReordering(a.now);
      return;
    case 'tailProbe': {
      const left = a.sender.recovery.handleTailProbe(a.now);
      if (left > 0 && Number.isFinite(left)) a.deadlines.restart('tailProbe', left);
      return;
    }
    case 'forwardTsn':
      a.sender.forwarding.remind();
      return;
    case 'sack':
      a.receiver?.tracker.demandSack();
      return;
    case 'reconfig':
      a.outbox.reconfig = true;
      restartReconfig(a);
      return;
    case 'messageLifetime':
      a.sender.abandonment.expire(a.now);
      return;
    case 'heartbeat':
      handleHeartbeatDue(a);
      return;
    case 'pathProbe':
      a.pathMtu.handleTimeout(a.now);
      return;
    case 'peerLiveness':
      handleLivenessDue(a);
      return;
    case 'reassembly':
      handleReassemblyDue(a);
      return;
    case 'streamReset':
      giveUpReset(a);
      return;
    case 'sctpConnect':
    case 'dataProgress':
    case 'zeroWindow':
    case 'readerStalled':
    case 'shutdown':
      failGate(a, name);
      return;
  }
}

/** Our reset request has been answered: the streams go on, and each is told. */
export function finishReset(a: TransmissionControlBlock, outcome: 'performed' | 'denied'): void {
  for (const streamId of a.outgoingResets.finish()) {
    a.sender.queue.resume(streamId, outcome === 'performed');
    a.events.push({ type: 'streamreset', streamId, origin: 'local', outcome });
  }
  a.sender.forwarding.barrier = Infinity;
  a.sender.sendWindow.allowBurst();
  a.outbox.reconfig = false;
  a.deadlines.stop('reconfig');
  a.deadlines.stop('streamReset');
}

/** The request goes out again after a time-out; one that is overdue, less often. */
export function restartReconfig(a: TransmissionControlBlock): void {
  const { timeout } = a.sender.rto;
  a.deadlines.restart('reconfig', a.outgoingResets.isOverdue ? Math.max(timeout, BACKOFF_CAP) : timeout);
}

/** The answer takes too long: the streams go on as they were, each is told, and the request is repeated now and then. */
function giveUpReset(a: TransmissionControlBlock): void {
  for (const streamId of a.outgoingResets.giveUp(a.sender.queue)) {
    a.sender.queue.resume(streamId, false);
    a.events.push({ type: 'streamreset', streamId, origin: 'local', outcome: 'timeout' });
  }
  a.sender.forwarding.barrier = Infinity;
  a.sender.sendWindow.allowBurst();
}

function planResets(a: TransmissionControlBlock): void {
  const { outgoingResets: resets, sender } = a;
  if (resets.awaitsAnswer(sender.queue)) a.deadlines.start('streamReset', a.settings.gates.streamReset);
  const last = sender.outstanding.next - 1;
  if (!resets.plan(sender.queue, sender.line.wire(last))) return;
  sender.forwarding.barrier = last;
  a.outbox.reconfig = true;
  a.deadlines.restart('reconfig', sender.rto.timeout);
  a.deadlines.restart('streamReset', a.settings.gates.streamReset);
}

/** RFC 9260 §9.2: SHUTDOWN and SHUTDOWN ACK wait until everything accepted has been delivered. */
function advanceShutdown(a: TransmissionControlBlock): void {
  if (a.sender.hasPending) return;
  if (a.state === 'shutdown-pending') {
    a.state = 'shutdown-sent';
    a.outbox.shutdown = true;
  } else if (a.state === 'shutdown-received') {
    a.state = 'shutdown-ack-sent';
    a.outbox.shutdownAck = true;
  } else {
    return;
  }
  a.deadlines.restart('t2', a.sender.rto.timeout);
  a.deadlines.shorten('shutdown', Math.min(SHUTDOWN_HANDSHAKE, a.settings.gates.shutdown));
}

function repeatShutdown(a: TransmissionControlBlock): void {
  if (a.state === 'shutdown-sent') a.outbox.shutdown = true;
  else if (a.state === 'shutdown-ack-sent') a.outbox.shutdownAck = true;
  else return;
  a.sender.rto.backOff();
  a.deadlines.restart('t2', a.sender.rto.timeout);
}

function armSending(a: TransmissionControlBlock): void {
  const { deadlines, sender } = a;
  const { gates } = a.settings;
  sender.forwarding.advance();
  deadlines.set('forwardTsn', a.pathWritable ? sender.forwarding.remindAt : Infinity);
  if (!sender.needsTimer) deadlines.stop('t3');
  else if (sender.earliestResent) deadlines.restart('t3', sender.rto.timeout);
  else deadlines.start('t3', sender.rto.timeout);
  sender.earliestResent = false;
  armPaceAndLosses(a);
  if (!sender.hasPending) {
    deadlines.stop('dataProgress');
    deadlines.stop('zeroWindow');
    return;
  }
  deadlines.start('dataProgress', gates.dataProgress);
  if (sender.sendWindow.peerWindow === 0) deadlines.start('zeroWindow', gates.zeroWindow);
}

/** What the sender waits for by itself, besides T3. Without a path there is nothing to wait for. */
function armPaceAndLosses({ deadlines, sender, pathWritable, now }: TransmissionControlBlock): void {
  deadlines.set('pacing', pathWritable ? sender.sendWindow.releaseAt : Infinity);
  deadlines.set(
    'reordering',
    pathWritable ? Math.max(sender.recovery.reorderingDeadline, now + SHORTEST_WAIT) : Infinity,
  );
  const silence = pathWritable ? sender.recovery.probeTimeout : Infinity;
  if (silence === Infinity) deadlines.stop('tailProbe');
  else deadlines.start('tailProbe', silence);
}

function armReceiving(a: TransmissionControlBlock): void {
  const { deadlines, receiver } = a;
  if (receiver === undefined) return;
  if (receiver.tracker.sackPending) deadlines.start('sack', a.settings.sackDelay);
  if (receiver.isStalled) deadlines.start('readerStalled', a.settings.gates.readerStalled);
  else deadlines.stop('readerStalled');
  if (receiver.awaitsMore) deadlines.start('reassembly', a.settings.gates.reassembly);
  else deadlines.stop('reassembly');
}

/** RFC 8899 §5.1.1: PROBE_TIMER lasts longer than any answer takes. */
function armProbe({ deadlines, pathMtu, sender }: TransmissionControlBlock): void {
  if (pathMtu.awaitsAnswer) deadlines.start('pathProbe', Math.max(PROBE_TIMER, sender.rto.timeout));
  else deadlines.stop('pathProbe');
}

/** Who was refused by `send` wants to know when it is worth trying again. */
function noteSendBuffer(a: TransmissionControlBlock): void {
  if (a.sender.heldBytes > a.settings.sendBufferLowThreshold) {
    a.sendBufferHigh = true;
  } else if (a.sendBufferHigh) {
    a.sendBufferHigh = false;
    a.events.push({ type: 'sendbufferlow' });
  }
}

/** RFC 9260 §8.3: only a silent peer is asked, and asked again until it answers or its gate ends it. */
function handleHeartbeatDue(a: TransmissionControlBlock): void {
  const { deadlines, heartbeat } = a;
  const quietFor = a.now - a.lastHeardAt;
  if (quietFor < heartbeat.interval) {
    deadlines.restart('heartbeat', heartbeat.interval - quietFor);
    return;
  }
  a.outbox.heartbeat = true;
  deadlines.restart('heartbeat', heartbeat.retry);
}

/**
 * What waited when the gate was armed may have come, and others may have begun to wait since. A missing TSN holds up
 * everything; a message that will never be whole, or never has its turn, though all TSNs are here, holds up its stream alone.
 */
function handleReassemblyDue(a: TransmissionControlBlock): void {
  const { receiver } = a;
  if (receiver === undefined) return;
  const { reassembly: gate } = a.settings.gates;
  const overdue = a.deadlines.awake - gate;
  if (receiver.missingSince() <= overdue) {
    failGate(a, 'reassembly');
    return;
  }
  let waiting = receiver.longestWaiting;
  for (; waiting !== undefined && waiting.since <= overdue; waiting = receiver.longestWaiting)
    giveUpStream(a, receiver, waiting);
  a.deadlines.restart('reassembly', receiver.waitingSince() - overdue);
}

function giveUpStream(a: TransmissionControlBlock, receiver: Receiver, { streamId, since }: Waiting): void {
  receiver.giveUp(streamId);
  a.counters.add('stalled-streams');
  const elapsed = a.deadlines.awake - since;
  const text = 'the rest of a message, or one in front of it, never came';
  a.events.push({
    type: 'streamstalled',
    streamId,
    failure: { ...failure(a, 'reassembly-timeout', text), gate: 'reassembly', elapsed },
  });
}

function handleLivenessDue(a: TransmissionControlBlock): void {
  const left = a.settings.gates.peerLiveness - (a.now - a.lastHeardAt);
  if (left > 0) a.deadlines.restart('peerLiveness', left);
  else failGate(a, 'peerLiveness');
}
