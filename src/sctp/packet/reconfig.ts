/** RE-CONFIG (RFC 6525 §3.1, §4): one or two parameters, requests and responses. */
import type { Bytes } from '../../core/bytes.ts';
import { readU16, readU32, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure, isFailure } from '../../core/decode.ts';
import { CHUNK, PARAMETER } from '../constants.ts';
import { decodeParameters, writeParameter } from './parameters.ts';

const BAD_RECONFIG = decodeFailure('malformed-reconfig');

/** RFC 6525 §4.1: the sender's outgoing streams start again at SSN 0 once everything up to `lastTsn` has arrived. */
export interface OutgoingResetRequest {
  readonly type: 'outgoing-reset';
  readonly sequence: number;
  readonly responseSequence: number;
  readonly lastTsn: number;
  /** Empty: all streams. */
  readonly streams: readonly number[];
}

/** RFC 6525 §4.4. The TSNs a response to an SSN/TSN reset carries are left unread: we never ask for one. */
export interface ReconfigResponse {
  readonly type: 'response';
  readonly sequence: number;
  readonly result: number;
}

/** Incoming SSN reset, SSN/TSN reset and "add streams" requests (RFC 6525 §4.2, §4.3, §4.5, §4.6): always denied. */
export interface OtherRequest {
  readonly type: 'other-request';
  readonly parameter: number;
  readonly sequence: number;
}

/** A parameter of a RE-CONFIG chunk, decoded. */
export type ReconfigParameter = OutgoingResetRequest | ReconfigResponse | OtherRequest;

/** Decodes the value of a RE-CONFIG chunk. */
export function decodeReconfig(body: Uint8Array): readonly ReconfigParameter[] | DecodeFailure {
  const parameters = decodeParameters(body);
  if (isFailure(parameters)) return parameters;
  if (parameters.length === 0 || parameters.length > 2) return BAD_RECONFIG;
  const decoded: ReconfigParameter[] = [];
  for (const { type, value } of parameters) {
    if (value.length < 4) return BAD_RECONFIG;
    const sequence = readU32(value, 0);
    if (type === PARAMETER.outgoingReset) {
      if (value.length < 12 || (value.length & 1) !== 0) return BAD_RECONFIG;
      const streams: number[] = [];
      for (let at = 12; at < value.length; at += 2) streams.push(readU16(value, at));
      decoded.push({
        type: 'outgoing-reset',
        sequence,
        responseSequence: readU32(value, 4),
        lastTsn: readU32(value, 8),
        streams,
      });
    } else if (type === PARAMETER.reconfigResponse) {
      if (value.length < 8) return BAD_RECONFIG;
      decoded.push({ type: 'response', sequence, result: readU32(value, 4) });
    } else {
      decoded.push({ type: 'other-request', parameter: type, sequence });
    }
  }
  return decoded;
}

/** A whole RE-CONFIG chunk with an outgoing SSN reset request. */
export function encodeOutgoingReset(request: Omit<OutgoingResetRequest, 'type'>): Bytes {
  const value = new Writer(12 + 2 * request.streams.length)
    .u32(request.sequence)
    .u32(request.responseSequence)
    .u32(request.lastTsn);
  for (const id of request.streams) value.u16(id);
  return encodeReconfig(PARAMETER.outgoingReset, value.view());
}

/** A whole RE-CONFIG chunk with a response. */
export function encodeResponse(sequence: number, result: number): Bytes {
  return encodeReconfig(PARAMETER.reconfigResponse, new Writer(8).u32(sequence).u32(result).view());
}

function encodeReconfig(parameter: number, value: Uint8Array): Bytes {
  const length = 8 + value.length;
  const writer = new Writer(length + 3).u8(CHUNK.reconfig).u8(0).u16(length);
  return writeParameter(writer, parameter, value).finish().slice(0, length);
}
