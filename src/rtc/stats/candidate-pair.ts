/** W3C `RTCIceCandidatePairStats`: a candidate pair, the checks over it and the data. */
import type { CandidatePairState, IcePairStats } from '../../ice/index.ts';
import type { StatsObject } from './stats-object.ts';
import { TRANSPORT_ID } from './stats-object.ts';

/**
 * A candidate pair. Its round trips are seconds. Members for a bandwidth that nobody estimates, and for what a socket has refused
 * to send, which is the host's to count, are not there.
 */
export interface RTCIceCandidatePairStats extends StatsObject<'candidate-pair'> {
  readonly transportId: string;
  readonly localCandidateId: string;
  readonly remoteCandidateId: string;
  /** Never `frozen`: there is one component of one stream. */
  readonly state: CandidatePairState;
  readonly nominated: boolean;
  /** Datagrams that are no checks, and bytes of UDP payload in them. */
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Of such a datagram, on the clock of `timestamp`; absent before the first. */
  readonly lastPacketSentTimestamp?: number;
  readonly lastPacketReceivedTimestamp?: number;
  /** Sum of all measurements, and the latest of them, seconds. An answer to a check that was sent twice measures nothing. */
  readonly totalRoundTripTime: number;
  readonly currentRoundTripTime?: number;
  /** Authentic checks of the peer's, for consent or not, with its retransmissions. */
  readonly requestsReceived: number;
  /** Ours, without retransmissions and those for consent. */
  readonly requestsSent: number;
  readonly responsesReceived: number;
  readonly responsesSent: number;
  readonly consentRequestsSent: number;
}

/** The id of the pair with this number. */
export function candidatePairId(pair: number): string {
  return `CP${pair}`;
}

/** A pair of these two candidates at `timestamp`. */
export function candidatePairStats(
  pair: IcePairStats,
  candidates: { readonly local: string; readonly remote: string },
  timestamp: number,
): RTCIceCandidatePairStats {
  const { lastPacketSentAt, lastPacketReceivedAt, roundTripTime } = pair;
  return {
    id: candidatePairId(pair.id),
    timestamp,
    type: 'candidate-pair',
    transportId: TRANSPORT_ID,
    localCandidateId: candidates.local,
    remoteCandidateId: candidates.remote,
    state: pair.state,
    nominated: pair.nominated,
    packetsSent: pair.packetsSent,
    packetsReceived: pair.packetsReceived,
    bytesSent: pair.bytesSent,
    bytesReceived: pair.bytesReceived,
    ...(lastPacketSentAt === -Infinity ? {} : { lastPacketSentTimestamp: lastPacketSentAt }),
    ...(lastPacketReceivedAt === -Infinity ? {} : { lastPacketReceivedTimestamp: lastPacketReceivedAt }),
    totalRoundTripTime: pair.totalRoundTripTime / MS_PER_SECOND,
    ...(roundTripTime === undefined ? {} : { currentRoundTripTime: roundTripTime / MS_PER_SECOND }),
    requestsReceived: pair.requestsReceived,
    requestsSent: pair.requestsSent,
    responsesReceived: pair.responsesReceived,
    responsesSent: pair.responsesSent,
    consentRequestsSent: pair.consentRequestsSent,
  };
}

const MS_PER_SECOND = 1000;
