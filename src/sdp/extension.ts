/** RTP header extensions of a media section: `extmap`, `extmap-allow-mixed` (RFC 8285). */
import type { Direction } from './attributes.ts';

/** One `a=extmap`. */
export interface SdpExtension {
  /** 1–14 in the one-byte form, 1–255 in the two-byte form (RFC 8285 §4.2, §4.3). */
  readonly id: number;
  readonly uri: string;
  /** Which way its sender would have it; `undefined` means that of the section. */
  readonly direction: Direction | undefined;
  /** What stands behind the URI, verbatim. */
  readonly attributes: string | undefined;
}
