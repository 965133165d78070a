/** Longest quotation of a peer's text, in characters. */
const LONGEST = 80;

/** Text that came from outside, for one line: in quotes, control characters escaped, cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
