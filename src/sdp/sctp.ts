/**
 * SCTP attributes: what makes a section one for data channels, `sctp-port`, `max-message-size` (RFC 8841).
 *
 * Drafts before RFC 8841 (draft-ietf-mmusic-sctp-sdp-07 and older) had the SCTP port as the format, and an attribute
 * that says what runs on it. Browsers of that time, and aiortc to this day, write it so:
 *
 *   m=application 9 DTLS/SCTP 5000
 *   a=sctpmap:5000 webrtc-datachannel 1024
 */
import type { SdpAttribute } from './attributes.ts';
import { attributes, mediaMid, singleAttribute } from './attributes.ts';
import type { MediaDescription } from './description.ts';
import type { SdpError } from './error.ts';
import { isSdpError, sdpError } from './error.ts';
import { isToken, parseDecimal } from './token.ts';

/** RFC 9429 §5.1.2: the protocols under which a data channel may be offered; an answer repeats the one that came. */
const DATA_PROTOCOLS: readonly string[] = ['UDP/DTLS/SCTP', 'TCP/DTLS/SCTP', 'DTLS/SCTP'];

/** The format of an `m=` line for data channels (RFC 8841 §4.3). */
export const DATA_CHANNEL_FORMAT = 'webrtc-datachannel';

const MAX_PORT = 65_535;

/** What `a=sctpmap` says of a port. */
export interface SctpMap {
  /** 1–65535; the format of the `m=` line. */
  readonly port: number;
  /** What runs on it: `webrtc-datachannel`. */
  readonly application: string;
  /** How many streams the end takes, if it says so: INIT says it again, and that counts. */
  readonly streams: number | undefined;
}

/** True for `m=application … UDP/DTLS/SCTP webrtc-datachannel`, and for the older form where nothing else runs on its port. */
export function isDataChannelSection(media: MediaDescription): boolean {
  const { kind, protocol, formats } = media;
  if (kind !== 'application' || !DATA_PROTOCOLS.includes(protocol) || formats.length !== 1) return false;
  if (formats[0] === DATA_CHANNEL_FORMAT) return true;
  if (!isSctpPortFormat(formats)) return false;
  const map = mediaSctpMap(media);
  // A malformed map is for whoever reads the port to complain about.
  return map === undefined || isSdpError(map) || map.application === DATA_CHANNEL_FORMAT;
}

/** True if the formats of an `m=` line are those of the older form: one SCTP port. */
export function isSctpPortFormat(formats: readonly string[]): boolean {
  return formats.length === 1 && portOf(formats[0] ?? '') !== undefined;
}

/**
 * The `a=sctpmap` of the older form. `undefined` if there is none; `sctpmap-invalid` if one is malformed or all are of
 * other ports than the `m=` line names.
 */
export function mediaSctpMap(media: MediaDescription): SctpMap | SdpError | undefined {
  const port = portOf(media.formats[0] ?? '');
  const mid = mediaMid(media);
  let found: SctpMap | undefined;
  let last: SdpAttribute | undefined;
  for (const attribute of attributes(media.lines, 'sctpmap')) {
    last = attribute;
    const place = { line: attribute.line, mid };
    const map = parseSctpMap(attribute.value);
    if (map === undefined) {
      return sdpError(
        'sctpmap-invalid',
        '"a=sctpmap" needs a port, an application and perhaps a number of streams',
        place,
      );
    }
    if (map.port !== port) continue;
    if (found !== undefined && found.application !== map.application) {
      return sdpError(
        'duplicate-attribute',
        'expected one "a=sctpmap" a port, got several that differ',
        place,
      );
    }
    found ??= map;
  }
  if (found !== undefined || last === undefined) return found;
  return sdpError('sctpmap-invalid', 'expected an "a=sctpmap" of the port in the "m=" line', {
    line: last.line,
    mid,
  });
}

function parseSctpMap(text: string): SctpMap | undefined {
  const [number = '', application = '', count, ...more] = text.trimEnd().split(' ');
  const port = portOf(number);
  const streams = count === undefined ? undefined : parseDecimal(count, MAX_PORT);
  if (port === undefined || !isToken(application) || more.length > 0) return undefined;
  return count !== undefined && streams === undefined ? undefined : { port, application, streams };
}

/**
 * RFC 8841 §5: `a=sctp-port`; in the older form the format, whatever `a=sctp-port` says. `undefined` if absent;
 * 0, which refuses an association, is `sctp-port-invalid`.
 */
export function mediaSctpPort(media: MediaDescription): number | SdpError | undefined {
  if (isSctpPortFormat(media.formats)) {
    const map = mediaSctpMap(media);
    return isSdpError(map) ? map : portOf(media.formats[0] ?? '');
  }
  const attribute = singleAttribute(media.lines, 'sctp-port');
  if (attribute === undefined || isSdpError(attribute)) return attribute;
  const port = portOf(attribute.value);
  if (port !== undefined) return port;
  const place = { line: attribute.line, mid: mediaMid(media) };
  return sdpError(
    'sctp-port-invalid',
    '"a=sctp-port" needs a number of 1–65535 without leading zeros',
    place,
  );
}

/** 1–65535 without leading zeros. */
function portOf(text: string): number | undefined {
  const port = parseDecimal(text, MAX_PORT);
  return port === 0 ? undefined : port;
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
