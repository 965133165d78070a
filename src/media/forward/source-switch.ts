/**
 * SourceSwitch: one stream out of many, as a forwarding unit sends it to one of its receivers.
 *
 *     select(a)   a a a a a     a
 *     select(b)              b b b b b     b
 *     sent        1 2 3 4 5  6 7 8 9 10 11 12     one row of sequence numbers, timestamps, picture ids
 *
 * What the link lost stays a gap: the receiver asks for it, and it is sent when it has been repaired. What is left out on purpose
 * closes up: padding, layers, codecs that the receiver does not know. A number is never used twice, so that what comes late has
 * the place that was kept for it, or is dropped. That holds for a source that has just been left, too: what was being repaired at
 * the switch is still sent, for as long as `lateTimeout`.
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
import { isVp8Keyframe, readVp8Descriptor, readVp9Descriptor } from '../../rtp/index.ts';
import { payloadTypeFor } from './payload-type.ts';
import type { LayerLimits } from './picture-layers.ts';
import { ALL_LAYERS, HIGHEST_LAYER } from './picture-layers.ts';
import type { RowEnd } from './source-row.ts';
import { NOTHING_SENT, SourceRow } from './source-row.ts';
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
  /**
   * How long packets of a source that was left are still sent in the places that were kept for them, ms; 0: not at all. Default 3000,
   * for so long a connection asks for what is missing (`receive.nackTimeout`).
   */
  readonly lateTimeout?: number | undefined;
}

/** Why packets were not sent on as they are, and how many were. */
export type SourceSwitchCounter =
  | 'packetsForwarded'
  | 'packetsForwardedLate'
  | 'sourceSwitches'
  | 'packetsUnselected'
  | 'packetsDuplicate'
  | 'packetsTooLate'
  | 'packetsOfPadding'
  | 'packetsOfUnknownCodec'
  | 'packetsOfHigherLayers'
  | 'packetsMalformed'
  | 'placesFilled'
  | 'placesGivenUp'
  | 'sourceRestarts';

const COUNTERS: readonly SourceSwitchCounter[] = [
  'packetsForwarded',
  'packetsForwardedLate',
  'sourceSwitches',
  'packetsUnselected',
  'packetsDuplicate',
  'packetsTooLate',
  'packetsOfPadding',
  'packetsOfUnknownCodec',
  'packetsOfHigherLayers',
  'packetsMalformed',
  'placesFilled',
  'placesGivenUp',
  'sourceRestarts',
];

const DEFAULTS = { alignmentTolerance: 500, memory: 1024, lateTimeout: 3000 };
/** Sources whose clocks and numbers are remembered: more than any simulcast has. */
const MOST_SOURCES = 16;
/** Sources left of which something is missing: with one more the earliest is given up. */
const MOST_LEFT = 4;

/** Rules of `SourceSwitchOptions`, for whoever has more options than these. */
export const SOURCE_SWITCH_OPTION_RULES: OptionRules<SourceSwitchOptions> = {
  codecs: listOf(() => undefined),
  extensions: listOf(text(1)),
  alignmentTolerance: number(0),
  memory: integer(64, 16_384),
  lateTimeout: number(0),
};

/** Many sources in, one stream out. It holds no packets: what it answers shares the payload of what it was given. */
export class SourceSwitch {
  readonly #codecs: readonly CodecParameters[] | undefined;
  readonly #extensions: readonly string[];
  readonly #memory: number;
  readonly #lateTimeout: number;
  readonly #timeline: Timeline;
  readonly #counters = new Counters<SourceSwitchCounter>(COUNTERS);
  readonly #reports = new Map<RtpStream, ReportedTime>();
  /** The largest number of each source that has come while it was not sent on. */
  readonly #seen = new Map<RtpStream, number>();
  #selected: RtpStream | undefined;
  /** Of the selected source, once a packet of it has been sent on. */
  #row: SourceRow;
  #isStarted = false;
  /** Of sources that were left, the earliest first, as long as something is missing of them. */
  #left: SourceRow[] = [];
  /** To be used again. */
  #spare: SourceRow[] = [];
  #end: RowEnd = NOTHING_SENT;
  /** The latest arrival, ms. */
  #now = -Infinity;
  #limits: LayerLimits = ALL_LAYERS;
  /** Whose packets were the last ones. */
  #before: RtpStream | undefined;
  /** What the last packet from far behind would be followed by, were the source to count anew. */
  #restart = -1;
  /** The codec of the last packet; what it is if its pictures are counted; and its payload type at the receiver. */
  #codec: CodecParameters | undefined;
  #pictureCodec: 'video/vp8' | 'video/vp9' | undefined;
  #payloadType: number | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for options that cannot be. */
  constructor(options: SourceSwitchOptions = {}) {
    checkOptions('SourceSwitch', options, SOURCE_SWITCH_OPTION_RULES);
    const { alignmentTolerance, memory, lateTimeout } = withDefaults(DEFAULTS, options);
    this.#codecs = options.codecs;
    this.#extensions = options.extensions ?? [];
    this.#memory = 2 ** Math.ceil(Math.log2(memory));
    this.#lateTimeout = lateTimeout;
    this.#timeline = new Timeline(alignmentTolerance);
    this.#row = new SourceRow(this.#memory);
  }

  /** The source whose packets are sent on; `undefined`: none is, as in a pause. */
  get selected(): RtpStream | undefined {
    return this.#selected;
  }

  /**
   * Sends on `stream` from its next packet on; `undefined`: nothing, as in a pause. Of the source before comes nothing new, only what is
   * missing of it. The selected one again: no change.
   */
  select(stream: RtpStream | undefined): void {
    if (stream === this.#selected) return;
    this.#selected = stream;
    if (this.#isStarted) this.#leave();
  }

  /** Whether a packet has a place in what was sent of a source that was left. */
  isLate(event: RtpEvent): boolean {
    return this.#left.length > 0 && this.#findLeft(event) !== undefined;
  }

  /**
   * The packet as it is to be written to the receiver's `RtpSender`; `undefined`: it is not sent on.
   * @param event of any source; of those that are not selected all is ignored but what is missing of one that was
   */
  forward(event: RtpEvent): OutgoingPacket | undefined {
    if (event.receivedAt > this.#now) this.#now = event.receivedAt;
    const left = this.#left.length > 0 ? this.#findLeft(event) : undefined;
    if (left === undefined && (event.stream !== this.#selected || !this.#isStarted)) {
      const isNewest = this.#see(event.stream, event.sequence);
      if (event.stream !== this.#selected) return this.#drop('packetsUnselected');
      // A row that began with it would miss for good what has gone by behind it.
      if (!isNewest) return this.#drop('packetsTooLate');
    }
    if (event.codec !== this.#codec) this.#learn(event.codec);
    const row = left ?? this.#row;
    const isFirst = left === undefined && (!this.#isStarted || this.#hasRestarted(event));
    const isNew = isFirst || event.sequence > row.numbers.largest;
    if (!isNew) {
      const standing = row.numbers.standing(event.sequence);
      if (standing === 'old') return this.#drop('packetsTooLate');
      if (standing !== 'missing') return this.#drop('packetsDuplicate');
    }
    const { payload, marker } = event.packet;
    const begun = left === undefined && !this.#isStarted ? undefined : row;
    if (payload.length === 0) return this.#leaveOut(event, begun, 'packetsOfPadding');
    if (this.#payloadType === undefined) return this.#leaveOut(event, begun, 'packetsOfUnknownCodec');
    const vp8 = this.#pictureCodec === 'video/vp8' ? readVp8Descriptor(payload) : undefined;
    const vp9 = this.#pictureCodec === 'video/vp9' ? readVp9Descriptor(payload) : undefined;
    const fields = vp8 ?? vp9;
    if (fields === undefined && this.#pictureCodec !== undefined) {
      return this.#leaveOut(event, begun, 'packetsMalformed');
    }
    if (isFirst) this.#begin(event);
    if (fields !== undefined && !row.pictures.admit(fields, event.time, isNew)) {
      return this.#leaveOut(event, row, 'packetsTooLate');
    }
    let isLastOfPicture = marker;
    if (vp8?.temporalLayer !== undefined) {
      if (row.layers.decide(vp8, event.time, isVp8Keyframe(payload), isNew) < 0) {
        row.pictures.leaveOut(vp8, event.time, isNew);
        return this.#leaveOut(event, row, 'packetsOfHigherLayers');
      }
    } else if (vp9?.spatialLayer !== undefined) {
      const { spatialLayer, isInterPicture, isFrameEnd } = vp9;
      const highest = row.layers.decide(vp9, event.time, spatialLayer === 0 && !isInterPicture, isNew);
      // Picture ids do not close up: references are told by their distance, or by their place in a group (RFC 9628 §4.2).
      if (spatialLayer > highest) return this.#leaveOut(event, row, 'packetsOfHigherLayers');
      // The marker is on the last packet of a picture, which has no higher layers any more (§4.1).
      isLastOfPicture ||= isFrameEnd && spatialLayer === highest;
    }
    this.#counters.add('packetsForwarded');
    if (left !== undefined) this.#counters.add('packetsForwardedLate');
    row.payloadType = this.#payloadType;
    return {
      payload,
      timestamp: this.#timestamp(event, row),
      // The first packet of a talkspurt has the marker (RFC 3551 §4.1), and the receiver hears another one begin.
      marker: isLastOfPicture || (isFirst && event.stream.kind === 'audio'),
      payloadType: this.#payloadType,
      sequence: row.numbers.take(event.sequence),
      extensions: this.#extensionsOf(event),
      patch: fields && row.pictures.take(payload, fields, event.time, isNew),
    };
  }

  /**
   * The highest temporal layer that is sent on, 0–7, of VP8 and VP9 that tell their layers; `undefined`: all. Lower from the next
   * picture on, higher where the source lets a layer be joined.
   */
  limitTemporalLayer(highest: number | undefined): void {
    this.#limit({ ...this.#limits, temporal: layerOf(highest) });
  }

  /**
   * The highest spatial layer that is sent on, 0–7, of VP9 that has several in one stream (SVC, K-SVC); `undefined`: all. Lower from the
   * next picture on, higher from the next keyframe on, which is to be asked for.
   */
  limitSpatialLayer(highest: number | undefined): void {
    this.#limit({ ...this.#limits, spatial: layerOf(highest) });
  }

  /**
   * A `senderreport` event of any source that may be selected: where both sides of a switch have told their clocks, it keeps the
   * time between frames to the millisecond.
   */
  handleSenderReport(report: { readonly stream: RtpStream } & ReportedTime): void {
    const { stream, ntpTime, time } = report;
    this.#reports.delete(stream);
    remember(this.#reports, stream, { ntpTime, time });
  }

  /** How much was sent on, and why the rest was not. */
  get counters(): Record<SourceSwitchCounter, number> {
    return this.#counters.snapshot();
  }

  /** Where the rows stand, and the counters: plain JSON-safe data. */
  inspect(): object {
    const { numbers, pictures, layers } = this.#row;
    const hasSent = this.#before !== undefined;
    return {
      selected: this.#selected?.ssrc,
      isStarted: this.#isStarted,
      lastSequence: this.#isStarted ? numbers.lastSent : this.#end.sequence,
      lastTimestamp: hasSent ? this.#timeline.latestSent : undefined,
      lastPictureId: this.#isStarted ? pictures.last.id : this.#end.picture.id,
      ...layers.inspect(),
      left: this.#left.map(({ stream, numbers, leftAt }) => ({
        ssrc: stream?.ssrc,
        missing: numbers.missing,
        leftAt,
      })),
      counters: this.counters,
    };
  }

  #limit(limits: LayerLimits): void {
    this.#limits = limits;
    this.#row.layers.limits = limits;
  }

  // --- sources ---

  /** The rows go on with this packet. The first one of all keeps its timestamp and its picture id. */
  #begin(event: RtpEvent): void {
    const { stream, time, receivedAt, codec } = event;
    const row = this.#row;
    if (this.#isStarted) {
      this.#counters.add('sourceRestarts');
      this.#restartRow();
    } else if (this.#before !== undefined) this.#counters.add('sourceSwitches');
    row.begin(event, this.#end, this.#limits);
    const before = this.#before && this.#reports.get(this.#before);
    this.#timeline.start(time, receivedAt, codec.clockRate, before, this.#reports.get(stream));
    row.timeOffset = this.#timeline.offset;
    row.payloadType = this.#payloadType;
    this.#isStarted = true;
    this.#before = stream;
    this.#restart = -1;
  }

  /** The selected source is left. What is missing of it may come yet. */
  #leave(): void {
    this.#isStarted = false;
    const row = this.#row;
    if (row.stream !== undefined) this.#see(row.stream, row.numbers.largest);
    this.#end = row.end();
    for (const left of this.#left) if (left.numbers.missing === 0) this.#giveUp(left);
    if (row.numbers.missing === 0) return;
    row.leftAt = this.#now;
    this.#left.push(row);
    if (this.#left.length > MOST_LEFT) this.#giveUp(this.#left[0]!);
    this.#row = this.#spare.pop() ?? new SourceRow(this.#memory);
    this.#row.layers.begin(this.#limits);
  }

  /** @returns whether no packet of its source was newer so far; one from far behind is of a source that counts anew */
  #see(stream: RtpStream, sequence: number): boolean {
    const largest = this.#seen.get(stream) ?? -1;
    if (sequence <= largest && sequence > largest - this.#memory) return false;
    remember(this.#seen, stream, sequence);
    return true;
  }

  /** Of a source that counts anew nothing comes any more that was counted before. */
  #restartRow(): void {
    for (const left of this.#left.filter(({ stream }) => stream === this.#row.stream)) this.#giveUp(left);
    this.#end = this.#row.end();
    this.#counters.add('placesGivenUp', this.#row.numbers.missing);
  }

  /** Whose row knows a packet of those left, and has time left for it. */
  #findLeft(event: RtpEvent): SourceRow | undefined {
    for (let first = this.#left[0]; first !== undefined; first = this.#left[0]) {
      if (Math.max(this.#now, event.receivedAt) < first.leftAt + this.#lateTimeout) break;
      this.#giveUp(first);
    }
    return this.#left.find((row) => row.knows(event));
  }

  /** What is missing of a source that was left stays away: the receiver learns of no loss but those of the link. */
  #giveUp(left: SourceRow): void {
    this.#counters.add('placesGivenUp', left.numbers.missing);
    this.#left = this.#left.filter((row) => row !== left);
    this.#spare.push(left);
  }

  /** Two packets in a row from far behind: the source counts anew (RFC 3550 A.1). What was sent again is from behind by nature. */
  #hasRestarted({ sequence, isRecovered }: RtpEvent): boolean {
    if (isRecovered || sequence > this.#row.numbers.largest - this.#memory) return false;
    if (sequence === this.#restart) return true;
    this.#restart = sequence + 1;
    return false;
  }

  // --- packets ---

  /**
   * Closes up over a packet; where its place was kept, later ones have been sent already, and the receiver would ask for it again
   * and again: an empty packet fills it.
   * @param row `undefined`: none has begun
   */
  #leaveOut(
    event: RtpEvent,
    row: SourceRow | undefined,
    counter: SourceSwitchCounter,
  ): OutgoingPacket | undefined {
    this.#counters.add(counter);
    if (row === undefined || row.numbers.standing(event.sequence) === 'old') return undefined;
    const place = row.numbers.leaveOut(event.sequence);
    if (place < 0) return undefined;
    this.#counters.add('placesFilled');
    return {
      payload: NO_BYTES,
      timestamp: this.#timestamp(event, row),
      marker: false,
      payloadType: row.payloadType,
      sequence: place,
    };
  }

  #timestamp({ time, receivedAt }: RtpEvent, row: SourceRow): number {
    return row === this.#row ? this.#timeline.sent(time, receivedAt) : time + row.timeOffset;
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

/** Throws `ERR_BAD_ARGUMENT` for what is no layer. */
function layerOf(highest: number | undefined): number {
  if (highest !== undefined) integer(0, HIGHEST_LAYER)(highest, 'highest');
  return highest ?? HIGHEST_LAYER;
}

/** As `set`; where there is no room for another source, the one that came first is forgotten. */
function remember<T>(of: Map<RtpStream, T>, stream: RtpStream, value: T): void {
  if (!of.has(stream) && of.size >= MOST_SOURCES) {
    for (const oldest of of.keys()) {
      of.delete(oldest);
      break;
    }
  }
  of.set(stream, value);
}
