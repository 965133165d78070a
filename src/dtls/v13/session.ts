/**
 * The steps of DTLS 1.3 that both roles take: keys for epochs 2 and 3, certificate and proof of possession, Finished, and
 * after the handshake KeyUpdate (RFC 9147 §8).
 *
 * KeyUpdate: its sender goes on with the old keys until it is acknowledged, so that its receiver, which takes the new ones
 * at once and keeps the old, can open whatever comes in whatever order. One at a time (§8).
 *
 * Connection ids (§9): a peer that wants another id in our records gets it at once; its spare ones are not kept, for nobody
 * here would use them. A peer that asks for further ids of ours is told that there are none, which §9 allows.
 */
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, copyBytes, equalConstantTime } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import type { PublicKey } from '../../crypto/provider.ts';
import type { CipherSuite } from '../cipher-suites.ts';
import { MAX_CONNECTION_ID_LENGTH } from '../connection-id.ts';
import type { KeyUpdates } from '../handshake-machine.ts';
import type { Handshake } from '../handshake.ts';
import { decodeCertificateVerify, encodeCertificateVerify } from '../messages/certificates.ts';
import {
  certificateVerifyInput,
  decodeCertificate13,
  encodeCertificate13,
} from '../messages/certificates13.ts';
import {
  ConnectionIdUsage,
  decodeNewConnectionId,
  decodeRequestConnectionId,
  encodeNewConnectionId,
} from '../messages/connection-id.ts';
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

/** The flight that a KeyUpdate or a NewConnectionId is. */
const LATE_FLIGHT = 7;

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
  /** A RequestConnectionId of the peer's waits for the flight before its answer to be acknowledged. */
  #owesConnectionIds = false;

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
    this.#handshakeWrite = this.#nextWriteEpoch(HANDSHAKE_EPOCH);
    epochs.write = this.#handshakeWrite;
    this.#addReadEpoch(HANDSHAKE_EPOCH);
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
      case HandshakeType.newConnectionId:
        return this.#handleNewConnectionId(message);
      case HandshakeType.requestConnectionId:
        return this.#handleRequestConnectionId(message);
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
    flight.begin(LATE_FLIGHT, undefined);
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
    if (this.#owesConnectionIds) this.#answerConnectionIds();
    else if (this.#updateWanted !== 'no') this.updateKeys(this.#updateWanted === 'both');
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

  #handleNewConnectionId(message: HandshakeMessage): Problem | undefined {
    const { connectionIds, epochs } = this.#handshake;
    if (connectionIds === undefined || connectionIds.remote.length === 0) {
      return unexpected('complete', message.type);
    }
    const offer = decodeNewConnectionId(message.body);
    if (isFailure(offer)) return malformed(offer.reason);
    if (offer.usage === ConnectionIdUsage.spare) return undefined;
    const id = offer.ids.find(({ length }) => length > 0 && length <= MAX_CONNECTION_ID_LENGTH);
    if (offer.usage !== ConnectionIdUsage.immediate || id === undefined) {
      return illegalParameter(
        'The peer wants another connection id in our records, and names none that we can use.',
      );
    }
    const remote = copyBytes(id);
    this.#handshake.connectionIds = { ...connectionIds, remote };
    for (const epoch of [this.#handshakeWrite, epochs.write, this.#nextWrite]) {
      if (epoch instanceof WriteEpoch13) epoch.useConnectionId(remote);
    }
    return undefined;
  }

  #handleRequestConnectionId(message: HandshakeMessage): Problem | undefined {
    const local = this.#handshake.connectionIds?.local ?? NO_BYTES;
    if (local.length === 0) return unexpected('complete', message.type);
    const count = decodeRequestConnectionId(message.body);
    if (typeof count !== 'number') return malformed(count.reason);
    // However often it asks: one answer at a time.
    if (this.#handshake.flight.messages > 0) this.#owesConnectionIds = true;
    else this.#answerConnectionIds();
    return undefined;
  }

  #answerConnectionIds(): void {
    const { flight, epochs } = this.#handshake;
    this.#owesConnectionIds = false;
    if (epochs.write === undefined) return;
    const none = encodeNewConnectionId({ ids: [], usage: ConnectionIdUsage.spare });
    flight.begin(LATE_FLIGHT, undefined);
    flight.add(HandshakeType.newConnectionId, none, epochs.write);
  }

  #nextWriteEpoch(epoch: number): WriteEpoch13 {
    const { crypto, connectionIds } = this.#handshake;
    const next = new WriteEpoch13(crypto, epoch, this.#writeSecret.keys());
    if (connectionIds !== undefined && connectionIds.remote.length > 0) {
      next.useConnectionId(connectionIds.remote);
    }
    return next;
  }

  #addReadEpoch(epoch: number): void {
    const { crypto, epochs, connectionIds } = this.#handshake;
    const added = new ReadEpoch13(crypto, epoch, this.#readSecret.keys(), connectionIds?.local.length);
    epochs.read13 = [added, ...epochs.read13].slice(0, READ_EPOCHS_KEPT);
  }
}
