/**
 * The transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2): one count over all streams of a
 * connection, which feedback refers to. Writers without need of an array give the number to `RtpWriter.extensionNumber`, two bytes.
 */
import type { Bytes } from '../../core/bytes.ts';
import { ownBytes, readU16, writeU16 } from '../../core/bytes.ts';

/** Bytes of the value, for `RtpWriter.extensionNumber`. */
export const TRANSPORT_SEQUENCE_LENGTH = 2;

/** 16 bits. Version 2 of the extension may have a request for feedback behind, which is not read. `undefined`: too short. */
export function readTransportSequence(value: Uint8Array): number | undefined {
  return value.length < TRANSPORT_SEQUENCE_LENGTH ? undefined : readU16(value, 0);
}

/** Of the low 16 bits. */
export function writeTransportSequence(sequenceNumber: number): Bytes {
  const value = ownBytes(TRANSPORT_SEQUENCE_LENGTH);
  writeU16(value, 0, sequenceNumber);
  return value;
}
