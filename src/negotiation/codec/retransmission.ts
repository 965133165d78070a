/**
 * Retransmission (RFC 4588) of the formats of a section: `rtx` is a format of its own there, which names by `apt` the one whose packets
 * it repeats. Here it is a number of that one.
 */
import type { SdpCodec } from '../../sdp/index.ts';
import { formatParameter } from './parameters.ts';

/** A format of a section that is not itself `rtx`. */
export interface RepeatableCodec {
  readonly codec: SdpCodec;
  /** The number under which its packets are sent again; the first that there is. */
  readonly rtxPayloadType: number | undefined;
}

/** The encoding name of RFC 4588. */
const RTX = 'rtx';

/**
 * The formats of a section in order, each with its `rtx`. An `rtx` whose `apt` names none of them, or another `rtx`, is left out, as is one of
 * another clock rate (RFC 4588 §4.3).
 */
export function pairRetransmission(codecs: readonly SdpCodec[]): RepeatableCodec[] {
  const repeated = codecs.filter(({ name }) => name.toLowerCase() !== RTX);
  const clockRates = new Map(repeated.map(({ payloadType, clockRate }) => [payloadType, clockRate]));
  const repeating = new Map<number, number>();
  for (const { name, payloadType, clockRate, fmtp } of codecs) {
    if (name.toLowerCase() !== RTX) continue;
    const apt = formatParameter(fmtp, 'apt');
    if (apt === undefined || !/^\d{1,3}$/.test(apt) || repeating.has(Number(apt))) continue;
    if (clockRates.get(Number(apt)) === clockRate) repeating.set(Number(apt), payloadType);
  }
  return repeated.map((codec) => ({ codec, rtxPayloadType: repeating.get(codec.payloadType) }));
}

/** The `rtx` of a format, as a section says it. */
export function retransmissionCodec(
  payloadType: number,
  associated: { readonly payloadType: number; readonly clockRate: number },
): SdpCodec {
  return {
    payloadType,
    name: RTX,
    clockRate: associated.clockRate,
    channels: undefined,
    fmtp: `apt=${String(associated.payloadType)}`,
    feedback: [],
  };
}
