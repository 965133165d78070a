import { fromHex } from '../../src/core/text.ts';
import type { Bytes } from '../../src/core/bytes.ts';

/** Bytes of hexadecimal text that is known to be right. */
export function hex(text: string): Bytes {
  const bytes = fromHex(text);
  if (bytes === undefined) throw new Error(`not hexadecimal: ${text}`);
  return bytes;
}
