/** Plans of media that a caller gives: judged at the call, and copied. */
import type { OptionRules } from '../core/options.ts';
import { fields, flag, integer, listOf, number, oneOf, required, text } from '../core/options.ts';
import type {
  MediaCodec,
  MediaEncoding,
  MediaFlow,
  MediaHeaderExtension,
  MediaPlan,
  ReceivedFlow,
  SentFlow,
  SentSource,
} from '../negotiation/index.ts';
import { mapPlain } from './tracer/entry.ts';

const CODEC: OptionRules<MediaCodec> = {
  payloadType: required(integer(0, 127)),
  mimeType: required(text(1)),
  clockRate: required(number(1)),
  channels: integer(1),
  sdpFmtpLine: text(),
  rtcpFeedback: required(listOf(text())),
  rtxPayloadType: integer(0, 127),
};

const HEADER_EXTENSION: OptionRules<MediaHeaderExtension> = {
  id: required(integer(1, 255)),
  uri: required(text(1)),
};

const ENCODING: OptionRules<MediaEncoding> = {
  rid: required(text(1)),
  active: required(flag),
  restrictions: required(listOf(fields({}))),
};

const FLOW: OptionRules<MediaFlow> = {
  codecs: required(listOf(fields(CODEC))),
  headerExtensions: required(listOf(fields(HEADER_EXTENSION))),
  encodings: required(listOf(fields(ENCODING))),
  streams: required(listOf(text())),
  reducedSizeRtcp: required(flag),
};

const RECEIVED_FLOW: OptionRules<ReceivedFlow> = {
  ...FLOW,
  sources: required(listOf(fields({}))),
  sourceGroups: required(listOf(fields({}))),
};

const SENT_SOURCE: OptionRules<SentSource> = {
  rid: text(1),
  ssrc: required(integer(1, 0xffff_ffff)),
  rtxSsrc: integer(1, 0xffff_ffff),
};

const SENT_FLOW: OptionRules<SentFlow> = { ...FLOW, sources: listOf(fields(SENT_SOURCE)) };

const PLAN: OptionRules<MediaPlan> = {
  kind: required(oneOf(['media'])),
  id: required(integer(0)),
  mid: text(),
  media: required(oneOf(['audio', 'video'])),
  direction: required(oneOf(['sendrecv', 'sendonly', 'recvonly', 'inactive'])),
  send: required(fields(SENT_FLOW)),
  receive: required(fields(RECEIVED_FLOW)),
};

/** The plans, copied: nothing that the caller changes afterwards counts. Throws `ERR_BAD_ARGUMENT`. */
export function checkedMedia(plans: readonly MediaPlan[]): readonly MediaPlan[] {
  listOf(fields(PLAN))(plans, 'plans');
  return mapPlain(plans, (leaf) => leaf);
}

/** Throws `ERR_BAD_ARGUMENT`. */
export function checkBitrate(bitrate: number): void {
  number(0)(bitrate, 'bitrate');
}
