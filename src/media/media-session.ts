/**
 * MediaSession: the media of one connection, as one user of its secured path.
 *
 *   in:   RTP → receive/: its stream → events │ RTCP: reports and BYE → receive/, what is about our streams → send/
 *   out:  RTCP that is due (reports, feedback) │ audio │ video and what is sent again → written where the datagram will be
 *
 * It begins with the first `setMedia`, and ends with the connection: BYE is the last that is sent. Media that end before say it for
 * themselves.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes } from '../core/bytes.ts';
import { Counters } from '../core/counters.ts';
import type { Failure } from '../core/errors.ts';
import type { PacketKind, PacketSource, PathFacts } from '../core/machine.ts';
import { randomU32, splitRandom } from '../core/random.ts';
import { timerName } from '../core/timers.ts';
import type {
  App,
  ApplicationFeedback,
  ExtendedReport,
  ReceiverReport,
  RtcpPacket,
  SenderReport,
} from '../rtp/index.ts';
import { MIDDLE_UNITS, middleOf, ntpOf, readRtcp, splitReports } from '../rtp/index.ts';
import type { MediaEnvironment, MediaStreamEvent, MediaUser, RtpSender, SenderCall } from './contract.ts';
import type { MediaInspection, MediaCounter } from './inspection.ts';
import { MEDIA_COUNTERS } from './inspection.ts';
import type { MediaSettings } from './options.ts';
import type { MediaParameters } from './parameters.ts';
import { MediaEventQueue } from './receive/event-queue.ts';
import { Receiver } from './receive/receiver.ts';
import { ReportSchedule } from './report-schedule.ts';
import { RtcpOutbox } from './rtcp-outbox.ts';
import { Sending } from './send/sending.ts';
import type { RtpStats } from './rtp-stats.ts';
import { rtpStats } from './rtp-stats.ts';

/** Sources that an estimate names: it is of the whole path, and must fit a datagram however many there are. */
const MAX_REMB_SOURCES = 64;

/** Receivers whose reference times are remembered until the next report answers them (RFC 3611 §4.5). */
const MAX_REFERENCE_TIMES = 32;

/** Bytes that SRTCP adds to a datagram, at the most: a tag of 16 and the index of 4 (RFC 7714 §9.1). */
const SRTCP_OVERHEAD = 20;

/** The media of one connection. */
export class MediaSession implements MediaUser {
  readonly sources: readonly PacketSource[];
  readonly #ntpOffset: number;
  readonly #ssrc: number;
  readonly #events: MediaEventQueue;
  readonly #receiver: Receiver;
  readonly #sending: Sending;
  readonly #outbox: RtcpOutbox;
  readonly #schedule: ReportSchedule;
  readonly #counters = new Counters<MediaCounter>(MEDIA_COUNTERS);
  /** The peer's receivers that want to know their round trip: when each one's time came. */
  readonly #referenceTimes = new Map<number, { readonly middle: number; readonly at: number }>();
  #isWritable = false;
  #isClosed = false;
  #media: readonly MediaParameters[] = [];

  constructor({ clock, random, mtu, cname, onActivity }: MediaEnvironment, settings: MediaSettings) {
    this.#ntpOffset = settings.send.ntpOffset;
    // 0 is for probes.
    this.#ssrc = randomU32(splitRandom(random, 'ssrc')) || 1;
    this.#events = new MediaEventQueue(settings.receive);
    this.#receiver = new Receiver({
      clock,
      options: settings.receive,
      events: this.#events,
      ssrc: this.#ssrc,
      ntpOffset: this.#ntpOffset,
    });
    this.#sending = new Sending({
      clock,
      random: splitRandom(random, 'send'),
      options: settings.send,
      events: this.#events,
      mtu,
      onActivity,
    });
    this.#outbox = new RtcpOutbox(this.#ssrc, cname);
    this.#schedule = new ReportSchedule(splitRandom(random, 'report'), settings.reports);
    const largestPacket = mtu - SRTCP_OVERHEAD;
    this.sources = [
      {
        kind: 'rtcp',
        urgency: 'feedback',
        largestPacket,
        pollPacket: (into, offset, now) => this.#pollRtcp(into, offset, largestPacket, now),
      },
      this.#source('audio'),
      this.#source('paced'),
    ];
  }

  // --- calls ---

  set onSenderCall(listener: ((sender: RtpSender, call: SenderCall) => void) | undefined) {
    this.#sending.onSenderCall = listener;
  }

  get onSenderCall(): ((sender: RtpSender, call: SenderCall) => void) | undefined {
    return this.#sending.onSenderCall;
  }

  setMedia(media: readonly MediaParameters[], now: number): void {
    this.#media = media;
    this.#receiver.setMedia(media, now);
    this.#outbox.pushBye(this.#sending.setMedia(media, now));
    this.#outbox.isReduced = media.length > 0 && media.every(({ send }) => send.reducedSizeRtcp);
    this.#followFlow(now);
  }

  sender(mediaId: number, rid?: string): RtpSender | undefined {
    return this.#sending.sender(mediaId, rid);
  }

  requestKeyframe(mediaId: number, rid: string | undefined, now: number): boolean {
    return this.#receiver.requestKeyframe(mediaId, rid, now);
  }

  sendRemb(bitrate: number): boolean {
    if (this.#isClosed || !this.#media.some(takesRemb)) return false;
    const ssrcs = this.#receiver.ssrcs.slice(0, MAX_REMB_SOURCES);
    this.#outbox.push({ type: 'remb', senderSsrc: this.#ssrc, bitrate: Math.round(bitrate), ssrcs });
    return true;
  }

  // --- what the world did ---

  handlePath(facts: PathFacts, now: number): void {
    this.#isWritable = facts.writable;
    this.#receiver.setPath(facts);
    this.#sending.setPath(facts);
    this.#followFlow(now);
  }

  handlePacket(kind: PacketKind, packet: Bytes, now: number): void {
    if (this.#isClosed) return;
    if (kind === 'rtp') this.#receiver.handleRtp(packet, now);
    else if (kind === 'rtcp') this.#handleRtcp(packet, now);
  }

  #handleRtcp(packet: Bytes, now: number): void {
    const { packets, malformed, unknown } = readRtcp(packet);
    this.#counters.add('rtcpReceived');
    if (malformed > 0) this.#counters.add('malformedRtcp', malformed);
    if (unknown > 0) this.#counters.add('unknownRtcp', unknown);
    for (const one of packets) this.#handleRtcpPacket(one, now);
  }

  #handleRtcpPacket(packet: RtcpPacket, now: number): void {
    switch (packet.type) {
      case 'sender-report':
        this.#receiver.handleSenderReport(packet, now);
        this.#sending.handleRtcp(packet, now);
        return;
      case 'bye':
        this.#receiver.handleBye(packet, now);
        return;
      case 'extended-report':
        this.#handleExtendedReport(packet, now);
        return;
      case 'source-description':
        this.#receiver.handleSourceDescription(packet, now);
        return;
      case 'app':
      case 'application-feedback':
        this.#tellApplication(packet);
        return;
      default:
        this.#sending.handleRtcp(packet, now);
    }
  }

  /** Copied: a few bytes that wait must not keep all of their datagram. */
  #tellApplication(packet: App | ApplicationFeedback): void {
    const event = { type: 'rtcp', packet: { ...packet, data: copyBytes(packet.data) } } as const;
    if (!this.#events.push(event)) this.#counters.add('unqueuedEvents');
  }

  #handleExtendedReport(report: ExtendedReport, now: number): void {
    for (const block of report.blocks) {
      if (block.type !== 'receiver-reference-time') continue;
      if (this.#referenceTimes.size >= MAX_REFERENCE_TIMES && !this.#referenceTimes.has(report.ssrc)) {
        this.#counters.add('referenceTimesDropped');
        continue;
      }
      const middle = middleOf(block.ntpSeconds, block.ntpFraction);
      this.#referenceTimes.set(report.ssrc, { middle, at: now });
    }
    this.#receiver.handleExtendedReport(report, now);
  }

  // --- time ---

  handleTimeout(now: number): void {
    if (this.#schedule.take(now)) this.#report(now);
    if (this.#receiver.nextTimeout() <= now) this.#receiver.handleTimeout(now);
    if (this.#sending.nextTimeout() <= now) this.#sending.handleTimeout(now);
  }

  nextTimeout(): number {
    return Math.min(this.#schedule.due, this.#receiver.nextTimeout(), this.#sending.nextTimeout());
  }

  timeoutReason(): string | undefined {
    const at = this.nextTimeout();
    if (at === Infinity) return undefined;
    if (this.#receiver.nextTimeout() === at) return timerName('media', this.#receiver.timeoutReason());
    if (this.#sending.nextTimeout() === at) return timerName('media', this.#sending.timeoutReason());
    return 'media.report';
  }

  thaw(missed: number): void {
    this.#receiver.thaw(missed);
    this.#sending.thaw(missed);
  }

  #followFlow(now: number): void {
    const flows = this.#isWritable && !this.#isClosed ? this.#media : [];
    const active = flows.filter(({ direction }) => direction !== 'inactive');
    const hasVideo = active.some(({ media }) => media === 'video');
    this.#schedule.setFlow(hasVideo ? 'video' : active.length > 0 ? 'audio' : 'none', now);
  }

  // --- out ---

  /** Reports of what has flowed since the last ones; where nothing has, nobody is told so. */
  #report(now: number): void {
    const senders = this.#sending.senderReports(now);
    const blocks = this.#receiver.reportBlocks(now);
    const reports: (SenderReport | ReceiverReport)[] = [...senders];
    const further: RtcpPacket[] = [];
    const [first] = senders;
    const ssrc = first?.ssrc ?? this.#ssrc;
    const parts = blocks.length === 0 ? [] : [...splitReports(blocks)];
    if (first !== undefined) reports[0] = { ...first, reports: parts.shift() ?? [] };
    for (const part of parts) reports.push({ type: 'receiver-report', ssrc, reports: part });
    const answers = this.#answerReferenceTimes(ssrc, now);
    if (answers !== undefined) further.push(answers);
    // RFC 3611 §4.4: who sends nothing learns of the round trip by this alone.
    if (first === undefined && blocks.length > 0) further.push(this.#referenceTime(now));
    if (reports.length > 0 || further.length > 0) this.#outbox.pushReports(reports, further);
  }

  #answerReferenceTimes(ssrc: number, now: number): ExtendedReport | undefined {
    if (this.#referenceTimes.size === 0) return undefined;
    const reports = [...this.#referenceTimes].map(([receiver, { middle, at }]) => ({
      ssrc: receiver,
      lastReceiverReport: middle,
      delay: Math.round(((now - at) * MIDDLE_UNITS) / 1000) >>> 0,
    }));
    this.#referenceTimes.clear();
    return { type: 'extended-report', ssrc, blocks: [{ type: 'delay-since-last-receiver-report', reports }] };
  }

  #referenceTime(now: number): ExtendedReport {
    const { seconds: ntpSeconds, fraction: ntpFraction } = ntpOf(Math.max(0, now + this.#ntpOffset));
    const blocks = [{ type: 'receiver-reference-time' as const, ntpSeconds, ntpFraction }];
    return { type: 'extended-report', ssrc: this.#ssrc, blocks };
  }

  #source(urgency: 'audio' | 'paced'): PacketSource {
    const sending = this.#sending;
    return {
      kind: 'rtp',
      urgency,
      get largestPacket() {
        return sending.largestPacket;
      },
      pollPacket: (into, offset, now) => sending.pollPacket(urgency, into, offset, now),
    };
  }

  #pollRtcp(into: Bytes, offset: number, limit: number, now: number): number {
    if (!this.#isClosed) {
      for (
        let next = this.#receiver.pollFeedback(now);
        next !== undefined;
        next = this.#receiver.pollFeedback(now)
      )
        this.#outbox.push(next);
    }
    const length = this.#outbox.write(into, offset, limit);
    if (length > 0) this.#counters.add('rtcpSent');
    return length;
  }

  // --- events ---

  get queuedEvents(): number {
    return this.#events.size;
  }

  pollEvent(): MediaStreamEvent | undefined {
    return this.#events.shift();
  }

  // --- the end ---

  /** Media are never owed: whoever ends gracefully waits for data alone. */
  shutdown(): void {
    // Nothing.
  }

  /** Media end with their connection, and never by themselves. */
  readonly end: Failure | undefined = undefined;

  close(_reason: Failure, now: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outbox.clear();
    this.#outbox.pushBye(this.#sending.leave());
    this.#receiver.close();
    this.#sending.close();
    this.#events.clear();
    this.#referenceTimes.clear();
    this.#followFlow(now);
  }

  // --- how it is ---

  inspect(): MediaInspection {
    return {
      received: this.#receiver.inspect(),
      sent: this.#sending.inspect(),
      timers: this.#timers(),
      queued: { events: this.#events.size, rtcp: this.#outbox.size },
      counters: {
        ...this.#counters.snapshot(),
        unsentRtcp: this.#outbox.dropped,
        ...this.#receiver.counters.snapshot(),
        ...this.#sending.counters.snapshot(),
        ...this.#sending.feedbackCounters.snapshot(),
      },
    };
  }

  /** The next deadline of each part, by name. */
  #timers(): Readonly<Record<string, number>> {
    const timers: Record<string, number> = {};
    if (this.#schedule.due !== Infinity) timers['report'] = this.#schedule.due;
    for (const part of [this.#receiver, this.#sending]) {
      const name = part.timeoutReason();
      if (name !== undefined) timers[name] = part.nextTimeout();
    }
    return timers;
  }

  stats(transportId: string, timestamp: number): readonly RtpStats[] {
    const facts = { received: this.#receiver.stats(), sent: this.#sending.stats() };
    return rtpStats(facts, transportId, timestamp);
  }

  invariantViolation(): string | undefined {
    if (this.#isClosed) {
      const isReleased = this.#events.size === 0 && this.nextTimeout() === Infinity;
      if (!isReleased) return 'media are closed, and hold something';
    }
    return this.#receiver.invariantViolation() ?? this.#sending.invariantViolation();
  }
}

function takesRemb({ direction, receive }: MediaParameters): boolean {
  const isReceived = direction === 'sendrecv' || direction === 'recvonly';
  return isReceived && receive.codecs.some(({ rtcpFeedback }) => rtcpFeedback.includes('goog-remb'));
}
