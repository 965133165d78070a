/**
 * Media over a secured path: streams of RTP and what belongs to them.
 *
 * @module
 */
export type * from './contract.ts';
export type { MediaInspection } from './inspection.ts';
export type { MediaOptions } from './options.ts';
export { MEDIA_SUPPORT_RULES } from './options.ts';
export type { ReceiveOptions } from './receive/options.ts';
export type { SendOptions } from './send/options.ts';
export type { ReportIntervals } from './report-schedule.ts';
export type { MediaStats, ReceivedStreamStats, SentStreamStats } from './stats.ts';
export { rtpMedia } from './support.ts';
export type * from './parameters.ts';
export type * from './rtp-stats.ts';

// Forwarding: one stream out of many, as a receiver is sent it.
export { SourceSwitch } from './forward/source-switch.ts';
export type { SourceSwitchCounter, SourceSwitchOptions } from './forward/source-switch.ts';
export { LayerSelector } from './forward/layer-selector.ts';
export type {
  LayerKeyframeWish,
  LayerSelectorCounter,
  LayerSelectorOptions,
} from './forward/layer-selector.ts';
export type { ReportedTime } from './forward/timeline.ts';

// Feedback: arrivals told of, packets sent and what became of them.
export { ArrivalRecorder } from './feedback/arrival-recorder.ts';
export { CongestionRecorder } from './feedback/congestion-recorder.ts';
export type { FeedbackOptions, SentPacketsOptions } from './feedback/options.ts';
export { SentPackets } from './feedback/sent-packets.ts';
export type { SentPacketsCounter } from './feedback/sent-packets.ts';

// Frames: packets in their order, and what is in them.
export { ReorderBuffer } from './frames/reorder-buffer.ts';
export type { OrderedPacket, ReorderBufferCounter, ReorderBufferOptions } from './frames/reorder-buffer.ts';
export { OpusDepacketizer, opusDuration } from './frames/opus-depacketizer.ts';
export type { OpusDepacketizerCounter, OpusFrame } from './frames/opus-depacketizer.ts';
export { Vp8Depacketizer } from './frames/vp8-depacketizer.ts';
export type { Vp8DepacketizerCounter, Vp8DepacketizerOptions, Vp8Frame } from './frames/vp8-depacketizer.ts';
