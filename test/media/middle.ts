/**
 * A publisher, a forwarding middle and a subscriber: two connections on two networks that run in step.
 *
 *     publisher ── audio, video a, video b ──▶ middle: SourceSwitch ── audio, video ──▶ subscriber
 *
 * What is sent says of itself what it is, so that what arrives can be held against it.
 */
import { createHash } from 'node:crypto';
import type { CryptoProvider, RtcEvent } from '../../src/index.ts';
import type { OutgoingPacket, RtpEvent, RtpSender, RtpStream } from '../../src/media/index.ts';
import { SourceSwitch, rtpMedia } from '../../src/media/index.ts';
import { isVp8Keyframe } from '../../src/rtp/index.ts';
import type { LinkConditions } from '../../src/sim/index.ts';
import type { Pair } from '../rtc/pair.ts';
import { makeUnsignalledPair } from '../rtc/pair.ts';

/** The two networks take turns of so many milliseconds. */
const TURN = 5;
const FRAME_INTERVAL = 40;
const AUDIO_INTERVAL = 20;
const PACKETS_A_FRAME = 3;
const FRAMES_A_KEYFRAME = 25;
const PAYLOAD = 600;

/** The clocks of VP8 and Opus, in units a millisecond. */
const VIDEO_RATE = 90;
const AUDIO_RATE = 48;

export interface MiddleOptions {
  readonly seed: number;
  readonly conditions: LinkConditions;
  readonly crypto: CryptoProvider;
  /** Keep a hash of every datagram. */
  readonly isHashed?: boolean;
}

/** A packet of video that has arrived at the subscriber. */
export interface ArrivedVideo {
  readonly sequence: number;
  readonly time: number;
  readonly isRecovered: boolean;
  /** 0 or 1. */
  readonly source: number;
  readonly frame: number;
  readonly part: number;
  readonly isKeyframe: boolean;
}

/** All three of them, and what has come of it. */
export class Middle {
  readonly up: Pair;
  readonly down: Pair;
  readonly video: ArrivedVideo[] = [];
  /** Unwrapped numbers and the numbers that the publisher gave them. */
  readonly audio: { readonly sequence: number; readonly number: number }[] = [];
  readonly switched = new SourceSwitch();
  readonly #audioSwitch = new SourceSwitch();
  readonly #senders: readonly RtpSender[];
  readonly #audioSender: RtpSender;
  readonly #out: RtpSender;
  readonly #audioOut: RtpSender;
  readonly #hash = createHash('sha256');
  /** The streams of both sources as the middle hears them, and the latest number of each. */
  readonly #heard: (RtpStream | undefined)[] = [];
  readonly #latest = new Map<RtpStream, number>();
  #wanted = 0;
  #elapsed = 0;
  #written = { audio: 0, frames: 0 };

  constructor({ seed, conditions, crypto, isHashed = false }: MiddleOptions) {
    const made = (index: number): Pair =>
      makeUnsignalledPair({
        seed: 2 * seed + index,
        conditions,
        crypto,
        network: { record: { datagrams: false, events: false } },
        offerer: { media: rtpMedia() },
        answerer: { media: rtpMedia() },
      });
    this.up = made(0);
    this.down = made(1);
    [this.#audioSender, this.#senders] = publish(this.up, 2);
    const [audioOut, [out]] = publish(this.down, 1);
    if (out === undefined) throw new Error('no video for the subscriber');
    this.#audioOut = audioOut;
    this.#out = out;
    this.up.answerer.tap.hears = (event) => {
      this.#forward(event);
    };
    this.down.answerer.tap.hears = (event) => {
      this.#arrive(event);
    };
    if (!isHashed) return;
    for (const { tap } of [this.up.offerer, this.up.answerer, this.down.offerer, this.down.answerer]) {
      tap.carries = (data) => {
        this.#hash.update(data);
        return true;
      };
    }
  }

  /** Frames of each source, and packets of audio, that the publisher has written. */
  get written(): { readonly audio: number; readonly frames: number } {
    return this.#written;
  }

  /** Of every datagram so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Lets time go by in both networks; the publisher writes if it `publishes`. */
  run(milliseconds: number, publishes = true): void {
    for (const end = this.#elapsed + milliseconds; this.#elapsed < end; this.#elapsed += TURN) {
      if (publishes) this.#publish();
      this.up.net.advance(TURN);
      this.down.net.advance(TURN);
    }
  }

  /** The other source, from its next keyframe on. */
  switchSource(): void {
    this.#wanted = 1 - this.#wanted;
  }

  #publish(): void {
    const { net } = this.up;
    if (this.#elapsed % AUDIO_INTERVAL === 0) {
      const number = this.#written.audio++;
      net.after(0, () => {
        const payload = new Uint8Array(160);
        new DataView(payload.buffer).setUint32(0, number);
        this.#audioSender.write({ payload, timestamp: number * AUDIO_INTERVAL * AUDIO_RATE });
      });
    }
    if (this.#elapsed % FRAME_INTERVAL !== 0) return;
    const frame = this.#written.frames++;
    net.after(0, () => {
      for (const [source, sender] of this.#senders.entries()) {
        for (let part = 0; part < PACKETS_A_FRAME; part++) sender.write(videoPacket(source, frame, part));
      }
    });
  }

  #forward(event: RtcEvent): void {
    if (event.type === 'senderreport') {
      if (event.stream.kind === 'video') this.switched.handleSenderReport(event);
    } else if (event.type === 'rtp' && event.stream.kind === 'audio') {
      this.#audioSwitch.select(event.stream);
      this.#pass(this.#audioOut, this.#audioSwitch.forward(event));
    } else if (event.type === 'rtp') {
      this.#select(event);
      this.#pass(this.#out, this.switched.forward(event));
    }
  }

  /** Changes over at the first packet of a keyframe, if that comes in its order: what came before it has been left out. */
  #select({ stream, packet, sequence }: RtpEvent): void {
    const { payload } = packet;
    const source = payload[4];
    if (source === undefined) return;
    this.#heard[source] = stream;
    const latest = this.#latest.get(stream) ?? -1;
    this.#latest.set(stream, Math.max(latest, sequence));
    if (source === this.#wanted && sequence > latest && isVp8Keyframe(payload)) this.switched.select(stream);
  }

  #pass(sender: RtpSender, packet: OutgoingPacket | undefined): void {
    if (packet !== undefined) this.down.net.after(0, () => void sender.write(packet));
  }

  #arrive(event: RtcEvent): void {
    if (event.type !== 'rtp') return;
    const { packet, sequence, time, isRecovered, stream } = event;
    const { payload } = packet;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    if (stream.kind === 'audio') {
      this.audio.push({ sequence, number: view.getUint32(0) });
      return;
    }
    const [source, part] = [payload[4]!, payload[5]!];
    const isKeyframe = payload[1] === 0;
    this.video.push({ sequence, time, isRecovered, source, frame: view.getUint32(6), part, isKeyframe });
  }
}

/** Both ends agree on audio and so many videos, which the one that offers sends. */
function publish({ offerer, answerer }: Pair, videos: number): [RtpSender, RtpSender[]] {
  const draft = offerer.rtc.negotiation();
  const audio = draft.addMedia('audio', { direction: 'sendonly' });
  const video = Array.from({ length: videos }, () => draft.addMedia('video', { direction: 'sendonly' }));
  const offer = draft.offer();
  const received = answerer.rtc.receiveOffer(offer.sdp);
  for (const one of received.media) one.direction = 'recvonly';
  offer.accept(received.answer());
  const senderOf = (media: typeof audio): RtpSender => {
    const sender = media.sender();
    if (sender === undefined) throw new Error('a media without a sender');
    return sender;
  };
  return [senderOf(audio), video.map(senderOf)];
}

/** A part of a frame of VP8: its descriptor, the first byte of the frame, and what it is. */
function videoPacket(source: number, frame: number, part: number): OutgoingPacket {
  const payload = new Uint8Array(PAYLOAD);
  // S: a partition begins (RFC 7741 §4.2); P: no keyframe (§4.3).
  payload[0] = part === 0 ? 0x10 : 0;
  payload[1] = frame % FRAMES_A_KEYFRAME === 0 ? 0 : 1;
  payload[4] = source;
  payload[5] = part;
  new DataView(payload.buffer).setUint32(6, frame);
  const marker = part === PACKETS_A_FRAME - 1;
  return { payload, timestamp: frame * FRAME_INTERVAL * VIDEO_RATE + source * 1_000_000, marker };
}
