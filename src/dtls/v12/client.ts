/**
 * The client of a DTLS 1.2 handshake after the ServerHello. Each state is named for the message it waits for and holds
 * what is known by then:
 *
 *     await-certificate ─Certificate→ await-server-key-exchange ─ServerKeyExchange→ await-certificate-request
 *                                                              ServerHelloDone │      │ CertificateRequest
 *                                                                              ↓      ↓
 *     complete ←Finished─ await-finished ←──────────────────── ServerHelloDone ─ await-server-hello-done
 *
 * A server need not ask who we are (RFC 5246 §7.4.4): whom it serves is its own business. Whether it is the one that
 * signalling has named is ours, and is checked all the same.
 */
import type { Bytes } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import type { KeyExchange, PublicKey } from '../../crypto/provider.ts';
import type { HandshakeMachine } from '../handshake-machine.ts';
import type { Handshake } from '../handshake.ts';
import {
  CERTIFICATE_TYPE_ECDSA_SIGN,
  decodeCertificate,
  decodeCertificateRequest,
  encodeCertificate,
  encodeCertificateVerify,
} from '../messages/certificates.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import {
  decodeServerKeyExchange,
  encodeClientKeyExchange,
  groupCode,
  groupsOf12,
  keyExchangeSignatureInput,
} from '../messages/key-exchange.ts';
import type { Problem } from '../problem.ts';
import {
  badKeyShare,
  finishedMismatch,
  illegalParameter,
  isProblem,
  malformed,
  noCertificate,
  nothingInCommon,
  unexpected,
} from '../problem.ts';
import { judgeAcceptedSchemes, judgeSignature, schemeOf } from '../signatures.ts';
import type { Hellos12 } from './session.ts';
import { Session12 } from './session.ts';

type ClientState =
  | { readonly name: 'await-certificate' }
  | { readonly name: 'await-server-key-exchange'; readonly publicKey: PublicKey }
  | { readonly name: 'await-certificate-request'; readonly exchange: Exchange }
  | { readonly name: 'await-server-hello-done'; readonly exchange: Exchange }
  | { readonly name: 'await-finished'; readonly session: Session12 }
  | { readonly name: 'complete' };

/** Our ephemeral key, and the secret it makes with the server's. */
interface Exchange {
  readonly keys: KeyExchange;
  readonly premasterSecret: Bytes;
}

/** The client's side of DTLS 1.2 after the ServerHello. */
export class Client12 implements HandshakeMachine {
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
        if (type === HandshakeType.serverHelloDone) {
          return this.#sayFlight5(message, state.exchange, false);
        }
        break;
      case 'await-server-hello-done':
        if (type === HandshakeType.serverHelloDone) {
          return this.#sayFlight5(message, state.exchange, true);
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
    if (leaf === undefined) return noCertificate('server', '1.2');
    const presented = this.#handshake.peer.present(leaf);
    if (isProblem(presented)) return presented;
    // RFC 8422 §2: the suite names the key that signs.
    if (presented.publicKey.type !== this.#hellos.suite.serverKey) {
      return illegalParameter("The key of the server's certificate is not of the cipher suite's kind.");
    }
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-server-key-exchange', publicKey: presented.publicKey };
    return undefined;
  }

  #handleServerKeyExchange(message: HandshakeMessage, publicKey: PublicKey): Problem | undefined {
    const { crypto, random, groups, transcript } = this.#handshake;
    const { clientRandom } = this.#handshake;
    const { serverRandom } = this.#hellos;
    const exchange = decodeServerKeyExchange(message.body);
    if (isFailure(exchange)) return malformed(exchange.reason);
    const group = groupsOf12(groups).find((offered) => groupCode(offered) === exchange.groupCode);
    if (group === undefined) return illegalParameter('The server chose a group that was not offered.');
    const input = keyExchangeSignatureInput(clientRandom, serverRandom, exchange.parameters);
    const refusal = judgeSignature(crypto, '1.2', publicKey, input, exchange.signed, 'ServerKeyExchange');
    if (refusal !== undefined) return refusal;
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
    if (!request.certificateTypes.includes(CERTIFICATE_TYPE_ECDSA_SIGN)) {
      return nothingInCommon('signature', 'The server accepts no ECDSA signature from its clients.');
    }
    const { certificate } = this.#handshake;
    const refusal = judgeAcceptedSchemes(certificate.signingKey, request.signatureSchemes, 'server');
    if (refusal !== undefined) return refusal;
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-server-hello-done', exchange };
    return undefined;
  }

  /** @param isAsked whether the server has asked who we are */
  #sayFlight5(message: HandshakeMessage, exchange: Exchange, isAsked: boolean): Problem | undefined {
    if (message.body.length !== 0) return malformed('server-hello-done-malformed');
    const { certificate, transcript, flight } = this.#handshake;
    transcript.add(message);
    flight.begin(5, message);
    if (isAsked) this.#handshake.say(HandshakeType.certificate, encodeCertificate([certificate.der]));
    this.#handshake.say(HandshakeType.clientKeyExchange, encodeClientKeyExchange(exchange.keys.publicKey));
    const session = new Session12(this.#handshake, this.#hellos, exchange.premasterSecret);
    if (isAsked) {
      const signature = certificate.signingKey.sign(transcript.bytes());
      this.#handshake.say(
        HandshakeType.certificateVerify,
        encodeCertificateVerify({ scheme: schemeOf(certificate.signingKey), signature }),
      );
    }
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
