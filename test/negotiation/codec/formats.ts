/** Formats of sections, written as the lines `96 VP8/90000 profile-id=0 [nack, nack pli]` say them. */
import type { SdpCodec } from '../../../src/sdp/index.ts';

/** One format: `111 opus/48000/2 minptime=10 [transport-cc]`; the `fmtp` and the feedback may be left out. */
export function format(text: string): SdpCodec {
  const match = /^(\d+) ([^/ ]+)\/(\d+)(?:\/(\d+))?(?: ([^[]*?))?(?: ?\[(.*)\])?$/.exec(text);
  if (match === null) throw new Error(`no format: ${text}`);
  const [, payloadType, name, clockRate, channels, fmtp, feedback] = match;
  return {
    payloadType: Number(payloadType),
    name: name ?? '',
    clockRate: Number(clockRate),
    channels: channels === undefined ? undefined : Number(channels),
    fmtp: fmtp === undefined || fmtp === '' ? undefined : fmtp,
    feedback: feedback === undefined || feedback === '' ? [] : feedback.split(', '),
  };
}

/** Several of them, one a line. */
export function formats(text: string): SdpCodec[] {
  return text
    .trim()
    .split('\n')
    .map((line) => format(line.trim()));
}

/** What Chromium offers for video (156, recorded), shortened to one format of each kind. */
export const CHROMIUM_VIDEO = formats(`
  96 VP8/90000 [goog-remb, transport-cc, ccm fir, nack, nack pli]
  97 rtx/90000 apt=96
  102 H264/90000 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f [nack, nack pli]
  103 rtx/90000 apt=102
  108 H264/90000 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f [nack, nack pli]
  109 rtx/90000 apt=108
  45 AV1/90000 level-idx=5;profile=0;tier=0 [nack]
  46 rtx/90000 apt=45
  98 VP9/90000 profile-id=0 [nack]
  99 rtx/90000 apt=98
  100 VP9/90000 profile-id=2 [nack]
  101 rtx/90000 apt=100
  118 red/90000
  119 rtx/90000 apt=118
  120 ulpfec/90000
`);

/** What Chromium offers for audio (156, recorded). */
export const CHROMIUM_AUDIO = formats(`
  111 opus/48000/2 minptime=10;useinbandfec=1 [transport-cc]
  63 red/48000/2 111/111
  9 G722/8000
  0 PCMU/8000
  8 PCMA/8000
  13 CN/8000
  110 telephone-event/48000
  126 telephone-event/8000
`);

/** What Firefox offers for audio (153, recorded). */
export const FIREFOX_AUDIO = formats(`
  109 opus/48000/2 maxplaybackrate=48000;stereo=1;useinbandfec=1 [transport-cc]
  9 G722/8000/1 [transport-cc]
  0 PCMU/8000 [transport-cc]
  8 PCMA/8000 [transport-cc]
  101 telephone-event/8000 0-15
`);
