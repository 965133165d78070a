/**
 * The server's side of the hellos: it chooses version, suite and group.
 *
 *     await-client-hello ─ClientHello→ Server12 or Server13, named for what they wait for
 *           │ HelloRetryRequest: the client knows a group of ours, and has sent no share of one (RFC 8446 §4.1.4)
 *           └→ await-retried-client-hello ─ClientHello→ Server13
 *
 * The highest version that both speak is taken. Cookies are never asked for: datagrams come from paths that ICE has
 * proved (RFC 6347 §4.2.1, RFC 9147 §5.1 leave it to the server).
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes, equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { randomBytes } from '../core/random.ts';
import type { Group } from '../crypto/provider.ts';
import type { CipherSuite, DtlsVersion } from './cipher-suites.ts';
import type { Handshake } from './handshake.ts';
import { ECDSA_SECP256R1_SHA256 } from './messages/certificates.ts';
import type { Extension } from './messages/extensions.ts';
import {
  ExtensionType,
  acceptsUncompressedPoints,
  decodeU16Vector,
  decodeVersions,
  encodeU16,
  findExtension,
  hasForeignRenegotiation,
} from './messages/extensions.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HandshakeType } from './messages/handshake.ts';
import type { ClientHello } from './messages/hello.ts';
import {
  HELLO_RANDOM_LENGTH,
  NULL_COMPRESSION,
  RETRY_REQUEST_RANDOM,
  decodeClientHello,
  encodeServerHello,
} from './messages/hello.ts';
import { groupCode } from './messages/key-exchange.ts';
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
import { DTLS_1_2, DTLS_1_3 } from './record.ts';
import { Server12 } from './server12.ts';
import { Server13 } from './server13.ts';
import { Session13 } from './session13.ts';
import { chooseSrtpProfile } from './srtp.ts';

type ServerState =
  | { readonly name: 'await-client-hello' }
  | {
      readonly name: 'await-retried-client-hello';
      readonly group: Group;
      readonly suite: CipherSuite;
      readonly clientRandom: Bytes;
    };

export class Server {
  readonly #handshake: Handshake;
  #state: ServerState = { name: 'await-client-hello' };
  #chosen: Server12 | Server13 | undefined;

  constructor(handshake: Handshake) {
    this.#handshake = handshake;
  }

  get state(): string {
    return this.#chosen?.state ?? this.#state.name;
  }

  get complete(): boolean {
    return this.#chosen?.state === 'complete';
  }

  get group(): Group | undefined {
    return this.#handshake.group;
  }

  /** DTLS 1.3's session, once its keys are known. */
  get session13(): Session13 | undefined {
    return this.#chosen instanceof Server13 ? this.#chosen.session : undefined;
  }

  /** Takes the next message in order. The bytes of `message` are the machine's from here on. */
  handle(message: HandshakeMessage): Problem | undefined {
    if (this.#chosen !== undefined) return this.#chosen.handle(message);
    if (message.type !== HandshakeType.clientHello) return unexpected(this.#state.name, message.type);
    const hello = decodeClientHello(message.body);
    if (isFailure(hello)) return malformed(hello.reason);
    if (this.#state.name === 'await-retried-client-hello') {
      return this.#handleRetried(message, hello, this.#state);
    }
    const version = this.#chooseVersion(hello);
    if (version === undefined)
      return versionUnsupported('The client offers no version of DTLS that we speak.');
    const refusal = judgeClientHello(hello, version);
    if (refusal !== undefined) return refusal;
    const suite = this.#handshake.cipherSuites.find(
      (ours) => ours.version === version && hello.cipherSuites.includes(ours.code),
    );
    if (suite === undefined) {
      return nothingInCommon(
        'cipher-suite',
        `The client offers no cipher suite of ours for DTLS ${version}.`,
      );
    }
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

  #answer12(message: HandshakeMessage, hello: ClientHello, suite: CipherSuite): Problem | undefined {
    const extendedMasterSecret =
      findExtension(hello.extensions, ExtensionType.extendedMasterSecret) !== undefined;
    if (!extendedMasterSecret && this.#handshake.requireExtendedMasterSecret) {
      return extendedMasterSecretMissing();
    }
    const group = chooseGroup(hello, this.#handshake.groups);
    if (group === undefined) return nothingInCommon('group', 'The client offers no group of ours.');
    const profile = chooseSrtpProfile(this.#handshake.srtpProfiles, hello.extensions);
    if (typeof profile === 'object') return profile;
    this.#handshake.srtpProfile = profile;
    this.#handshake.group = group;
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
    this.#handshake.choose(suite);
    this.#handshake.transcript.add(message);
    // A share that is here saves a round trip, even if it is not of the group we like best.
    for (const group of common) {
      const share = shares.find((candidate) => candidate.groupCode === groupCode(group));
      if (share !== undefined) return this.#become13(message, hello, suite, group, share);
    }
    return this.#sayRetryRequest(message, hello, suite, preferred);
  }

  /** Flight 2. */
  #sayRetryRequest(
    message: HandshakeMessage,
    hello: ClientHello,
    suite: CipherSuite,
    group: Group,
  ): Problem | undefined {
    this.#handshake.transcript.replaceByHash();
    this.#handshake.flight.begin(2, message);
    this.#sayServerHello13(RETRY_REQUEST_RANDOM, suite, encodeU16(groupCode(group)));
    this.#state = {
      name: 'await-retried-client-hello',
      group,
      suite,
      clientRandom: copyBytes(hello.random),
    };
    return undefined;
  }

  /** RFC 8446 §4.1.2: the same hello, with the one share that was asked for. */
  #handleRetried(
    message: HandshakeMessage,
    hello: ClientHello,
    state: ServerState & { readonly name: 'await-retried-client-hello' },
  ): Problem | undefined {
    const data = findExtension(hello.extensions, ExtensionType.keyShare);
    const shares = data === undefined ? [] : decodeKeyShares(data);
    if (isFailure(shares)) return malformed(shares.reason);
    const [share, ...others] = shares;
    const isSameHello =
      equalBytes(hello.random, state.clientRandom) &&
      this.#chooseVersion(hello) === '1.3' &&
      hello.cipherSuites.includes(state.suite.code);
    if (!isSameHello)
      return illegalParameter('The second ClientHello is not the first one with another share.');
    if (share?.groupCode !== groupCode(state.group) || others.length > 0) {
      return illegalParameter('The second ClientHello does not bring the one key share that was asked for.');
    }
    const refusal = judgeClientHello(hello, '1.3');
    if (refusal !== undefined) return refusal;
    this.#handshake.transcript.add(message);
    return this.#become13(message, hello, state.suite, state.group, share);
  }

  /** Starts flight 4 with the ServerHello; the rest of it is protected. */
  #become13(
    message: HandshakeMessage,
    hello: ClientHello,
    suite: CipherSuite,
    group: Group,
    share: KeyShare,
  ): Problem | undefined {
    const { crypto, random, flight, srtpProfiles } = this.#handshake;
    const profile = chooseSrtpProfile(srtpProfiles, hello.extensions);
    if (typeof profile === 'object') return profile;
    const keys = crypto.keyExchange(group, random);
    const sharedSecret = keys.deriveSecret(share.publicKey);
    if (sharedSecret === undefined) return badKeyShare();
    this.#handshake.srtpProfile = profile;
    this.#handshake.group = group;
    flight.begin(4, message);
    const answer = encodeKeyShare({ groupCode: groupCode(group), publicKey: keys.publicKey });
    this.#sayServerHello13(randomBytes(random, HELLO_RANDOM_LENGTH), suite, answer);
    const session = new Session13(this.#handshake, suite, sharedSecret, copyBytes(hello.random));
    this.#chosen = new Server13(session, profile);
    return undefined;
  }

  /** RFC 9147 §5: the session id is not echoed. */
  #sayServerHello13(random: Uint8Array, suite: CipherSuite, keyShare: Bytes): void {
    const extensions: Extension[] = [
      { type: ExtensionType.supportedVersions, data: encodeU16(DTLS_1_3) },
      { type: ExtensionType.keyShare, data: keyShare },
    ];
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

/** Everything in a ClientHello that must suit us, but suite and group. What is unknown is passed over. */
function judgeClientHello(hello: ClientHello, version: DtlsVersion): Problem | undefined {
  const { compressionMethods, extensions } = hello;
  if (!compressionMethods.includes(NULL_COMPRESSION)) {
    return nothingInCommon('compression', 'The client insists on compression.');
  }
  const schemes = vector(hello, ExtensionType.signatureAlgorithms);
  if (schemes?.includes(ECDSA_SECP256R1_SHA256) !== true) {
    return nothingInCommon('signature', 'The client does not accept ecdsa_secp256r1_sha256 signatures.');
  }
  if (version === '1.3') {
    // RFC 8446 §4.1.2, RFC 9147 §5.3.
    if (compressionMethods.length !== 1)
      return illegalParameter('The client offers compression with DTLS 1.3.');
    if (hello.cookie.length !== 0) return illegalParameter('The client sends a legacy cookie with DTLS 1.3.');
    return undefined;
  }
  if (!acceptsUncompressedPoints(extensions)) {
    return illegalParameter("The client's ec_point_formats leaves out uncompressed points.");
  }
  return hasForeignRenegotiation(extensions) ? foreignRenegotiation() : undefined;
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
