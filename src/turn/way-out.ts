/** WayOut: what the parts of one client share because it is the client's. Settings, clock, randomness, counters, queues. */
import type { Bytes } from '../core/bytes.ts';
import { Clock } from '../core/clock.ts';
import { Counters } from '../core/counters.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { RandomSource } from '../core/random.ts';
import { randomBytes, splitRandom } from '../core/random.ts';
import type { StunDecodeReason } from '../stun/index.ts';
import { STUN_DECODE_REASONS, TRANSACTION_ID_LENGTH } from '../stun/index.ts';
import type { TurnClientEvent, TurnClientOptions, TurnReceived } from './contract.ts';
import type { TurnSettings } from './options.ts';
import { turnSettings } from './options.ts';

/** Every drop has a counter, as has every reason of the STUN decoder; what was sent and received has one too. */
const CLIENT_COUNTERS = [
  'not-running',
  'not-turn',
  'bad-channel-data',
  'unknown-channel',
  'bad-data-indication',
  'icmp',
  'no-permission',
  'unexpected-message',
  'unknown-transaction',
  'unknown-attribute',
  'bad-integrity',
  'bad-response',
  'bid-down',
  'error-response',
  'unusable-peer',
  'peer-refused',
  'credentials-refused',
  'too-large',
  'waiting-limit',
  'permission-limit',
  'channel-limit',
  'transmit-limit',
  'received-limit',
  'request-sent',
  'request-retransmitted',
  'response-received',
  'challenge',
  'probe',
  'keep-alive',
  'channel-data-sent',
  'channel-data-received',
  'indication-sent',
  'indication-received',
  'clock-jump',
] as const;

/** What a client counts: the reasons of the STUN decoder, and its own. */
export type TurnCounter = StunDecodeReason | (typeof CLIENT_COUNTERS)[number];

const COUNTERS: readonly TurnCounter[] = [...STUN_DECODE_REASONS, ...CLIENT_COUNTERS];

/** A client's own side, whatever its state. */
export class WayOut {
  readonly settings: TurnSettings;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Messages go over TCP or TLS: ChannelData is padded, requests are sent once. */
  readonly isStream: boolean;
  readonly counters: Counters<TurnCounter> = new Counters<TurnCounter>(COUNTERS);
  readonly transmits: BoundedQueue<Bytes>;
  readonly received: BoundedQueue<TurnReceived>;
  /** Few by nature: an event follows a message that the owner has fed, or a timer. */
  readonly events: BoundedQueue<TurnClientEvent> = new BoundedQueue(Infinity);
  /** When something went to the server last, milliseconds. */
  sentAt: number = -Infinity;
  /** When something of the server's was understood last, milliseconds. */
  heardAt: number = -Infinity;
  /** Something that has a consequence was sent, and nothing has come since. */
  isUnheard = false;

  /** Throws `ERR_BAD_ARGUMENT`. */
  constructor(options: TurnClientOptions) {
    this.settings = turnSettings(options);
    this.clock = options.clock ?? new Clock();
    this.random = splitRandom(options.random, 'turn');
    this.isStream = options.transport !== 'udp';
    this.transmits = new BoundedQueue(this.settings.maxQueuedTransmits);
    this.received = new BoundedQueue(this.settings.maxQueuedReceived);
  }

  /** The latest time seen, milliseconds. */
  get now(): number {
    return this.clock.now;
  }

  /** @param message handed over: whoever polls it owns it. @returns false: the owner does not drain, it is dropped */
  transmit(message: Bytes): boolean {
    this.isUnheard = true;
    return this.#push(message);
  }

  /** For what nobody answers. */
  transmitUnanswered(message: Bytes): boolean {
    return this.#push(message);
  }

  #push(message: Bytes): boolean {
    this.sentAt = this.now;
    const isQueued = this.transmits.push(message);
    if (!isQueued) this.counters.add('transmit-limit');
    return isQueued;
  }

  /** Something came from the server that it alone can have sent. */
  heard(): void {
    this.heardAt = this.now;
    this.isUnheard = false;
    this.clock.hear();
  }

  /** For a request or an indication: fresh and unpredictable. */
  transactionId(): Bytes {
    return randomBytes(this.random, TRANSACTION_ID_LENGTH);
  }
}
