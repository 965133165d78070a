/** Arguments: options by node:util, and values that are judged one by one. What is wrong is one line that names it. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { canonicalAddress, type TransportAddress } from '../core/address.ts';

/** Wrong usage, told in one line; the exit code is 2. */
export class UsageError extends Error {}

/** What `parseArgs` takes for the options of one command. */
export type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

type Parsed<T extends OptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: T }>
>;

/** `parseArgs`, but an option nobody knows, or one without its value, is a `UsageError`. */
export function parseOptions<const T extends OptionsConfig>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // Node's second sentence tells how to pass it as a positional argument, which no command takes.
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\. To specify|\n/);
    throw new UsageError(line);
  }
}

/** A whole number from `min` to `max`, or what `text` being left out means. */
export function wholeNumber(
  name: string,
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${name} expected a whole number from ${min} to ${max}, got "${text}"`);
}

/** A port, 0 for any free one. */
export function port(name: string, text: string | undefined, otherwise: number): number {
  return wholeNumber(name, text, otherwise, 0, 65_535);
}

/** An IP address in canonical text. */
export function ipAddress(name: string, text: string): string {
  const address = canonicalAddress(text);
  if (address === undefined) throw new UsageError(`--${name} expected an IP address, got "${text}"`);
  return address;
}

/** `203.0.113.7`, `203.0.113.7:3478`, `[2001:db8::1]:3478`; without a port it stays as it is. */
export function announcedAddress(name: string, text: string): string | TransportAddress {
  const { host, port: number } = splitHostPort(name, text);
  const address = ipAddress(name, host);
  return number === undefined ? address : { address, port: number };
}

/** A host, by name or address, and a port if one is given: `stun.example.org:3478`, `[::1]:3478`, `stun:` in front allowed. */
export function splitHostPort(
  name: string,
  text: string,
): { readonly host: string; readonly port: number | undefined } {
  const bare = text.replace(/^stun:/, '');
  if (canonicalAddress(bare) !== undefined) return { host: bare, port: undefined };
  const match = /^(?:\[([^\]]+)\]|([^:\s/]+))(?::(\d{1,5}))?$/.exec(bare);
  const host = match?.[1] ?? match?.[2];
  const number = match?.[3] === undefined ? undefined : Number(match[3]);
  if (host === undefined || (number !== undefined && (number === 0 || number > 65_535)))
    throw new UsageError(`--${name} expected HOST or HOST:PORT, got "${text}"`);
  return { host, port: number };
}

/** Refuses arguments that are no options. */
export function noPositionals(positionals: readonly string[]): void {
  const [first] = positionals;
  if (first !== undefined) throw new UsageError(`unexpected argument "${first}"`);
}
