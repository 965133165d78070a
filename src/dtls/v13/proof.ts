/**
 * Proof of who the other end of a DTLS 1.3 handshake is (RFC 8446 §4.4), which both roles hear alike. Each state is named
 * for the message waited for:
 *
 *     await-certificate ─Certificate→ await-certificate-verify ─CertificateVerify→ await-finished ─Finished→ complete
 *
 * What a role does once the Finished is good, and what may come after a handshake, is the role's.
 */
import type { PublicKey } from '../../crypto/provider.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import type { Problem } from '../problem.ts';
import { isProblem, unexpected } from '../problem.ts';
import type { Session13 } from './session.ts';

/** How far the proof has come. */
export type ProofState =
  | { readonly name: 'await-certificate' }
  | { readonly name: 'await-certificate-verify'; readonly publicKey: PublicKey }
  | { readonly name: 'await-finished' };

/** The state a proof begins in. */
export const NO_PROOF: ProofState = { name: 'await-certificate' };

/** The state a proof ends in. */
export interface Complete {
  readonly name: 'complete';
}

const COMPLETE: Complete = { name: 'complete' };

/** Takes the next message in order; answers the state after it, or why the handshake cannot go on. */
export function takeProof(
  session: Session13,
  state: ProofState,
  message: HandshakeMessage,
): ProofState | Complete | Problem {
  switch (state.name) {
    case 'await-certificate': {
      if (message.type !== HandshakeType.certificate) break;
      const presented = session.takeCertificate(message);
      if (isProblem(presented)) return presented;
      return { name: 'await-certificate-verify', publicKey: presented.publicKey };
    }
    case 'await-certificate-verify':
      if (message.type !== HandshakeType.certificateVerify) break;
      return session.takeCertificateVerify(message, state.publicKey) ?? { name: 'await-finished' };
    case 'await-finished':
      if (message.type !== HandshakeType.finished) break;
      return session.takeFinished(message) ?? COMPLETE;
  }
  return unexpected(state.name, message.type);
}
