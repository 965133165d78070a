/** A receiver on a clock of its own, packets for it, and what it says. */
import type { Bytes } from '../../../src/core/bytes.ts';
import { Clock } from '../../../src/core/clock.ts';
import { encodeUtf8 } from '../../../src/core/text.ts';
import type { MediaStreamEvent, RtpEvent } from '../../../src/media/contract.ts';
import type { CodecParameters, MediaParameters, ReceivedFlow } from '../../../src/media/parameters.ts';
import { MediaEventQueue } from '../../../src/media/receive/event-queue.ts';
import type { ReceiveOptions } from '../../../src/media/receive/options.ts';
import { receiveSettings } from '../../../src/media/receive/options.ts';
import { Receiver } from '../../../src/media/receive/receiver.ts';
import type { RtcpPacket } from '../../../src/rtp/index.ts';
import {
  MID_URI,
  REPAIRED_RID_URI,
  RID_URI,
  RtpWriter,
  TRANSPORT_SEQUENCE_URI,
} from '../../../src/rtp/index.ts';

/** What feedback is signed with. */
export const OWN_SSRC = 77;

/** From the clock of these tests to NTP time, ms. */
export const NTP_OFFSET = 3_900_000_000_000;

/** Ids of header extensions in all these media. */
export const MID = 4;
export const RID = 10;
export const REPAIRED_RID = 11;
export const TRANSPORT_SEQUENCE = 3;

export const OPUS: CodecParameters = {
  payloadType: 111,
  mimeType: 'audio/opus',
  clockRate: 48_000,
  channels: 2,
  rtcpFeedback: ['transport-cc'],
};

export const TELEPHONE_EVENT: CodecParameters = {
  payloadType: 126,
  mimeType: 'audio/telephone-event',
  clockRate: 8000,
  rtcpFeedback: [],
};

export const VP8: CodecParameters = {
  payloadType: 96,
  mimeType: 'video/VP8',
  clockRate: 90_000,
  rtcpFeedback: ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
  rtxPayloadType: 97,
};

const NOTHING = { codecs: [], headerExtensions: [], encodings: [], reducedSizeRtcp: true };

/** Parameters of a media that is received. */
export function media(
  id: number,
  mid: string | undefined,
  kind: 'audio' | 'video',
  codecs: readonly CodecParameters[],
  more: Partial<ReceivedFlow> & { readonly direction?: MediaParameters['direction'] } = {},
): MediaParameters {
  const { direction = 'recvonly', ...receive } = more;
  return {
    id,
    mid,
    media: kind,
    direction,
    send: NOTHING,
    receive: {
      ...NOTHING,
      codecs,
      headerExtensions: [
        { id: MID, uri: MID_URI },
        { id: RID, uri: RID_URI },
        { id: REPAIRED_RID, uri: REPAIRED_RID_URI },
        { id: TRANSPORT_SEQUENCE, uri: TRANSPORT_SEQUENCE_URI },
      ],
      sources: [],
      sourceGroups: [],
      ...receive,
    },
  };
}

export const AUDIO: MediaParameters = media(1, '0', 'audio', [OPUS, TELEPHONE_EVENT]);
export const VIDEO: MediaParameters = media(2, '1', 'video', [VP8]);

/** Video with two rids. */
export const SIMULCAST: MediaParameters = media(2, '1', 'video', [VP8], {
  encodings: [
    { rid: 'h', active: true },
    { rid: 'l', active: true },
  ],
});

/** The beginning of a keyframe of VP8, and of another frame. */
export const VP8_KEYFRAME: Bytes = Uint8Array.of(0x10, 0x00, 0x9d, 0x01, 0x2a);
export const VP8_DELTA: Bytes = Uint8Array.of(0x10, 0x01, 0x00);

/** What a packet is made of. */
export interface PacketInit {
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly marker?: boolean;
  readonly mid?: string;
  readonly rid?: string;
  readonly repairedRid?: string;
  readonly transportSequence?: number;
  readonly payload?: Uint8Array;
  readonly padding?: number;
  /** The original sequence number: a packet of RTX. */
  readonly repairs?: number;
}

const writer = new RtpWriter();

/** The bytes of an RTP packet. */
export function rtp(init: PacketInit): Bytes {
  const into = new Uint8Array(2000);
  const { payloadType = 96, sequence = 1, timestamp = 0, ssrc = 1 } = init;
  writer.start(into, 0, init.marker ?? false, payloadType, sequence & 0xffff, timestamp >>> 0, ssrc);
  writer.beginExtensions('one-byte');
  if (init.mid !== undefined) writer.extension(MID, encodeUtf8(init.mid));
  if (init.rid !== undefined) writer.extension(RID, encodeUtf8(init.rid));
  if (init.repairedRid !== undefined) writer.extension(REPAIRED_RID, encodeUtf8(init.repairedRid));
  if (init.transportSequence !== undefined) {
    writer.extensionNumber(TRANSPORT_SEQUENCE, 2, init.transportSequence);
  }
  writer.endExtensions();
  if (init.repairs !== undefined) writer.originalSequenceNumber(init.repairs & 0xffff);
  writer.payload(init.payload ?? (init.padding === undefined ? VP8_DELTA : new Uint8Array(0)));
  if (init.padding !== undefined) writer.padding(init.padding);
  return into.slice(0, writer.length);
}

/** A receiver and what it has said. */
export class Rig {
  now = 1000;
  readonly events: MediaEventQueue;
  readonly receiver: Receiver;

  constructor(parameters: readonly MediaParameters[], options: ReceiveOptions = {}) {
    const settings = receiveSettings(options);
    this.events = new MediaEventQueue(settings);
    this.receiver = new Receiver({
      clock: new Clock(),
      options: settings,
      events: this.events,
      ssrc: OWN_SSRC,
      ntpOffset: NTP_OFFSET,
    });
    this.receiver.setMedia(parameters, this.now);
    this.receiver.setPath({
      writable: true,
      largestDatagram: 1200,
      overhead: 0,
      roundTripTime: 40,
      generation: 1,
    });
  }

  /** Receives a packet, and lets `after` milliseconds go by before it. */
  take(init: PacketInit, after = 0): MediaStreamEvent[] {
    this.wait(after);
    this.receiver.handleRtp(rtp(init), this.now);
    this.check();
    return this.drain();
  }

  /** What is to be told. */
  drain(): MediaStreamEvent[] {
    const events: MediaStreamEvent[] = [];
    for (let event = this.events.shift(); event !== undefined; event = this.events.shift())
      events.push(event);
    return events;
  }

  /** The feedback that is due. */
  feedback(): RtcpPacket[] {
    const packets: RtcpPacket[] = [];
    for (;;) {
      const packet = this.receiver.pollFeedback(this.now);
      this.check();
      if (packet === undefined) return packets;
      packets.push(packet);
    }
  }

  /** Lets time go by, every deadline being kept. @returns the feedback of it */
  wait(milliseconds: number): RtcpPacket[] {
    const end = this.now + milliseconds;
    const packets: RtcpPacket[] = [];
    for (;;) {
      const next = this.receiver.nextTimeout();
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.receiver.handleTimeout(this.now);
      this.check();
      if (this.receiver.nextTimeout() <= this.now) throw new Error('a deadline does not move');
      packets.push(...this.feedback());
    }
    this.now = end;
    return packets;
  }

  /** Throws where an invariant does not hold. */
  check(): void {
    const violation = this.receiver.invariantViolation();
    if (violation !== undefined) throw new Error(violation);
    const { receiver } = this;
    if ((receiver.nextTimeout() === Infinity) !== (receiver.timeoutReason() === undefined)) {
      throw new Error('a timer without a name, or a name without a timer');
    }
  }
}

/** The packets among events. */
export function packetsOf(events: readonly MediaStreamEvent[]): RtpEvent[] {
  return events.filter((event): event is RtpEvent => event.type === 'rtp');
}

/** The types of events, in their order. */
export function typesOf(events: readonly MediaStreamEvent[]): string[] {
  return events.map(({ type }) => type);
}
