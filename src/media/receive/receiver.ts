/**
 * Receiver: all that the peer sends of media, from authentic packets to events and feedback.
 *
 *     RTP ──▶ Routes: whose is it? ──▶ ReceiveStream ──▶ events
 *                  │  (RTX) RepairStream ──▶ ↑ what was lost
 *     RTCP: sender reports, BYE, answers to reference times
 *     out:    NACK, PLI, FIR, transport-wide feedback (`pollFeedback`), report blocks (`reportBlocks`)
 *
 * A source is bound to an encoding by its first packet, and there by what it says of itself, what signalling tells, or its payload
 * type. It is over when it says BYE, when another one is heard in its place, when its media is not received any more, or after
 * `streamTimeout` of silence. Senders leave out mid and rid once they have been acknowledged, so what a silent source was bound to
 * is remembered beyond its end: a layer that a browser switches off for a minute comes back without a name.
 */
import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { Counters } from '../../core/counters.ts';
import { DeadlineHeap } from '../../core/deadline-heap.ts';
import type { Failure } from '../../core/errors.ts';
import type { PathFacts } from '../../core/machine.ts';
import { quote } from '../../core/text.ts';
import type { Bye, ExtendedReport, ReportBlock, RtcpPacket, SenderReport } from '../../rtp/index.ts';
import { RtpPacket, originalSequenceNumber, unwrapRtx } from '../../rtp/index.ts';
import type { MediaParameters } from '../parameters.ts';
import type { ReceivedStreamStats } from '../stats.ts';
import { RECEIVE_COUNTERS } from './counters.ts';
import type { ReceiveCounter } from './counters.ts';
import type { MediaEventQueue } from './event-queue.ts';
import type { ReceiveSettings } from './options.ts';
import type { Encoding } from './received-media.ts';
import type { ReceiveContext, StreamTimer } from './receive-stream.ts';
import { ReceiveStream } from './receive-stream.ts';
import { RepairStream } from './repair-stream.ts';
import { RoundTrip } from './round-trip.ts';
import type { Route, Source } from './routes.ts';
import { Routes } from './routes.ts';
import { DUPLICATE, JUMP } from './sequence-window.ts';

/** How long packets of a source that is over may still be under way, ms: they do not bring it back. */
const RETIREMENT = 1000;

/** The random SSRC that probes before all media use in libwebrtc; no random number is it. */
const PROBE_SSRC = 0;

/** What is known of a source that is not received at the moment. */
interface Memory {
  /** What it was bound to; `undefined`: it has left. */
  readonly route: Route | undefined;
  readonly refusedUntil: number;
}

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
  readonly #settings: ReceiveSettings;
  readonly #events: MediaEventQueue;
  readonly #ssrc: number;
  readonly #context: ReceiveContext;
  readonly #roundTrip: RoundTrip;
  readonly #routes = new Routes();
  /** By SSRC, those of RTX among them. */
  readonly #sources = new Map<number, Source>();
  /** By SSRC, the one longest gone first. */
  readonly #memories = new Map<number, Memory>();
  readonly #deadlines = new DeadlineHeap<Source>();
  /** Streams with feedback for `pollFeedback`. */
  readonly #withFeedback = new Set<ReceiveStream>();
  /** Since when the path carries nothing: what waits for the peer stands still. */
  #heldAt: number | undefined;
  #isClosed = false;

  constructor({ clock, options, events, ssrc, ntpOffset }: ReceiverInit) {
    this.#settings = options;
    this.#roundTrip = new RoundTrip(ntpOffset);
    this.#clock = clock;
    this.#events = events;
    this.#ssrc = ssrc;
    const { counters } = this;
    this.#context = { settings: this.#settings, counters, events, roundTrip: this.#roundTrip, ssrc };
  }

  // --- what is agreed on, and the path ---

  /** What is received from now on. Streams of what is not any more end. */
  setMedia(media: readonly MediaParameters[], now: number): void {
    this.#observe(now);
    if (this.#isClosed) return;
    this.#routes.update(media);
    for (const source of this.#sources.values()) {
      if (!this.#belongs(source)) this.#end(source, notReceived(source), undefined);
    }
    for (const [ssrc, { route }] of this.#memories) {
      if (route !== undefined && !this.#routes.has(route.encoding)) this.#memories.delete(ssrc);
    }
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
      if (missed > 0) this.#delay(missed);
    }
  }

  /** Sources of media that are received now, without those of RTX. */
  get ssrcs(): readonly number[] {
    return [...this.#sources.values()].filter(({ isRepair }) => !isRepair).map(({ ssrc }) => ssrc);
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
    const source = this.#sourceOf(packet);
    if (source === undefined) return;
    if (source.isRepair) this.#repair(source, packet);
    else this.#take(source, packet);
    this.#schedule(source);
  }

  /** Takes a sender report of one of the peer's sources. */
  handleSenderReport(report: SenderReport, now: number): void {
    this.#observe(now);
    const source = this.#sources.get(report.ssrc);
    if (source === undefined) this.counters.add('unknownReports');
    else if (source.isRepair) source.reception.takeSenderReport(report, this.#clock.now);
    else source.takeSenderReport(report, this.#clock.now);
  }

  /** Takes a BYE: its sources are over. */
  handleBye({ ssrcs, reason }: Bye, now: number): void {
    this.#observe(now);
    for (const ssrc of ssrcs) {
      const source = this.#sources.get(ssrc);
      if (source === undefined) this.counters.add('unknownReports');
      else this.#retire(source, byeSaid(ssrc, reason));
    }
  }

  /** Takes an extended report: the answers to reference times that it has measure the round trip. */
  handleExtendedReport(report: ExtendedReport, now: number): void {
    this.#observe(now);
    this.#roundTrip.take(report, this.#ssrc, this.#clock.now);
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
      const stream = rid === undefined || rid === encoding.rid ? this.#streamOf(encoding) : undefined;
      if (stream === undefined) continue;
      if (!stream.requestKeyframe(this.#clock.now)) continue;
      isAskedFor = true;
      this.#schedule(stream);
    }
    return isAskedFor;
  }

  /** The next packet of feedback that is due. */
  pollFeedback(now: number): RtcpPacket | undefined {
    this.#observe(now);
    for (const stream of this.#withFeedback) {
      const packet = stream.pollFeedback(this.#clock.now);
      this.#schedule(stream);
      if (packet !== undefined) return packet;
    }
    return undefined;
  }

  /** How each source is received that was heard since the last time, RTX among them. */
  reportBlocks(now: number): ReportBlock[] {
    this.#observe(now);
    const blocks: ReportBlock[] = [];
    for (const { ssrc, reception } of this.#sources.values()) {
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
      let source = this.#deadlines.takeDue(time);
      source !== undefined;
      source = this.#deadlines.takeDue(time)
    ) {
      const isOver = source.isRepair ? time >= source.nextTimeout() : !source.handleTimeout(time);
      if (!isOver) this.#schedule(source);
      else this.#end(source, silenceOf(source, time), { route: routeOf(source), refusedUntil: -Infinity });
    }
  }

  nextTimeout(): number {
    return this.#heldAt === undefined ? this.#deadlines.next() : Infinity;
  }

  timeoutReason(): StreamTimer | undefined {
    const first = this.nextTimeout() === Infinity ? undefined : this.#deadlines.peek();
    if (first === undefined) return undefined;
    return first.isRepair ? 'streamSilence' : first.timeoutReason();
  }

  /** The host stood still for `missed` ms: the peer was not silent, nobody listened. */
  thaw(missed: number): void {
    // While the path is held all of its time is made good at once.
    if (this.#heldAt === undefined) this.#delay(missed);
  }

  /** Forgets everything. Events that wait are the owner's. */
  close(): void {
    this.#isClosed = true;
    this.#routes.update([]);
    this.#sources.clear();
    this.#memories.clear();
    this.#deadlines.clear();
    this.#withFeedback.clear();
  }

  // --- what it shows ---

  inspect(): { readonly streams: readonly object[]; readonly remembered: number } {
    return {
      streams: [...this.#sources.values()].map((source) => source.inspect()),
      remembered: this.#memories.size,
    };
  }

  /** Of each stream that is received, RTX being part of what it repairs. */
  stats(): ReceivedStreamStats[] {
    const stats: ReceivedStreamStats[] = [];
    for (const source of this.#sources.values()) if (!source.isRepair) stats.push(source.stats());
    return stats;
  }

  invariantViolation(): string | undefined {
    const { maxStreams } = this.#settings;
    if (this.#isClosed && this.#sources.size + this.#memories.size > 0) return 'closed, and sources are kept';
    if (this.#sources.size > maxStreams) return `${this.#sources.size} sources, ${maxStreams} at the most`;
    if (this.#memories.size > maxStreams) return `${this.#memories.size} sources are remembered, too many`;
    let next = Infinity;
    for (const source of this.#sources.values()) {
      next = Math.min(next, source.nextTimeout());
      const bound = source.isRepair ? source.encoding.repair : source.encoding.source;
      if (bound !== source.ssrc) return `source ${source.ssrc} is not the one of its encoding`;
      if (source.isRepair) continue;
      const violation = source.invariantViolation();
      if (violation !== undefined) return violation;
      if (source.hasFeedback && !this.#withFeedback.has(source))
        return `source ${source.ssrc} waits for no poll`;
    }
    const remembered = this.#deadlines.next();
    return next === remembered ? undefined : `a source is due at ${next}, the receiver at ${remembered}`;
  }

  // --- parts ---

  #observe(now: number): void {
    this.#clock.observe(now, this);
  }

  /** The source of a packet, bound now if it is new; `undefined`: the packet is dropped, and counted. */
  #sourceOf(packet: RtpPacket): Source | undefined {
    const { ssrc } = packet;
    const known = this.#sources.get(ssrc);
    if (known !== undefined && this.#routes.agrees(packet, known)) return known;
    const memory = this.#memories.get(ssrc);
    const told = this.#routes.told(ssrc);
    if (ssrc === PROBE_SSRC && told === undefined) return this.#drop('probes');
    if (memory !== undefined && this.#clock.now < memory.refusedUntil)
      return this.#drop('retiredSourcePackets');
    const route = this.#routes.resolve(packet, memory?.route, this.#sources);
    if (typeof route === 'string') return this.#drop(route);
    return this.#bind(packet, route, known);
  }

  #bind(packet: RtpPacket, route: Route, known: Source | undefined): Source | undefined {
    const { ssrc } = packet;
    const { encoding, isRepair } = route;
    const bound = isRepair ? encoding.repair : encoding.source;
    const before = bound === undefined ? undefined : this.#sources.get(bound);
    if (known === undefined && before === undefined && this.#sources.size >= this.#settings.maxStreams) {
      return this.#drop('refusedStreams');
    }
    if (known !== undefined)
      this.#end(known, replaced(known, 'another media or encoding is named'), undefined);
    if (before !== undefined && before !== known)
      this.#retire(before, replaced(before, `source ${ssrc} is heard`));
    this.#memories.delete(ssrc);
    const { now } = this.#clock;
    const source = isRepair
      ? new RepairStream(ssrc, encoding, this.#settings.streamTimeout, now)
      : new ReceiveStream(ssrc, encoding, this.#context, now);
    encoding[isRepair ? 'repair' : 'source'] = ssrc;
    this.#sources.set(ssrc, source);
    return source;
  }

  /** The stream that is heard in an encoding. */
  #streamOf({ source: ssrc }: Encoding): ReceiveStream | undefined {
    const source = ssrc === undefined ? undefined : this.#sources.get(ssrc);
    return source === undefined || source.isRepair ? undefined : source;
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
    const stream = this.#streamOf(encoding);
    const codec = media.repairs.get(packet.payloadType);
    if (codec === undefined) {
      this.counters.add('unknownPayloadTypes');
      return;
    }
    const sequence = source.take(packet.sequenceNumber, this.#clock.now);
    if (sequence < 0) {
      this.counters.add(
        sequence === DUPLICATE ? 'duplicatePackets' : sequence === JUMP ? 'jumpingPackets' : 'latePackets',
      );
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
    this.#schedule(stream);
  }

  /** Its deadline, and whether it has feedback, may be others now. */
  #schedule(source: Source): void {
    this.#deadlines.set(source, source.nextTimeout());
    if (source.isRepair) return;
    if (source.hasFeedback) this.#withFeedback.add(source);
    else this.#withFeedback.delete(source);
  }

  /** The source is over, and packets of it that are still under way do not bring it back. */
  #retire(source: Source, failure: Failure): void {
    this.#end(source, failure, { route: undefined, refusedUntil: this.#clock.now + RETIREMENT });
  }

  #end(source: Source, failure: Failure, memory: Memory | undefined): void {
    const { ssrc, encoding } = source;
    this.#sources.delete(ssrc);
    this.#deadlines.delete(source);
    if (memory !== undefined) this.#remember(ssrc, memory);
    if (source.isRepair) {
      encoding.repair = undefined;
      return;
    }
    encoding.source = undefined;
    this.#withFeedback.delete(source);
    this.#events.pushAlways({ type: 'rtpstreamend', stream: source.handle, failure });
  }

  #remember(ssrc: number, memory: Memory): void {
    this.#memories.set(ssrc, memory);
    if (this.#memories.size <= this.#settings.maxStreams) return;
    for (const oldest of this.#memories.keys()) {
      this.#memories.delete(oldest);
      return;
    }
  }

  /** Whether a source is still where what is agreed on has it. */
  #belongs({ ssrc, encoding }: Source): boolean {
    if (!this.#routes.has(encoding)) return false;
    const told = this.#routes.told(ssrc);
    if (told === undefined) return true;
    return told.media === encoding.media && (told.encoding === undefined || told.encoding === encoding);
  }

  #delay(missed: number): void {
    for (const source of this.#sources.values()) {
      source.thaw(missed);
      this.#deadlines.set(source, source.nextTimeout());
    }
  }

  #drop(counter: ReceiveCounter): Source | undefined {
    this.counters.add(counter);
    return undefined;
  }
}

/** Without the source itself, which is over when it is remembered. */
function routeOf({ encoding, isRepair }: Source): Route {
  return { encoding, isRepair };
}

function silenceOf(source: Source, now: number): Failure {
  return source.isRepair
    ? failure('stream-timeout', `nothing has come of source ${source.ssrc}`)
    : source.silence('stream-timeout', 'streamSilence', now);
}

function notReceived({ ssrc }: Source): Failure {
  return failure('stream-not-agreed', `source ${ssrc} is not agreed on any more`);
}

function replaced({ ssrc }: Source, why: string): Failure {
  return failure('stream-replaced', `source ${ssrc} is over: in its place ${why}`);
}

function byeSaid(ssrc: number, reason: string | undefined): Failure {
  const why = reason === undefined || reason === '' ? '' : `: ${quote(reason)}`;
  return failure('stream-bye', `source ${ssrc} has said BYE${why}`);
}

function failure(code: string, message: string): Failure {
  return { layer: 'media', code, message };
}
