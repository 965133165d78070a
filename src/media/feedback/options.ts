/** Options of feedback: how often it is given, and how much is remembered for it. */
import type { OptionRules } from '../../core/options.ts';
import { integer, number, wait } from '../../core/options.ts';
import { MAX_NAMED_PACKETS } from '../../rtp/index.ts';

/** Bytes of chunks, deltas and streams that one feedback has at the most: two of them fit a datagram of any path. */
export const LARGEST_FEEDBACK = 500;

/** Options of what tells the peer which of its packets have come. */
export interface FeedbackOptions {
  /** Milliseconds from one feedback to the next. Default 100. */
  readonly interval?: number | undefined;
  /** The same above `fastAbove`. Default 50. */
  readonly fastInterval?: number | undefined;
  /** Bits per second received above which feedback is given more often. Default 2,000,000. */
  readonly fastAbove?: number | undefined;
  /**
   * Packets, come or not, that are remembered until they have been told of, 512–8,192; of streams that count for themselves (RFC 8888)
   * so many are told of each time, all together. Default 8,192.
   */
  readonly maxArrivals?: number | undefined;
  /** Streams that are told of where each counts for itself (RFC 8888). Default 64. */
  readonly maxStreams?: number | undefined;
}

/** The rules of `FeedbackOptions`. */
export const FEEDBACK_OPTION_RULES: OptionRules<FeedbackOptions> = {
  interval: wait,
  fastInterval: wait,
  fastAbove: number(0, Infinity),
  maxArrivals: integer(512, MAX_NAMED_PACKETS),
  maxStreams: integer(1, 4096),
};

/** Options of what remembers packets that were sent until the peer tells of them. */
export interface SentPacketsOptions {
  /** Packets, 256–65,536. Default 4,096. */
  readonly maxSentPackets?: number | undefined;
  /** Milliseconds. Default 10,000. */
  readonly maxAge?: number | undefined;
}

/** The rules of `SentPacketsOptions`. */
export const SENT_PACKETS_OPTION_RULES: OptionRules<SentPacketsOptions> = {
  maxSentPackets: integer(256, 65_536),
  maxAge: wait,
};
