/** Descriptions of real browsers, recorded (test/fixtures/sdp; its index says who, when and how). */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SdpError } from '../../src/sdp/index.ts';
import { isSdpError } from '../../src/sdp/index.ts';

const directory = fileURLToPath(new URL('../fixtures/sdp', import.meta.url));

export const recordedFiles: readonly string[] = readdirSync(directory).filter((name) =>
  name.endsWith('.sdp'),
);

export function recorded(name: string): string {
  return readFileSync(`${directory}/${name}`, 'utf8');
}

/** Names of what other implementations write, put down by hand (test/fixtures/sdp/dialects; its README says whose they are). */
export const dialectNames: readonly string[] = readdirSync(`${directory}/dialects`)
  .filter((name) => name.endsWith('.sdp'))
  .map((name) => name.slice(0, -'.sdp'.length));

export function dialect(name: string): string {
  return recorded(`dialects/${name}.sdp`);
}

/** The value, where a test knows that it is no error. */
export function valid<T>(result: T | SdpError): T {
  if (isSdpError(result)) throw new Error(`${result.code} at line ${String(result.line)}: ${result.message}`);
  return result;
}

/** The error's code, or `'accepted'`. */
export function codeOf(result: unknown): string {
  return isSdpError(result) ? result.code : 'accepted';
}
