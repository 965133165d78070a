/**
 * What either end of a DTLS 1.3 handshake hears of the other (RFC 8446 §4.4), named for the message waited for:
 *
 *     await-certificate → await-certificate-verify → await-finished → complete, and what may come after a handshake
 */
import type { PublicKey } from '../../crypto/provider.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import type { Problem } from '../problem.ts';
import { isProblem, unexpected } from '../problem.ts';
import type { Session13 } from './session.ts';

type ProofState =
  | { readonly name: 'await-certificate' }
  | { readonly name: 'await-certificate-verify'; readonly publicKey: PublicKey }
  | { readonly name: 'await-finished' }
  | { readonly name: 'complete' };

export class Proof13 {
  readonly #session: Session13;
  readonly #finish: (finished: HandshakeMessage) => void;
  #state: ProofState = { name: 'await-certificate' };

  /** @param finish what our role does once the peer's Finished is good */
  constructor(session: Session13, finish: (finished: HandshakeMessage) => void) {
    this.#session = session;
    this.#finish = finish;
  }

  get state(): ProofState['name'] {
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
        return this.#session.handleLate(message);
    }
    return unexpected(state.name, type);
  }

  #handleCertificate(message: HandshakeMessage): Problem | undefined {
    const presented = this.#session.takeCertificate(message);
    if (isProblem(presented)) return presented;
    this.#state = { name: 'await-certificate-verify', publicKey: presented.publicKey };
    return undefined;
  }

  #handleCertificateVerify(message: HandshakeMessage, publicKey: PublicKey): Problem | undefined {
    const problem = this.#session.takeCertificateVerify(message, publicKey);
    if (problem === undefined) this.#state = { name: 'await-finished' };
    return problem;
  }

  #handleFinished(message: HandshakeMessage): Problem | undefined {
    const problem = this.#session.takeFinished(message);
    if (problem !== undefined) return problem;
    this.#finish(message);
    this.#state = { name: 'complete' };
    return undefined;
  }
}
