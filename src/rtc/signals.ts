/**
 * Signals: what two ends say to each other to negotiate, as JSON would carry it. The shape is that of W3C's example of perfect
 * negotiation (webrtc-pc §10.7), so that a page which follows it can be the other end; `sequence` is ours, and pages pass it over.
 */
import { badArgument, RtcError } from '../core/errors.ts';
import type { CandidateInit } from '../sdp/index.ts';

/** A description, or a candidate of the descriptions sent before. */
export type Signal = DescriptionSignal | CandidateSignal;

/** An offer or an answer. */
export interface DescriptionSignal {
  readonly description: { readonly type: 'offer' | 'answer' | 'pranswer'; readonly sdp: string };
  /**
   * Counts the signals of one end from 0, so that a way which reorders them, or brings one twice, does no harm. Absent: the way
   * keeps their order.
   */
  readonly sequence?: number | undefined;
}

/** A candidate; `null`, or one with an empty line, says that no more will come. */
export interface CandidateSignal {
  readonly candidate: Partial<CandidateInit> | null;
  readonly sequence?: number | undefined;
}

/**
 * The signal that a value is; what is in it is for its reader to judge. `ERR_BAD_ARGUMENT`, answered and not thrown, for a value
 * that is none: it comes from the peer. A `rollback` of W3C's is none either: offers are taken back by answering the other one.
 */
export function readSignal(value: unknown): Signal | RtcError {
  if (typeof value !== 'object' || value === null) return malformed(value);
  const { description, candidate, sequence } = value as Readonly<Record<string, unknown>>;
  if (sequence !== undefined && !(Number.isSafeInteger(sequence) && Number(sequence) >= 0)) {
    return badArgument('signal.sequence', 'an integer from 0', sequence);
  }
  const order = sequence === undefined ? {} : { sequence: Number(sequence) };
  // Pages send the one that they have, and leave the other out or null.
  if (description !== undefined && description !== null) {
    const read = readDescription(description);
    return read instanceof RtcError ? read : { description: read, ...order };
  }
  if (candidate === null) return { candidate: null, ...order };
  if (typeof candidate === 'object') return { candidate, ...order };
  return malformed(value);
}

function readDescription(value: unknown): DescriptionSignal['description'] | RtcError {
  if (typeof value !== 'object' || value === null)
    return badArgument('signal.description', 'an object', value);
  const { type, sdp } = value as Readonly<Record<string, unknown>>;
  if (type !== 'offer' && type !== 'answer' && type !== 'pranswer') {
    return badArgument('signal.description.type', '"offer", "answer" or "pranswer"', type);
  }
  return typeof sdp === 'string' ? { type, sdp } : badArgument('signal.description.sdp', 'a string', sdp);
}

function malformed(value: unknown): RtcError {
  return badArgument('signal', '{ description } or { candidate }', value);
}
