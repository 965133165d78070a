/**
 * Sending: all that this end sends over one connection.
 *
 *     setMedia ─▶ streams, their sources, their handles            handleRtcp ─▶ NACK: sent again │ PLI, FIR, REMB, results: events
 *     sender.write ─▶ stream ─▶ lane: audio │ video                               report blocks: round trip, what the peer knows
 *     pollPacket('audio') ─▶ audio and tones                       senderReports, leave, stats
 *     pollPacket('paced') ─▶ what is sent again, then video
 *
 * It is a part of the media of a connection: whoever owns it tells it the time, and takes its events from the queue it was given.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { Counters } from '../../core/counters.ts';
import type { PathFacts } from '../../core/machine.ts';
import type { RandomSource } from '../../core/random.ts';
import { TimerTable } from '../../core/timers.ts';
import type { FullIntraRequest, Nack, ReportBlock, RtcpPacket, SenderReport } from '../../rtp/index.ts';
import type { MediaStreamEvent, PacketResult, RtpSender, SenderCall } from '../contract.ts';
import type { MediaParameters } from '../parameters.ts';
import type { SentStreamStats } from '../stats.ts';
import type { SentPacketsCounter } from '../feedback/sent-packets.ts';
import { SentPackets } from '../feedback/sent-packets.ts';
import type { SendCounter } from './counters.ts';
import { SEND_COUNTERS } from './counters.ts';
import { Lane } from './lane.ts';
import type { KeyframeReason } from './keyframe-request-throttle.ts';
import type { SendSettings } from './options.ts';
import { PacketPool } from './packet-pool.ts';
import { PacketWriter } from './packet-writer.ts';
import type { SendingSource } from './source.ts';
import { StreamTable } from './stream-table.ts';
import type { SendScope, SentStream } from './stream.ts';
import { WriteGate } from './write-gate.ts';

/** A bounded queue of events: false when it is full. */
interface EventSink {
  push(event: MediaStreamEvent): boolean;
}

/** What it is made of. */
export interface SendingInit {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly options: SendSettings;
  /** Where its events go; what finds no room is counted. */
  readonly events: EventSink;
  /** Largest UDP payload before more is known. */
  readonly mtu: number;
  /** A sender was called. */
  readonly onActivity: () => void;
}

/** Its timers: history: packets in it get too old; keyframeRequest: one that is pending is to be told; tone: the next packet of DTMF. */
type SendTimer = 'history' | 'keyframeRequest' | 'tone';
const TIMERS: readonly SendTimer[] = ['tone', 'keyframeRequest', 'history'];

/** Bytes of the largest RTP packet that a browser sends, whatever the path: Chromium and Firefox take it for what every path carries. */
const BROWSER_PACKET = 1200;
/**
 * The same, as it is forwarded, when it may be larger: by mid and rid of 16 bytes, a transport-wide sequence number and a send time that
 * it came without (44 with their padding), ids that need the long form, an original sequence number, a longer picture id.
 */
const FORWARDED_PACKET = BROWSER_PACKET + 64;

/** Milliseconds that a round trip is taken to be before it has been measured. */
const DEFAULT_ROUND_TRIP = 100;

/** The streams that this end sends. */
export class Sending {
  /** Who is told of each call on a sender. */
  onSenderCall: ((sender: RtpSender, call: SenderCall) => void) | undefined;
  readonly counters: Counters<SendCounter> = new Counters<SendCounter>(SEND_COUNTERS);
  readonly #scope: SendScope;
  readonly #sentPackets: SentPackets;
  readonly #events: EventSink;
  readonly #onActivity: () => void;
  readonly #streams: StreamTable;
  readonly #timers = new TimerTable<SendTimer>(TIMERS);
  readonly #gate: WriteGate;
  readonly #audio = new Lane(false);
  readonly #video = new Lane(false);
  readonly #repairs = new Lane(true);
  /** Bytes of an RTP packet that every path is taken to carry. */
  readonly #leastPacket: number;
  #isClosed = false;

  constructor({ clock, random, options, events, mtu, onActivity }: SendingInit) {
    this.#events = events;
    this.#onActivity = onActivity;
    this.#leastPacket = mtu < BROWSER_PACKET ? 0 : FORWARDED_PACKET;
    this.#sentPackets = new SentPackets(options.sentPackets);
    this.#gate = new WriteGate(options.writeTimeout, clock);
    this.#scope = {
      clock,
      settings: options,
      counters: this.counters,
      writer: new PacketWriter(),
      pool: new PacketPool(),
      sentPackets: this.#sentPackets,
      isPathWritable: false,
      largestPacket: Math.max(mtu, this.#leastPacket),
      roundTripTime: DEFAULT_ROUND_TRIP,
      isHistoryKept: false,
      hasTones: false,
    };
    this.#streams = new StreamTable(this.#scope, this, random);
  }

  /** Room that `pollPacket` wants, bytes. */
  get largestPacket(): number {
    return this.#scope.largestPacket;
  }

  /**
   * What is agreed on from now on, all of it. Streams and handles of what stays are the same ones, and what is sent again later has the
   * sources that it had, as a sender of a browser keeps its own.
   * @returns the sources that leave by it, for a BYE
   */
  setMedia(media: readonly MediaParameters[], now: number): number[] {
    if (this.#isClosed) return [];
    const before = this.#sources();
    this.#streams.agree(media);
    const after = new Set(this.#sources());
    if (media.some(isToldBySource)) this.#sentPackets.isTellingSources = true;
    for (const stream of this.#streams.all) this.#line(stream, now);
    return leaving(before.filter((source) => !after.has(source)));
  }

  /** The path is another one, or changed. */
  setPath({ writable, largestDatagram, overhead, srtpOverhead, roundTripTime }: PathFacts): void {
    this.#scope.isPathWritable = writable && !this.#isClosed;
    this.#scope.largestPacket = Math.max(
      largestDatagram - (srtpOverhead?.rtp ?? overhead),
      this.#leastPacket,
    );
    if (roundTripTime !== undefined) this.#scope.roundTripTime = roundTripTime;
  }

  /** `undefined`: no such media, or no such encoding of it. */
  sender(mediaId: number, rid?: string): RtpSender | undefined {
    return this.#streams.handle(mediaId, rid);
  }

  /** A sender was called: what it has may go out. */
  handleCall(stream: SentStream): void {
    const { now } = this.#scope.clock;
    this.#line(stream, now);
    this.#armTone(now);
    this.#onActivity();
  }

  // --- out ---

  /** Writes the next packet of this urgency at `offset` of `into`: its length, 0 for none. */
  pollPacket(urgency: 'audio' | 'paced', into: Bytes, offset: number, now: number): number {
    if (!this.#scope.isPathWritable) return 0;
    const length =
      urgency === 'audio'
        ? this.#audio.poll(into, offset, now)
        : this.#repairs.poll(into, offset, now) || this.#video.poll(into, offset, now);
    if (urgency === 'audio') this.#armTone(now);
    if (length > 0) {
      this.#gate.progress(this.#isWaiting, now);
      if (this.#scope.isHistoryKept && !this.#timers.isArmed('history')) {
        this.#timers.arm('history', now + this.#scope.settings.historyTime);
      }
    } else if (!this.#isWaiting) {
      this.#gate.disarm();
    }
    return length;
  }

  /** Reports of the sources that have sent since the last ones, without blocks (RFC 3550 §6.4.1). */
  senderReports(now: number): SenderReport[] {
    const reports: SenderReport[] = [];
    for (const { source } of this.#streams.all) {
      const report = source.info.report(source.ssrc, this.#ntpTime(now), now);
      if (report !== undefined) reports.push(report);
    }
    return reports;
  }

  /** All sources leave: those that have sent, and not left yet, for a BYE. */
  leave(): number[] {
    return leaving(this.#sources());
  }

  /** Those of media that are sent. */
  #sources(): SendingSource[] {
    const sent = this.#streams.all.filter(({ flow }) => flow.isSent);
    return sent.flatMap(({ source, repairs }) => (repairs === undefined ? [source] : [source, repairs]));
  }

  // --- in ---

  /** Takes what the peer says of our sources; all else is not for it. */
  handleRtcp(packet: RtcpPacket, now: number): void {
    if (this.#isClosed) return;
    switch (packet.type) {
      case 'sender-report':
      case 'receiver-report':
        for (const block of packet.reports) this.#handleReport(block, now);
        return;
      case 'nack':
        this.#handleNack(packet, now);
        return;
      case 'pli': {
        const stream = this.#streamOf(packet.mediaSsrc);
        if (stream === undefined) return;
        stream.keyframes.pliCount++;
        this.#requestKeyframe(stream, 'pli', now);
        return;
      }
      case 'fir':
        this.#handleFir(packet, now);
        return;
      case 'remb':
        this.#tell({ type: 'remb', bitrate: packet.bitrate, ssrcs: packet.ssrcs });
        return;
      case 'transport-feedback':
        this.#tellResults(this.#sentPackets.takeFeedback(packet, now));
        return;
      case 'congestion-feedback':
        this.#tellResults(this.#sentPackets.takeCongestionFeedback(packet, now));
        return;
      default:
        return;
    }
  }

  // --- time ---

  /** Runs what is due at `now`. */
  handleTimeout(now: number): void {
    if (this.#gate.takeDue(now)) this.#expireWaiting();
    for (let due = this.#timers.takeDue(now); due !== undefined; due = this.#timers.takeDue(now)) {
      if (due === 'tone') this.#lineTones(now);
      else if (due === 'keyframeRequest') this.#tellPendingKeyframes(now);
      else this.#expireHistories(now);
    }
  }

  nextTimeout(): number {
    return Math.min(this.#timers.next(), this.#gate.next());
  }

  /** Which timer that is; `undefined`: nothing is awaited. */
  timeoutReason(): string | undefined {
    const gateAt = this.#gate.next();
    return gateAt <= this.#timers.next() && gateAt !== Infinity ? 'rtpWrite' : this.#timers.nextName();
  }

  /** The host stood still for `missed` milliseconds: what waits may wait so much longer, and tones sound on. */
  thaw(missed: number): void {
    this.#gate.thaw();
    for (const { tones } of this.#streams.all) tones.thaw(missed);
    if (this.#timers.isArmed('tone')) this.#timers.arm('tone', this.#timers.deadline('tone') + missed);
  }

  /** Releases everything. Handles of it send nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#scope.isPathWritable = false;
    this.#streams.clear();
    this.#scope.pool.clear();
    this.#audio.clear();
    this.#video.clear();
    this.#repairs.clear();
    this.#timers.disarmAll();
    this.#gate.disarm();
  }

  // --- what is seen ---

  /** Of feedback on what was sent. */
  get feedbackCounters(): Counters<SentPacketsCounter> {
    return this.#sentPackets.counters;
  }

  stats(): SentStreamStats[] {
    return this.#streams.all.map((stream) => stream.stats());
  }

  /** Plain, JSON-safe. */
  inspect(): {
    readonly streams: readonly object[];
    readonly timers: object;
    readonly sentPackets: object;
    readonly counters: Record<SendCounter, number>;
  } {
    const gateAt = this.#gate.next();
    return {
      streams: this.#streams.all.map((stream) => stream.inspect()),
      timers: { ...this.#timers.armed(), ...(gateAt === Infinity ? {} : { rtpWrite: gateAt }) },
      sentPackets: this.#sentPackets.inspect(),
      counters: this.counters.snapshot(),
    };
  }

  /** What must hold after every call and does not; `undefined` while all is well. */
  invariantViolation(): string | undefined {
    if (this.#isClosed) {
      return this.nextTimeout() === Infinity ? undefined : 'sending is closed, and a timer runs';
    }
    if (this.#isWaiting && !this.#gate.isArmed) return 'packets wait to be sent without an end';
    for (const stream of this.#streams.all) {
      const { history } = stream.retransmissions;
      if (stream.waiting > 0 && !stream.isLined) return 'packets wait in a stream that nobody polls';
      if (stream.waiting === 0 && stream.bufferedAmount !== 0) return 'bytes are buffered without a packet';
      if (history.count === 0 && history.bytes !== 0) return 'the history holds bytes without a packet';
      if (history.count > 0 && !this.#timers.isArmed('history')) return 'a history is kept without an end';
      if (stream.retransmissions.waiting > 0 && !stream.isRepairLined)
        return 'packets wait to be sent again in vain';
    }
    return undefined;
  }

  get #isWaiting(): boolean {
    return this.#audio.size + this.#video.size + this.#repairs.size > 0;
  }

  /** `stream` has its turn, if it has something to send. */
  #line(stream: SentStream, now: number): void {
    if (!stream.isDue(now)) return;
    (stream.kind === 'audio' ? this.#audio : this.#video).add(stream);
    this.#gate.arm();
  }

  #ntpTime(now: number): number {
    return Math.max(0, now + this.#scope.settings.ntpOffset);
  }

  #tell(event: MediaStreamEvent): void {
    if (!this.#events.push(event)) this.counters.add('sendEventsDropped');
  }

  // --- what the peer says ---

  #tellResults(results: readonly PacketResult[]): void {
    if (results.length > 0) this.#tell({ type: 'packetresults', results });
  }

  #streamOf(ssrc: number): SentStream | undefined {
    const stream = this.#streams.bySource(ssrc);
    if (stream === undefined) this.counters.add('sentSourcesUnknown');
    return stream;
  }

  #handleReport(block: ReportBlock, now: number): void {
    const stream = this.#streamOf(block.ssrc);
    if (stream === undefined) return;
    const { source, repairs } = stream;
    const told = repairs?.ssrc === block.ssrc ? repairs : source;
    const roundTrip = told.takeReport(block, this.#ntpTime(now));
    if (roundTrip === -1) this.counters.add('roundTripsRefused');
    else if (roundTrip !== undefined) this.#scope.roundTripTime = roundTrip;
  }

  #handleNack({ mediaSsrc, sequenceNumbers }: Nack, now: number): void {
    const stream = this.#streamOf(mediaSsrc);
    if (stream === undefined) return;
    stream.handleNack(mediaSsrc, sequenceNumbers, now);
    if (stream.retransmissions.waiting === 0) return;
    this.#repairs.add(stream);
    this.#gate.arm();
  }

  #handleFir({ entries }: FullIntraRequest, now: number): void {
    for (const { ssrc, sequenceNumber } of entries) {
      const stream = this.#streamOf(ssrc);
      if (stream === undefined) continue;
      stream.keyframes.firCount++;
      if (stream.keyframes.isNewFir(sequenceNumber)) this.#requestKeyframe(stream, 'fir', now);
      else this.counters.add('keyframeRequestsRepeated');
    }
  }

  #requestKeyframe(stream: SentStream, reason: KeyframeReason, now: number): void {
    if (stream.keyframes.request(reason, now)) {
      this.#tell({ type: 'keyframerequest', mediaId: stream.mediaId, rid: stream.rid, reason });
    } else {
      this.counters.add('keyframeRequestsThrottled');
      this.#timers.armEarliest('keyframeRequest', stream.keyframes.nextTimeout());
    }
  }

  // --- what is due ---

  #expireWaiting(): void {
    for (const stream of this.#streams.all) stream.discard('writesExpired');
    this.#audio.clear();
    this.#video.clear();
    this.#repairs.clear();
  }

  #tellPendingKeyframes(now: number): void {
    for (const { keyframes, mediaId, rid } of this.#streams.all) {
      const reason = keyframes.takeDue(now);
      if (reason !== undefined) this.#tell({ type: 'keyframerequest', mediaId, rid, reason });
      if (keyframes.nextTimeout() !== Infinity) {
        this.#timers.armEarliest('keyframeRequest', keyframes.nextTimeout());
      }
    }
  }

  #lineTones(now: number): void {
    for (const stream of this.#streams.all) this.#line(stream, now);
    this.#armTone(now);
  }

  /** Those that are due wait for their poll, and no timer. */
  #armTone(now: number): void {
    if (!this.#scope.hasTones) return;
    this.#scope.hasTones = false;
    for (const { tones } of this.#streams.all) {
      if (tones.count === 0) continue;
      this.#scope.hasTones = true;
      const at = tones.nextTimeout();
      if (at > now) this.#timers.armEarliest('tone', at);
    }
  }

  /** What came since the last time is kept up to twice as long; nobody gets what is too old. */
  #expireHistories(now: number): void {
    let isKept = false;
    for (const { retransmissions } of this.#streams.all) {
      retransmissions.history.expire(now);
      if (retransmissions.history.count > 0) isKept = true;
    }
    this.#scope.isHistoryKept = isKept;
    if (isKept) this.#timers.arm('history', now + this.#scope.settings.historyTime);
  }
}

/** RFC 8888 §6: the peer is to tell of packets by their sources. */
function isToldBySource({ send }: MediaParameters): boolean {
  return send.codecs.some(({ rtcpFeedback }) => rtcpFeedback.includes('ack ccfb'));
}

function leaving(sources: readonly SendingSource[]): number[] {
  return sources.filter((source) => source.leave()).map(({ ssrc }) => ssrc);
}
