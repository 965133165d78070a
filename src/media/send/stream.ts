/**
 * SentStream: one stream that this end sends: what waits, what has been sent, and what is sent again.
 *
 *     write ─▶ judged ─▶ numbered ─▶ waiting ─poll─▶ sent ─▶ history ◀── NACK
 *                                      ▲                        │
 *                  tones, when due ────┘                        └─▶ wanted ─pollRepair─▶ sent again
 *
 * It outlives agreements: `update` gives it another flow, or other sources.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import type { Counters } from '../../core/counters.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { DtmfOptions, OutgoingPacket } from '../contract.ts';
import type { CodecParameters } from '../parameters.ts';
import type { SentPackets } from '../feedback/sent-packets.ts';
import type { SentStreamStats } from '../stats.ts';
import type { SendCounter } from './counters.ts';
import type { Flow, FlowCodec } from './flow.ts';
import { telephoneEventOf } from './flow.ts';
import type { HeaderPlan } from './header-plan.ts';
import { KeyframeRequestThrottle } from './keyframe-request-throttle.ts';
import type { SendSettings } from './options.ts';
import type { PacketWriter } from './packet-writer.ts';
import { OSN_LENGTH, headerLength } from './packet-writer.ts';
import { Retransmissions } from './retransmissions.ts';
import type { PacketPool } from './packet-pool.ts';
import type { SentPacket } from './sent-packet.ts';
import { checkPacket, lengthOf } from './sent-packet.ts';
import type { SendingSource } from './source.ts';
import { Tones, checkTones } from './tones.ts';

/** What all streams of a connection share. */
export interface SendScope {
  readonly clock: Clock;
  readonly settings: SendSettings;
  readonly counters: Counters<SendCounter>;
  readonly writer: PacketWriter;
  readonly pool: PacketPool;
  readonly sentPackets: SentPackets;
  /** Packets can be carried. */
  isPathWritable: boolean;
  /** Bytes of an RTP packet on this path. */
  largestPacket: number;
  /** Milliseconds, as measured last. */
  roundTripTime: number;
  /** A packet has been put into a history. */
  isHistoryKept: boolean;
  /** A tone has been queued. */
  hasTones: boolean;
}

/** abs-send-time counts seconds in 6.18 bits. */
const SEND_TIME_UNITS = 262.144;
const SEND_TIME_CIRCLE = 0x100_0000;

/** One stream: of a media, or of one of its encodings. */
export class SentStream {
  readonly mediaId: number;
  readonly kind: 'audio' | 'video';
  readonly rid: string | undefined;
  readonly keyframes: KeyframeRequestThrottle;
  readonly retransmissions: Retransmissions;
  readonly tones: Tones;
  flow: Flow;
  source: SendingSource;
  /** Of what is sent again; `undefined`: it is sent as it was. */
  repairs: SendingSource | undefined;
  /** It stands in the queue of its lane. */
  isLined = false;
  /** It stands in the queue of those that send again. */
  isRepairLined = false;
  nackCount = 0;
  readonly #scope: SendScope;
  readonly #waiting: BoundedQueue<SentPacket>;
  #waitingBytes = 0;
  /** Of what was sent last. */
  #codec: CodecParameters | undefined;
  #packetsSent = 0;
  #bytesSent = 0;
  #headerBytesSent = 0;
  #packetsResent = 0;
  #bytesResent = 0;

  constructor(
    identity: {
      readonly mediaId: number;
      readonly kind: 'audio' | 'video';
      readonly rid: string | undefined;
    },
    flow: Flow,
    source: SendingSource,
    repairs: SendingSource | undefined,
    scope: SendScope,
  ) {
    const { settings, counters } = scope;
    this.mediaId = identity.mediaId;
    this.kind = identity.kind;
    this.rid = identity.rid;
    this.flow = flow;
    this.source = source;
    this.repairs = repairs;
    this.#scope = scope;
    this.#waiting = new BoundedQueue(settings.maxQueuedPackets);
    this.retransmissions = new Retransmissions(settings, counters, scope.pool);
    this.tones = new Tones(settings.maxQueuedTones);
    this.keyframes = new KeyframeRequestThrottle(settings.keyframeRequestInterval);
  }

  get isWritable(): boolean {
    return this.flow.isActive && this.#scope.isPathWritable;
  }

  /** Packets that wait to be sent for the first time. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Bytes of their payloads. */
  get bufferedAmount(): number {
    return this.#waitingBytes;
  }

  /** Other agreements, or other sources. */
  update(flow: Flow, source: SendingSource, repairs: SendingSource | undefined): void {
    const isRenamed = flow.header.key !== this.flow.header.key;
    const isOther = source !== this.source;
    this.flow = flow;
    this.source = source;
    this.repairs = repairs;
    if (isRenamed) {
      source.identifyAnew();
      repairs?.identifyAnew();
    }
    if (!flow.isActive || isOther) {
      this.discard('writesDiscarded');
      this.retransmissions.history.clear();
    } else if (flow.telephoneEvents.length === 0) {
      this.#dropTones();
    }
  }

  /** `RtpSender.write`. */
  write(packet: OutgoingPacket): boolean {
    checkPacket(packet);
    const { flow } = this;
    const { payload, payloadType, patch, extensions } = packet;
    const codec = payloadType === undefined ? flow.firstCodec : flow.codecs[payloadType];
    const length = lengthOf(payload, patch);
    const refusal = this.#refusal(codec, length, extensions);
    if (codec === undefined || refusal !== undefined) return this.#refuse(refusal ?? 'writesUnknownCodec');
    const sequence = this.#number(packet.sequence);
    if (sequence < 0) return this.#refuse('writesBadSequence');
    const { timestamp, marker = false } = packet;
    this.#waiting.push(
      this.#scope.pool
        .take()
        .fill(sequence, timestamp, marker, codec.parameters.payloadType, payload, patch, extensions),
    );
    this.#waitingBytes += length;
    return true;
  }

  /** `RtpSender.writeDtmf`. */
  writeDtmf(tones: string, options: DtmfOptions): boolean {
    checkTones(tones, options);
    const isAgreed = this.isWritable && this.flow.telephoneEvents.length > 0;
    if (!isAgreed || !this.tones.queue(tones, options)) return this.#refuse('tonesRefused');
    this.#scope.hasTones = true;
    return true;
  }

  /** `poll` has something at `now`. */
  isDue(now: number): boolean {
    return this.#waiting.size > 0 || this.tones.nextTimeout() <= now;
  }

  /** Writes the next packet at `offset` of `into`: its length, 0 for none. */
  poll(into: Bytes, offset: number, now: number): number {
    for (;;) {
      const packet = this.#waiting.shift();
      if (packet === undefined) break;
      this.#waitingBytes -= packet.payloadLength;
      const length = this.#send(packet, into, offset, now);
      if (length > 0) return length;
    }
    const tone = this.#tonePacket(now);
    return tone === undefined ? 0 : this.#send(tone, into, offset, now);
  }

  /** As `poll`, for what is sent again. */
  pollRepair(into: Bytes, offset: number, now: number): number {
    for (;;) {
      const packet = this.retransmissions.next(now);
      if (packet === undefined) return 0;
      const length = this.#resend(packet, into, offset, now);
      if (length > 0) {
        this.#packetsResent++;
        this.#bytesResent += packet.payloadLength;
        return length;
      }
      this.#scope.counters.add('retransmissionsDropped');
    }
  }

  /** The peer misses packets of `ssrc`. Those of what was sent again are not sent once more: it asks for the first ones. */
  handleNack(ssrc: number, sequenceNumbers: readonly number[], now: number): void {
    const { source, retransmissions } = this;
    this.nackCount++;
    if (ssrc !== source.ssrc) this.#scope.counters.add('retransmissionsUnknown', sequenceNumbers.length);
    else retransmissions.request(sequenceNumbers, source.numbers.largest, this.#scope.roundTripTime, now);
  }

  /** What waits is dropped, and counted as `counter`. */
  discard(counter: 'writesDiscarded' | 'writesExpired'): void {
    if (this.#waiting.size > 0) this.#scope.counters.add(counter, this.#waiting.size);
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#dropTones();
    this.retransmissions.drop();
  }

  /** It is agreed on no more: nothing of it is sent from now on. */
  end(): void {
    this.flow = { ...this.flow, isSent: false, isActive: false };
    this.discard('writesDiscarded');
    this.retransmissions.history.clear();
  }

  stats(): SentStreamStats {
    const { source, keyframes, flow } = this;
    const codec = this.#codec ?? flow.firstCodec?.parameters;
    return {
      mediaId: this.mediaId,
      kind: this.kind,
      mid: flow.mid,
      rid: this.rid,
      ssrc: source.ssrc,
      rtxSsrc: this.repairs?.ssrc,
      codec,
      active: flow.isActive,
      packetsSent: this.#packetsSent,
      bytesSent: this.#bytesSent,
      headerBytesSent: this.#headerBytesSent,
      retransmittedPacketsSent: this.#packetsResent,
      retransmittedBytesSent: this.#bytesResent,
      nackCount: this.nackCount,
      pliCount: keyframes.pliCount,
      firCount: keyframes.firCount,
      remote: source.reports.stats(source.numbers.first, codec?.clockRate ?? 1),
    };
  }

  /** Plain, JSON-safe. */
  inspect(): object {
    const { source, repairs, retransmissions } = this;
    return {
      mediaId: this.mediaId,
      rid: this.rid ?? null,
      ssrc: source.ssrc,
      rtxSsrc: repairs?.ssrc ?? null,
      isWritable: this.isWritable,
      isAcknowledged: !source.needsIdentity,
      queuedPackets: this.#waiting.size,
      bufferedAmount: this.#waitingBytes,
      queuedTones: this.tones.count,
      historyPackets: retransmissions.history.count,
      historyBytes: retransmissions.history.bytes,
      queuedRetransmissions: retransmissions.waiting,
      sequence: source.numbers.largest,
      packetsSent: this.#packetsSent,
      packetsResent: this.#packetsResent,
    };
  }

  // --- judging ---

  #refusal(
    codec: FlowCodec | undefined,
    length: number,
    extensions: OutgoingPacket['extensions'],
  ): SendCounter | undefined {
    const { settings, largestPacket } = this.#scope;
    if (!this.isWritable) return 'writesNotWritable';
    if (codec === undefined) return 'writesUnknownCodec';
    if (this.tones.isSounding) return 'writesDuringTone';
    // As if it told whose it is, and with room to be sent again: so the limit does not depend on what the peer has acknowledged.
    const { header } = this.flow;
    const osn = codec.rtxPayloadType === undefined ? 0 : OSN_LENGTH;
    if (headerLength(header, header.identified, extensions) + osn + length > largestPacket)
      return 'writesTooLarge';
    if (this.#waiting.size >= settings.maxQueuedPackets) return 'writesQueueFull';
    return this.#waitingBytes + length > settings.maxQueuedBytes ? 'writesQueueFull' : undefined;
  }

  #refuse(counter: SendCounter): false {
    this.#scope.counters.add(counter);
    return false;
  }

  #number(given: number | undefined): number {
    const { numbers } = this.source;
    if (given === undefined) return numbers.next();
    if (numbers.follow(given)) this.#scope.counters.add('sequenceJumps');
    return numbers.claim(given);
  }

  // --- sending ---

  #send(packet: SentPacket, into: Bytes, offset: number, now: number): number {
    const { source, flow } = this;
    const { counters, largestPacket, pool, writer } = this.#scope;
    const { header } = flow;
    const codec = flow.codecs[packet.payloadType];
    if (codec === undefined) {
      counters.add('writesUnknownCodec');
      pool.give(packet);
      return 0;
    }
    packet.isIdentified = source.needsIdentity;
    const set = packet.isIdentified ? header.identified : header.plain;
    const headerBytes = headerLength(header, set, packet.extensions);
    if (headerBytes + packet.payloadLength > largestPacket) {
      counters.add('writesTooLarge');
      pool.give(packet);
      return 0;
    }
    packet.header = header;
    const size = headerBytes + packet.payloadLength;
    packet.transportSequence = this.#transportSequence(header, source.ssrc, packet.sequence, size, now);
    packet.sendTime = this.#sendTime(header, now);
    const length = writer.write(packet, header, source.ssrc, into, offset);
    const { parameters } = codec;
    source.count(packet.sequence, packet.payloadLength);
    if (!flow.telephoneEvents.includes(parameters)) {
      source.info.tick(packet.timestamp, parameters.clockRate, now);
      this.#codec = parameters;
    }
    this.#count(headerBytes, packet.payloadLength);
    if (codec.canResend && this.#scope.settings.historyPackets > 0) {
      this.retransmissions.remember(packet, now);
      this.#scope.isHistoryKept = true;
    } else {
      pool.give(packet);
    }
    return length;
  }

  #resend(packet: SentPacket, into: Bytes, offset: number, now: number): number {
    const { flow, repairs, source } = this;
    const { largestPacket, writer } = this.#scope;
    const payloadType = flow.codecs[packet.payloadType]?.rtxPayloadType;
    if (payloadType === undefined || repairs === undefined) {
      const { header } = packet;
      if (header === undefined || flow.codecs[packet.payloadType] === undefined) return 0;
      const set = packet.isIdentified ? header.identified : header.plain;
      const headerBytes = headerLength(header, set, packet.extensions);
      if (headerBytes + packet.payloadLength > largestPacket) return 0;
      source.info.count(packet.payloadLength);
      this.#count(headerBytes, packet.payloadLength);
      // To the byte: under the same number SRTP may protect nothing else.
      return writer.write(packet, header, source.ssrc, into, offset);
    }
    const { header } = flow;
    const set = repairs.needsIdentity ? header.repairing : header.plain;
    const headerBytes = headerLength(header, set, packet.extensions) + OSN_LENGTH;
    if (headerBytes + packet.payloadLength > largestPacket) return 0;
    const sequence = repairs.numbers.next();
    const { ssrc } = repairs;
    const size = headerBytes + packet.payloadLength;
    const transportSequence = this.#transportSequence(header, ssrc, sequence, size, now);
    repairs.count(sequence, packet.payloadLength + OSN_LENGTH);
    this.#count(headerBytes, packet.payloadLength);
    const sendTime = this.#sendTime(header, now);
    const repair = { header, set, ssrc, sequence, payloadType, transportSequence, sendTime };
    return writer.writeRepair(packet, repair, into, offset);
  }

  #count(headerBytes: number, payloadBytes: number): void {
    this.#packetsSent++;
    this.#headerBytesSent += headerBytes;
    this.#bytesSent += payloadBytes;
  }

  /** Remembers a packet that the peer may tell of, by whatever number. */
  #transportSequence(header: HeaderPlan, ssrc: number, sequence: number, size: number, now: number): number {
    const { sentPackets } = this.#scope;
    if (header.transportSequenceId === 0 && !sentPackets.isTellingSources) return 0;
    return sentPackets.add(this.mediaId, ssrc, size, now, sequence);
  }

  #sendTime(header: HeaderPlan, now: number): number {
    if (header.sendTimeId === 0) return 0;
    return Math.floor((now + this.#scope.settings.ntpOffset) * SEND_TIME_UNITS) % SEND_TIME_CIRCLE;
  }

  // --- tones ---

  #tonePacket(now: number): SentPacket | undefined {
    const event = telephoneEventOf(this.flow, this.#codec?.clockRate);
    if (event === undefined || this.tones.nextTimeout() > now) return undefined;
    const { info, numbers } = this.source;
    const timestamp = info.timestampAt(now) ?? Math.round((now * event.clockRate) / 1000) >>> 0;
    const packet = this.tones.next(now, timestamp, event.clockRate);
    if (packet === undefined) return undefined;
    const { timestamp: at, marker, payload } = packet;
    return this.#scope.pool.take().fill(numbers.next(), at, marker, event.payloadType, payload);
  }

  #dropTones(): void {
    if (this.tones.count === 0) return;
    this.#scope.counters.add('tonesDropped', this.tones.count);
    this.tones.clear();
  }
}
