/** Findings of `sansrtc doctor`, and the checks that make them. */

/** What was looked at and what came of it. */
export interface Finding {
  readonly area: 'runtime' | 'addresses' | 'kernel' | 'names' | 'stun' | 'turn' | 'crypto';
  readonly status: 'ok' | 'warn' | 'fail';
  readonly text: string;
  /** What to do about it, a line each. */
  readonly advice?: readonly string[] | undefined;
  /** The same for programs. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** One thing to look at: what it is called while it runs, and what it finds. */
export interface Check {
  readonly what: string;
  readonly run: () => Finding[] | Promise<Finding[]>;
}
