/**
 * Host: what the parts of one gatherer share. Settings and clock, randomness and crypto; the way out: datagrams, requests,
 * events, counters; and which sources have changed since the gatherings were told.
 */
import type { TransportAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { Clock } from '../core/clock.ts';
import { Counters } from '../core/counters.ts';
import { DeadlineHeap } from '../core/deadline-heap.ts';
import type { HostRequest } from '../core/host.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { IceCandidateError, IceGatheringState, LocalCandidateInit } from '../ice/index.ts';
import type { GatherSettings, GathererOptions } from './options.ts';
import { gatherSettings } from './options.ts';
import { Links } from './links.ts';
import type { LocalSocket, RelaySource, Source, Timed } from './source.ts';

/** A datagram to send from one of the sockets, owned by whoever polls it. */
export interface GatherTransmit {
  readonly protocol: 'udp';
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly data: Bytes;
}

/** A datagram of a peer's that came through a relay: it arrived at `destination`, the relayed address. */
export interface RelayedDatagram {
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  /** A part of what the server sent, without its framing. */
  readonly data: Uint8Array;
  /** True: the datagram that it came in was given away, and so is this. */
  readonly owned: boolean;
}

/** The number by which a gatherer knows one connection's gathering; never used twice. */
export type GatheringId = number;

/** What a gatherer tells of a gathering. */
export type GatherEvent =
  /** An address that the connection can be reached at: to be given to its `addLocalCandidate` and told to the peer. */
  | { readonly type: 'candidate'; readonly gathering: GatheringId; readonly candidate: LocalCandidateInit }
  /** An address that was told is no longer ours: for `removeLocalCandidate`. */
  | {
      readonly type: 'candidateremoved';
      readonly gathering: GatheringId;
      readonly candidate: LocalCandidateInit;
    }
  | { readonly type: 'candidateerror'; readonly gathering: GatheringId; readonly error: IceCandidateError }
  | { readonly type: 'statechange'; readonly gathering: GatheringId; readonly state: IceGatheringState };

/** Everything that a gatherer counts. */
export const GATHER_COUNTERS = [
  /** Binding requests sent to STUN servers, repetitions among them. */
  'bindingsSent',
  'bindingsAnswered',
  /** Servers that were given up: no answer, an error, or one of no use. */
  'serversFailed',
  /** Addresses told by STUN servers that cannot be ours: of another family, multicast, private ones of a public server. */
  'mappedAddressesRefused',
  /** A server told another address than before for the same socket. */
  'mappingsChanged',
  /** The same, beyond `maxMappingChanges`: the address stays as it was. */
  'mappingChangesIgnored',
  'namesAsked',
  /** Names that did not resolve, or not in time. */
  'namesFailed',
  /** Addresses of names that are not used: one of each family is. */
  'nameAddressesIgnored',
  /** Replies of the host's to what was not asked, or is over. */
  'repliesIgnored',
  'relaysAllocated',
  /** Allocations that ended by themselves: the server forgot them, or was not to be reached for as long as they lived. */
  'relaysLost',
  /** TURN servers that were not asked, as there are `maxRelays` allocations. */
  'relaysRefused',
  /** Relayed addresses told by servers that cannot be: one of ours, one in use, one more private than the server's own. */
  'relayedAddressesRefused',
  /** Datagrams to be sent from a relayed address that is gone. */
  'relayedDatagramsDropped',
  /** Datagrams dropped as `maxQueuedDatagrams` were waiting: nobody drains. */
  'datagramsDropped',
] as const;

/** The name of a counter of a gatherer; docs/operations.md says what each means. */
export type GatherCounter = (typeof GATHER_COUNTERS)[number];

/** What the parts of one gatherer share. */
export class GatherHost {
  readonly settings: GatherSettings;
  readonly clock: Clock = new Clock();
  readonly counters: Counters<GatherCounter> = new Counters<GatherCounter>(GATHER_COUNTERS);
  readonly deadlines: DeadlineHeap<Timed> = new DeadlineHeap();
  readonly transmits: BoundedQueue<GatherTransmit>;
  readonly datagrams: BoundedQueue<RelayedDatagram>;
  /** Bounded by what is asked: a name once at a time, and a few for each stream. */
  readonly requests: BoundedQueue<HostRequest> = new BoundedQueue(Infinity);
  /** Unbounded: each follows a call, an answer that was awaited, or a timer. */
  readonly events: BoundedQueue<GatherEvent> = new BoundedQueue(Infinity);
  /** Sources that are to be asked for the first time, one every `startInterval`. Each stands in it once. */
  readonly starting: Set<Source> = new Set();
  readonly links: Links = new Links();
  /** Sources by the number of their stream. */
  readonly streams: Map<number, RelaySource> = new Map();
  /** The number that a stream had last. */
  lastStream: number = 0;
  /** By address and port in text. */
  readonly sockets: Map<string, LocalSocket> = new Map();
  /** Sources that nobody used, and whose server has been told. */
  readonly finished: Set<Source> = new Set();
  /** Sources whose candidates or outcome have changed since their gatherings were told. */
  readonly changed: Set<Source> = new Set();

  /** Throws `ERR_BAD_ARGUMENT`. */
  constructor(options: GathererOptions) {
    this.settings = gatherSettings(options);
    this.transmits = new BoundedQueue(this.settings.maxQueuedDatagrams);
    this.datagrams = new BoundedQueue(this.settings.maxQueuedDatagrams);
  }

  /** The latest time seen, milliseconds. */
  get now(): number {
    return this.clock.now;
  }

  /** True for the address of one of our sockets. */
  isSocket(address: TransportAddress): boolean {
    return this.sockets.has(formatAddress(address));
  }

  /** @param data handed over: the receiver of the transmit owns it */
  transmit(source: TransportAddress, destination: TransportAddress, data: Bytes): void {
    if (!this.transmits.push({ protocol: 'udp', source, destination, data }))
      this.counters.add('datagramsDropped');
  }
}
