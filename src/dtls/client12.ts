/**
 * The client of a DTLS 1.2 handshake behind the ServerHello. Each state is named for the message it waits for and holds
 * what is known by then:
 *
 *     await-certificate ─Certificate→ await-server-key-exchange ─ServerKeyExchange→ await-certificate-request
 *                                                                                     │ CertificateRequest
 *                                                                                     ↓
 *     complete ←Finished─ await-finished ←ServerHelloDone─ await-server-hello-done ←──┘
 */
import type { Bytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import type { KeyExchange } from '../crypto/provider.ts';
import type { Handshake } from './handshake.ts';
import {
  CERTIFICATE_TYPE_ECDSA_SIGN,
  ECDSA_SECP256R1_SHA256,
  decodeCertificate,
  decodeCertificateRequest,
  encodeCertificate,
  encodeCertificateVerify,
} from './messages/certificates.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import {
  decodeServerKeyExchange,
  encodeClientKeyExchange,
  groupCode,
  keyExchangeSignatureInput,
} from './messages/key-exchange.ts';
import type { Problem } from './problem.ts';
import {
  badKeyShare,
  badSignature,
  finishedMismatch,
  illegalParameter,
  isProblem,
  malformed,
  noCertificate,
  nothingInCommon,
  unexpected,
} from './problem.ts';
import type { Hellos12 } from './session12.ts';
import { Session12 } from './session12.ts';

type ClientState =
  | { readonly name: 'await-certificate' }
  | { readonly name: 'await-server-key-exchange'; readonly publicKey: Bytes }
  | { readonly name: 'await-certificate-request'; readonly exchange: Exchange }
  | { readonly name: 'await-server-hello-done'; readonly exchange: Exchange }
  | { readonly name: 'await-finished'; readonly session: Session12 }
  | { readonly name: 'complete' };

/** Our ephemeral key, and the secret it makes with the server's. */
interface Exchange {
  readonly keys: KeyExchange;
  readonly premasterSecret: Bytes;
}

export class Client12 {
  readonly #handshake: Handshake;
  readonly #hellos: Hellos12;
  #state: ClientState = { name: 'await-certificate' };

  constructor(handshake: Handshake, hellos: Hellos12) {
    this.#handshake = handshake;
    this.#hellos = hellos;
  }

  get state(): ClientState['name'] {
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
      case 'await-server-key-exchange':
        if (type === HandshakeType.serverKeyExchange) {
          return this.#handleServerKeyExchange(message, state.publicKey);
        }
        break;
      case 'await-certificate-request':
        if (type === HandshakeType.certificateRequest) {
          return this.#handleCertificateRequest(message, state.exchange);
        }
        break;
      case 'await-server-hello-done':
        if (type === HandshakeType.serverHelloDone) {
          return this.#handleServerHelloDone(message, state.exchange);
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

  #handleCertificate(message: HandshakeMessage): Problem | undefined {
    const chain = decodeCertificate(message.body);
    if (isFailure(chain)) return malformed(chain.reason);
    const leaf = chain[0];
    if (leaf === undefined) return noCertificate();
    const presented = this.#handshake.peer.present(leaf);
    if (isProblem(presented)) return presented;
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-server-key-exchange', publicKey: presented.publicKey };
    return undefined;
  }

  #handleServerKeyExchange(message: HandshakeMessage, publicKey: Bytes): Problem | undefined {
    const { crypto, random, groups, transcript } = this.#handshake;
    const { clientRandom, serverRandom } = this.#hellos;
    const exchange = decodeServerKeyExchange(message.body);
    if (isFailure(exchange)) return malformed(exchange.reason);
    const group = groups.find((offered) => groupCode(offered) === exchange.groupCode);
    if (group === undefined) return illegalParameter('The server chose a group that was not offered.');
    if (exchange.signed.scheme !== ECDSA_SECP256R1_SHA256) {
      return illegalParameter('The server signed with a scheme that was not offered.');
    }
    const signedBytes = keyExchangeSignatureInput(clientRandom, serverRandom, exchange.parameters);
    if (!crypto.verify(publicKey, signedBytes, exchange.signed.signature)) {
      return badSignature("The signature of ServerKeyExchange is not that of the server's certificate.");
    }
    const keys = crypto.keyExchange(group, random);
    const premasterSecret = keys.deriveSecret(exchange.publicKey);
    if (premasterSecret === undefined) return badKeyShare();
    transcript.add(message);
    this.#handshake.group = group;
    this.#state = { name: 'await-certificate-request', exchange: { keys, premasterSecret } };
    return undefined;
  }

  #handleCertificateRequest(message: HandshakeMessage, exchange: Exchange): Problem | undefined {
    const request = decodeCertificateRequest(message.body);
    if (isFailure(request)) return malformed(request.reason);
    if (
      !request.certificateTypes.includes(CERTIFICATE_TYPE_ECDSA_SIGN) ||
      !request.signatureSchemes.includes(ECDSA_SECP256R1_SHA256)
    ) {
      return nothingInCommon(
        'signature',
        'The server accepts no ecdsa_secp256r1_sha256 signature from its clients.',
      );
    }
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-server-hello-done', exchange };
    return undefined;
  }

  /** Flight 5. */
  #handleServerHelloDone(message: HandshakeMessage, exchange: Exchange): Problem | undefined {
    if (message.body.length !== 0) return malformed('server-hello-done-malformed');
    const { certificate, transcript, flight } = this.#handshake;
    transcript.add(message);
    flight.begin(5, message);
    this.#handshake.say(HandshakeType.certificate, encodeCertificate([certificate.der]));
    this.#handshake.say(HandshakeType.clientKeyExchange, encodeClientKeyExchange(exchange.keys.publicKey));
    const session = new Session12(this.#handshake, this.#hellos, exchange.premasterSecret);
    const signature = certificate.signingKey.sign(transcript.bytes());
    this.#handshake.say(
      HandshakeType.certificateVerify,
      encodeCertificateVerify({ scheme: ECDSA_SECP256R1_SHA256, signature }),
    );
    session.sayFinished();
    this.#state = { name: 'await-finished', session };
    return undefined;
  }

  #handleFinished(message: HandshakeMessage, session: Session12): Problem | undefined {
    if (!session.matchesFinished(message)) return finishedMismatch();
    this.#state = { name: 'complete' };
    return undefined;
  }
}
