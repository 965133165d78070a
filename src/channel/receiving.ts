/** What the peer's application says on a channel: payload.ts puts it together, the event queue gives it out or holds it back. */
import type { Bytes } from '../core/bytes.ts';
import type { ChannelState } from './data-channel.ts';
import { fail } from './ending.ts';
import { channelFailure } from './failures.ts';
import type { Layer } from './layer.ts';
import type { Stream } from './streams.ts';

/** True: the message is kept for the application. */
export function receive(
  layer: Layer,
  stream: Stream,
  state: ChannelState,
  ppid: number,
  data: Bytes,
): boolean {
  const received = state.reader.read(ppid, data);
  switch (received.type) {
    case 'incomplete':
      layer.gates.reassembly.arm(stream);
      return true;
    case 'violation':
      // RFC 8831 §6.6: the receiver SHOULD close the channel.
      layer.counters.add('badUserMessages');
      fail(layer, state, channelFailure(received.reason, 'the peer sent a message that cannot be read'));
      return false;
    case 'message':
      layer.gates.reassembly.disarm(stream);
      state.messagesReceived++;
      state.bytesReceived += received.size;
      // One message is held from now on, not its pieces.
      if (received.pieces > 1) layer.port.release(0, received.pieces - 1);
      layer.events.pushMessage(state, received.data, received.held);
      return true;
  }
}

/** The channel is there for which messages have waited: they come out behind its first event. */
export function receiveEarly(layer: Layer, stream: Stream, state: ChannelState): void {
  for (const { ppid, data } of layer.early.take(stream.id)) {
    // One that cannot be read fails the channel: what is behind it is late.
    const isLate = state.phase === 'closing';
    if (isLate) layer.counters.add('lateMessages');
    if (isLate || !receive(layer, stream, state, ppid, data)) layer.port.release(data.length);
  }
}
