/**
 * Deferred calls: what calls outside of a drain have asked for, kept in their order until the next input tells the time. How many come
 * at once is up to the peer, whose descriptions and candidates they are, so of each kind a bounded number is kept:
 *
 *     candidates                        1000 in all; who is over that is told so
 *     restarts of ICE                   the latest that is complete, and one whose answer is awaited
 *     end of candidates, message size   the latest
 *     data                              opened once: closing it takes effect at once, and withdraws that
 */
import type { IceCandidate, IceCredentials, IceParameters } from '../ice/index.ts';
import type { DataParameters, TransportParameters } from './parameters.ts';

/** What a call has asked for. */
export type DeferredCall =
  | { readonly type: 'start'; readonly parameters: TransportParameters }
  | { readonly type: 'restart'; readonly credentials: IceCredentials }
  | { readonly type: 'cancel-restart' }
  | { readonly type: 'remote-ice'; readonly ice: IceParameters }
  | { readonly type: 'open-data'; readonly parameters: DataParameters }
  | { readonly type: 'message-size'; readonly size: number }
  | { readonly type: 'candidate'; readonly candidate: IceCandidate }
  | { readonly type: 'end-of-candidates' };

/** A browser trickles a few dozen candidates at the most. */
const MAX_CALLS = 1000;

/** The calls of one connection that wait for the time. */
export class DeferredCalls {
  #waiting: DeferredCall[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** The credentials of the latest restart that waits. */
  get restartCredentials(): IceCredentials | undefined {
    return this.#waiting.filter(isRestart).at(-1)?.credentials;
  }

  /** @returns false for a candidate that there is no room for */
  push(call: DeferredCall): boolean {
    switch (call.type) {
      case 'candidate':
        if (this.#waiting.length >= MAX_CALLS) return false;
        break;
      case 'end-of-candidates':
        if (this.#waiting.at(-1)?.type === call.type) return true;
        break;
      case 'message-size':
        this.#waiting = this.#waiting.filter(({ type }) => type !== 'message-size');
        break;
      case 'remote-ice':
        this.#dropUnfinishedRestarts();
        break;
      default:
        break;
    }
    this.#waiting.push(call);
    return true;
  }

  /** The earliest. */
  shift(): DeferredCall | undefined {
    return this.#waiting.shift();
  }

  /** Takes the latest restart back. @returns false if none waits */
  withdrawRestart(): boolean {
    const index = this.#waiting.map(({ type }) => type).lastIndexOf('restart');
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    return true;
  }

  /** Data is agreed on no longer: none is opened, by whatever waits. */
  withdrawData(): void {
    this.#waiting = this.#waiting
      .filter(({ type }) => type !== 'open-data' && type !== 'message-size')
      .map((call) =>
        call.type === 'start' ? { ...call, parameters: { ...call.parameters, data: false } } : call,
      );
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The latest restart is complete: it drops the ones before it, which nothing has come of. */
  #dropUnfinishedRestarts(): void {
    const latest = this.#waiting.map(({ type }) => type).lastIndexOf('restart');
    this.#waiting = this.#waiting.filter(
      ({ type }, i) => i >= latest || (type !== 'restart' && type !== 'remote-ice'),
    );
  }
}

function isRestart(call: DeferredCall): call is DeferredCall & { readonly type: 'restart' } {
  return call.type === 'restart';
}
