/**
 * Transmission of one packet: it is filled in the order in which chunks must stand (RFC 9260 §6.10):
 *
 *   alone: farewell · INIT · INIT ACK · a SACK of a packet before the last one
 *   else:  COOKIE ECHO | COOKIE ACK → SACK → other control → FORWARD TSN → DATA
 *
 * A SACK that could wait goes along with data, never alone.
 */
import { NO_BYTES } from '../../core/bytes.ts';
import { CHUNK, CHUNK_HEADER_SIZE, COMMON_HEADER_SIZE } from '../constants.ts';
import type { PacketPorts } from '../packet/packet.ts';
import { PacketWriter } from '../packet/packet.ts';
import { encodeChunk, encodeShutdown } from '../packet/simple.ts';
import type { Receiver } from '../rx/receiver.ts';
import type { TransmissionControlBlock } from './state.ts';

/** Writes the next packet at `offset`; its length, 0 when there is nothing to send. */
export function writePacket(
  tcb: TransmissionControlBlock,
  writer: PacketWriter,
  buffer: Uint8Array,
  offset: number,
  ports: PacketPorts,
): number {
  const { outbox, settings } = tcb;
  const lone = (chunk: Uint8Array, tag: number): number => {
    writer.begin(buffer, offset, settings.mtu, ports, tag);
    writer.chunk(chunk);
    return finish(tcb, writer);
  };
  if (outbox.farewell !== undefined) {
    const { chunk, tag } = outbox.farewell;
    outbox.farewell = undefined;
    return lone(chunk, tag);
  }
  if (tcb.state === 'closed' || !tcb.pathWritable) return 0;
  if (outbox.init) {
    outbox.init = false;
    noteSetupSent(tcb);
    return lone(tcb.initialization.encodeInit(), 0);
  }
  const answer = outbox.lone.shift();
  if (answer !== undefined) return lone(answer.chunk, answer.tag);
  if (tcb.initialization.peer === undefined) return 0;
  const sack = outbox.sacks.shift();
  if (sack !== undefined) return lone(sack, tcb.initialization.peerTag);
  if (isOversized(tcb, outbox.replies.peek()))
    return lone(outbox.replies.shift() ?? NO_BYTES, tcb.initialization.peerTag);
  if (tcb.isAssociated) tcb.sender.prepare(tcb.now);
  watchPackets(tcb);
  const probe = probeDue(tcb);
  if (probe > 0) {
    writer.begin(buffer, offset, probe, ports, tcb.initialization.peerTag);
    writeProbe(tcb, writer);
    return finish(tcb, writer);
  }
  writer.begin(buffer, offset, packetSize(tcb), ports, tcb.initialization.peerTag);
  writeSetup(tcb, writer);
  writeReplies(tcb, writer);
  if (tcb.isAssociated) writeEstablished(tcb, writer);
  if (writer.isEmpty) return 0;
  const length = finish(tcb, writer);
  if (tcb.sender.firstFilled >= 0) tcb.pathMtu.noteSent(tcb.sender.firstFilled, length);
  return length;
}

/**
 * Keeps a copy of the SACK that is due: it reports a packet that arrived over a gap, and the next packet has arrived before it
 * could be sent. When the queue of copies is full, the next SACK reports for both packets.
 */
export function setSackAside(tcb: TransmissionControlBlock, receiver: Receiver): void {
  const { outbox, pathMtu } = tcb;
  if (outbox.sacks.size === outbox.sacks.capacity) {
    tcb.counters.add('sacks-merged');
    return;
  }
  const writer = new PacketWriter();
  const room = pathMtu.size - COMMON_HEADER_SIZE;
  const bytes = new Uint8Array(COMMON_HEADER_SIZE + receiver.tracker.sackSize(room));
  writer.begin(bytes, 0, bytes.length, NO_PORTS, 0);
  receiver.writeSack(writer);
  outbox.sacks.push(bytes.subarray(COMMON_HEADER_SIZE));
  tcb.deadlines.stop('sack');
}

/** For a packet of which only its chunk is kept. */
const NO_PORTS: PacketPorts = { source: 0, destination: 0 };

/** The answer to a probe of the peer's may be larger than what we believe the path to carry: it goes alone, as the probe did. */
function isOversized({ pathMtu }: TransmissionControlBlock, reply: Uint8Array | undefined): boolean {
  return reply !== undefined && reply.length > pathMtu.size - COMMON_HEADER_SIZE;
}

/** What the path is believed to carry. A chunk that was made for larger packets goes alone, in one just large enough. */
function packetSize({ pathMtu, sender }: TransmissionControlBlock): number {
  sender.sendWindow.setSpace(pathMtu.size - COMMON_HEADER_SIZE, pathMtu.chunkSize - COMMON_HEADER_SIZE);
  return Math.max(pathMtu.size, sender.neededSpace + COMMON_HEADER_SIZE);
}

/** What has become of the packet whose fate tells what the path carries. Chunks are lost between packets, never in one. */
function watchPackets({ pathMtu, sender: { outstanding }, now }: TransmissionControlBlock): void {
  if (pathMtu.watched < 0) return;
  const fate = outstanding.fate(pathMtu.watched);
  if (fate === 'arrived') pathMtu.noteArrived();
  else if (fate === 'lost') pathMtu.noteLost(now);
  // Of a chunk that was given up it will never be known whether it arrived.
  else if (fate === 'abandoned') pathMtu.watched = -1;
}

/** RFC 8899 §3: while the path is congested, probes take nothing of what it has to give. */
function probeDue(tcb: TransmissionControlBlock): number {
  if (tcb.now < tcb.pathMtu.restUntil) return 0;
  const { outstanding, recovery } = tcb.sender;
  if (!tcb.maySendData || recovery.isRecovering || outstanding.lostCount > 0) return 0;
  return tcb.pathMtu.probeDue(tcb.now);
}

/** RFC 8899 §6.2.1.2: a HEARTBEAT with a nonce, which fills the packet by itself or with a PAD chunk. */
function writeProbe(tcb: TransmissionControlBlock, writer: PacketWriter): void {
  writer.chunk(tcb.pathMtu.probe());
  if (tcb.pathMtu.filling === 'pad') writer.padChunk();
}

function finish(tcb: TransmissionControlBlock, writer: PacketWriter): number {
  tcb.counters.add('packets-sent');
  return writer.finish(tcb.settings.zeroChecksum && tcb.initialization.peer?.zeroChecksum === true);
}

function writeSetup(tcb: TransmissionControlBlock, writer: PacketWriter): void {
  const { outbox } = tcb;
  if (outbox.cookieEcho) {
    outbox.cookieEcho = false;
    noteSetupSent(tcb);
    writer.chunk(encodeChunk(CHUNK.cookieEcho, 0, tcb.initialization.cookie));
  }
  if (outbox.cookieAck) {
    outbox.cookieAck = false;
    writer.chunk(encodeChunk(CHUNK.cookieAck, 0, NO_BYTES));
  }
}

function writeEstablished(tcb: TransmissionControlBlock, writer: PacketWriter): void {
  const { receiver } = tcb;
  // The SACK stands in front of the data, but whether it is sent can depend on there being data: leave room for it first.
  const tracker = receiver?.tracker;
  const sackAt = writer.mark;
  const sackSize = tracker?.sackPending === true ? tracker.sackSize(writer.room) : 0;
  writer.seek(sackAt + sackSize);
  let wroteControl = writeControl(tcb, writer);
  if (tcb.sender.writeForwardTsn(writer, tcb.now)) wroteControl = true;
  const wroteData = tcb.maySendData && tcb.sender.fill(writer, tcb.now, !tcb.clock.isStale);
  const end = writer.mark;
  if (sackSize === 0) return;
  writer.seek(sackAt);
  // A SACK that leaves no room for the FORWARD TSN that is due goes first, to make way for it.
  if (!wroteControl && !wroteData && tracker?.sackNow !== true && !tcb.sender.forwarding.isDue) return;
  receiver?.writeSack(writer);
  writer.seek(end);
  tcb.deadlines.stop('sack');
}

/** Room that the small control chunks take together, at the most. */
const CONTROL_ROOM = 64;

function writeControl(tcb: TransmissionControlBlock, writer: PacketWriter): boolean {
  const { outbox } = tcb;
  const before = writer.mark;
  if (writer.room < CONTROL_ROOM) return false;
  if (outbox.shutdown) {
    outbox.shutdown = false;
    writer.chunk(encodeShutdown(tcb.receiver?.cumulativeTsn ?? 0));
  }
  if (outbox.shutdownAck) {
    outbox.shutdownAck = false;
    writer.chunk(encodeChunk(CHUNK.shutdownAck, 0, NO_BYTES));
  }
  if (outbox.heartbeat) {
    outbox.heartbeat = false;
    tcb.counters.add('heartbeats-sent');
    writer.chunk(tcb.heartbeat.ask(tcb.now, !tcb.clock.isStale));
  }
  if (outbox.reconfig) {
    const chunk = tcb.outgoingResets.encode(tcb.incomingResets?.lastSequence ?? 0);
    if (chunk === undefined || chunk.length + CHUNK_HEADER_SIZE <= writer.room) {
      outbox.reconfig = false;
      if (chunk !== undefined) writer.chunk(chunk);
    }
  }
  return writer.mark !== before;
}

/** Answers to the peer, as many as fit. */
function writeReplies(tcb: TransmissionControlBlock, writer: PacketWriter): void {
  const { replies } = tcb.outbox;
  for (let next = replies.peek(); next !== undefined; next = replies.peek()) {
    if (next.length + CHUNK_HEADER_SIZE > writer.room && !writer.isEmpty) return;
    replies.shift();
    writer.chunk(next);
  }
}

function noteSetupSent(tcb: TransmissionControlBlock): void {
  tcb.setupSentAt = tcb.initialization.attempts === 0 && !tcb.clock.isStale ? tcb.now : undefined;
}
