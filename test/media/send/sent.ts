/** What sends, as tests have it: parameters of media, a `Sending` under a virtual clock, and its packets as they go out. */
import { Clock } from '../../../src/core/clock.ts';
import type { Bytes } from '../../../src/core/bytes.ts';
import { ownBytes } from '../../../src/core/bytes.ts';
import type { PathFacts } from '../../../src/core/machine.ts';
import { BoundedQueue } from '../../../src/core/queue.ts';
import { SeededRandom } from '../../../src/core/random.ts';
import type {
  CodecParameters,
  MediaParameters,
  MediaStreamEvent,
  OutgoingPacket,
  RtpSender,
  SentSource,
} from '../../../src/media/index.ts';
import type { SendOptions } from '../../../src/media/send/options.ts';
import { sendSettings } from '../../../src/media/send/options.ts';
import { Sending } from '../../../src/media/send/sending.ts';
import {
  ABSOLUTE_SEND_TIME_URI,
  MID_URI,
  REPAIRED_RID_URI,
  RID_URI,
  RtpPacket,
  TRANSPORT_SEQUENCE_URI,
} from '../../../src/rtp/index.ts';
import type { ReportBlock, RtcpPacket } from '../../../src/rtp/index.ts';

export const VP8: CodecParameters = {
  payloadType: 96,
  mimeType: 'video/VP8',
  clockRate: 90_000,
  rtcpFeedback: ['nack', 'nack pli', 'ccm fir', 'transport-cc', 'goog-remb'],
  rtxPayloadType: 97,
};
export const OPUS: CodecParameters = {
  payloadType: 111,
  mimeType: 'audio/opus',
  clockRate: 48_000,
  channels: 2,
  rtcpFeedback: ['transport-cc'],
};
export const TONES: CodecParameters = {
  payloadType: 126,
  mimeType: 'audio/telephone-event',
  clockRate: 48_000,
  rtcpFeedback: [],
};

/** Ids that all media of these tests have agreed on. */
export const IDS = { mid: 1, rid: 2, repairedRid: 3, transport: 4, sendTime: 5 } as const;
export const EXTENSIONS = [
  { id: IDS.mid, uri: MID_URI },
  { id: IDS.rid, uri: RID_URI },
  { id: IDS.repairedRid, uri: REPAIRED_RID_URI },
  { id: IDS.transport, uri: TRANSPORT_SEQUENCE_URI },
  { id: IDS.sendTime, uri: ABSOLUTE_SEND_TIME_URI },
] as const;

/** What a media is to be, beside the defaults. */
export interface MediaInit {
  readonly id?: number;
  readonly mid?: string;
  readonly direction?: MediaParameters['direction'];
  readonly codecs?: readonly CodecParameters[];
  readonly headerExtensions?: readonly { readonly id: number; readonly uri: string }[];
  readonly rids?: readonly string[];
  readonly sources?: readonly SentSource[];
}

function mediaOf(
  media: 'audio' | 'video',
  init: MediaInit,
  codecs: readonly CodecParameters[],
): MediaParameters {
  const { id = 0, mid = 'a', direction = 'sendrecv', headerExtensions = EXTENSIONS, rids = [] } = init;
  return {
    id,
    mid,
    media,
    direction,
    send: {
      codecs: init.codecs ?? codecs,
      headerExtensions,
      encodings: rids.map((rid) => ({ rid, active: true })),
      reducedSizeRtcp: true,
      sources: init.sources,
    },
    receive: {
      codecs: [],
      headerExtensions: [],
      encodings: [],
      reducedSizeRtcp: true,
      sources: [],
      sourceGroups: [],
    },
  };
}

export function video(init: MediaInit = {}): MediaParameters {
  return mediaOf('video', { sources: [{ ssrc: 1000, rtxSsrc: 2000 }], ...init }, [VP8]);
}

export function audio(init: MediaInit = {}): MediaParameters {
  return mediaOf('audio', { id: 1, mid: 'b', sources: [{ ssrc: 3000 }], ...init }, [OPUS, TONES]);
}

export const PATH: PathFacts = {
  writable: true,
  largestDatagram: 1472,
  overhead: 37,
  roundTripTime: 40,
  generation: 1,
};

/** A payload whose first bytes tell `number`. */
export function payload(number: number, length = 100): Bytes {
  const bytes = ownBytes(length);
  for (let i = 0; i < Math.min(4, length); i++) bytes[i] = number >>> (8 * i);
  return bytes;
}

/** Where packets are written, beside other bytes. */
const OFFSET = 13;

/** A `Sending` and its surroundings. */
export class SendingRig {
  readonly clock = new Clock(true);
  readonly events = new BoundedQueue<MediaStreamEvent>(256);
  readonly sending: Sending;
  now = 0;
  activities = 0;

  constructor(media: readonly MediaParameters[], options: SendOptions = {}, seed = 1, mtu = 1200) {
    this.sending = new Sending({
      clock: this.clock,
      random: new SeededRandom(seed),
      options: sendSettings(options),
      events: this.events,
      mtu,
      onActivity: () => this.activities++,
    });
    this.tell(0);
    this.sending.setMedia(media, this.now);
    this.sending.setPath(PATH);
  }

  /** The time is told, and stays right until the next call of `tell`. */
  tell(now: number): this {
    this.now = now;
    this.clock.advance(now, this.sending);
    while (this.sending.nextTimeout() <= now) this.sending.handleTimeout(now);
    return this;
  }

  /** Runs to `until`, with a poll whenever something is due: all that goes out. */
  run(until: number): RtpPacket[] {
    const packets = this.poll();
    while (this.sending.nextTimeout() <= until) packets.push(...this.tell(this.sending.nextTimeout()).poll());
    return [...packets, ...this.tell(until).poll()];
  }

  sender(mediaId = 0, rid?: string): RtpSender {
    const sender = this.sending.sender(mediaId, rid);
    if (sender === undefined) throw new Error(`no sender of media ${mediaId}, ${String(rid)}`);
    return sender;
  }

  write(packet: Partial<OutgoingPacket>, mediaId = 0): boolean {
    return this.sender(mediaId).write({ payload: payload(0), timestamp: 0, ...packet });
  }

  /** All packets that are due. */
  poll(): RtpPacket[] {
    return [...this.pollOne('audio'), ...this.pollOne('paced')];
  }

  pollOne(urgency: 'audio' | 'paced'): RtpPacket[] {
    const packets: RtpPacket[] = [];
    for (;;) {
      const into = ownBytes(OFFSET + this.sending.largestPacket);
      const length = this.sending.pollPacket(urgency, into, OFFSET, this.now);
      if (length === 0) return packets;
      const packet = RtpPacket.view(into.slice(OFFSET, OFFSET + length));
      if (packet === undefined) throw new Error('what was written is no RTP packet');
      packets.push(packet);
    }
  }

  handle(packet: RtcpPacket): this {
    this.sending.handleRtcp(packet, this.now);
    return this;
  }

  nack(ssrc: number, ...sequenceNumbers: number[]): this {
    return this.handle({ type: 'nack', senderSsrc: 1, mediaSsrc: ssrc, sequenceNumbers });
  }

  report(ssrc: number, block: Partial<ReportBlock> = {}): this {
    const reports = [{ ...EMPTY_BLOCK, ssrc, ...block }];
    return this.handle({ type: 'receiver-report', ssrc: 1, reports });
  }

  takeEvents(): MediaStreamEvent[] {
    const events: MediaStreamEvent[] = [];
    for (let event = this.events.shift(); event !== undefined; event = this.events.shift())
      events.push(event);
    return events;
  }

  /** Counters above 0. */
  counted(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.sending.counters.snapshot()).filter(([, count]) => count > 0),
    );
  }
}

const EMPTY_BLOCK: ReportBlock = {
  ssrc: 0,
  fractionLost: 0,
  packetsLost: 0,
  highestSequenceNumber: 0,
  jitter: 0,
  lastSenderReport: 0,
  delaySinceLastSenderReport: 0,
};
