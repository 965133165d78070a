/** Member: a connection as its endpoint knows it. Plain data; the endpoint alone changes it. */
import type { Failure } from '../core/errors.ts';
import type { IcePath, PathUse, Rtc } from '../rtc.ts';
import type { RouteHolder } from './ownership.ts';
import type { Route } from './routes.ts';

/** A connection of an endpoint and what is remembered of it. */
export interface Member extends RouteHolder<Member> {
  readonly rtc: Rtc;
  /** Counted from 1, in the order of joining. */
  readonly number: number;
  /** The username fragments by which its peer's checks find it: one, and during a restart of ICE two. */
  readonly fragments: string[];
  readonly routes: Set<Route<Member>>;
  readonly isLite: boolean;
  pathUse: PathUse;
  /** Bytes it holds; the budget keeps it up to date. */
  held: number;
  /** The path in use at the end of the latest drain, of a lite one. */
  litePath: IcePath | undefined;
  present: boolean;
  queued: boolean;
  /** Woken by an API call: it must hear the time before it is drained. */
  stale: boolean;
  /** Why its deadline is what it is. */
  reason: string;
  /** What it has thrown; it is being closed for it. */
  failure: Failure | undefined;
  /** It cannot even be closed: it is not called any more. */
  broken: boolean;
  /** Its `closed` event has been given out. */
  closed: boolean;
}

/** `rtc` as it joins. @param number no other member's */
export function memberOf(rtc: Rtc, number: number): Member {
  return {
    rtc,
    number,
    fragments: [],
    isLite: rtc.localParameters.ice.lite === true,
    pathUse: rtc.pathUse,
    held: 0,
    litePath: undefined,
    routes: new Set(),
    present: true,
    queued: false,
    stale: false,
    reason: 'idle',
    failure: undefined,
    broken: false,
    closed: false,
  };
}
