/**
 * Set-up as a conversation: INIT, INIT ACK, COOKIE ECHO and COOKIE ACK in every state (RFC 9260 §5). What the tags and
 * cookies mean is in initialization.ts; here is what follows from it.
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
export function startConnect(a: TransmissionControlBlock): void {
  a.state = 'cookie-wait';
  a.lastHeardAt = a.now;
  a.initialization.attempts = 0;
  a.outbox.init = true;
  a.deadlines.start('sctpConnect', a.settings.gates.sctpConnect);
  restartT1(a);
}

/** T1-init or T1-cookie: once more. The gate `sctpConnect` says when it is enough. */
export function handleT1(a: TransmissionControlBlock): void {
  a.initialization.attempts++;
  if (a.state === 'cookie-wait') a.outbox.init = true;
  else if (a.state === 'cookie-echoed') a.outbox.cookieEcho = true;
  else return;
  restartT1(a);
}

/** A packet with tag 0 and an INIT as its only chunk (RFC 9260 §8.5.1 A). */
export function handleInit(a: TransmissionControlBlock, body: Uint8Array): void {
  const init = decodeInit(body);
  if (isFailure(init)) {
    a.counters.add(init.reason as SctpCounter);
    return;
  }
  // §3.3.2: tag 0 is dropped in silence, other nonsense is answered without touching any state.
  if (init.tag === 0) {
    a.counters.add('malformed-init');
    return;
  }
  if (!isUsable(init)) {
    a.counters.add('malformed-init');
    reply(a, init.tag, encodeCause(CHUNK.abort, CAUSE.invalidParameter, new Uint8Array(0)));
    return;
  }
  // §9.2: the peer has not seen our SHUTDOWN ACK.
  if (a.state === 'shutdown-ack-sent') {
    a.outbox.shutdownAck = true;
    return;
  }
  if (a.state === 'new') a.deadlines.start('sctpConnect', a.settings.gates.sctpConnect);
  if (a.lastHeardAt === -Infinity) a.lastHeardAt = a.now;
  reply(a, init.tag, a.initialization.answerInit(init, a.isAssociated, a.now));
  // Its INIT ACK came first: before any data it may still say more of itself.
  if (!a.isAssociated && a.initialization.peer?.tag === init.tag) a.adoptPeer(a.initialization.peer);
}

/** In any state but cookie-wait an INIT ACK is an old one (RFC 9260 §5.2.3). */
export function handleInitAck(a: TransmissionControlBlock, body: Uint8Array): void {
  if (a.state !== 'cookie-wait') {
    dropLate(a);
    return;
  }
  const init = decodeInit(body);
  if (isFailure(init)) {
    a.counters.add(init.reason as SctpCounter);
    return;
  }
  if (init.tag === 0) {
    a.counters.add('malformed-init');
    return;
  }
  if (init.cookie === undefined) {
    const chunk = encodeCause(
      CHUNK.abort,
      CAUSE.missingParameter,
      encodeMissingParameters([PARAMETER.stateCookie]),
    );
    const why = failure(a, 'bad-init-ack', 'the INIT ACK carries no state cookie');
    end(
      a,
      { failure: why, origin: 'local', causes: [{ code: CAUSE.missingParameter }] },
      { tag: init.tag, chunk },
    );
    return;
  }
  a.adoptPeer(init);
  if (!isUsable(init) || init.cookie.length > a.settings.mtu - COMMON_HEADER_SIZE - CHUNK_HEADER_SIZE) {
    abortForViolation(a, 'bad-init-ack', 'the INIT ACK offers no streams, no window or too large a cookie');
    return;
  }
  sampleSetup(a);
  a.initialization.cookie = init.cookie;
  a.initialization.attempts = 0;
  a.state = 'cookie-echoed';
  a.outbox.init = false;
  a.outbox.cookieEcho = true;
  for (const parameter of init.unrecognized) {
    pushReply(a, encodeCause(CHUNK.error, CAUSE.unrecognizedParameters, parameter));
  }
  restartT1(a);
}

/** A COOKIE ECHO, the first chunk of its packet, under the tag `tag`. True: the chunks behind it count. */
export function handleCookieEcho(a: TransmissionControlBlock, cookie: Uint8Array, tag: number): boolean {
  const judged = a.initialization.judgeCookie(cookie, tag, a.now);
  switch (judged.verdict) {
    case 'unknown':
      a.counters.add('unknown-cookie');
      return false;
    case 'stale': {
      const chunk = encodeCause(CHUNK.error, CAUSE.staleCookie, encodeStaleness(judged.staleness * 1000));
      reply(a, judged.peer.tag, chunk);
      return false;
    }
    case 'restart':
      return handleRestart(a, judged.peer);
    case 'valid':
      return acceptCookie(a, judged.peer);
  }
}

export function handleCookieAck(a: TransmissionControlBlock): void {
  if (a.state !== 'cookie-echoed') {
    dropLate(a);
    return;
  }
  sampleSetup(a);
  establish(a);
}

/**
 * An answer that our side of the set-up no longer waits for. Both ends of a WebRTC session set up at once (RFC 9260
 * §5.2.4), and one of the two exchanges ends first: the rest of the other is normal. Without an INIT of ours it is not.
 */
function dropLate(a: TransmissionControlBlock): void {
  a.counters.add(a.state === 'new' ? 'unexpected-chunk' : 'late-setup-chunk');
}

/** The peer says that our cookie is too old (RFC 9260 §5.2.6): begin again, under the same gate. */
export function handleStaleCookie(a: TransmissionControlBlock): void {
  if (a.state !== 'cookie-echoed') return;
  a.state = 'cookie-wait';
  a.outbox.cookieEcho = false;
  a.outbox.init = true;
  a.initialization.attempts = 0;
  restartT1(a);
}

/** Cases B and D of RFC 9260 §5.2.4: the cookie is ours and fresh. */
function acceptCookie(a: TransmissionControlBlock, peer: InitChunk): boolean {
  if (a.isAssociated) {
    if (peer.tag !== a.initialization.peerTag) {
      a.counters.add('unknown-cookie');
      return false;
    }
    if (a.state === 'shutdown-ack-sent') {
      pushReply(a, encodeCause(CHUNK.error, CAUSE.cookieInShutdown, new Uint8Array(0)));
      a.outbox.shutdownAck = true;
      return false;
    }
    a.outbox.cookieAck = true;
    return true;
  }
  a.adoptPeer(peer);
  a.outbox.cookieAck = true;
  establish(a);
  return true;
}

/**
 * Case A: the peer has lost everything and starts anew. What was sent to its former self is gone, so this association
 * ends; the ABORT tells the new one.
 */
function handleRestart(a: TransmissionControlBlock, peer: InitChunk): boolean {
  const cause = { code: CAUSE.userInitiatedAbort, text: 'the association was restarted' };
  end(
    a,
    {
      failure: failure(a, 'peer-restarted', 'the peer lost its state and set up anew'),
      origin: 'remote',
      causes: [],
    },
    { tag: peer.tag, chunk: encodeAbort(cause) },
  );
  return false;
}

/** The peer has taken our cookie, or we its: data may flow. */
export function establish(a: TransmissionControlBlock): void {
  a.state = 'established';
  a.outbox.init = false;
  a.outbox.cookieEcho = false;
  a.deadlines.stop('t1');
  a.deadlines.stop('sctpConnect');
  hearPeer(a);
  a.deadlines.start('heartbeat', a.heartbeat.interval);
  a.deadlines.start('peerLiveness', a.settings.gates.peerLiveness);
  a.events.push({ type: 'connected' });
}

function isUsable(init: InitChunk): boolean {
  return init.outboundStreams > 0 && init.inboundStreams > 0 && init.window >= MIN_WINDOW;
}

function restartT1(a: TransmissionControlBlock): void {
  a.deadlines.restart('t1', Math.min(BACKOFF_CAP, a.settings.initialRto * 2 ** a.initialization.attempts));
}

function sampleSetup(a: TransmissionControlBlock): void {
  if (a.setupSentAt !== undefined && a.initialization.attempts === 0)
    a.sender.rto.sample(a.now - a.setupSentAt);
  a.setupSentAt = undefined;
}

function reply(a: TransmissionControlBlock, tag: number, chunk: Uint8Array): void {
  if (!a.outbox.lone.push({ tag, chunk: copyBytes(chunk) })) a.counters.add('reply-queue-full');
}

/**
 * Queues an answer for the next packet. One too large for any packet is dropped, and counted too.
 * @param largest the packet it must fit, bytes
 */
export function pushReply(
  a: TransmissionControlBlock,
  chunk: Uint8Array,
  largest: number = a.settings.mtu,
): void {
  const fits = chunk.length <= largest - COMMON_HEADER_SIZE;
  if (!fits || !a.outbox.replies.push(copyBytes(chunk))) a.counters.add('reply-queue-full');
}
