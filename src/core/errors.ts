/**
 * Errors sorted by blame. `code` is the promise and never changes; the message is for people and says what was expected
 * and what came.
 *
 * - `RtcError`: the caller misused the API. Thrown at once, before anything has changed. Where promises are, in `sansrtc/streams`,
 *   also what one rejects with whose wait has come to nothing (`ERR_CLOSED`, `ERR_TIMEOUT`).
 * - `Failure`: the peer, the path or time ended something. Never thrown: it travels in an event, as plain data.
 */

/** Codes of misuse. The list is part of the public contract and documented in docs/errors.md. */
export type ErrorCode =
  | 'ERR_BAD_ARGUMENT'
  | 'ERR_INVALID_STATE'
  | 'ERR_TOO_LARGE'
  | 'ERR_LIMIT'
  | 'ERR_SDP'
  | 'ERR_TRACE'
  | 'ERR_CERTIFICATE'
  | 'ERR_SOCKET'
  | 'ERR_CLOSED'
  | 'ERR_TIMEOUT'
  | 'ERR_INTERNAL';

const brand: symbol = Symbol.for('sansrtc.RtcError');

/** Misuse of the API: thrown before anything has changed. Two copies of the package recognise each other's errors. */
export class RtcError extends Error {
  /** Which kind of error: a promise, where the message is none. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'RtcError';
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Whether `value` is one: of this copy of the library or, for `RtcError` itself, of another. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // The brand says "an RtcError", and no more: a subclass looks for instances of its own.
    if (this !== RtcError) return super[Symbol.hasInstance](value);
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;
  }
}

/** Which layer a failure comes from. */
export type Layer = 'ice' | 'dtls' | 'sctp' | 'channel' | 'rtc' | 'turn' | 'media';

/**
 * Why something ended. Plain, JSON-safe data.
 *
 * `gate` names the deadline of docs/deadlines that expired, if one did; `elapsed` and `peerSilentFor` are milliseconds.
 */
export interface Failure {
  readonly layer: Layer;
  /** Stable, kebab-case: `connect-timeout`, `role-conflict`, `fingerprint-mismatch`, … */
  readonly code: string;
  readonly message: string;
  readonly gate?: string;
  /** Milliseconds the gate was armed. */
  readonly elapsed?: number;
  /** Milliseconds since anything valid was last heard from the peer in that layer. */
  readonly peerSilentFor?: number;
}

/** True for the end that one of the two sides has asked for: `local-close`, `remote-close`. */
export function isOrderly({ code }: Failure): boolean {
  return code === 'local-close' || code === 'remote-close';
}

/** An `ERR_BAD_ARGUMENT` to throw: which argument, what was expected, and what came, shortened to a line. */
export function badArgument(name: string, expected: string, got: unknown): RtcError {
  return new RtcError('ERR_BAD_ARGUMENT', `"${name}" expected ${expected}, got ${describe(got)}`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
  // Its source says nothing, at length.
  if (typeof value === 'function') return 'a function';
  return String(value);
}
