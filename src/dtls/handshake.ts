/**
 * Handshake: what the state machines of client and server share, their tools and what the hellos have negotiated.
 *
 * DTLS 1.2 (RFC 6347 §4.2.4):
 *
 *     client                                server
 *     1  ClientHello                    →
 *                                       ←   HelloVerifyRequest  2   (unless something else, as ICE, has proved
 *     3  ClientHello with cookie        →                            the path)
 *                                       ←   ServerHello, Certificate, ServerKeyExchange,
 *                                           CertificateRequest, ServerHelloDone  4
 *     5  Certificate, ClientKeyExchange,
 *        CertificateVerify,
 *        ChangeCipherSpec, Finished     →
 *                                       ←   ChangeCipherSpec, Finished  6
 *
 * DTLS 1.3 (RFC 9147 §5.7), where everything after a ServerHello is protected:
 *
 *     1  ClientHello                    →
 *                                       ←   HelloRetryRequest  2    (when the client has sent no share we can use, or
 *                                                                     a cookie is wanted)
 *     3  ClientHello with another share →
 *                                       ←   ServerHello, EncryptedExtensions, CertificateRequest, Certificate,
 *                                           CertificateVerify, Finished  4
 *     5  Certificate, CertificateVerify,
 *        Finished                       →
 *                                       ←   ACK
 *
 * DTLS 1.2's ChangeCipherSpec changes nothing: it says what the epoch of the next record says again, so epochs alone
 * decide which keys open a record, and an early, doubled or lost one does no harm.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes } from '../core/bytes.ts';
import type { RandomSource } from '../core/random.ts';
import type { CryptoProvider, Group } from '../crypto/provider.ts';
import type { Certificate } from './certificate/certificate.ts';
import type { Peer } from './certificate/peer.ts';
import type { CipherSuite, DtlsVersion } from './cipher-suites.ts';
import type { ConnectionIds } from './connection-id.ts';
import { makeConnectionId } from './connection-id.ts';
import { Flight } from './flight.ts';
import type { HandshakeType } from './messages/handshake.ts';
import type { DtlsConfiguration, DtlsKeyLog, DtlsVersions } from './options.ts';
import type { Epochs } from './record/epochs.ts';
import { initialEpochs } from './record/epochs.ts';
import type { WriteEpoch } from './record/write-epoch.ts';
import type { SrtpProfile } from '../core/srtp-keys.ts';
import type { DtlsRole } from './states.ts';
import { Transcript } from './transcript.ts';

/** Keying material for others, once the handshake is complete (RFC 5705, RFC 8446 §7.5). */
export interface Exporter {
  /** `length` bytes for `label`, without a context; they are the caller's. */
  export(label: string, length: number): Bytes;
}

/** A log that secrets are shown to as they are made. */
export interface SecretLog {
  /** `label` is the NSS key log's. The secret is copied by whoever keeps it. */
  reveal(label: string, secret: Uint8Array): void;
}

/** One handshake: its tools, and what has been negotiated so far. */
export class Handshake implements SecretLog {
  readonly role: DtlsRole;
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  readonly certificate: Certificate;
  readonly versions: DtlsVersions;
  /** The preferred first; so are suites of each version. */
  readonly groups: readonly Group[];
  readonly cipherSuites: readonly CipherSuite[];
  readonly requireExtendedMasterSecret: boolean;
  /** The preferred first; empty where SRTP is not spoken of. */
  readonly srtpProfiles: readonly SrtpProfile[];
  /** The id that we want in the peer's records; empty: none, `undefined`: no word of them. */
  readonly connectionId: Bytes | undefined;
  readonly #keyLog: DtlsKeyLog | undefined;
  readonly peer: Peer;
  readonly flight: Flight = new Flight();
  readonly transcript: Transcript;
  readonly epochs: Epochs = initialEpochs();
  /** The ClientHello's: ours from the beginning, a client's once its hello suits us. */
  clientRandom: Bytes = NO_BYTES;
  /** The server's choice, which decides the version too. */
  suite: CipherSuite | undefined;
  group: Group | undefined;
  /** The server's choice, if both speak of SRTP. */
  srtpProfile: SrtpProfile | undefined;
  /** Once the hellos have agreed on them. */
  connectionIds: ConnectionIds | undefined;
  exporter: Exporter | undefined;

  constructor(configuration: DtlsConfiguration, peer: Peer) {
    this.role = configuration.role;
    this.crypto = configuration.crypto;
    this.random = configuration.random;
    this.certificate = configuration.certificate;
    this.versions = configuration.versions;
    this.groups = configuration.groups;
    this.cipherSuites = configuration.cipherSuites;
    this.requireExtendedMasterSecret = configuration.requireExtendedMasterSecret;
    this.srtpProfiles = configuration.srtpProfiles;
    this.connectionId =
      configuration.connectionId && makeConnectionId(configuration.connectionId, this.random);
    this.#keyLog = configuration.keyLog;
    this.peer = peer;
    this.transcript = new Transcript(this.crypto);
  }

  /** `undefined` until the server has chosen. */
  get version(): DtlsVersion | undefined {
    return this.suite?.version;
  }

  /** True if we may speak `version`. */
  speaks(version: DtlsVersion): boolean {
    const { min, max } = this.versions;
    return version === '1.2' ? min === '1.2' : max === '1.3';
  }

  /** The server has chosen. */
  choose(suite: CipherSuite): void {
    this.suite = suite;
    this.transcript.choose(suite);
  }

  /** Tells the key log, if there is one; what it gets is its own. */
  reveal(label: string, secret: Uint8Array): void {
    this.#keyLog?.(label, copyBytes(this.clientRandom), copyBytes(secret));
  }

  /** Adds a message to the flight and the transcript, plaintext unless an epoch is given. */
  say(type: HandshakeType, body: Bytes, epoch: WriteEpoch = this.epochs.plaintext): void {
    this.transcript.add(this.flight.add(type, body, epoch));
  }
}
