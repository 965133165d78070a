/**
 * The server of a DTLS 1.2 handshake. Each state is named for the message it waits for and holds what is known by then:
 *
 *     await-client-hello ─ClientHello→ await-certificate ─Certificate→ await-client-key-exchange
 *                                                                          │ ClientKeyExchange
 *                                                                          ↓
 *     complete ←Finished─ await-finished ←CertificateVerify─ await-certificate-verify
 *
 * Cookies are never asked for: datagrams come from paths that ICE has proved (RFC 6347 §4.2.1 leaves it to the server).
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { randomBytes } from '../core/random.ts';
import type { Group, KeyExchange } from '../crypto/provider.ts';
import { AlertDescription } from './alerts.ts';
import type { GcmWriteEpoch } from './epoch.ts';
import type { Handshake } from './handshake.ts';
import {
  CERTIFICATE_TYPE_ECDSA_SIGN,
  ECDSA_SECP256R1_SHA256,
  decodeCertificate,
  decodeCertificateVerify,
  encodeCertificate,
  encodeCertificateRequest,
} from './messages/certificates.ts';
import type { Extension } from './messages/extensions.ts';
import {
  EXTENDED_MASTER_SECRET,
  ExtensionType,
  POINT_FORMATS,
  RENEGOTIATION_INFO,
  acceptsUncompressedPoints,
  decodeU16Vector,
  decodeVersions,
  findExtension,
  hasForeignRenegotiation,
} from './messages/extensions.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { ClientHello } from './messages/hello.ts';
import {
  HELLO_RANDOM_LENGTH,
  NULL_COMPRESSION,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  decodeClientHello,
  encodeServerHello,
} from './messages/hello.ts';
import {
  decodeClientKeyExchange,
  encodeKeyExchangeParameters,
  encodeServerKeyExchange,
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

type ServerState =
  | { readonly name: 'await-client-hello' }
  | { readonly name: 'await-certificate'; readonly offer: Offer }
  | { readonly name: 'await-client-key-exchange'; readonly offer: Offer; readonly publicKey: Bytes }
  | { readonly name: 'await-certificate-verify'; readonly keys: SessionKeys; readonly publicKey: Bytes }
  | { readonly name: 'await-finished'; readonly keys: SessionKeys }
  | { readonly name: 'complete' };

/** What the hellos have settled. */
interface Offer {
  readonly clientRandom: Bytes;
  readonly serverRandom: Bytes;
  readonly keys: KeyExchange;
}

/** What the key exchange has yielded; `write` waits for our Finished. */
interface SessionKeys {
  readonly master: MasterSecret;
  readonly write: GcmWriteEpoch;
}

export class Server12 {
  readonly #handshake: Handshake;
  #state: ServerState = { name: 'await-client-hello' };
  #group: Group | undefined;

  constructor(handshake: Handshake) {
    this.#handshake = handshake;
  }

  get state(): ServerState['name'] {
    return this.#state.name;
  }

  get group(): Group | undefined {
    return this.#group;
  }

  /** Takes the next message in order. The bytes of `message` are the machine's from here on. */
  handle(message: HandshakeMessage): Problem | undefined {
    const state = this.#state;
    const { type } = message;
    switch (state.name) {
      case 'await-client-hello':
        if (type === HandshakeType.clientHello) return this.#handleClientHello(message);
        break;
      case 'await-certificate':
        if (type === HandshakeType.certificate) return this.#handleCertificate(message, state.offer);
        break;
      case 'await-client-key-exchange':
        if (type === HandshakeType.clientKeyExchange) {
          return this.#handleClientKeyExchange(message, state.offer, state.publicKey);
        }
        break;
      case 'await-certificate-verify':
        if (type === HandshakeType.certificateVerify) {
          return this.#handleCertificateVerify(message, state.keys, state.publicKey);
        }
        break;
      case 'await-finished':
        if (type === HandshakeType.finished) return this.#handleFinished(message, state.keys);
        break;
      case 'complete':
        break;
    }
    return unexpected(state.name, type);
  }

  /** Flight 4. */
  #handleClientHello(message: HandshakeMessage): Problem | undefined {
    const hello = decodeClientHello(message.body);
    if (isFailure(hello)) return malformed(hello.reason);
    const refusal = judgeClientHello(hello);
    if (refusal !== undefined) return refusal;
    const group = chooseGroup(hello, this.#handshake.groups);
    if (group === undefined) {
      return nothingInCommon('group', 'The client offers no group of ours.');
    }
    const { crypto, random, certificate, transcript, flight } = this.#handshake;
    const offer: Offer = {
      clientRandom: copyBytes(hello.random),
      serverRandom: randomBytes(random, HELLO_RANDOM_LENGTH),
      keys: crypto.keyExchange(group, random),
    };
    transcript.add(message);
    flight.begin(4, message);
    this.#sayServerHello(hello, offer.serverRandom);
    this.#handshake.say(HandshakeType.certificate, encodeCertificate([certificate.der]));
    const parameters = encodeKeyExchangeParameters(group, offer.keys.publicKey);
    const signature = certificate.signingKey.sign(
      keyExchangeSignatureInput(offer.clientRandom, offer.serverRandom, parameters),
    );
    this.#handshake.say(
      HandshakeType.serverKeyExchange,
      encodeServerKeyExchange(parameters, { scheme: ECDSA_SECP256R1_SHA256, signature }),
    );
    this.#handshake.say(
      HandshakeType.certificateRequest,
      encodeCertificateRequest({
        certificateTypes: Uint8Array.of(CERTIFICATE_TYPE_ECDSA_SIGN),
        signatureSchemes: [ECDSA_SECP256R1_SHA256],
      }),
    );
    this.#handshake.say(HandshakeType.serverHelloDone, NO_BYTES);
    this.#group = group;
    this.#state = { name: 'await-certificate', offer };
    return undefined;
  }

  /** Only extensions that were offered are answered (RFC 5246 §7.4.1.4). No session id: there is no resumption. */
  #sayServerHello(hello: ClientHello, serverRandom: Bytes): void {
    const extensions: Extension[] = [EXTENDED_MASTER_SECRET];
    if (
      findExtension(hello.extensions, ExtensionType.renegotiationInfo) !== undefined ||
      hello.cipherSuites.includes(TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
    ) {
      extensions.push(RENEGOTIATION_INFO);
    }
    if (findExtension(hello.extensions, ExtensionType.ecPointFormats) !== undefined) {
      extensions.push(POINT_FORMATS);
    }
    const answer = encodeServerHello({
      version: DTLS_1_2,
      random: serverRandom,
      sessionId: NO_BYTES,
      cipherSuite: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
      compressionMethod: NULL_COMPRESSION,
      extensions,
    });
    this.#handshake.say(HandshakeType.serverHello, answer);
  }

  #handleCertificate(message: HandshakeMessage, offer: Offer): Problem | undefined {
    const chain = decodeCertificate(message.body);
    if (isFailure(chain)) return malformed(chain.reason);
    const leaf = chain[0];
    if (leaf === undefined) return noCertificate();
    const presented = this.#handshake.peer.present(leaf);
    if (isProblem(presented)) return presented;
    this.#handshake.transcript.add(message);
    this.#state = { name: 'await-client-key-exchange', offer, publicKey: presented.publicKey };
    return undefined;
  }

  #handleClientKeyExchange(message: HandshakeMessage, offer: Offer, publicKey: Bytes): Problem | undefined {
    const share = decodeClientKeyExchange(message.body);
    if (isFailure(share)) return malformed(share.reason);
    const premasterSecret = offer.keys.deriveSecret(share);
    if (premasterSecret === undefined) return badKeyShare();
    this.#handshake.transcript.add(message);
    const master = this.#handshake.deriveMaster(premasterSecret, offer.clientRandom);
    const write = this.#handshake.installKeys(master, offer.clientRandom, offer.serverRandom);
    this.#state = { name: 'await-certificate-verify', keys: { master, write }, publicKey };
    return undefined;
  }

  /** The client owns its certificate: it signs everything said so far (RFC 5246 §7.4.8). */
  #handleCertificateVerify(
    message: HandshakeMessage,
    keys: SessionKeys,
    publicKey: Bytes,
  ): Problem | undefined {
    const { crypto, transcript } = this.#handshake;
    const signed = decodeCertificateVerify(message.body);
    if (isFailure(signed)) return malformed(signed.reason);
    if (signed.scheme !== ECDSA_SECP256R1_SHA256) {
      return illegalParameter('The client signed with a scheme that was not asked for.');
    }
    if (!crypto.verify(publicKey, transcript.bytes(), signed.signature)) {
      return badSignature("The signature of CertificateVerify is not that of the client's certificate.");
    }
    transcript.add(message);
    this.#state = { name: 'await-finished', keys };
    return undefined;
  }

  /** Flight 6. */
  #handleFinished(message: HandshakeMessage, keys: SessionKeys): Problem | undefined {
    if (!this.#handshake.matchesFinished(keys.master, message)) return finishedMismatch();
    const { transcript, flight } = this.#handshake;
    transcript.add(message);
    flight.begin(6, message);
    this.#handshake.sayFinished(keys.master, keys.write);
    this.#state = { name: 'complete' };
    return undefined;
  }
}

/** Everything in a ClientHello that must suit us, but the group. What is unknown is passed over. */
function judgeClientHello(hello: ClientHello): Problem | undefined {
  if (!offersDtls12(hello)) {
    return {
      alert: AlertDescription.protocolVersion,
      code: 'version-unsupported',
      message: 'The client does not offer DTLS 1.2.',
    };
  }
  if (!hello.cipherSuites.includes(TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)) {
    return nothingInCommon(
      'cipher-suite',
      'The client does not offer TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.',
    );
  }
  if (!hello.compressionMethods.includes(NULL_COMPRESSION)) {
    return nothingInCommon('compression', 'The client insists on compression.');
  }
  const schemes = vector(hello, ExtensionType.signatureAlgorithms);
  if (schemes?.includes(ECDSA_SECP256R1_SHA256) !== true) {
    return nothingInCommon('signature', 'The client does not accept ecdsa_secp256r1_sha256 signatures.');
  }
  if (!acceptsUncompressedPoints(hello.extensions)) {
    return illegalParameter("The client's ec_point_formats leaves out uncompressed points.");
  }
  if (hasForeignRenegotiation(hello.extensions)) return foreignRenegotiation();
  if (findExtension(hello.extensions, ExtensionType.extendedMasterSecret) === undefined) {
    return extendedMasterSecretMissing();
  }
  return undefined;
}

/** RFC 8446 §4.2.1: with supported_versions the list alone counts. DTLS versions count down. */
function offersDtls12(hello: ClientHello): boolean {
  const data = findExtension(hello.extensions, ExtensionType.supportedVersions);
  if (data === undefined) return hello.version <= DTLS_1_2 && hello.version >>> 8 === DTLS_1_2 >>> 8;
  const versions = decodeVersions(data);
  return !isFailure(versions) && versions.includes(DTLS_1_2);
}

/** Our first group that the client knows. RFC 8422 §5.1: without a list the choice is ours. */
function chooseGroup(hello: ClientHello, groups: readonly Group[]): Group | undefined {
  if (findExtension(hello.extensions, ExtensionType.supportedGroups) === undefined) return groups[0];
  const offered = vector(hello, ExtensionType.supportedGroups);
  return groups.find((group) => offered?.includes(groupCode(group)) === true);
}

function vector(hello: ClientHello, type: number): readonly number[] | undefined {
  const data = findExtension(hello.extensions, type);
  if (data === undefined) return undefined;
  const values = decodeU16Vector(data);
  return isFailure(values) ? undefined : values;
}
