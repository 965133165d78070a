/** Reception on a channel: payload.ts puts the peer's messages together, the event queue gives them out or holds them back. */
import type { Bytes } from '../core/bytes.ts';
import type { ChannelState } from './data-channel.ts';
import { fail } from './ending.ts';
import { channelFailure } from './failures.ts';
import type { ChannelTable } from './channel-table.ts';
import type { Stream } from './streams.ts';

/** True: the message is kept for the application. */
export function receive(
  table: ChannelTable,
  stream: Stream,
  state: ChannelState,
  ppid: number,
  data: Bytes,
): boolean {
  const received = state.reader.read(ppid, data);
  switch (received.type) {
    case 'incomplete':
      table.gates.reassembly.arm(stream);
      return true;
    case 'violation':
      // RFC 8831 §6.6: the receiver SHOULD close the channel.
      table.counters.add('badUserMessages');
      fail(table, state, channelFailure(received.reason, 'the peer sent a message that cannot be read'));
      return false;
    case 'message':
      state.messagesReceived++;
      state.bytesReceived += received.size;
      if (received.pieces > 1) {
        table.gates.reassembly.disarm(stream);
        // One message is held from now on, not its pieces.
        table.port.release(0, received.pieces - 1);
      }
      table.events.pushMessage(state, received.data, received.held);
      return true;
  }
}

/** The channel that early messages have waited for is there: they come out behind its first event. */
export function receiveEarly(table: ChannelTable, stream: Stream, state: ChannelState): void {
  for (const { ppid, data } of table.early.take(stream.id)) {
    // One that cannot be read fails the channel: what is behind it is late.
    const isLate = state.phase === 'closing';
    if (isLate) table.counters.add('lateMessages');
    if (isLate || !receive(table, stream, state, ppid, data)) table.port.release(data.length);
  }
}
