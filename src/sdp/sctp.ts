/** Data channel sections (RFC 8841): which `m=` lines they are, `sctp-port`, `max-message-size`. */
import { mediaMid, singleAttribute } from './attributes.ts';
import type { MediaDescription } from './description.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import { parseDecimal } from './token.ts';

/** RFC 9429 §5.1.2: the protocols under which a data channel may be offered; an answer repeats the one that came. */
const DATA_PROTOCOLS: readonly string[] = ['UDP/DTLS/SCTP', 'TCP/DTLS/SCTP', 'DTLS/SCTP'];

export const DATA_CHANNEL_FORMAT = 'webrtc-datachannel';

/** True for `m=application … UDP/DTLS/SCTP webrtc-datachannel`. */
export function isDataChannelSection(media: MediaDescription): boolean {
  return (
    media.kind === 'application' &&
    DATA_PROTOCOLS.includes(media.protocol) &&
    media.formats.length === 1 &&
    media.formats[0] === DATA_CHANNEL_FORMAT
  );
}

/** RFC 8841 §5. `undefined` if absent; 0, which refuses an association, is `sctp-port-invalid`. */
export function mediaSctpPort(media: MediaDescription): number | SdpError | undefined {
  const attribute = singleAttribute(media.lines, 'sctp-port');
  if (attribute === undefined || isSdpError(attribute)) return attribute;
  const port = parseDecimal(attribute.value, 65_535);
  if (port !== undefined && port !== 0) return port;
  const place = { line: attribute.line, mid: mediaMid(media) };
  return sdpError(
    'sctp-port-invalid',
    '"a=sctp-port" needs a number of 1–65535 without leading zeros',
    place,
  );
}

/** RFC 8841 §6, bytes. `undefined` if absent, which means 65536; `Infinity` for 0, "no limit". */
export function mediaMaxMessageSize(media: MediaDescription): number | SdpError | undefined {
  const attribute = singleAttribute(media.lines, 'max-message-size');
  if (attribute === undefined || isSdpError(attribute)) return attribute;
  if (attribute.value === '0') return Infinity;
  // A number beyond what a double counts exactly is a limit nobody can reach.
  if (/^[1-9]\d*$/.test(attribute.value)) return Math.min(Number(attribute.value), Number.MAX_SAFE_INTEGER);
  const place = { line: attribute.line, mid: mediaMid(media) };
  return sdpError(
    'max-message-size-invalid',
    '"a=max-message-size" needs a number without leading zeros',
    place,
  );
}
