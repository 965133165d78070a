/**
 * What client and server share of a DTLS 1.2 handshake (RFC 6347 §4.2.4):
 *
 *     client                                server
 *     1  ClientHello                    →
 *                                       ←   HelloVerifyRequest  2   (we answer it, and never send it: ICE has proved
 *     3  ClientHello with cookie        →                            the path already)
 *                                       ←   ServerHello, Certificate, ServerKeyExchange,
 *                                           CertificateRequest, ServerHelloDone  4
 *     5  Certificate, ClientKeyExchange,
 *        CertificateVerify,
 *        ChangeCipherSpec, Finished     →
 *                                       ←   ChangeCipherSpec, Finished  6
 *
 * The peer's ChangeCipherSpec changes nothing: it says what the epoch of the next record says again, so epochs alone
 * decide which keys open a record, and an early, doubled or lost one does no harm.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, equalConstantTime } from '../core/bytes.ts';
import type { RandomSource } from '../core/random.ts';
import type { CryptoProvider, Group } from '../crypto/provider.ts';
import type { Certificate } from './certificate.ts';
import type { Epochs } from './epoch.ts';
import { GcmReadEpoch, GcmWriteEpoch, initialEpochs } from './epoch.ts';
import { Flight } from './flight.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { DtlsConfiguration, DtlsKeyLog, DtlsRole } from './options.ts';
import type { Peer } from './peer.ts';
import { MasterSecret } from './schedule.ts';
import { Transcript } from './transcript.ts';

/** The first and only protected epoch: there is no renegotiation. */
const PROTECTED_EPOCH = 1;

/** The tools of one handshake, and the steps both roles take. */
export class Handshake {
  readonly role: DtlsRole;
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  readonly certificate: Certificate;
  /** The preferred first. */
  readonly groups: readonly Group[];
  readonly peer: Peer;
  readonly flight: Flight = new Flight();
  readonly transcript: Transcript;
  readonly epochs: Epochs = initialEpochs();
  readonly #keyLog: DtlsKeyLog | undefined;

  constructor(configuration: DtlsConfiguration, peer: Peer) {
    this.role = configuration.role;
    this.crypto = configuration.crypto;
    this.random = configuration.random;
    this.certificate = configuration.certificate;
    this.groups = configuration.groups;
    this.peer = peer;
    this.#keyLog = configuration.keyLog;
    this.transcript = new Transcript(this.crypto);
  }

  /** Adds a plaintext message to the flight and the transcript. */
  say(type: HandshakeType, body: Bytes): void {
    this.transcript.add(this.flight.add(type, body, this.epochs.plaintext));
  }

  /** The master secret, once ClientKeyExchange is in the transcript. `premasterSecret` is overwritten with zeros. */
  deriveMaster(premasterSecret: Uint8Array, clientRandom: Uint8Array): MasterSecret {
    const log = this.#keyLog;
    const reveal = log && ((secret: Bytes): void => log('CLIENT_RANDOM', copyBytes(clientRandom), secret));
    return new MasterSecret(this.crypto, premasterSecret, this.transcript.hash(), reveal);
  }

  /** Derives the keys of both directions. Reading starts at once, writing with our Finished. */
  installKeys(master: MasterSecret, clientRandom: Uint8Array, serverRandom: Uint8Array): GcmWriteEpoch {
    const { client, server } = master.expand(clientRandom, serverRandom);
    const [ours, theirs] = this.role === 'client' ? [client, server] : [server, client];
    this.epochs.read = new GcmReadEpoch(this.crypto, PROTECTED_EPOCH, theirs);
    const write = new GcmWriteEpoch(this.crypto, PROTECTED_EPOCH, ours);
    client.key.fill(0);
    server.key.fill(0);
    return write;
  }

  /** Ends the flight with ChangeCipherSpec and Finished; from here on everything is written protected. */
  sayFinished(master: MasterSecret, write: GcmWriteEpoch): void {
    const verifyData = master.verifyData(this.role, this.transcript.hash());
    this.flight.addChangeCipherSpec(this.epochs.plaintext);
    this.transcript.add(this.flight.add(HandshakeType.finished, verifyData, write));
    this.epochs.write = write;
  }

  /** True if the peer has seen the same handshake and has the same keys (RFC 5246 §7.4.9). */
  matchesFinished(master: MasterSecret, message: HandshakeMessage): boolean {
    const sender = this.role === 'client' ? 'server' : 'client';
    return equalConstantTime(message.body, master.verifyData(sender, this.transcript.hash()));
  }
}
