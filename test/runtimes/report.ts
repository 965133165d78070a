/** What a runtime says of itself after the checks. */

export interface Check {
  readonly name: string;
  readonly milliseconds: number;
  readonly error?: string;
}

export interface Report {
  readonly checks: readonly Check[];
  readonly driver?: readonly Check[];
  readonly nodeCrypto?: readonly Check[];
  /** The hash of everything that was sent. */
  readonly digest: string;
}

/** The last line of an output, as a report. */
export function parseReport(text: string): Report {
  const line = text.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line) as Report;
  } catch {
    throw new Error(`no report, but ${text.trim().slice(-1500)}`);
  }
}
