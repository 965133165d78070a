/** Payload types of the receiver's: the number under which it knows a codec that the source sends under another one. */
import type { CodecParameters } from '../parameters.ts';

/** Parameters of formats that do not decode each other, by codec: name, default, and how many characters of the value count. */
const FORMATS: Readonly<Record<string, readonly (readonly [string, string, number])[]>> = {
  // RFC 6184 §8.1. Of the level nothing: what is sent is what the source sends, whatever the receiver has said it can.
  'video/h264': [
    ['packetization-mode', '0', Infinity],
    ['profile-level-id', '420010', 2],
  ],
  // RFC 9628 §7.
  'video/vp9': [['profile-id', '0', Infinity]],
  'video/av1': [['profile', '0', Infinity]],
};

/**
 * The payload type for packets of `codec` among the codecs that the receiver knows. @returns `undefined`: it knows none that
 * decodes them
 */
export function payloadTypeFor(
  codec: CodecParameters,
  among: readonly CodecParameters[],
): number | undefined {
  const same = among.filter((one) => isSameCodec(one, codec));
  return (same.find((one) => one.sdpFmtpLine === codec.sdpFmtpLine) ?? same[0])?.payloadType;
}

function isSameCodec(a: CodecParameters, b: CodecParameters): boolean {
  const mimeType = a.mimeType.toLowerCase();
  return (
    mimeType === b.mimeType.toLowerCase() &&
    a.clockRate === b.clockRate &&
    (a.channels ?? 1) === (b.channels ?? 1) &&
    (FORMATS[mimeType] ?? []).every(
      ([name, otherwise, length]) =>
        parameter(a, name, otherwise).slice(0, length) === parameter(b, name, otherwise).slice(0, length),
    )
  );
}

function parameter(codec: CodecParameters, name: string, otherwise: string): string {
  for (const part of (codec.sdpFmtpLine ?? '').split(';')) {
    const [key, value] = part.split('=');
    if (key?.trim().toLowerCase() === name) return value?.trim().toLowerCase() ?? otherwise;
  }
  return otherwise;
}
