/** A user message as the association takes it: the channel's reliability and priority, or the message's own. */
import type { SctpMessage } from '../sctp/index.ts';
import type { AskedMessage, ChannelState } from './data-channel.ts';
import type { SendOptions } from './options.ts';
import { PRIORITY } from './options.ts';

/** @param asked whom its outcome belongs to, if somebody wants to know it. */
export function outgoing(
  { settings }: ChannelState,
  ppid: number,
  data: Uint8Array,
  options: SendOptions,
  asked: AskedMessage | undefined,
): SctpMessage {
  const { maxRetransmits = settings.maxRetransmits, maxPacketLifeTime = settings.maxPacketLifeTime } =
    options;
  const priority = PRIORITY[options.priority ?? settings.priority];
  return {
    ppid,
    data,
    unordered: !settings.ordered,
    maxRetransmits,
    maxPacketLifeTime,
    priority,
    token: asked,
  };
}
