/**
 * ReceiveStream: one source of the peer's, from its packets to events.
 *
 *     packet ─▶ sequence window ─▶ report, jitter ─▶ NACK ─▶ keyframe? tone? ─▶ event `rtp`
 *               └ duplicate, late, jump: counted
 *
 *     heard ─pauseTimeout→ paused ─a newer packet→ heard …        either ─streamTimeout→ over
 *
 * Its deadlines are not armed but follow from its state, so that none can be forgotten.
 */
import type { Counters } from '../../core/counters.ts';
import type { Failure } from '../../core/errors.ts';
import type { RtcpPacket, RtpPacket, SenderReport } from '../../rtp/index.ts';
import { SerialUnwrapper, millisecondsOf } from '../../rtp/index.ts';
import type { RtpStream } from '../contract.ts';
import type { ReceivedStreamStats } from '../stats.ts';
import type { ReceiveCounter } from './counters.ts';
import type { MediaEventQueue } from './event-queue.ts';
import type { Silence } from './failures.ts';
import { noKeyframe, silent, timedOut } from './failures.ts';
import { KeyframeRequester } from './keyframe-requester.ts';
import { NackGenerator } from './nack-generator.ts';
import type { ReceiveSettings } from './options.ts';
import type { Encoding, ReceivedCodec } from './received-media.ts';
import { Reception } from './reception.ts';
import type { RoundTrip } from './round-trip.ts';
import { DUPLICATE, SequenceWindow, TOO_LATE, refusalCounter } from './sequence-window.ts';
import { TelephoneEvents } from './telephone-events.ts';
import type { Tone } from './telephone-events.ts';

/** What all streams of a receiver share. */
export interface ReceiveContext {
  readonly settings: ReceiveSettings;
  readonly counters: Counters<ReceiveCounter>;
  readonly events: MediaEventQueue;
  readonly roundTrip: RoundTrip;
  /** What feedback is signed with. */
  readonly ssrc: number;
}

/** The waits of a stream, which are also its gates. */
export type StreamTimer = 'nack' | 'keyframe' | 'toneEnd' | 'streamPause' | 'streamSilence';

/** One source of the peer's. */
export class ReceiveStream {
  readonly isRepair = false;
  readonly handle: RtpStream;
  readonly encoding: Encoding;
  readonly reception: Reception = new Reception();
  readonly #context: ReceiveContext;
  readonly #sequences = new SequenceWindow();
  readonly #times = new SerialUnwrapper(32);
  readonly #nacks: NackGenerator;
  readonly #keyframes: KeyframeRequester;
  readonly #tones: TelephoneEvents;
  /** Of the latest packet. */
  #codec: ReceivedCodec | undefined;
  #isPaused = false;
  /** Since when nothing has come, and when something last came: the first moves on when the host stood still. */
  #silentSince: number;
  #heardAt: number;
  /** Timestamp of the latest keyframe, unwrapped: its packets are one. */
  #keyframeTime = -1;
  /** The number that the latest keyframe begins with: what was lost before is not needed any more. */
  #keyframeSequence = -1;
  /** The latest number that has been given up: a keyframe that begins before replaces nothing. */
  #lostSequence = -1;
  // For stats.
  #packets = 0;
  #bytes = 0;
  #headerBytes = 0;
  #repairs = 0;
  #repairBytes = 0;
  #discarded = 0;
  #keyframeCount = 0;
  #nackCount = 0;
  #pliCount = 0;
  #firCount = 0;

  constructor(ssrc: number, encoding: Encoding, context: ReceiveContext, now: number) {
    const { media, rid } = encoding;
    const { id: mediaId, kind, mid, extensionIds } = media;
    this.handle = { mediaId, kind, mid, rid, ssrc, extensionIds };
    this.encoding = encoding;
    this.#context = context;
    this.#nacks = new NackGenerator(context.settings, context.counters);
    this.#keyframes = new KeyframeRequester(context.settings);
    this.#tones = new TelephoneEvents(context.settings.toneTimeout);
    this.#silentSince = now;
    this.#heardAt = now;
    context.events.pushAlways({ type: 'rtpstreamstart', stream: this.handle });
  }

  get ssrc(): number {
    return this.handle.ssrc;
  }

  // --- packets ---

  /** @param isRepair it was sent again, in another stream (RFC 4588) */
  take(packet: RtpPacket, codec: ReceivedCodec, now: number, isRepair: boolean): void {
    const before = this.#sequences.highest;
    const sequence = this.#sequences.take(packet.sequenceNumber, isRepair);
    if (sequence < 0) {
      if (sequence === DUPLICATE && !isRepair) this.#observeRepaired(packet.sequenceNumber, now);
      this.#refuse(sequence);
      return;
    }
    const isLatest = sequence > before;
    if (this.#isPaused && (!isLatest || isRepair)) {
      this.#discard();
      return;
    }
    if (isLatest) this.#advance(before, sequence, now);
    else if (!isRepair) this.#nacks.observeLate(sequence, now, this.#hasRepairs);
    const isRecovered = isRepair || (!isLatest && this.#nacks.arrive(sequence));
    if (isRecovered) this.#context.counters.add('recoveredPackets');
    if (isRepair) {
      this.#nacks.arrive(sequence);
      this.reception.expect(sequence);
    } else {
      this.reception.take(sequence);
      if (isLatest) this.reception.measureJitter(packet.timestamp, codec.parameters.clockRate, now);
    }
    this.#count(packet, isRepair);
    this.#hear(codec, now);
    this.#deliver(packet, codec, sequence, now, isRecovered);
  }

  /** Whether a packet with this number, 16 bits, is missing and asked for: it tells which stream RTX belongs to (RFC 4588 §5.3). */
  isMissing(sequenceNumber: number): boolean {
    return this.#nacks.isMissing(this.#sequences.behind(sequenceNumber));
  }

  /** A sender report of this source. */
  takeSenderReport(report: SenderReport, now: number): void {
    this.reception.takeSenderReport(report, now);
    const isQueued = this.#context.events.push({
      type: 'senderreport',
      stream: this.handle,
      ntpTime: millisecondsOf(report.ntpSeconds, report.ntpFraction),
      time: this.#times.peek(report.rtpTimestamp),
    });
    if (!isQueued) this.#context.counters.add('unqueuedPackets');
  }

  // --- keyframes ---

  /** @returns false: it cannot be asked for */
  requestKeyframe(now: number): boolean {
    if (this.#codec?.keyframeRequest === undefined) return false;
    this.#keyframes.request(now);
    return true;
  }

  // --- feedback and time ---

  /** Feedback waits for `pollFeedback`. */
  get hasFeedback(): boolean {
    return this.#keyframes.isDue || this.#nacks.isDue;
  }

  pollFeedback(now: number): RtcpPacket | undefined {
    const { ssrc: senderSsrc, roundTrip } = this.#context;
    if (this.#keyframes.isDue) return this.#askForKeyframe(now);
    if (!this.#nacks.isDue) return undefined;
    const missing = this.#nacks.takeDue(now, roundTrip.time);
    const isKeyframeDue = this.#replaceLost(now);
    if (missing.length === 0) return isKeyframeDue ? this.#askForKeyframe(now) : undefined;
    this.#nackCount++;
    const sequenceNumbers = missing.map((sequence) => sequence & 0xffff);
    return { type: 'nack', senderSsrc, mediaSsrc: this.ssrc, sequenceNumbers };
  }

  nextTimeout(): number {
    return Math.min(
      this.#nacks.nextTimeout(),
      this.#keyframes.nextTimeout(),
      this.#tones.nextTimeout(),
      this.#silentSince + this.#silenceAllowed,
    );
  }

  /** Which of its waits that is. */
  timeoutReason(): StreamTimer {
    const next = this.nextTimeout();
    if (this.#nacks.nextTimeout() === next) return 'nack';
    if (this.#keyframes.nextTimeout() === next) return 'keyframe';
    if (this.#tones.nextTimeout() === next) return 'toneEnd';
    return this.#isPaused ? 'streamSilence' : 'streamPause';
  }

  /** @returns false: nothing has come for `streamTimeout`, the stream is over */
  handleTimeout(now: number): boolean {
    const { events, counters, settings } = this.#context;
    const tone = this.#tones.handleTimeout(now);
    if (tone !== undefined) this.#tellTone(tone);
    this.#nacks.handleTimeout(now);
    const waited = this.#keyframes.handleTimeout(now);
    if (waited !== undefined) {
      counters.add('keyframeTimeouts');
      const failure = noKeyframe(this.ssrc, { ...this.#silence(now), elapsed: waited });
      events.pushAlways({ type: 'keyframetimeout', stream: this.handle, failure });
    }
    if (!this.#isPaused && now >= this.#silentSince + settings.pauseTimeout) {
      this.#isPaused = true;
      const failure = silent(this.ssrc, this.#silence(now));
      events.pushAlways({ type: 'rtpstreampause', stream: this.handle, failure });
    }
    return now < this.#silentSince + settings.streamTimeout;
  }

  /** Why it is over, once nothing has come for `streamTimeout`. */
  timedOut(now: number): Failure {
    return timedOut(this.ssrc, this.#silence(now));
  }

  /** All waits are so much longer, the gates of silence at least until `earliest`. */
  thaw(missed: number, earliest: number): void {
    this.#silentSince = Math.max(this.#silentSince + missed, earliest - this.#silenceAllowed);
    this.#nacks.thaw(missed);
    this.#keyframes.thaw(missed, earliest);
    this.#tones.thaw(missed, earliest);
  }

  // --- what it shows ---

  stats(): ReceivedStreamStats {
    const { mediaId, kind, mid, rid, ssrc } = this.handle;
    const parameters = this.#codec?.parameters;
    return {
      mediaId,
      kind,
      mid,
      rid,
      ssrc,
      codec: parameters,
      packetsReceived: this.#packets,
      bytesReceived: this.#bytes,
      headerBytesReceived: this.#headerBytes,
      packetsLost: this.reception.packetsLost,
      packetsDiscarded: this.#discarded,
      jitter: this.reception.jitter / (parameters?.clockRate ?? 1),
      lastPacketReceivedAt: this.#heardAt,
      retransmittedPacketsReceived: this.#repairs,
      retransmittedBytesReceived: this.#repairBytes,
      nackCount: this.#nackCount,
      pliCount: this.#pliCount,
      firCount: this.#firCount,
      keyFramesReceived: this.#keyframeCount,
      remote: this.#remoteStats(),
    };
  }

  inspect(): object {
    const { mediaId, mid, rid, ssrc } = this.handle;
    return {
      ssrc,
      mediaId,
      mid: mid ?? null,
      rid: rid ?? null,
      payloadType: this.#codec?.parameters.payloadType ?? null,
      isPaused: this.#isPaused,
      highestSequence: this.#sequences.highest,
      packetsReceived: this.#packets,
      packetsLost: this.reception.packetsLost,
      missing: this.#nacks.missing,
      isKeyframeWanted: this.#keyframes.isWanted,
    };
  }

  invariantViolation(): string | undefined {
    const found = this.#nacks.invariantViolation() ?? this.#keyframes.invariantViolation();
    return found === undefined ? undefined : `source ${this.ssrc}: ${found}`;
  }

  // --- parts ---

  get #silenceAllowed(): number {
    const { pauseTimeout, streamTimeout } = this.#context.settings;
    return this.#isPaused ? streamTimeout : Math.min(pauseTimeout, streamTimeout);
  }

  /** What is sent again comes in another stream. */
  get #hasRepairs(): boolean {
    return this.encoding.media.repairs.size > 0;
  }

  /** A packet that has come already: where it was sent again before, this one was only late. */
  #observeRepaired(sequenceNumber: number, now: number): void {
    if (this.#hasRepairs) this.#nacks.observeLate(this.#sequences.behind(sequenceNumber), now, true);
  }

  #refuse(reason: number): void {
    if (reason === TOO_LATE) this.#discard();
    else this.#context.counters.add(refusalCounter(reason));
  }

  #discard(): void {
    this.#context.counters.add('latePackets');
    this.#discarded++;
  }

  #advance(before: number, sequence: number, now: number): void {
    if (SequenceWindow.isRestart(before, sequence)) {
      this.reception.skip(before, sequence);
      this.#nacks.reset();
      this.#context.counters.add('sequenceRestarts');
    } else if (this.encoding.media.hasNack) {
      this.#nacks.advance(before, sequence, now);
      this.#replaceLost(now);
    }
  }

  /** What has been given up only a keyframe replaces, unless one has begun since. @returns a request for one is due */
  #replaceLost(now: number): boolean {
    const { settings, counters } = this.#context;
    const lost = this.#nacks.takeGivenUp();
    const isNeeded = lost > this.#keyframeSequence;
    this.#lostSequence = Math.max(this.#lostSequence, lost);
    if (isNeeded && settings.keyframeAfterLoss && !this.#keyframes.isWanted && this.requestKeyframe(now)) {
      counters.add('keyframesForLoss');
    }
    return this.#keyframes.isDue;
  }

  #count(packet: RtpPacket, isRepair: boolean): void {
    const { headerLength, paddingLength, bytes } = packet;
    const payloadLength = bytes.length - headerLength - paddingLength;
    this.#packets++;
    this.#bytes += payloadLength;
    this.#headerBytes += headerLength + paddingLength;
    if (!isRepair) return;
    this.#repairs++;
    this.#repairBytes += payloadLength;
  }

  #hear(codec: ReceivedCodec, now: number): void {
    this.#codec = codec;
    this.#silentSince = now;
    this.#heardAt = now;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#context.events.pushAlways({ type: 'rtpstreamresume', stream: this.handle });
  }

  #deliver(
    packet: RtpPacket,
    codec: ReceivedCodec,
    sequence: number,
    now: number,
    isRecovered: boolean,
  ): void {
    const { counters, events } = this.#context;
    const { parameters } = codec;
    const time = this.#times.unwrap(packet.timestamp);
    if (time !== this.#keyframeTime && codec.isKeyframe?.(packet.payload) === true) {
      this.#keyframeTime = time;
      this.#keyframeSequence = Math.max(this.#keyframeSequence, sequence);
      this.#keyframeCount++;
      if (sequence > this.#lostSequence) this.#keyframes.satisfy();
    }
    const isQueued = events.push({
      type: 'rtp',
      stream: this.handle,
      packet,
      codec: parameters,
      sequence,
      time,
      receivedAt: now,
      isRecovered,
    });
    if (!isQueued) counters.add('unqueuedPackets');
    if (!codec.isTelephoneEvent) return;
    const ended = this.#tones.take(packet.payload, time, parameters.clockRate, now);
    if (ended === undefined) counters.add('unknownTones');
    else for (const tone of ended) this.#tellTone(tone);
  }

  #tellTone({ tone, duration }: Tone): void {
    this.#context.events.pushAlways({ type: 'dtmf', stream: this.handle, tone, duration });
  }

  #askForKeyframe(now: number): RtcpPacket {
    const { ssrc: senderSsrc } = this.#context;
    const sequenceNumber = this.#keyframes.take(now);
    if (this.#codec?.keyframeRequest === 'fir') {
      this.#firCount++;
      return { type: 'fir', senderSsrc, entries: [{ ssrc: this.ssrc, sequenceNumber }] };
    }
    this.#pliCount++;
    return { type: 'pli', senderSsrc, mediaSsrc: this.ssrc };
  }

  #silence(now: number): Silence {
    return { elapsed: now - this.#silentSince, peerSilentFor: now - this.#heardAt };
  }

  #remoteStats(): ReceivedStreamStats['remote'] {
    const last = this.reception.lastReport;
    if (last === undefined) return undefined;
    const { report, count } = last;
    const { roundTrip } = this.#context;
    return {
      packetsSent: report.packetCount,
      bytesSent: report.octetCount,
      reportsSent: count,
      remoteTimestamp: millisecondsOf(report.ntpSeconds, report.ntpFraction),
      roundTripTime: roundTrip.lastMeasured,
      totalRoundTripTime: roundTrip.total,
      roundTripTimeMeasurements: roundTrip.measurements,
    };
  }
}
