/** The codecs that both ends agree on in one section: for the end that answers, and for the one that is answered. */
import type { SdpCodec, SdpError } from '../../sdp/index.ts';
import { sdpError } from '../../sdp/index.ts';
import type { CodecCapability, MediaCodec } from '../media.ts';
import { formatOf } from './capability.ts';
import { commonFeedback, withOneMechanism } from './feedback.ts';
import type { Format } from './format.ts';
import {
  agreedParameters,
  encodingName,
  encodingOf,
  formatKey,
  isAsymmetric,
  isAudio,
  isMediaFormat,
} from './format.ts';
import { FormatQueues } from './format-queues.ts';
import { isRedundancy, redundantPayloadTypes } from './redundancy.ts';
import type { RepeatableCodec } from './retransmission.ts';
import { pairRetransmission } from './retransmission.ts';

/** What may flow each way, in the order of preference of the end that receives. */
export interface AgreedCodecs {
  /** What this end receives: in an answer of ours, what it says. */
  readonly receive: readonly MediaCodec[];
  /** What this end sends, with the peer's numbers and parameters. */
  readonly send: readonly MediaCodec[];
}

/** A capability of ours and the offered format that it answers. */
interface Match {
  readonly capability: CodecCapability;
  readonly offered: RepeatableCodec;
  /** Of the format, in the offer. */
  readonly index: number;
}

/** A codec of our offer and the format that answers it. */
interface Answered {
  readonly ours: MediaCodec;
  readonly theirs: RepeatableCodec;
}

/**
 * The codecs of our answer to a section that offers `offered`: those that this end can do, under the offer's numbers, in the order of
 * `capabilities` if that `orderIsOurs`, else in the offer's. A capability answers one format: what is offered twice is answered under
 * its first number. Both lists are empty where no codec is common; what only accompanies one (telephone events, comfort noise,
 * redundancy) is none.
 */
export function answeredCodecs(
  capabilities: readonly CodecCapability[],
  offered: readonly SdpCodec[],
  orderIsOurs: boolean,
): AgreedCodecs {
  const preferred = withoutUnheldRedundancy(matchCapabilities(capabilities, pairRetransmission(offered)));
  if (!preferred.some(({ offered: { codec } }) => isMediaFormat(codec))) return { receive: [], send: [] };
  const asOffered = [...preferred].sort((a, b) => a.index - b.index);
  return {
    receive: withOneMechanism(
      (orderIsOurs ? preferred : asOffered).map((match) => answeredCodec(match, 'receive')),
    ),
    send: withOneMechanism(asOffered.map((match) => answeredCodec(match, 'send'))),
  };
}

/**
 * What the peer's answer `answered` makes of the codecs that we `offered`. Its numbers may differ: what it sends has ours, what it
 * receives its own. A format under the number that we gave it is taken for what we offered, also where its parameters make it another
 * one; what was not offered is passed over (RFC 3264 §6.1 lets an answer have more). `codec-mismatch` where no codec is left.
 */
export function matchAnswer(
  offered: readonly MediaCodec[],
  answered: readonly SdpCodec[],
): AgreedCodecs | SdpError {
  const pairs = matchOffered(offered, pairRetransmission(answered));
  if (!pairs.some(({ theirs: { codec } }) => isMediaFormat(codec))) {
    return sdpError('codec-mismatch', 'the answer has none of the codecs that were offered');
  }
  const byOffer = new Map(pairs.map((pair) => [pair.ours, pair]));
  return {
    receive: withOneMechanism(
      offered.flatMap((ours) => {
        const pair = byOffer.get(ours);
        return pair === undefined ? [] : [acceptedCodec(pair, 'receive')];
      }),
    ),
    send: withOneMechanism(pairs.map((pair) => acceptedCodec(pair, 'send'))),
  };
}

/** In the order of the capabilities. */
function matchCapabilities(
  capabilities: readonly CodecCapability[],
  formats: readonly RepeatableCodec[],
): Match[] {
  const indexed = formats.map((offered, index): Indexed => ({ offered, index }));
  const equal = new FormatQueues(indexed, ({ offered }) => formatKey(offered.codec));
  const found = capabilities.map((capability) => equal.take(formatKey(formatOf(capability))));
  const taken = new Set(found);
  const others = indexed.filter((format) => !taken.has(format) && isAsymmetric(format.offered.codec));
  const similar = new FormatQueues(others, ({ offered }) => encodingOf(offered.codec));
  return capabilities.flatMap((capability, position) => {
    const match = found[position] ?? similar.take(encodingOf(formatOf(capability)));
    return match === undefined ? [] : [{ capability, ...match }];
  });
}

type Indexed = Pick<Match, 'offered' | 'index'>;

/** RED of audio stays where the formats that it holds are answered, too (RFC 2198 §5). */
function withoutUnheldRedundancy(matches: readonly Match[]): Match[] {
  const numbers = new Set(
    matches
      .filter(({ offered }) => isMediaFormat(offered.codec))
      .map(({ offered }) => offered.codec.payloadType),
  );
  return matches.filter(({ capability, offered: { codec } }) => {
    if (!isRedundancy(codec) || !isAudio(capability.mimeType)) return true;
    return redundantPayloadTypes(codec.fmtp)?.every((number) => numbers.has(number)) === true;
  });
}

function answeredCodec(
  { capability, offered: { codec, rtxPayloadType } }: Match,
  direction: 'receive' | 'send',
): MediaCodec {
  const { mimeType, clockRate, channels, rtcpFeedback = [], rtx = false } = capability;
  // The numbers that RED names are the offer's, in the answer as well.
  const ours = isRedundancy(codec) ? codec.fmtp : capability.sdpFmtpLine;
  return {
    payloadType: codec.payloadType,
    mimeType,
    clockRate,
    channels,
    sdpFmtpLine: agreedParameters(codec.name, ours, codec.fmtp)[direction],
    rtcpFeedback: commonFeedback(rtcpFeedback, codec.feedback),
    rtxPayloadType: rtx ? rtxPayloadType : undefined,
  };
}

/** In the order of the answer. */
function matchOffered(offered: readonly MediaCodec[], formats: readonly RepeatableCodec[]): Answered[] {
  const matched = new Map<RepeatableCodec, MediaCodec>();
  const left = new Map(offered.map((codec) => [codec.payloadType, codec]));
  /** By its number, if `keyOf` is the same for both. */
  const matchNumbers = (keyOf: (format: Format) => string): void => {
    for (const theirs of formats) {
      const ours = left.get(theirs.codec.payloadType);
      if (ours === undefined || matched.has(theirs)) continue;
      if (keyOf(offeredFormat(ours)) !== keyOf(theirs.codec)) continue;
      matched.set(theirs, ours);
      left.delete(ours.payloadType);
    }
  };
  matchNumbers(formatKey);
  const equal = new FormatQueues([...left.values()], (codec) => formatKey(offeredFormat(codec)));
  for (const theirs of formats) {
    if (matched.has(theirs)) continue;
    const ours = equal.take(formatKey(theirs.codec));
    if (ours === undefined) continue;
    matched.set(theirs, ours);
    left.delete(ours.payloadType);
  }
  matchNumbers(encodingOf);
  return formats.flatMap((theirs) => {
    const ours = matched.get(theirs);
    return ours === undefined ? [] : [{ ours, theirs }];
  });
}

function acceptedCodec(
  { ours, theirs: { codec, rtxPayloadType } }: Answered,
  direction: 'receive' | 'send',
): MediaCodec {
  const isRepeated = ours.rtxPayloadType !== undefined && rtxPayloadType !== undefined;
  const numbers =
    direction === 'receive'
      ? { payloadType: ours.payloadType, rtxPayloadType: isRepeated ? ours.rtxPayloadType : undefined }
      : { payloadType: codec.payloadType, rtxPayloadType: isRepeated ? rtxPayloadType : undefined };
  return {
    ...numbers,
    mimeType: ours.mimeType,
    clockRate: ours.clockRate,
    channels: ours.channels,
    sdpFmtpLine: agreedParameters(codec.name, ours.sdpFmtpLine, codec.fmtp)[direction],
    rtcpFeedback: commonFeedback(ours.rtcpFeedback, codec.feedback),
  };
}

function offeredFormat({ mimeType, clockRate, channels, sdpFmtpLine }: MediaCodec): Format {
  return { name: encodingName(mimeType), clockRate, channels, fmtp: sdpFmtpLine };
}
