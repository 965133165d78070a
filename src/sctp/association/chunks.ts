/**
 * One chunk of a packet whose verification tag was right: what each type means in each state.
 *
 * Every handler answers whether the walk goes on. A chunk that does not belong into the state is dropped and counted.
 */
import { copyBytes, readU32 } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import { CAUSE, CHUNK, RESET_RESULT } from '../constants.ts';
import type { SctpCounter } from '../events.ts';
import { decodeCauses, encodeCause } from '../packet/causes.ts';
import { decodeForwardTsn, decodeIForwardTsn } from '../packet/forward-tsn.ts';
import type { ChunkCursor } from '../packet/packet.ts';
import { unknownRule } from '../packet/parameters.ts';
import type { OutgoingResetRequest } from '../packet/reconfig.ts';
import { decodeReconfig, encodeResponse } from '../packet/reconfig.ts';
import { decodeSack } from '../packet/sack.ts';
import { encodeChunk, heartbeatInfo } from '../packet/simple.ts';
import type { Receiver } from '../rx/receiver.ts';
import type { SackVerdict } from '../tx/recovery.ts';
import { establish, handleCookieAck, handleInitAck, handleStaleCookie, pushReply } from './setup.ts';
import type { TransmissionControlBlock } from './state.ts';
import { abortForViolation, abortWith, end, failure } from './state.ts';
import type { IncomingResets } from './stream-reset.ts';
import { finishReset, restartReconfig } from './timers.ts';

/** Most of an unknown chunk that is echoed, in bytes: a report never amplifies. */
const MAX_ECHO = 256;
/** Events waiting for the host above which a peer's stream resets have to wait, too. */
const MAX_EVENTS_FOR_RESET = 10_000;

/** Handles the cursor's chunk; false when the rest of the packet is not to be looked at. */
export function handleChunk(tcb: TransmissionControlBlock, cursor: ChunkCursor, owned: boolean): boolean {
  switch (cursor.type) {
    case CHUNK.data:
    case CHUNK.iData:
      return handleData(tcb, cursor, owned);
    case CHUNK.sack:
      return handleSack(tcb, cursor.body);
    case CHUNK.initAck:
      if (cursor.isAlone) handleInitAck(tcb, cursor.body);
      else tcb.counters.add('unexpected-chunk');
      return false;
    case CHUNK.heartbeat:
      return handleHeartbeat(tcb, cursor);
    case CHUNK.heartbeatAck:
      return handleHeartbeatAck(tcb, cursor.body);
    case CHUNK.abort:
      return handleAbort(tcb, cursor.body);
    case CHUNK.shutdown:
      return handleShutdown(tcb, cursor.body);
    case CHUNK.shutdownAck:
      return handleShutdownAck(tcb);
    case CHUNK.shutdownComplete:
      return handleShutdownComplete(tcb);
    case CHUNK.error:
      return handleError(tcb, cursor.body);
    case CHUNK.cookieAck:
      handleCookieAck(tcb);
      return true;
    case CHUNK.reconfig:
      return handleReconfig(tcb, cursor.body);
    case CHUNK.forwardTsn:
    case CHUNK.iForwardTsn:
      return handleForwardTsn(tcb, cursor.type, cursor.body);
    case CHUNK.ecne:
    case CHUNK.cwr:
    case CHUNK.pad:
      return true;
    case CHUNK.init:
    case CHUNK.cookieEcho:
      // Only ever the first chunk of a packet.
      tcb.counters.add('unexpected-chunk');
      return false;
    default:
      return handleUnknown(tcb, cursor);
  }
}

function handleData(tcb: TransmissionControlBlock, cursor: ChunkCursor, owned: boolean): boolean {
  const { receiver } = tcb;
  // Only an established peer sends DATA, so it has taken our COOKIE ECHO and its COOKIE ACK is lost or late. Waiting for T1 to
  // ask again would hold back everything that we have to send, such as the ACK for the channel that this DATA opens.
  if (tcb.state === 'cookie-echoed') establish(tcb);
  if (receiver === undefined || !tcb.mayReceiveData) return unexpected(tcb);
  if ((cursor.type === CHUNK.iData) !== receiver.interleaving) return abortForKind(tcb);
  // §9.2: in SHUTDOWN-SENT every DATA is answered with SACK and SHUTDOWN, and T2 starts anew.
  if (tcb.state === 'shutdown-sent') {
    tcb.outbox.shutdown = true;
    tcb.deadlines.restart('t2', tcb.sender.rto.timeout);
    receiver.tracker.demandSack();
  }
  switch (receiver.handleData(cursor.packet, cursor.start, cursor.end, cursor.flags, owned)) {
    case 'ok':
      break;
    case 'invalid-stream':
      pushReply(
        tcb,
        encodeCause(
          CHUNK.error,
          CAUSE.invalidStream,
          Uint8Array.of(cursor.packet[cursor.start + 8]!, cursor.packet[cursor.start + 9]!, 0, 0),
        ),
      );
      break;
    case 'no-user-data':
      // §3.3.10.9 carries the TSN of the chunk.
      abortWith(
        tcb,
        { code: CAUSE.noUserData },
        failure(tcb, 'protocol-violation', 'a DATA chunk without user data'),
      );
      return false;
    case 'message-too-large':
      return abortForSize(tcb);
  }
  answerDeferredReset(tcb);
  return true;
}

function handleSack(tcb: TransmissionControlBlock, body: Uint8Array): boolean {
  if (!tcb.maySendData) return unexpected(tcb);
  const sack = decodeSack(body);
  if (isFailure(sack)) return malformed(tcb, sack.reason);
  const wasShut = tcb.sender.sendWindow.peerWindow === 0;
  const verdict = tcb.sender.recovery.handleSack(sack, sack.window, tcb.now);
  noteProgress(tcb, verdict);
  if (tcb.sender.sendWindow.peerWindow > 0) {
    // T3 was probing the window: from now on it waits for an acknowledgement.
    if (wasShut) tcb.deadlines.stop('t3');
  } else if (verdict.valid) {
    // While the window is shut, SACKs are all that is to be expected: the gate `zeroWindow` has the say.
    tcb.deadlines.stop('dataProgress');
  }
  return true;
}

/** Clocks that an acknowledgement stops; `updateTimers` starts again what is still needed. */
function noteProgress(tcb: TransmissionControlBlock, verdict: SackVerdict): void {
  if (verdict.advanced) tcb.deadlines.stop('t3');
  if (!verdict.progress) return;
  tcb.deadlines.stop('dataProgress');
  // A window that opens and shuts without taking anything has not opened.
  if (tcb.sender.sendWindow.peerWindow > 0) tcb.deadlines.stop('zeroWindow');
}

function handleHeartbeat(tcb: TransmissionControlBlock, cursor: ChunkCursor): boolean {
  if (!tcb.isAssociated && tcb.state !== 'cookie-echoed') return unexpected(tcb);
  // It may be a probe of the peer's: the answer is as long as the question, on any path that this end would try (§8.3).
  pushReply(tcb, encodeChunk(CHUNK.heartbeatAck, 0, cursor.body), tcb.pathMtu.largest);
  return true;
}

function handleHeartbeatAck(tcb: TransmissionControlBlock, body: Uint8Array): boolean {
  const info = heartbeatInfo(body);
  if (tcb.pathMtu.handleAnswer(info, tcb.now)) return true;
  const roundTrip = tcb.heartbeat.answer(info, tcb.now);
  if (roundTrip === undefined) tcb.counters.add('stray-heartbeat-ack');
  else if (!Number.isNaN(roundTrip)) tcb.sender.rto.sample(roundTrip);
  return true;
}

function handleAbort(tcb: TransmissionControlBlock, body: Uint8Array): boolean {
  const causes = decodeCauses(body);
  const said = causes[0]?.text;
  const why = said === undefined || said === '' ? `cause ${causes[0]?.code ?? 'none'}` : said;
  end(tcb, {
    failure: failure(tcb, 'aborted-by-peer', `the peer aborted: ${why}`),
    origin: 'remote',
    causes,
  });
  return false;
}

/** RFC 9260 §9.2. The chunk also acknowledges. */
function handleShutdown(tcb: TransmissionControlBlock, body: Uint8Array): boolean {
  if (body.length !== 4) return malformed(tcb, 'malformed-chunk');
  if (!tcb.isAssociated) return unexpected(tcb);
  const sack = { cumulativeTsn: readU32(body, 0), blocks: [], duplicates: [] };
  const verdict = tcb.sender.recovery.handleSack(sack, tcb.sender.sendWindow.peerWindow, tcb.now);
  if (!verdict.valid) return true;
  noteProgress(tcb, verdict);
  if (tcb.state === 'established' || tcb.state === 'shutdown-pending') {
    tcb.state = 'shutdown-received';
    tcb.deadlines.start('shutdown', tcb.settings.gates.shutdown);
  } else if (tcb.state === 'shutdown-sent') {
    // Both ends shut down at once: each acknowledges the other.
    tcb.state = 'shutdown-ack-sent';
    tcb.outbox.shutdownAck = true;
    tcb.deadlines.restart('t2', tcb.sender.rto.timeout);
  } else if (tcb.state === 'shutdown-ack-sent') {
    tcb.outbox.shutdownAck = true;
  }
  return true;
}

function handleShutdownAck(tcb: TransmissionControlBlock): boolean {
  if (tcb.state !== 'shutdown-sent' && tcb.state !== 'shutdown-ack-sent') return unexpected(tcb);
  end(tcb, { origin: 'local', causes: [] });
  completeShutdown(tcb);
  return false;
}

/** SHUTDOWN COMPLETE is all that a closed association still sends: again, if the first was lost (RFC 9260 §8.4). */
export function completeShutdown(tcb: TransmissionControlBlock): void {
  const chunk = encodeChunk(CHUNK.shutdownComplete, 0, new Uint8Array(0));
  tcb.hasCompletedShutdown = true;
  tcb.outbox.farewell = { tag: tcb.initialization.peerTag, chunk };
}

function handleShutdownComplete(tcb: TransmissionControlBlock): boolean {
  if (tcb.state !== 'shutdown-ack-sent') return unexpected(tcb);
  end(tcb, { origin: 'remote', causes: [] });
  return false;
}

function handleError(tcb: TransmissionControlBlock, body: Uint8Array): boolean {
  tcb.counters.add('error-received');
  if (decodeCauses(body).some((cause) => cause.code === CAUSE.staleCookie)) handleStaleCookie(tcb);
  return true;
}

function abortForSize(tcb: TransmissionControlBlock): boolean {
  abortForViolation(tcb, 'message-too-large', 'a message above the announced max-message-size');
  return false;
}

/** RFC 8260 §2.2.1, §2.3.1: what was negotiated is all that may come. */
function abortForKind(tcb: TransmissionControlBlock): boolean {
  abortForViolation(tcb, 'protocol-violation', 'a chunk that was not negotiated');
  return false;
}

function handleForwardTsn(tcb: TransmissionControlBlock, type: number, body: Uint8Array): boolean {
  const { receiver } = tcb;
  if (receiver === undefined || !(tcb.isAssociated || tcb.state === 'cookie-echoed')) return unexpected(tcb);
  // RFC 3758 §3.3.1: the peer has not said that it takes FORWARD TSN, so neither may it send one.
  if (!tcb.sender.abandonment.isSupported) return abortForKind(tcb);
  if ((type === CHUNK.iForwardTsn) !== receiver.interleaving) return abortForKind(tcb);
  const forward = receiver.interleaving ? decodeIForwardTsn(body) : decodeForwardTsn(body);
  if (isFailure(forward)) return malformed(tcb, forward.reason);
  if (receiver.handleForwardTsn(forward) === 'message-too-large') return abortForSize(tcb);
  answerDeferredReset(tcb);
  return true;
}

function handleReconfig(tcb: TransmissionControlBlock, body: Uint8Array): boolean {
  if (!tcb.isAssociated) return unexpected(tcb);
  const parameters = decodeReconfig(body);
  if (isFailure(parameters)) return malformed(tcb, parameters.reason);
  for (const parameter of parameters) {
    switch (parameter.type) {
      case 'outgoing-reset':
        handleResetRequest(tcb, parameter);
        break;
      case 'response':
        handleResetResponse(tcb, parameter.sequence, parameter.result);
        break;
      case 'other-request':
        // It must be answered, or the peer would repeat it without end (RFC 6525 §5.2.1).
        answerOther(tcb, parameter.sequence);
        break;
    }
  }
  return true;
}

/** The peer's outgoing streams begin anew (RFC 6525 §5.2.2). */
function handleResetRequest(tcb: TransmissionControlBlock, request: OutgoingResetRequest): void {
  const { incomingResets: resets, receiver } = tcb;
  if (resets === undefined || receiver === undefined) return;
  const verdict = resets.judge(request.sequence);
  switch (verdict) {
    case 'stale':
    case 'bad-sequence':
      tcb.counters.add(verdict === 'stale' ? 'stale-reset' : 'invalid-reset');
      respond(tcb, request.sequence, RESET_RESULT.badSequenceNumber);
      return;
    case 'again':
      respond(tcb, request.sequence, resets.lastResult);
      return;
    case 'new':
      break;
  }
  if (request.streams.some((id) => id >= tcb.settings.streams)) {
    tcb.counters.add('invalid-reset');
    resets.conclude(request.sequence, RESET_RESULT.wrongStream);
  } else if (tcb.events.size > MAX_EVENTS_FOR_RESET) {
    // Not settled: the peer asks again with the same number.
    respond(tcb, request.sequence, RESET_RESULT.inProgress);
    return;
  } else {
    performReset(tcb, resets, receiver, request);
  }
  respond(tcb, request.sequence, resets.lastResult);
}

function performReset(
  tcb: TransmissionControlBlock,
  resets: IncomingResets,
  receiver: Receiver,
  request: OutgoingResetRequest,
): void {
  switch (receiver.resetStreams(request.streams, request.lastTsn)) {
    case 'performed':
      resets.conclude(request.sequence, RESET_RESULT.performed);
      return;
    case 'in-progress':
      resets.defer(request);
      return;
    case 'denied':
      tcb.counters.add('invalid-reset');
      resets.conclude(request.sequence, RESET_RESULT.denied);
      return;
  }
}

/** The peer's answer to our request (RFC 6525 §5.2.7). */
function handleResetResponse(tcb: TransmissionControlBlock, sequence: number, result: number): void {
  switch (tcb.outgoingResets.handleResponse(sequence, result)) {
    case 'performed':
      finishReset(tcb, 'performed');
      return;
    case 'denied':
      finishReset(tcb, 'denied');
      return;
    case 'in-progress':
      // Asked again with the same number; the gate's clock runs on.
      restartReconfig(tcb);
      return;
    case 'stray':
      return;
  }
}

/** A reset that had to wait for TSNs has been performed: the peer is told without asking again. */
function answerDeferredReset(tcb: TransmissionControlBlock): void {
  const { incomingResets: resets, receiver } = tcb;
  if (resets?.deferred === undefined || receiver?.awaitsReset !== false) return;
  respond(tcb, resets.performDeferred(), RESET_RESULT.performed);
}

function answerOther(tcb: TransmissionControlBlock, sequence: number): void {
  const resets = tcb.incomingResets;
  if (resets === undefined) return;
  if (resets.judge(sequence) === 'new') resets.conclude(sequence, RESET_RESULT.denied);
  respond(tcb, sequence, RESET_RESULT.denied);
}

function respond(tcb: TransmissionControlBlock, sequence: number, result: number): void {
  pushReply(tcb, encodeResponse(sequence, result));
}

/** RFC 9260 §3.2: the two high bits of the type say what to do. */
function handleUnknown(tcb: TransmissionControlBlock, cursor: ChunkCursor): boolean {
  tcb.counters.add('unknown-chunk');
  const rule = unknownRule(cursor.type >> 6);
  if (rule.report && tcb.initialization.peer !== undefined) {
    pushReply(
      tcb,
      encodeCause(CHUNK.error, CAUSE.unrecognizedChunk, copyBytes(cursor.whole.subarray(0, MAX_ECHO))),
    );
  }
  return rule.skip;
}

function unexpected(tcb: TransmissionControlBlock): boolean {
  tcb.counters.add('unexpected-chunk');
  return true;
}

function malformed(tcb: TransmissionControlBlock, reason: string): boolean {
  tcb.counters.add(reason as SctpCounter);
  return true;
}
