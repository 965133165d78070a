/**
 * ChannelDraft: channels in the making, for an offer that is not made yet. Their handles are `connecting`; the connection knows
 * nothing of them before `adopt`, so that a draft which is dropped leaves nothing behind: no channel, no identifier, no event.
 */
import type { ChannelTable } from './channel-table.ts';
import type { ChannelState, DataChannel } from './data-channel.ts';
import { adoptChannels, createChannel, draftChannel } from './opening.ts';
import type { DataChannelOptions } from './options.ts';

/** The channels that one offer is for. */
export class ChannelDraft {
  readonly #table: ChannelTable;
  readonly #drafted: ChannelState[] = [];
  #isAdopted = false;

  constructor(table: ChannelTable) {
    this.#table = table;
  }

  /**
   * A handle for a channel to be; once the draft is adopted, a channel at once. Throws as `DataChannels.createChannel` does, the
   * other channels of the draft counted. Closed before it is adopted, a channel never is one, and no event tells of it.
   */
  createChannel(label: string, options: DataChannelOptions): DataChannel {
    if (this.#isAdopted) return createChannel(this.#table, label, options);
    const beside = this.#drafted.filter(({ phase }) => phase === 'drafted');
    const state = draftChannel(this.#table, label, options, beside);
    this.#drafted.push(state);
    return state.handle;
  }

  /**
   * Makes channels of all of them, in the order in which they were drafted. Throws before anything has changed where
   * `DataChannels.createChannel` would: another channel may have come in between. Again: nothing happens.
   */
  adopt(): void {
    adoptChannels(this.#table, this.#drafted);
    this.#isAdopted = true;
    this.#drafted.length = 0;
  }
}
