/**
 * Generation: one run of ICE, from its credentials to its end; RFC 8445 calls it a session. It holds the credentials and the
 * role of both sides, the peer's candidates, the checklist with the checks under way, and what has come of them. It is data
 * and small steps; the other files of the room are functions of it:
 *
 *     pairing ──▶ checks ──▶ requests, responses ──▶ selection, following ──▶ the active pair and its consent
 *
 * Where it stands among the generations of its agent:
 *
 *     current ──restart──▶ superseded: consent and triggered checks only ──a pair of the next is selected──▶ retired: it answers
 *        ▲                     │
 *        └──the restart fails──┘
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Failure } from '../core/errors.ts';
import { randomBytes, randomUnit } from '../core/random.ts';
import { TimerTable } from '../core/timers.ts';
import type { CryptoProvider, HmacKey } from '../crypto/provider.ts';
import { shortTermKey } from '../stun/index.ts';
import { RemoteCandidates } from './candidates.ts';
import { Checklist } from './checklist.ts';
import { Consent } from './consent.ts';
import type { IceParameters } from './credentials.ts';
import type { Host } from './host.ts';
import { Names } from './names.ts';
import type { Pair } from './pair.ts';
import type { IceRole } from './role.ts';
import { Transactions } from './transactions.ts';

const TIMERS = [
  /** No pair works yet. */
  'iceConnect',
  /** The next check may leave. */
  'checkPacing',
  /** A name of the peer's is not resolved: it is given up. */
  'nameResolution',
  /** A check is unanswered: it is sent again, or given up. */
  'checkRetransmit',
  /** Controlling: a pair works, and better ones have had their time. */
  'nomination',
  /** A pair beside the selected one is to be kept alive, or better than that one for long enough. */
  'backupCheck',
  /** The peer checks over another pair: time to use that one. */
  'pairSwitch',
  /** Consent on the active pair is to be asked for. */
  'consentCheck',
  /** The active pair has not answered: it counts as disconnected. */
  'disconnected',
  /** Consent on the active pair ends (RFC 7675). */
  'iceConsent',
  /** After a restart: the pairs of before are forgotten. */
  'restartOverlap',
] as const;

/** What an agent waits for. */
export type IceTimer = (typeof TIMERS)[number];

/** One side's parameters with the keyed handle of its password. */
export interface Credentials extends IceParameters {
  readonly key: HmacKey;
}

/** Where a generation stands among those of its agent (generations.ts). */
export type GenerationStage = 'current' | 'superseded' | 'retired';

/** RFC 8445 §7.1.3. */
const TIE_BREAKER_LENGTH = 8;

/** The facts of one ICE session. */
export class Generation {
  readonly host: Host;
  stage: GenerationStage = 'current';
  readonly local: Credentials;
  /** `undefined` until the peer's parameters have come. */
  remote: Credentials | undefined;
  role: IceRole;
  tieBreaker: Bytes;

  readonly remotes: RemoteCandidates;
  readonly names: Names;
  /** The peer has said that it has no more candidates. */
  remoteEnded = false;
  readonly checklist: Checklist;
  readonly transactions: Transactions;

  /** The nominated pair in use. */
  selected: Pair | undefined;
  /** Controlling: the valid pair whose check with USE-CANDIDATE is queued or under way. */
  nominating: Pair | undefined;
  /** When it was selected. */
  selectedAt: number = -Infinity;
  /** When a pair was last tried that might be a backup. */
  triedAt: number = -Infinity;
  /** When a selected pair was left because it had gone silent. */
  leftAt: number = -Infinity;
  /** Controlled: the peer has nominated the selected pair, and we have not moved to it on our own. */
  isPeersChoice = false;
  /** The greatest value of a nomination: controlling of ours, controlled of the peer's; 0: none has had any. */
  nomination = 0;
  /** The owner has been told that a restart would lead to a better path. */
  restartWanted = false;
  /** When the first pair became valid; `Infinity`: none has. */
  firstValidAt: number = Infinity;
  /** Since when the selected pair is asked whether it is still there; `Infinity`: it is not asked (following.ts). */
  doubtedSince: number = Infinity;

  /** The pair that data is sent on: the selected one, before nomination the best valid one. */
  active: Pair | undefined;
  /** Consent on the active pair; `undefined` without one, and between two lite agents: neither ever sends a check. */
  consent: Consent | undefined;

  readonly timers: TimerTable<IceTimer> = new TimerTable<IceTimer>(TIMERS);
  /** When the last authenticated message of the peer's came, over any pair. */
  heardAt: number = -Infinity;
  /** When the gate `iceConnect` was armed. */
  connectingSince: number = -Infinity;
  /** Why it is over: a gate has expired. */
  failure: Failure | undefined;

  /** Draws the tie-breaker. */
  constructor(host: Host, local: IceParameters, role: IceRole) {
    const { settings } = host;
    this.host = host;
    this.local = withKey(host.crypto, local);
    this.role = role;
    this.tieBreaker = randomBytes(host.random, TIE_BREAKER_LENGTH);
    this.remotes = new RemoteCandidates(settings.maxRemoteCandidates);
    this.names = new Names(settings);
    this.checklist = new Checklist(settings.maxPairs);
    this.transactions = new Transactions(settings);
  }

  /** The peer answers checks and sends none. */
  get isRemoteLite(): boolean {
    return this.remote?.lite === true;
  }

  /** Both sides take nominations of greater values. */
  get mayRenominate(): boolean {
    return this.host.renomination && this.remote?.renomination === true;
  }

  /** The peer's parameters have come. */
  setRemote(parameters: IceParameters): void {
    this.remote = withKey(this.host.crypto, parameters);
  }

  /** An authenticated message came over `pair`. */
  heard(pair: Pair): void {
    const { clock } = this.host;
    pair.heardAt = clock.now;
    this.heardAt = clock.now;
    clock.hear();
  }

  /** The peer has answered a check on `pair` lately: an address may have another owner after a while (RFC 7675 §5.1). */
  hasConsent(pair: Pair): boolean {
    return this.host.now - pair.answeredAt < this.host.settings.consentTimeout;
  }

  /** RFC 8445 §16.1: an agent that received a 487 must change its tie-breaker. */
  renewTieBreaker(): void {
    this.tieBreaker = randomBytes(this.host.random, TIE_BREAKER_LENGTH);
  }

  /** Data goes over `pair` from now on. */
  activate(pair: Pair | undefined): void {
    if (pair === this.active) return;
    this.active = pair;
    this.consent = pair === undefined ? undefined : this.#consentOn(pair);
  }

  #consentOn(pair: Pair): Consent | undefined {
    const { settings, random, isLite } = this.host;
    if (!isLite) return new Consent(settings, pair.answeredAt, randomUnit(random));
    return this.isRemoteLite ? undefined : Consent.lite(settings, pair.heardAt);
  }

  /** When the peer last proved that it is at `remote`; see `IceAgent.pathProvenAt`. */
  provenAt(local: TransportAddress, remote: TransportAddress, protocol: Protocol): number {
    const pair = this.checklist.find(local, remote, protocol);
    if (pair === undefined) return -Infinity;
    return this.host.isLite ? pair.requestedAt : pair.answeredAt;
  }

  /** What waits without a timer, as a sentence. */
  unwatched(): string | undefined {
    const { timers, consent } = this;
    if (this.transactions.size > 0 && !timers.isArmed('checkRetransmit'))
      return 'checks in flight, no checkRetransmit';
    if (this.stage === 'retired' && !timers.isArmed('restartOverlap')) return 'retired, no restartOverlap';
    if (consent === undefined) return undefined;
    if (!timers.isArmed('iceConsent')) return 'a pair is in use, no iceConsent';
    return this.host.isLite || timers.isArmed('consentCheck')
      ? undefined
      : 'a pair is in use, no consentCheck';
  }

  /** No timers, nothing awaited, no active pair. The pairs stay, for `inspect()`. */
  release(): void {
    this.timers.disarmAll();
    this.transactions.clear();
    this.names.clear();
    this.activate(undefined);
  }
}

function withKey(
  crypto: CryptoProvider,
  { usernameFragment, password, lite = false, renomination = false }: IceParameters,
): Credentials {
  return { usernameFragment, password, lite, renomination, key: shortTermKey(crypto, password) };
}
