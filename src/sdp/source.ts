/** Sources and streams of a media section: `ssrc`, `ssrc-group` (RFC 5576), `msid` (RFC 8830). */
import type { SdpParameter } from './codec.ts';

/** What the `a=ssrc` lines say of one source. */
export interface SdpSource {
  /** 0–4294967295. */
  readonly ssrc: number;
  /** `cname`, `msid` and others, in order. */
  readonly attributes: readonly SdpParameter[];
}

/** One `a=ssrc-group`. */
export interface SdpSourceGroup {
  /** `FID` (RFC 5576), `SIM`, `FEC-FR` and others. */
  readonly semantics: string;
  readonly ssrcs: readonly number[];
}

/** One `a=msid`. */
export interface SdpStream {
  /** The identifier of a MediaStream; `-` for none. */
  readonly stream: string;
  /** The identifier of the track, where it is said. */
  readonly track: string | undefined;
}
