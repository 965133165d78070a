/**
 * Set-up as a conversation: what INIT, INIT ACK, COOKIE ECHO and COOKIE ACK do in every state (RFC 9260 §5). The data that it
 * is about, our tags, the cookies and the peer's parameters, is `Initialization` (initialization.ts), which knows no states.
 */
import { copyBytes } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import type { SctpCounter } from '../events.ts';
import { CAUSE, CHUNK, CHUNK_HEADER_SIZE, COMMON_HEADER_SIZE, PARAMETER } from '../constants.ts';
import { encodeAbort, encodeCause, encodeMissingParameters, encodeStaleness } from '../packet/causes.ts';
import type { InitChunk } from '../packet/init.ts';
import { decodeInit } from '../packet/init.ts';
import type { TransmissionControlBlock } from './state.ts';
import { abortForViolation, BACKOFF_CAP, end, failure, hearPeer } from './state.ts';

/** RFC 9260 §3.3.2: a receiver window below this is not a window. */
const MIN_WINDOW = 1500;

/** Our own INIT. Both ends of a WebRTC session send one. */
export function startConnect(tcb: TransmissionControlBlock): void {
  tcb.state = 'cookie-wait';
  tcb.lastHeardAt = tcb.now;
  tcb.initialization.attempts = 0;
  tcb.outbox.init = true;
  tcb.deadlines.start('sctpConnect', tcb.settings.gates.sctpConnect);
  restartT1(tcb);
}

/** T1-init or T1-cookie: once more. The gate `sctpConnect` says when it is enough. */
export function handleT1(tcb: TransmissionControlBlock): void {
  tcb.initialization.attempts++;
  if (tcb.state === 'cookie-wait') tcb.outbox.init = true;
  else if (tcb.state === 'cookie-echoed') tcb.outbox.cookieEcho = true;
  else return;
  restartT1(tcb);
}

/** A packet with tag 0 and an INIT as its only chunk (RFC 9260 §8.5.1 A). */
export function handleInit(tcb: TransmissionControlBlock, body: Uint8Array): void {
  const init = decodeInit(body);
  if (isFailure(init)) {
    tcb.counters.add(init.reason as SctpCounter);
    return;
  }
  // §3.3.2: tag 0 is dropped in silence, other nonsense is answered without touching any state.
  if (init.tag === 0) {
    tcb.counters.add('malformed-init');
    return;
  }
  if (!isUsable(init)) {
    tcb.counters.add('malformed-init');
    reply(tcb, init.tag, encodeCause(CHUNK.abort, CAUSE.invalidParameter, new Uint8Array(0)));
    return;
  }
  // §9.2: the peer has not seen our SHUTDOWN ACK.
  if (tcb.state === 'shutdown-ack-sent') {
    tcb.outbox.shutdownAck = true;
    return;
  }
  if (tcb.state === 'new') tcb.deadlines.start('sctpConnect', tcb.settings.gates.sctpConnect);
  if (tcb.lastHeardAt === -Infinity) tcb.lastHeardAt = tcb.now;
  reply(tcb, init.tag, tcb.initialization.answerInit(init, tcb.isAssociated, tcb.now));
  // Its INIT ACK came first: before any data it may still say more of itself.
  if (!tcb.isAssociated && tcb.initialization.peer?.tag === init.tag) tcb.adoptPeer(tcb.initialization.peer);
}

/** In any state but cookie-wait an INIT ACK is an old one (RFC 9260 §5.2.3). */
export function handleInitAck(tcb: TransmissionControlBlock, body: Uint8Array): void {
  if (tcb.state !== 'cookie-wait') {
    dropLate(tcb);
    return;
  }
  const init = decodeInit(body);
  if (isFailure(init)) {
    tcb.counters.add(init.reason as SctpCounter);
    return;
  }
  if (init.tag === 0) {
    tcb.counters.add('malformed-init');
    return;
  }
  if (init.cookie === undefined) {
    const chunk = encodeCause(
      CHUNK.abort,
      CAUSE.missingParameter,
      encodeMissingParameters([PARAMETER.stateCookie]),
    );
    const why = failure(tcb, 'bad-init-ack', 'the INIT ACK carries no state cookie');
    end(
      tcb,
      { failure: why, origin: 'local', causes: [{ code: CAUSE.missingParameter }] },
      { tag: init.tag, chunk },
    );
    return;
  }
  tcb.adoptPeer(init);
  if (!isUsable(init) || init.cookie.length > tcb.settings.mtu - COMMON_HEADER_SIZE - CHUNK_HEADER_SIZE) {
    abortForViolation(tcb, 'bad-init-ack', 'the INIT ACK offers no streams, no window or too large a cookie');
    return;
  }
  sampleSetup(tcb);
  tcb.initialization.cookie = init.cookie;
  tcb.initialization.attempts = 0;
  tcb.state = 'cookie-echoed';
  tcb.outbox.init = false;
  tcb.outbox.cookieEcho = true;
  for (const parameter of init.unrecognized) {
    pushReply(tcb, encodeCause(CHUNK.error, CAUSE.unrecognizedParameters, parameter));
  }
  restartT1(tcb);
}

/** A COOKIE ECHO, the first chunk of its packet, under the tag `tag`. True: the chunks behind it count. */
export function handleCookieEcho(tcb: TransmissionControlBlock, cookie: Uint8Array, tag: number): boolean {
  const judged = tcb.initialization.judgeCookie(cookie, tag, tcb.now);
  switch (judged.verdict) {
    case 'unknown':
      tcb.counters.add('unknown-cookie');
      return false;
    case 'stale': {
      const chunk = encodeCause(CHUNK.error, CAUSE.staleCookie, encodeStaleness(judged.staleness * 1000));
      reply(tcb, judged.peer.tag, chunk);
      return false;
    }
    case 'restart':
      return handleRestart(tcb, judged.peer);
    case 'valid':
      return acceptCookie(tcb, judged.peer);
  }
}

/** COOKIE ACK: the peer has taken our COOKIE ECHO, and the association is up (RFC 9260 §5.1 E). */
export function handleCookieAck(tcb: TransmissionControlBlock): void {
  if (tcb.state !== 'cookie-echoed') {
    dropLate(tcb);
    return;
  }
  sampleSetup(tcb);
  establish(tcb);
}

/**
 * An answer that our side of the set-up no longer waits for. Both ends of a WebRTC session set up at once (RFC 9260
 * §5.2.4), and one of the two exchanges ends first: the rest of the other is normal. Without an INIT of ours it is not.
 */
function dropLate(tcb: TransmissionControlBlock): void {
  tcb.counters.add(tcb.state === 'new' ? 'unexpected-chunk' : 'late-setup-chunk');
}

/** The peer says that our cookie is too old (RFC 9260 §5.2.6): begin again, under the same gate. */
export function handleStaleCookie(tcb: TransmissionControlBlock): void {
  if (tcb.state !== 'cookie-echoed') return;
  tcb.state = 'cookie-wait';
  tcb.outbox.cookieEcho = false;
  tcb.outbox.init = true;
  tcb.initialization.attempts = 0;
  restartT1(tcb);
}

/** Cases B and D of RFC 9260 §5.2.4: the cookie is ours and fresh. */
function acceptCookie(tcb: TransmissionControlBlock, peer: InitChunk): boolean {
  if (tcb.isAssociated) {
    if (peer.tag !== tcb.initialization.peerTag) {
      tcb.counters.add('unknown-cookie');
      return false;
    }
    if (tcb.state === 'shutdown-ack-sent') {
      pushReply(tcb, encodeCause(CHUNK.error, CAUSE.cookieInShutdown, new Uint8Array(0)));
      tcb.outbox.shutdownAck = true;
      return false;
    }
    tcb.outbox.cookieAck = true;
    return true;
  }
  tcb.adoptPeer(peer);
  tcb.outbox.cookieAck = true;
  establish(tcb);
  return true;
}

/**
 * Case A: the peer has lost everything and starts anew. What was sent to its former self is gone, so this association
 * ends; the ABORT tells the new one.
 */
function handleRestart(tcb: TransmissionControlBlock, peer: InitChunk): boolean {
  const cause = { code: CAUSE.userInitiatedAbort, text: 'the association was restarted' };
  end(
    tcb,
    {
      failure: failure(tcb, 'peer-restarted', 'the peer lost its state and set up anew'),
      origin: 'remote',
      causes: [],
    },
    { tag: peer.tag, chunk: encodeAbort(cause) },
  );
  return false;
}

/** The peer has taken our cookie, or we its: data may flow. */
export function establish(tcb: TransmissionControlBlock): void {
  tcb.state = 'established';
  tcb.outbox.init = false;
  tcb.outbox.cookieEcho = false;
  tcb.deadlines.stop('t1');
  tcb.deadlines.stop('sctpConnect');
  hearPeer(tcb);
  tcb.deadlines.start('heartbeat', tcb.heartbeat.interval);
  tcb.deadlines.start('peerLiveness', tcb.settings.gates.peerLiveness);
  tcb.events.push({ type: 'connected' });
}

function isUsable(init: InitChunk): boolean {
  return init.outboundStreams > 0 && init.inboundStreams > 0 && init.window >= MIN_WINDOW;
}

function restartT1(tcb: TransmissionControlBlock): void {
  tcb.deadlines.restart(
    't1',
    Math.min(BACKOFF_CAP, tcb.settings.initialRto * 2 ** tcb.initialization.attempts),
  );
}

function sampleSetup(tcb: TransmissionControlBlock): void {
  if (tcb.setupSentAt !== undefined && tcb.initialization.attempts === 0)
    tcb.sender.rto.sample(tcb.now - tcb.setupSentAt);
  tcb.setupSentAt = undefined;
}

function reply(tcb: TransmissionControlBlock, tag: number, chunk: Uint8Array): void {
  if (!tcb.outbox.lone.push({ tag, chunk: copyBytes(chunk) })) tcb.counters.add('reply-queue-full');
}

/**
 * Queues an answer for the next packet. One too large for any packet is dropped, and counted too.
 * @param largest the packet it must fit, bytes
 */
export function pushReply(
  tcb: TransmissionControlBlock,
  chunk: Uint8Array,
  largest: number = tcb.settings.mtu,
): void {
  const fits = chunk.length <= largest - COMMON_HEADER_SIZE;
  if (!fits || !tcb.outbox.replies.push(copyBytes(chunk))) tcb.counters.add('reply-queue-full');
}
