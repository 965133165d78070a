/**
 * The client of a DTLS 1.3 handshake behind the ServerHello. Each state is named for the message it waits for:
 *
 *     await-encrypted-extensions → await-certificate-request → await-certificate → await-certificate-verify
 *       → await-finished → complete, with flight 5 on its way until it is acknowledged
 *
 * A server that asks for no certificate is refused: WebRTC identifies both ends by theirs.
 */
import type { Bytes } from '../core/bytes.ts';
import { Reader } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import type { Handshake } from './handshake.ts';
import { ECDSA_SECP256R1_SHA256 } from './messages/certificates.ts';
import { decodeCertificateRequest13 } from './messages/certificates13.ts';
import { ExtensionType, decodeExtensions } from './messages/extensions.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { Problem } from './problem.ts';
import { isProblem, malformed, nothingInCommon, unexpected, unsolicitedExtension } from './problem.ts';
import type { Session13 } from './session13.ts';
import { readSrtpChoice } from './srtp.ts';

type ClientState =
  | { readonly name: 'await-encrypted-extensions' }
  | { readonly name: 'await-certificate-request' }
  | { readonly name: 'await-certificate' }
  | { readonly name: 'await-certificate-verify'; readonly publicKey: Bytes }
  | { readonly name: 'await-finished' }
  | { readonly name: 'complete' };

export class Client13 {
  readonly session: Session13;
  readonly #handshake: Handshake;
  #state: ClientState = { name: 'await-encrypted-extensions' };

  constructor(handshake: Handshake, session: Session13) {
    this.#handshake = handshake;
    this.session = session;
  }

  get state(): ClientState['name'] {
    return this.#state.name;
  }

  /** Takes the next message in order. The bytes of `message` are the machine's from here on. */
  handle(message: HandshakeMessage): Problem | undefined {
    const state = this.#state;
    const { type } = message;
    switch (state.name) {
      case 'await-encrypted-extensions':
        if (type === HandshakeType.encryptedExtensions) return this.#handleEncryptedExtensions(message);
        break;
      case 'await-certificate-request':
        if (type === HandshakeType.certificateRequest) return this.#handleCertificateRequest(message);
        break;
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

  /** RFC 8446 §4.2: of what we offer these may be answered here; supported_groups is advice for another time. */
  #handleEncryptedExtensions(message: HandshakeMessage): Problem | undefined {
    const extensions = decodeExtensions(new Reader(message.body));
    if (isFailure(extensions)) return malformed(extensions.reason);
    if (message.body.length === 0) return malformed('extensions-malformed');
    const { srtpProfiles } = this.#handshake;
    const uninvited = extensions.find(
      ({ type }) =>
        type !== ExtensionType.supportedGroups &&
        (type !== ExtensionType.useSrtp || srtpProfiles.length === 0),
    );
    if (uninvited !== undefined) return unsolicitedExtension(uninvited.type);
    const profile = readSrtpChoice(srtpProfiles, extensions);
    if (typeof profile === 'object') return profile;
    this.#handshake.srtpProfile = profile;
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-certificate-request' };
    return undefined;
  }

  #handleCertificateRequest(message: HandshakeMessage): Problem | undefined {
    const schemes = decodeCertificateRequest13(message.body);
    if (isFailure(schemes)) return malformed(schemes.reason);
    if (!schemes.includes(ECDSA_SECP256R1_SHA256)) {
      return nothingInCommon(
        'signature',
        'The server accepts no ecdsa_secp256r1_sha256 signature from its clients.',
      );
    }
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-certificate' };
    return undefined;
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

  /** Flight 5. */
  #handleFinished(message: HandshakeMessage): Problem | undefined {
    const problem = this.session.takeFinished(message);
    if (problem !== undefined) return problem;
    this.session.deriveApplication();
    this.session.readApplication();
    this.#handshake.flight.begin(5, message);
    this.session.sayCertificate();
    this.session.sayFinished();
    this.session.writeApplication();
    this.#state = { name: 'complete' };
    return undefined;
  }
}
