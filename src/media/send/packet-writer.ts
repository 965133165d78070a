/**
 * PacketWriter: writes the packets of all streams, for the first time and again, where their datagrams will be. How long one will
 * be is asked before: its transport-wide sequence number is remembered together with its length.
 *
 *     headerLength(…) ─▶ the number and the time are put into the packet ─▶ write │ writeRepair
 */
import type { Bytes } from '../../core/bytes.ts';
import { RtpWriter, fitsOneByteForm } from '../../rtp/index.ts';
import type { ExtensionSet, HeaderPlan } from './header-plan.ts';
import type { OutgoingExtensions, SentPacket } from './sent-packet.ts';

/** RFC 3550 §5.1. */
const FIXED_HEADER = 12;
/** Profile and length of header extensions (RFC 8285 §4.1). */
const EXTENSION_HEADER = 4;
/** Of the original sequence number (RFC 4588 §4). */
export const OSN_LENGTH = 2;

/** How a packet is sent again in a stream of retransmissions (RFC 4588 §4). */
export interface Repair {
  readonly header: HeaderPlan;
  readonly set: ExtensionSet;
  readonly ssrc: number;
  /** Unwrapped. */
  readonly sequence: number;
  readonly payloadType: number;
  readonly transportSequence: number;
  readonly sendTime: number;
}

/** One writer serves all streams of a connection, and allocates nothing. */
export class PacketWriter {
  readonly #rtp = new RtpWriter();

  /** Writes `packet` from the source `ssrc` at `offset` of `into`, by what has been put into it: its length. */
  write(packet: SentPacket, header: HeaderPlan, ssrc: number, into: Bytes, offset: number): number {
    const rtp = this.#rtp;
    const { marker, payloadType, sequence, timestamp } = packet;
    rtp.start(into, offset, marker, payloadType, sequence, timestamp, ssrc);
    const set = packet.isIdentified ? header.identified : header.plain;
    this.#extensions(header, set, packet.transportSequence, packet.sendTime, packet.extensions);
    this.#payload(packet);
    return rtp.length;
  }

  /** Writes `packet` so: its length. */
  writeRepair(packet: SentPacket, repair: Repair, into: Bytes, offset: number): number {
    const rtp = this.#rtp;
    const { header, set, ssrc, sequence, payloadType, transportSequence, sendTime } = repair;
    rtp.start(into, offset, packet.marker, payloadType, sequence, packet.timestamp, ssrc);
    this.#extensions(header, set, transportSequence, sendTime, packet.extensions);
    rtp.originalSequenceNumber(packet.sequence);
    this.#payload(packet);
    return rtp.length;
  }

  #extensions(
    header: HeaderPlan,
    set: ExtensionSet,
    transportSequence: number,
    sendTime: number,
    others: OutgoingExtensions | undefined,
  ): void {
    const rtp = this.#rtp;
    const { fixed } = set;
    rtp.beginExtensions(isShort(header, set, others) ? 'one-byte' : 'two-byte');
    for (let i = 0; i < fixed.length; i++) rtp.extension(fixed[i]!.id, fixed[i]!.value);
    if (header.transportSequenceId !== 0)
      rtp.extensionNumber(header.transportSequenceId, 2, transportSequence);
    if (header.sendTimeId !== 0) rtp.extensionNumber(header.sendTimeId, 3, sendTime);
    if (others !== undefined) {
      for (let i = 0; i < others.length; i++) {
        const { uri, value } = others[i]!;
        const id = header.idOf(uri);
        if (id !== 0) rtp.extension(id, value);
      }
    }
    rtp.endExtensions();
  }

  #payload({ payload, patch }: SentPacket): void {
    if (patch === undefined) {
      this.#rtp.payload(payload);
    } else {
      this.#rtp.payload(patch.bytes);
      this.#rtp.payload(payload, patch.replaced);
    }
  }
}

/** Bytes of a header with the extensions of `set` and the `others` that a packet brings along. */
export function headerLength(
  header: HeaderPlan,
  set: ExtensionSet,
  others: OutgoingExtensions | undefined,
): number {
  let { count, bytes } = set;
  if (others !== undefined) {
    for (let i = 0; i < others.length; i++) {
      const { uri, value } = others[i]!;
      if (header.idOf(uri) === 0) continue;
      count++;
      bytes += value.length;
    }
  }
  if (count === 0) return FIXED_HEADER;
  const values = bytes + (isShort(header, set, others) ? count : 2 * count);
  return FIXED_HEADER + EXTENSION_HEADER + ((values + 3) & ~3);
}

/** One form for all extensions of a packet: the short one, if it can say them (RFC 8285 §4.1.2 lets packets differ). */
function isShort(header: HeaderPlan, set: ExtensionSet, others: OutgoingExtensions | undefined): boolean {
  if (!set.isShort || others === undefined) return set.isShort;
  for (let i = 0; i < others.length; i++) {
    const { uri, value } = others[i]!;
    const id = header.idOf(uri);
    if (id !== 0 && !fitsOneByteForm(id, value.length)) return false;
  }
  return true;
}
