/**
 * The client of a DTLS 1.3 handshake after the ServerHello. Each state is named for the message it waits for:
 *
 *     await-encrypted-extensions → await-certificate-request → the server's proof of who it is (proof.ts)
 *       → complete, with flight 5 on its way until it is acknowledged
 *
 * A server that does not ask for our certificate is not shown it, as in DTLS 1.2 (v12/client.ts).
 */
import { Reader } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import type { HandshakeMachine, KeyUpdates } from '../handshake-machine.ts';
import type { Handshake } from '../handshake.ts';
import { decodeCertificateRequest13 } from '../messages/certificates13.ts';
import {
  CLIENT_HELLO_EXTENSIONS,
  ExtensionType,
  decodeExtensions,
  decodeU16Vector,
  findExtension,
} from '../messages/extensions.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import type { Problem } from '../problem.ts';
import { isProblem, malformed, missingExtension, unexpected, unsolicitedExtension } from '../problem.ts';
import { judgeAcceptedSchemes } from '../signatures.ts';
import { takeSrtpProfile } from '../srtp.ts';
import type { Complete, ProofState } from './proof.ts';
import { NO_PROOF, takeProof } from './proof.ts';
import type { Session13 } from './session.ts';

type ClientState =
  | { readonly name: 'await-encrypted-extensions' }
  | { readonly name: 'await-certificate-request' }
  | ProofState
  | Complete;

/** The client's side of DTLS 1.3 after the ServerHello. */
export class Client13 implements HandshakeMachine {
  readonly #session: Session13;
  readonly #handshake: Handshake;
  #state: ClientState = { name: 'await-encrypted-extensions' };
  /** True once the server has asked who we are. */
  #isAsked = false;

  constructor(handshake: Handshake, session: Session13) {
    this.#handshake = handshake;
    this.#session = session;
  }

  get state(): string {
    return this.#state.name;
  }

  get keyUpdates(): KeyUpdates {
    return this.#session;
  }

  handle(message: HandshakeMessage): Problem | undefined {
    const state = this.#state;
    const { type } = message;
    switch (state.name) {
      case 'await-encrypted-extensions':
        if (type === HandshakeType.encryptedExtensions) return this.#handleEncryptedExtensions(message);
        break;
      case 'await-certificate-request':
        if (type === HandshakeType.certificateRequest) return this.#handleCertificateRequest(message);
        if (type === HandshakeType.certificate) return this.#handleProof(message, NO_PROOF);
        break;
      case 'complete':
        return this.#session.handleLate(message);
      default:
        return this.#handleProof(message, state);
    }
    return unexpected(state.name, type);
  }

  /** RFC 8446 §4.3.1: what we offer and may be answered here: use_srtp, and supported_groups as advice for another time. */
  #handleEncryptedExtensions(message: HandshakeMessage): Problem | undefined {
    const extensions = decodeExtensions(new Reader(message.body));
    if (isFailure(extensions)) return malformed(extensions.reason);
    if (message.body.length === 0) return malformed('extensions-malformed');
    const invited: number[] = [ExtensionType.supportedGroups];
    if (this.#handshake.srtpProfiles.length > 0) invited.push(ExtensionType.useSrtp);
    const uninvited = extensions.find(({ type }) => !invited.includes(type));
    if (uninvited !== undefined) {
      return unsolicitedExtension(uninvited.type, CLIENT_HELLO_EXTENSIONS.includes(uninvited.type));
    }
    const srtpProblem = takeSrtpProfile(this.#handshake, extensions);
    if (srtpProblem !== undefined) return srtpProblem;
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-certificate-request' };
    return undefined;
  }

  #handleCertificateRequest(message: HandshakeMessage): Problem | undefined {
    const extensions = decodeCertificateRequest13(message.body);
    if (isFailure(extensions)) return malformed(extensions.reason);
    const data = findExtension(extensions, ExtensionType.signatureAlgorithms);
    if (data === undefined) return missingExtension('signature_algorithms');
    const schemes = decodeU16Vector(data);
    if (isFailure(schemes)) return malformed(schemes.reason);
    // RFC 8446 §4.2: what we know, and is not for this message. What is unknown is passed over (§4.3.2).
    const misplaced = extensions.find(
      ({ type }) => type !== ExtensionType.signatureAlgorithms && CLIENT_HELLO_EXTENSIONS.includes(type),
    );
    if (misplaced !== undefined) return unsolicitedExtension(misplaced.type, true);
    const refusal = judgeAcceptedSchemes(this.#handshake.certificate.signingKey, schemes, 'server');
    if (refusal !== undefined) return refusal;
    this.#handshake.transcript.add(message);
    this.#isAsked = true;
    this.#state = NO_PROOF;
    return undefined;
  }

  #handleProof(message: HandshakeMessage, state: ProofState): Problem | undefined {
    const next = takeProof(this.#session, state, message);
    if (isProblem(next)) return next;
    if (next.name === 'complete') this.#sayFlight5(message);
    this.#state = next;
    return undefined;
  }

  #sayFlight5(finished: HandshakeMessage): void {
    this.#session.deriveApplication();
    this.#session.readApplication();
    this.#handshake.flight.begin(5, finished);
    if (this.#isAsked) this.#session.sayCertificate();
    this.#session.sayFinished();
    this.#session.writeApplication();
  }
}
