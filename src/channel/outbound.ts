/** A user message as the association takes it: the channel's reliability or the message's own; its own priority, or the stream's. */
import type { SctpMessage } from '../sctp/index.ts';
import type { AskedMessage, ChannelState } from './data-channel.ts';
import type { SendOptions } from './options.ts';
import { PRIORITY } from './options.ts';
import type { Payload } from './payload.ts';

/** @param asked whom its outcome belongs to, if somebody wants to know it. */
export function outgoing(
  { settings }: ChannelState,
  { ppid, data }: Payload,
  options: SendOptions,
  asked: AskedMessage | undefined,
): SctpMessage {
  const { maxRetransmits = settings.maxRetransmits, maxPacketLifeTime = settings.maxPacketLifeTime } =
    options;
  return {
    ppid,
    data,
    unordered: !settings.ordered,
    maxRetransmits,
    maxPacketLifeTime,
    priority: options.priority === undefined ? undefined : PRIORITY[options.priority],
    token: asked,
  };
}
