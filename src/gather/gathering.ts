/**
 * Gathering: one connection's share in the sources of its host's sockets. What it tells follows from the facts: the candidates
 * that its sources give, the servers that failed, and whether anything is still under way.
 *
 *     new ──▶ gathering ──every server has answered or failed, or the gates have ended the wait──▶ complete
 *                 ▲                                                                                  │
 *                 └────────────────────────────────── restart ───────────────────────────────────────┘
 *
 * After `complete` what was told is kept up to date: an address that is lost is taken back, the one in its place is told. New
 * sockets and late answers give candidates only to a continual gathering.
 */
import { formatAddress } from '../core/address.ts';
import type { IceGatheringState, LocalCandidateInit } from '../ice/index.ts';
import type { GatherHost, GatheringId } from './host.ts';
import type { ServerUrl } from './ice-server.ts';
import type { GatherTimer, Source, SourceUser, Sources, Timed } from './source.ts';
import { UNREACHABLE } from './source.ts';

/** What a gathering knows of a source. */
interface Share {
  /** It has answered or failed since the gathering began, or has taken too long. */
  isSettled: boolean;
  /** It answered while its candidates were wanted, and is kept up to date. */
  isTaken: boolean;
}

/** One connection's gathering. */
export class Gathering implements SourceUser, Timed {
  readonly timer: GatherTimer = 'gathering';
  readonly id: GatheringId;
  servers: readonly ServerUrl[];
  readonly isContinual: boolean;
  readonly #host: GatherHost;
  readonly #shares = new Map<Source, Share>();
  /** What has been told and not taken back, by transport address. */
  readonly #told = new Map<string, LocalCandidateInit>();
  /** Servers, and sources of theirs, whose failure has been told since the gathering began. */
  readonly #blamed = new Set<ServerUrl | Source>();
  state: IceGatheringState = 'new';
  #begunAt = 0;
  /** Names, and servers over UDP, are not waited for any more; the same of streams. */
  #isGateOver = false;
  #isStreamGateOver = false;

  constructor(host: GatherHost, id: GatheringId, servers: readonly ServerUrl[], isContinual: boolean) {
    this.#host = host;
    this.id = id;
    this.servers = servers;
    this.isContinual = isContinual;
  }

  /** Begins, or begins anew: what failed is tried again, what is known is verified. */
  begin(sources: Sources): void {
    this.#begunAt = this.#host.now;
    this.#isGateOver = false;
    this.#isStreamGateOver = false;
    this.#blamed.clear();
    for (const share of this.#shares.values()) share.isSettled = false;
    for (const server of this.servers) sources.ask(server);
    for (const source of this.#shares.keys()) source.renew();
    if (this.state !== 'gathering') this.#setState('gathering');
    this.update(sources);
  }

  /** Other credentials, of servers that it has already. */
  renewCredentials(renewed: readonly ServerUrl[], sources: Sources): void {
    this.servers = this.servers.map((server) => {
      const other = renewed.find((one) => isSamePlace(one, server));
      if (other !== undefined) sources.renew(server, other);
      return other ?? server;
    });
  }

  /** Tells what follows from the facts. */
  update(sources: Sources): void {
    if (this.#isOpen()) for (const server of this.servers) this.#use(sources.of(server));
    this.#settle();
    this.#tellCandidates();
    if (this.state !== 'gathering') return;
    this.#tellFailures(sources);
    if (this.#isWaiting(sources)) this.#arm();
    else this.#complete();
  }

  handleTimeout(): void {
    const waited = this.#host.now - this.#begunAt;
    const { gatherTimeout, gatherStreamTimeout } = this.#host.settings;
    this.#isGateOver ||= waited >= gatherTimeout;
    this.#isStreamGateOver ||= waited >= gatherStreamTimeout;
    if (this.state === 'gathering') this.#arm();
  }

  /** What is waited for may take so much longer, milliseconds: nobody listened. */
  thaw(missed: number): void {
    this.#begunAt += missed;
    if (this.state === 'gathering') this.#arm();
  }

  /** The source is gone. */
  drop(source: Source): void {
    this.#shares.delete(source);
  }

  warn(server: ServerUrl, errorCode: number, errorText: string): void {
    this.#tellError(server, undefined, errorText, errorCode);
  }

  release(): void {
    for (const source of this.#shares.keys()) this.#leave(source);
    this.#shares.clear();
    this.#told.clear();
    this.#host.deadlines.delete(this);
  }

  inspect(): object {
    return {
      id: this.id,
      state: this.state,
      continual: this.isContinual,
      servers: this.servers.map(({ url }) => url),
      sources: this.#shares.size,
      candidates: [...this.#told.values()].map(
        ({ type, address, port }) => `${type} ${formatAddress({ address, port })}`,
      ),
    };
  }

  invariantViolation(): string | undefined {
    if (this.state === 'gathering' && this.#host.deadlines.size === 0) return 'gathering, and no deadline';
    for (const source of this.#shares.keys())
      if (!source.users.has(this)) return `gathering ${this.id} uses ${source.key}, which does not know`;
    return undefined;
  }

  /** What is found now is told. */
  #isOpen(): boolean {
    return this.state === 'gathering' || this.isContinual;
  }

  #use(sources: readonly Source[]): void {
    for (const source of sources) {
      if (this.#shares.has(source)) continue;
      this.#shares.set(source, { isSettled: false, isTaken: false });
      source.users.add(this);
      source.unusedSince = Infinity;
      source.noteUsers();
      if (source.status !== 'known') source.renew();
    }
  }

  #leave(source: Source): void {
    source.users.delete(this);
    source.noteUsers();
    this.#host.changed.add(source);
  }

  #settle(): void {
    const isOpen = this.#isOpen();
    for (const [source, share] of this.#shares) {
      const isOver = source.transport === 'udp' ? this.#isGateOver : this.#isStreamGateOver;
      share.isSettled ||= source.status === 'known' || source.status === 'failed' || isOver;
      share.isTaken ||= isOpen && source.status === 'known';
    }
  }

  #tellCandidates(): void {
    const offered = new Map<string, LocalCandidateInit>();
    for (const [source, { isTaken }] of this.#shares) {
      if (!isTaken) continue;
      for (const candidate of source.candidates) {
        const place = formatAddress(candidate);
        if (!offered.has(place)) offered.set(place, candidate);
      }
    }
    for (const [place, candidate] of this.#told) {
      if (offered.has(place)) continue;
      this.#told.delete(place);
      this.#host.events.push({ type: 'candidateremoved', gathering: this.id, candidate });
    }
    for (const [place, candidate] of offered) {
      if (this.#told.has(place)) continue;
      this.#told.set(place, candidate);
      this.#host.events.push({ type: 'candidate', gathering: this.id, candidate });
    }
  }

  /** An error of a server's at once, with our address; that it cannot be reached once all our addresses have failed. */
  #tellFailures(sources: Sources): void {
    for (const server of this.servers) {
      const found = sources.of(server);
      if (found.length === 0 && sources.isAwaited(server)) {
        if (this.#isGateOver) this.#blame(server, undefined, 'the name was not resolved in time');
        continue;
      }
      for (const source of found) {
        const { failure } = source;
        const isError = source.status === 'failed' && failure !== undefined && failure.code !== UNREACHABLE;
        if (isError) this.#blame(server, source, failure.text, failure.code);
      }
      const shares = found.map((source) => this.#shares.get(source));
      if (!shares.every((share) => share?.isSettled !== false)) continue;
      if (found.some((source) => source.status === 'known' || this.#blamed.has(source))) continue;
      const [first, second] = found;
      const text = first === undefined ? sources.whyNone(server) : first.failure?.text;
      this.#blame(
        server,
        second === undefined ? first : undefined,
        text ?? 'the server did not answer in time',
      );
    }
  }

  /** Once for each. */
  #blame(server: ServerUrl, source: Source | undefined, errorText: string, errorCode = UNREACHABLE): void {
    const culprit = errorCode === UNREACHABLE || source === undefined ? server : source;
    if (this.#blamed.has(culprit)) return;
    this.#blamed.add(culprit);
    this.#tellError(server, source, errorText, errorCode);
  }

  #tellError(server: ServerUrl, source: Source | undefined, errorText: string, errorCode: number): void {
    const { address = null, port = null } = source?.socket ?? {};
    const error = { url: server.url, errorCode, errorText, address, port };
    this.#host.events.push({ type: 'candidateerror', gathering: this.id, error });
  }

  #isWaiting(sources: Sources): boolean {
    const isNameAwaited = !this.#isGateOver && this.servers.some((server) => sources.isAwaited(server));
    return isNameAwaited || [...this.#shares.values()].some(({ isSettled }) => !isSettled);
  }

  #complete(): void {
    this.#host.deadlines.delete(this);
    if (!this.isContinual) {
      for (const [source, { isTaken }] of this.#shares) {
        if (isTaken) continue;
        this.#shares.delete(source);
        this.#leave(source);
      }
    }
    this.#setState('complete');
  }

  #setState(state: IceGatheringState): void {
    this.state = state;
    this.#host.events.push({ type: 'statechange', gathering: this.id, state });
  }

  #arm(): void {
    const { gatherTimeout, gatherStreamTimeout } = this.#host.settings;
    const wait = this.#isGateOver ? Infinity : gatherTimeout;
    const streamWait = this.#isStreamGateOver ? Infinity : gatherStreamTimeout;
    this.#host.deadlines.set(this, this.#begunAt + Math.min(wait, streamWait));
  }
}

function isSamePlace(a: ServerUrl, b: ServerUrl): boolean {
  return a.kind === b.kind && a.transport === b.transport && a.host === b.host && a.port === b.port;
}
