/** Codecs of a media section as the application sees them, to and from the formats that the section says. */
import type { SdpCodec } from '../../sdp/index.ts';
import type { MediaCodec, MediaKind } from '../media.ts';
import { encodingName } from './format.ts';
import { pairRetransmission, retransmissionCodec } from './retransmission.ts';

/**
 * What a section says of `codecs`: a format for each, and behind it the one of its retransmissions. `codecLines` of `sdp` writes them,
 * and their numbers in this order are the formats of the `m=` line.
 */
export function toSdpCodecs(codecs: readonly MediaCodec[]): SdpCodec[] {
  return codecs.flatMap((codec) => {
    const written: SdpCodec = {
      payloadType: codec.payloadType,
      name: encodingName(codec.mimeType),
      clockRate: codec.clockRate,
      channels: codec.channels,
      fmtp: codec.sdpFmtpLine,
      feedback: codec.rtcpFeedback,
    };
    if (codec.rtxPayloadType === undefined) return [written];
    return [written, retransmissionCodec(codec.rtxPayloadType, codec)];
  });
}

/**
 * Every format of a section of the kind `media`, as it is said there, in order. `rtx` is folded into the codec that it repeats, and left
 * out where it names none.
 */
export function fromSdpCodecs(codecs: readonly SdpCodec[], media: MediaKind): MediaCodec[] {
  return pairRetransmission(codecs).map(({ codec, rtxPayloadType }) => ({
    payloadType: codec.payloadType,
    mimeType: `${media}/${codec.name}`,
    clockRate: codec.clockRate,
    channels: codec.channels,
    sdpFmtpLine: codec.fmtp,
    rtcpFeedback: codec.feedback,
    rtxPayloadType,
  }));
}
