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

/** The value, where a test knows that it is no error. */
export function valid<T>(result: T | SdpError): T {
  if (isSdpError(result)) throw new Error(`${result.code} at line ${String(result.line)}: ${result.message}`);
  return result;
}

/** The error's code, or `'accepted'`. */
export function codeOf(result: unknown): string {
  return isSdpError(result) ? result.code : 'accepted';
}
