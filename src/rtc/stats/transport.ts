/** W3C `RTCTransportStats`: ICE and DTLS, and what has gone over them. */
import type { SrtpProfile } from '../../core/srtp-keys.ts';
import type { CipherSuite, DtlsCipherSuite, DtlsRole } from '../../dtls/index.ts';
import type { IceRole, IceState } from '../../ice/index.ts';
import type { DtlsTransportState, TransportStats } from '../../transport/index.ts';
import { candidatePairId } from './candidate-pair.ts';
import { certificateId } from './certificate.ts';
import type { StatsObject } from './stats-object.ts';
import { TRANSPORT_ID } from './stats-object.ts';

/** The transport. */
export interface RTCTransportStats extends StatsObject<'transport'> {
  /** Datagrams of DTLS and SRTP, and bytes of UDP payload in them; ICE's checks do not count. */
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** `unknown` until signalling has decided it: with our offer, or the peer's parameters. */
  readonly iceRole: IceRole | 'unknown';
  readonly iceLocalUsernameFragment: string;
  readonly iceState: IceState;
  /** The pair that data is sent on, nominated already or not; absent while there is none. */
  readonly selectedCandidatePairId?: string;
  /** How often that has become another pair, or none; 1 after the first. */
  readonly selectedCandidatePairChanges: number;
  readonly dtlsState: DtlsTransportState;
  /** `unknown` before DTLS has begun. */
  readonly dtlsRole: DtlsRole | 'unknown';
  /** `FEFD` for DTLS 1.2, `FEFC` for 1.3; absent before the handshake is complete. */
  readonly tlsVersion?: 'FEFD' | 'FEFC';
  /** IANA's name; absent before the handshake is complete. */
  readonly dtlsCipher?: DtlsCipherSuite;
  /** IANA's name of the profile; absent while there is no SRTP. */
  readonly srtpCipher?: SrtpProfile;
  readonly localCertificateId: string;
  /** Absent before the peer's DTLS has shown it; only `dtlsState` says that it is the right one. */
  readonly remoteCertificateId?: string;
}

/** The transport at `timestamp`. */
export function transportStats(transport: TransportStats, timestamp: number): RTCTransportStats {
  const { traffic, ice, iceRole, dtlsRole, cipherSuite, srtpProfile, localCertificate, remoteCertificate } =
    transport;
  return {
    id: TRANSPORT_ID,
    timestamp,
    type: 'transport',
    ...traffic,
    iceRole: iceRole ?? 'unknown',
    iceLocalUsernameFragment: ice.localUsernameFragment,
    iceState: ice.state,
    ...(ice.pairInUse === undefined ? {} : { selectedCandidatePairId: candidatePairId(ice.pairInUse) }),
    selectedCandidatePairChanges: ice.pairChanges,
    dtlsState: transport.dtlsState,
    dtlsRole: dtlsRole ?? 'unknown',
    ...(cipherSuite === undefined ? {} : negotiated(cipherSuite)),
    ...(srtpProfile === undefined ? {} : { srtpCipher: srtpProfile }),
    localCertificateId: certificateId(localCertificate),
    ...(remoteCertificate === undefined ? {} : { remoteCertificateId: certificateId(remoteCertificate) }),
  };
}

function negotiated({ version, name }: CipherSuite): Pick<RTCTransportStats, 'tlsVersion' | 'dtlsCipher'> {
  return { tlsVersion: version === '1.3' ? 'FEFC' : 'FEFD', dtlsCipher: name };
}
