/**
 * Entries: what a trace consists of, one flat, closed union of plain data. An entry shares no memory with the connection; its
 * bytes are copies.
 *
 *   went in:    receive · resolved · time · call          came out:   transmit · event · timeout
 *   inside:     packet · timer · state · drop · secret
 *
 * The first seven are all that a replay needs: what went in is done again, in order, and what came out must come out
 * again, byte for byte. The others say why.
 */
import type { Protocol, TransportAddress } from '../../core/address.ts';
import type { Bytes } from '../../core/bytes.ts';
import type { Failure } from '../../core/errors.ts';
import type { PacketKind } from '../../core/machine.ts';
import type { OptionRules } from '../../core/options.ts';
import { flag } from '../../core/options.ts';
import type { IceCandidate, IceCandidateError } from '../../ice/index.ts';
import type { TraceCall, TraceChannel } from '../calls.ts';
import type { TraceMedia } from '../signaling/calls.ts';
import type { Ecn, RtcEvent } from '../contract.ts';

export type { TraceCall, TraceChannel } from '../calls.ts';
export type { TraceMedia } from '../signaling/calls.ts';

/** Called with each entry as it happens. It must not call the `Rtc` it listens to; what it throws, its host catches. */
export type TraceListener = (entry: TraceEntry) => void;

/** What a trace shows and what it hides. */
export interface TraceOptions {
  /**
   * Show what only the two ends may know: ICE passwords, and the keys of the DTLS connection as `secret` entries (if
   * tracing begins before the handshake). Default false: passwords read `***`.
   */
  readonly secrets?: boolean | undefined;
  /**
   * Replace IP addresses, wherever they stand, by pseudonyms: one for each, of the ranges set aside for benchmarks and
   * documentation. Ports stay. Default false.
   */
  readonly hideAddresses?: boolean | undefined;
  /** Replace what applications say by as many zeros or `x`, in the clear and encrypted. Default false. */
  readonly hidePayload?: boolean | undefined;
}

/** The rules of `TraceOptions`. */
export const TRACE_OPTION_RULES: OptionRules<TraceOptions> = {
  secrets: flag,
  hideAddresses: flag,
  hidePayload: flag,
};

/** Every entry has `at`, the time in milliseconds on the caller's clock. */
export type TraceEntry =
  // --- went in ---
  /** `handleInput` with a datagram. `at` is the input's `now`, even if it goes back. */
  | {
      readonly type: 'receive';
      readonly at: number;
      readonly protocol: Protocol;
      readonly source: TransportAddress;
      readonly destination: TransportAddress;
      readonly data: Bytes;
      readonly ecn?: Ecn | undefined;
      /** The datagram in one line, for people. */
      readonly summary: string;
    }
  /** `handleInput` with a name that was resolved. */
  | {
      readonly type: 'resolved';
      readonly at: number;
      readonly name: string;
      readonly addresses: readonly string[];
    }
  /** `handleInput` with the time alone. */
  | { readonly type: 'time'; readonly at: number }
  /** A call of the host's that has changed something, with its result. */
  | { readonly type: 'call'; readonly at: number; readonly call: TraceCall }

  // --- came out: one entry a `pollOutput` ---
  | {
      readonly type: 'transmit';
      readonly at: number;
      readonly protocol: Protocol;
      readonly source: TransportAddress;
      readonly destination: TransportAddress;
      readonly data: Bytes;
      readonly ecn?: Ecn | undefined;
      readonly summary: string;
    }
  | { readonly type: 'event'; readonly at: number; readonly event: TraceEvent }
  /** The drain is over; `deadline` is in milliseconds, `Infinity` for none. */
  | { readonly type: 'timeout'; readonly at: number; readonly deadline: number; readonly reason: string }

  // --- inside ---
  /** A packet in plaintext: opened from the `receive` before it, or sealed into the `transmit` after it. */
  | {
      readonly type: 'packet';
      readonly at: number;
      readonly direction: 'in' | 'out';
      readonly kind: PacketKind;
      readonly data: Bytes;
      readonly summary: string;
    }
  /** A timer, as `layer.timer`; `deadline` is when it was or is due, in milliseconds. */
  | {
      readonly type: 'timer';
      readonly at: number;
      readonly timer: string;
      readonly change: 'armed' | 'fired' | 'disarmed';
      readonly deadline: number;
    }
  | {
      readonly type: 'state';
      readonly at: number;
      readonly machine: TraceMachine;
      readonly from: string;
      readonly to: string;
    }
  /** Something was dropped, refused or given up: the counter, as `layer.counter`, and by how much it has grown. */
  | { readonly type: 'drop'; readonly at: number; readonly counter: string; readonly count: number }
  /** One line of an NSS key log, on explicit opt-in alone. */
  | {
      readonly type: 'secret';
      readonly at: number;
      /** `CLIENT_RANDOM` for DTLS 1.2. */
      readonly label: string;
      readonly clientRandom: Bytes;
      readonly secret: Bytes;
    };

/** Whose state an entry is about: the connection, signalling, a layer, or the handshake within DTLS. */
export type TraceMachine = 'rtc' | 'signaling' | 'ice' | 'dtls' | 'dtls.handshake' | 'sctp';

/** An `RtcEvent` as plain data: the members that its type has. */
export interface TraceEvent {
  readonly type: RtcEvent['type'];
  readonly state?: string | undefined;
  readonly channel?: TraceChannel | undefined;
  readonly media?: TraceMedia | undefined;
  readonly data?: string | Bytes | undefined;
  /** Of a `messageoutcome`. */
  readonly id?: number | string | undefined;
  readonly outcome?: string | undefined;
  /** Of a `resolve`. */
  readonly name?: string | undefined;
  /** Of an `icecandidate`, ours as the peer is to be told. */
  readonly candidate?: IceCandidate | undefined;
  /** Of an `icecandidateerror`. */
  readonly error?: IceCandidateError | undefined;
  /** Of an event of media's streams: the members that its type has, but the bytes of an `rtp`, which are its `data`. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** `failure` of a channel's event or a warning, `reason` of `closed`. */
  readonly failure?: Failure | undefined;
}

/** A copy of plain data: arrays and own members, each leaf (text, number, bytes, …) as `leaf` gives it back. */
export function mapPlain<T>(value: T, leaf: (value: unknown, key: string) => unknown, key = ''): T {
  return map(value, leaf, key) as T;
}

function map(value: unknown, leaf: (value: unknown, key: string) => unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return leaf(value, key);
  if (Array.isArray(value)) return value.map((item: unknown) => map(item, leaf, key));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, map(member, leaf, name)]));
}
