/**
 * ChannelOutcomes: a check that every channel has one end. After its `channelclose` nothing more is heard of it, and before the connection's `closed`
 * it has come. Watched over the events of one machine, for whatever in them looks like a data channel.
 */
import type { SimOutput } from './machine.ts';

interface ChannelLike {
  readonly readyState: string;
  readonly label?: unknown;
}

/** The channels one machine has told of, open and closed. */
export class ChannelOutcomes {
  /** Channels that have been heard of and not closed, by their connection: the machine, or an endpoint's `rtc`. */
  readonly #open = new Map<unknown, Set<ChannelLike>>();
  readonly #closed = new WeakSet<ChannelLike>();

  /** Takes the next event; a sentence about what is wrong with it, `undefined` if nothing is. */
  note(output: Extract<SimOutput, { readonly type: 'event' }>): string | undefined {
    const { event } = output;
    if (typeof event !== 'object' || event === null || !('type' in event)) return undefined;
    const connection = 'rtc' in output ? output.rtc : undefined;
    if (event.type === 'closed') return this.#connectionClosed(connection);
    if (!('channel' in event) || !isChannel(event.channel)) return undefined;
    const { channel } = event;
    if (this.#closed.has(channel))
      return `gave out ${String(event.type)} after ${nameOf(channel)} had closed`;
    if (event.type === 'channelclose') return this.#channelClosed(connection, channel);
    const open = this.#open.get(connection);
    if (open === undefined) this.#open.set(connection, new Set([channel]));
    else open.add(channel);
    return undefined;
  }

  #channelClosed(connection: unknown, channel: ChannelLike): string | undefined {
    this.#closed.add(channel);
    this.#open.get(connection)?.delete(channel);
    if (channel.readyState === 'closed') return undefined;
    return `gave out channelclose while ${nameOf(channel)} was ${channel.readyState}`;
  }

  #connectionClosed(connection: unknown): string | undefined {
    const [left] = this.#open.get(connection) ?? [];
    this.#open.delete(connection);
    return left === undefined ? undefined : `closed without a channelclose for ${nameOf(left)}`;
  }
}

function isChannel(value: unknown): value is ChannelLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'readyState' in value &&
    typeof value.readyState === 'string'
  );
}

function nameOf({ label }: ChannelLike): string {
  return typeof label === 'string' ? `channel ${JSON.stringify(label)}` : 'a channel';
}
