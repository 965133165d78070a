/**
 * Generations of one agent: the current one, and while a restart is under way the one before (RFC 8445 §9, RFC 8839
 * §4.4.1.1.1). Never more: a restart during a restart drops the one in between.
 *
 *     restart ──▶ the old one is superseded: it carries data, keeps its consent and answers, and begins no checks
 *        │            │ a pair of the new one is selected ──▶ retired: it answers, and is taken from, for 3 s more
 *        │            │ its consent expires ──▶ dropped; the new one is used as soon as one of its pairs works
 *        │            │ the new one fails, or is cancelled ──▶ it is the current one again
 *        ▼
 *     the new one waits for the peer's new parameters, then checks
 *
 * A request belongs to the generation whose username fragment it is addressed to, an answer to the one whose check it
 * answers, and data to whichever has validated its path.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import { badArgument } from '../core/errors.ts';
import type { StunMessage } from '../stun/index.ts';
import { transactionIdOf } from '../stun/index.ts';
import type { IceCandidate } from './candidate.ts';
import type { ChosenCredentials, IceParameters } from './credentials.ts';
import type { IceTimer } from './generation.ts';
import { Generation } from './generation.ts';
import type { Host } from './host.ts';
import { isAddressedTo } from './messages.ts';
import type { Pair } from './pair.ts';
import { dropRemovedLocals, resolveCandidates } from './pairing.ts';
import type { IceRole } from './role.ts';
import { proceed, runDue, thawGeneration } from './schedule.ts';

/** The one or two generations of an agent. */
export class Generations {
  current: Generation;
  /** The one before, superseded or retired. */
  previous: Generation | undefined;
  /** The one of the two whose pair data is sent on. */
  inUse: Generation;
  /** How often data went over another pair than before, or none, at the end of a turn. */
  pairChanges = 0;
  #pairInUse: Pair | undefined;
  /** During a restart: why there is no pair of before to go back to, if there was one. */
  lost: Failure | undefined;
  /** Candidates of a session that the peer has not described yet, the oldest first. */
  readonly #parked: IceCandidate[] = [];
  readonly #host: Host;
  #usernameFragments: readonly string[] = [];

  constructor(host: Host, local: IceParameters, role: IceRole) {
    this.#host = host;
    this.current = new Generation(host, local, role);
    this.inUse = this.current;
  }

  /** Ours, of the current generation first; the same array until they change. */
  get usernameFragments(): readonly string[] {
    const { current, previous } = this;
    const [newest, older] = this.#usernameFragments;
    if (newest !== current.local.usernameFragment || older !== previous?.local.usernameFragment) {
      const all = previous === undefined ? [current] : [current, previous];
      this.#usernameFragments = all.map(({ local }) => local.usernameFragment);
    }
    return this.#usernameFragments;
  }

  /**
   * A new generation with these credentials. The role persists (RFC 8445 §6.1.1).
   * @param failure why the agent has failed, if it has
   */
  restart(local: IceParameters, failure: Failure | undefined): void {
    const { current } = this;
    const kept = failure === undefined ? this.#worthKeeping() : undefined;
    if (kept !== undefined) kept.stage = 'superseded';
    this.previous = kept;
    this.lost = kept === undefined ? (failure ?? this.lost) : undefined;
    this.current = new Generation(this.#host, local, current.role);
    this.inUse = kept ?? this.current;
  }

  /** RFC 8445 §9: a restart must change both. Throws `ERR_BAD_ARGUMENT`. */
  refuseUsed({ usernameFragment, password }: ChosenCredentials): void {
    const { current, previous } = this;
    for (const used of [current.local, previous?.local]) {
      if (used?.usernameFragment === usernameFragment && usernameFragment !== undefined)
        throw badArgument('usernameFragment', 'one that is not in use', usernameFragment);
      if (used?.password === password && password !== undefined)
        throw badArgument('password', 'one that is not in use', `${password.length} characters`);
    }
  }

  /** The restart has come to nothing: the generation before is the current one again. @returns false: there is none */
  fallBack(): boolean {
    const { previous } = this;
    if (previous?.stage !== 'superseded') return false;
    previous.stage = 'current';
    this.current = previous;
    this.previous = undefined;
    this.inUse = previous;
    return true;
  }

  /** The host has resolved a name, or has not been able to; both may have asked. */
  handleResolved(name: string, addresses: readonly string[]): void {
    const isAwaited = resolveCandidates(this.current, name, addresses);
    const isAwaitedByOld = this.previous !== undefined && resolveCandidates(this.previous, name, addresses);
    if (!isAwaited && !isAwaitedByOld) this.#host.counters.add('name-unexpected');
  }

  /**
   * A trickled candidate that names another session of the peer's than ours are with: it may have come before the description that
   * restarts, and waits for it. @returns false if it names none, or one of ours
   */
  park(candidate: IceCandidate): boolean {
    const { current, previous } = this;
    const { usernameFragment } = candidate;
    if (usernameFragment === undefined || current.remote === undefined) return false;
    if (usernameFragment === current.remote.usernameFragment) return false;
    if (usernameFragment === previous?.remote?.usernameFragment) return false;
    const { counters, settings } = this.#host;
    counters.add('candidate-parked');
    this.#parked.push(candidate);
    if (this.#parked.length > settings.maxParkedCandidates) {
      this.#parked.shift();
      counters.add('candidate-foreign');
    }
    return true;
  }

  /** The peer's parameters have come: what was parked may be for them, and a pair that was still sought is sought no more. */
  takeParked(): readonly IceCandidate[] {
    const { previous } = this;
    if (previous?.stage === 'superseded' && previous.active === undefined) this.previous = undefined;
    return this.#parked.splice(0);
  }

  /** Candidates of our own are gone, for both. */
  dropRemovedLocals(): void {
    dropRemovedLocals(this.current);
    if (this.previous !== undefined) dropRemovedLocals(this.previous);
  }

  /** Runs what is due in both and does what follows, once. @returns why the agent is over, if it is */
  step(): Failure | undefined {
    const end = this.previous === undefined ? undefined : this.#stepPrevious(this.previous);
    if (end !== undefined) return end;
    runDue(this.current);
    const { failure } = this.current;
    if (failure !== undefined) {
      if (!this.fallBack()) return failure;
      this.#host.events.push({ type: 'restartfailed', failure });
    }
    proceed(this.current);
    if (this.#isReplaced()) this.#retirePrevious();
    this.inUse = this.#chooseInUse();
    this.#countPairChange();
    return undefined;
  }

  /** The generation that a request is addressed to; the current one if to neither. */
  addressedBy(request: StunMessage): Generation {
    const { current, previous } = this;
    const isOld = previous !== undefined && isAddressedTo(request, previous.local.usernameFragment);
    return isOld ? previous : current;
  }

  /** The generation that awaits this answer; the current one if neither does. */
  awaiting(answer: StunMessage): Generation {
    const { current, previous } = this;
    const isOld = previous?.transactions.find(transactionIdOf(answer)) !== undefined;
    return isOld ? previous : current;
  }

  /** The pair between the two addresses, of the current generation first. */
  pairOver(local: TransportAddress, remote: TransportAddress, protocol: Protocol): Pair | undefined {
    return (
      this.current.checklist.find(local, remote, protocol) ??
      this.previous?.checklist.find(local, remote, protocol)
    );
  }

  /** True if either has a valid pair between the two addresses. */
  isValidPath(local: TransportAddress, remote: TransportAddress, protocol: Protocol | undefined): boolean {
    return (
      this.current.checklist.find(local, remote, protocol)?.valid === true ||
      this.previous?.checklist.find(local, remote, protocol)?.valid === true
    );
  }

  /** True if an authentic request for either has come over this path. */
  isAuthenticatedPath(
    local: TransportAddress,
    remote: TransportAddress,
    protocol: Protocol | undefined,
  ): boolean {
    return (
      this.current.checklist.find(local, remote, protocol)?.authenticated === true ||
      this.previous?.checklist.find(local, remote, protocol)?.authenticated === true
    );
  }

  /** When the peer last proved to either that it is at `remote`; `-Infinity`: never. */
  pathProvenAt(local: TransportAddress, remote: TransportAddress, protocol: Protocol): number {
    let provenAt = this.current.provenAt(local, remote, protocol);
    if (this.previous !== undefined) {
      provenAt = Math.max(provenAt, this.previous.provenAt(local, remote, protocol));
    }
    return provenAt;
  }

  /** The earlier deadline of the two. */
  nextTimeout(): number {
    const at = this.current.timers.next();
    return this.previous === undefined ? at : Math.min(at, this.previous.timers.next());
  }

  /** Which timer that is. */
  timeoutReason(): IceTimer | undefined {
    const { current, previous } = this;
    const isOld = previous !== undefined && previous.timers.next() < current.timers.next();
    return (isOld ? previous : current).timers.nextName();
  }

  /** The host stood still for `missed` milliseconds. */
  thaw(missed: number): void {
    thawGeneration(this.current, missed);
    if (this.previous?.stage === 'superseded') thawGeneration(this.previous, missed);
  }

  /** Nothing armed, nothing awaited; the pairs of the current one stay. */
  release(): void {
    this.current.release();
    this.#parked.length = 0;
    this.previous = undefined;
    this.inUse = this.current;
    this.#countPairChange();
  }

  /** What must hold and does not, as a sentence. */
  invariantViolation(): string | undefined {
    const { current, previous, inUse } = this;
    if (inUse !== current && inUse !== previous) return 'a dropped generation is in use';
    if (current.stage !== 'current') return `the current generation is ${current.stage}`;
    if (previous === undefined) return current.unwatched();
    if (previous.stage !== (this.#isReplaced() ? 'retired' : 'superseded')) {
      return `the generation before is ${previous.stage}`;
    }
    return current.unwatched() ?? previous.unwatched();
  }

  /** A lite agent may be nominated a pair before it knows whose session that is: it is ours once the description has come. */
  #isReplaced(): boolean {
    return this.current.selected !== undefined && this.current.remote !== undefined;
  }

  #countPairChange(): void {
    if (this.inUse.active === this.#pairInUse) return;
    this.#pairInUse = this.inUse.active;
    this.pairChanges++;
  }

  /** What a restart falls back on: the generation with a pair in use, or one that knows its peer and seeks one. */
  #worthKeeping(): Generation | undefined {
    const { current, previous, inUse } = this;
    if (inUse.active !== undefined) return inUse;
    if (current.remote !== undefined) return current;
    return previous?.stage === 'superseded' ? previous : undefined;
  }

  /** @returns why the agent is over, if it is */
  #stepPrevious(previous: Generation): Failure | undefined {
    if (previous.stage === 'retired') {
      if (previous.timers.takeDue(this.#host.now) !== undefined) this.previous = undefined;
      return undefined;
    }
    runDue(previous);
    const { failure } = previous;
    if (failure === undefined) {
      proceed(previous);
      return undefined;
    }
    this.previous = undefined;
    this.lost = failure;
    // What waits for the peer's parameters has no gate of its own: before the first connection it is the one of before.
    return failure.gate === 'iceConnect' && this.current.remote === undefined ? failure : undefined;
  }

  /** RFC 8445 §8.3.1: answered a little longer, for the peer may select later, and datagrams of before are under way. */
  #retirePrevious(): void {
    const { previous } = this;
    if (previous?.stage !== 'superseded') return;
    const { now, settings } = this.#host;
    previous.release();
    previous.stage = 'retired';
    previous.timers.arm('restartOverlap', now + settings.restartOverlap);
  }

  /**
   * RFC 8445 §12.1: the old pair until a new one is selected (once retired it has none); but one that is valid is better than
   * one that is disconnected.
   */
  #chooseInUse(): Generation {
    const { current, previous } = this;
    if (previous?.active === undefined) return current;
    const isSilent = previous.consent?.disconnected === true;
    return isSilent && current.active !== undefined ? current : previous;
  }
}
