/** A source of RTP events, as a connection tells of them. */
import { writeU16, writeU32 } from '../../../src/core/bytes.ts';
import type { CodecParameters, RtpEvent, RtpStream } from '../../../src/media/index.ts';
import { RtpPacket } from '../../../src/rtp/packet.ts';

export const OPUS: CodecParameters = {
  payloadType: 111,
  mimeType: 'audio/opus',
  clockRate: 48_000,
  channels: 2,
  rtcpFeedback: [],
};

export const VP8: CodecParameters = {
  payloadType: 96,
  mimeType: 'video/VP8',
  clockRate: 90_000,
  rtcpFeedback: ['nack', 'nack pli'],
};

export const H264: CodecParameters = {
  payloadType: 102,
  mimeType: 'video/H264',
  clockRate: 90_000,
  sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  rtcpFeedback: [],
};

let streams = 0;

/** A stream that is like no other. */
export function stream(init: Partial<RtpStream> = {}): RtpStream {
  streams++;
  return {
    mediaId: 1,
    kind: 'video',
    mid: '0',
    rid: undefined,
    ssrc: 1000 + streams,
    extensionIds: new Map(),
    ...init,
  };
}

/** What is different in a packet from others. */
export interface EventInit {
  readonly stream: RtpStream;
  readonly sequence: number;
  readonly time?: number;
  readonly receivedAt?: number;
  readonly payload?: Uint8Array | readonly number[];
  readonly marker?: boolean;
  readonly codec?: CodecParameters;
  readonly isRecovered?: boolean;
  /** Elements of the one-byte form. */
  readonly extensions?: ReadonlyMap<number, readonly number[]>;
}

/** An event of this packet, whose bytes are those of a packet with such a header. */
export function rtpEvent(init: EventInit): RtpEvent {
  const { stream, sequence, time = 0, receivedAt = 0, marker = false, isRecovered = false } = init;
  const codec = init.codec ?? (stream.kind === 'audio' ? OPUS : VP8);
  const payload = Uint8Array.from(init.payload ?? [0x10, 0x01]);
  const elements = [...(init.extensions ?? [])].flatMap(([id, value]) => [
    (id << 4) | (value.length - 1),
    ...value,
  ]);
  while (elements.length % 4 !== 0) elements.push(0);
  const extensionLength = elements.length === 0 ? 0 : 4 + elements.length;
  const bytes = new Uint8Array(12 + extensionLength + payload.length);
  bytes[0] = 0x80 | (extensionLength === 0 ? 0 : 0x10);
  bytes[1] = codec.payloadType | (marker ? 0x80 : 0);
  writeU16(bytes, 2, sequence & 0xffff);
  writeU32(bytes, 4, time % 2 ** 32);
  writeU32(bytes, 8, stream.ssrc);
  if (extensionLength > 0) {
    writeU16(bytes, 12, 0xbede);
    writeU16(bytes, 14, elements.length / 4);
    bytes.set(elements, 16);
  }
  bytes.set(payload, 12 + extensionLength);
  const packet = RtpPacket.view(bytes);
  if (packet === undefined) throw new Error('no RTP packet');
  return { type: 'rtp', stream, packet, codec, sequence, time, receivedAt, isRecovered };
}
