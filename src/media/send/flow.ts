/** Flow: what has been agreed on for one stream of ours, as its packets need it. It does not change: other agreements make another one. */
import type { CodecParameters, MediaParameters } from '../parameters.ts';
import { HeaderPlan } from './header-plan.ts';

/** A codec, and what may happen to its packets. */
export interface FlowCodec {
  readonly parameters: CodecParameters;
  /** The peer may ask for packets again (generic NACK, RFC 4585 §4.2). */
  readonly canResend: boolean;
  /** Of what is sent again; `undefined`: it is sent as it was. */
  readonly rtxPayloadType: number | undefined;
}

/** What is agreed on for one stream. */
export interface Flow {
  readonly mid: string | undefined;
  /** Its media go this way; where not its sources have left, and say so (RFC 3550 §6.3.7). */
  readonly isSent: boolean;
  /** Packets may be sent: it is, and its encoding is not paused. */
  readonly isActive: boolean;
  /** By payload type. */
  readonly codecs: readonly (FlowCodec | undefined)[];
  /** For packets that name none. */
  readonly firstCodec: FlowCodec | undefined;
  /** RFC 4733. */
  readonly telephoneEvents: readonly CodecParameters[];
  readonly header: HeaderPlan;
}

const PAYLOAD_TYPES = 128;
const TELEPHONE_EVENT = 'audio/telephone-event';

/** What is agreed on for the encoding `rid` of a media, or for its one stream. */
export function flowOf(media: MediaParameters, rid: string | undefined): Flow {
  const { send, direction, mid } = media;
  const codecs = new Array<FlowCodec | undefined>(PAYLOAD_TYPES).fill(undefined);
  for (const parameters of send.codecs) codecs[parameters.payloadType] ??= flowCodec(parameters);
  const encoding = send.encodings.find((one) => one.rid === rid);
  const [first] = send.codecs;
  const isSent = (direction === 'sendrecv' || direction === 'sendonly') && first !== undefined;
  return {
    mid,
    isSent,
    isActive: isSent && encoding?.active !== false,
    codecs,
    firstCodec: first && codecs[first.payloadType],
    telephoneEvents: send.codecs.filter(({ mimeType }) => mimeType.toLowerCase() === TELEPHONE_EVENT),
    header: new HeaderPlan(mid, rid, send.headerExtensions),
  };
}

function flowCodec(parameters: CodecParameters): FlowCodec {
  return {
    parameters,
    canResend: parameters.rtcpFeedback.includes('nack'),
    rtxPayloadType: parameters.rtxPayloadType,
  };
}

/** The telephone event whose durations count as the timestamps of `clockRate` do, else any; `undefined`: none is agreed on. */
export function telephoneEventOf(flow: Flow, clockRate: number | undefined): CodecParameters | undefined {
  return flow.telephoneEvents.find((event) => event.clockRate === clockRate) ?? flow.telephoneEvents[0];
}
