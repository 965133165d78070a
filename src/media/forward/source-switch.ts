/**
 * SourceSwitch: one stream out of many, as a forwarding unit sends it to one of its receivers.
 *
 *     select(a)   a a a a a     a
 *     select(b)              b b b b b     b
 *     sent        1 2 3 4 5  6 7 8 9 10 11 12     one row of sequence numbers, timestamps, picture ids
 *
 * What the link lost stays a gap: the receiver asks for it, and it is sent when it has been repaired. What is left out on purpose
 * closes up: padding, layers, codecs that the receiver does not know. A number is never used twice, so that what comes late has
 * the place that was kept for it, or is dropped.
 *
 * It changes over at once. Whether a receiver can do anything with what comes then is up to who selects: video begins with a
 * keyframe, which is what `LayerSelector` sees to.
 */
import { NO_BYTES } from '../../core/bytes.ts';
import { Counters } from '../../core/counters.ts';
import { checkOptions, integer, listOf, number, text, withDefaults } from '../../core/options.ts';
import type { OptionRules } from '../../core/options.ts';
import type { OutgoingPacket, RtpEvent, RtpStream } from '../contract.ts';
import type { CodecParameters } from '../parameters.ts';
import { readVp8Descriptor, readVp9Descriptor } from '../../rtp/index.ts';
import { payloadTypeFor } from './payload-type.ts';
import { PictureIds } from './picture-ids.ts';
import { Renumbering } from './renumbering.ts';
import { HIGHEST_TEMPORAL_LAYER, TemporalLayers } from './temporal-layers.ts';
import type { ReportedTime } from './timeline.ts';
import { Timeline } from './timeline.ts';

/** What a switch sends, and how well it remembers. */
export interface SourceSwitchOptions {
  /**
   * Codecs that the receiver knows (`MediaParameters.send.codecs`): packets get the payload types that they have there, and what
   * is not among them is left out. Default: as the sources have them.
   */
  readonly codecs?: readonly CodecParameters[] | undefined;
  /** URIs of the header extensions that are passed on. Default: none. */
  readonly extensions?: readonly string[] | undefined;
  /** How far sender reports may differ from arrival and still be believed at a switch, ms. Default 500. */
  readonly alignmentTolerance?: number | undefined;
  /** How many packets of a source are remembered, 64 to 16384, up to the next power of two: what is older comes too late. Default 1024. */
  readonly memory?: number | undefined;
}

/** Why packets were not sent on as they are, and how many were. */
export type SourceSwitchCounter =
  | 'packetsForwarded'
  | 'sourceSwitches'
  | 'packetsUnselected'
  | 'packetsDuplicate'
  | 'packetsTooLate'
  | 'packetsOfPadding'
  | 'packetsOfUnknownCodec'
  | 'packetsOfHigherLayers'
  | 'packetsMalformed'
  | 'placesFilled'
  | 'sourceRestarts';

const COUNTERS: readonly SourceSwitchCounter[] = [
  'packetsForwarded',
  'sourceSwitches',
  'packetsUnselected',
  'packetsDuplicate',
  'packetsTooLate',
  'packetsOfPadding',
  'packetsOfUnknownCodec',
  'packetsOfHigherLayers',
  'packetsMalformed',
  'placesFilled',
  'sourceRestarts',
];

const DEFAULTS = { alignmentTolerance: 500, memory: 1024 };
/** Sources whose clocks are remembered: more than any simulcast has. */
const MOST_REPORTS = 16;

/** Rules of `SourceSwitchOptions`, for whoever has more options than these. */
export const SOURCE_SWITCH_OPTION_RULES: OptionRules<SourceSwitchOptions> = {
  codecs: listOf(() => undefined),
  extensions: listOf(text(1)),
  alignmentTolerance: number(0),
  memory: integer(64, 16_384),
};

/** Many sources in, one stream out. It holds no packets: what it answers shares the payload of what it was given. */
export class SourceSwitch {
  readonly #codecs: readonly CodecParameters[] | undefined;
  readonly #extensions: readonly string[];
  readonly #memory: number;
  readonly #numbers: Renumbering;
  readonly #timeline: Timeline;
  readonly #pictures: PictureIds;
  readonly #layers = new TemporalLayers();
  readonly #counters = new Counters<SourceSwitchCounter>(COUNTERS);
  readonly #reports = new Map<RtpStream, ReportedTime>();
  #selected: RtpStream | undefined;
  /** A packet of the selected source has been sent on since it was selected. */
  #isStarted = false;
  /** A packet of any source has been. */
  #hasSent = false;
  /** Whose packets were the last ones. */
  #before: RtpStream | undefined;
  /** What the last packet from far behind would be followed by, were the source to count anew. */
  #restart = -1;
  /** The codec of the last packet; what it is if its pictures are counted; and its payload type at the receiver. */
  #codec: CodecParameters | undefined;
  #pictureCodec: 'video/vp8' | 'video/vp9' | undefined;
  #payloadType: number | undefined;
  /** Of the last packet sent on. */
  #sentType: number | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for options that cannot be. */
  constructor(options: SourceSwitchOptions = {}) {
    checkOptions('SourceSwitch', options, SOURCE_SWITCH_OPTION_RULES);
    const { alignmentTolerance, memory } = withDefaults(DEFAULTS, options);
    this.#codecs = options.codecs;
    this.#extensions = options.extensions ?? [];
    this.#memory = 2 ** Math.ceil(Math.log2(memory));
    this.#numbers = new Renumbering(this.#memory);
    this.#timeline = new Timeline(alignmentTolerance);
    this.#pictures = new PictureIds(this.#memory);
  }

  /** The source whose packets are sent on; `undefined`: none is, as in a pause. */
  get selected(): RtpStream | undefined {
    return this.#selected;
  }

  /** Sends on `stream` from its next packet on, and nothing else; `undefined`: nothing at all. The selected one again: no change. */
  select(stream: RtpStream | undefined): void {
    if (stream === this.#selected) return;
    this.#selected = stream;
    this.#isStarted = false;
  }

  /**
   * The packet as it is to be written to the receiver's `RtpSender`; `undefined`: it is not sent on.
   * @param event of any source; all but the selected one's are ignored
   */
  forward(event: RtpEvent): OutgoingPacket | undefined {
    if (event.stream !== this.#selected) return this.#drop('packetsUnselected');
    if (event.codec !== this.#codec) this.#learn(event.codec);
    const isFirst = !this.#isStarted || this.#hasRestarted(event);
    const isNew = isFirst || event.sequence > this.#numbers.largest;
    if (!isNew) {
      const standing = this.#numbers.standing(event.sequence);
      if (standing === 'old') return this.#drop('packetsTooLate');
      if (standing !== 'missing') return this.#drop('packetsDuplicate');
    }
    const { payload, marker } = event.packet;
    if (payload.length === 0) return this.#leaveOut(event, 'packetsOfPadding');
    if (this.#payloadType === undefined) return this.#leaveOut(event, 'packetsOfUnknownCodec');
    const vp8 = this.#pictureCodec === 'video/vp8' ? readVp8Descriptor(payload) : undefined;
    const fields = this.#pictureCodec === 'video/vp9' ? readVp9Descriptor(payload) : vp8;
    if (fields === undefined && this.#pictureCodec !== undefined) {
      return this.#leaveOut(event, 'packetsMalformed');
    }
    if (isFirst) this.#begin(event);
    if (fields !== undefined && !this.#pictures.admit(fields, event.time, isNew)) {
      return this.#leaveOut(event, 'packetsTooLate');
    }
    if (vp8 !== undefined && !this.#layers.isWanted(payload, vp8, event.time, isNew)) {
      this.#pictures.leaveOut(vp8, event.time, isNew);
      return this.#leaveOut(event, 'packetsOfHigherLayers');
    }
    this.#counters.add('packetsForwarded');
    this.#sentType = this.#payloadType;
    return {
      payload,
      timestamp: this.#timeline.sent(event.time, event.receivedAt),
      // The first packet of a talkspurt has the marker (RFC 3551 §4.1), and the receiver hears another one begin.
      marker: marker || (isFirst && event.stream.kind === 'audio'),
      payloadType: this.#payloadType,
      sequence: this.#numbers.take(event.sequence),
      extensions: this.#extensionsOf(event),
      patch: fields && this.#pictures.take(payload, fields, event.time, isNew),
    };
  }

  /**
   * The highest temporal layer that is sent on, 0–3, of VP8 that tells its layers; `undefined`: all. Lower from the next picture on,
   * higher where the source lets a layer be joined.
   */
  limitTemporalLayer(highest: number | undefined): void {
    if (highest !== undefined) integer(0, HIGHEST_TEMPORAL_LAYER)(highest, 'highest');
    this.#layers.limit = highest ?? HIGHEST_TEMPORAL_LAYER;
  }

  /**
   * A `senderreport` event of any source that may be selected: where both sides of a switch have told their clocks, it keeps the
   * time between frames to the millisecond.
   */
  handleSenderReport(report: { readonly stream: RtpStream } & ReportedTime): void {
    const { stream, ntpTime, time } = report;
    if (!this.#reports.delete(stream) && this.#reports.size >= MOST_REPORTS) {
      for (const oldest of this.#reports.keys()) {
        this.#reports.delete(oldest);
        break;
      }
    }
    this.#reports.set(stream, { ntpTime, time });
  }

  /** How much was sent on, and why the rest was not. */
  get counters(): Record<SourceSwitchCounter, number> {
    return this.#counters.snapshot();
  }

  /** Where the rows stand, and the counters: plain JSON-safe data. */
  inspect(): object {
    return {
      selected: this.#selected?.ssrc,
      isStarted: this.#isStarted,
      lastSequence: this.#hasSent ? this.#numbers.lastSent : undefined,
      lastTimestamp: this.#hasSent ? this.#timeline.latestSent : undefined,
      lastPictureId: this.#pictures.lastSent,
      ...this.#layers.inspect(),
      counters: this.counters,
    };
  }

  /** The rows go on with this packet. The first one of all keeps its timestamp and its picture id. */
  #begin(event: RtpEvent): void {
    const { stream, sequence, time, receivedAt, codec } = event;
    // Below 2^15 at first, so that no early loss makes the receiver miss a wrap (RFC 3711 §3.3.1).
    this.#numbers.start(sequence, this.#hasSent ? this.#numbers.lastSent + 1 : sequence & 0x7fff);
    const before = this.#before && this.#reports.get(this.#before);
    this.#timeline.start(time, receivedAt, codec.clockRate, before, this.#reports.get(stream));
    this.#pictures.begin();
    this.#layers.begin();
    if (this.#isStarted) this.#counters.add('sourceRestarts');
    else if (this.#hasSent) this.#counters.add('sourceSwitches');
    this.#isStarted = true;
    this.#hasSent = true;
    this.#before = stream;
    this.#restart = -1;
  }

  /** Two packets in a row from far behind: the source counts anew (RFC 3550 A.1). What was sent again is from behind by nature. */
  #hasRestarted({ sequence, isRecovered }: RtpEvent): boolean {
    if (isRecovered || sequence > this.#numbers.largest - this.#memory) return false;
    if (sequence === this.#restart) return true;
    this.#restart = sequence + 1;
    return false;
  }

  /**
   * Closes up over a packet; where its place was kept, later ones have been sent already, and the receiver would ask for it again
   * and again: an empty packet fills it.
   */
  #leaveOut(event: RtpEvent, counter: SourceSwitchCounter): OutgoingPacket | undefined {
    this.#counters.add(counter);
    if (!this.#isStarted || this.#numbers.standing(event.sequence) === 'old') return undefined;
    const place = this.#numbers.leaveOut(event.sequence);
    if (place < 0) return undefined;
    this.#counters.add('placesFilled');
    return {
      payload: NO_BYTES,
      timestamp: this.#timeline.sent(event.time, event.receivedAt),
      marker: false,
      payloadType: this.#sentType,
      sequence: place,
    };
  }

  /** What the packets of another codec are to the receiver, and whether there are pictures to count in them. */
  #learn(codec: CodecParameters): void {
    this.#codec = codec;
    this.#payloadType = this.#codecs === undefined ? codec.payloadType : payloadTypeFor(codec, this.#codecs);
    const mimeType = codec.mimeType.toLowerCase();
    this.#pictureCodec = mimeType === 'video/vp8' || mimeType === 'video/vp9' ? mimeType : undefined;
  }

  #extensionsOf({ stream, packet }: RtpEvent): OutgoingPacket['extensions'] {
    let found: { readonly uri: string; readonly value: Uint8Array }[] | undefined;
    for (const uri of this.#extensions) {
      const id = stream.extensionIds.get(uri);
      const value = id === undefined ? undefined : packet.extension(id);
      if (value !== undefined) (found ??= []).push({ uri, value });
    }
    return found;
  }

  #drop(counter: SourceSwitchCounter): OutgoingPacket | undefined {
    this.#counters.add(counter);
    return undefined;
  }
}
