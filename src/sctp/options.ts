/** Options of an association, their defaults and their checks. Sizes are bytes, times milliseconds. */
import { Clock } from '../core/clock.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import {
  checkOptions,
  flag,
  having,
  integer,
  nested,
  number,
  oneOf,
  required,
  wait,
  withDefaults,
} from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomRule } from '../core/random.ts';
import type { GateName } from './association/deadlines.ts';
import type { PathMtuSettings } from './association/path-mtu.ts';
import { MIN_CHARGE } from './constants.ts';
import type { CongestionController, CongestionOptions } from './tx/congestion.ts';
import { Bbr } from './tx/bbr.ts';
import { NewReno } from './tx/new-reno.ts';
import { MAX_TSN_AHEAD } from './rx/tsn-tracker.ts';
import type { Scheduling } from './tx/turns.ts';

/** Milliseconds an association waits in each place; `Infinity` where the caller says so. See README.md for each gate. */
export type SctpGates = Readonly<Record<GateName, number>>;

/** The gates unless the options say otherwise, milliseconds. */
export const DEFAULT_GATES: SctpGates = {
  sctpConnect: 30_000,
  dataProgress: 30_000,
  zeroWindow: 60_000,
  streamReset: 10_000,
  peerLiveness: 45_000,
  reassembly: 60_000,
  readerStalled: 60_000,
  shutdown: 30_000,
};

/** Controllers that come with the library. */
export type CongestionName = 'bbr' | 'new-reno';

const DEFAULT_MTU = 1160;
const DEFAULT_PATH_MAX = 1472;
const DEFAULT_PATH_MIN = 548;
const DTLS_OVERHEAD = 37;
const DEFAULT_WINDOW = 1_572_864;
const DEFAULT_WINDOW_MAX = 6_291_456;
const DEFAULT_SEND_BUFFER = 16_777_216;
const MAX_COUNT = 2 ** 31 - 1;

/** Path MTU probing (RFC 8899). Sizes are UDP payloads, bytes: what a datagram holds below its UDP header. */
export interface PathMtuOptions {
  /** Largest tried. Default 1472, an Ethernet frame over IPv4, or `mtu` if that is more; 16384 at the most. */
  readonly max?: number | undefined;
  /**
   * What is sent when packets of `mtu` bytes vanish. Default 548, which every IPv4 path carries; 300 at the least. No
   * chunk is larger before something larger has arrived.
   */
  readonly min?: number | undefined;
  /** What the layers below add to an SCTP packet; settable later, too. Default 37: DTLS 1.2 with AES-GCM. */
  readonly overhead?: number | undefined;
  /** Bytes of data sent before a search begins, on each path and after each rest of ten minutes. Default 65536. */
  readonly probeAfter?: number | undefined;
}

/** Options of an association. */
export interface SctpOptions {
  /** The clock of the connection that the association is part of; without one it has its own. */
  readonly clock?: Clock | undefined;
  /** Tags, initial TSNs, cookies and heartbeat nonces come from here. */
  readonly random: RandomSource;
  /** RFC 8841: 5000 unless the descriptions say otherwise. */
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
  /**
   * Largest SCTP packet, but for what path MTU probing finds; a multiple of 4, 512 – 65532. Default 1160: with 37 bytes of
   * DTLS below 1200.
   */
  readonly mtu?: number | undefined;
  /** Find out what the path carries (RFC 8899). Without it packets stay at `mtu`. */
  readonly pathMtu?: PathMtuOptions | undefined;
  /** Largest message received; a larger one is a protocol violation. Default 256 KiB. */
  readonly maxMessageSize?: number | undefined;
  /** Largest message the peer takes; also settable later. Default 64 KiB (RFC 8841 §6.1), Infinity: no limit. */
  readonly remoteMaxMessageSize?: number | undefined;
  /**
   * For what was received and is not yet taken, in bytes; announced to the peer. Default 1.5 MiB, or `maxMessageSize` if that
   * is more. With the objects around them they take one and a half times as much memory at the most.
   *
   * It is also what the peer may put on the path while this process stands still. A kernel keeps about two bytes of
   * socket buffer for each byte of a 1200-byte datagram, and 4 MiB is a usual limit: a window above 1.8 MiB overruns it,
   * and the peer falls back to one packet a time-out. One that fits carries 120 Mbit/s over a 100 ms path.
   */
  readonly receiveWindow?: number | undefined;
  /**
   * What the window may grow to, in bytes, while a path with a round trip of 25 ms or more delivers so much that it would be
   * too small. Default 6 MiB; `receiveWindow`, so that it does not grow, where that is given or larger.
   */
  readonly receiveWindowMax?: number | undefined;
  /**
   * Chunks held of messages that are not whole. Default 16 384, or one for every 256 bytes of `receiveWindow` if that is
   * more.
   */
  readonly maxFragments?: number | undefined;
  /**
   * Interleaved messages (RFC 8260) that have been begun and are not whole: each costs more than its bytes. Default 4096,
   * or one for every 1024 bytes of `receiveWindow` if that is more: each loss may leave one open.
   */
  readonly maxOpenMessages?: number | undefined;
  /** The same, of one stream. Default a quarter of `maxOpenMessages`. */
  readonly maxOpenMessagesPerStream?: number | undefined;
  /** Bytes set aside behind a stream reset of the peer that waits for what was sent before. Default 64 KiB. */
  readonly maxDeferredBytes?: number | undefined;
  /** Chunks set aside so. Default 256. */
  readonly maxDeferredChunks?: number | undefined;
  /** Runs of chunks above the first missing one: each costs more than its bytes. Default 1024. */
  readonly maxGaps?: number | undefined;
  /**
   * Memory for what was accepted by `send` and is not yet acknowledged, in bytes, 512 at the least for each message.
   * Default 16 MiB.
   */
  readonly sendBuffer?: number | undefined;
  /** Streams announced in each direction. Default 65535; a stream takes memory only once it is used. */
  readonly streams?: number | undefined;
  /** Longest delay of a SACK. Default 100. */
  readonly sackDelay?: number | undefined;
  /** Silence of the peer after which a HEARTBEAT asks for a sign of life. Default 15 000. */
  readonly heartbeatInterval?: number | undefined;
  /** Retransmission time-out before the first round-trip sample. Default 500. */
  readonly initialRto?: number | undefined;
  /** Packets sent for one input by a controller without a pace (`new-reno`, and the first packets of all). Default 10. */
  readonly maxBurst?: number | undefined;
  /**
   * Bytes a second sent at the most, whatever the path or the peer says: one that acknowledges what has not arrived raises
   * every controller's rate. Default 125 000 000, a gigabit a second, for a controller with a pace (`bbr`), none for `new-reno`.
   */
  readonly maxRate?: number | undefined;
  /**
   * The congestion controller: `bbr`, which follows a model of the path, `new-reno`, which follows loss alone (RFC 9260 §7.2), or
   * what makes one of your own. Default `bbr`.
   */
  readonly congestion?: CongestionName | ((options: CongestionOptions) => CongestionController) | undefined;
  /**
   * Offer message interleaving (RFC 8260): with a peer that offers it too, a large message no longer holds up those of
   * other streams. Default true.
   */
  readonly interleaving?: boolean | undefined;
  /**
   * Say that a checksum of zero will do (RFC 9653), and leave it out to a peer that says the same: DTLS below checks every
   * record already. Not for other lower layers. Default true.
   */
  readonly zeroChecksum?: boolean | undefined;
  /** How streams share the path: by the priority of their messages, or one after the other. Default `weighted-fair`. */
  readonly scheduling?: Scheduling | undefined;
  /** Bytes queued and unacknowledged, over all streams, at which falling gives `sendbufferlow`. Default half of `sendBuffer`. */
  readonly sendBufferLowThreshold?: number | undefined;
  readonly gates?: Partial<SctpGates> | undefined;
}

const GATE_RULES: OptionRules<SctpGates> = {
  sctpConnect: wait,
  dataProgress: wait,
  zeroWindow: wait,
  streamReset: wait,
  peerLiveness: wait,
  reassembly: wait,
  readerStalled: wait,
  shutdown: wait,
};

/** Of `pathMtu`; an `Rtc` takes them too. */
export const PATH_MTU_RULES: OptionRules<PathMtuOptions> = {
  max: integer(300, 16_384),
  min: integer(300, 16_384),
  overhead: integer(0, 200),
  probeAfter: integer(0, MAX_COUNT),
};

const controllerRule: OptionRule = (value, name) => {
  if (typeof value !== 'function') oneOf(['bbr', 'new-reno'])(value, name);
};

/** What each option must be; `resolveOptions` adds how they hang together. */
export const SCTP_OPTION_RULES: OptionRules<SctpOptions> = {
  clock: having('a Clock', ['observe', 'hear']),
  random: required(randomRule),
  localPort: integer(1, 65_535),
  remotePort: integer(1, 65_535),
  mtu: integer(512, 65_532),
  pathMtu: nested(PATH_MTU_RULES),
  maxMessageSize: integer(1, 2 ** 30),
  remoteMaxMessageSize: number(1, Infinity),
  receiveWindow: integer(1500, MAX_COUNT),
  receiveWindowMax: integer(1500, MAX_COUNT),
  maxFragments: integer(1, MAX_COUNT),
  maxOpenMessages: integer(1, MAX_COUNT),
  maxOpenMessagesPerStream: integer(1, MAX_COUNT),
  maxDeferredBytes: integer(0, MAX_COUNT),
  maxDeferredChunks: integer(0, MAX_COUNT),
  maxGaps: integer(1, MAX_TSN_AHEAD),
  sendBuffer: integer(MIN_CHARGE, MAX_COUNT),
  streams: integer(1, 65_535),
  sackDelay: integer(1, 500),
  heartbeatInterval: wait,
  initialRto: integer(1, 60_000),
  maxBurst: integer(1, 1000),
  maxRate: number(1000, Infinity),
  congestion: controllerRule,
  interleaving: flag,
  zeroChecksum: flag,
  scheduling: oneOf(['weighted-fair', 'round-robin']),
  sendBufferLowThreshold: number(0),
  gates: nested(GATE_RULES),
};

/** Options with their defaults. */
export interface SctpSettings {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly localPort: number;
  readonly remotePort: number;
  readonly mtu: number;
  readonly pathMtu: PathMtuSettings;
  readonly maxMessageSize: number;
  readonly remoteMaxMessageSize: number;
  readonly receiveWindow: number;
  readonly receiveWindowMax: number;
  readonly maxFragments: number;
  readonly maxOpenMessages: number;
  readonly maxOpenMessagesPerStream: number;
  readonly maxDeferredBytes: number;
  readonly maxDeferredChunks: number;
  readonly maxGaps: number;
  readonly sendBuffer: number;
  readonly streams: number;
  readonly sackDelay: number;
  readonly heartbeatInterval: number;
  readonly initialRto: number;
  readonly maxBurst: number;
  readonly maxRate: number | undefined;
  readonly congestion: (options: CongestionOptions) => CongestionController;
  readonly interleaving: boolean;
  readonly zeroChecksum: boolean;
  readonly scheduling: Scheduling;
  readonly sendBufferLowThreshold: number;
  readonly gates: SctpGates;
}

/** Fills in the defaults; throws `ERR_BAD_ARGUMENT` for a value out of range. */
export function resolveOptions(options: SctpOptions): SctpSettings {
  checkOptions('SctpAssociation', options, SCTP_OPTION_RULES);
  const receiveWindow = options.receiveWindow ?? Math.max(DEFAULT_WINDOW, options.maxMessageSize ?? 0);
  const receiveWindowMax =
    options.receiveWindowMax ??
    (options.receiveWindow === undefined ? Math.max(DEFAULT_WINDOW_MAX, receiveWindow) : receiveWindow);
  const maxOpenMessages = options.maxOpenMessages ?? Math.max(4096, Math.ceil(receiveWindow / 1024));
  const settings: SctpSettings = {
    clock: options.clock ?? new Clock(),
    random: options.random,
    localPort: options.localPort ?? 5000,
    remotePort: options.remotePort ?? 5000,
    mtu: options.mtu ?? DEFAULT_MTU,
    pathMtu: resolvePathMtu(options.pathMtu, options.mtu ?? DEFAULT_MTU),
    maxMessageSize: options.maxMessageSize ?? 262_144,
    remoteMaxMessageSize: options.remoteMaxMessageSize ?? 65_536,
    receiveWindow,
    receiveWindowMax,
    maxFragments: options.maxFragments ?? Math.max(16_384, Math.ceil(receiveWindow / 256)),
    maxOpenMessages,
    maxOpenMessagesPerStream: options.maxOpenMessagesPerStream ?? Math.ceil(maxOpenMessages / 4),
    maxDeferredBytes: options.maxDeferredBytes ?? 65_536,
    maxDeferredChunks: options.maxDeferredChunks ?? 256,
    maxGaps: options.maxGaps ?? 1024,
    sendBuffer: options.sendBuffer ?? DEFAULT_SEND_BUFFER,
    streams: options.streams ?? 65_535,
    sackDelay: options.sackDelay ?? 100,
    heartbeatInterval: options.heartbeatInterval ?? 15_000,
    initialRto: options.initialRto ?? 500,
    maxBurst: options.maxBurst ?? 10,
    maxRate: options.maxRate,
    congestion: controllerOf(options.congestion ?? 'bbr'),
    interleaving: options.interleaving ?? true,
    zeroChecksum: options.zeroChecksum ?? true,
    scheduling: options.scheduling ?? 'weighted-fair',
    sendBufferLowThreshold: options.sendBufferLowThreshold ?? (options.sendBuffer ?? DEFAULT_SEND_BUFFER) / 2,
    gates: withDefaults(DEFAULT_GATES, options.gates),
  };
  if (!(settings.sendBufferLowThreshold >= 0 && settings.sendBufferLowThreshold < settings.sendBuffer)) {
    throw badArgument('sendBufferLowThreshold', '0 … sendBuffer', settings.sendBufferLowThreshold);
  }
  if (receiveWindowMax < receiveWindow) {
    throw badArgument('receiveWindowMax', 'at least receiveWindow', receiveWindowMax);
  }
  if (settings.mtu % 4 !== 0) throw badArgument('mtu', 'a multiple of 4', settings.mtu);
  if (settings.receiveWindow < settings.maxMessageSize) {
    throw badArgument('receiveWindow', 'at least maxMessageSize', settings.receiveWindow);
  }
  return settings;
}

function resolvePathMtu(options: PathMtuOptions | undefined, base: number): PathMtuSettings {
  const overhead = options?.overhead ?? DTLS_OVERHEAD;
  if (options === undefined) return { enabled: false, base, min: 0, max: 0, overhead, probeAfter: 0 };
  const { max = DEFAULT_PATH_MAX, min = DEFAULT_PATH_MIN, probeAfter = 65_536 } = options;
  return {
    enabled: true,
    base,
    min,
    max,
    overhead,
    probeAfter,
  };
}

function controllerOf(wanted: NonNullable<SctpOptions['congestion']>): SctpSettings['congestion'] {
  if (typeof wanted === 'function') return wanted;
  switch (wanted) {
    case 'bbr':
      return (options) => new Bbr(options);
    case 'new-reno':
      return (options) => new NewReno(options);
  }
}
