/**
 * IncomingMessages: the peer's handshake messages, from fragments that may be anybody's to whole ones in their order.
 *
 *     fragment → its epoch → the rules of what is protected → how many KeyUpdates → reassembly → `take`
 *
 * In plaintext what breaks a rule is counted and dropped. Protected it is the peer's own word, and a `Problem`.
 */
import type { DtlsCounter, DtlsCounters } from './counting.ts';
import type { Handshake } from './handshake.ts';
import { mayComeInEpoch } from './message-epochs.ts';
import type { Fragment, HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { DtlsLimits } from './options.ts';
import type { Problem } from './problem.ts';
import { illegalParameter, malformed, unexpected } from './problem.ts';
import type { FragmentVerdict, MessageProgress } from './reassembly.ts';
import { Reassembly } from './reassembly.ts';
import { HANDSHAKE_EPOCH } from './record/epoch13.ts';
import { PeerKeyUpdates } from './v13/key-updates.ts';

/** What became of a fragment: of those that are not `taken`, an ACK must not name what was `dropped` (RFC 9147 §7). */
export type FragmentFate =
  | 'taken'
  | 'stale' // of a message consumed already: the peer repeats itself
  | 'duplicate' // nothing new in it
  | 'dropped'
  | 'foreign-hello' // a ClientHello to a client
  | 'renegotiation' // a wish to shake hands again
  | Problem;

const DROP_COUNTERS: Readonly<Record<Exclude<FragmentVerdict, 'taken'>, DtlsCounter>> = {
  stale: 'fragmentsRepeated',
  duplicate: 'fragmentsRepeated',
  'too-long': 'fragmentsTooLong',
  'too-far-ahead': 'fragmentsTooFarAhead',
  'no-room': 'fragmentsNoRoom',
};

/** The peer's side of a handshake, as far as it has come. */
export class IncomingMessages {
  /** DTLS 1.3's, after the handshake. */
  readonly keyUpdates: PeerKeyUpdates;
  readonly #handshake: Handshake;
  readonly #limits: DtlsLimits;
  readonly #counters: DtlsCounters;
  readonly #reassembly: Reassembly;

  constructor(handshake: Handshake, limits: DtlsLimits, counters: DtlsCounters) {
    this.#handshake = handshake;
    this.#limits = limits;
    this.#counters = counters;
    this.#reassembly = new Reassembly(limits);
    this.keyUpdates = new PeerKeyUpdates(limits.keyUpdatesPerMinute);
  }

  /** message_seq of the next message to be taken. */
  get nextSeq(): number {
    return this.#reassembly.nextSeq;
  }

  /** Messages begun and not taken. */
  get pending(): number {
    return this.#reassembly.pending;
  }

  /** Bytes reserved for them, by declared lengths. */
  get reserved(): number {
    return this.#reassembly.reserved;
  }

  /** How much of the next message has come; `undefined` if nothing has. */
  get progress(): MessageProgress | undefined {
    return this.#reassembly.progress();
  }

  /** Takes a fragment out of a record of `epoch`; `state` is the machine's. */
  accept(fragment: Fragment, epoch: number, state: string, now: number): FragmentFate {
    const { type, messageSeq } = fragment;
    const { role, version } = this.#handshake;
    const isComplete = state === 'complete';
    if (isComplete && version === '1.2') return this.#acceptLate12(fragment, epoch);
    // These two are no part of the sequence.
    if (role === 'client' && type === HandshakeType.clientHello && epoch === 0) return 'foreign-hello';
    // RFC 5246 §7.4.1.1: ignored by a client that is negotiating already.
    if (type === HandshakeType.helloRequest && version !== '1.3') return this.#drop('renegotiationsRefused');
    if (!mayComeInEpoch(type, epoch, version, isComplete)) {
      if (epoch > 0) return unexpected(state, type);
      return this.#drop(isComplete ? 'plaintextIgnored' : 'fragmentsWrongEpoch');
    }
    if (messageSeq >= this.nextSeq) {
      const breach = epoch >= HANDSHAKE_EPOCH ? this.#judgeProtected(fragment, epoch, state) : undefined;
      if (breach !== undefined) return breach;
      // As if it were lost: the peer goes on with its keys, and asks again.
      const isKeyUpdate = type === HandshakeType.keyUpdate && version === '1.3';
      if (isKeyUpdate && !this.keyUpdates.mayTake(now)) return this.#drop('keyUpdatesDeferred');
    }
    const verdict = this.#reassembly.accept(fragment);
    if (verdict === 'taken') return 'taken';
    this.#counters.add(DROP_COUNTERS[verdict]);
    return verdict === 'stale' || verdict === 'duplicate' ? verdict : 'dropped';
  }

  /** The next message, once it is whole. */
  take(): HandshakeMessage | undefined {
    return this.#reassembly.take();
  }

  /** Forgets what has come of messages not taken. */
  clear(): void {
    this.#reassembly.clear();
  }

  /** DTLS 1.2 after the handshake: repetitions of the peer's Finished, and attempts to start another handshake. */
  #acceptLate12({ type, messageSeq }: Fragment, epoch: number): FragmentFate {
    const startsAnother =
      this.#handshake.role === 'client' ? HandshakeType.helloRequest : HandshakeType.clientHello;
    if (epoch === 0) return this.#drop('plaintextIgnored');
    if (type === startsAnother) {
      this.#counters.add('renegotiationsRefused');
      return 'renegotiation';
    }
    if (type !== HandshakeType.finished || messageSeq >= this.nextSeq) return unexpected('complete', type);
    this.#counters.add('fragmentsRepeated');
    return 'stale';
  }

  /** What is wrong with a protected fragment of DTLS 1.3, the peer's own word. */
  #judgeProtected(fragment: Fragment, epoch: number, state: string): Problem | undefined {
    const { type, length } = fragment;
    const newest = this.#handshake.epochs.read13[0]?.epoch ?? epoch;
    // RFC 8446 §5.1: after the message that changes keys, messages come under the new ones.
    if (epoch < newest) return unexpected(state, type);
    // RFC 9147 §8: no KeyUpdate before the last one is acknowledged.
    if (type === HandshakeType.keyUpdate && this.keyUpdates.unacknowledged) return unexpected(state, type);
    if (length > this.#limits.messageLength) return malformed('message-too-long');
    return this.#reassembly.contradicts(fragment)
      ? illegalParameter('The peer sent fragments of one message that differ in type or length.')
      : undefined;
  }

  #drop(counter: DtlsCounter): 'dropped' {
    this.#counters.add(counter);
    return 'dropped';
  }
}
