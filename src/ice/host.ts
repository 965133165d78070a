/**
 * Host: what the generations of one agent share because it is the host's and not theirs. Settings and clock, randomness and
 * crypto, the local candidates; and the way out: datagrams, events, counters.
 */
import type { Bytes } from '../core/bytes.ts';
import { Clock } from '../core/clock.ts';
import { Counters } from '../core/counters.ts';
import type { Failure } from '../core/errors.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { RandomSource } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { StunDecodeReason } from '../stun/index.ts';
import { STUN_DECODE_REASONS } from '../stun/index.ts';
import type { CheckBudget } from './check-budget.ts';
import { CandidateRules } from './candidate-filter.ts';
import type { TransportPolicy } from './candidates.ts';
import { LocalCandidates } from './candidates.ts';
import type { IceOptions, IceSettings, PathUpgrade } from './options.ts';
import { iceSettings } from './options.ts';
import type { CandidatePair, IcePath } from './pair.ts';

/** A datagram to send, owned by whoever polls it. */
export interface IceTransmit extends IcePath {
  readonly data: Bytes;
}

/** The states of W3C's `RTCIceTransportState`. `new`: waits for the peer's parameters, and carries nothing. */
export type IceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';

/** What an agent tells its owner. */
export type IceEvent =
  | { readonly type: 'statechange'; readonly state: IceState }
  /** The addresses of a name of the peer's are wanted: an mDNS name (RFC 6762), for `handleResolved`. Once a name and session. */
  | { readonly type: 'resolve'; readonly name: string }
  /** A pair works: DTLS may be taken from it. */
  | { readonly type: 'pairvalid'; readonly pair: CandidatePair }
  | { readonly type: 'selectedpairchange'; readonly pair: CandidatePair }
  /**
   * `pair` is better than the selected one, and the peer, which has no renomination, would take it after a restart alone. Once a
   * session, with `pathUpgrade: 'restart'`.
   */
  | { readonly type: 'restartwanted'; readonly pair: CandidatePair }
  /** No pair of the restart worked; the one of before carries data as ever, and `localParameters` are those of before. */
  | { readonly type: 'restartfailed'; readonly failure: Failure }
  /** A gate expired, and nothing carries data. The last event, unless the agent is restarted. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** Every drop has a counter, as has every reason of the STUN decoder; what was sent and received has one too. */
const AGENT_COUNTERS = [
  'not-running',
  'not-binding',
  'indication',
  'unknown-destination',
  'bad-username',
  'bad-integrity',
  'foreign-username',
  'unknown-attribute',
  'unknown-transaction',
  'asymmetric-response',
  'response-without-address',
  'role-conflict',
  'stale-role-conflict',
  'error-response',
  'candidate-tcp',
  'candidate-mdns',
  'candidate-unusable',
  'candidate-duplicate',
  'candidate-foreign',
  'candidate-parked',
  'candidate-limit',
  'candidate-not-tried',
  'candidate-filtered',
  'name-limit',
  'name-unresolved',
  'name-unexpected',
  'name-address-limit',
  'pair-limit',
  'transaction-limit',
  'unanswered-limit',
  'transmit-limit',
  'request-received',
  'response-sent',
  'check-sent',
  'check-retransmitted',
  'consent-sent',
  'response-received',
  'clock-jump',
  'path-left',
  'stale-nomination',
] as const;

/** What an agent counts: the reasons of the STUN decoder, and its own. */
export type IceCounter = StunDecodeReason | (typeof AGENT_COUNTERS)[number];

const COUNTERS: readonly IceCounter[] = [...STUN_DECODE_REASONS, ...AGENT_COUNTERS];

/** An agent's own side: where it is and what it has been given, whatever generation is current. */
export class Host {
  readonly settings: IceSettings;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  /** It answers checks and sends none. */
  readonly isLite: boolean;
  /** It takes nominations of greater values, and gives them. */
  readonly renomination: boolean;
  readonly pathUpgrade: PathUpgrade;
  readonly policy: TransportPolicy;
  /** Which of the peer's candidates are used. */
  readonly remoteFilter: CandidateRules;
  readonly locals: LocalCandidates;
  readonly counters: Counters<IceCounter> = new Counters<IceCounter>(COUNTERS);
  readonly transmits: BoundedQueue<IceTransmit>;
  /** What has not been polled yet. Unbounded: each event follows a datagram that the owner has drained from us, or a timer. */
  readonly events: BoundedQueue<IceEvent> = new BoundedQueue(Infinity);
  /** When the latest check left, whichever generation sent it: the pace counts from there (RFC 8445 §14.2). */
  lastCheckAt: number = -Infinity;
  readonly #budget: CheckBudget | undefined;
  /** The time that the budget has given us for a check of our own accord, while it is not used. */
  #reservedAt: number | undefined;

  #pairs = 0;

  /** Throws `ERR_BAD_ARGUMENT`. */
  constructor(options: IceOptions) {
    const settings = iceSettings(options);
    this.settings = settings;
    this.clock = options.clock ?? new Clock();
    this.crypto = options.crypto;
    this.random = options.random;
    this.isLite = options.lite ?? false;
    this.renomination = options.renomination ?? true;
    this.pathUpgrade = options.pathUpgrade ?? 'renominate';
    this.#budget = options.checkBudget;
    this.remoteFilter = new CandidateRules(options.remoteCandidateFilter ?? {});
    this.policy = options.transportPolicy ?? 'all';
    this.locals = new LocalCandidates(
      settings.maxLocalCandidates,
      this.policy,
      new CandidateRules(options.localCandidateFilter ?? {}),
      options.remoteAddressClasses,
    );
    this.transmits = new BoundedQueue(settings.maxQueuedTransmits);
  }

  /** The latest time seen, milliseconds. */
  get now(): number {
    return this.clock.now;
  }

  /**
   * When a check may leave.
   * @param isTriggered a check of the peer's asks for it, or it nominates: it goes to somebody who is there
   */
  mayCheckAt(isTriggered: boolean): number {
    const { checkInterval, triggeredCheckInterval } = this.settings;
    const paced = this.lastCheckAt + (isTriggered ? triggeredCheckInterval : checkInterval);
    if (isTriggered || this.#budget === undefined || paced > this.now) return paced;
    return (this.#reservedAt ??= this.#budget.reserve(this.now));
  }

  /** A check leaves. */
  checkLeaves(isTriggered: boolean): void {
    this.lastCheckAt = this.now;
    if (!isTriggered) this.#reservedAt = undefined;
  }

  /** The number of the next pair: no other one of this agent has had it. */
  takePairId(): number {
    return this.#pairs++;
  }

  /** No room for one more datagram: the owner does not drain. */
  get isFull(): boolean {
    return this.transmits.size >= this.transmits.capacity;
  }

  /** Datagrams that wait to leave from an address that is gone go with it. */
  dropStrayTransmits(): void {
    for (let left = this.transmits.size; left > 0; left--) {
      const transmit = this.transmits.shift();
      if (transmit === undefined) return;
      if (this.locals.atBase(transmit.source, transmit.protocol) !== undefined) this.transmits.push(transmit);
    }
  }

  /** @param data handed over: the receiver of the transmit owns it */
  transmit({ protocol, source, destination }: IcePath, data: Bytes): void {
    if (!this.transmits.push({ protocol, source, destination, data })) this.counters.add('transmit-limit');
  }
}
