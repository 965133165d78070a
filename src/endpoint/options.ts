/** Options of an endpoint, their defaults and their checks. */
import type { OptionRules } from '../core/options.ts';
import { callback, checkOptions, integer, nested, number } from '../core/options.ts';
import type { GathererOptions } from '../gather/index.ts';
import { GATHERER_OPTION_RULES } from '../gather/index.ts';
import type { SharedPath } from './ownership.ts';
import type { UnknownDatagram } from './unknown.ts';

/** How many connections an endpoint takes, what they may take together, and what its host is asked and told. */
export interface EndpointOptions {
  /** Most connections at once. Default 100000. */
  readonly maxConnections?: number | undefined;
  /**
   * Most remote addresses one connection may have to do with at once; for a new one the oldest that it does not own is let
   * go, and the oldest of its own only if there is no other. Default 32.
   */
  readonly maxRoutesPerConnection?: number | undefined;
  /**
   * How long the owner of a path must have been silent until a connection takes it that cannot prove that its peer is
   * there (a lite one), or has lost it before. Milliseconds, default 10000: peers check every 2.5 to 6 s.
   */
  readonly takeoverSilence?: number | undefined;
  /**
   * Two connections here meet one remote address over one local address, and cannot share that path. Called when the second
   * is about to send its first check there. True: the check is withheld and the connection keeps off this path, since the
   * caller has given it, or will give it, a local candidate on another socket. It may call `rtc.addLocalCandidate`.
   */
  readonly onSharedPath?: ((meeting: SharedPath) => boolean) | undefined;
  /**
   * Sees datagrams that belong to no connection here: a check for a connection of another worker, a probe. It must not
   * keep `data`, and answers at its own risk: nothing about the sender is verified.
   */
  readonly onUnknown?: ((datagram: UnknownDatagram) => void) | undefined;
  /** Most calls of `onUnknown` a second; the rest is counted alone (`unknownNotReported`). Default 100. */
  readonly maxUnknownPerSecond?: number | undefined;
  /**
   * Bytes of memory that what all connections have received and nobody has taken, and what they have accepted and their peers
   * have not acknowledged, may take together. Beyond it the connection that holds most is closed (`memory-budget`, counted in
   * `closedForMemory`). Default 1 GiB; Infinity: no limit.
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * How late the timers of an idle connection (its consent checks and heartbeats) may be, ms, so that those of many
   * connections share one wake-up of the process. Every other deadline is kept as it is. Default 0.
   */
  readonly idleTimerSlack?: number | undefined;
  /** Waits and bounds of gathering; `gather` says what is gathered for each connection. */
  readonly gathering?: GathererOptions | undefined;
  /**
   * Most names of peers' candidates (mDNS) that the host may be asked for at once; a further one is taken not to resolve
   * (`namesRefused`). Default 256.
   */
  readonly maxNames?: number | undefined;
}

/** A consent check a second late still leaves room for another one within the 30 s of the gate (RFC 7675 §5.1). */
const MAX_IDLE_TIMER_SLACK = 1000;

const RULES: OptionRules<EndpointOptions> = {
  maxConnections: number(1, Infinity),
  maxRoutesPerConnection: integer(1),
  onUnknown: callback,
  maxUnknownPerSecond: number(0, Infinity),
  maxBufferedBytes: number(1, Infinity),
  idleTimerSlack: number(0, MAX_IDLE_TIMER_SLACK),
  takeoverSilence: number(0, Infinity),
  onSharedPath: callback,
  gathering: nested(GATHERER_OPTION_RULES),
  maxNames: integer(0),
};

/** Options with every default filled in; the host's functions as they were given. */
export interface EndpointSettings {
  readonly maxConnections: number;
  readonly maxRoutesPerConnection: number;
  readonly takeoverSilence: number;
  readonly maxUnknownPerSecond: number;
  readonly maxBufferedBytes: number;
  readonly idleTimerSlack: number;
  readonly maxNames: number;
}

/** Throws `ERR_BAD_ARGUMENT` for an option that cannot be. */
export function endpointSettings(options: EndpointOptions): EndpointSettings {
  checkOptions('Endpoint', options, RULES);
  return {
    maxConnections: options.maxConnections ?? 100_000,
    maxRoutesPerConnection: options.maxRoutesPerConnection ?? 32,
    takeoverSilence: options.takeoverSilence ?? 10_000,
    maxUnknownPerSecond: options.maxUnknownPerSecond ?? 100,
    maxBufferedBytes: options.maxBufferedBytes ?? 2 ** 30,
    idleTimerSlack: options.idleTimerSlack ?? 0,
    maxNames: options.maxNames ?? 256,
  };
}
