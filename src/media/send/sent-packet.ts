/** SentPacket: a packet on its way out, and then in the history: what it says, and what has been decided about it. */
import { NO_BYTES } from '../../core/bytes.ts';
import { isBytes } from '../../core/options.ts';
import { badArgument } from '../../core/errors.ts';
import type { OutgoingPacket, PayloadPatch } from '../contract.ts';
import type { HeaderPlan } from './header-plan.ts';

/** Further header extensions of a packet, by URI. */
export type OutgoingExtensions = NonNullable<OutgoingPacket['extensions']>;

/** Of a given sequence number, so that sums of two stay exact. */
const MAX_SEQUENCE = 2 ** 47;
/** RFC 8285 §4.3: the longest value of a header extension. */
const MAX_EXTENSION = 255;
const MAX_PAYLOAD_TYPE = 127;

/** One packet. The payload, and what else it refers to, is the caller's, and shared. It is used again for others (`PacketPool`). */
export class SentPacket {
  /** Unwrapped. */
  sequence = 0;
  /** The low 32 bits, signed: small integers need no memory of their own. */
  timestamp = 0;
  marker = false;
  payloadType = 0;
  payload: Uint8Array = NO_BYTES;
  patch: PayloadPatch | undefined = undefined;
  extensions: OutgoingExtensions | undefined = undefined;
  /** Bytes of payload that are sent: with the patch in place. */
  payloadLength = 0;
  /** What its header extensions were written by when it was sent, and their values: sent again as it was it is the same to the byte. */
  header: HeaderPlan | undefined = undefined;
  isIdentified = false;
  transportSequence = 0;
  sendTime = 0;
  /** It is about to be sent again. */
  isWanted = false;

  /** Makes it this packet. */
  fill(
    sequence: number,
    timestamp: number,
    marker: boolean,
    payloadType: number,
    payload: Uint8Array,
    patch?: PayloadPatch,
    extensions?: OutgoingExtensions,
  ): this {
    this.sequence = sequence;
    this.timestamp = timestamp | 0;
    this.marker = marker;
    this.payloadType = payloadType;
    this.payload = payload;
    this.patch = patch;
    this.extensions = extensions;
    this.payloadLength = lengthOf(payload, patch);
    return this;
  }

  /** Lets go of all that it refers to. */
  empty(): void {
    this.payload = NO_BYTES;
    this.patch = undefined;
    this.extensions = undefined;
    this.header = undefined;
    this.isWanted = false;
  }
}

/** Bytes of `payload` as it is sent. */
export function lengthOf(payload: Uint8Array, patch: PayloadPatch | undefined): number {
  return patch === undefined ? payload.length : payload.length - patch.replaced + patch.bytes.length;
}

/** Throws `ERR_BAD_ARGUMENT` for what can be no packet, whatever has been agreed on. */
export function checkPacket(packet: OutgoingPacket): void {
  if (typeof packet !== 'object' || (packet as unknown) === null)
    throw badArgument('packet', 'an object', packet);
  const { payload, timestamp, marker, payloadType, sequence, extensions, patch } = packet;
  if (!isByteArray(payload)) throw badArgument('packet.payload', 'a Uint8Array', payload);
  if (!Number.isSafeInteger(timestamp)) throw badArgument('packet.timestamp', 'an integer', timestamp);
  if (marker !== undefined && typeof marker !== 'boolean') {
    throw badArgument('packet.marker', 'true or false', marker);
  }
  if (payloadType !== undefined && !isIntegerTo(payloadType, MAX_PAYLOAD_TYPE)) {
    throw badArgument('packet.payloadType', `an integer from 0 to ${MAX_PAYLOAD_TYPE}`, payloadType);
  }
  if (sequence !== undefined && !isIntegerTo(sequence, MAX_SEQUENCE)) {
    throw badArgument('packet.sequence', `an integer from 0 to ${MAX_SEQUENCE}`, sequence);
  }
  if (extensions !== undefined) checkExtensions(extensions);
  if (patch !== undefined) checkPatch(patch, payload);
}

function checkExtensions(extensions: OutgoingExtensions): void {
  if (!isArray(extensions)) throw badArgument('packet.extensions', 'an array', extensions);
  for (let i = 0; i < extensions.length; i++) {
    const extension = extensions[i];
    if (typeof extension?.uri !== 'string') {
      throw badArgument(`packet.extensions[${i}].uri`, 'a string', extension?.uri);
    }
    if (!isByteArray(extension.value) || extension.value.length > MAX_EXTENSION) {
      const expected = `a Uint8Array of ${MAX_EXTENSION} bytes at the most`;
      throw badArgument(`packet.extensions[${i}].value`, expected, extension.value);
    }
  }
}

function checkPatch(patch: PayloadPatch, payload: Uint8Array): void {
  if (typeof patch !== 'object' || (patch as unknown) === null)
    throw badArgument('packet.patch', 'an object', patch);
  if (!isByteArray(patch.bytes)) throw badArgument('packet.patch.bytes', 'a Uint8Array', patch.bytes);
  if (!isIntegerTo(patch.replaced, payload.length)) {
    throw badArgument('packet.patch.replaced', `an integer from 0 to ${payload.length}`, patch.replaced);
  }
}

/** Not by narrowing: the type says that it is one. */
function isArray(value: unknown): boolean {
  return Array.isArray(value);
}

/** The usual case costs one look at the prototype; the other one is a `Uint8Array` of another realm. */
function isByteArray(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || isBytes(value);
}

function isIntegerTo(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}
