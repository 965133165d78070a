/**
 * Admission: what to make of the first message on a stream that is not in use (RFC 8832 §6). Decides only; whoever asked
 * opens the channel or refuses the stream.
 */
import { isFailure } from '../core/decode.ts';
import type { DcepOpen } from './dcep.ts';
import { decodeDcep } from './dcep.ts';
import type { RefusalCounter } from './events.ts';
import type { ChannelLimits } from './options.ts';
import { MAX_STREAM_ID } from './options.ts';
import { Ppid } from './payload.ts';
import type { ChannelRole } from './streams.ts';
import { hasParityOf } from './streams.ts';

/**
 * The OPEN to accept, or the reason for which the stream is to be reset.
 * @param role ours, whose identifiers the peer may not open; `undefined` if it may
 */
export function judgeFirstMessage(
  streamId: number,
  ppid: number,
  data: Uint8Array,
  role: ChannelRole | undefined,
  outboundStreams: number,
  limits: ChannelLimits,
): DcepOpen | RefusalCounter {
  if (ppid !== Ppid.dcep) return 'firstMessageNotOpen';
  const message = decodeDcep(data, limits);
  if (isFailure(message))
    return message.reason === 'dcep-text-too-long' ? 'openTextTooLong' : 'openMalformed';
  if (message.type !== 'open') return 'firstMessageNotOpen';
  const isOurs = hasParityOf(role, streamId);
  // Beyond our outbound streams there is none to answer on; 65535 is reserved (RFC 8832 §8.2).
  return isOurs || streamId >= Math.min(outboundStreams, MAX_STREAM_ID + 1) ? 'openBadStreamId' : message;
}
