/**
 * Server13: the server of a DTLS 1.3 handshake after its ServerHello. It says the rest of flight 4, then hears the client's
 * proof of who it is (proof.ts).
 */
import type { HandshakeMachine, KeyUpdates } from '../handshake-machine.ts';
import { encodeCertificateRequest13 } from '../messages/certificates13.ts';
import type { Extension } from '../messages/extensions.ts';
import { encodeEncryptedExtensions } from '../messages/extensions.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import type { Problem } from '../problem.ts';
import { isProblem } from '../problem.ts';
import { OFFERED_SCHEMES } from '../signatures.ts';
import type { Complete, ProofState } from './proof.ts';
import { NO_PROOF, takeProof } from './proof.ts';
import type { Session13 } from './session.ts';

/** The server's side of DTLS 1.3 after its ServerHello. */
export class Server13 implements HandshakeMachine {
  readonly #session: Session13;
  #state: ProofState | Complete = NO_PROOF;

  /**
   * Says the protected part of flight 4; what is written from here on is in epoch 3.
   * @param extensions answers to the ClientHello's that are not for its ServerHello
   */
  constructor(session: Session13, extensions: readonly Extension[]) {
    this.#session = session;
    session.say(HandshakeType.encryptedExtensions, encodeEncryptedExtensions(extensions));
    session.say(HandshakeType.certificateRequest, encodeCertificateRequest13(OFFERED_SCHEMES));
    session.sayCertificate();
    session.sayFinished();
    session.deriveApplication();
    session.writeApplication();
  }

  get state(): string {
    return this.#state.name;
  }

  get keyUpdates(): KeyUpdates {
    return this.#session;
  }

  handle(message: HandshakeMessage): Problem | undefined {
    const state = this.#state;
    if (state.name === 'complete') return this.#session.handleLate(message);
    const next = takeProof(this.#session, state, message);
    if (isProblem(next)) return next;
    // The client's data may be read once its Finished is here.
    if (next.name === 'complete') this.#session.readApplication();
    this.#state = next;
    return undefined;
  }
}
