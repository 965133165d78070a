/**
 * Pair: one candidate pair, and the checks over it (RFC 8445 §6.1.2).
 *
 *     waiting ──check sent──▶ in-progress ──answered──▶ succeeded
 *        ▲                        │    └──no answer──▶ failed
 *        └────── triggered, or no longer wanted ◀──────────┘
 *
 * There is one component and one stream, so nothing is ever frozen. The valid pair of §7.2.5.3.2 runs over the same two
 * transport addresses as the check that made it: one object stands for both, and `valid` says so.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { IceCandidate, LocalCandidate } from './candidate.ts';
import type { PairPriority } from './priority.ts';
import { pairPriority } from './priority.ts';
import type { IceRole } from './role.ts';

/** Where the pair's own check stands (RFC 8445 §6.1.2.6, without `frozen`). */
export type CandidatePairState = 'waiting' | 'in-progress' | 'succeeded' | 'failed';

/** A pair as events and `inspect()` show it: plain data, a copy. */
export interface CandidatePair {
  readonly local: IceCandidate;
  readonly remote: IceCandidate;
  readonly priority: PairPriority;
  readonly state: CandidatePairState;
  readonly valid: boolean;
  readonly nominated: boolean;
  /** Milliseconds, of the latest check that was answered without a retransmission. */
  readonly roundTripTime?: number;
}

/** The transport addresses of a pair: where datagrams leave from, and where they go. */
export interface IcePath {
  readonly protocol: Protocol;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  /** Of a path over a relay: bytes that its framing adds to each datagram, at the most. Absent: none. */
  readonly overhead?: number | undefined;
}

/** What a check is for. `nomination` carries USE-CANDIDATE. */
export type CheckPurpose = 'check' | 'nomination' | 'consent';

/** A check that waits for an answer. */
export interface Transaction {
  readonly id: Bytes;
  readonly pair: Pair;
  readonly purpose: CheckPurpose;
  /** Our role when it was sent: a role conflict about another role is stale. */
  readonly role: IceRole;
  readonly data: Bytes;
  readonly sentAt: number;
  transmissions: number;
  /** Over TCP one: what is lost there is repeated by TCP (RFC 8489 §6.2.2). */
  readonly maxTransmissions: number;
  /** Milliseconds from the latest transmission to the next. */
  interval: number;
  /** When it is sent again, or given up. */
  deadline: number;
  /** It is sent again until answered; otherwise only an answer is awaited any more. */
  retransmits: boolean;
}

/** What has passed over a pair. Times are milliseconds of the host's clock, `-Infinity` for never. */
export interface PairTraffic {
  /** Checks, retransmissions and consent checks not counted. */
  readonly requestsSent: number;
  /** Authentic checks of the peer's, its retransmissions and consent checks counted. */
  readonly requestsReceived: number;
  /** Successes: a refusal belongs to no pair. */
  readonly responsesSent: number;
  /** Successes and errors, authentic. */
  readonly responsesReceived: number;
  readonly consentRequestsSent: number;
  /** Datagrams that are no checks, and their bytes. */
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly lastPacketSentAt: number;
  readonly lastPacketReceivedAt: number;
  /** Milliseconds, the sum over all answers to checks that were sent once. */
  readonly totalRoundTripTime: number;
}

/** The counters of a pair, which whoever sends and receives over it counts up (statistics.ts). */
export type TrafficCounts = { -readonly [Name in keyof PairTraffic]: PairTraffic[Name] };

/** Enough to tell a lasting difference from a single slow answer. */
export const KEPT_ROUND_TRIPS = 3;

/** A local and a remote candidate, and what has been learnt about the way between them. */
export class Pair {
  /** Unique among all pairs of an agent. */
  readonly id: number;
  local: LocalCandidate;
  remote: IceCandidate;
  priority: PairPriority;
  readonly path: IcePath;
  state: CandidatePairState = 'waiting';
  /** A check was answered (full agent), or the peer nominated the pair (lite agent). */
  valid = false;
  nominated = false;
  /**
   * Controlled: it was nominated before our own check has succeeded (RFC 8445 §7.3.1.5), with this value; 0: with USE-CANDIDATE
   * alone.
   */
  nominateOnSuccess: number | undefined;
  /** Controlling: the value of its latest nomination of ours; 0: none has had any. */
  nomination = 0;
  /** An integrity-checked request has come over this pair. */
  authenticated = false;
  /** Both sides' candidates have made it; false: a check of the peer's alone. */
  isSignalled = true;
  /** Checks sent, and authenticated requests received, since the latest answer to one of ours. */
  sends = 0;
  requests = 0;
  /** The latest of them nominated it, and nothing newer another one: the peer says that it uses the pair. */
  isSaidInUse = false;
  /** When the last authenticated request came over this pair. */
  requestedAt: number = -Infinity;
  /** When the last authenticated message, request or answer, came over this pair. */
  heardAt: number = -Infinity;
  /** When the latest of the answered checks was sent: consent runs from there (RFC 7675 §5.1). */
  answeredAt: number = -Infinity;
  /** When the latest check was sent for the first time. */
  checkedAt: number = -Infinity;
  roundTripTime: number | undefined;
  /** The latest ones, three at the most, oldest first. */
  readonly roundTrips: number[] = [];
  /** The check under way, while `in-progress` or being nominated. */
  check: Transaction | undefined;
  readonly traffic: TrafficCounts = {
    requestsSent: 0,
    requestsReceived: 0,
    responsesSent: 0,
    responsesReceived: 0,
    consentRequestsSent: 0,
    packetsSent: 0,
    packetsReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    lastPacketSentAt: -Infinity,
    lastPacketReceivedAt: -Infinity,
    totalRoundTripTime: 0,
  };

  constructor(id: number, local: LocalCandidate, remote: IceCandidate, role: IceRole) {
    this.id = id;
    this.local = local;
    this.remote = remote;
    const { protocol, base, overhead } = local;
    this.path = {
      protocol,
      source: base,
      destination: { address: remote.address, port: remote.port },
      ...(overhead === undefined ? {} : { overhead }),
    };
    this.priority = priorityOf(local, remote, role);
  }

  /** True if datagrams between these two addresses run over this pair; without a `protocol`, either will do. */
  runsOver(local: TransportAddress, remote: TransportAddress, protocol: Protocol | undefined): boolean {
    const { source, destination } = this.path;
    return (
      (protocol === undefined || this.path.protocol === protocol) &&
      destination.port === remote.port &&
      source.port === local.port &&
      destination.address === remote.address &&
      source.address === local.address
    );
  }

  /** An answer to a check that was sent once, `roundTripTime` milliseconds ago. */
  measured(roundTripTime: number): void {
    this.roundTripTime = roundTripTime;
    this.traffic.totalRoundTripTime += roundTripTime;
    this.roundTrips.push(roundTripTime);
    if (this.roundTrips.length > KEPT_ROUND_TRIPS) this.roundTrips.shift();
  }

  /** Call after the role or a candidate has changed. */
  prioritize(role: IceRole): void {
    this.priority = priorityOf(this.local, this.remote, role);
  }

  snapshot(): CandidatePair {
    const { local, remote, priority, state, valid, nominated, roundTripTime } = this;
    return {
      local,
      remote,
      priority,
      state,
      valid,
      nominated,
      ...(roundTripTime === undefined ? {} : { roundTripTime }),
    };
  }
}

function priorityOf(local: IceCandidate, remote: IceCandidate, role: IceRole): PairPriority {
  return role === 'controlling'
    ? pairPriority(local.priority, remote.priority)
    : pairPriority(remote.priority, local.priority);
}
