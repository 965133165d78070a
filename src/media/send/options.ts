/** Options of what is sent: every wait and every bound has a name, a default and a reason. Sizes are bytes, times milliseconds. */
import type { OptionRules } from '../../core/options.ts';
import { checkOptions, integer, nested, number, wait, withDefaults } from '../../core/options.ts';
import type { SentPacketsOptions } from '../feedback/options.ts';
import { SENT_PACKETS_OPTION_RULES } from '../feedback/options.ts';

/** How much of each stream waits and is remembered, and for how long; whatever is left out has its default. */
export interface SendOptions {
  /** Packets of one sender that wait to be polled; `write` answers false for further ones. Default 1024. */
  readonly maxQueuedPackets?: number | undefined;
  /** Bytes of payload that wait so. Default 2 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Gate `rtpWrite`: packets that wait while none goes out are dropped after so long, and counted: late media help nobody. Default 2000. */
  readonly writeTimeout?: number | undefined;
  /** Packets of one sender that can be sent again. 0: nothing is. Default 1024. */
  readonly historyPackets?: number | undefined;
  /** Bytes of payload that are kept for it. Default 2 MiB. */
  readonly historyBytes?: number | undefined;
  /** How long a packet can be sent again. Default 2000. */
  readonly historyTime?: number | undefined;
  /** Bytes sent again, as a share of what the sender sends for the first time, 0–1. Default 0.25. */
  readonly retransmissionShare?: number | undefined;
  /** Bytes that may be sent again beyond that share, so that the loss of a first keyframe can be mended. Default 65 536. */
  readonly retransmissionBurst?: number | undefined;
  /** Between two `keyframerequest` events of one sender; what the peer asks for meanwhile is told at its end, once. Default 500. */
  readonly keyframeRequestInterval?: number | undefined;
  /** Tones of DTMF of one sender that wait. Default 128. */
  readonly maxQueuedTones?: number | undefined;
  /**
   * Milliseconds to add to the caller's clock for the time since 1900 that sender reports tell. Default 0, with which the peer can
   * align our streams with one another, and with nothing else.
   */
  readonly ntpOffset?: number | undefined;
  /** What is remembered of packets until the peer's feedback tells of them. */
  readonly sentPackets?: SentPacketsOptions | undefined;
}

/** Options with their defaults. */
export type SendSettings = { readonly [Name in keyof SendOptions]-?: NonNullable<SendOptions[Name]> };

const DEFAULTS: SendSettings = {
  maxQueuedPackets: 1024,
  maxQueuedBytes: 2_097_152,
  writeTimeout: 2000,
  historyPackets: 1024,
  historyBytes: 2_097_152,
  historyTime: 2000,
  retransmissionShare: 0.25,
  retransmissionBurst: 65_536,
  keyframeRequestInterval: 500,
  maxQueuedTones: 128,
  ntpOffset: 0,
  sentPackets: {},
};

/** More would be behind what a 16-bit sequence number can tell. */
const MAX_HISTORY = 32_768;

/** What each option must be. */
export const SEND_OPTION_RULES: OptionRules<SendOptions> = {
  maxQueuedPackets: integer(1),
  maxQueuedBytes: integer(1),
  writeTimeout: wait,
  historyPackets: integer(0, MAX_HISTORY),
  historyBytes: integer(0),
  historyTime: number(1, 60_000),
  retransmissionShare: number(0, 1),
  retransmissionBurst: integer(0),
  keyframeRequestInterval: number(0, 60_000),
  maxQueuedTones: integer(1),
  ntpOffset: number(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  sentPackets: nested(SENT_PACKETS_OPTION_RULES),
};

/** Fills in the defaults. Throws `ERR_BAD_ARGUMENT` for an option that is unknown or out of its range. */
export function sendSettings(options: SendOptions): SendSettings {
  checkOptions('send', options, SEND_OPTION_RULES);
  return withDefaults(DEFAULTS, options);
}
