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
export function handleChunk(a: TransmissionControlBlock, cursor: ChunkCursor, owned: boolean): boolean {
  switch (cursor.type) {
    case CHUNK.data:
    case CHUNK.iData:
      return handleData(a, cursor, owned);
    case CHUNK.sack:
      return handleSack(a, cursor.body);
    case CHUNK.initAck:
      if (cursor.isAlone) handleInitAck(a, cursor.body);
      else a.counters.add('unexpected-chunk');
      return false;
    case CHUNK.heartbeat:
      return handleHeartbeat(a, cursor);
    case CHUNK.heartbeatAck:
      return handleHeartbeatAck(a, cursor.body);
    case CHUNK.abort:
      return handleAbort(a, cursor.body);
    case CHUNK.shutdown:
      return handleShutdown(a, cursor.body);
    case CHUNK.shutdownAck:
      return handleShutdownAck(a);
    case CHUNK.shutdownComplete:
      return handleShutdownComplete(a);
    case CHUNK.error:
      return handleError(a, cursor.body);
    case CHUNK.cookieAck:
      handleCookieAck(a);
      return true;
    case CHUNK.reconfig:
      return handleReconfig(a, cursor.body);
    case CHUNK.forwardTsn:
    case CHUNK.iForwardTsn:
      return handleForwardTsn(a, cursor.type, cursor.body);
    case CHUNK.ecne:
    case CHUNK.cwr:
    case CHUNK.pad:
      return true;
    case CHUNK.init:
    case CHUNK.cookieEcho:
      // Only ever the first chunk of a packet.
      a.counters.add('unexpected-chunk');
      return false;
    default:
      return handleUnknown(a, cursor);
  }
}

function handleData(a: TransmissionControlBlock, cursor: ChunkCursor, owned: boolean): boolean {
  const { receiver } = a;
  // Only an established peer sends DATA: it has taken our COOKIE ECHO, and its COOKIE ACK is lost or late. Waiting for T1
  // to ask again would hold back all that we have to say (an ACK of the channel the DATA opens, for one).
  if (a.state === 'cookie-echoed') establish(a);
  if (receiver === undefined || !a.mayReceiveData) return unexpected(a);
  if ((cursor.type === CHUNK.iData) !== receiver.interleaving) return abortForKind(a);
  // §9.2: in SHUTDOWN-SENT every DATA is answered with SACK and SHUTDOWN, and T2 starts anew.
  if (a.state === 'shutdown-sent') {
    a.outbox.shutdown = true;
    a.deadlines.restart('t2', a.sender.rto.timeout);
    receiver.tracker.demandSack();
  }
  switch (receiver.handleData(cursor.packet, cursor.start, cursor.end, cursor.flags, owned)) {
    case 'ok':
      break;
    case 'invalid-stream':
      pushReply(
        a,
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
        a,
        { code: CAUSE.noUserData },
        failure(a, 'protocol-violation', 'a DATA chunk without user data'),
      );
      return false;
    case 'message-too-large':
      return abortForSize(a);
  }
  answerDeferredReset(a);
  return true;
}

function handleSack(a: TransmissionControlBlock, body: Uint8Array): boolean {
  if (!a.maySendData) return unexpected(a);
  const sack = decodeSack(body);
  if (isFailure(sack)) return malformed(a, sack.reason);
  const wasShut = a.sender.sendWindow.peerWindow === 0;
  const verdict = a.sender.recovery.handleSack(sack, sack.window, a.now);
  noteProgress(a, verdict);
  if (a.sender.sendWindow.peerWindow > 0) {
    // T3 was probing the window: from now on it waits for an acknowledgement.
    if (wasShut) a.deadlines.stop('t3');
  } else if (verdict.valid) {
    // While the window is shut, SACKs are all that is to be expected: the gate `zeroWindow` has the say.
    a.deadlines.stop('dataProgress');
  }
  return true;
}

/** Clocks that an acknowledgement stops; `updateTimers` starts again what is still needed. */
function noteProgress(a: TransmissionControlBlock, verdict: SackVerdict): void {
  if (verdict.advanced) a.deadlines.stop('t3');
  if (!verdict.progress) return;
  a.deadlines.stop('dataProgress');
  // A window that opens and shuts without taking anything has not opened.
  if (a.sender.sendWindow.peerWindow > 0) a.deadlines.stop('zeroWindow');
}

function handleHeartbeat(a: TransmissionControlBlock, cursor: ChunkCursor): boolean {
  if (!a.isAssociated && a.state !== 'cookie-echoed') return unexpected(a);
  // It may be a probe of the peer's: the answer is as long as the question, on any path that this end would try (§8.3).
  pushReply(a, encodeChunk(CHUNK.heartbeatAck, 0, cursor.body), a.pathMtu.largest);
  return true;
}

function handleHeartbeatAck(a: TransmissionControlBlock, body: Uint8Array): boolean {
  const info = heartbeatInfo(body);
  if (a.pathMtu.handleAnswer(info, a.now)) return true;
  const roundTrip = a.heartbeat.answer(info, a.now);
  if (roundTrip === undefined) a.counters.add('stray-heartbeat-ack');
  else if (!Number.isNaN(roundTrip)) a.sender.rto.sample(roundTrip);
  return true;
}

function handleAbort(a: TransmissionControlBlock, body: Uint8Array): boolean {
  const causes = decodeCauses(body);
  const said = causes[0]?.text;
  const why = said === undefined || said === '' ? `cause ${causes[0]?.code ?? 'none'}` : said;
  end(a, { failure: failure(a, 'aborted-by-peer', `the peer aborted: ${why}`), origin: 'remote', causes });
  return false;
}

/** RFC 9260 §9.2. The chunk also acknowledges. */
function handleShutdown(a: TransmissionControlBlock, body: Uint8Array): boolean {
  if (body.length !== 4) return malformed(a, 'malformed-chunk');
  if (!a.isAssociated) return unexpected(a);
  const sack = { cumulativeTsn: readU32(body, 0), blocks: [], duplicates: [] };
  const verdict = a.sender.recovery.handleSack(sack, a.sender.sendWindow.peerWindow, a.now);
  if (!verdict.valid) return true;
  noteProgress(a, verdict);
  if (a.state === 'established' || a.state === 'shutdown-pending') {
    a.state = 'shutdown-received';
    a.deadlines.start('shutdown', a.settings.gates.shutdown);
  } else if (a.state === 'shutdown-sent') {
    // Both ends shut down at once: each acknowledges the other.
    a.state = 'shutdown-ack-sent';
    a.outbox.shutdownAck = true;
    a.deadlines.restart('t2', a.sender.rto.timeout);
  } else if (a.state === 'shutdown-ack-sent') {
    a.outbox.shutdownAck = true;
  }
  return true;
}

function handleShutdownAck(a: TransmissionControlBlock): boolean {
  if (a.state !== 'shutdown-sent' && a.state !== 'shutdown-ack-sent') return unexpected(a);
  end(a, { origin: 'local', causes: [] });
  completeShutdown(a);
  return false;
}

/** SHUTDOWN COMPLETE is all that a closed association still says: again, if the peer has not got it (§8.4). */
export function completeShutdown(a: TransmissionControlBlock): void {
  const chunk = encodeChunk(CHUNK.shutdownComplete, 0, new Uint8Array(0));
  a.hasCompletedShutdown = true;
  a.outbox.farewell = { tag: a.initialization.peerTag, chunk };
}

function handleShutdownComplete(a: TransmissionControlBlock): boolean {
  if (a.state !== 'shutdown-ack-sent') return unexpected(a);
  end(a, { origin: 'remote', causes: [] });
  return false;
}

function handleError(a: TransmissionControlBlock, body: Uint8Array): boolean {
  a.counters.add('error-received');
  if (decodeCauses(body).some((cause) => cause.code === CAUSE.staleCookie)) handleStaleCookie(a);
  return true;
}

function abortForSize(a: TransmissionControlBlock): boolean {
  abortForViolation(a, 'message-too-large', 'a message above the announced max-message-size');
  return false;
}

/** RFC 8260 §2.2.1, §2.3.1: what was negotiated is all that may come. */
function abortForKind(a: TransmissionControlBlock): boolean {
  abortForViolation(a, 'protocol-violation', 'a chunk that was not negotiated');
  return false;
}

function handleForwardTsn(a: TransmissionControlBlock, type: number, body: Uint8Array): boolean {
  const { receiver } = a;
  if (receiver === undefined || !(a.isAssociated || a.state === 'cookie-echoed')) return unexpected(a);
  // RFC 3758 §3.3.1: the peer has not said that it takes FORWARD TSN, so neither may it send one.
  if (!a.sender.abandonment.isSupported) return abortForKind(a);
  if ((type === CHUNK.iForwardTsn) !== receiver.interleaving) return abortForKind(a);
  const forward = receiver.interleaving ? decodeIForwardTsn(body) : decodeForwardTsn(body);
  if (isFailure(forward)) return malformed(a, forward.reason);
  if (receiver.handleForwardTsn(forward) === 'message-too-large') return abortForSize(a);
  answerDeferredReset(a);
  return true;
}

function handleReconfig(a: TransmissionControlBlock, body: Uint8Array): boolean {
  if (!a.isAssociated) return unexpected(a);
  const parameters = decodeReconfig(body);
  if (isFailure(parameters)) return malformed(a, parameters.reason);
  for (const parameter of parameters) {
    switch (parameter.type) {
      case 'outgoing-reset':
        handleResetRequest(a, parameter);
        break;
      case 'response':
        handleResetResponse(a, parameter.sequence, parameter.result);
        break;
      case 'other-request':
        // Never ignored: the peer would ask for ever (RFC 6525 §5.2.1).
        answerOther(a, parameter.sequence);
        break;
    }
  }
  return true;
}

/** The peer's outgoing streams begin anew (RFC 6525 §5.2.2). */
function handleResetRequest(a: TransmissionControlBlock, request: OutgoingResetRequest): void {
  const { incomingResets: resets, receiver } = a;
  if (resets === undefined || receiver === undefined) return;
  const verdict = resets.judge(request.sequence);
  switch (verdict) {
    case 'stale':
    case 'bad-sequence':
      a.counters.add(verdict === 'stale' ? 'stale-reset' : 'invalid-reset');
      respond(a, request.sequence, RESET_RESULT.badSequenceNumber);
      return;
    case 'again':
      respond(a, request.sequence, resets.lastResult);
      return;
    case 'new':
      break;
  }
  if (request.streams.some((id) => id >= a.settings.streams)) {
    a.counters.add('invalid-reset');
    resets.conclude(request.sequence, RESET_RESULT.wrongStream);
  } else if (a.events.size > MAX_EVENTS_FOR_RESET) {
    // Not settled: the peer asks again with the same number.
    respond(a, request.sequence, RESET_RESULT.inProgress);
    return;
  } else {
    performReset(a, resets, receiver, request);
  }
  respond(a, request.sequence, resets.lastResult);
}

function performReset(
  a: TransmissionControlBlock,
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
      a.counters.add('invalid-reset');
      resets.conclude(request.sequence, RESET_RESULT.denied);
      return;
  }
}

/** The peer's answer to our request (RFC 6525 §5.2.7). */
function handleResetResponse(a: TransmissionControlBlock, sequence: number, result: number): void {
  switch (a.outgoingResets.handleResponse(sequence, result)) {
    case 'performed':
      finishReset(a, 'performed');
      return;
    case 'denied':
      finishReset(a, 'denied');
      return;
    case 'in-progress':
      // Asked again with the same number; the gate's clock runs on.
      restartReconfig(a);
      return;
    case 'stray':
      return;
  }
}

/** What had to wait for TSNs has been performed: say so without being asked again. */
function answerDeferredReset(a: TransmissionControlBlock): void {
  const { incomingResets: resets, receiver } = a;
  if (resets?.isDeferred !== true || receiver?.awaitsReset !== false) return;
  respond(a, resets.performDeferred(), RESET_RESULT.performed);
}

function answerOther(a: TransmissionControlBlock, sequence: number): void {
  const resets = a.incomingResets;
  if (resets === undefined) return;
  if (resets.judge(sequence) === 'new') resets.conclude(sequence, RESET_RESULT.denied);
  respond(a, sequence, RESET_RESULT.denied);
}

function respond(a: TransmissionControlBlock, sequence: number, result: number): void {
  pushReply(a, encodeResponse(sequence, result));
}

/** RFC 9260 §3.2: the two high bits of the type say what to do. */
function handleUnknown(a: TransmissionControlBlock, cursor: ChunkCursor): boolean {
  a.counters.add('unknown-chunk');
  const rule = unknownRule(cursor.type >> 6);
  if (rule.report && a.initialization.peer !== undefined) {
    pushReply(
      a,
      encodeCause(CHUNK.error, CAUSE.unrecognizedChunk, copyBytes(cursor.whole.subarray(0, MAX_ECHO))),
    );
  }
  return rule.skip;
}

function unexpected(a: TransmissionControlBlock): boolean {
  a.counters.add('unexpected-chunk');
  return true;
}

function malformed(a: TransmissionControlBlock, reason: string): boolean {
  a.counters.add(reason as SctpCounter);
  return true;
}
