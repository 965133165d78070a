/** The codecs of one section of our offer: what this end can do, under the numbers that the session has for it. */
import type { CodecCapability, MediaCodec } from '../media.ts';
import { formatOf } from './capability.ts';
import type { Format } from './format.ts';
import { encodingOf, formatKey, isAudio } from './format.ts';
import type { PayloadTypes } from './payload-types.ts';
import { PayloadTypeAssignment, retransmissionMeaning } from './payload-types.ts';
import { isRedundancy, offeredRedundancy } from './redundancy.ts';
import { toSdpCodecs } from './sdp-codecs.ts';

/** An offer's codecs, and what is known of numbers once it is out. */
export interface OfferedCodecs {
  /** In the order of preference. */
  readonly codecs: readonly MediaCodec[];
  readonly known: PayloadTypes;
}

interface Numbered {
  readonly capability: CodecCapability;
  readonly format: Format;
  readonly payloadType: number;
  readonly rtxPayloadType: number | undefined;
}

/**
 * The codecs for a section of an offer, in the order of `capabilities`. Each keeps the number that its format has in `known`, or has a
 * new one, which means nothing else in the session; so have its retransmissions. Where numbers run out the last preferences are left
 * out. Nothing left: `codecs` is empty.
 * @param said the codecs of the section's last description: their numbers stay, also where other sections have others
 */
export function offeredCodecs(
  capabilities: readonly CodecCapability[],
  known: PayloadTypes,
  said: readonly MediaCodec[] = [],
): OfferedCodecs {
  const numbers = new PayloadTypeAssignment(
    known,
    toSdpCodecs(said).map(({ payloadType }) => payloadType),
  );
  const numbered: Numbered[] = [];
  for (const capability of capabilities) {
    const format = formatOf(capability);
    const payloadType = numbers.assign(isRedundancy(format) ? encodingOf(format) : formatKey(format));
    if (payloadType === undefined) continue;
    const rtxPayloadType = capability.rtx
      ? numbers.assign(retransmissionMeaning(format.clockRate, payloadType))
      : undefined;
    numbered.push({ capability, format, payloadType, rtxPayloadType });
  }
  const codecs = numbered.flatMap(({ capability, format, payloadType, rtxPayloadType }): MediaCodec[] => {
    const { mimeType, clockRate, channels, rtcpFeedback = [] } = capability;
    const isHolder = isRedundancy(format) && isAudio(mimeType);
    const sdpFmtpLine = isHolder ? offeredRedundancy(format, numbered) : capability.sdpFmtpLine;
    if (isHolder && sdpFmtpLine === undefined) return [];
    return [{ payloadType, mimeType, clockRate, channels, sdpFmtpLine, rtcpFeedback, rtxPayloadType }];
  });
  return { codecs, known: numbers.known };
}
