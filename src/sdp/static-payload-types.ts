/** Static payload types: formats that mean something without an `rtpmap` (RFC 3551 §6, tables 4 and 5). */

/** What an `rtpmap` says of a format. */
export interface SdpEncoding {
  /** `opus`, `VP8`. */
  readonly name: string;
  /** Hz, of RTP timestamps. */
  readonly clockRate: number;
  /** Of audio; `undefined` where it is not said, which means 1. */
  readonly channels: number | undefined;
}

const audio = (name: string, clockRate: number, channels?: number): SdpEncoding => ({
  name,
  clockRate,
  channels,
});

const video = (name: string): SdpEncoding => ({ name, clockRate: 90_000, channels: undefined });

const ENCODINGS: ReadonlyMap<number, SdpEncoding> = new Map([
  [0, audio('PCMU', 8000)],
  [3, audio('GSM', 8000)],
  [4, audio('G723', 8000)],
  [5, audio('DVI4', 8000)],
  [6, audio('DVI4', 16_000)],
  [7, audio('LPC', 8000)],
  [8, audio('PCMA', 8000)],
  // 16 kHz, and 8000 all the same: an error of RFC 1890 that everybody keeps (§4.5.2).
  [9, audio('G722', 8000)],
  [10, audio('L16', 44_100, 2)],
  [11, audio('L16', 44_100)],
  [12, audio('QCELP', 8000)],
  [13, audio('CN', 8000)],
  [14, audio('MPA', 90_000)],
  [15, audio('G728', 8000)],
  [16, audio('DVI4', 11_025)],
  [17, audio('DVI4', 22_050)],
  [18, audio('G729', 8000)],
  [25, video('CelB')],
  [26, video('JPEG')],
  [28, video('nv')],
  [31, video('H261')],
  [32, video('MPV')],
  [33, video('MP2T')],
  [34, video('H263')],
]);

/** The encoding of a payload type that has one of its own; `undefined` for others. */
export function staticEncoding(payloadType: number): SdpEncoding | undefined {
  return ENCODINGS.get(payloadType);
}
