import { RtpPacket } from '../../src/rtp/index.ts';

/** The packet that bytes are, in memory of its own; throws where they are none. */
export function viewed(bytes: Uint8Array): RtpPacket {
  const packet = RtpPacket.view(Uint8Array.from(bytes));
  if (packet === undefined) throw new TypeError('no RTP packet');
  return packet;
}

/** What is there; throws where nothing is. */
export function there<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('nothing there');
  return value;
}
