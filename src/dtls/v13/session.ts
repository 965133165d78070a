/**
 * The steps of DTLS 1.3 that both roles take: keys for epochs 2 and 3, certificate and proof of possession, Finished, and
 * after the handshake KeyUpdate (RFC 9147 §8).
 *
 * KeyUpdate: its sender goes on with the old keys until it is acknowledged, so that its receiver, which takes the new ones
 * at once and keeps the old, can open whatever comes in whatever order. One at a time (§8).
 */
import type { Bytes } from '../../core/bytes.ts';
import { equalConstantTime } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import type { PublicKey } from '../../crypto/provider.ts';
import type { CipherSuite } from '../cipher-suites.ts';
import type { KeyUpdates } from '../handshake-machine.ts';
import type { Handshake } from '../handshake.ts';
import { decodeCertificateVerify, encodeCertificateVerify } from '../messages/certificates.ts';
import {
  certificateVerifyInput,
  decodeCertificate13,
  encodeCertificate13,
} from '../messages/certificates13.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import type { Problem } from '../problem.ts';
import {
  finishedMismatch,
  illegalParameter,
  isProblem,
  malformed,
  noCertificate,
  unexpected,
  unsolicitedExtension,
} from '../problem.ts';
import { APPLICATION_EPOCH, HANDSHAKE_EPOCH, ReadEpoch13, WriteEpoch13 } from '../record/epoch13.ts';
import type { WriteEpoch } from '../record/write-epoch.ts';
import { judgeSignature, schemeOf } from '../signatures.ts';
import type { DtlsRole } from '../states.ts';
import { decodeKeyUpdate, encodeKeyUpdate } from './key-updates.ts';
import type { TrafficSecret, TrafficSecrets } from './schedule.ts';
import { KeySchedule13 } from './schedule.ts';

/** The flight that a KeyUpdate is. */
const KEY_UPDATE_FLIGHT = 7;

/** Epochs of the peer's kept at once: late records, and repetitions of its last flight, still open. */
const READ_EPOCHS_KEPT = 2;

/** The secrets and epochs of one DTLS 1.3 association. */
export class Session13 implements KeyUpdates {
  readonly #handshake: Handshake;
  readonly #other: DtlsRole;
  readonly #schedule: KeySchedule13;
  readonly #handshakeSecrets: TrafficSecrets;
  readonly #handshakeWrite: WriteEpoch13;
  /** Of the newest epoch of either direction. */
  #writeSecret: TrafficSecret;
  #readSecret: TrafficSecret;
  /** The next epoch of our writing, while our KeyUpdate is not acknowledged. */
  #nextWrite: WriteEpoch13 | undefined;
  /** A KeyUpdate that waits for the flight before it to be acknowledged, and whether it is to request one of the peer. */
  #updateWanted: 'no' | 'ours' | 'both' = 'no';

  /**
   * Once ServerHello is in the transcript: epoch 2 in both directions.
   * @param sharedSecret overwritten with zeros.
   */
  constructor(handshake: Handshake, suite: CipherSuite, sharedSecret: Bytes) {
    const { crypto, role, epochs, transcript } = handshake;
    this.#handshake = handshake;
    this.#other = role === 'client' ? 'server' : 'client';
    this.#schedule = new KeySchedule13(crypto, suite, sharedSecret, handshake);
    this.#handshakeSecrets = this.#schedule.handshake(transcript.hash());
    this.#writeSecret = this.#handshakeSecrets[role];
    this.#readSecret = this.#handshakeSecrets[this.#other];
    this.#handshakeWrite = new WriteEpoch13(crypto, HANDSHAKE_EPOCH, this.#writeSecret.keys());
    epochs.write = this.#handshakeWrite;
    epochs.read13 = [new ReadEpoch13(crypto, HANDSHAKE_EPOCH, this.#readSecret.keys())];
  }

  // --- what is said in epoch 2 ---

  say(type: HandshakeType, body: Bytes): void {
    this.#handshake.say(type, body, this.#handshakeWrite);
  }

  /** Certificate and CertificateVerify (RFC 8446 §4.4.2, §4.4.3). */
  sayCertificate(): void {
    const { certificate, role, transcript } = this.#handshake;
    this.say(HandshakeType.certificate, encodeCertificate13([certificate.der]));
    const signature = certificate.signingKey.sign(certificateVerifyInput(role, transcript.hash()));
    this.say(
      HandshakeType.certificateVerify,
      encodeCertificateVerify({ scheme: schemeOf(certificate.signingKey), signature }),
    );
  }

  sayFinished(): void {
    const { role, transcript } = this.#handshake;
    this.say(HandshakeType.finished, this.#handshakeSecrets[role].verifyData(transcript.hash()));
  }

  // --- what is heard in epoch 2 ---

  /** The peer's certificate; answers its public key. */
  takeCertificate(message: HandshakeMessage): { readonly publicKey: PublicKey } | Problem {
    const certificate = decodeCertificate13(message.body);
    if (isFailure(certificate)) return malformed(certificate.reason);
    const [leaf] = certificate.chain;
    if (leaf === undefined) return noCertificate(this.#other, '1.3');
    // RFC 8446 §4.4.2: they answer those of a ClientHello or CertificateRequest, and ours ask for none.
    const [uninvited] = certificate.extensions;
    if (uninvited !== undefined) return unsolicitedExtension(uninvited.type);
    const presented = this.#handshake.peer.present(leaf);
    if (!isProblem(presented)) this.#handshake.transcript.add(message);
    return presented;
  }

  /** The peer owns its certificate: it signs the hash of everything said so far. */
  takeCertificateVerify(message: HandshakeMessage, publicKey: PublicKey): Problem | undefined {
    const { crypto, transcript } = this.#handshake;
    const signed = decodeCertificateVerify(message.body);
    if (isFailure(signed)) return malformed(signed.reason);
    const input = certificateVerifyInput(this.#other, transcript.hash());
    const refusal = judgeSignature(crypto, '1.3', publicKey, input, signed, 'CertificateVerify');
    if (refusal !== undefined) return refusal;
    transcript.add(message);
    return undefined;
  }

  takeFinished(message: HandshakeMessage): Problem | undefined {
    const { transcript } = this.#handshake;
    const expected = this.#handshakeSecrets[this.#other].verifyData(transcript.hash());
    if (!equalConstantTime(message.body, expected)) return finishedMismatch();
    transcript.add(message);
    return undefined;
  }

  // --- epoch 3 ---

  /** With the server's Finished in the transcript: the secrets of application data. Nothing changes its keys yet. */
  deriveApplication(): void {
    const { role, transcript } = this.#handshake;
    const secrets = this.#schedule.application(transcript.hash());
    this.#writeSecret = secrets[role];
    this.#readSecret = secrets[this.#other];
    this.#handshake.exporter = secrets.exporter;
  }

  writeApplication(): void {
    this.#handshake.epochs.write = this.#nextWriteEpoch(APPLICATION_EPOCH);
  }

  readApplication(): void {
    this.#addReadEpoch(APPLICATION_EPOCH);
  }

  // --- after the handshake ---

  /** Takes what may come after a handshake. */
  handleLate(message: HandshakeMessage): Problem | undefined {
    switch (message.type) {
      case HandshakeType.keyUpdate:
        return this.#handleKeyUpdate(message);
      case HandshakeType.newSessionTicket:
        // There is no resumption: acknowledged, and forgotten (RFC 8446 §4.6.1).
        return this.#other === 'server' ? undefined : unexpected('complete', message.type);
      default:
        return unexpected('complete', message.type);
    }
  }

  /**
   * Changes the keys of our writing, now or as soon as our last flight is acknowledged. A change under way is enough, unless
   * the peer's are to change with it.
   */
  updateKeys(requestPeer: boolean): void {
    const { flight, epochs } = this.#handshake;
    if (this.#nextWrite !== undefined && !requestPeer) return;
    if (flight.messages > 0) {
      if (requestPeer || this.#updateWanted === 'no') this.#updateWanted = requestPeer ? 'both' : 'ours';
      return;
    }
    const current: WriteEpoch | undefined = epochs.write;
    if (current === undefined) return;
    this.#updateWanted = 'no';
    flight.begin(KEY_UPDATE_FLIGHT, undefined);
    flight.add(HandshakeType.keyUpdate, encodeKeyUpdate(requestPeer), current);
    this.#writeSecret = this.#writeSecret.next();
    this.#nextWrite = this.#nextWriteEpoch(current.epoch + 1);
  }

  /** Our last flight has been acknowledged: if it was a KeyUpdate, the new keys are in use from here on. */
  handleAcknowledged(): void {
    if (this.#nextWrite !== undefined) {
      this.#handshake.epochs.write = this.#nextWrite;
      this.#nextWrite = undefined;
    }
    if (this.#updateWanted !== 'no') this.updateKeys(this.#updateWanted === 'both');
  }

  #handleKeyUpdate(message: HandshakeMessage): Problem | undefined {
    const request = decodeKeyUpdate(message.body);
    if (typeof request !== 'number') return malformed(request.reason);
    if (request > 1)
      return illegalParameter('The peer sent a KeyUpdate that neither asks for an answer nor for none.');
    const newest = this.#handshake.epochs.read13[0];
    this.#readSecret = this.#readSecret.next();
    this.#addReadEpoch((newest?.epoch ?? APPLICATION_EPOCH) + 1);
    // An update of ours that is under way answers the request as well.
    if (request === 1) this.updateKeys(false);
    return undefined;
  }

  #nextWriteEpoch(epoch: number): WriteEpoch13 {
    return new WriteEpoch13(this.#handshake.crypto, epoch, this.#writeSecret.keys());
  }

  #addReadEpoch(epoch: number): void {
    const { crypto, epochs } = this.#handshake;
    const added = new ReadEpoch13(crypto, epoch, this.#readSecret.keys());
    epochs.read13 = [added, ...epochs.read13].slice(0, READ_EPOCHS_KEPT);
  }
}
