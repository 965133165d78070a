/** Options of media: what `rtpMedia` can be told, the rules for it, and every default. */
import type { OptionRules } from '../core/options.ts';
import { checkOptions, nested, number, ownOptions, withDefaults } from '../core/options.ts';
import type { SrtpOptions } from '../srtp/index.ts';
import { SRTP_OPTION_RULES } from '../srtp/index.ts';
import type { ReceiveOptions, ReceiveSettings } from './receive/options.ts';
import { RECEIVE_OPTION_RULES, receiveSettings } from './receive/options.ts';
import type { ReportIntervals } from './report-schedule.ts';
import type { SendOptions, SendSettings } from './send/options.ts';
import { SEND_OPTION_RULES, sendSettings } from './send/options.ts';

/** Options of media; everything has a safe default. */
export interface MediaOptions {
  readonly srtp?: SrtpOptions | undefined;
  readonly receive?: ReceiveOptions | undefined;
  readonly send?: SendOptions | undefined;
  /** Milliseconds between two sender and receiver reports, on average. Default 5000 where audio alone flows, 1000 with video. */
  readonly reports?: Partial<ReportIntervals> | undefined;
}

/** The options with every default in its place. */
export interface MediaSettings {
  readonly receive: ReceiveSettings;
  readonly send: SendSettings;
  readonly reports: ReportIntervals;
}

/** What each option must be. */
export const MEDIA_SUPPORT_RULES: OptionRules<MediaOptions> = {
  srtp: nested(SRTP_OPTION_RULES),
  receive: nested(RECEIVE_OPTION_RULES),
  send: nested(SEND_OPTION_RULES),
  reports: nested<Partial<ReportIntervals>>({ audio: number(100, 60_000), video: number(100, 60_000) }),
};

/** Fills in the defaults. Throws `ERR_BAD_ARGUMENT` for an option that is unknown or out of its range. */
export function mediaSettings(options: MediaOptions): MediaSettings {
  checkOptions('rtpMedia', options, MEDIA_SUPPORT_RULES);
  const { receive = {}, send = {}, reports } = ownOptions(options);
  return {
    receive: receiveSettings(receive),
    send: sendSettings(send),
    reports: withDefaults({ audio: 5000, video: 1000 }, reports),
  };
}
