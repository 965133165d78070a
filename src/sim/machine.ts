/**
 * SimMachine: what the simulated network drives, any machine with the library's poll contract. `Rtc` and `Endpoint` have it, and so
 * may a protocol of yours.
 *
 * Inputs go in by `handleInput`; then `pollOutput` is called until it answers `timeout`. A timeout says when to come
 * back: always later than `now`, or `Infinity` for "only when something arrives".
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { HostReply, HostRequest } from '../core/host.ts';

/** Times are milliseconds of the network's virtual clock. */
export type SimInput =
  | {
      readonly type: 'receive';
      readonly now: number;
      readonly protocol: Protocol;
      readonly source: TransportAddress;
      readonly destination: TransportAddress;
      /** Valid during the call alone: the network overwrites it afterwards (`NetworkOptions.scribble`). */
      readonly data: Uint8Array;
    }
  | { readonly type: 'timeout'; readonly now: number }
  | HostReply
  /** Another machine has opened a stream to a port of this one; it is written and closed by requests, as its own are. */
  | {
      readonly type: 'streamaccepted';
      readonly now: number;
      readonly stream: number;
      readonly source: TransportAddress;
      readonly destination: TransportAddress;
    };

/** A datagram to send. The network takes `data` over and carries it without a copy. */
export interface SimTransmit {
  readonly type: 'transmit';
  readonly protocol: Protocol;
  /** An address of the host the machine runs on, and a port the machine has there. */
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly data: Bytes;
}

/** Something the machine tells its application. An `Endpoint`'s output also carries `rtc`. */
export interface SimEvent {
  readonly type: 'event';
  readonly event: unknown;
}

/** Something the machine asks of its host: the network has names (`network.name`) and streams. */
export interface SimRequest {
  readonly type: 'request';
  readonly request: HostRequest;
}

/** Ends a drain: nothing is left to do before `at`. */
export interface SimTimeout {
  readonly type: 'timeout';
  readonly at: number;
  readonly reason?: string | undefined;
}

/** What a machine answers to a poll; only `type`, and what belongs to it, is read. */
export type SimOutput = SimTransmit | SimEvent | SimRequest | SimTimeout;

/** A machine that the network can drive. */
export interface SimMachine<Output extends SimOutput = SimOutput> {
  handleInput(input: SimInput): void;
  pollOutput(): Output;
  /**
   * If the machine has this, the network puts a function there, unless one is there already: called when an API call
   * outside of a drain has made work, it has the machine polled at that instant.
   */
  onWake?: (() => void) | undefined;
  /**
   * If the machine has this, the network puts a function there, unless one is there already: what the machine reports is a
   * breach of the contract, as if it had thrown.
   */
  onError?: ((error: unknown) => void) | undefined;
  /** If the machine has this: after its closed event it must be true, for nothing may be held then. */
  readonly isEmpty?: boolean | undefined;
  /**
   * If the machine has this: asked after every step, `undefined` or a sentence about what is wrong inside of it. Make it
   * cheap. `Rtc` and `Endpoint` have it: data outstanding and no timer for it, something pending and no deadline.
   */
  invariantViolation?(): string | undefined;
}

/** An event as its machine gave it out, with the virtual time and the name of the peer it came from. */
export type PeerEvent<Output extends SimOutput = SimOutput> = Extract<Output, { readonly type: 'event' }> & {
  readonly at: number;
  readonly peer: string;
};
