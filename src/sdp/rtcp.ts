/**
 * RTCP of a media section: `rtcp` (RFC 3605), `rtcp-mux` (RFC 5761 §5.1.1), `rtcp-mux-only` (RFC 8858), `rtcp-rsize` (RFC 5506 §5).
 */
import { badArgument } from '../core/errors.ts';
import { attributes, hasAttribute, mediaMid } from './attributes.ts';
import type { MediaDescription, SdpLine } from './description.ts';
import { attributeLine } from './description.ts';
import type { SdpWarning } from './error.ts';
import { ignoredLine } from './error.ts';
import { isVisible, parseDecimal } from './token.ts';

/** `a=rtcp`: where RTCP goes if it has a port of its own. With `rtcp-mux` it says nothing. */
export interface SdpRtcp {
  /** 0–65535. */
  readonly port: number;
  /** Where it is another one than that of the `c=` line. */
  readonly address: SdpRtcpAddress | undefined;
}

/** The second half of `a=rtcp`: `IN IP4 192.0.2.1`. */
export interface SdpRtcpAddress {
  readonly networkType: string;
  readonly addressType: string;
  /** An address or a host name, as written. */
  readonly address: string;
}

/** The first `a=rtcp` that reads; `undefined` if there is none. */
export function mediaRtcp(media: MediaDescription, warnings: SdpWarning[] = []): SdpRtcp | undefined {
  const mid = mediaMid(media);
  for (const { value, line } of attributes(media.lines, 'rtcp')) {
    const rtcp = parseRtcp(value);
    if (rtcp !== undefined) return rtcp;
    warnings.push(ignoredLine('an "a=rtcp" of a port and perhaps an address', line, mid));
  }
  return undefined;
}

function parseRtcp(value: string): SdpRtcp | undefined {
  const [ports = '', networkType, addressType, address, ...more] = value.split(' ');
  const port = parseDecimal(ports, 65_535);
  if (port === undefined || more.length > 0) return undefined;
  if (networkType === undefined) return { port, address: undefined };
  if (addressType === undefined || address === undefined) return undefined;
  if (![networkType, addressType, address].every(isVisible)) return undefined;
  return { port, address: { networkType, addressType, address } };
}

/** `a=rtcp:…`. Throws `ERR_BAD_ARGUMENT` for what would not be read back. */
export function rtcpLine({ port, address }: SdpRtcp): SdpLine {
  const words = [`${port}`];
  if (address !== undefined) words.push(address.networkType, address.addressType, address.address);
  const value = words.join(' ');
  if (parseRtcp(value) === undefined) throw badArgument('rtcp', 'a port of 0–65535 and words', value);
  return attributeLine('rtcp', value);
}

/** True if RTP and RTCP may share a port. `rtcp-mux-only` says so too: RFC 8858 §3 wants both, and not everybody writes both. */
export function hasRtcpMux(media: MediaDescription): boolean {
  return hasAttribute(media.lines, 'rtcp-mux') || isRtcpMuxOnly(media);
}

/** True if RTP and RTCP have to share a port (RFC 8858). */
export function isRtcpMuxOnly(media: MediaDescription): boolean {
  return hasAttribute(media.lines, 'rtcp-mux-only');
}

/** True if RTCP packets may be less than compound ones (RFC 5506). */
export function hasReducedSizeRtcp(media: MediaDescription): boolean {
  return hasAttribute(media.lines, 'rtcp-rsize');
}
