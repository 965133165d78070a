/** Options of what is received: every wait and every bound has a name, a default and a reason. Times are milliseconds. */
import type { OptionRules } from '../../core/options.ts';
import { checkOptions, flag, integer, nested, number, wait, withDefaults } from '../../core/options.ts';
import type { FeedbackOptions } from '../feedback/options.ts';
import { FEEDBACK_OPTION_RULES } from '../feedback/options.ts';
import { SEQUENCE_WINDOW } from './sequence-window.ts';

/** How received streams are kept, and how long is waited for what. */
export interface ReceiveOptions {
  /**
   * Sources that are received at once, those of RTX among them; as many more are remembered after their end. Default 1024, as
   * many as SRTP keeps.
   */
  readonly maxStreams?: number | undefined;
  /** Events that wait for the host; packets beyond are dropped, as if the path had lost them. Default 2048. */
  readonly maxQueuedPackets?: number | undefined;
  /** Bytes of the packets in them. Default 4 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** The least time that a packet may be late before it is asked for. Default 10: what is reordered comes by then. */
  readonly nackDelay?: number | undefined;
  /** The same on a path where packets come so late that were not lost. Default 100: beyond, asking is better than waiting. 0: never longer. */
  readonly maxNackDelay?: number | undefined;
  /** The least time until it is asked for again; a round trip, if that is longer. Default 20. */
  readonly nackInterval?: number | undefined;
  /** How often a packet is asked for, 1–100. Default 10. */
  readonly maxNacks?: number | undefined;
  /** Packets behind the latest one that are asked for, 16–1024. Default 512; beyond, they are given up. */
  readonly nackWindow?: number | undefined;
  /** Gate `nack`: a packet that was asked for does not come. Default 3000: afterwards no peer has it any more. */
  readonly nackTimeout?: number | undefined;
  /**
   * Whether a keyframe is asked for when packets of video are given up, unless one has begun since. Default true. A forwarding unit may
   * leave it to whoever decodes: its subscribers miss the same packets, and ask.
   */
  readonly keyframeAfterLoss?: boolean | undefined;
  /** The least time between two requests for a keyframe of a stream; repetitions double it. Default 500. */
  readonly keyframeInterval?: number | undefined;
  /** Gate `keyframe`: a keyframe was asked for and does not come. Default 10 000. */
  readonly keyframeTimeout?: number | undefined;
  /** Gate `streamPause`: nothing comes of a stream. Default 1500. */
  readonly pauseTimeout?: number | undefined;
  /** Gate `streamSilence`: nothing comes of a stream for so long that it has ended. Default 30 000. */
  readonly streamTimeout?: number | undefined;
  /** Gate `toneEnd`: neither the end of a tone comes nor more of it. Default 500. */
  readonly toneTimeout?: number | undefined;
  /** Transport-wide feedback, where it is agreed on. */
  readonly feedback?: FeedbackOptions | undefined;
}

/** The options with their defaults filled in. */
export type ReceiveSettings = {
  readonly [Name in keyof ReceiveOptions]-?: NonNullable<ReceiveOptions[Name]>;
};

/** What each option must be. */
export const RECEIVE_OPTION_RULES: OptionRules<ReceiveOptions> = {
  maxStreams: integer(1, 65_536),
  maxQueuedPackets: integer(1),
  maxQueuedBytes: integer(1),
  nackDelay: number(0),
  maxNackDelay: number(0),
  nackInterval: number(1),
  maxNacks: integer(1, 100),
  nackWindow: integer(16, SEQUENCE_WINDOW),
  nackTimeout: wait,
  keyframeAfterLoss: flag,
  keyframeInterval: number(1),
  keyframeTimeout: wait,
  pauseTimeout: wait,
  streamTimeout: wait,
  toneTimeout: wait,
  feedback: nested(FEEDBACK_OPTION_RULES),
};

const DEFAULTS: ReceiveSettings = {
  maxStreams: 1024,
  maxQueuedPackets: 2048,
  maxQueuedBytes: 4_194_304,
  nackDelay: 10,
  maxNackDelay: 100,
  nackInterval: 20,
  maxNacks: 10,
  nackWindow: 512,
  nackTimeout: 3000,
  keyframeAfterLoss: true,
  keyframeInterval: 500,
  keyframeTimeout: 10_000,
  pauseTimeout: 1500,
  streamTimeout: 30_000,
  toneTimeout: 500,
  feedback: {},
};

/** The options, checked, with their defaults. Throws `ERR_BAD_ARGUMENT`. */
export function receiveSettings(options: ReceiveOptions): ReceiveSettings {
  checkOptions<ReceiveOptions>('Receiver', options, RECEIVE_OPTION_RULES);
  return withDefaults(DEFAULTS, options);
}
