/**
 * Reception of one packet: whether it is taken, whose it is by its verification tag, and the walk over its chunks.
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
  tcb: TransmissionControlBlock,
  cursor: ChunkCursor,
  packet: Uint8Array,
  ports: PacketPorts,
  owned: boolean,
): boolean {
  const bad = checkPacket(packet, tcb.settings.zeroChecksum);
  if (bad !== undefined) return refuse(tcb, bad.reason as SctpCounter);
  const isOurs = sourcePortOf(packet) === ports.destination && destinationPortOf(packet) === ports.source;
  if (!isOurs) return refuse(tcb, 'wrong-port');
  cursor.begin(packet);
  cursor.next();
  if (tcb.state === 'closed') return readClosed(tcb, cursor, verificationTagOf(packet));
  tcb.counters.add('packets-received');
  readTagged(tcb, cursor, verificationTagOf(packet), owned);
  return true;
}

/** After the end nothing is taken; a peer that has not seen that we have shut down is told once more. */
function readClosed(tcb: TransmissionControlBlock, cursor: ChunkCursor, tag: number): boolean {
  const asksAgain = cursor.type === CHUNK.shutdownAck && tag === tcb.initialization.localTag;
  if (!tcb.hasCompletedShutdown || !asksAgain) return refuse(tcb, 'unexpected-chunk');
  tcb.counters.add('packets-received');
  completeShutdown(tcb);
  return true;
}

function refuse(tcb: TransmissionControlBlock, counter: SctpCounter): false {
  tcb.counters.add(counter);
  return false;
}

/** The verification tag decides who may speak (RFC 9260 §8.5, §8.5.1). */
function readTagged(tcb: TransmissionControlBlock, cursor: ChunkCursor, tag: number, owned: boolean): void {
  if (cursor.type === CHUNK.init) {
    if (tag === 0 && cursor.isAlone) handleInit(tcb, cursor.body);
    else tcb.counters.add('wrong-tag');
    return;
  }
  if (cursor.type === CHUNK.cookieEcho) {
    if (!handleCookieEcho(tcb, cursor.body, tag)) return;
    if (cursor.next()) readChunks(tcb, cursor, owned);
    return;
  }
  const reflects = cursor.type === CHUNK.abort || cursor.type === CHUNK.shutdownComplete;
  if (reflects && (cursor.flags & FLAG_REFLECTED) !== 0) {
    if (tcb.initialization.peer !== undefined && tag === tcb.initialization.peerTag)
      handleChunk(tcb, cursor, owned);
    else tcb.counters.add('wrong-tag');
    return;
  }
  if (tag !== tcb.initialization.localTag) {
    if (!answerForeign(tcb, cursor.type, tag)) tcb.counters.add('wrong-tag');
    return;
  }
  readChunks(tcb, cursor, owned);
}

/**
 * RFC 9260 §8.5.1 E: a SHUTDOWN ACK under a foreign tag while we are setting up belongs to an earlier association: the peer
 * is told, under its own tag, that it is over.
 */
function answerForeign(tcb: TransmissionControlBlock, type: number, tag: number): boolean {
  const settingUp = tcb.state === 'cookie-wait' || tcb.state === 'cookie-echoed';
  if (type !== CHUNK.shutdownAck || !settingUp) return false;
  const chunk = encodeChunk(CHUNK.shutdownComplete, 1, new Uint8Array(0));
  if (!tcb.outbox.lone.push({ tag, chunk })) tcb.counters.add('reply-queue-full');
  return true;
}

/** Walks the packet from the cursor's chunk on: the peer of this association has spoken. */
function readChunks(tcb: TransmissionControlBlock, cursor: ChunkCursor, owned: boolean): void {
  hearPeer(tcb);
  if (tcb.receiver !== undefined) {
    tcb.receiver.clock = tcb.deadlines.awake;
    tcb.receiver.roundTrip = tcb.sender.rto.shortest;
    if (tcb.receiver.tracker.owesReport) setSackAside(tcb, tcb.receiver);
  }
  let hasData = false;
  do {
    if (cursor.type === CHUNK.data || cursor.type === CHUNK.iData) hasData = true;
    if (!handleChunk(tcb, cursor, owned)) break;
  } while (cursor.next());
  if (!hasData || !tcb.mayReceiveData || tcb.receiver === undefined) return;
  tcb.receiver.tracker.decide();
  // An end that sends no data has no other way to learn the round trip.
  if (tcb.receiver.wantsRoundTrip()) tcb.outbox.heartbeat = true;
}
