/**
 * Two connections with media, one of which owns its keys and means harm:
 *
 *     hostile ── DTLS-SRTP ── victim          honest media both ways; beside them whatever a test seals, or forges
 *
 * What the victim sends is kept, so that an answer shows; what it holds can be weighed.
 */
import type { Bytes } from '../../src/core/bytes.ts';
import { readU32 } from '../../src/core/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Media, RtcEvent, RtcOptions } from '../../src/index.ts';
import type { CodecParameters, MediaSupport, RtpStream } from '../../src/media/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import type { RtcpPacket } from '../../src/rtp/index.ts';
import { RtpWriter, rtcpLength, writeRtcp } from '../../src/rtp/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';
import type { SrtpMasterKey, SrtpProfile } from '../../src/srtp/index.ts';
import { rtpHeaderLength } from '../../src/srtp/headers.ts';
import { datagramKind } from '../../src/transport/first-byte.ts';
import type { End, Pair } from '../rtc/pair.ts';
import { makeUnsignalledPair } from '../rtc/pair.ts';
import { Reference } from '../srtp/reference.ts';

const crypto = memoizedCrypto(nodeCrypto());

/** What the hostile end sends from; anyone may have another. */
export const HOSTILE = { address: '192.0.2.1', port: 5000 };
const VICTIM = { address: '192.0.2.2', port: 5000 };

/** Opus, redundant Opus and telephone events: what packets can lie about. */
const AUDIO: NonNullable<NonNullable<RtcOptions['codecs']>['audio']> = [
  { mimeType: 'audio/opus', clockRate: 48_000, channels: 2, rtcpFeedback: ['transport-cc'] },
  { mimeType: 'audio/red', clockRate: 48_000, channels: 2 },
  { mimeType: 'audio/telephone-event', clockRate: 48_000, sdpFmtpLine: '0-15' },
];

/** The beginning of a keyframe of VP8, and of another frame. */
const VP8_KEYFRAME: Bytes = Uint8Array.of(0x10, 0x00, 0x9d, 0x01, 0x2a);
const VP8_DELTA: Bytes = Uint8Array.of(0x10, 0x01, 0x00);

/** What an RTP packet is made of; extensions by their URIs or by their numbers. */
export interface RtpInit {
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly extensions?: readonly (readonly [string | number, Uint8Array])[];
  readonly form?: 'one-byte' | 'two-byte';
  /** The original sequence number of what is sent again. */
  readonly repairs?: number;
  readonly payload?: Uint8Array;
}

/** The two of them, connected, with half a second of media sent. */
export class HostilePeer {
  readonly pair: Pair;
  readonly victim: End;
  /** SSRCs of what the victim sends. */
  readonly sent: { readonly audio: number; readonly video: number };
  /** What it signs feedback with. */
  readonly feedbackSsrc: number;
  /** Datagrams that the victim has sent, with their times. */
  readonly datagrams: { readonly at: number; readonly data: Bytes }[] = [];
  readonly #senders: readonly Media[];
  readonly #keys: TakenKeys;
  readonly #writer = new RtpWriter();
  readonly #streams = new Map<'audio' | 'video', RtpStream>();
  /** SSRCs that hostile packets are from begin here; another harm has others, as SRTP takes no number twice. */
  base = 1000;
  #rtcpIndex = 5000;
  #ticks = 0;

  constructor(seed: number) {
    this.#keys = new TakenKeys();
    this.pair = makeUnsignalledPair({
      seed,
      crypto,
      network: { record: { datagrams: false, events: false } },
      offerer: { media: this.#keys.media, codecs: { audio: AUDIO } },
      answerer: { media: rtpMedia(), codecs: { audio: AUDIO } },
    });
    const { offerer, answerer, net } = this.pair;
    this.victim = answerer;
    answerer.tap.carries = (data) => {
      this.datagrams.push({ at: net.now, data: new Uint8Array(data) });
      return true;
    };
    answerer.tap.hears = (event) => {
      if (event.type === 'rtpstreamstart' && !this.#streams.has(event.stream.kind)) {
        this.#streams.set(event.stream.kind, event.stream);
      }
    };
    const draft = offerer.rtc.negotiation();
    draft.addMedia('audio');
    draft.addMedia('video');
    const pending = draft.offer();
    const received = answerer.rtc.receiveOffer(pending.sdp);
    for (const media of received.media) media.direction = 'sendrecv';
    pending.accept(received.answer());
    net.advance(1000);
    this.#senders = [...offerer.rtc.media, ...answerer.rtc.media];
    this.talk(500);
    const ssrcOf = (kind: 'audio' | 'video'): number =>
      answerer.rtc.media.find((media) => media.kind === kind)?.sender()?.ssrc ?? 0;
    this.sent = { audio: ssrcOf('audio'), video: ssrcOf('video') };
    const feedback = this.media(0).find(({ 1: type }) => type === 205);
    if (feedback === undefined) throw new Error('the victim gives no feedback');
    this.feedbackSsrc = readU32(feedback, 4);
  }

  get now(): number {
    return this.pair.net.now;
  }

  // --- honest media ---

  /** Both ends send audio and video for so many milliseconds. */
  talk(milliseconds: number): void {
    for (const end = this.now + milliseconds; this.now < end; this.#ticks++) {
      for (const media of this.#senders) {
        const isAudio = media.kind === 'audio';
        const timestamp = (isAudio ? 960 : 1800) * this.#ticks;
        media
          .sender()
          ?.write({ payload: isAudio ? new Uint8Array(80) : VP8_KEYFRAME, timestamp, marker: true });
      }
      this.pair.net.advance(20);
    }
  }

  /** How many packets of the hostile end's honest media have been heard. */
  get honestPackets(): number {
    const honest = new Set([...this.#streams.values()].map(({ ssrc }) => ssrc));
    return this.victim.events.filter((event) => event.type === 'rtp' && honest.has(event.stream.ssrc)).length;
  }

  // --- what the victim has agreed on ---

  /** The number of a payload; `rtx` is what is sent again of video. */
  payloadType(codec: 'opus' | 'red' | 'telephone-event' | 'VP8' | 'rtx'): number {
    const { rtc } = this.victim;
    for (const media of rtc.media) {
      for (const { mimeType, payloadType, rtxPayloadType } of codecsOf(media)) {
        if (codec === 'rtx' && rtxPayloadType !== undefined) return rtxPayloadType;
        if (mimeType.toLowerCase().endsWith(`/${codec.toLowerCase()}`)) return payloadType;
      }
    }
    throw new Error(`${codec} is not agreed on`);
  }

  stream(kind: 'audio' | 'video'): RtpStream {
    const stream = this.#streams.get(kind);
    if (stream === undefined) throw new Error(`no ${kind} has been heard`);
    return stream;
  }

  // --- packets ---

  /** The bytes of an RTP packet, by default a frame of the video from a source of its own. */
  rtp(init: RtpInit): Bytes {
    const { ids, video } = { ids: this.stream('video').extensionIds, video: this.payloadType('VP8') };
    const into = new Uint8Array(3000);
    const { sequence = 1, timestamp = 0, ssrc = this.base, payloadType = video } = init;
    const writer = this.#writer;
    writer.start(into, 0, false, payloadType, sequence & 0xffff, timestamp >>> 0, ssrc >>> 0);
    writer.beginExtensions(init.form ?? 'one-byte');
    for (const [name, value] of init.extensions ?? []) {
      const id = typeof name === 'number' ? name : ids.get(name);
      if (id === undefined) throw new Error(`${name} is not agreed on`);
      writer.extension(id, value);
    }
    writer.endExtensions();
    if (init.repairs !== undefined) writer.originalSequenceNumber(init.repairs & 0xffff);
    writer.payload(init.payload ?? VP8_DELTA);
    return into.slice(0, writer.length);
  }

  /** Protects a packet by the keys of the hostile end, whatever it is. */
  seal(kind: 'rtp' | 'rtcp', packet: Bytes, rollOver = 0): Bytes {
    const { reference } = this.#keys;
    const headerLength = Math.max(12, rtpHeaderLength(packet, 0, packet.length));
    return new Uint8Array(
      kind === 'rtp'
        ? reference.protectRtp(packet, headerLength, rollOver)
        : reference.protectRtcp(packet, this.#rtcpIndex++),
    );
  }

  /** A datagram comes to the victim, as it is; nobody polls. */
  arrive(datagram: Bytes, source = HOSTILE): void {
    const { rtc } = this.victim;
    rtc.handleInput({
      type: 'receive',
      now: this.now,
      protocol: 'udp',
      source,
      destination: VICTIM,
      data: datagram,
    });
  }

  /** A packet of the hostile end's comes to the victim, sealed. */
  say(packet: RtpInit | Bytes, rollOver = 0): void {
    this.arrive(this.seal('rtp', packet instanceof Uint8Array ? packet : this.rtp(packet), rollOver));
  }

  /** RTCP of the hostile end's comes to the victim, one packet or a compound, sealed. */
  report(...packets: readonly (RtcpPacket | Bytes)[]): void {
    this.arrive(this.seal('rtcp', compound(...packets)));
  }

  // --- what has become of it ---

  /** All that is sent is drained, for so many milliseconds. */
  wait(milliseconds = 0): void {
    this.pair.net.advance(milliseconds);
  }

  /** Counters of the victim that are not 0, those of all layers together. */
  counted(): Record<string, number> {
    const counts: Record<string, number> = {};
    JSON.stringify(this.victim.rtc.inspect(), (name, value: unknown) => {
      if (name !== 'counters') return value;
      for (const [counter, count] of Object.entries(value as Record<string, number>)) {
        // `sending` shows its own beside those of the session.
        if (count > 0) counts[counter] = Math.max(counts[counter] ?? 0, count);
      }
      return undefined;
    });
    return counts;
  }

  /** All that the victim holds but what is counted, as text. */
  held(): string {
    return JSON.stringify(this.victim.rtc.inspect(), (name, value: unknown) =>
      name === 'counters' ? undefined : value,
    );
  }

  /** Datagrams of RTP and RTCP that the victim has sent from `since` on. */
  media(since: number): readonly Bytes[] {
    return this.datagrams
      .filter(({ at, data }) => at >= since && datagramKind(data) === 'rtp')
      .map(({ data }) => data);
  }

  heard<T extends RtcEvent['type']>(
    type: T,
    since = 0,
  ): (Extract<RtcEvent, { type: T }> & { readonly at: number })[] {
    return this.victim.events.filter(
      (event): event is Extract<RtcEvent, { type: T }> & { readonly at: number } =>
        event.type === type && event.at >= since,
    );
  }
}

/** The bytes of RTCP packets, one behind the other. */
export function compound(...packets: readonly (RtcpPacket | Bytes)[]): Bytes {
  const parts = packets.map((packet) => {
    if (packet instanceof Uint8Array) return packet;
    const bytes = new Uint8Array(rtcpLength(packet));
    writeRtcp(packet, bytes, 0);
    return bytes;
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function codecsOf(media: Media): readonly CodecParameters[] {
  return media.parameters?.receive.codecs ?? [];
}

/** Media whose SRTP is made with keys that are copied before they are wiped. */
class TakenKeys {
  readonly media: MediaSupport;
  #profile: SrtpProfile | undefined;
  #local: SrtpMasterKey | undefined;
  #reference: Reference | undefined;

  constructor() {
    const { srtp, ...support } = rtpMedia();
    this.media = {
      ...support,
      srtp: {
        profiles: srtp.profiles,
        create: (init) => {
          this.#profile = init.profile;
          this.#local = { key: init.local.key.slice(), salt: init.local.salt.slice() };
          return srtp.create(init);
        },
      },
    };
  }

  /** What the hostile end protects with. */
  get reference(): Reference {
    if (this.#profile === undefined || this.#local === undefined) throw new Error('there are no keys yet');
    return (this.#reference ??= new Reference(this.#profile, this.#local));
  }
}
