/**
 * Chunks with nothing inside but opaque bytes or one number: HEARTBEAT (ACK), COOKIE ECHO (ACK), SHUTDOWN (ACK,
 * COMPLETE), PAD (RFC 9260 §3.3.5, §3.3.8 – §3.3.13).
 */
import type { Bytes } from '../../core/bytes.ts';
import { Writer } from '../../core/bytes.ts';
import { isFailure } from '../../core/decode.ts';
import { CHUNK, PARAMETER } from '../constants.ts';
import { decodeParameters, encodeParameter } from './parameters.ts';

/** A whole chunk of `body`, without padding. */
export function encodeChunk(type: number, flags: number, body: Uint8Array): Bytes {
  return new Writer(4 + body.length)
    .u8(type)
    .u8(flags)
    .u16(4 + body.length)
    .raw(body)
    .finish();
}

/** A HEARTBEAT chunk with `info` as its information. */
export function encodeHeartbeat(info: Uint8Array): Bytes {
  const parameter = encodeParameter(PARAMETER.heartbeatInfo, info);
  return encodeChunk(CHUNK.heartbeat, 0, parameter.subarray(0, 4 + info.length));
}

/** A view of the information in a HEARTBEAT or HEARTBEAT ACK, `undefined` when it has none. */
export function heartbeatInfo(body: Uint8Array): Uint8Array | undefined {
  const parameters = decodeParameters(body);
  if (isFailure(parameters)) return undefined;
  const info = parameters[0];
  return info?.type === PARAMETER.heartbeatInfo ? info.value : undefined;
}

/** A SHUTDOWN chunk; it acknowledges as well. */
export function encodeShutdown(cumulativeTsn: number): Bytes {
  return encodeChunk(CHUNK.shutdown, 0, new Writer(4).u32(cumulativeTsn).view());
}
