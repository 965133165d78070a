/** Options of one DTLS connection, their defaults and bounds. */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes } from '../core/bytes.ts';
import { Clock } from '../core/clock.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRule, OptionRules } from '../core/options.ts';
import {
  bytes,
  callback,
  checkOptions,
  flag,
  having,
  integer,
  listOf,
  nested,
  number,
  oneOf,
  ownOptions,
  required,
  text,
  wait,
  withDefaults,
} from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomRule } from '../core/random.ts';
import type { CryptoProvider, Group } from '../crypto/provider.ts';
import { cryptoRule } from '../crypto/provider.ts';
import type { Certificate } from './certificate/certificate.ts';
import { certificateRule } from './certificate/certificate.ts';
import type { Fingerprint } from './certificate/fingerprint.ts';
import { fingerprintRule } from './certificate/fingerprint.ts';
import type { CipherSuite, DtlsCipherSuite, DtlsVersion } from './cipher-suites.ts';
import { CIPHER_SUITES } from './cipher-suites.ts';
import type { ConnectionIdOptions } from './connection-id.ts';
import { connectionIdRule } from './connection-id.ts';
import type { ReassemblyLimits } from './reassembly.ts';
import { MAX_SEQUENCE } from './record/record.ts';
import type { SrtpProfile } from '../core/srtp-keys.ts';
import { SRTP_PROFILES } from './srtp.ts';
import type { DtlsRole } from './states.ts';

/** The versions spoken, both ends included. */
export interface DtlsVersions {
  readonly min: DtlsVersion;
  readonly max: DtlsVersion;
}

/** The `a=setup` values of both descriptions. They decide nothing here: diagnosis quotes them. */
export interface DtlsSetups {
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
}

/** Bounds of everything a peer can make grow. */
export interface DtlsLimits extends ReassemblyLimits {
  /** Records of epoch 1 kept before its keys are known, and application records kept before `connected`. */
  readonly earlyRecords: number;
  /** Bytes of each of these two together. */
  readonly earlyBytes: number;
  /** Application records that wait for `pollData` once connected. */
  readonly receiveQueue: number;
  /** Records sealed under one key; the connection fails at the limit. */
  readonly recordsPerKey: number;
  /** Records sealed under one key of DTLS 1.3 before it is changed; at twice as many the connection fails. */
  readonly recordsPerUpdate: number;
  /**
   * Records under one key that are not authentic: at the limit the connection fails. In DTLS 1.3 the peer is asked for new
   * keys at half of it, and an old key that reaches it is merely dropped.
   */
  readonly forgeriesPerKey: number;
  /** KeyUpdates of the peer's (DTLS 1.3) taken in a minute; further ones are passed over until it repeats them. */
  readonly keyUpdatesPerMinute: number;
}

/** What a limit is where none is given. */
export const DEFAULT_LIMITS: DtlsLimits = {
  messageLength: 32_768,
  reassemblyBytes: 65_536,
  messagesAhead: 8,
  earlyRecords: 32,
  earlyBytes: 16_384,
  receiveQueue: 4096,
  recordsPerKey: 2 ** 32,
  // RFC 9147 §4.5.3: AES-GCM may protect 2^24.5 records; ChaCha20-Poly1305 has no such bound.
  recordsPerUpdate: 2 ** 23,
  // RFC 9147 §4.5.3, for all three AEADs. DTLS 1.2 has no rule of its own.
  forgeriesPerKey: 2 ** 36,
  keyUpdatesPerMinute: 32,
};

/**
 * One line of an NSS key log: for DTLS 1.2 the label `CLIENT_RANDOM` and the master secret, for 1.3 one for each traffic
 * secret. Both arrays are the taker's.
 */
export type DtlsKeyLog = (label: string, clientRandom: Bytes, secret: Bytes) => void;

/** What `new Dtls` takes. */
export interface DtlsOptions {
  /** From SDP's `a=setup`, or chosen by the application. It never changes. */
  readonly role: DtlsRole;
  /** Shared by any number of connections: nothing here changes it. */
  readonly certificate: Certificate;
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  /** The clock of the connection that the association is part of; without one it has its own. */
  readonly clock?: Clock | undefined;
  /** The peer's `a=fingerprint` lines; when not known yet, `setRemoteFingerprints` tells them later. */
  readonly remoteFingerprints?: readonly Fingerprint[] | undefined;
  /**
   * Connects to whoever answers, as long as no fingerprint of the peer's is known: anybody on the path can be that. False
   * by default. For protocols that learn the fingerprint here and prove by other means whose it is, in the first bytes of
   * application data (libp2p's webrtc-direct). Fingerprints that are known, or come later, are checked all the same.
   */
  readonly dangerouslyAcceptAnyFingerprint?: boolean | undefined;
  /** The versions to negotiate, `1.2` to `1.3` by default. */
  readonly versions?: Partial<DtlsVersions> | undefined;
  /**
   * Key agreement groups, the preferred first. By default x25519, secp256r1 and secp384r1; a server prefers
   * x25519mlkem768 to them, which a client offers only if it is named here (DTLS 1.3 alone has it).
   */
  readonly groups?: readonly Group[] | undefined;
  /** Cipher suites of all versions, the preferred first; all that are known by default. */
  readonly cipherSuites?: readonly DtlsCipherSuite[] | undefined;
  /** RFC 7627 in DTLS 1.2, true by default. Without it a man in the middle can make two connections share their keys. */
  readonly requireExtendedMasterSecret?: boolean | undefined;
  /** SRTP protection profiles (RFC 5764), of which one is agreed on, the preferred first; none by default, all in an `Rtc`. */
  readonly srtpProfiles?: readonly SrtpProfile[] | undefined;
  /**
   * Connection ids (RFC 9146, RFC 9147 §9): ask the peer to put one into its protected records, and put the peer's into ours if
   * it asks for that. Without the option there is no word of them, and a peer that asks for one is not answered.
   */
  readonly connectionId?: ConnectionIdOptions | undefined;
  /**
   * Server: agree on keys only with a client that has returned a cookie (RFC 6347 §4.2.1, RFC 9147 §5.1), which costs a
   * round trip. True by default: without it whoever forges an address makes this end agree on keys, and send that address
   * six times what it has sent itself. An `Rtc` sets it to false: ICE has proved the path. `binding` names the client, its
   * address for one: a cookie is good for no other.
   */
  readonly requireCookie?: boolean | { readonly binding: Uint8Array } | undefined;
  /** Largest datagram to send while shaking hands, in bytes of UDP payload: 256 … 16384, 1200 by default. */
  readonly mtu?: number | undefined;
  /** The `dtlsHandshake` gate in ms: from `start` to `connected`. 15000 by default. */
  readonly handshakeTimeout?: number | undefined;
  /** First retransmission timeout in ms, best twice ICE's round trip: held within 100 … 3000, 400 by default. */
  readonly retransmitTimeout?: number | undefined;
  /** After this long without a sign of the peer's handshake a `warning` says so, in ms; 3000 by default. */
  readonly hintTimeout?: number | undefined;
  readonly setups?: DtlsSetups | undefined;
  /** Takes the keys to this connection. For debugging: whoever has them reads everything. */
  readonly keyLog?: DtlsKeyLog | undefined;
  readonly limits?: Partial<DtlsLimits> | undefined;
}

/**
 * x25519 costs half of secp256r1. The hybrid with ML-KEM, which keeps recorded traffic closed to quantum computers, is a
 * client's to offer: its share makes two datagrams of a ClientHello, which doubles what may be lost and is more than old
 * gateways put together. A client that has paid that gets what it asked for.
 */
const CLIENT_GROUPS: readonly Group[] = ['x25519', 'secp256r1', 'secp384r1'];
const SERVER_GROUPS: readonly Group[] = ['x25519mlkem768', ...CLIENT_GROUPS];
const DEFAULT_VERSIONS: DtlsVersions = { min: '1.2', max: '1.3' };
const DEFAULT_MTU = 1200;
const MIN_MTU = 256;
/** A handshake has no use for larger datagrams: this is the length of a record. */
export const MAX_MTU = 16_384;
const DEFAULT_HANDSHAKE_TIMEOUT = 15_000;
/** BoringSSL's choice. RFC 6347 §4.2.4.1 says 1 s, and less where the application knows better. */
const DEFAULT_RETRANSMIT_TIMEOUT = 400;
/** What the peer may take beside the round trip: to agree on keys, and to do the same for others first. */
const MIN_RETRANSMIT_TIMEOUT = 100;
/** The round trip that it is twice of, and a little less, for that varies. */
const LEAST_ANSWER_SHARE = 0.4;
/** Also where doubling stops, so that 15 s hold eight transmissions. */
export const MAX_RETRANSMIT_TIMEOUT = 3000;
const DEFAULT_HINT_TIMEOUT = 3000;

/** All members of a union, as keys: the compiler complains if one is missing. */
const GROUPS: Readonly<Record<Group, true>> = {
  x25519mlkem768: true,
  x25519: true,
  secp256r1: true,
  secp384r1: true,
};
const VERSIONS: Readonly<Record<DtlsVersion, true>> = { '1.2': true, '1.3': true };

const versionRule: OptionRule = oneOf(Object.keys(VERSIONS));

const VERSION_RULES: OptionRules<DtlsVersions> = { min: versionRule, max: versionRule };

const count: OptionRule = integer(1);

const LIMIT_RULES: OptionRules<DtlsLimits> = {
  messageLength: count,
  reassemblyBytes: count,
  messagesAhead: integer(0),
  earlyRecords: integer(0),
  earlyBytes: integer(0),
  receiveQueue: count,
  recordsPerKey: number(1, Infinity),
  recordsPerUpdate: number(1, Infinity),
  forgeriesPerKey: number(1, Infinity),
  keyUpdatesPerMinute: number(1, Infinity),
};

const cookieRule: OptionRule = (value, name) => {
  if (typeof value !== 'boolean') nested<{ binding: Uint8Array }>({ binding: required(bytes) })(value, name);
};

/** What each option must be; `configure` adds how they depend on each other. */
export const DTLS_OPTION_RULES: OptionRules<DtlsOptions> = {
  role: required(oneOf(['client', 'server'])),
  certificate: required(certificateRule),
  crypto: required(cryptoRule),
  random: required(randomRule),
  clock: having('a Clock', ['observe', 'hear']),
  remoteFingerprints: listOf(fingerprintRule),
  dangerouslyAcceptAnyFingerprint: flag,
  versions: nested(VERSION_RULES),
  groups: listOf(oneOf(Object.keys(GROUPS)), 1),
  cipherSuites: listOf(oneOf(CIPHER_SUITES.map(({ name }) => name)), 1),
  requireExtendedMasterSecret: flag,
  srtpProfiles: listOf(oneOf(SRTP_PROFILES)),
  connectionId: connectionIdRule,
  requireCookie: cookieRule,
  mtu: integer(MIN_MTU, MAX_MTU),
  handshakeTimeout: wait,
  retransmitTimeout: wait,
  hintTimeout: wait,
  setups: nested<DtlsSetups>({ local: text(), remote: text() }),
  keyLog: callback,
  limits: nested(LIMIT_RULES),
};

/** The options of an association with all defaults filled in. */
export interface DtlsConfiguration {
  readonly role: DtlsRole;
  readonly certificate: Certificate;
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  readonly clock: Clock;
  readonly dangerouslyAcceptAnyFingerprint: boolean;
  readonly versions: DtlsVersions;
  readonly groups: readonly Group[];
  readonly cipherSuites: readonly CipherSuite[];
  readonly requireExtendedMasterSecret: boolean;
  readonly srtpProfiles: readonly SrtpProfile[];
  readonly connectionId: ConnectionIdOptions | undefined;
  readonly requireCookie: boolean;
  readonly cookieBinding: Uint8Array;
  readonly mtu: number;
  readonly handshakeTimeout: number;
  readonly retransmitTimeout: number;
  /** Milliseconds that any answer takes, as far as is known. */
  readonly leastAnswerTime: number;
  readonly hintTimeout: number;
  readonly setups: DtlsSetups;
  readonly keyLog: DtlsKeyLog | undefined;
  readonly limits: DtlsLimits;
}

/**
 * Throws `ERR_BAD_ARGUMENT` for options that `new Dtls` would refuse: for an owner that makes its `Dtls` later, when an
 * exception would reach nobody.
 */
export function checkDtlsOptions(options: DtlsOptions): void {
  configure(options);
}

/** Fills in the defaults. Throws `ERR_BAD_ARGUMENT`. */
export function configure(options: DtlsOptions): DtlsConfiguration {
  checkOptions('Dtls', options, DTLS_OPTION_RULES);
  const groups = options.groups ?? (options.role === 'client' ? CLIENT_GROUPS : SERVER_GROUPS);
  const versions = {
    min: options.versions?.min ?? DEFAULT_VERSIONS.min,
    max: options.versions?.max ?? DEFAULT_VERSIONS.max,
  };
  if (versions.min > versions.max) throw badArgument('versions', 'min not above max', versions.min);
  if (versions.max === '1.2' && !groups.some((group) => group !== 'x25519mlkem768')) {
    throw badArgument('groups', 'a group that DTLS 1.2 has', groups.join(', '));
  }
  const limits = withDefaults(DEFAULT_LIMITS, options.limits);
  const requireCookie = options.requireCookie ?? options.role === 'server';
  return {
    role: options.role,
    certificate: options.certificate,
    crypto: options.crypto,
    random: options.random,
    clock: options.clock ?? new Clock(),
    dangerouslyAcceptAnyFingerprint: options.dangerouslyAcceptAnyFingerprint === true,
    versions,
    groups: [...groups],
    cipherSuites: cipherSuitesOf(options.cipherSuites, versions),
    requireExtendedMasterSecret: options.requireExtendedMasterSecret ?? true,
    srtpProfiles: [...(options.srtpProfiles ?? [])],
    connectionId: options.connectionId && ownOptions(options.connectionId),
    requireCookie: requireCookie !== false,
    cookieBinding: typeof requireCookie === 'object' ? copyBytes(requireCookie.binding) : NO_BYTES,
    mtu: options.mtu ?? DEFAULT_MTU,
    handshakeTimeout: options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT,
    leastAnswerTime: (options.retransmitTimeout ?? 0) * LEAST_ANSWER_SHARE,
    retransmitTimeout: clampRetransmitTimeout(options.retransmitTimeout ?? DEFAULT_RETRANSMIT_TIMEOUT),
    hintTimeout: options.hintTimeout ?? DEFAULT_HINT_TIMEOUT,
    setups: { ...options.setups },
    keyLog: options.keyLog,
    limits: { ...limits, recordsPerKey: Math.min(limits.recordsPerKey, MAX_SEQUENCE) },
  };
}

/** The suites named, or all, of the versions spoken; there must be one for either end of the range. */
function cipherSuitesOf(
  names: readonly DtlsCipherSuite[] | undefined,
  versions: DtlsVersions,
): readonly CipherSuite[] {
  const chosen =
    names?.flatMap((name) => CIPHER_SUITES.filter((suite) => suite.name === name)) ?? CIPHER_SUITES;
  for (const version of [versions.min, versions.max]) {
    if (!chosen.some((suite) => suite.version === version)) {
      throw badArgument('cipherSuites', `a suite of DTLS ${version}`, 'none');
    }
  }
  return chosen.filter(({ version }) => version >= versions.min && version <= versions.max);
}

function clampRetransmitTimeout(timeout: number): number {
  return Math.min(MAX_RETRANSMIT_TIMEOUT, Math.max(MIN_RETRANSMIT_TIMEOUT, timeout));
}
