/** Difference between an entry and the recorded one, for people: which member, and the place where it begins to differ. */
import type { RtcError } from '../core/errors.ts';
import type { TraceEntry } from '../rtc.ts';
import { describeEntry } from './describe.ts';
import { formatEntry } from './format.ts';

/** What differs, each side cut down to a line. */
export interface Difference {
  /** The entry and the member that differs. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** Characters shown of two long texts, from a little before the place where they part. */
const BEFORE = 8;
const SHOWN = 40;

/** `undefined` if the two say the same, however they are summed up. */
export function difference(
  recorded: TraceEntry,
  made: TraceEntry | RtcError | undefined,
): Difference | undefined {
  if (made === undefined || !('type' in made) || made.type !== recorded.type) {
    return { what: 'an entry', expected: nameOf(recorded), got: nameOf(made) };
  }
  if (formatEntry(recorded) === formatEntry(made)) return undefined;
  const expected = leavesOf(recorded);
  const got = leavesOf(made);
  for (const path of new Set([...expected.keys(), ...got.keys()])) {
    const [a, b] = [expected.get(path) ?? 'nothing', got.get(path) ?? 'nothing'];
    if (a !== b) return { what: `${recorded.type} "${path}"`, ...excerpts(a, b) };
  }
  return undefined;
}

function nameOf(entry: TraceEntry | RtcError | undefined): string {
  if (entry === undefined) return 'nothing';
  return 'type' in entry ? describeEntry(entry) : `${entry.code} thrown: ${entry.message}`;
}

/** Each leaf of an entry as it stands in the file, by the path to it. */
function leavesOf(entry: TraceEntry): Map<string, string> {
  const leaves = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value))
        visit(member, path === '' ? name : `${path}.${name}`);
    } else {
      leaves.set(path, JSON.stringify(value));
    }
  };
  visit(JSON.parse(formatEntry(entry)), '');
  leaves.delete('summary');
  return leaves;
}

function excerpts(expected: string, got: string): { expected: string; got: string } {
  if (Math.max(expected.length, got.length) <= SHOWN) return { expected, got };
  let at = 0;
  while (at < expected.length && expected[at] === got[at]) at++;
  const from = Math.max(0, at - BEFORE);
  const excerpt = (text: string): string =>
    `${from > 0 ? '…' : ''}${text.slice(from, from + SHOWN)}${text.length > from + SHOWN ? '…' : ''}`;
  return { expected: `${excerpt(expected)} (from character ${from})`, got: excerpt(got) };
}
