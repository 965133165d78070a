/**
 * The contract of a codec's own rules: what of its parameters makes two formats different ones, and what both ends come to where
 * a format has the parameters of each. A codec without rules is known by its name, clock rate and channels; its parameters are
 * declarative then, each end's own, and never keep a format from being agreed on (opus, RFC 7587 §7; VP8, RFC 7741 §6.2.2).
 */

/** The parameters of an agreed format, one `fmtp` a direction: what the end that receives says of it. */
export interface AgreedParameters {
  /** Of what this end receives. In an answer of ours: what it says. */
  readonly receive: string | undefined;
  /** Of what this end sends. */
  readonly send: string | undefined;
}

/** Rules of one codec, over the `fmtp` of a format. */
export interface CodecRules {
  /**
   * Equal for two formats exactly where these can be agreed on as one. A value that is malformed is equal to itself alone, so that
   * an application can have its own.
   */
  identity(fmtp: string | undefined): string;
  /** The identities of the two ends may differ (AV1). A format that is equal is preferred. */
  readonly isAsymmetric?: true;
  /** Absent: each end's own. */
  agree?(ours: string | undefined, theirs: string | undefined): AgreedParameters;
}
