/**
 * The client's side of the hellos, which negotiate version, suite and, in DTLS 1.3, the key agreement:
 *
 *     start ─ClientHello→ await-server-hello ─ServerHello→ Client12 or Client13, named for what they wait for
 *                           │ ↑ HelloVerifyRequest: ClientHello again, with the cookie (RFC 6347 §4.2.1)
 *                           ├─┘
 *                           │ HelloRetryRequest: ClientHello again, with another share (RFC 8446 §4.1.4)
 *                           └→ await-retried-server-hello ─ServerHello→ Client13
 *
 * One ClientHello offers all versions: DTLS 1.2 by its legacy_version, DTLS 1.3 by supported_versions.
 */
import { NO_BYTES, copyBytes, equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { randomBytes } from '../core/random.ts';
import type { Group, KeyExchange } from '../crypto/provider.ts';
import type { CipherSuite } from './cipher-suites.ts';
import { offeredConnectionId, takeConnectionIds } from './connection-id.ts';
import type { HandshakeMachine, HelloMachine, KeyUpdates } from './handshake-machine.ts';
import type { Handshake } from './handshake.ts';
import type { Extension } from './messages/extensions.ts';
import {
  EXTENDED_MASTER_SECRET,
  ExtensionType,
  POINT_FORMATS,
  RENEGOTIATION_INFO,
  acceptsUncompressedPoints,
  decodeU16,
  encodeU16Vector,
  encodeVersions,
  findExtension,
  hasForeignRenegotiation,
  readExtendedMasterSecret,
} from './messages/extensions.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { ServerHello } from './messages/hello.ts';
import {
  HELLO_RANDOM_LENGTH,
  NULL_COMPRESSION,
  RETRY_REQUEST_RANDOM,
  decodeHelloVerifyRequest,
  decodeServerHello,
  encodeClientHello,
  isDowngraded,
} from './messages/hello.ts';
import { groupCode, groupsOf12 } from './messages/key-exchange.ts';
import { decodeKeyShare, encodeKeyShares } from './messages/key-share.ts';
import type { Problem } from './problem.ts';
import {
  badKeyShare,
  downgraded,
  extendedMasterSecretMissing,
  foreignRenegotiation,
  illegalParameter,
  malformed,
  missingExtension,
  unexpected,
  unsolicitedExtension,
  versionNotOffered,
  versionUnsupported,
} from './problem.ts';
import { DTLS_1_2, DTLS_1_3 } from './record/record.ts';
import { OFFERED_SCHEMES } from './signatures.ts';
import { srtpExtensions, takeSrtpProfile } from './srtp.ts';
import { Client12 } from './v12/client.ts';
import { Client13 } from './v13/client.ts';
import { Session13 } from './v13/session.ts';

type ClientState =
  | { readonly name: 'start' }
  | { readonly name: 'await-server-hello'; readonly cookiesAnswered: number }
  | { readonly name: 'await-retried-server-hello'; readonly suite: CipherSuite };

/** A server needs one round at most; more would be a loop. */
const MAX_COOKIES = 2;

/** The client's side of the hellos. */
export class Client implements HelloMachine {
  readonly #handshake: Handshake;
  /** Our shares of DTLS 1.3's key agreement. */
  #keys: readonly KeyExchange[] = [];
  /** In every ClientHello; the rest depends on what the server has asked for. */
  readonly #commonExtensions: readonly Extension[];
  #offered: readonly Extension[] = [];
  #state: ClientState = { name: 'start' };
  /** What comes after the hellos, once the server has chosen. */
  #chosen: HandshakeMachine | undefined;

  constructor(handshake: Handshake) {
    this.#handshake = handshake;
    // The same in every ClientHello of this handshake (RFC 6347 §4.2.1, RFC 8446 §4.1.2).
    handshake.clientRandom = randomBytes(handshake.random, HELLO_RANDOM_LENGTH);
    this.#commonExtensions = commonExtensions(handshake);
  }

  get state(): string {
    return this.#chosen?.state ?? this.#state.name;
  }

  get keyUpdates(): KeyUpdates | undefined {
    return this.#chosen?.keyUpdates;
  }

  /** Flight 1. */
  start(): void {
    const { crypto, random, groups, flight } = this.#handshake;
    if (this.#handshake.speaks('1.3')) {
      this.#keys = firstShares(groups).map((group) => crypto.keyExchange(group, random));
    }
    flight.begin(1, undefined);
    this.#sayClientHello(NO_BYTES, []);
    this.#state = { name: 'await-server-hello', cookiesAnswered: 0 };
  }

  handle(message: HandshakeMessage): Problem | undefined {
    if (this.#chosen !== undefined) return this.#chosen.handle(message);
    const state = this.#state;
    const { type } = message;
    switch (state.name) {
      case 'await-server-hello':
        if (type === HandshakeType.helloVerifyRequest) {
          return this.#handleHelloVerifyRequest(message, state.cookiesAnswered);
        }
        if (type === HandshakeType.serverHello) return this.#handleServerHello(message, undefined);
        break;
      case 'await-retried-server-hello':
        if (type === HandshakeType.serverHello) return this.#handleServerHello(message, state.suite);
        break;
      case 'start':
        break;
    }
    return unexpected(state.name, type);
  }

  #sayClientHello(cookie: Uint8Array, answers: readonly Extension[]): void {
    const shares = this.#keys.map(({ group, publicKey }) => ({ groupCode: groupCode(group), publicKey }));
    this.#offered = [
      ...this.#commonExtensions,
      ...(shares.length === 0 ? [] : [{ type: ExtensionType.keyShare, data: encodeKeyShares(shares) }]),
      ...answers,
    ];
    const hello = encodeClientHello({
      version: DTLS_1_2,
      random: this.#handshake.clientRandom,
      sessionId: NO_BYTES,
      cookie,
      cipherSuites: this.#handshake.cipherSuites.map(({ code }) => code),
      compressionMethods: Uint8Array.of(NULL_COMPRESSION),
      extensions: this.#offered,
    });
    this.#handshake.say(HandshakeType.clientHello, hello);
  }

  /** RFC 6347 §4.2.1: the same hello with the cookie, and a transcript that starts there. Its version does not matter. */
  #handleHelloVerifyRequest(message: HandshakeMessage, cookiesAnswered: number): Problem | undefined {
    // RFC 9147 §5.1: DTLS 1.3 has another way to ask for cookies.
    if (!this.#handshake.speaks('1.2')) {
      return versionUnsupported('The server asks for a cookie as in DTLS 1.2, and we speak DTLS 1.3 alone.');
    }
    const request = decodeHelloVerifyRequest(message.body);
    if (isFailure(request)) return malformed(request.reason);
    if (cookiesAnswered === MAX_COOKIES) {
      return illegalParameter(`The server asked for a cookie ${MAX_COOKIES + 1} times.`);
    }
    const { flight, transcript } = this.#handshake;
    transcript.reset();
    flight.begin(3, message);
    this.#sayClientHello(request.cookie, []);
    this.#state = { name: 'await-server-hello', cookiesAnswered: cookiesAnswered + 1 };
    return undefined;
  }

  /** @param retried the suite of the HelloRetryRequest, if there was one. */
  #handleServerHello(message: HandshakeMessage, retried: CipherSuite | undefined): Problem | undefined {
    const hello = decodeServerHello(message.body);
    if (isFailure(hello)) return malformed(hello.reason);
    const suite = this.#judgeChoice(hello, retried);
    if ('alert' in suite) return suite;
    if (suite.version === '1.2') return this.#become12(message, hello, suite);
    return equalBytes(hello.random, RETRY_REQUEST_RANDOM)
      ? this.#handleRetryRequest(message, hello, suite)
      : this.#become13(message, hello, suite);
  }

  /** The suite, if version, suite and compression are such as were offered. */
  #judgeChoice(hello: ServerHello, retried: CipherSuite | undefined): CipherSuite | Problem {
    const selected = findExtension(hello.extensions, ExtensionType.supportedVersions);
    const version = selected === undefined ? hello.version : decodeU16(selected);
    if (typeof version !== 'number') return malformed(version.reason);
    const isDtls13 = version === DTLS_1_3 && selected !== undefined;
    if (selected !== undefined && !isDtls13) return versionNotOffered(version);
    if (hello.version !== DTLS_1_2) {
      return versionUnsupported(`The server chose version 0x${version.toString(16)}, which was not offered.`);
    }
    if (!this.#handshake.speaks(isDtls13 ? '1.3' : '1.2')) {
      return versionUnsupported(`The server chose DTLS ${isDtls13 ? '1.3' : '1.2'}, which was not offered.`);
    }
    // RFC 9147 §5.1: HelloVerifyRequest is DTLS 1.2's alone.
    if (isDtls13 && this.#state.name === 'await-server-hello' && this.#state.cookiesAnswered > 0) {
      return illegalParameter(
        'The server chose DTLS 1.3 behind a HelloVerifyRequest, which is of DTLS 1.2 alone.',
      );
    }
    if (!isDtls13 && this.#handshake.speaks('1.3') && isDowngraded(hello.random)) return downgraded();
    const suite = this.#handshake.cipherSuites.find(({ code }) => code === hello.cipherSuite);
    if (suite?.version !== (isDtls13 ? '1.3' : '1.2')) {
      return illegalParameter('The server chose a cipher suite that was not offered.');
    }
    // RFC 8446 §4.1.4: what a HelloRetryRequest has chosen stays.
    if (retried !== undefined && suite !== retried) {
      return illegalParameter('The server chose another cipher suite than in its HelloRetryRequest.');
    }
    if (hello.compressionMethod !== NULL_COMPRESSION) {
      return illegalParameter('The server chose a compression method that was not offered.');
    }
    return suite;
  }

  #become12(message: HandshakeMessage, hello: ServerHello, suite: CipherSuite): Problem | undefined {
    // RFC 5246 §7.4.1.4: a server answers extensions, it never brings its own.
    const uninvited = this.#findUninvited(hello, HELLO_EXTENSIONS_12);
    if (uninvited !== undefined) return uninvited;
    if (hasForeignRenegotiation(hello.extensions)) return foreignRenegotiation();
    if (!acceptsUncompressedPoints(hello.extensions)) {
      return illegalParameter("The server's ec_point_formats leaves out uncompressed points.");
    }
    const extendedMasterSecret = readExtendedMasterSecret(hello.extensions);
    if (typeof extendedMasterSecret !== 'boolean') return malformed(extendedMasterSecret.reason);
    if (!extendedMasterSecret && this.#handshake.requireExtendedMasterSecret) {
      return extendedMasterSecretMissing();
    }
    const problem =
      takeSrtpProfile(this.#handshake, hello.extensions) ??
      takeConnectionIds(this.#handshake, hello.extensions);
    if (problem !== undefined) return problem;
    this.#handshake.choose(suite);
    this.#handshake.transcript.add(message);
    const serverRandom = copyBytes(hello.random);
    this.#chosen = new Client12(this.#handshake, {
      suite,
      serverRandom,
      extendedMasterSecret,
    });
    return undefined;
  }

  /** An extension that was not offered, or is not for this message; a HelloRetryRequest's cookie needs no offer (§4.2). */
  #findUninvited(hello: ServerHello, invited: readonly number[]): Problem | undefined {
    for (const { type } of hello.extensions) {
      const isOffered = type === ExtensionType.cookie || findExtension(this.#offered, type) !== undefined;
      if (!isOffered || !invited.includes(type)) return unsolicitedExtension(type, isOffered);
    }
    return undefined;
  }

  /** RFC 8446 §4.1.4. Flight 3: the share that is asked for, and the cookie if there is one. */
  #handleRetryRequest(
    message: HandshakeMessage,
    hello: ServerHello,
    suite: CipherSuite,
  ): Problem | undefined {
    if (this.#state.name !== 'await-server-hello') {
      return unexpected(this.#state.name, message.type);
    }
    const uninvited = this.#findUninvited(hello, RETRY_EXTENSIONS);
    if (uninvited !== undefined) return uninvited;
    const cookie = findExtension(hello.extensions, ExtensionType.cookie);
    const asked = findExtension(hello.extensions, ExtensionType.keyShare);
    if (asked !== undefined) {
      const code = decodeU16(asked);
      const group = this.#handshake.groups.find((offered) => groupCode(offered) === code);
      if (group === undefined || this.#keys.some((sent) => sent.group === group)) {
        return illegalParameter('The server asked for a key share that was sent, or of a group not offered.');
      }
      this.#keys = [this.#handshake.crypto.keyExchange(group, this.#handshake.random)];
    } else if (cookie === undefined) {
      return illegalParameter('The server sent a HelloRetryRequest that asks for nothing.');
    }
    const { flight, transcript } = this.#handshake;
    this.#handshake.choose(suite);
    transcript.replaceByHash();
    transcript.add(message);
    flight.begin(3, message);
    const answers = cookie === undefined ? [] : [{ type: ExtensionType.cookie, data: copyBytes(cookie) }];
    this.#sayClientHello(NO_BYTES, answers);
    this.#state = { name: 'await-retried-server-hello', suite };
    return undefined;
  }

  #become13(message: HandshakeMessage, hello: ServerHello, suite: CipherSuite): Problem | undefined {
    // RFC 9147 §5: DTLS servers do not echo it, and we have sent none.
    if (hello.sessionId.length !== 0) return illegalParameter('The server echoes a session id never sent.');
    const uninvited = this.#findUninvited(hello, HELLO_EXTENSIONS_13);
    if (uninvited !== undefined) return uninvited;
    const data = findExtension(hello.extensions, ExtensionType.keyShare);
    if (data === undefined) return missingExtension('key_share');
    const share = decodeKeyShare(data);
    if (isFailure(share)) return malformed(share.reason);
    const keys = this.#keys.find(({ group }) => groupCode(group) === share.groupCode);
    if (keys === undefined) {
      return illegalParameter('The server chose a group for which no share was sent.');
    }
    const idProblem = takeConnectionIds(this.#handshake, hello.extensions);
    if (idProblem !== undefined) return idProblem;
    const sharedSecret = keys.deriveSecret(share.publicKey);
    if (sharedSecret === undefined) return badKeyShare();
    this.#handshake.group = keys.group;
    this.#keys = [];
    this.#handshake.choose(suite);
    this.#handshake.transcript.add(message);
    this.#chosen = new Client13(this.#handshake, new Session13(this.#handshake, suite, sharedSecret));
    return undefined;
  }
}

/**
 * RFC 5246 §7.4.1.4, RFC 8422 §5.2, RFC 5764 §4.1.1, RFC 7627 §5.1, RFC 9146 §3, RFC 5746 §3.6. Some servers send supported_groups too,
 * which does no harm (RFC 8446 §4.2.7).
 */
const HELLO_EXTENSIONS_12: readonly number[] = [
  ExtensionType.supportedGroups,
  ExtensionType.ecPointFormats,
  ExtensionType.useSrtp,
  ExtensionType.extendedMasterSecret,
  ExtensionType.connectionId,
  ExtensionType.renegotiationInfo,
];
/** RFC 8446 §4.2, the column "HRR", of what is known here. */
const RETRY_EXTENSIONS: readonly number[] = [
  ExtensionType.supportedVersions,
  ExtensionType.keyShare,
  ExtensionType.cookie,
];
/** The column "SH", and RFC 9146 §3. */
const HELLO_EXTENSIONS_13: readonly number[] = [
  ExtensionType.supportedVersions,
  ExtensionType.keyShare,
  ExtensionType.connectionId,
];

/**
 * The groups a first ClientHello brings shares of: the preferred one. The hybrid, which not every server knows, takes the
 * best of the others along, as browsers do: a HelloRetryRequest would cost more than its 32 bytes.
 */
function firstShares(groups: readonly Group[]): readonly Group[] {
  const [preferred] = groups;
  return preferred === 'x25519mlkem768' ? [preferred, ...groupsOf12(groups).slice(0, 1)] : groups.slice(0, 1);
}

function commonExtensions(handshake: Handshake): readonly Extension[] {
  const groups = handshake.speaks('1.3') ? handshake.groups : groupsOf12(handshake.groups);
  const only12 = [EXTENDED_MASTER_SECRET, RENEGOTIATION_INFO, POINT_FORMATS];
  const versions = handshake.speaks('1.2') ? [DTLS_1_3, DTLS_1_2] : [DTLS_1_3];
  const only13 = [{ type: ExtensionType.supportedVersions, data: encodeVersions(versions) }];
  return [
    ...(handshake.speaks('1.2') ? only12 : []),
    { type: ExtensionType.supportedGroups, data: encodeU16Vector(groups.map(groupCode)) },
    { type: ExtensionType.signatureAlgorithms, data: encodeU16Vector(OFFERED_SCHEMES) },
    ...srtpExtensions(handshake),
    ...offeredConnectionId(handshake),
    ...(handshake.speaks('1.3') ? only13 : []),
  ];
}
