/**
 * The server of a DTLS 1.3 handshake behind its ServerHello. Each state is named for the message it waits for:
 *
 *     await-certificate → await-certificate-verify → await-finished → complete
 */
import type { Bytes } from '../core/bytes.ts';
import { ECDSA_SECP256R1_SHA256 } from './messages/certificates.ts';
import { encodeCertificateRequest13 } from './messages/certificates13.ts';
import { encodeEncryptedExtensions } from './messages/extensions.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { Problem } from './problem.ts';
import { isProblem, unexpected } from './problem.ts';
import type { Session13 } from './session13.ts';
import type { SrtpProfile } from './srtp.ts';
import { srtpExtensions } from './srtp.ts';

type ServerState =
  | { readonly name: 'await-certificate' }
  | { readonly name: 'await-certificate-verify'; readonly publicKey: Bytes }
  | { readonly name: 'await-finished' }
  | { readonly name: 'complete' };

export class Server13 {
  readonly session: Session13;
  #state: ServerState = { name: 'await-certificate' };

  /** Says the protected part of flight 4; what is written from here on is in epoch 3. */
  constructor(session: Session13, srtpProfile: SrtpProfile | undefined) {
    this.session = session;
    const extensions = srtpProfile === undefined ? [] : srtpExtensions([srtpProfile]);
    session.say(HandshakeType.encryptedExtensions, encodeEncryptedExtensions(extensions));
    session.say(HandshakeType.certificateRequest, encodeCertificateRequest13([ECDSA_SECP256R1_SHA256]));
    session.sayCertificate();
    session.sayFinished();
    session.deriveApplication();
    session.writeApplication();
  }

  get state(): ServerState['name'] {
    return this.#state.name;
  }

  /** Takes the next message in order. The bytes of `message` are the machine's from here on. */
  handle(message: HandshakeMessage): Problem | undefined {
    const state = this.#state;
    const { type } = message;
    switch (state.name) {
      case 'await-certificate':
        if (type === HandshakeType.certificate) return this.#handleCertificate(message);
        break;
      case 'await-certificate-verify':
        if (type === HandshakeType.certificateVerify) {
          return this.#handleCertificateVerify(message, state.publicKey);
        }
        break;
      case 'await-finished':
        if (type === HandshakeType.finished) return this.#handleFinished(message);
        break;
      case 'complete':
        return this.session.handleLate(message);
    }
    return unexpected(state.name, type);
  }

  #handleCertificate(message: HandshakeMessage): Problem | undefined {
    const presented = this.session.takeCertificate(message);
    if (isProblem(presented)) return presented;
    this.#state = { name: 'await-certificate-verify', publicKey: presented.publicKey };
    return undefined;
  }

  #handleCertificateVerify(message: HandshakeMessage, publicKey: Bytes): Problem | undefined {
    const problem = this.session.takeCertificateVerify(message, publicKey);
    if (problem === undefined) this.#state = { name: 'await-finished' };
    return problem;
  }

  /** The client's data may be read from here on. */
  #handleFinished(message: HandshakeMessage): Problem | undefined {
    const problem = this.session.takeFinished(message);
    if (problem !== undefined) return problem;
    this.session.readApplication();
    this.#state = { name: 'complete' };
    return undefined;
  }
}
