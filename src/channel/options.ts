/**
 * Options of an application: for all channels (gates and limits, with their defaults) and for one. Checked here,
 * once, before anything has changed.
 */
import type { Clock } from '../core/clock.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import {
  callback,
  checkOptions,
  flag,
  having,
  integer,
  nested,
  number,
  oneOf,
  text,
  wait,
  withDefaults,
} from '../core/options.ts';
import { decodeUtf8, encodeUtf8 } from '../core/text.ts';
import type { DcepLimits, DcepOpen } from './dcep.ts';
import { DCEP_MAX_TEXT } from './dcep.ts';
import type { EarlyLimits } from './early-messages.ts';

/** How long each wait may last, in milliseconds; `Infinity` waits for ever. */
export interface ChannelGates {
  /** Our OPEN is due and neither its ACK nor data has come: the channel fails, the association lives. */
  readonly openAck: number;
  /** Something has come on a stream without a channel, and neither its OPEN nor our negotiated channel has: it is reset. */
  readonly inboundOpen: number;
  /** `close()` was called with data still queued: the rest is discarded. */
  readonly closeDrain: number;
  /** Our side is drained and one of the two resets is outstanding: the channel closes, its id is not used again. */
  readonly streamReset: number;
  /** A message in deprecated partial pieces gets no further piece: the channel fails. */
  readonly reassembly: number;
}

/** A gate of a channel: a wait with an end. */
export type GateName = keyof ChannelGates;

/** The gates unless the options say otherwise, milliseconds. */
export const DEFAULT_CHANNEL_GATES: ChannelGates = {
  openAck: 10_000,
  inboundOpen: 10_000,
  closeDrain: 30_000,
  streamReset: 10_000,
  reassembly: 60_000,
};

/** Bounds on what the peer, or the application, can make the channels of one association hold. */
export interface ChannelLimits extends DcepLimits, EarlyLimits {
  /** Channels and half-opened streams at once, of both sides together. Chromium opens up to 1024. */
  readonly maxChannels: number;
  /**
   * Streams without a channel at once, that were refused and whose resets are outstanding, or that were given up. What
   * begins on further ones is dropped without an answer.
   */
  readonly maxRefusedStreams: number;
  /** Bytes of UTF-8 in a label, ours or the peer's; at most 65535. Default 1024: every channel holds its own. */
  readonly maxLabelLength: number;
  /** Bytes of UTF-8 in a protocol name, ours or the peer's; at most 65535. Default 1024. */
  readonly maxProtocolLength: number;
  /** Bytes that the partial pieces of one message may add up to. (The association bounds whole messages.) */
  readonly maxMessageSize: number;
}

/** The limits unless the options say otherwise. */
export const DEFAULT_CHANNEL_LIMITS: ChannelLimits = {
  maxChannels: 1024,
  maxRefusedStreams: 1024,
  maxLabelLength: 1024,
  maxProtocolLength: 1024,
  maxMessageSize: 262_144,
  maxEarlyMessages: 256,
  maxEarlyBytes: 262_144,
};

/** Options of the channels of an association. */
export interface ChannelOptions {
  /** The clock of the connection that the channels are part of; without one they have their own. */
  readonly clock?: Clock | undefined;
  readonly gates?: Partial<ChannelGates> | undefined;
  readonly limits?: Partial<ChannelLimits> | undefined;
  /**
   * Takes a peer's OPEN on a free identifier of our parity, and counts it (`openWrongParity`). Such a peer breaks RFC 8832
   * §6, which wants the channel closed; aiortc does so as offerer and DTLS client, and would get no channel open. Taking
   * it risks nothing that refusing it does not: an identifier in use is refused either way, so two ends that open the same
   * one at the same moment both lose it, and ours are chosen from the free ones. Default true.
   */
  readonly tolerateParity?: boolean | undefined;
  /** Called after a call on a channel's handle has made output outside of `handle*`, so that the host polls. */
  readonly onActivity?: (() => void) | undefined;
  /** What `DataChannel.connection` answers: the connection that the channels are part of. */
  readonly connection?: object | undefined;
}

/** W3C RTCPriorityType; RFC 8831 §6.4 gives the numbers. */
export type ChannelPriority = 'very-low' | 'low' | 'medium' | 'high';

/** W3C RTCDataChannelInit. */
export interface DataChannelOptions {
  /** Messages arrive in the order of sending. Default true. */
  readonly ordered?: boolean | undefined;
  /** 0–65535 retransmissions, then a message is given up. Excludes `maxPacketLifeTime`. Default: reliable. */
  readonly maxRetransmits?: number | undefined;
  /** 0–65535 milliseconds, then a message is given up. Excludes `maxRetransmits`. Default: reliable. */
  readonly maxPacketLifeTime?: number | undefined;
  /** The subprotocol's name, for the peer's application. Default empty. */
  readonly protocol?: string | undefined;
  /** Default `low`. */
  readonly priority?: ChannelPriority | undefined;
  /** Both applications create the channel with the same `id`, and no OPEN is sent. Default false. */
  readonly negotiated?: boolean | undefined;
  /** 0–65534; with `negotiated`, and only then. */
  readonly id?: number | undefined;
}

/** How one message is to be treated, where it differs from its channel. */
export interface SendOptions {
  /**
   * Milliseconds from now, 0 or more, then the message is given up, sent or not: a deadline. In place of the channel's
   * limit of that name; on a reliable channel too, where its place in the order is skipped.
   */
  readonly maxPacketLifeTime?: number | undefined;
  /** A whole number, 0 or more: retransmissions before it is given up. In place of the channel's limit of that name. */
  readonly maxRetransmits?: number | undefined;
  /** Against messages of other channels. Default: the channel's. */
  readonly priority?: ChannelPriority | undefined;
  /** Asks for one `messageoutcome` event that carries it, if `send` accepts the message or refuses it as too large. */
  readonly id?: number | string | undefined;
}

/** A channel's properties, checked and complete. */
export interface ChannelSettings {
  readonly label: string;
  readonly protocol: string;
  readonly ordered: boolean;
  readonly maxRetransmits: number | undefined;
  readonly maxPacketLifeTime: number | undefined;
  readonly priority: ChannelPriority;
  readonly negotiated: boolean;
  /** The stream that both applications have agreed on; `undefined` unless `negotiated`. */
  readonly id?: number | undefined;
  readonly origin: 'local' | 'remote';
}

/** W3C RTCDataChannelInit has it so. */
export const DEFAULT_PRIORITY: ChannelPriority = 'low';

/** RFC 8831 §6.4. */
export const PRIORITY: Readonly<Record<ChannelPriority, number>> = {
  'very-low': 128,
  low: 256,
  medium: 512,
  high: 1024,
};

/** RFC 8832 §8.2: 65535 is reserved. */
export const MAX_STREAM_ID = 65534;

const GATE_RULES: OptionRules<ChannelGates> = {
  openAck: wait,
  inboundOpen: wait,
  closeDrain: wait,
  streamReset: wait,
  reassembly: wait,
};

const LIMIT_RULES: OptionRules<ChannelLimits> = {
  maxChannels: integer(1, MAX_STREAM_ID + 1),
  maxRefusedStreams: integer(0, MAX_STREAM_ID + 1),
  maxLabelLength: integer(0, DCEP_MAX_TEXT),
  maxProtocolLength: integer(0, DCEP_MAX_TEXT),
  maxMessageSize: integer(1),
  maxEarlyMessages: integer(0),
  maxEarlyBytes: integer(0),
};

/** What each of `ChannelOptions` must be. */
export const CHANNEL_OPTION_RULES: OptionRules<ChannelOptions> = {
  clock: having('a Clock', ['observe', 'hear']),
  gates: nested(GATE_RULES),
  limits: nested(LIMIT_RULES),
  tolerateParity: flag,
  onActivity: callback,
  connection: having('an object', []),
};

const priorityRule: OptionRule = oneOf(['very-low', 'low', 'medium', 'high']);

const DATA_CHANNEL_RULES: OptionRules<DataChannelOptions> = {
  ordered: flag,
  maxRetransmits: integer(0, 0xffff),
  maxPacketLifeTime: integer(0, 0xffff),
  protocol: text(),
  priority: priorityRule,
  negotiated: flag,
  id: integer(0, MAX_STREAM_ID),
};

const messageIdRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw badArgument(name, 'a string or a number', value);
  }
};

const SEND_RULES: OptionRules<SendOptions> = {
  maxPacketLifeTime: number(0, Infinity),
  maxRetransmits: integer(0),
  priority: priorityRule,
  id: messageIdRule,
};

/** Throws `ERR_BAD_ARGUMENT` for gates that are not positive and limits that are not whole numbers in range. */
export function checkChannelOptions(options: ChannelOptions): {
  gates: ChannelGates;
  limits: ChannelLimits;
} {
  checkOptions('DataChannels', options, CHANNEL_OPTION_RULES);
  return {
    gates: withDefaults(DEFAULT_CHANNEL_GATES, options.gates),
    limits: withDefaults(DEFAULT_CHANNEL_LIMITS, options.limits),
  };
}

/** Settings of a channel of our own making. Throws `ERR_BAD_ARGUMENT`. */
export function localSettings(
  label: string,
  options: DataChannelOptions,
  limits: ChannelLimits,
): ChannelSettings {
  checkOptions('createChannel', options, DATA_CHANNEL_RULES);
  const { ordered = true, protocol = '', priority = DEFAULT_PRIORITY, negotiated = false } = options;
  const { maxRetransmits, maxPacketLifeTime, id } = options;
  if (maxPacketLifeTime !== undefined && maxRetransmits !== undefined) {
    throw badArgument('maxPacketLifeTime', 'nothing beside "maxRetransmits"', maxPacketLifeTime);
  }
  if (negotiated && id === undefined) throw badArgument('id', `an integer from 0 to ${MAX_STREAM_ID}`, id);
  if (!negotiated && id !== undefined) throw badArgument('id', 'nothing without "negotiated"', id);
  return {
    label: checkedText('label', label, limits.maxLabelLength),
    protocol: checkedText('protocol', protocol, limits.maxProtocolLength),
    ordered,
    maxRetransmits,
    maxPacketLifeTime,
    priority,
    negotiated,
    id,
    origin: 'local',
  };
}

/** Throws `ERR_BAD_ARGUMENT`. */
export function checkSendOptions(options: SendOptions): void {
  checkOptions('send', options, SEND_RULES);
}

/** Throws `ERR_BAD_ARGUMENT`. */
export function checkPriority(priority: ChannelPriority): void {
  priorityRule(priority, 'priority');
}

/** Settings of a channel that the peer opened. */
export function remoteSettings(open: DcepOpen): ChannelSettings {
  return {
    label: open.label,
    protocol: open.protocol,
    ordered: open.ordered,
    maxRetransmits: open.maxRetransmits,
    maxPacketLifeTime: open.maxPacketLifeTime,
    priority: priorityOf(open.priority),
    negotiated: false,
    origin: 'remote',
  };
}

/** The named priority that a number on the wire falls into (Chromium sends 256, Firefox 0). */
function priorityOf(value: number): ChannelPriority {
  if (value <= PRIORITY['very-low']) return 'very-low';
  if (value <= PRIORITY.low) return 'low';
  return value <= PRIORITY.medium ? 'medium' : 'high';
}

/** The text as the peer will read it: a lone surrogate has no UTF-8 and becomes U+FFFD (W3C's USVString). */
function checkedText(name: string, text: string, maxLength: number): string {
  const expected = `a string of at most ${maxLength} bytes in UTF-8`;
  if (typeof text !== 'string') throw badArgument(name, expected, text);
  const bytes = encodeUtf8(text);
  if (bytes.length > maxLength) throw badArgument(name, expected, `one of ${bytes.length} bytes`);
  return decodeUtf8(bytes);
}
