/**
 * The client of a DTLS 1.2 handshake. Each state is named for the message it waits for and holds what is known by then:
 *
 *     await-server-hello ─ServerHello→ await-certificate ─Certificate→ await-server-key-exchange
 *       │ ↑ HelloVerifyRequest: ClientHello again, with the cookie          │ ServerKeyExchange
 *       └─┘                                                                 ↓
 *     complete ←Finished─ await-finished ←ServerHelloDone─ await-server-hello-done ←CertificateRequest─ await-certificate-request
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { randomBytes } from '../core/random.ts';
import type { Group, KeyExchange } from '../crypto/provider.ts';
import { AlertDescription } from './alerts.ts';
import type { Handshake } from './handshake.ts';
import {
  CERTIFICATE_TYPE_ECDSA_SIGN,
  ECDSA_SECP256R1_SHA256,
  decodeCertificate,
  decodeCertificateRequest,
  encodeCertificate,
  encodeCertificateVerify,
} from './messages/certificates.ts';
import type { Extension } from './messages/extensions.ts';
import {
  EXTENDED_MASTER_SECRET,
  ExtensionType,
  POINT_FORMATS,
  RENEGOTIATION_INFO,
  acceptsUncompressedPoints,
  encodeU16Vector,
  findExtension,
  hasForeignRenegotiation,
} from './messages/extensions.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import {
  HELLO_RANDOM_LENGTH,
  NULL_COMPRESSION,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  decodeHelloVerifyRequest,
  decodeServerHello,
  encodeClientHello,
} from './messages/hello.ts';
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
  extendedMasterSecretMissing,
  finishedMismatch,
  foreignRenegotiation,
  illegalParameter,
  isProblem,
  malformed,
  noCertificate,
  nothingInCommon,
  unexpected,
} from './problem.ts';
import { DTLS_1_2 } from './record.ts';
import type { MasterSecret } from './schedule.ts';

type ClientState =
  | { readonly name: 'start' }
  | { readonly name: 'await-server-hello'; readonly cookiesAnswered: number }
  | { readonly name: 'await-certificate'; readonly serverRandom: Bytes }
  | { readonly name: 'await-server-key-exchange'; readonly serverRandom: Bytes; readonly publicKey: Bytes }
  | { readonly name: 'await-certificate-request'; readonly serverRandom: Bytes; readonly exchange: Exchange }
  | { readonly name: 'await-server-hello-done'; readonly serverRandom: Bytes; readonly exchange: Exchange }
  | { readonly name: 'await-finished'; readonly master: MasterSecret }
  | { readonly name: 'complete' };

/** Our ephemeral key, and the secret it makes with the server's. */
interface Exchange {
  readonly keys: KeyExchange;
  readonly premasterSecret: Bytes;
}

/** A server needs one round at most; more would be a loop. */
const MAX_COOKIES = 2;

export class Client12 {
  readonly #handshake: Handshake;
  /** The same in every ClientHello of this handshake (RFC 6347 §4.2.1). */
  readonly #random: Bytes;
  readonly #offered: readonly Extension[];
  #state: ClientState = { name: 'start' };
  #group: Group | undefined;

  constructor(handshake: Handshake) {
    this.#handshake = handshake;
    this.#random = randomBytes(handshake.random, HELLO_RANDOM_LENGTH);
    this.#offered = offeredExtensions(handshake.groups);
  }

  get state(): ClientState['name'] {
    return this.#state.name;
  }

  get group(): Group | undefined {
    return this.#group;
  }

  /** The random of our ClientHello: who sends it back is a mirror, not a peer. */
  get random(): Bytes {
    return this.#random;
  }

  /** Flight 1. */
  start(): void {
    this.#handshake.flight.begin(1, undefined);
    this.#sayClientHello(NO_BYTES);
    this.#state = { name: 'await-server-hello', cookiesAnswered: 0 };
  }

  /** Takes the next message in order. The bytes of `message` are the machine's from here on. */
  handle(message: HandshakeMessage): Problem | undefined {
    const state = this.#state;
    const { type } = message;
    switch (state.name) {
      case 'await-server-hello':
        if (type === HandshakeType.helloVerifyRequest) {
          return this.#handleHelloVerifyRequest(message, state.cookiesAnswered);
        }
        if (type === HandshakeType.serverHello) return this.#handleServerHello(message);
        break;
      case 'await-certificate':
        if (type === HandshakeType.certificate) return this.#handleCertificate(message, state.serverRandom);
        break;
      case 'await-server-key-exchange':
        if (type === HandshakeType.serverKeyExchange) {
          return this.#handleServerKeyExchange(message, state.serverRandom, state.publicKey);
        }
        break;
      case 'await-certificate-request':
        if (type === HandshakeType.certificateRequest) {
          return this.#handleCertificateRequest(message, state.serverRandom, state.exchange);
        }
        break;
      case 'await-server-hello-done':
        if (type === HandshakeType.serverHelloDone) {
          return this.#handleServerHelloDone(message, state.serverRandom, state.exchange);
        }
        break;
      case 'await-finished':
        if (type === HandshakeType.finished) return this.#handleFinished(message, state.master);
        break;
      case 'start':
      case 'complete':
        break;
    }
    return unexpected(state.name, type);
  }

  #sayClientHello(cookie: Uint8Array): void {
    const hello = encodeClientHello({
      version: DTLS_1_2,
      random: this.#random,
      sessionId: NO_BYTES,
      cookie,
      cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
      compressionMethods: Uint8Array.of(NULL_COMPRESSION),
      extensions: this.#offered,
    });
    this.#handshake.say(HandshakeType.clientHello, hello);
  }

  /** RFC 6347 §4.2.1: the same hello with the cookie, and a transcript that starts there. The version is of no matter. */
  #handleHelloVerifyRequest(message: HandshakeMessage, cookiesAnswered: number): Problem | undefined {
    const request = decodeHelloVerifyRequest(message.body);
    if (isFailure(request)) return malformed(request.reason);
    if (cookiesAnswered === MAX_COOKIES) {
      return illegalParameter(`The server asked for a cookie ${MAX_COOKIES + 1} times.`);
    }
    const { flight, transcript } = this.#handshake;
    transcript.reset();
    flight.begin(3, message);
    this.#sayClientHello(request.cookie);
    this.#state = { name: 'await-server-hello', cookiesAnswered: cookiesAnswered + 1 };
    return undefined;
  }

  #handleServerHello(message: HandshakeMessage): Problem | undefined {
    const hello = decodeServerHello(message.body);
    if (isFailure(hello)) return malformed(hello.reason);
    if (hello.version !== DTLS_1_2) {
      return {
        alert: AlertDescription.protocolVersion,
        code: 'version-unsupported',
        message: `The server chose version 0x${hello.version.toString(16)}, only DTLS 1.2 was offered.`,
      };
    }
    if (hello.cipherSuite !== TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256) {
      return illegalParameter('The server chose a cipher suite that was not offered.');
    }
    if (hello.compressionMethod !== NULL_COMPRESSION) {
      return illegalParameter('The server chose a compression method that was not offered.');
    }
    // RFC 5246 §7.4.1.4: a server answers extensions, it never brings its own.
    const uninvited = hello.extensions.find(({ type }) => findExtension(this.#offered, type) === undefined);
    if (uninvited !== undefined) {
      return {
        alert: AlertDescription.unsupportedExtension,
        code: 'extension-unsolicited',
        message: `The server answered extension ${uninvited.type}, which was not offered.`,
      };
    }
    if (hasForeignRenegotiation(hello.extensions)) return foreignRenegotiation();
    if (!acceptsUncompressedPoints(hello.extensions)) {
      return illegalParameter("The server's ec_point_formats leaves out uncompressed points.");
    }
    if (findExtension(hello.extensions, ExtensionType.extendedMasterSecret) === undefined) {
      return extendedMasterSecretMissing();
    }
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-certificate', serverRandom: copyBytes(hello.random) };
    return undefined;
  }

  #handleCertificate(message: HandshakeMessage, serverRandom: Bytes): Problem | undefined {
    const chain = decodeCertificate(message.body);
    if (isFailure(chain)) return malformed(chain.reason);
    const leaf = chain[0];
    if (leaf === undefined) return noCertificate();
    const presented = this.#handshake.peer.present(leaf);
    if (isProblem(presented)) return presented;
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-server-key-exchange', serverRandom, publicKey: presented.publicKey };
    return undefined;
  }

  #handleServerKeyExchange(
    message: HandshakeMessage,
    serverRandom: Bytes,
    publicKey: Bytes,
  ): Problem | undefined {
    const { crypto, random, groups, transcript } = this.#handshake;
    const exchange = decodeServerKeyExchange(message.body);
    if (isFailure(exchange)) return malformed(exchange.reason);
    const group = groups.find((offered) => groupCode(offered) === exchange.groupCode);
    if (group === undefined) return illegalParameter('The server chose a group that was not offered.');
    if (exchange.signed.scheme !== ECDSA_SECP256R1_SHA256) {
      return illegalParameter('The server signed with a scheme that was not offered.');
    }
    const signedBytes = keyExchangeSignatureInput(this.#random, serverRandom, exchange.parameters);
    if (!crypto.verify(publicKey, signedBytes, exchange.signed.signature)) {
      return badSignature("The signature of ServerKeyExchange is not that of the server's certificate.");
    }
    const keys = crypto.keyExchange(group, random);
    const premasterSecret = keys.deriveSecret(exchange.publicKey);
    if (premasterSecret === undefined) return badKeyShare();
    transcript.add(message);
    this.#group = group;
    this.#state = { name: 'await-certificate-request', serverRandom, exchange: { keys, premasterSecret } };
    return undefined;
  }

  #handleCertificateRequest(
    message: HandshakeMessage,
    serverRandom: Bytes,
    exchange: Exchange,
  ): Problem | undefined {
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
    this.#state = { name: 'await-server-hello-done', serverRandom, exchange };
    return undefined;
  }

  /** Flight 5. */
  #handleServerHelloDone(
    message: HandshakeMessage,
    serverRandom: Bytes,
    exchange: Exchange,
  ): Problem | undefined {
    if (message.body.length !== 0) return malformed('server-hello-done-malformed');
    const { certificate, transcript, flight } = this.#handshake;
    transcript.add(message);
    flight.begin(5, message);
    this.#handshake.say(HandshakeType.certificate, encodeCertificate([certificate.der]));
    this.#handshake.say(HandshakeType.clientKeyExchange, encodeClientKeyExchange(exchange.keys.publicKey));
    const master = this.#handshake.deriveMaster(exchange.premasterSecret, this.#random);
    const write = this.#handshake.installKeys(master, this.#random, serverRandom);
    const signature = certificate.signingKey.sign(transcript.bytes());
    this.#handshake.say(
      HandshakeType.certificateVerify,
      encodeCertificateVerify({ scheme: ECDSA_SECP256R1_SHA256, signature }),
    );
    this.#handshake.sayFinished(master, write);
    this.#state = { name: 'await-finished', master };
    return undefined;
  }

  #handleFinished(message: HandshakeMessage, master: MasterSecret): Problem | undefined {
    if (!this.#handshake.matchesFinished(master, message)) return finishedMismatch();
    this.#state = { name: 'complete' };
    return undefined;
  }
}

function offeredExtensions(groups: readonly Group[]): readonly Extension[] {
  return [
    EXTENDED_MASTER_SECRET,
    RENEGOTIATION_INFO,
    POINT_FORMATS,
    { type: ExtensionType.supportedGroups, data: encodeU16Vector(groups.map(groupCode)) },
    { type: ExtensionType.signatureAlgorithms, data: encodeU16Vector([ECDSA_SECP256R1_SHA256]) },
  ];
}
