/**
 * Gathering of an endpoint: one gatherer for all of its connections, made when it is first of use, and the requests to the host.
 *
 *     gather(rtc) ──▶ Gatherer ── its events, by number ──▶ calls of the connection whose gathering it is
 *     a relayed datagram ──▶ arrives once more, at the relayed address
 *     names: of servers, and of peers' candidates ──▶ one request each ──▶ the reply goes to whoever waits
 *
 * Whatever a connection refuses to take (too many candidates) is counted and harms no other one.
 */
import type { Counters } from '../core/counters.ts';
import { RtcError } from '../core/errors.ts';
import type { HostReply, HostRequest } from '../core/host.ts';
import { BoundedQueue } from '../core/queue.ts';
import type {
  GatherConfig,
  GatherEvent,
  GatherInspection,
  GatherTransmit,
  GathererOptions,
  GatheringId,
  LocalSocket,
  RelayedDatagram,
} from '../gather/index.ts';
import { Gatherer } from '../gather/index.ts';
import type { Input, Transmit } from '../rtc.ts';
import type { EndpointCounter } from './inspection.ts';
import type { Member } from './member.ts';
import { AwaitedNames } from './names.ts';

/** The reply about a name. */
type Resolved = Extract<HostReply, { readonly type: 'resolved' }>;

/** A connection's gathering, and the session of ICE that it is for. */
interface Known {
  readonly id: GatheringId;
  fragment: string;
}

/** What all connections of an endpoint gather, and what the host is asked for. */
export class EndpointGathering {
  readonly #options: GathererOptions | undefined;
  readonly #counters: Counters<EndpointCounter>;
  readonly #names: AwaitedNames<Member>;
  readonly #requests = new BoundedQueue<HostRequest>(Infinity); // a name once at a time, a few for each stream
  readonly #byId = new Map<GatheringId, Member>();
  readonly #byMember = new Map<Member, Known>();
  #gatherer: Gatherer | undefined;

  constructor(options: GathererOptions | undefined, maxNames: number, counters: Counters<EndpointCounter>) {
    this.#options = options;
    this.#names = new AwaitedNames(maxNames);
    this.#counters = counters;
  }

  /** Throws as `Gatherer.addSocket` does. */
  addSocket(socket: LocalSocket): void {
    (this.#gatherer ??= new Gatherer(this.#options)).addSocket(socket);
  }

  /** Throws as `Gatherer.removeSocket` does. */
  removeSocket(socket: LocalSocket): void {
    this.#gatherer?.removeSocket(socket);
  }

  /** Gathers for a connection, in place of what it gathered before. Throws as `Gatherer.gather` does. */
  gather(member: Member, config: GatherConfig): void {
    const id = (this.#gatherer ??= new Gatherer(this.#options)).gather(config);
    this.release(member);
    this.#byId.set(id, member);
    this.#byMember.set(member, { id, fragment: fragmentOf(member) });
  }

  /** Gathers anew for a connection that has restarted ICE. @returns false: it has not, or does not gather */
  noteRestart(member: Member): boolean {
    const known = this.#byMember.get(member);
    const fragment = fragmentOf(member);
    if (known === undefined || known.fragment === fragment) return false;
    known.fragment = fragment;
    this.#gatherer?.restart(known.id);
    return true;
  }

  /** Throws as `Gatherer.renewCredentials` does. */
  renewCredentials(member: Member, iceServers: GatherConfig['iceServers']): void {
    const known = this.#byMember.get(member);
    if (known !== undefined) this.#gatherer?.renewCredentials(known.id, iceServers);
  }

  /** The connection gathers no more. */
  release(member: Member): void {
    if (this.#names.size > 0) this.#names.release(member);
    const known = this.#byMember.get(member);
    if (known === undefined) return;
    this.#byMember.delete(member);
    this.#byId.delete(known.id);
    this.#gatherer?.release(known.id);
  }

  /** Servers are told that what they keep is not wanted any more. */
  close(now: number): void {
    this.#gatherer?.close({ layer: 'rtc', code: 'local-close', message: 'the host ends' }, now);
    this.carry(now);
  }

  /** A connection wants the addresses of a name. @returns false: too many names are awaited */
  ask(name: string, member: Member | undefined, now: number): boolean {
    const answer = this.#names.add(name, member, now);
    if (answer === 'ask') this.#requests.push({ type: 'resolve', name });
    else if (answer === 'refuse') this.#counters.add('namesRefused');
    return answer !== 'refuse';
  }

  /** @returns false: it is no server's. Asked of every datagram. */
  handlePacket(input: Extract<Input, { type: 'receive' }>): boolean {
    const { source, data, owned = false, now } = input;
    return this.#gatherer?.isServer(source) === true && this.#gatherer.handlePacket(data, input, owned, now);
  }

  /** What the host replies to a request; answers the connections that waited for the name. */
  handleReply(reply: HostReply): Iterable<Member> {
    if (reply.type !== 'resolved') {
      this.#gatherer?.handleReply(reply);
      return [];
    }
    return this.#resolved(reply);
  }

  handleTimeout(now: number): void {
    if (this.#gatherer !== undefined && this.#gatherer.nextTimeout() <= now)
      this.#gatherer.handleTimeout(now);
  }

  /** Tells the connections what their gatherings have come to. */
  carry(now: number): void {
    const gatherer = this.#gatherer;
    if (gatherer === undefined) return;
    for (let event = gatherer.pollEvent(); event !== undefined; event = gatherer.pollEvent()) {
      const member = this.#byId.get(event.gathering);
      if (member !== undefined) this.#tell(member, event);
    }
    for (let request = gatherer.pollRequest(); request !== undefined; request = gatherer.pollRequest()) {
      if (request.type === 'resolve') this.ask(request.name, undefined, now);
      else this.#requests.push(request);
    }
  }

  /** A datagram that arrived at a relayed address. */
  pollDatagram(): RelayedDatagram | undefined {
    return this.#gatherer?.pollDatagram();
  }

  /** What the host is to do: a request, or a datagram of the gatherer's own. */
  pollOutput():
    | { readonly type: 'request'; readonly request: HostRequest }
    | ({ readonly type: 'transmit' } & GatherTransmit)
    | undefined {
    const request = this.#requests.shift();
    if (request !== undefined) return { type: 'request', request };
    const transmit = this.#gatherer?.pollTransmit();
    return transmit === undefined ? undefined : { type: 'transmit', ...transmit };
  }

  /** @returns true: it leaves from a relayed address, and is taken to its server. Asked of every datagram. */
  sendFromRelay(datagram: Transmit, now: number): boolean {
    const gatherer = this.#gatherer;
    if (gatherer?.isRelayed(datagram.source) !== true) return false;
    gatherer.sendFromRelay(datagram, now);
    this.carry(now);
    return true;
  }

  nextTimeout(): number {
    return this.#gatherer?.nextTimeout() ?? Infinity;
  }

  timeoutReason(): string {
    return this.#gatherer?.timeoutReason() ?? 'idle';
  }

  get awaitedNames(): number {
    return this.#names.size;
  }

  inspect(): GatherInspection | undefined {
    return this.#gatherer?.inspect();
  }

  invariantViolation(): string | undefined {
    return this.#gatherer?.invariantViolation();
  }

  #resolved(reply: Resolved): Iterable<Member> {
    const waiters = this.#names.take(reply.name);
    if (waiters?.isForGatherer === true) this.#gatherer?.handleReply(reply);
    return waiters?.members ?? [];
  }

  #tell({ rtc }: Member, event: GatherEvent): void {
    try {
      switch (event.type) {
        case 'candidate':
          rtc.addLocalCandidate(event.candidate);
          return;
        case 'candidateremoved': {
          const { protocol, address, port } = event.candidate;
          rtc.removeLocalCandidate({ protocol, address, port });
          return;
        }
        case 'candidateerror':
          rtc.reportCandidateError(event.error);
          return;
        case 'statechange':
          rtc.setGatheringState(event.state);
      }
    } catch (error) {
      // Over its limit, or over: it goes on with what it has.
      if (!(error instanceof RtcError)) throw error;
      this.#counters.add('candidatesRefused');
    }
  }
}

function fragmentOf({ rtc }: Member): string {
  return rtc.localParameters.ice.usernameFragment;
}
