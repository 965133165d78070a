/**
 * Errors of descriptions: plain data, answered and never thrown, because a description comes from the network.
 *
 * `code` is the promise; `line` (1-based) and `mid` say where; the message says what was expected. No message quotes an
 * ICE password or any other value of unbounded length.
 */

/** The text is not a session description, or one larger than allowed. */
export type SdpSyntaxCode =
  | 'sdp-too-large'
  | 'too-many-lines'
  | 'line-too-long'
  | 'too-many-media-sections'
  | 'too-many-session-lines'
  | 'too-many-section-lines'
  | 'too-many-payload-types'
  | 'too-many-sources'
  | 'too-many-rids'
  | 'too-many-candidates'
  | 'too-many-fingerprints'
  | 'line-malformed'
  | 'version-invalid'
  | 'origin-invalid'
  | 'media-line-invalid';

/** One attribute is malformed, missing its counterpart, or contradicts itself. */
export type SdpAttributeCode =
  | 'duplicate-attribute'
  | 'mid-invalid'
  | 'bundle-invalid'
  | 'candidate-invalid'
  | 'candidate-unsupported'
  | 'ice-credentials-invalid'
  | 'ice-credentials-missing'
  | 'fingerprint-invalid'
  | 'setup-invalid'
  | 'tls-id-invalid'
  | 'sctp-port-invalid'
  | 'sctpmap-invalid'
  | 'max-message-size-invalid'
  | 'payload-type-invalid'
  | 'rtpmap-invalid'
  | 'extmap-duplicate'
  | 'simulcast-invalid';

/** The description is well-formed, but it cannot be agreed to in the present state of the negotiation. */
export type SdpNegotiationCode =
  | 'glare'
  | 'local-description-changed'
  | 'no-application-section'
  | 'application-rejected'
  | 'bundle-tag-rejected'
  | 'section-count-mismatch'
  | 'section-mismatch'
  | 'mid-mismatch'
  | 'mid-duplicate'
  | 'fingerprint-missing'
  | 'fingerprint-unsupported'
  | 'setup-missing'
  | 'setup-holdconn'
  | 'setup-invalid-answer'
  | 'setup-mismatch'
  | 'role-conflict-both-active'
  | 'role-conflict-both-passive'
  | 'role-config-conflict'
  | 'role-changed'
  | 'dtls-restart-without-ice-restart'
  | 'ice-restart-in-answer'
  | 'ice-restart-unanswered'
  | 'ice-restart-limit'
  | 'ice-restart-incomplete'
  | 'dtls-restart-unsupported'
  | 'sctp-port-missing'
  | 'sctp-port-changed'
  | 'sctpmap-missing'
  | 'bundle-required'
  | 'rtcp-mux-missing'
  | 'direction-mismatch'
  | 'pranswer-transport-changed'
  | 'codec-mismatch'
  | 'payload-type-conflict'
  | 'extension-conflict'
  | 'extension-remapped';

/** The code of an `SdpError`; docs/errors.md lists them. */
export type SdpErrorCode = SdpSyntaxCode | SdpAttributeCode | SdpNegotiationCode;

/** Where in a description something was found. */
export interface SdpPlace {
  /** 1-based line of the text; absent where no single line is to blame. */
  readonly line?: number | undefined;
  /** The media section's `a=mid`. */
  readonly mid?: string | undefined;
}

/** Why a description or candidate is refused. */
export interface SdpError extends SdpPlace {
  readonly failed: true;
  readonly code: SdpErrorCode;
  /** For people: what was expected and, where it is short and public, what came. */
  readonly message: string;
}

/** Something a lenient reader passes over. */
export interface SdpWarning extends SdpPlace {
  readonly code:
    | 'candidate-ignored'
    | 'candidate-unresolved'
    | 'setup-missing'
    | 'role-change-ignored'
    | 'bundle-only-promoted'
    | 'bundle-only-missing'
    | 'payload-type-conflict'
    | 'sctp-port-missing'
    | 'sctpmap-missing'
    | 'line-ignored'
    | 'format-ignored';
  readonly message: string;
}

/** Of `place` only the two fields are taken: what carries them may hold secrets besides. */
export function sdpError(code: SdpErrorCode, message: string, { line, mid }: SdpPlace = {}): SdpError {
  return { failed: true, code, message, line, mid };
}

/** A line that does not read, and costs itself alone: `expected` says what it should have been. */
export function ignoredLine(expected: string, line: number, mid: string | undefined): SdpWarning {
  return { code: 'line-ignored', message: `expected ${expected}`, line, mid };
}

/** Tells an error from any value of this room. */
export function isSdpError(value: unknown): value is SdpError {
  return (
    typeof value === 'object' && value !== null && (value as { readonly failed?: unknown }).failed === true
  );
}
