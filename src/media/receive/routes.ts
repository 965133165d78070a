/**
 * Routes: which media, and which of its encodings, a packet belongs to (RFC 8843 §9.2, RFC 9143 §9.2, RFC 8852).
 *
 *     mid in the packet ─▶ source that is known: told by signalling, or learnt from a packet before ─▶ payload type of one media alone
 *     within the media:    rid, repaired rid ─▶ what is known of the source ─▶ the only encoding ─▶ RTX: who misses what it repairs
 *
 * It only reads; who binds a source to what is found here does so for packets that are authentic.
 */
import { decodeUtf8 } from '../../core/text.ts';
import { equalBytes } from '../../core/bytes.ts';
import type { RtpPacket } from '../../rtp/index.ts';
import { originalSequenceNumber } from '../../rtp/index.ts';
import type { MediaParameters } from '../parameters.ts';
import type { ReceiveCounter } from './counters.ts';
import type { Encoding, ToldSource } from './received-media.ts';
import { ReceivedMedia } from './received-media.ts';
import type { ReceiveStream } from './receive-stream.ts';
import type { RepairStream } from './repair-stream.ts';

/** Where a packet belongs. */
export interface Route {
  readonly encoding: Encoding;
  /** Its packets are sent again in it (RFC 4588). */
  readonly isRepair: boolean;
}

/** What is bound to a route. */
export type Source = ReceiveStream | RepairStream;

/** All media that are received. */
export class Routes {
  readonly #media = new Map<number, ReceivedMedia>();
  readonly #byMid = new Map<string, ReceivedMedia>();
  readonly #told = new Map<number, ToldSource>();
  /** `undefined`: of several media. */
  readonly #byPayloadType = new Map<number, ReceivedMedia | undefined>();
  /** Ids that mean the mid; all media of a transport have the same (RFC 8843 §9.1), unless a peer lies. */
  #midIds: readonly number[] = [];
  #transportSequenceIds: readonly number[] = [];

  /** What is received from now on. Media and encodings that stay are the same objects. */
  update(media: readonly MediaParameters[]): void {
    const received = media.filter(isReceived);
    const ids = new Set(received.map(({ id }) => id));
    for (const id of this.#media.keys()) if (!ids.has(id)) this.#media.delete(id);
    for (const parameters of received) {
      const known = this.#media.get(parameters.id) ?? new ReceivedMedia(parameters);
      known.update(parameters);
      this.#media.set(known.id, known);
    }
    this.#index();
  }

  /** The media, of those that are received. */
  media(id: number): ReceivedMedia | undefined {
    return this.#media.get(id);
  }

  /** The encoding that RTCP names (RFC 8843 §9.2, RFC 8852 §4.2); `undefined`: there is none, or it is not one alone. */
  encodingNamed(mid: string, rid: string | undefined): Encoding | undefined {
    const media = this.#byMid.get(mid);
    return rid === undefined ? media?.onlyEncoding : media?.encodingOf(rid);
  }

  /** Whether packets may still belong to it. */
  has(encoding: Encoding): boolean {
    return this.#media.get(encoding.media.id)?.encodings.get(encoding.key) === encoding;
  }

  /** What signalling tells of a source; wherever it was before, it belongs there now. */
  told(ssrc: number): ToldSource | undefined {
    return this.#told.get(ssrc);
  }

  /** The transport-wide sequence number of a packet, 16 bits; -1: it has none, or nobody wants to know when it came. */
  transportSequenceOf(packet: RtpPacket): number {
    for (const id of this.#transportSequenceIds) {
      const value = packet.extension(id);
      if (value?.length === 2) return (value[0]! << 8) | value[1]!;
    }
    return -1;
  }

  /** Whether a packet of a source that is bound belongs where that is bound to: what it says of itself does not contradict. */
  agrees(packet: RtpPacket, { encoding, isRepair }: Route): boolean {
    const { media, rid, ridBytes } = encoding;
    for (const id of this.#midIds) {
      const mid = packet.extension(id);
      if (mid !== undefined && !(id === media.midId && equalBytes(mid, media.midBytes))) return false;
    }
    if (rid === undefined) return true;
    const id = isRepair ? media.repairedRidId : media.ridId;
    const said = id === 0 ? undefined : packet.extension(id);
    return said === undefined || equalBytes(said, ridBytes);
  }

  /**
   * Where a packet belongs whose source is not bound, or says another thing than before.
   * @param learnt what packets of its source have said before
   * @param sources those that are bound, by SSRC
   * @returns a counter: it is dropped
   */
  resolve(
    packet: RtpPacket,
    learnt: Route | undefined,
    sources: ReadonlyMap<number, Source>,
  ): Route | ReceiveCounter {
    const told = this.#told.get(packet.ssrc);
    const named = this.#named(packet);
    if (named === 'unknownMids') return named;
    const media =
      named ?? told?.media ?? learnt?.encoding.media ?? this.#byPayloadType.get(packet.payloadType);
    if (media === undefined) return 'unknownSources';
    const isRepair = media.repairs.has(packet.payloadType);
    if (!isRepair && !media.codecs.has(packet.payloadType)) return 'unknownPayloadTypes';
    const encoding =
      this.#encodingOf(packet, media, isRepair, told, learnt) ??
      (isRepair ? repairedBy(packet, media, told?.repairs, sources) : 'unknownSources');
    return typeof encoding === 'string' ? encoding : { encoding, isRepair };
  }

  /** By what the packet says, and what is known of its source; `undefined`: that does not tell. */
  #encodingOf(
    packet: RtpPacket,
    media: ReceivedMedia,
    isRepair: boolean,
    told: ToldSource | undefined,
    learnt: Route | undefined,
  ): Encoding | ReceiveCounter | undefined {
    const id = isRepair ? media.repairedRidId : media.ridId;
    const rid = id === 0 ? undefined : packet.extension(id);
    // Where no rids are agreed on, what is said of them means nothing.
    if (rid !== undefined && media.hasRids) {
      return media.encodingOf(decodeUtf8(rid)) ?? 'unknownRids';
    }
    if (told?.media === media && told.encoding !== undefined) return told.encoding;
    if (learnt?.encoding.media === media && learnt.isRepair === isRepair) return learnt.encoding;
    return media.onlyEncoding;
  }

  /** The media whose mid a packet has; `undefined`: it has none. */
  #named(packet: RtpPacket): ReceivedMedia | undefined | 'unknownMids' {
    for (const id of this.#midIds) {
      const mid = packet.extension(id);
      if (mid === undefined) continue;
      const media = this.#byMid.get(decodeUtf8(mid));
      return media?.midId === id ? media : 'unknownMids';
    }
    return undefined;
  }

  #index(): void {
    const midIds = new Set<number>();
    const transportSequenceIds = new Set<number>();
    this.#byMid.clear();
    this.#told.clear();
    this.#byPayloadType.clear();
    for (const media of this.#media.values()) {
      if (media.mid !== undefined) this.#byMid.set(media.mid, media);
      if (media.midId !== 0) midIds.add(media.midId);
      if (media.transportSequenceId !== 0) transportSequenceIds.add(media.transportSequenceId);
      for (const [ssrc, told] of media.told) this.#told.set(ssrc, told);
      for (const payloadType of [...media.codecs.keys(), ...media.repairs.keys()]) {
        const isShared = this.#byPayloadType.has(payloadType);
        this.#byPayloadType.set(payloadType, isShared ? undefined : media);
      }
    }
    this.#midIds = [...midIds];
    this.#transportSequenceIds = [...transportSequenceIds];
  }
}

function isReceived({ direction, receive }: MediaParameters): boolean {
  return (direction === 'sendrecv' || direction === 'recvonly') && receive.codecs.length > 0;
}

/** The encoding that RTX of an unknown source repairs: the one that is told, or the only one that misses this packet. */
function repairedBy(
  packet: RtpPacket,
  media: ReceivedMedia,
  told: number | undefined,
  sources: ReadonlyMap<number, Source>,
): Encoding | ReceiveCounter {
  const missing = originalSequenceNumber(packet);
  let found: Encoding | undefined;
  for (const encoding of media.encodings.values()) {
    const stream = encoding.source === undefined ? undefined : sources.get(encoding.source);
    if (stream === undefined || stream.isRepair) continue;
    if (stream.ssrc === told) return encoding;
    if (encoding.repair !== undefined || missing === undefined || !stream.isMissing(missing)) continue;
    if (found !== undefined) return 'unpairedRepairs';
    found = encoding;
  }
  return found ?? (missing === undefined ? 'probes' : 'unpairedRepairs');
}
