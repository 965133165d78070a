/**
 * Reception of one packet: whether it may be looked at, who may speak in it, and the walk over its chunks.
 *
 *   frame, checksum, ports → verification tag (RFC 9260 §8.5) → chunk after chunk
 *
 *   INIT alone, tag 0 │ COOKIE ECHO, the cookie's tag │ ABORT, SHUTDOWN COMPLETE with T, the peer's tag │ all else, our tag
 *
 * What is refused here is counted, and changes nothing else.
 */
import { CHUNK, FLAG_REFLECTED } from '../constants.ts';
import type { SctpCounter } from '../events.ts';
import type { ChunkCursor, PacketPorts } from '../packet/packet.ts';
import { checkPacket, destinationPortOf, sourcePortOf, verificationTagOf } from '../packet/packet.ts';
import { encodeChunk } from '../packet/simple.ts';
import { completeShutdown, handleChunk } from './chunks.ts';
import { handleCookieEcho, handleInit } from './setup.ts';
import { setSackAside } from './transmit.ts';
import type { TransmissionControlBlock } from './state.ts';
import { hearPeer } from './state.ts';

/**
 * Reads one packet; false when it is refused whole: damaged, of other ports, or after the end.
 * @param ports those of the packets that go out: what comes has them the other way round.
 * @param owned the packet's memory was given away: fragments are kept as views of it.
 */
export function readPacket(
  a: TransmissionControlBlock,
  cursor: ChunkCursor,
  packet: Uint8Array,
  ports: PacketPorts,
  owned: boolean,
): boolean {
  const bad = checkPacket(packet, a.settings.zeroChecksum);
  if (bad !== undefined) return refuse(a, bad.reason as SctpCounter);
  const isOurs = sourcePortOf(packet) === ports.destination && destinationPortOf(packet) === ports.source;
  if (!isOurs) return refuse(a, 'wrong-port');
  cursor.begin(packet);
  cursor.next();
  if (a.state === 'closed') return readClosed(a, cursor, verificationTagOf(packet));
  a.counters.add('packets-received');
  readTagged(a, cursor, verificationTagOf(packet), owned);
  return true;
}

/** After the end nothing is taken; a peer that has not seen that we have shut down is told once more. */
function readClosed(a: TransmissionControlBlock, cursor: ChunkCursor, tag: number): boolean {
  const asksAgain = cursor.type === CHUNK.shutdownAck && tag === a.initialization.localTag;
  if (!a.hasCompletedShutdown || !asksAgain) return refuse(a, 'unexpected-chunk');
  a.counters.add('packets-received');
  completeShutdown(a);
  return true;
}

function refuse(a: TransmissionControlBlock, counter: SctpCounter): false {
  a.counters.add(counter);
  return false;
}

/** The verification tag decides who may speak (RFC 9260 §8.5, §8.5.1). */
function readTagged(a: TransmissionControlBlock, cursor: ChunkCursor, tag: number, owned: boolean): void {
  if (cursor.type === CHUNK.init) {
    if (tag === 0 && cursor.isAlone) handleInit(a, cursor.body);
    else a.counters.add('wrong-tag');
    return;
  }
  if (cursor.type === CHUNK.cookieEcho) {
    if (!handleCookieEcho(a, cursor.body, tag)) return;
    if (cursor.next()) readChunks(a, cursor, owned);
    return;
  }
  const reflects = cursor.type === CHUNK.abort || cursor.type === CHUNK.shutdownComplete;
  if (reflects && (cursor.flags & FLAG_REFLECTED) !== 0) {
    if (a.initialization.peer !== undefined && tag === a.initialization.peerTag)
      handleChunk(a, cursor, owned);
    else a.counters.add('wrong-tag');
    return;
  }
  if (tag !== a.initialization.localTag) {
    if (!answerForeign(a, cursor.type, tag)) a.counters.add('wrong-tag');
    return;
  }
  readChunks(a, cursor, owned);
}

/**
 * RFC 9260 §8.5.1 E: a SHUTDOWN ACK under a foreign tag while we are setting up belongs to an earlier association: the peer
 * is told, under its own tag, that it is over.
 */
function answerForeign(a: TransmissionControlBlock, type: number, tag: number): boolean {
  const settingUp = a.state === 'cookie-wait' || a.state === 'cookie-echoed';
  if (type !== CHUNK.shutdownAck || !settingUp) return false;
  const chunk = encodeChunk(CHUNK.shutdownComplete, 1, new Uint8Array(0));
  if (!a.outbox.lone.push({ tag, chunk })) a.counters.add('reply-queue-full');
  return true;
}

/** Walks the packet from the cursor's chunk on: the peer of this association has spoken. */
function readChunks(a: TransmissionControlBlock, cursor: ChunkCursor, owned: boolean): void {
  hearPeer(a);
  if (a.receiver !== undefined) {
    a.receiver.clock = a.deadlines.awake;
    a.receiver.roundTrip = a.sender.rto.shortest;
    if (a.receiver.tracker.owesReport) setSackAside(a, a.receiver);
  }
  let hasData = false;
  do {
    if (cursor.type === CHUNK.data || cursor.type === CHUNK.iData) hasData = true;
    if (!handleChunk(a, cursor, owned)) break;
  } while (cursor.next());
  if (!hasData || !a.mayReceiveData || a.receiver === undefined) return;
  a.receiver.tracker.decide();
  // Who sends nothing has no other sample.
  if (a.receiver.wantsRoundTrip()) a.outbox.heartbeat = true;
}
