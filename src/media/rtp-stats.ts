/**
 * RTP stats: W3C webrtc-stats dictionaries of media, made from the facts of stats.ts when somebody asks.
 *
 *   sent      outbound-rtp ─┬─ remote-inbound-rtp, once a report of the peer's has come      media-source, of each media that is sent
 *   received  inbound-rtp  ─┴─ remote-outbound-rtp, likewise                                 codec, of each in use
 *
 * Members of encoders, decoders and playout are not this end's to know, and absent.
 */
import type { CodecParameters } from './parameters.ts';
import type { MediaStats, ReceivedStreamStats, SentStreamStats } from './stats.ts';

interface StatsObject<Type extends string> {
  readonly id: string;
  /** Milliseconds on the caller's clock. */
  readonly timestamp: number;
  readonly type: Type;
}

/** W3C `RTCRtpStreamStats`: what all four kinds of streams have. */
interface RtpStreamStats<Type extends string> extends StatsObject<Type> {
  readonly ssrc: number;
  readonly kind: 'audio' | 'video';
  readonly transportId: string;
  /** Absent before there has been a packet. */
  readonly codecId?: string;
}

/** W3C `RTCInboundRtpStreamStats`: what is received of one source. */
export interface RTCInboundRtpStreamStats extends RtpStreamStats<'inbound-rtp'> {
  readonly mid?: string;
  readonly rid?: string;
  readonly remoteId?: string;
  readonly packetsReceived: number;
  /** Of payload. */
  readonly bytesReceived: number;
  readonly headerBytesReceived: number;
  readonly packetsLost: number;
  readonly packetsDiscarded: number;
  /** Seconds. */
  readonly jitter: number;
  /** Milliseconds on the caller's clock. */
  readonly lastPacketReceivedTimestamp?: number;
  readonly retransmittedPacketsReceived: number;
  readonly retransmittedBytesReceived: number;
  readonly nackCount: number;
  /** Of video alone, as are the next two. */
  readonly pliCount?: number;
  readonly firCount?: number;
  /** Keyframes that have begun to arrive: this end decodes nothing. */
  readonly keyFramesReceived?: number;
}

/** W3C `RTCOutboundRtpStreamStats`: what is sent from one source. */
export interface RTCOutboundRtpStreamStats extends RtpStreamStats<'outbound-rtp'> {
  readonly mid?: string;
  readonly rid?: string;
  readonly mediaSourceId: string;
  readonly remoteId?: string;
  readonly rtxSsrc?: number;
  readonly active: boolean;
  readonly packetsSent: number;
  /** Of payload. */
  readonly bytesSent: number;
  readonly headerBytesSent: number;
  readonly retransmittedPacketsSent: number;
  readonly retransmittedBytesSent: number;
  readonly nackCount: number;
  /** Of video alone, as is the next one. */
  readonly pliCount?: number;
  readonly firCount?: number;
}

/** W3C `RTCRemoteInboundRtpStreamStats`: how the peer receives one of our sources, as its reports say. */
export interface RTCRemoteInboundRtpStreamStats extends RtpStreamStats<'remote-inbound-rtp'> {
  readonly localId: string;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** 0–1. */
  readonly fractionLost: number;
  /** Seconds. */
  readonly jitter: number;
  /** Seconds; absent before a measurement. */
  readonly roundTripTime?: number;
  readonly totalRoundTripTime: number;
  readonly roundTripTimeMeasurements: number;
}

/** W3C `RTCRemoteOutboundRtpStreamStats`: what the peer has sent of one source, as its reports say. */
export interface RTCRemoteOutboundRtpStreamStats extends RtpStreamStats<'remote-outbound-rtp'> {
  readonly localId: string;
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly reportsSent: number;
  /** Milliseconds since 1900 on the peer's clock. */
  readonly remoteTimestamp: number;
  /** Seconds; absent before a measurement. */
  readonly roundTripTime?: number;
  readonly totalRoundTripTime: number;
  readonly roundTripTimeMeasurements: number;
}

/** W3C `RTCCodecStats`: a codec in use, one way. */
export interface RTCCodecStats extends StatsObject<'codec'> {
  readonly transportId: string;
  readonly payloadType: number;
  readonly mimeType: string;
  readonly clockRate: number;
  readonly channels?: number;
  readonly sdpFmtpLine?: string;
}

/** W3C `RTCMediaSourceStats`, as far as they are known to who is handed packets. */
export interface RTCMediaSourceStats extends StatsObject<'media-source'> {
  readonly kind: 'audio' | 'video';
  /** What a description of ours says behind the stream in `a=msid`. */
  readonly trackIdentifier: string;
}

/** The stats objects of media. */
export type RtpStats =
  | RTCInboundRtpStreamStats
  | RTCOutboundRtpStreamStats
  | RTCRemoteInboundRtpStreamStats
  | RTCRemoteOutboundRtpStreamStats
  | RTCCodecStats
  | RTCMediaSourceStats;

/** The stats objects of a moment, `timestamp` milliseconds on the caller's clock; no two have one id. */
export function rtpStats({ received, sent }: MediaStats, transportId: string, timestamp: number): RtpStats[] {
  const base = { transportId, timestamp };
  const all = [
    ...received.flatMap((stream) => receivedStats(stream, base)),
    ...sent.flatMap((stream) => sentStats(stream, base)),
  ];
  return [...new Map(all.map((stats) => [stats.id, stats])).values()];
}

interface Base {
  readonly transportId: string;
  readonly timestamp: number;
}

function receivedStats(stream: ReceivedStreamStats, base: Base): RtpStats[] {
  const { kind, ssrc, mid, rid, codec, remote, lastPacketReceivedAt } = stream;
  const id = `I${ssrc}`;
  const remoteId = `RO${ssrc}`;
  const codecs = codec === undefined ? [] : [codecStats('I', stream, codec, base)];
  const common = { ...base, ssrc, kind, ...(codecs[0] === undefined ? {} : { codecId: codecs[0].id }) };
  const inbound: RTCInboundRtpStreamStats = {
    id,
    type: 'inbound-rtp',
    ...common,
    ...(mid === undefined ? {} : { mid }),
    ...(rid === undefined ? {} : { rid }),
    ...(remote === undefined ? {} : { remoteId }),
    packetsReceived: stream.packetsReceived,
    bytesReceived: stream.bytesReceived,
    headerBytesReceived: stream.headerBytesReceived,
    packetsLost: stream.packetsLost,
    packetsDiscarded: stream.packetsDiscarded,
    jitter: stream.jitter,
    ...(lastPacketReceivedAt === undefined ? {} : { lastPacketReceivedTimestamp: lastPacketReceivedAt }),
    retransmittedPacketsReceived: stream.retransmittedPacketsReceived,
    retransmittedBytesReceived: stream.retransmittedBytesReceived,
    nackCount: stream.nackCount,
    ...(kind === 'video'
      ? {
          pliCount: stream.pliCount,
          firCount: stream.firCount,
          keyFramesReceived: stream.keyFramesReceived,
        }
      : {}),
  };
  if (remote === undefined) return [inbound, ...codecs];
  const { packetsSent, bytesSent, reportsSent, remoteTimestamp } = remote;
  const outbound: RTCRemoteOutboundRtpStreamStats = {
    id: remoteId,
    type: 'remote-outbound-rtp',
    ...common,
    localId: id,
    packetsSent,
    bytesSent,
    reportsSent,
    remoteTimestamp,
    ...roundTrip(remote),
  };
  return [inbound, outbound, ...codecs];
}

function sentStats(stream: SentStreamStats, base: Base): RtpStats[] {
  const { kind, ssrc, rtxSsrc, mid, rid, codec, mediaId, remote } = stream;
  const id = `O${ssrc}`;
  const remoteId = `RI${ssrc}`;
  const codecs = codec === undefined ? [] : [codecStats('O', stream, codec, base)];
  const common = { ...base, ssrc, kind, ...(codecs[0] === undefined ? {} : { codecId: codecs[0].id }) };
  const source: RTCMediaSourceStats = {
    id: `S${mediaId}`,
    type: 'media-source',
    timestamp: base.timestamp,
    kind,
    trackIdentifier: `media${mediaId}`,
  };
  const outbound: RTCOutboundRtpStreamStats = {
    id,
    type: 'outbound-rtp',
    ...common,
    ...(mid === undefined ? {} : { mid }),
    ...(rid === undefined ? {} : { rid }),
    mediaSourceId: source.id,
    ...(remote === undefined ? {} : { remoteId }),
    ...(rtxSsrc === undefined ? {} : { rtxSsrc }),
    active: stream.active,
    packetsSent: stream.packetsSent,
    bytesSent: stream.bytesSent,
    headerBytesSent: stream.headerBytesSent,
    retransmittedPacketsSent: stream.retransmittedPacketsSent,
    retransmittedBytesSent: stream.retransmittedBytesSent,
    nackCount: stream.nackCount,
    ...(kind === 'video' ? { pliCount: stream.pliCount, firCount: stream.firCount } : {}),
  };
  if (remote === undefined) return [outbound, source, ...codecs];
  const { packetsReceived, packetsLost, fractionLost, jitter } = remote;
  const inbound: RTCRemoteInboundRtpStreamStats = {
    id: remoteId,
    type: 'remote-inbound-rtp',
    ...common,
    localId: id,
    packetsReceived,
    packetsLost,
    fractionLost,
    jitter,
    ...roundTrip(remote),
  };
  return [outbound, inbound, source, ...codecs];
}

interface RoundTrip {
  readonly roundTripTime?: number | undefined;
  readonly totalRoundTripTime: number;
  readonly roundTripTimeMeasurements: number;
}

function roundTrip({ roundTripTime, totalRoundTripTime, roundTripTimeMeasurements }: RoundTrip): {
  readonly roundTripTime?: number;
  readonly totalRoundTripTime: number;
  readonly roundTripTimeMeasurements: number;
} {
  return {
    ...(roundTripTime === undefined ? {} : { roundTripTime }),
    totalRoundTripTime,
    roundTripTimeMeasurements,
  };
}

/** A number means one codec of a direction and a section. */
function codecStats(
  way: 'I' | 'O',
  { mid, mediaId }: Pick<SentStreamStats, 'mid' | 'mediaId'>,
  codec: CodecParameters,
  base: Base,
): RTCCodecStats {
  const { payloadType, mimeType, clockRate, channels, sdpFmtpLine } = codec;
  return {
    id: `C${way}${mid ?? mediaId}_${payloadType}`,
    type: 'codec',
    ...base,
    payloadType,
    mimeType,
    clockRate,
    ...(channels === undefined ? {} : { channels }),
    ...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
  };
}
