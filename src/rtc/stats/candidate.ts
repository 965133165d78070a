/** W3C `RTCIceCandidateStats`: a candidate of ours or of the peer's. */
import type { Protocol } from '../../core/address.ts';
import type {
  IceCandidate,
  IceStats,
  LocalCandidate,
  RelayProtocol,
  RemoteIceCandidate,
  TcpType,
} from '../../ice/index.ts';
import type { StatsObject } from './stats-object.ts';
import { TRANSPORT_ID } from './stats-object.ts';

/** A candidate, with the members of its SDP line (RFC 8839 §5.1). */
export interface RTCIceCandidateStats extends StatsObject<'local-candidate' | 'remote-candidate'> {
  readonly transportId: string;
  /**
   * Of the peer's no more than its signalling has told: `null` where that was a name, or where the candidate was found by its
   * checks. (`rtc.inspect()` shows what datagrams show.)
   */
  readonly address: string | null;
  readonly port: number;
  readonly protocol: Protocol;
  readonly candidateType: IceCandidate['type'];
  readonly priority: number;
  /** Of the STUN or TURN server; of our own candidates alone. */
  readonly url?: string;
  /** How we reach the relay; of our own relayed candidates alone. */
  readonly relayProtocol?: RelayProtocol;
  readonly foundation: string;
  readonly relatedAddress?: string;
  readonly relatedPort?: number;
  /** Absent of a peer-reflexive candidate whose session nobody has signalled yet. */
  readonly usernameFragment?: string;
  readonly tcpType?: TcpType;
}

/** The username fragments of the session that a candidate belongs to. */
export type SessionNames = Pick<IceStats, 'localUsernameFragment' | 'remoteUsernameFragment'>;

/** A candidate of ours at `timestamp`, as the host has given it, whatever the peer is told in its place. */
export function localCandidateStats(
  id: string,
  candidate: LocalCandidate,
  { localUsernameFragment }: SessionNames,
  timestamp: number,
): RTCIceCandidateStats {
  const { url, relayProtocol } = candidate;
  return {
    ...members({ id, timestamp, type: 'local-candidate' }, candidate, candidate.address),
    ...(url === undefined ? {} : { url }),
    ...(relayProtocol === undefined ? {} : { relayProtocol }),
    usernameFragment: localUsernameFragment,
  };
}

/** A candidate of the peer's at `timestamp`. */
export function remoteCandidateStats(
  id: string,
  candidate: RemoteIceCandidate,
  { remoteUsernameFragment }: SessionNames,
  timestamp: number,
): RTCIceCandidateStats {
  const { type, address, resolvedFrom, usernameFragment = remoteUsernameFragment } = candidate;
  const isTold = type !== 'prflx' && resolvedFrom === undefined;
  return {
    ...members({ id, timestamp, type: 'remote-candidate' }, candidate, isTold ? address : null),
    ...(usernameFragment === undefined ? {} : { usernameFragment }),
  };
}

function members(
  head: Pick<RTCIceCandidateStats, 'id' | 'timestamp' | 'type'>,
  candidate: IceCandidate,
  address: string | null,
): RTCIceCandidateStats {
  const { port, protocol, type, priority, foundation, relatedAddress, relatedPort, tcpType } = candidate;
  return {
    ...head,
    transportId: TRANSPORT_ID,
    address,
    port,
    protocol,
    candidateType: type,
    priority,
    foundation,
    ...(relatedAddress === undefined ? {} : { relatedAddress }),
    ...(relatedPort === undefined ? {} : { relatedPort }),
    ...(tcpType === undefined ? {} : { tcpType }),
  };
}
