/**
 * ReceivedMedia: what is agreed on for one media that the peer sends, ready to be looked up by packets; and its encodings, each the
 * place of one stream.
 */
import { encodeUtf8 } from '../../core/text.ts';
import type { KeyframeDetector } from '../../rtp/index.ts';
import {
  MID_URI,
  REPAIRED_RID_URI,
  RID_URI,
  TRANSPORT_SEQUENCE_URI,
  keyframeDetector,
} from '../../rtp/index.ts';
import type { CodecParameters, MediaParameters } from '../parameters.ts';

/** A codec, and what of it a packet asks for. */
export interface ReceivedCodec {
  readonly parameters: CodecParameters;
  readonly isTelephoneEvent: boolean;
  /** `undefined`: of audio, and where it cannot be told. */
  readonly isKeyframe: KeyframeDetector | undefined;
  /** How a keyframe is asked for; `undefined`: not at all. */
  readonly keyframeRequest: 'pli' | 'fir' | undefined;
}

/** The place of one stream in a media: one source at a time, and one that sends its packets again. */
export interface Encoding {
  readonly media: ReceivedMedia;
  /** Among those of its media. */
  readonly key: string;
  readonly rid: string | undefined;
  readonly ridBytes: Uint8Array;
  /** SSRC of the source that is heard in it, and of the one that sends its packets again. */
  source: number | undefined;
  repair: number | undefined;
}

/** A source that signalling has told. */
export interface ToldSource {
  readonly media: ReceivedMedia;
  /** `undefined`: there are several, and packets say by their rid which it is. */
  readonly encoding: Encoding | undefined;
  /** The source whose packets this one sends again; `undefined`: it sends its own. */
  readonly repairs: number | undefined;
}

/** Of a media with one plain stream; rids are never empty. */
const PLAIN = '';

/** One media that the peer sends. */
export class ReceivedMedia {
  readonly id: number;
  readonly kind: 'audio' | 'video';
  readonly mid: string | undefined;
  readonly midBytes: Uint8Array;
  /** Ids of header extensions by their URIs: the same map for as long as the media lasts, in the handles of its streams, too. */
  readonly extensionIds: Map<string, number> = new Map();
  /** By their payload types. */
  readonly codecs: Map<number, ReceivedCodec> = new Map();
  /** What is sent again by the payload types of RTX. */
  readonly repairs: Map<number, ReceivedCodec> = new Map();
  readonly encodings: Map<string, Encoding> = new Map();
  /** Sources that signalling tells, by SSRC. */
  readonly told: Map<number, ToldSource> = new Map();
  /** Packets may be asked for again: of any of its codecs, for they count as one. */
  hasNack = false;
  /** Ids of extensions that every packet is looked through for; 0: not agreed on. */
  midId = 0;
  ridId = 0;
  repairedRidId = 0;
  transportSequenceId = 0;
  /** Congestion control feedback (RFC 8888) is given on all of its packets. */
  hasCongestionFeedback = false;

  constructor({ id, media, mid }: MediaParameters) {
    this.id = id;
    this.kind = media;
    this.mid = mid;
    this.midBytes = encodeUtf8(mid ?? '');
  }

  /** What is agreed on from now on. Encodings that stay are the same objects. */
  update({ receive }: MediaParameters): void {
    this.codecs.clear();
    this.repairs.clear();
    this.extensionIds.clear();
    for (const parameters of receive.codecs) this.#addCodec(parameters);
    for (const { id, uri } of receive.headerExtensions) this.extensionIds.set(uri, id);
    const has = (feedback: string): boolean =>
      receive.codecs.some(({ rtcpFeedback }) => rtcpFeedback.includes(feedback));
    this.hasNack = has('nack');
    this.midId = this.#idOf(MID_URI);
    this.ridId = this.#idOf(RID_URI);
    this.repairedRidId = this.#idOf(REPAIRED_RID_URI);
    this.hasCongestionFeedback = has('ack ccfb');
    // Never both: the sender would count each packet twice.
    const hasTransportFeedback = has('transport-cc') && !this.hasCongestionFeedback;
    this.transportSequenceId = hasTransportFeedback ? this.#idOf(TRANSPORT_SEQUENCE_URI) : 0;
    this.#placeStreams(receive);
  }

  /** The encoding that has this rid. */
  encodingOf(rid: string | undefined): Encoding | undefined {
    return this.encodings.get(rid ?? PLAIN);
  }

  /** Whether packets say by a rid which encoding they are of. */
  get hasRids(): boolean {
    return !this.encodings.has(PLAIN);
  }

  /** The encoding that every packet must be of, where there is one alone. */
  get onlyEncoding(): Encoding | undefined {
    if (this.encodings.size !== 1) return undefined;
    for (const encoding of this.encodings.values()) return encoding;
    return undefined;
  }

  #addCodec(parameters: CodecParameters): void {
    const { payloadType, rtxPayloadType, rtcpFeedback } = parameters;
    const hasPli = rtcpFeedback.includes('nack pli');
    const codec: ReceivedCodec = {
      parameters,
      isTelephoneEvent: parameters.mimeType.toLowerCase() === 'audio/telephone-event',
      isKeyframe: this.kind === 'video' ? keyframeDetector(parameters.mimeType) : undefined,
      keyframeRequest:
        this.kind === 'audio'
          ? undefined
          : hasPli
            ? 'pli'
            : rtcpFeedback.includes('ccm fir')
              ? 'fir'
              : undefined,
    };
    this.codecs.set(payloadType, codec);
    if (rtxPayloadType !== undefined) this.repairs.set(rtxPayloadType, codec);
  }

  #idOf(uri: string): number {
    return this.extensionIds.get(uri) ?? 0;
  }

  /**
   * A place for each rid; without any, for each source that is told, or one. With several rids a source that is told says nothing of
   * which it is: browsers list the sources in no order that is agreed on.
   */
  #placeStreams({ encodings, sources, sourceGroups }: MediaParameters['receive']): void {
    const repairs = new Map<number, number>();
    for (const { semantics, ssrcs } of sourceGroups) {
      const [source, repair] = ssrcs;
      if (semantics === 'FID' && source !== undefined && repair !== undefined) repairs.set(repair, source);
    }
    const own = sources.filter(({ ssrc }) => !repairs.has(ssrc));
    const before = new Map(this.encodings);
    const place = (key: string, rid?: string): Encoding => {
      const kept = before.get(key);
      const encoding = kept ?? {
        media: this,
        key,
        rid,
        ridBytes: encodeUtf8(rid ?? ''),
        source: undefined,
        repair: undefined,
      };
      this.encodings.set(key, encoding);
      return encoding;
    };
    this.encodings.clear();
    this.told.clear();
    for (const { rid } of encodings) place(rid, rid);
    if (this.encodings.size === 0) place(PLAIN);
    const only = encodings.length > 1 ? undefined : this.onlyEncoding;
    for (const [index, { ssrc }] of own.entries()) {
      const encoding = encodings.length > 0 || index === 0 ? only : place(`#${ssrc}`);
      this.told.set(ssrc, { media: this, encoding, repairs: undefined });
    }
    for (const [repair, ssrc] of repairs) {
      this.told.set(repair, { media: this, encoding: this.told.get(ssrc)?.encoding, repairs: ssrc });
    }
  }
}
