/** Simulcast of a media section: `rid` (RFC 8851) and `simulcast` (RFC 8853). */
import type { SdpParameter } from './codec.ts';

/** One `a=rid`. */
export interface SdpRid {
  /** 1–255 of A–Z a–z 0–9 - _. */
  readonly id: string;
  readonly direction: 'send' | 'recv';
  /** `pt=`: the formats that it may have; `undefined` for any. */
  readonly payloadTypes: readonly number[] | undefined;
  /** `max-width=1280` and the like, in order, known or not. */
  readonly restrictions: readonly SdpParameter[];
}

/** One name in `a=simulcast`. */
export interface SdpSimulcastRid {
  readonly rid: string;
  /** Marked by `~`: it does not flow at first. */
  readonly paused: boolean;
}

/** `a=simulcast`: streams in order, each with its alternatives in order of preference. */
export interface SdpSimulcast {
  readonly send: readonly (readonly SdpSimulcastRid[])[];
  readonly recv: readonly (readonly SdpSimulcastRid[])[];
}
