import type { Failure } from '../../src/core/errors.ts';
import { RtcError, badArgument } from '../../src/core/errors.ts';
import { copyBytes } from '../../src/core/bytes.ts';
import type { ChannelEvent, SctpPort } from '../../src/channel/index.ts';
import { DataChannels } from '../../src/channel/index.ts';
import type { ChannelOptions } from '../../src/channel/index.ts';
import type { SctpEvent, SctpMessage, SctpState } from '../../src/sctp/index.ts';

/** One message that a `FakePort` has taken. */
export interface Sent {
  readonly streamId: number;
  readonly message: SctpMessage;
}

/** An association that only remembers what was asked of it. By default what it takes counts as sent at once. */
export class FakePort implements SctpPort {
  state: SctpState = 'established';
  outboundStreams = 65535;
  maxMessageSize = 262_144;
  /** Takes nothing more. */
  full = false;
  /** Keeps what it takes in its queue, as with a shut congestion window. */
  holds = false;
  retainsMessages = false;
  peerSilentFor = 0;
  /** Bytes of messages released. */
  released = 0;
  readonly sent: Sent[] = [];
  readonly resets: number[] = [];
  readonly discarded: number[] = [];
  readonly ignored: number[] = [];
  readonly thresholds = new Map<number, number>();
  readonly priorities = new Map<number, number>();
  readonly queued = new Map<number, number>();

  send(streamId: number, message: SctpMessage): boolean {
    this.#check(streamId);
    if (this.full) return false;
    this.sent.push({ streamId, message: { ...message, data: copyBytes(message.data) } });
    if (this.holds) this.queued.set(streamId, this.bufferedAmount(streamId) + message.data.length);
    return true;
  }

  release(length: number): void {
    this.released += length;
  }

  resetStreams(streamIds: readonly number[]): void {
    this.#check(0);
    this.resets.push(...streamIds);
  }

  discard(streamId: number): void {
    this.discarded.push(streamId);
    this.queued.delete(streamId);
  }

  ignore(streamId: number): void {
    this.ignored.push(streamId);
  }

  bufferedAmount(streamId: number): number {
    return this.queued.get(streamId) ?? 0;
  }

  setBufferedAmountLowThreshold(streamId: number, bytes: number): void {
    this.thresholds.set(streamId, bytes);
  }

  setPriority(streamId: number, priority: number): void {
    this.priorities.set(streamId, priority);
  }

  /** Throws where the real one does. */
  #check(streamId: number): void {
    if (this.state === 'closed') {
      throw new RtcError('ERR_INVALID_STATE', `the association is ${this.state}`);
    }
    if (streamId >= this.outboundStreams) throw badArgument('streamId', 'a stream that exists', streamId);
  }

  /** What has been sent since the last call. */
  takeSent(): Sent[] {
    return this.sent.splice(0);
  }

  takeResets(): number[] {
    return this.resets.splice(0);
  }
}

export function drain(channels: DataChannels): ChannelEvent[] {
  const events: ChannelEvent[] = [];
  for (let event = channels.pollEvent(); event !== undefined; event = channels.pollEvent())
    events.push(event);
  return events;
}

/** The types of the drained events, in order. */
export function types(channels: DataChannels): string[] {
  return drain(channels).map((event) => event.type);
}

/** Channels over an association that is up, in the given role. */
export function connected(
  role: 'client' | 'server',
  options: ChannelOptions = {},
): { port: FakePort; channels: DataChannels } {
  const port = new FakePort();
  const channels = new DataChannels(port, options);
  channels.setRole(role);
  channels.handleSctpEvent({ type: 'connected' }, 0);
  return { port, channels };
}

export function message(streamId: number, ppid: number, ...bytes: number[]): SctpEvent {
  return { type: 'message', streamId, ppid, data: Uint8Array.from(bytes), unordered: false };
}

export function dcep(streamId: number, data: Uint8Array): SctpEvent {
  return { type: 'message', streamId, ppid: 50, data: copyBytes(data), unordered: false };
}

export function closed(failure?: Failure): SctpEvent {
  return { type: 'closed', failure, origin: 'remote', causes: [] };
}

export function localReset(
  streamId: number,
  outcome: 'performed' | 'denied' | 'timeout' = 'performed',
): SctpEvent {
  return { type: 'streamreset', streamId, origin: 'local', outcome };
}

export function remoteReset(streamId: number): SctpEvent {
  return { type: 'streamreset', streamId, origin: 'remote', outcome: 'performed' };
}

/** Two ends and a wire between them that delivers at once, in order, and performs every reset. */
export class Pair {
  readonly client: { readonly port: FakePort; readonly channels: DataChannels };
  readonly server: { readonly port: FakePort; readonly channels: DataChannels };

  constructor(options: ChannelOptions = {}) {
    this.client = connected('client', options);
    this.server = connected('server', options);
  }

  /** Carries messages and resets to and fro until nothing moves. */
  run(now: number): void {
    while (this.#carry(this.client, this.server, now) || this.#carry(this.server, this.client, now));
  }

  #carry(from: Pair['client'], to: Pair['client'], now: number): boolean {
    const sent = from.port.takeSent();
    const resets = from.port.takeResets();
    for (const { streamId, message } of sent) {
      const { ppid, data } = message;
      to.channels.handleSctpEvent(
        { type: 'message', streamId, ppid, data: copyBytes(data), unordered: false },
        now,
      );
    }
    for (const streamId of resets) {
      to.channels.handleSctpEvent(remoteReset(streamId), now);
      from.channels.handleSctpEvent(localReset(streamId), now);
    }
    return sent.length + resets.length > 0;
  }
}
