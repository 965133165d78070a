/**
 * Parameters, candidates and descriptions: what signalling delivers, judged at the call and before anything changes. The caller
 * hands on what its peer has said, so all of it may be anything; what passes here, no later input trips over.
 */
import { isFailure } from '../core/decode.ts';
import { badArgument } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import {
  checkFields,
  checkOptions,
  flag,
  integer,
  listOf,
  number,
  oneOf,
  required,
  text,
} from '../core/options.ts';
import type { DtlsRole, Fingerprint } from '../dtls/index.ts';
import { fingerprintRule, normalizeFingerprint } from '../dtls/index.ts';
import type { IceCandidate, IceParameters, IceRole } from '../ice/index.ts';
import { REMOTE_CANDIDATE_RULES, remoteParametersRule } from '../ice/index.ts';
import type { CandidateInit } from '../sdp/index.ts';
import { isSdpError, parseCandidateInit } from '../sdp/index.ts';
import { SdpRefusal } from './refusal.ts';

// --- parameters ---

/** What each end must know of the other one's SCTP: a data section carries it; `Rtc.openData` takes it as it is. */
export interface DataParameters {
  /** 1–65535. Default 5000. */
  readonly sctpPort?: number | undefined;
  /** Largest message the peer accepts, bytes; `Infinity` for no limit. Default 65536 (RFC 8841 §6.1). */
  readonly maxMessageSize?: number | undefined;
}

const DATA_RULES: OptionRules<DataParameters> = {
  sctpPort: integer(1, 65_535),
  maxMessageSize: number(1, Infinity),
};

/** What each end must know of the other one before a connection can start. SDP carries it; `Rtc.start` takes it as it is. */
export interface TransportParameters extends DataParameters {
  readonly ice: IceParameters;
  readonly iceRole: IceRole;
  readonly dtlsRole: DtlsRole;
  /**
   * The peer's certificate must match one of these (RFC 8122). None only where `dtls.dangerouslyAcceptAnyFingerprint` says
   * that any will do.
   */
  readonly fingerprints: readonly Fingerprint[];
  /** False: no data channels before `Rtc.openData`; `sctpPort` and `maxMessageSize` mean nothing then. Default true. */
  readonly data?: boolean | undefined;
  /** What each end's description said of `a=setup`, for diagnosis. */
  readonly localSetup?: string | undefined;
  readonly remoteSetup?: string | undefined;
}

const PARAMETER_RULES: OptionRules<TransportParameters> = {
  ice: required(remoteParametersRule),
  iceRole: required(oneOf(['controlling', 'controlled'])),
  dtlsRole: required(oneOf(['client', 'server'])),
  fingerprints: required(listOf(fingerprintRule)),
  ...DATA_RULES,
  data: flag,
  localSetup: text(),
  remoteSetup: text(),
};

/**
 * The parameters, copied: nothing that the caller changes afterwards counts. Throws `ERR_BAD_ARGUMENT`, also where no
 * fingerprint could ever match: without one of SHA-256, SHA-384 or SHA-512 no certificate does.
 */
export function checkedParameters(
  parameters: TransportParameters,
  acceptAnyFingerprint: boolean,
): TransportParameters {
  checkOptions('start', parameters, PARAMETER_RULES);
  const { ice, fingerprints, ...others } = parameters;
  const { usernameFragment, password, lite = false, renomination = false } = ice;
  const canMatch = fingerprints.some((fingerprint) => !isFailure(normalizeFingerprint(fingerprint)));
  if (!canMatch && !(acceptAnyFingerprint && fingerprints.length === 0)) {
    throw badArgument('fingerprints', 'one of SHA-256, SHA-384 or SHA-512 at least', fingerprints);
  }
  return {
    ...others,
    ice: { usernameFragment, password, lite, renomination },
    fingerprints: fingerprints.map(({ algorithm, value }) => ({ algorithm, value })),
  };
}

/** What `openData` is given, copied. Throws `ERR_BAD_ARGUMENT`. */
export function checkedDataParameters(parameters: DataParameters): DataParameters {
  checkOptions('openData', parameters, DATA_RULES);
  const { sctpPort, maxMessageSize } = parameters;
  return { sctpPort, maxMessageSize };
}

/** Throws `ERR_BAD_ARGUMENT` for what is no size of a message. */
export function checkMessageSize(size: number): void {
  number(1, Infinity)(size, 'size');
}

/** Credentials of the peer's, copied. Throws `ERR_BAD_ARGUMENT`. */
export function checkedIceParameters(parameters: IceParameters): IceParameters {
  remoteParametersRule(parameters, 'parameters');
  const { usernameFragment, password, lite = false } = parameters;
  return { usernameFragment, password, lite };
}

// --- candidates ---

/** What `addRemoteCandidate` takes: a candidate, its line, or a browser's `RTCIceCandidateInit`. */
export type RemoteCandidate = IceCandidate | Partial<CandidateInit> | string | null;

/** The members of W3C's dictionary: one that has nothing else says that no more candidates will come. */
const INIT_NAMES: readonly string[] = ['candidate', 'sdpMid', 'sdpMLineIndex', 'usernameFragment'];

/**
 * Reads a candidate of the peer's. Throws `SdpRefusal` for a line that is none, `ERR_BAD_ARGUMENT` for anything else of
 * the wrong shape.
 * @returns `ignored` for one that is well-formed and of no use: a transport or type that is not known, a username fragment
 * that can be nobody's, another component than RTP's (RFC 8834 §4.5).
 */
export function readCandidate(
  candidate: RemoteCandidate,
  strict: boolean,
): IceCandidate | 'end-of-candidates' | 'ignored' {
  if (candidate === null) return 'end-of-candidates';
  if (typeof candidate === 'string') return readInit({ candidate }, strict);
  if (typeof candidate !== 'object' || Array.isArray(candidate)) {
    throw badArgument('candidate', 'a candidate, its line or an RTCIceCandidateInit', candidate);
  }
  // A browser's RTCIceCandidate has the fields of ours, too, but means its line.
  if ('candidate' in candidate) return readInit(candidate, strict);
  // W3C: a dictionary without a line has the empty one.
  if (Object.keys(candidate).every((key) => INIT_NAMES.includes(key))) return readInit(candidate, strict);
  return readFields(candidate as IceCandidate);
}

function readInit(
  init: Partial<CandidateInit>,
  strict: boolean,
): IceCandidate | 'end-of-candidates' | 'ignored' {
  const { candidate = '', sdpMid, sdpMLineIndex, usernameFragment } = init;
  if (typeof candidate !== 'string') throw badArgument('candidate.candidate', 'a string', candidate);
  if (!isNullish(sdpMid)) text()(sdpMid, 'candidate.sdpMid');
  if (!isNullish(sdpMLineIndex)) integer(0, 65_535)(sdpMLineIndex, 'candidate.sdpMLineIndex');
  if (!isNullish(usernameFragment)) text()(usernameFragment, 'candidate.usernameFragment');
  const parsed = parseCandidateInit({ candidate, usernameFragment }, strict);
  if (isSdpError(parsed)) {
    if (parsed.code === 'candidate-unsupported') return 'ignored';
    throw new SdpRefusal(parsed);
  }
  if (parsed === 'end-of-candidates') return parsed;
  return parsed.component === 1 ? { ...parsed, component: 1 } : 'ignored';
}

function readFields(candidate: IceCandidate): IceCandidate | 'ignored' {
  checkFields('candidate', candidate, REMOTE_CANDIDATE_RULES);
  const { type, protocol, address, port, foundation, priority } = candidate;
  const { relatedAddress, relatedPort, tcpType, usernameFragment } = candidate;
  if ((candidate.component as number) !== 1) return 'ignored';
  const fields = { type, protocol, address, port, foundation, component: 1, priority } as const;
  return { ...fields, relatedAddress, relatedPort, tcpType, usernameFragment };
}

function isNullish(value: unknown): boolean {
  return value === undefined || value === null;
}

// --- descriptions ---

/** W3C `RTCSessionDescriptionInit`, or its text. */
export type RemoteDescription = string | { readonly type: string; readonly sdp: string };

/** The text of a description. Throws `ERR_BAD_ARGUMENT` for anything else, and for a description of another type. */
export function textOf(description: RemoteDescription, type: 'offer' | 'answer' | 'pranswer'): string {
  if (typeof description === 'string') return description;
  const expected = `its SDP as text, or { type: "${type}", sdp }`;
  if (typeof description !== 'object' || (description as unknown) === null) {
    throw badArgument(type, expected, description);
  }
  const { type: given, sdp } = description as Partial<Exclude<RemoteDescription, string>>;
  if (given !== type) throw badArgument(`${type}.type`, JSON.stringify(type), given);
  if (typeof sdp !== 'string') throw badArgument(`${type}.sdp`, 'a string', sdp);
  return sdp;
}
