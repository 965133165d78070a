/** What the parts of one agent share: credentials, role, settings, the clock as last seen, and the way out. */
import type { Bytes } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import { Counters } from '../core/counters.ts';
import type { Failure } from '../core/errors.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { RandomSource } from '../core/random.ts';
import { randomBytes } from '../core/random.ts';
import type { CryptoProvider, HmacKey } from '../crypto/provider.ts';
import type { StunDecodeReason } from '../stun/index.ts';
import { STUN_DECODE_REASONS, shortTermKey } from '../stun/index.ts';
import type { IceParameters } from './credentials.ts';
import type { IceSettings } from './options.ts';
import type { CandidatePair, IcePath, Pair } from './pair.ts';
import type { IceRole } from './role.ts';

/** A datagram to send, owned by whoever polls it. */
export interface IceTransmit extends IcePath {
  readonly data: Bytes;
}

export type IceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';

export type IceEvent =
  | { readonly type: 'statechange'; readonly state: IceState }
  /** A pair works: DTLS may be taken from it. */
  | { readonly type: 'pairvalid'; readonly pair: CandidatePair }
  | { readonly type: 'selectedpairchange'; readonly pair: CandidatePair }
  /** The last event: a gate expired. */
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
  'candidate-limit',
  'candidate-not-tried',
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
] as const;

const COUNTERS: readonly IceCounter[] = [...STUN_DECODE_REASONS, ...AGENT_COUNTERS];

export type IceCounter = StunDecodeReason | (typeof AGENT_COUNTERS)[number];

/** One side's parameters with the keyed handle of its password. */
export interface Credentials extends IceParameters {
  readonly key: HmacKey;
}

const TIE_BREAKER_LENGTH = 8;

export class Session {
  readonly settings: IceSettings;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  readonly local: Credentials;
  readonly counters: Counters<IceCounter> = new Counters<IceCounter>(COUNTERS);
  readonly transmits: BoundedQueue<IceTransmit>;
  remote: Credentials | undefined;
  role: IceRole;
  tieBreaker: Bytes;
  /** When the last authenticated message of the peer's came, over any pair. */
  heardAt: number = -Infinity;
  /** What the host has not polled yet. Unbounded: each event follows a datagram the host has drained from us, or a timer. */
  readonly events: BoundedQueue<IceEvent> = new BoundedQueue(Infinity);

  constructor(
    settings: IceSettings,
    clock: Clock,
    crypto: CryptoProvider,
    random: RandomSource,
    local: IceParameters,
    role: IceRole,
  ) {
    this.settings = settings;
    this.clock = clock;
    this.crypto = crypto;
    this.random = random;
    this.local = this.credentials(local);
    this.transmits = new BoundedQueue(settings.maxQueuedTransmits);
    this.role = role;
    this.tieBreaker = randomBytes(random, TIE_BREAKER_LENGTH);
  }

  get isLite(): boolean {
    return this.local.lite === true;
  }

  get isRemoteLite(): boolean {
    return this.remote?.lite === true;
  }

  /** The latest time seen, milliseconds. */
  get now(): number {
    return this.clock.now;
  }

  /** An authenticated message came over `pair`. */
  heard(pair: Pair): void {
    pair.heardAt = this.now;
    this.heardAt = this.now;
    this.clock.hear();
  }

  credentials({ usernameFragment, password, lite = false }: IceParameters): Credentials {
    return { usernameFragment, password, lite, key: shortTermKey(this.crypto, password) };
  }

  /** RFC 8445 §16.1: an agent that received a 487 must change its tie-breaker. */
  renewTieBreaker(): void {
    this.tieBreaker = randomBytes(this.random, TIE_BREAKER_LENGTH);
  }

  /** No room for one more datagram: the host does not drain. */
  get isFull(): boolean {
    return this.transmits.size >= this.transmits.capacity;
  }

  /** @param data handed over: the receiver of the transmit owns it */
  transmit({ protocol, source, destination }: IcePath, data: Bytes): void {
    if (!this.transmits.push({ protocol, source, destination, data })) this.counters.add('transmit-limit');
  }
}
