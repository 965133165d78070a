/**
 * A session description as data (RFC 8866 §5): the few lines that give it structure are typed, every other line is kept
 * as it came and in its place, known or not. The typed views in this room read those lines; there is no second model.
 */

/** Any line but `v=`, `o=` and `m=`. */
export interface SdpLine {
  /** The letter before `=`. */
  readonly type: string;
  /** Everything after `=`, verbatim. */
  readonly text: string;
  /** 1-based line of the text it was read from; 0 for a line that was made. */
  readonly number: number;
}

/** The `o=` line (RFC 8866 §5.2). The numbers are decimal text: they may exceed what a double holds. */
export interface SdpOrigin {
  readonly username: string;
  readonly sessionId: string;
  readonly sessionVersion: string;
  readonly networkType: string;
  readonly addressType: string;
  readonly address: string;
}

/** One `m=` line and what follows it (RFC 8866 §5.14). */
export interface MediaDescription {
  /** `audio`, `video`, `application`, or what else came. */
  readonly kind: string;
  /** 0–65535. Zero rejects a section, unless it is `a=bundle-only` (see `isRejected`). */
  readonly port: number;
  /** The `/2` in `9/2`. */
  readonly portCount?: number | undefined;
  /** `UDP/DTLS/SCTP`, `UDP/TLS/RTP/SAVPF`, … verbatim. */
  readonly protocol: string;
  /** At least one. */
  readonly formats: readonly string[];
  readonly lines: readonly SdpLine[];
  /** 1-based line of the `m=` line; 0 for a section that was made. */
  readonly number: number;
}

/** A whole description: the session level and its media sections (RFC 8866 §5). */
export interface SessionDescription {
  readonly origin: SdpOrigin;
  /** The session level, after `o=`. */
  readonly lines: readonly SdpLine[];
  readonly media: readonly MediaDescription[];
}

/** A line for `writeSdp`. */
export function sdpLine(type: string, text: string): SdpLine {
  return { type, text, number: 0 };
}

/** `a=name:value`, or the flag `a=name`. */
export function attributeLine(name: string, value?: string): SdpLine {
  return sdpLine('a', value === undefined ? name : `${name}:${value}`);
}
