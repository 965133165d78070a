/**
 * `sansrtc/trace`: recordings of a connection as plain data: read, written, replayed, shown.
 *
 * @module
 */
export type { TraceConfiguration, TraceHeader, Trace } from './trace.ts';
export { redactTrace, traceHeader } from './trace.ts';
export { formatEntry, formatHeader, formatTrace, parseTrace } from './format.ts';
export { describeEntry, describeTrace } from './describe.ts';
export { TraceRefusal } from '../rtc/tracer/fields.ts';
export type { RecordOptions, Recording } from './record.ts';
export { TraceRecorder, recordRtc } from './record.ts';
export type { Divergence, ReplayOptions, ReplayOutcome } from './replay.ts';
export { replay } from './replay.ts';
export type { LoggedDatagram, Passage, PassagePacket, PassageSource } from './passages.ts';
export type { LadderOptions } from './ladder.ts';
export { ladderSvg } from './ladder.ts';
export type { PcapngOptions } from './pcapng.ts';
export { pcapng } from './pcapng.ts';
