/**
 * The server of a DTLS 1.3 handshake behind its ServerHello: it says the rest of flight 4, then hears the client's proof of
 * who it is (proof.ts).
 */
import type { HandshakeMachine, KeyUpdates } from '../handshake-machine.ts';
import { encodeCertificateRequest13 } from '../messages/certificates13.ts';
import type { Extension } from '../messages/extensions.ts';
import { encodeEncryptedExtensions } from '../messages/extensions.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import type { Problem } from '../problem.ts';
import { OFFERED_SCHEMES } from '../signatures.ts';
import { Proof13 } from './proof.ts';
import type { Session13 } from './session.ts';

/** The server's side of DTLS 1.3 behind its ServerHello. */
export class Server13 implements HandshakeMachine {
  readonly #session: Session13;
  readonly #proof: Proof13;

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
    // The client's data may be read once its Finished is here.
    this.#proof = new Proof13(session, () => {
      session.readApplication();
    });
  }

  get keyUpdates(): KeyUpdates {
    return this.#session;
  }

  get state(): Proof13['state'] {
    return this.#proof.state;
  }

  handle(message: HandshakeMessage): Problem | undefined {
    return this.#proof.handle(message);
  }
}
