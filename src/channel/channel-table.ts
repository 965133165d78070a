/** The channels of an association, as plain data and their parts; the functions of the files beside it change them. */
import { Clock } from '../core/clock.ts';
import { Counters } from '../core/counters.ts';
import { Closing } from './closing.ts';

import type { ChannelOwner, ChannelState, DataChannel } from './data-channel.ts';
import { EarlyMessages } from './early-messages.ts';
import { EventQueue } from './event-queue.ts';
import type { ChannelCall, ChannelCounter } from './events.ts';
import { CHANNEL_COUNTERS } from './events.ts';
import type { Gates, Waits } from './gate.ts';
import { makeGates } from './gate.ts';
import type { ChannelLimits, ChannelOptions } from './options.ts';
import { checkChannelOptions } from './options.ts';
import type { SctpPort } from './port.ts';
import { ControlQueue } from './port.ts';
import type { ChannelRole, Stream } from './streams.ts';
import { StreamTable } from './streams.ts';

/** The channels of one association and all that belongs to them. Nothing is done here. */
export class ChannelTable {
  association: 'connecting' | 'connected' | 'shutting-down' | 'closed' = 'connecting';
  role: ChannelRole | undefined;
  onCall: ((channel: DataChannel, call: ChannelCall) => void) | undefined;
  /** Every channel that is not closed, in order of creation. */
  readonly channels: Set<ChannelState> = new Set<ChannelState>();
  /** How many have been channels of this association so far: each is numbered by its turn. */
  admitted = 0;
  /** How many of them have been open. */
  opened = 0;
  /** Of the association that carries them, or will. */
  port: SctpPort;
  readonly limits: ChannelLimits;
  readonly tolerateParity: boolean;
  readonly onActivity: () => void;
  readonly connection: object | undefined;
  readonly clock: Clock;
  /** How many streams wait, at all gates together. */
  readonly waits: Waits = { count: 0, undated: 0 };
  readonly gates: Gates<Stream>;
  readonly streams: StreamTable = new StreamTable();
  closing: Closing;
  control: ControlQueue;
  readonly events: EventQueue;
  readonly early: EarlyMessages;
  readonly counters: Counters<ChannelCounter> = new Counters<ChannelCounter>(CHANNEL_COUNTERS);
  /** What handles ask for. */
  readonly owner: ChannelOwner;

  /** Throws `ERR_BAD_ARGUMENT` for a gate or limit out of range. */
  constructor(port: SctpPort, options: ChannelOptions, ownerOf: (table: ChannelTable) => ChannelOwner) {
    const { gates, limits } = checkChannelOptions(options);
    this.port = port;
    this.limits = limits;
    this.tolerateParity = options.tolerateParity ?? true;
    this.clock = options.clock ?? new Clock();
    this.gates = makeGates(gates, this.clock, this.waits);
    this.closing = new Closing(port, this.streams, this.gates);
    this.control = new ControlQueue(port);
    this.events = new EventQueue(port);
    this.early = new EarlyMessages(limits);
    this.onActivity = options.onActivity ?? ((): void => undefined);
    this.connection = options.connection;
    this.owner = ownerOf(this);
  }

  /** The channels, of which there are none any more, have another association from now on. */
  attach(port: SctpPort): void {
    this.association = 'connecting';
    this.port = port;
    this.closing = new Closing(port, this.streams, this.gates);
    this.control = new ControlQueue(port);
    this.events.attach(port);
  }

  /** True once the association takes no channel any more. */
  get isOver(): boolean {
    return this.association === 'closed' || this.association === 'shutting-down';
  }

  /** One more channel. */
  admit(state: ChannelState): void {
    this.admitted++;
    state.serial = this.admitted;
    this.channels.add(state);
  }

  /** The stream of a channel that has one and is not closed. */
  streamOf(state: ChannelState): Stream | undefined {
    if (state.id === undefined || state.phase === 'closed') return undefined;
    return this.streams.get(state.id);
  }
}
