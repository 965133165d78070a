/**
 * The server of a DTLS 1.2 handshake from its ServerHello on. Each state is named for the message it waits for and holds
 * what is known by then:
 *
 *     await-certificate ─Certificate→ await-client-key-exchange ─ClientKeyExchange→ await-certificate-verify
 *                                                                                     │ CertificateVerify
 *                                                                                     ↓
 *                                                      complete ←Finished─ await-finished
 */
import { NO_BYTES } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import { randomBytes } from '../../core/random.ts';
import type { Group, KeyExchange, PublicKey } from '../../crypto/provider.ts';
import type { CipherSuite } from '../cipher-suites.ts';
import { chosenConnectionId } from '../connection-id.ts';
import type { HandshakeMachine } from '../handshake-machine.ts';
import type { Handshake } from '../handshake.ts';
import {
  CERTIFICATE_TYPE_ECDSA_SIGN,
  CERTIFICATE_TYPE_RSA_SIGN,
  decodeCertificate,
  decodeCertificateVerify,
  encodeCertificate,
  encodeCertificateRequest,
} from '../messages/certificates.ts';
import type { Extension } from '../messages/extensions.ts';
import {
  EXTENDED_MASTER_SECRET,
  ExtensionType,
  POINT_FORMATS,
  RENEGOTIATION_INFO,
  findExtension,
} from '../messages/extensions.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import type { ClientHello } from '../messages/hello.ts';
import {
  HELLO_RANDOM_LENGTH,
  NULL_COMPRESSION,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  encodeServerHello,
  markDowngrade,
} from '../messages/hello.ts';
import {
  decodeClientKeyExchange,
  encodeKeyExchangeParameters,
  encodeServerKeyExchange,
  keyExchangeSignatureInput,
} from '../messages/key-exchange.ts';
import type { Problem } from '../problem.ts';
import {
  badKeyShare,
  finishedMismatch,
  isProblem,
  malformed,
  noCertificate,
  unexpected,
} from '../problem.ts';
import { DTLS_1_2 } from '../record/record.ts';
import { judgeSignature, OFFERED_SCHEMES, schemeOf } from '../signatures.ts';
import { srtpExtensions } from '../srtp.ts';
import type { Hellos12 } from './session.ts';
import { Session12 } from './session.ts';

type ServerState =
  | { readonly name: 'await-certificate' }
  | { readonly name: 'await-client-key-exchange'; readonly publicKey: PublicKey }
  | { readonly name: 'await-certificate-verify'; readonly session: Session12; readonly publicKey: PublicKey }
  | { readonly name: 'await-finished'; readonly session: Session12 }
  | { readonly name: 'complete' };

/** The server's side of DTLS 1.2 from its ServerHello on. */
export class Server12 implements HandshakeMachine {
  readonly #handshake: Handshake;
  readonly #hellos: Hellos12;
  readonly #keys: KeyExchange;
  #state: ServerState = { name: 'await-certificate' };

  /** Says flight 4, which has begun. */
  constructor(
    handshake: Handshake,
    hello: ClientHello,
    suite: CipherSuite,
    group: Group,
    extendedMasterSecret: boolean,
  ) {
    const { crypto, random } = handshake;
    const serverRandom = randomBytes(random, HELLO_RANDOM_LENGTH);
    if (handshake.speaks('1.3')) markDowngrade(serverRandom);
    this.#handshake = handshake;
    this.#hellos = { suite, serverRandom, extendedMasterSecret };
    this.#keys = crypto.keyExchange(group, random);
    this.#sayServerHello(hello);
    this.#sayKeyExchange();
  }

  get state(): ServerState['name'] {
    return this.#state.name;
  }

  handle(message: HandshakeMessage): Problem | undefined {
    const state = this.#state;
    const { type } = message;
    switch (state.name) {
      case 'await-certificate':
        if (type === HandshakeType.certificate) return this.#handleCertificate(message);
        break;
      case 'await-client-key-exchange':
        if (type === HandshakeType.clientKeyExchange) {
          return this.#handleClientKeyExchange(message, state.publicKey);
        }
        break;
      case 'await-certificate-verify':
        if (type === HandshakeType.certificateVerify) {
          return this.#handleCertificateVerify(message, state.session, state.publicKey);
        }
        break;
      case 'await-finished':
        if (type === HandshakeType.finished) return this.#handleFinished(message, state.session);
        break;
      case 'complete':
        break;
    }
    return unexpected(state.name, type);
  }

  /** Only extensions that were offered are answered (RFC 5246 §7.4.1.4). No session id: there is no resumption. */
  #sayServerHello(hello: ClientHello): void {
    const { suite, serverRandom, extendedMasterSecret } = this.#hellos;
    const extensions: Extension[] = extendedMasterSecret ? [EXTENDED_MASTER_SECRET] : [];
    if (
      findExtension(hello.extensions, ExtensionType.renegotiationInfo) !== undefined ||
      hello.cipherSuites.includes(TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
    ) {
      extensions.push(RENEGOTIATION_INFO);
    }
    if (findExtension(hello.extensions, ExtensionType.ecPointFormats) !== undefined) {
      extensions.push(POINT_FORMATS);
    }
    extensions.push(...srtpExtensions(this.#handshake), ...chosenConnectionId(this.#handshake));
    const answer = encodeServerHello({
      version: DTLS_1_2,
      random: serverRandom,
      sessionId: NO_BYTES,
      cipherSuite: suite.code,
      compressionMethod: NULL_COMPRESSION,
      extensions,
    });
    this.#handshake.say(HandshakeType.serverHello, answer);
  }

  /** The rest of flight 4: who we are, our share, and who are you? */
  #sayKeyExchange(): void {
    const { certificate, clientRandom } = this.#handshake;
    const { serverRandom } = this.#hellos;
    this.#handshake.say(HandshakeType.certificate, encodeCertificate([certificate.der]));
    const parameters = encodeKeyExchangeParameters(this.#keys.group, this.#keys.publicKey);
    const signature = certificate.signingKey.sign(
      keyExchangeSignatureInput(clientRandom, serverRandom, parameters),
    );
    this.#handshake.say(
      HandshakeType.serverKeyExchange,
      encodeServerKeyExchange(parameters, { scheme: schemeOf(certificate.signingKey), signature }),
    );
    this.#handshake.say(
      HandshakeType.certificateRequest,
      encodeCertificateRequest({
        certificateTypes: Uint8Array.of(CERTIFICATE_TYPE_ECDSA_SIGN, CERTIFICATE_TYPE_RSA_SIGN),
        signatureSchemes: OFFERED_SCHEMES,
      }),
    );
    this.#handshake.say(HandshakeType.serverHelloDone, NO_BYTES);
  }

  #handleCertificate(message: HandshakeMessage): Problem | undefined {
    const chain = decodeCertificate(message.body);
    if (isFailure(chain)) return malformed(chain.reason);
    const leaf = chain[0];
    if (leaf === undefined) return noCertificate('client', '1.2');
    const presented = this.#handshake.peer.present(leaf);
    if (isProblem(presented)) return presented;
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-client-key-exchange', publicKey: presented.publicKey };
    return undefined;
  }

  #handleClientKeyExchange(message: HandshakeMessage, publicKey: PublicKey): Problem | undefined {
    const share = decodeClientKeyExchange(message.body);
    if (isFailure(share)) return malformed(share.reason);
    const premasterSecret = this.#keys.deriveSecret(share);
    if (premasterSecret === undefined) return badKeyShare();
    this.#handshake.transcript.add(message);
    const session = new Session12(this.#handshake, this.#hellos, premasterSecret);
    this.#state = { name: 'await-certificate-verify', session, publicKey };
    return undefined;
  }

  /** The client owns its certificate: it signs everything said so far (RFC 5246 §7.4.8). */
  #handleCertificateVerify(
    message: HandshakeMessage,
    session: Session12,
    publicKey: PublicKey,
  ): Problem | undefined {
    const { crypto, transcript } = this.#handshake;
    const signed = decodeCertificateVerify(message.body);
    if (isFailure(signed)) return malformed(signed.reason);
    const input = transcript.bytes();
    const refusal = judgeSignature(crypto, '1.2', publicKey, input, signed, 'CertificateVerify');
    if (refusal !== undefined) return refusal;
    transcript.add(message);
    this.#state = { name: 'await-finished', session };
    return undefined;
  }

  /** Flight 6. */
  #handleFinished(message: HandshakeMessage, session: Session12): Problem | undefined {
    if (!session.matchesFinished(message)) return finishedMismatch();
    const { transcript, flight } = this.#handshake;
    transcript.add(message);
    flight.begin(6, message);
    session.sayFinished();
    this.#state = { name: 'complete' };
    return undefined;
  }
}
