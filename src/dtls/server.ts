/**
 * The server's side of the hellos: it chooses version, suite and group.
 *
 *     await-client-hello ─ClientHello→ Server12 or Server13, named for what they wait for
 *       ↑ │ │ HelloRetryRequest: the client knows a group of ours, and has sent no share of one (RFC 8446 §4.1.4), or
 *       └─┘ │                    DTLS 1.3 is to bring a cookie (RFC 9147 §5.1)
 *        │  └→ await-retried-client-hello ─ClientHello→ Server13
 *        HelloVerifyRequest: DTLS 1.2 is to bring a cookie (RFC 6347 §4.2.1)
 *
 * The highest version that both speak is taken. Cookies are asked for unless the configuration says that something else, such
 * as ICE, has proved the path. Until one has come back no key is agreed on, no timer armed and no hello kept.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes, equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { randomBytes } from '../core/random.ts';
import type { Group, SigningKey } from '../crypto/provider.ts';
import type { CipherSuite, DtlsVersion } from './cipher-suites.ts';
import { chooseConnectionIds, chosenConnectionId, isSameConnectionId } from './connection-id.ts';
import type { Cookies } from './cookie.ts';
import type { HandshakeMachine, HelloMachine, KeyUpdates } from './handshake-machine.ts';
import type { Handshake } from './handshake.ts';
import type { Extension } from './messages/extensions.ts';
import {
  ExtensionType,
  acceptsUncompressedPoints,
  decodeCookie,
  decodeU16Vector,
  decodeVersions,
  encodeCookie,
  encodeU16,
  findExtension,
  hasForeignRenegotiation,
  readExtendedMasterSecret,
} from './messages/extensions.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { ClientHello } from './messages/hello.ts';
import {
  HELLO_RANDOM_LENGTH,
  NULL_COMPRESSION,
  RETRY_REQUEST_RANDOM,
  decodeClientHello,
  encodeHelloVerifyRequest,
  encodeServerHello,
} from './messages/hello.ts';
import { groupCode, groupsOf12 } from './messages/key-exchange.ts';
import type { KeyShare } from './messages/key-share.ts';
import { decodeKeyShares, encodeKeyShare } from './messages/key-share.ts';
import type { Problem } from './problem.ts';
import {
  badKeyShare,
  extendedMasterSecretMissing,
  foreignRenegotiation,
  illegalParameter,
  malformed,
  missingExtension,
  nothingInCommon,
  unexpected,
  versionUnsupported,
} from './problem.ts';
import { DTLS_1_0, DTLS_1_2, DTLS_1_3 } from './record/record.ts';
import { judgeAcceptedSchemes } from './signatures.ts';
import { chooseSrtpProfile, srtpExtensions } from './srtp.ts';
import { Server12 } from './v12/server.ts';
import { Server13 } from './v13/server.ts';
import { Session13 } from './v13/session.ts';

type ServerState =
  | { readonly name: 'await-client-hello' }
  | {
      readonly name: 'await-retried-client-hello';
      /** Whose share was asked for, if it was not for a cookie alone. */
      readonly group: Group | undefined;
      readonly suite: CipherSuite;
      /** What the first hello has said of connection ids. */
      readonly connectionId: readonly Extension[];
    };

/** The server's side of the hellos. */
export class Server implements HelloMachine {
  readonly #handshake: Handshake;
  /** Undefined where none are asked for. */
  readonly #cookies: Cookies | undefined;
  #state: ServerState = { name: 'await-client-hello' };
  /** What comes after the hellos, once we have chosen. */
  #chosen: HandshakeMachine | undefined;

  constructor(handshake: Handshake, cookies?: Cookies) {
    this.#handshake = handshake;
    this.#cookies = cookies;
  }

  get state(): string {
    return this.#chosen?.state ?? this.#state.name;
  }

  get keyUpdates(): KeyUpdates | undefined {
    return this.#chosen?.keyUpdates;
  }

  start(): void {
    // The client speaks first.
  }

  handle(message: HandshakeMessage): Problem | undefined {
    if (this.#chosen !== undefined) return this.#chosen.handle(message);
    if (message.type !== HandshakeType.clientHello) return unexpected(this.#state.name, message.type);
    const hello = decodeClientHello(message.body);
    if (isFailure(hello)) return malformed(hello.reason);
    if (this.#state.name === 'await-retried-client-hello') {
      return this.#handleRetried(message, hello, this.#state);
    }
    const garbled = findGarbledExtension(hello);
    if (garbled !== undefined) return malformed(garbled);
    const version = this.#chooseVersion(hello);
    if (version === undefined)
      return versionUnsupported('The client offers no version of DTLS that we speak.');
    const refusal = judgeClientHello(hello, version, this.#handshake.certificate.signingKey);
    if (refusal !== undefined) return refusal;
    const suite = this.#handshake.cipherSuites.find(
      (ours) =>
        ours.version === version && ours.serverKey !== 'rsa' && hello.cipherSuites.includes(ours.code),
    );
    if (suite === undefined) {
      return nothingInCommon(
        'cipher-suite',
        `The client offers no cipher suite of ours for DTLS ${version}.`,
      );
    }
    if (version === '1.2' && this.#cookies?.accepts(hello, hello.cookie) === false) {
      this.#sayHelloVerifyRequest(message, this.#cookies.issue(hello));
      return undefined;
    }
    const problem =
      chooseSrtpProfile(this.#handshake, hello.extensions) ??
      chooseConnectionIds(this.#handshake, hello.extensions);
    if (problem !== undefined) return problem;
    return version === '1.3' ? this.#answer13(message, hello, suite) : this.#answer12(message, hello, suite);
  }

  /** RFC 8446 §4.2.1: with supported_versions the list alone counts. DTLS versions count down. */
  #chooseVersion(hello: ClientHello): DtlsVersion | undefined {
    const data = findExtension(hello.extensions, ExtensionType.supportedVersions);
    const versions = data === undefined ? [] : decodeVersions(data);
    if (isFailure(versions)) return undefined;
    if (this.#handshake.speaks('1.3') && versions.includes(DTLS_1_3)) return '1.3';
    const isOffered12 =
      data === undefined
        ? hello.version <= DTLS_1_2 && hello.version >>> 8 === DTLS_1_2 >>> 8
        : versions.includes(DTLS_1_2);
    return isOffered12 && this.#handshake.speaks('1.2') ? '1.2' : undefined;
  }

  /** Flight 2 of DTLS 1.2. Neither it nor the hello it answers is part of the transcript (RFC 6347 §4.2.1). */
  #sayHelloVerifyRequest(message: HandshakeMessage, cookie: Bytes): void {
    const { flight, epochs } = this.#handshake;
    flight.begin(2, message, false);
    // RFC 6347 §4.2.1: the version field says DTLS 1.0, whatever will be negotiated.
    const request = encodeHelloVerifyRequest({ version: DTLS_1_0, cookie });
    flight.add(HandshakeType.helloVerifyRequest, request, epochs.plaintext);
  }

  #answer12(message: HandshakeMessage, hello: ClientHello, suite: CipherSuite): Problem | undefined {
    const extendedMasterSecret = readExtendedMasterSecret(hello.extensions);
    if (typeof extendedMasterSecret !== 'boolean') return malformed(extendedMasterSecret.reason);
    if (!extendedMasterSecret && this.#handshake.requireExtendedMasterSecret) {
      return extendedMasterSecretMissing();
    }
    const group = chooseGroup(hello, groupsOf12(this.#handshake.groups));
    if (group === undefined) return nothingInCommon('group', 'The client offers no group of ours.');
    this.#handshake.group = group;
    this.#handshake.clientRandom = copyBytes(hello.random);
    this.#handshake.choose(suite);
    this.#handshake.transcript.add(message);
    this.#handshake.flight.begin(4, message);
    this.#chosen = new Server12(this.#handshake, hello, suite, group, extendedMasterSecret);
    return undefined;
  }

  #answer13(message: HandshakeMessage, hello: ClientHello, suite: CipherSuite): Problem | undefined {
    const data = findExtension(hello.extensions, ExtensionType.keyShare);
    if (data === undefined) return missingExtension('key_share');
    const shares = decodeKeyShares(data);
    if (isFailure(shares)) return malformed(shares.reason);
    const offered = vector(hello, ExtensionType.supportedGroups);
    if (offered === undefined) return missingExtension('supported_groups');
    const common = this.#handshake.groups.filter((group) => offered.includes(groupCode(group)));
    const [preferred] = common;
    if (preferred === undefined) return nothingInCommon('group', 'The client offers no group of ours.');
    this.#handshake.clientRandom = copyBytes(hello.random);
    this.#handshake.choose(suite);
    this.#handshake.transcript.add(message);
    // A share that is here saves a round trip, even if it is not of the group we like best.
    const usable = this.#findShare(shares);
    if (usable !== undefined && this.#cookies === undefined) {
      return this.#become13(message, hello, suite, usable.group, usable.share);
    }
    return this.#sayRetryRequest(message, hello, suite, usable === undefined ? preferred : undefined);
  }

  /** The first share of a group of ours, in our order. */
  #findShare(shares: readonly KeyShare[]): { group: Group; share: KeyShare } | undefined {
    for (const group of this.#handshake.groups) {
      const share = shares.find((candidate) => candidate.groupCode === groupCode(group));
      if (share !== undefined) return { group, share };
    }
    return undefined;
  }

  /** Flight 2 of DTLS 1.3. */
  #sayRetryRequest(
    message: HandshakeMessage,
    hello: ClientHello,
    suite: CipherSuite,
    group: Group | undefined,
  ): Problem | undefined {
    const extensions: Extension[] = [];
    if (group !== undefined) {
      extensions.push({ type: ExtensionType.keyShare, data: encodeU16(groupCode(group)) });
    }
    if (this.#cookies !== undefined) {
      const data = encodeCookie(this.#cookies.issue(hello));
      extensions.push({ type: ExtensionType.cookie, data });
    }
    this.#handshake.transcript.replaceByHash();
    this.#handshake.flight.begin(2, message, this.#cookies === undefined);
    this.#sayServerHello13(RETRY_REQUEST_RANDOM, suite, extensions);
    const connectionId = copiedConnectionId(hello.extensions);
    this.#state = { name: 'await-retried-client-hello', group, suite, connectionId };
    return undefined;
  }

  /** RFC 8446 §4.1.2: the same hello, with the one share that was asked for, and the cookie. */
  #handleRetried(
    message: HandshakeMessage,
    hello: ClientHello,
    state: ServerState & { readonly name: 'await-retried-client-hello' },
  ): Problem | undefined {
    const data = findExtension(hello.extensions, ExtensionType.keyShare);
    const shares = data === undefined ? [] : decodeKeyShares(data);
    if (isFailure(shares)) return malformed(shares.reason);
    const isSameHello =
      equalBytes(hello.random, this.#handshake.clientRandom) &&
      this.#chooseVersion(hello) === '1.3' &&
      hello.cipherSuites.includes(state.suite.code) &&
      isSameConnectionId(state.connectionId, hello.extensions);
    if (!isSameHello)
      return illegalParameter('The second ClientHello is not the first one with another share.');
    const cookie = findExtension(hello.extensions, ExtensionType.cookie);
    if (this.#cookies?.accepts(hello, cookie === undefined ? NO_BYTES : decodeCookie(cookie)) === false) {
      return illegalParameter('The second ClientHello does not bring the cookie it was given.');
    }
    const usable = this.#findShare(shares);
    const isAsked = state.group === undefined || (usable?.group === state.group && shares.length === 1);
    if (usable === undefined || !isAsked) {
      return illegalParameter('The second ClientHello does not bring the one key share that was asked for.');
    }
    const refusal = judgeClientHello(hello, '1.3', this.#handshake.certificate.signingKey);
    if (refusal !== undefined) return refusal;
    this.#handshake.transcript.add(message);
    return this.#become13(message, hello, state.suite, usable.group, usable.share);
  }

  /** Starts flight 4 with the ServerHello; the rest of it is protected. */
  #become13(
    message: HandshakeMessage,
    hello: ClientHello,
    suite: CipherSuite,
    group: Group,
    share: KeyShare,
  ): Problem | undefined {
    const { crypto, random, flight } = this.#handshake;
    const keys = crypto.answerKeyExchange(group, share.publicKey, random);
    if (keys === undefined) return badKeyShare();
    this.#handshake.group = group;
    flight.begin(4, message);
    const answer = encodeKeyShare({ groupCode: groupCode(group), publicKey: keys.publicKey });
    const extensions = [
      { type: ExtensionType.keyShare, data: answer },
      ...chosenConnectionId(this.#handshake),
    ];
    this.#sayServerHello13(randomBytes(random, HELLO_RANDOM_LENGTH), suite, extensions);
    const session = new Session13(this.#handshake, suite, keys.secret);
    this.#chosen = new Server13(session, srtpExtensions(this.#handshake));
    return undefined;
  }

  /** RFC 9147 §5: the session id is not echoed. */
  #sayServerHello13(random: Uint8Array, suite: CipherSuite, others: readonly Extension[]): void {
    const version = { type: ExtensionType.supportedVersions, data: encodeU16(DTLS_1_3) };
    const extensions: Extension[] = [version, ...others];
    const answer = encodeServerHello({
      version: DTLS_1_2,
      random,
      sessionId: NO_BYTES,
      cipherSuite: suite.code,
      compressionMethod: NULL_COMPRESSION,
      extensions,
    });
    this.#handshake.say(HandshakeType.serverHello, answer);
  }
}

/** Everything in a ClientHello that must suit us, except suite and group. What is unknown is passed over. */
function judgeClientHello(hello: ClientHello, version: DtlsVersion, key: SigningKey): Problem | undefined {
  const { compressionMethods, extensions } = hello;
  if (version === '1.3') {
    const breach = judgeClientHello13(hello);
    if (breach !== undefined) return breach;
  }
  if (!compressionMethods.includes(NULL_COMPRESSION)) {
    return nothingInCommon('compression', 'The client insists on compression.');
  }
  const schemes = vector(hello, ExtensionType.signatureAlgorithms);
  const refusal = judgeAcceptedSchemes(key, schemes, 'client');
  if (refusal !== undefined) return refusal;
  if (version === '1.3') return undefined;
  if (!acceptsUncompressedPoints(extensions)) {
    return illegalParameter("The client's ec_point_formats leaves out uncompressed points.");
  }
  return hasForeignRenegotiation(extensions) ? foreignRenegotiation() : undefined;
}

/** What a ClientHello of DTLS 1.3 must be like. */
function judgeClientHello13({ compressionMethods, cookie, extensions }: ClientHello): Problem | undefined {
  // RFC 8446 §4.1.2: one byte, which is zero. RFC 9147 §5.3.
  if (compressionMethods.length !== 1 || compressionMethods[0] !== NULL_COMPRESSION) {
    return illegalParameter('The client offers compression with DTLS 1.3, or not the null method.');
  }
  if (cookie.length !== 0) return illegalParameter('The client sends a legacy cookie with DTLS 1.3.');
  // RFC 8446 §4.2.3, §9.2: our proof is a certificate.
  if (findExtension(extensions, ExtensionType.signatureAlgorithms) === undefined) {
    return missingExtension('signature_algorithms');
  }
  // RFC 8446 §4.2.9, §4.2.11: nothing is resumed, but what is offered must be in order.
  const keysAt = extensions.findIndex(({ type }) => type === ExtensionType.preSharedKey);
  if (keysAt < 0) return undefined;
  if (keysAt !== extensions.length - 1) {
    return illegalParameter("The client's pre_shared_key is not the last of its extensions.");
  }
  return findExtension(extensions, ExtensionType.pskKeyExchangeModes) === undefined
    ? missingExtension('psk_key_exchange_modes')
    : undefined;
}

/** Why an extension that we have to read cannot be read. */
function findGarbledExtension({ extensions }: ClientHello): string | undefined {
  const versions = findExtension(extensions, ExtensionType.supportedVersions);
  const vectors = [ExtensionType.supportedGroups, ExtensionType.signatureAlgorithms];
  const lists = vectors.map((type) => findExtension(extensions, type)).filter((data) => data !== undefined);
  const decoded = [
    ...(versions === undefined ? [] : [decodeVersions(versions)]),
    ...lists.map(decodeU16Vector),
  ];
  return decoded.find(isFailure)?.reason;
}

/** Our first group that the client knows. RFC 8422 §4: without a list the choice is ours. */
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

/** The hello itself is gone by the time its repetition comes. */
function copiedConnectionId(extensions: readonly Extension[]): readonly Extension[] {
  const type = ExtensionType.connectionId;
  const data = findExtension(extensions, type);
  return data === undefined ? [] : [{ type, data: copyBytes(data) }];
}
