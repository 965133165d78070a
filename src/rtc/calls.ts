/**
 * Calls: everything that a host can do to a connection, as one table. What recording, the trace format, descriptions and
 * replay know of a call, they know from here.
 *
 *   the method     judges its arguments, does it, then tells it as data: `tracer.call({ method, … })`, `layer.onCall`
 *   CallMembers    what it takes, and its result: the shape of that data
 *   CALLS          its members in a trace, in their order; its line for people; how a replay does it again
 *
 * A call is told once it has changed something, so one that throws leaves no trace. Untraced, nothing is made for it.
 * A file that an older version wrote must be read: a member that is added to a call is optional, and none is renamed.
 */
import type { ChannelCall, DataChannel, DataChannelOptions, SendOptions } from '../channel/index.ts';
import { formatAddress } from '../core/address.ts';
import { NO_BYTES } from '../core/bytes.ts';
import { quote } from '../core/text.ts';
import type {
  IceCandidateError,
  IceGatheringState,
  IceParameters,
  LocalCandidateAddress,
  LocalCandidateInit,
} from '../ice/index.ts';
import type { DtmfOptions, OutgoingPacket, RtpSender } from '../media/index.ts';
import type { MediaPlan } from '../negotiation/index.ts';
import type { PathAddresses } from './contract.ts';
import type { DataParameters, RemoteCandidate, TransportParameters } from './parameters.ts';
import type { CallRow, SignalingCallMembers, SignalingTarget } from './signaling/calls.ts';
import { SIGNALING_CALLS } from './signaling/calls.ts';
import type { Field } from './tracer/fields.ts';
import { count, flag, object, oneOf, optional, payload, plain, text, variants } from './tracer/fields.ts';

/** A channel, by the order in which the connection came to know it (from 0), and by its own names. */
export interface TraceChannel {
  readonly index: number;
  /** The SCTP stream, once there is one. */
  readonly id?: number | undefined;
  readonly label: string;
}

/** What a call on a channel's handle tells of itself, and whose handle it was. */
type OfChannel<Name extends ChannelCall['method']> = { readonly channel: TraceChannel } & Omit<
  Extract<ChannelCall, { readonly method: Name }>,
  'method'
>;

/** Whose handle it was. */
export interface OfSender {
  /** The number of the media, as `RtpSender.mediaId` has it. */
  readonly mediaId: number;
  /** The simulcast stream, where there are several. */
  readonly rid?: string | undefined;
}

/** What each call takes, and what came of it. */
export interface CallMembers extends SignalingCallMembers {
  readonly addLocalCandidate: { readonly candidate: LocalCandidateInit };
  readonly removeLocalCandidate: { readonly address: LocalCandidateAddress };
  readonly setGatheringState: { readonly state: IceGatheringState };
  readonly reportCandidateError: { readonly error: IceCandidateError };
  readonly addRemoteCandidate: { readonly candidate: RemoteCandidate };
  readonly start: { readonly parameters: TransportParameters };
  /** Without SDP: the peer's credentials after a restart. */
  readonly setRemoteIceParameters: { readonly parameters: IceParameters };
  readonly setRemoteMaxMessageSize: { readonly size: number };
  readonly openData: { readonly parameters: DataParameters };
  readonly setMedia: { readonly plans: readonly MediaPlan[] };
  readonly requestKeyframe: { readonly mediaId: number; readonly rid?: string | undefined };
  readonly sendRemb: { readonly bitrate: number };
  /** `RtpSender.write()`. */
  readonly writeRtp: OfSender & {
    readonly packet: Omit<OutgoingPacket, 'payload'>;
    /** The payload of the packet. */
    readonly data: string | Uint8Array;
    readonly accepted: boolean;
  };
  readonly writeDtmf: OfSender & {
    readonly tones: string;
    readonly options?: DtmfOptions | undefined;
    readonly accepted: boolean;
  };
  readonly createChannel: {
    readonly channel: TraceChannel;
    readonly label: string;
    readonly options: DataChannelOptions;
    /** By `OfferDraft.addChannel` of the draft of this number (from 0). */
    readonly draft?: number | undefined;
  };
  readonly send: OfChannel<'send'>;
  readonly pauseReading: OfChannel<'pauseReading'>;
  readonly resumeReading: OfChannel<'resumeReading'>;
  /** `bufferedAmountLowThreshold` was set. */
  readonly setLowThreshold: OfChannel<'setLowThreshold'>;
  /** `priority` was set. */
  readonly setPriority: OfChannel<'setPriority'>;
  /** `DataChannel.close()`. */
  readonly closeChannel: OfChannel<'closeChannel'>;
  /** An endpoint's: whether the connection still has a path to itself. */
  readonly setPathHeld: { readonly path: PathAddresses; readonly held: boolean };
  readonly shutdown: object;
  readonly close: object;
}

/** The name of a call, as it stands in traces. */
export type CallName = keyof CallMembers;

/** Calls on an `Rtc` and on the handles that it gives out, as plain data, results included. */
export type TraceCall = {
  [Name in CallName]: { readonly method: Name } & CallMembers[Name];
}[CallName];

/** What calls are done on: a connection, and the handles that it has given out, as a trace numbers them. */
export interface CallTarget extends SignalingTarget {
  /** The `Rtc`, as far as calls go. */
  readonly rtc: SignalingTarget['rtc'] & {
    addLocalCandidate(candidate: LocalCandidateInit): unknown;
    removeLocalCandidate(address: LocalCandidateAddress): boolean;
    setGatheringState(state: IceGatheringState): void;
    reportCandidateError(error: IceCandidateError): void;
    addRemoteCandidate(candidate: RemoteCandidate): void;
    start(parameters: TransportParameters): void;
    setRemoteIceParameters(parameters: IceParameters): void;
    setRemoteMaxMessageSize(size: number): void;
    openData(parameters: DataParameters): void;
    closeData(): void;
    setMedia(plans: readonly MediaPlan[]): void;
    requestKeyframe(mediaId: number, rid?: string): boolean;
    sendRemb(bitrate: number): boolean;
    sender(mediaId: number, rid?: string): RtpSender | undefined;
    createChannel(label: string, options: DataChannelOptions): DataChannel;
    setPathHeld(path: PathAddresses, held: boolean): void;
    shutdown(): void;
    close(): void;
  };
  /** In the order in which they became known. */
  readonly channels: DataChannel[];
}

const channel: Field<TraceChannel> = object<TraceChannel>({ index: count, id: optional(count), label: text });

const CALLS: { readonly [Name in CallName]: CallRow<CallMembers[Name], CallTarget> } = {
  ...SIGNALING_CALLS,
  addLocalCandidate: {
    members: { candidate: plain() },
    describe: ({ candidate }) => `addLocalCandidate ${describeCandidate(candidate)}`,
    perform: ({ rtc }, { candidate }) => void rtc.addLocalCandidate(candidate),
  },
  removeLocalCandidate: {
    members: { address: plain() },
    describe: ({ address }) => `removeLocalCandidate ${formatAddress(address)} (${address.protocol})`,
    perform: ({ rtc }, { address }) => void rtc.removeLocalCandidate(address),
  },
  setGatheringState: {
    members: { state: oneOf('new', 'gathering', 'complete') },
    describe: ({ state }) => `setGatheringState ${state}`,
    perform: ({ rtc }, { state }) => {
      rtc.setGatheringState(state);
    },
  },
  reportCandidateError: {
    members: { error: plain() },
    describe: ({ error: { url, errorCode } }) => `reportCandidateError ${errorCode} of ${quote(url)}`,
    perform: ({ rtc }, { error }) => {
      rtc.reportCandidateError(error);
    },
  },
  addRemoteCandidate: {
    members: { candidate: plain() },
    describe: ({ candidate }) => `addRemoteCandidate ${describeCandidate(candidate)}`,
    perform: ({ rtc }, { candidate }) => {
      rtc.addRemoteCandidate(candidate);
    },
  },
  start: {
    members: { parameters: plain() },
    describe: () => 'start',
    perform: ({ rtc }, { parameters }) => {
      rtc.start(parameters);
    },
  },
  setRemoteIceParameters: {
    members: { parameters: plain() },
    describe: () => 'setRemoteIceParameters',
    perform: ({ rtc }, { parameters }) => {
      rtc.setRemoteIceParameters(parameters);
    },
  },
  setRemoteMaxMessageSize: {
    members: { size: plain() },
    describe: ({ size }) => `setRemoteMaxMessageSize ${size}`,
    perform: ({ rtc }, { size }) => {
      rtc.setRemoteMaxMessageSize(size);
    },
  },
  openData: {
    members: { parameters: plain() },
    describe: () => 'openData',
    perform: ({ rtc }, { parameters }) => {
      rtc.openData(parameters);
    },
  },
  setMedia: {
    members: { plans: plain() },
    describe: ({ plans }) => `setMedia: ${plans.length} sections`,
    perform: ({ rtc }, { plans }) => {
      rtc.setMedia(plans);
    },
  },
  requestKeyframe: {
    members: { mediaId: count, rid: optional(text) },
    describe: ({ mediaId, rid }) => `requestKeyframe of ${describeEncoding(mediaId, rid)}`,
    perform: ({ rtc }, { mediaId, rid }) => void rtc.requestKeyframe(mediaId, rid),
  },
  sendRemb: {
    members: { bitrate: plain() },
    describe: ({ bitrate }) => `sendRemb ${bitrate}`,
    perform: ({ rtc }, { bitrate }) => void rtc.sendRemb(bitrate),
  },
  writeRtp: {
    members: { mediaId: count, rid: optional(text), packet: plain(), data: payload, accepted: flag },
    describe: ({ mediaId, rid, data, accepted }) =>
      `write on ${describeEncoding(mediaId, rid)}: ${describeData(data)}${accepted ? '' : ', refused'}`,
    perform: ({ rtc }, { mediaId, rid, packet, data }) =>
      void rtc
        .sender(mediaId, rid)
        ?.write({ ...packet, payload: typeof data === 'string' ? NO_BYTES : data }),
  },
  writeDtmf: {
    members: {
      mediaId: count,
      rid: optional(text),
      tones: text,
      options: optional(plain<DtmfOptions>()),
      accepted: flag,
    },
    describe: ({ mediaId, rid, tones, accepted }) =>
      `writeDtmf on ${describeEncoding(mediaId, rid)}: ${quote(tones)}${accepted ? '' : ', refused'}`,
    perform: ({ rtc }, { mediaId, rid, tones, options }) =>
      void rtc.sender(mediaId, rid)?.writeDtmf(tones, options),
  },
  createChannel: {
    members: { channel, label: text, options: plain(), draft: optional(count) },
    describe: (call) => `createChannel ${describeChannel(call.channel)}`,
    perform: (target, { label, options, draft }) => {
      const made =
        draft === undefined
          ? target.rtc.createChannel(label, options)
          : target.draft(draft).addChannel(label, options);
      target.channels.push(made);
    },
  },
  send: {
    members: { channel, data: payload, options: optional(plain<SendOptions>()), accepted: flag },
    describe: (call) =>
      `send on ${describeChannel(call.channel)}: ${describeData(call.data)}${call.accepted ? '' : ', refused'}`,
    perform: ({ channels }, call) => void channels[call.channel.index]?.send(call.data, call.options),
  },
  pauseReading: {
    members: { channel },
    describe: (call) => `pauseReading on ${describeChannel(call.channel)}`,
    perform: ({ channels }, call) => channels[call.channel.index]?.pauseReading(),
  },
  resumeReading: {
    members: { channel },
    describe: (call) => `resumeReading on ${describeChannel(call.channel)}`,
    perform: ({ channels }, call) => channels[call.channel.index]?.resumeReading(),
  },
  setLowThreshold: {
    members: { channel, bytes: count },
    describe: (call) => `bufferedAmountLowThreshold of ${describeChannel(call.channel)} = ${call.bytes}`,
    perform: ({ channels }, call) => {
      const handle = channels[call.channel.index];
      if (handle !== undefined) handle.bufferedAmountLowThreshold = call.bytes;
    },
  },
  setPriority: {
    members: { channel, priority: oneOf('very-low', 'low', 'medium', 'high') },
    describe: (call) => `priority of ${describeChannel(call.channel)} = ${call.priority}`,
    perform: ({ channels }, call) => {
      const handle = channels[call.channel.index];
      if (handle !== undefined) handle.priority = call.priority;
    },
  },
  closeChannel: {
    members: { channel },
    describe: (call) => `close ${describeChannel(call.channel)}`,
    perform: ({ channels }, call) => channels[call.channel.index]?.close(),
  },
  setPathHeld: {
    members: { path: plain(), held: flag },
    describe: ({ path: { local, remote, protocol }, held }) => {
      const path = `${formatAddress(local)} – ${formatAddress(remote)} (${protocol})`;
      return held ? `has ${path} again` : `has lost ${path} to another connection`;
    },
    perform: ({ rtc }, { path, held }) => {
      rtc.setPathHeld(path, held);
    },
  },
  shutdown: {
    members: {},
    describe: () => 'shutdown',
    perform: ({ rtc }) => {
      rtc.shutdown();
    },
  },
  close: {
    members: {},
    describe: () => 'close',
    perform: ({ rtc }) => {
      rtc.close();
    },
  },
};

/** The row of a call; whoever takes it hands it the members of that call. */
function rowOf({ method }: TraceCall): CallRow<object, CallTarget> {
  return CALLS[method];
}

/** How a call stands in a file: `method`, then the members of its row. */
export const callField: Field<TraceCall> = variants<'method', TraceCall>(
  'method',
  Object.fromEntries(Object.entries(CALLS).map(([name, { members }]) => [name, members])) as Parameters<
    typeof variants<'method', TraceCall>
  >[1],
);

/** How a channel stands in a file. */
export const channelField: Field<TraceChannel> = channel;

export { describeMedia, mediaField } from './signaling/calls.ts';

/** A call in one line: `send on channel 0 "chat" (stream 1): 12 bytes`. */
export function describeCall(call: TraceCall): string {
  return rowOf(call).describe(call);
}

/** Does a recorded call again. Throws what the call throws. */
export function performCall(target: CallTarget, call: TraceCall): void {
  rowOf(call).perform(target, call);
}

/** `channel 0 "chat" (stream 1)`. */
export function describeChannel({ index, id, label }: TraceChannel): string {
  return `channel ${index} ${quote(label)}${id === undefined ? '' : ` (stream ${id})`}`;
}

function describeEncoding(mediaId: number, rid: string | undefined): string {
  return rid === undefined ? `media ${mediaId}` : `media ${mediaId}, encoding ${quote(rid)}`;
}

/** How much an application says, and not what. */
export function describeData(data: string | Uint8Array): string {
  return typeof data === 'string' ? `text of ${data.length} characters` : `${data.length} bytes`;
}

function describeCandidate(candidate: LocalCandidateInit | RemoteCandidate): string {
  return quote(typeof candidate === 'string' ? candidate : JSON.stringify(candidate));
}
