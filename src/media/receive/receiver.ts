/**
 * Receiver: all that the peer sends of media, from authentic packets to events and feedback.
 *
 *     RTP ──▶ Routes: whose is it? ──▶ ReceiveStream ──▶ events
 *                  │  (RTX) RepairStream ──▶ ↑ what was lost
 *     RTCP: sender reports, BYE, answers to reference times
 *     out:    NACK, PLI, FIR, feedback on arrivals (`pollFeedback`), report blocks (`reportBlocks`)
 *
 * A source is bound to an encoding by its first packet, and there by what it says of itself, what signalling tells, or its payload
 * type. It is over when it says BYE, when another one is heard in its place, when its media is not received any more, or after
 * `streamTimeout` of silence. Senders leave out mid and rid once they have been acknowledged, so what a silent source was bound to
 * is remembered beyond its end: a layer that a browser switches off for a minute comes back without a name.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { THAW_GRACE } from '../../core/clock.ts';
import { Counters } from '../../core/counters.ts';
import type { PathFacts } from '../../core/machine.ts';
import type {
  Bye,
  ExtendedReport,
  ReportBlock,
  RtcpPacket,
  SdesItem,
  SenderReport,
  SourceDescription,
} from '../../rtp/index.ts';
import { RtpPacket, originalSequenceNumber, unwrapRtx } from '../../rtp/index.ts';
import type { MediaParameters } from '../parameters.ts';
import type { ReceivedStreamStats } from '../stats.ts';
import type { ArrivalTimer } from './arrivals.ts';
import { Arrivals } from './arrivals.ts';
import { RECEIVE_COUNTERS } from './counters.ts';
import type { ReceiveCounter } from './counters.ts';
import type { MediaEventQueue } from './event-queue.ts';
import { moved, notAgreed, replacedBy, saidBye } from './failures.ts';
import type { ReceiveSettings } from './options.ts';
import type { ReceiveContext, StreamTimer } from './receive-stream.ts';
import { ReceiveStream } from './receive-stream.ts';
import { RepairStream } from './repair-stream.ts';
import { RoundTrip } from './round-trip.ts';
import type { Route, Source } from './routes.ts';
import { Routes } from './routes.ts';
import { Sources } from './sources.ts';
import { refusalCounter } from './sequence-window.ts';

/** The random SSRC that probes before all media use in libwebrtc; no random number is it. */
const PROBE_SSRC = 0;

/** What a receiver is made of. */
export interface ReceiverInit {
  readonly clock: Clock;
  readonly options: ReceiveSettings;
  readonly events: MediaEventQueue;
  /** What feedback is signed with. */
  readonly ssrc: number;
  /** What is added to the clock for NTP time, ms. */
  readonly ntpOffset: number;
}

/** Everything received over one path. */
export class Receiver {
  readonly counters: Counters<ReceiveCounter> = new Counters<ReceiveCounter>(RECEIVE_COUNTERS);
  readonly #clock: Clock;
  readonly #streamTimeout: number;
  readonly #events: MediaEventQueue;
  readonly #ssrc: number;
  readonly #context: ReceiveContext;
  readonly #roundTrip: RoundTrip;
  readonly #routes = new Routes();
  readonly #sources: Sources;
  readonly #arrivals: Arrivals;
  /** Since when the path carries nothing: what waits for the peer stands still. */
  #heldAt: number | undefined;
  #isClosed = false;

  constructor({ clock, options, events, ssrc, ntpOffset }: ReceiverInit) {
    this.#streamTimeout = options.streamTimeout;
    this.#arrivals = new Arrivals(options.feedback, ntpOffset);
    this.#roundTrip = new RoundTrip(ntpOffset);
    this.#clock = clock;
    this.#events = events;
    this.#sources = new Sources(events, options.maxStreams);
    this.#ssrc = ssrc;
    const { counters } = this;
    this.#context = { settings: options, counters, events, roundTrip: this.#roundTrip, ssrc };
  }

  // --- what is agreed on, and the path ---

  /** What is received from now on. Streams of what is not any more end. */
  setMedia(media: readonly MediaParameters[], now: number): void {
    this.#observe(now);
    if (this.#isClosed) return;
    this.#routes.update(media);
    for (const source of this.#sources.bySsrc.values()) {
      if (!this.#belongs(source)) this.#sources.end(source, notAgreed(source.ssrc));
    }
    this.#sources.forget((encoding) => !this.#routes.has(encoding));
  }

  /** While the path is not writable nothing that waits for the peer goes on. */
  setPath({ writable, roundTripTime }: PathFacts): void {
    this.#roundTrip.setPath(roundTripTime);
    const { now } = this.#clock;
    if (!writable) {
      this.#heldAt ??= now;
    } else if (this.#heldAt !== undefined) {
      const missed = now - this.#heldAt;
      this.#heldAt = undefined;
      // Since before any time was told: nothing has waited for so long.
      if (missed > 0 && missed < Infinity) this.#sources.thaw(missed, now);
      this.#arrivals.handleTimeout(now);
    }
  }

  /** Sources of media that are received now, without those of RTX. */
  get ssrcs(): readonly number[] {
    return [...this.#sources.bySsrc.values()].filter(({ isRepair }) => !isRepair).map(({ ssrc }) => ssrc);
  }

  // --- packets ---

  /** Takes one RTP packet, authenticated; its memory is given away. */
  handleRtp(bytes: Bytes, now: number): void {
    this.#observe(now);
    if (this.#isClosed) return;
    this.#clock.hear();
    const packet = RtpPacket.view(bytes);
    if (packet === undefined) {
      this.counters.add('malformedPackets');
      return;
    }
    if (!this.#events.hasRoom) {
      this.counters.add('unqueuedPackets');
      return;
    }
    const transportSequence = this.#routes.transportSequenceOf(packet);
    if (transportSequence >= 0) {
      this.#arrivals.recordTransportWide(transportSequence, packet.ssrc, this.#clock.now, bytes.length);
    }
    const source = this.#sourceOf(packet);
    if (source === undefined) return;
    if (source.encoding.media.hasCongestionFeedback) {
      this.#arrivals.recordOfStream(packet.ssrc, packet.sequenceNumber, this.#clock.now, bytes.length);
    }
    if (source.isRepair) this.#repair(source, packet);
    else this.#take(source, packet);
    this.#sources.schedule(source);
  }

  /** Takes a sender report of one of the peer's sources. */
  handleSenderReport(report: SenderReport, now: number): void {
    this.#observe(now);
    const source = this.#sources.bySsrc.get(report.ssrc);
    if (source === undefined) this.counters.add('unknownReports');
    else if (source.isRepair) source.reception.takeSenderReport(report, this.#clock.now);
    else source.takeSenderReport(report, this.#clock.now);
  }

  /** Takes a source description: sources that are not heard yet may be named there by mid and rid. */
  handleSourceDescription({ chunks }: SourceDescription, now: number): void {
    this.#observe(now);
    for (const { ssrc, items } of chunks) {
      const text = (wanted: SdesItem): string | undefined => items.find(({ type }) => type === wanted)?.text;
      const mid = text('mid');
      const repaired = text('repaired-rtp-stream-id');
      const rid = repaired ?? text('rtp-stream-id');
      const encoding = mid === undefined ? undefined : this.#routes.encodingNamed(mid, rid);
      if (encoding !== undefined) this.#sources.learn(ssrc, { encoding, isRepair: repaired !== undefined });
    }
  }

  /** Takes a BYE: its sources are over. */
  handleBye({ ssrcs, reason }: Bye, now: number): void {
    this.#observe(now);
    for (const ssrc of ssrcs) {
      const source = this.#sources.bySsrc.get(ssrc);
      if (source === undefined) this.counters.add('unknownReports');
      else this.#sources.retire(source, saidBye(ssrc, reason), this.#clock.now);
    }
  }

  /** Takes an extended report: the answers to reference times that it has measure the round trip. */
  handleExtendedReport(report: ExtendedReport, now: number): void {
    this.#observe(now);
    const refused = this.#roundTrip.take(report, this.#ssrc, this.#clock.now);
    if (refused > 0) this.counters.add('referenceAnswersRefused', refused);
  }

  // --- feedback ---

  /**
   * Asks for a keyframe: of the encoding `rid`, of every stream of the media without one.
   * @returns false: no such stream is heard, or nothing is agreed on to ask by
   */
  requestKeyframe(mediaId: number, rid: string | undefined, now: number): boolean {
    this.#observe(now);
    const media = this.#routes.media(mediaId);
    if (media === undefined) return false;
    let isAskedFor = false;
    for (const encoding of media.encodings.values()) {
      const stream = rid === undefined || rid === encoding.rid ? this.#sources.streamOf(encoding) : undefined;
      if (stream === undefined) continue;
      if (!stream.requestKeyframe(this.#clock.now)) continue;
      isAskedFor = true;
      this.#sources.schedule(stream);
    }
    return isAskedFor;
  }

  /** The next packet of feedback that is due; none while the path carries nothing. */
  pollFeedback(now: number): RtcpPacket | undefined {
    this.#observe(now);
    if (this.#isClosed || this.#heldAt !== undefined) return undefined;
    for (const stream of this.#sources.withFeedback) {
      const packet = stream.pollFeedback(this.#clock.now);
      this.#sources.schedule(stream);
      if (packet !== undefined) return packet;
    }
    return this.#arrivals.poll(this.#ssrc, this.#sources.bySsrc, this.#clock.now);
  }

  /** How each source is received that was heard since the last time, RTX among them. */
  reportBlocks(now: number): ReportBlock[] {
    this.#observe(now);
    const blocks: ReportBlock[] = [];
    for (const { ssrc, reception } of this.#sources.bySsrc.values()) {
      if (reception.isHeard) blocks.push(reception.reportBlock(ssrc, this.#clock.now));
    }
    return blocks;
  }

  // --- time ---

  handleTimeout(now: number): void {
    this.#observe(now);
    if (this.#heldAt !== undefined) return;
    const time = this.#clock.now;
    for (
      let source = this.#sources.takeDue(time);
      source !== undefined;
      source = this.#sources.takeDue(time)
    ) {
      const isAlive = source.isRepair ? time < source.nextTimeout() : source.handleTimeout(time);
      if (isAlive) this.#sources.schedule(source);
      else this.#sources.fallSilent(source, time);
    }
    this.#arrivals.handleTimeout(time);
  }

  nextTimeout(): number {
    if (this.#heldAt !== undefined || this.#isClosed) return Infinity;
    return Math.min(this.#sources.nextTimeout(), this.#arrivals.nextTimeout());
  }

  timeoutReason(): StreamTimer | ArrivalTimer | undefined {
    const next = this.nextTimeout();
    const first = this.#sources.earliest;
    if (next === Infinity) return undefined;
    if (first === undefined || next < this.#sources.nextTimeout()) {
      return this.#arrivals.timeoutReason();
    }
    return first.isRepair ? 'streamSilence' : first.timeoutReason();
  }

  /** The host stood still for `missed` ms: the peer was not silent, nobody listened; its packets may still wait in a socket. */
  thaw(missed: number): void {
    // While the path is held all of its time is made good at once.
    if (this.#heldAt === undefined) this.#sources.thaw(missed, this.#clock.now + THAW_GRACE);
  }

  /** Forgets everything. Events that wait are the owner's. */
  close(): void {
    this.#isClosed = true;
    this.#routes.update([]);
    this.#sources.clear();
  }

  // --- what it shows ---

  inspect(): { readonly streams: readonly object[]; readonly remembered: number; readonly feedback: object } {
    return {
      streams: [...this.#sources.bySsrc.values()].map((source) => source.inspect()),
      remembered: this.#sources.remembered,
      feedback: this.#arrivals.inspect(),
    };
  }

  /** Of each stream that is received, RTX being part of what it repairs. */
  stats(): ReceivedStreamStats[] {
    const stats: ReceivedStreamStats[] = [];
    for (const source of this.#sources.bySsrc.values()) if (!source.isRepair) stats.push(source.stats());
    return stats;
  }

  invariantViolation(): string | undefined {
    if (this.#isClosed && this.#sources.bySsrc.size > 0) return 'closed, and sources are kept';
    return this.#sources.invariantViolation();
  }

  // --- parts ---

  #observe(now: number): void {
    this.#clock.observe(now, this);
  }

  /** The source of a packet, bound now if it is new; `undefined`: the packet is dropped, and counted. */
  #sourceOf(packet: RtpPacket): Source | undefined {
    const { ssrc } = packet;
    const known = this.#sources.bySsrc.get(ssrc);
    if (known !== undefined && this.#routes.agrees(packet, known)) return known;
    if (ssrc === PROBE_SSRC && this.#routes.told(ssrc) === undefined) return this.#drop('probes');
    const memory = this.#sources.memoryOf(ssrc);
    const isRefused = memory !== undefined && this.#clock.now < memory.refusedUntil;
    if (isRefused) return this.#drop('retiredSourcePackets');
    const route = this.#routes.resolve(packet, memory?.route, this.#sources.bySsrc);
    if (typeof route === 'string') return this.#drop(route);
    return this.#bind(ssrc, route, known);
  }

  #bind(ssrc: number, { encoding, isRepair }: Route, known: Source | undefined): Source | undefined {
    const { now } = this.#clock;
    const bound = isRepair ? encoding.repair : encoding.source;
    const before = bound === undefined ? undefined : this.#sources.bySsrc.get(bound);
    if (known === undefined && before === undefined && this.#sources.isFull)
      return this.#drop('refusedStreams');
    if (known !== undefined) this.#sources.end(known, moved(ssrc));
    if (before !== undefined && before !== known) {
      this.#sources.retire(before, replacedBy(before.ssrc, ssrc), now);
    }
    const source = isRepair
      ? new RepairStream(ssrc, encoding, this.#streamTimeout, now)
      : new ReceiveStream(ssrc, encoding, this.#context, now);
    this.#sources.add(source);
    return source;
  }

  #take(stream: ReceiveStream, packet: RtpPacket): void {
    const codec = stream.encoding.media.codecs.get(packet.payloadType);
    if (codec === undefined) this.counters.add('unknownPayloadTypes');
    else stream.take(packet, codec, this.#clock.now, false);
  }

  /** A packet of RTX: the one in it goes to the stream that misses it. */
  #repair(source: RepairStream, packet: RtpPacket): void {
    const { encoding } = source;
    const { media } = encoding;
    const stream = this.#sources.streamOf(encoding);
    const codec = media.repairs.get(packet.payloadType);
    if (codec === undefined) {
      this.counters.add('unknownPayloadTypes');
      return;
    }
    const sequence = source.take(packet.sequenceNumber, this.#clock.now);
    if (sequence < 0) {
      this.counters.add(refusalCounter(sequence));
      return;
    }
    if (originalSequenceNumber(packet) === undefined) {
      this.counters.add('probes');
      return;
    }
    if (stream === undefined) {
      this.counters.add('unpairedRepairs');
      return;
    }
    const original = unwrapRtx(packet.bytes, codec.parameters.payloadType, stream.ssrc);
    const view = original && RtpPacket.view(original);
    if (view === undefined) {
      this.counters.add('malformedPackets');
      return;
    }
    stream.take(view, codec, this.#clock.now, true);
    this.#sources.schedule(stream);
  }

  /** Whether a source is still where what is agreed on has it. */
  #belongs({ ssrc, encoding }: Source): boolean {
    if (!this.#routes.has(encoding)) return false;
    const told = this.#routes.told(ssrc);
    if (told === undefined) return true;
    return told.media === encoding.media && (told.encoding === undefined || told.encoding === encoding);
  }

  #drop(counter: ReceiveCounter): Source | undefined {
    this.counters.add(counter);
    return undefined;
  }
}
