/**
 * Failures of decoders, for bytes that do not decode: each is one of a module's own, frozen. Nothing is thrown on the
 * packet path (a thrown error costs a thousand times a returned one), and the reason is the name of a counter.
 */
export interface DecodeFailure {
  readonly failed: true;
  /** Why, in kebab-case: the name under which the drop is counted. */
  readonly reason: string;
}

/**
 * A frozen failure. A decoder makes its own once, when its module is loaded, and answers with the same one each time.
 */
export function decodeFailure(reason: string): DecodeFailure {
  return Object.freeze({ failed: true, reason });
}

/** Tells a failure from a decoded value without exceptions or `instanceof`. */
export function isFailure(value: object): value is DecodeFailure {
  return (value as { readonly failed?: unknown }).failed === true;
}
