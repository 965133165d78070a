/** Inspection: what `TurnClient.inspect()` shows, plain and JSON-safe, without secrets; and the names of its timers. */
import type { TransportAddress } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import type { TurnClientState } from './contract.ts';
import type { Peers } from './peers.ts';
import type { TurnCounter, WayOut } from './way-out.ts';

/** The timers of a client, by what happens when they are due. */
export const TURN_TIMERS = [
  /** Gate: no allocation yet. */
  'turnAllocate',
  /** Gate: the lifetime of the allocation is over. */
  'relayRefresh',
  /** Gate: the server does not confirm that the allocation is gone. */
  'turnFarewell',
  /** Gate, and what is sent again before: a request without an answer. */
  'turnRequest',
  /** The allocation is to be renewed. */
  'refresh',
  /** A permission or channel is to be renewed, or over. */
  'upkeep',
  /** The server is asked whether it is still there. */
  'probe',
  'keepAlive',
  /** The credentials are about to expire. */
  'credentials',
] as const;

/** A timer of a client; those that begin with `turn` or `relay` are gates of docs/deadlines. */
export type TurnTimer = (typeof TURN_TIMERS)[number];

/** Why a client is over, and since when. */
export interface TurnEnd {
  readonly reason: Failure;
  readonly at: number;
}

/** A client as plain data. Times in milliseconds. */
export interface TurnInspection {
  readonly state: TurnClientState;
  readonly server: TransportAddress;
  /** `null` until the server has told it. */
  readonly realm: string | null;
  readonly relayed: readonly TransportAddress[];
  readonly mapped: TransportAddress | null;
  /** When the allocation ends unless it is refreshed; `null` while there is none. */
  readonly expiresAt: number | null;
  readonly areCredentialsRefused: boolean;
  readonly permissions: readonly PermissionInspection[];
  readonly channels: readonly ChannelInspection[];
  readonly queues: {
    readonly transmits: number;
    readonly received: number;
    readonly events: number;
    readonly waiting: number;
    readonly requests: number;
  };
  /** Armed timers with their deadlines. */
  readonly timers: Readonly<Partial<Record<TurnTimer, number>>>;
  readonly counters: Readonly<Record<TurnCounter, number>>;
  readonly end?: TurnEnd;
}

/** One IP address of peers. */
export interface PermissionInspection {
  readonly address: string;
  /** `asked`: for the first time, or again. */
  readonly state: 'asked' | 'installed' | 'refused';
}

/** One channel. */
export interface ChannelInspection {
  readonly number: number;
  readonly peer: TransportAddress;
  /** `asked`: for the first time, or again. */
  readonly state: 'asked' | 'bound' | 'refused' | 'cooling';
}

/** Permissions and channels as plain data. */
export function inspectPeers(
  { permissions, channels }: Peers,
  now: number,
): Pick<TurnInspection, 'permissions' | 'channels'> {
  return {
    permissions: Array.from(permissions.all(), ({ address, isAsked, expiresAt }) => ({
      address,
      state: isAsked ? 'asked' : expiresAt > now ? 'installed' : 'refused',
    })),
    channels: Array.from(channels.all(), ({ number, peer, isAsked, isRefused, expiresAt }) => ({
      number,
      peer,
      state: isRefused ? 'refused' : isAsked ? 'asked' : expiresAt > now ? 'bound' : 'cooling',
    })),
  };
}

/** Queues and counters as plain data. */
export function inspectQueues(
  { transmits, received, events, counters }: WayOut,
  waiting: number,
  requests: number,
): Pick<TurnInspection, 'queues' | 'counters'> {
  return {
    queues: {
      transmits: transmits.size,
      received: received.size,
      events: events.size,
      waiting,
      requests,
    },
    counters: counters.snapshot(),
  };
}
