/** Track: one stream on its way from packets to frames, each with its time on the sender's clock. */
import { OpusDepacketizer, ReorderBuffer, Vp8Depacketizer } from 'sansrtc/media';
import { Timeline } from './timeline.mjs';

/** Of the last frame, which none follows, ms. */
const LAST_DURATION = 20;

/** Of audio or of video. */
export class Track {
  stream;
  /** Where its timestamps lie; known once there is a sender report. */
  timeline;
  /** The first packet: when it came, and its timestamp. */
  arrival;
  isOver = false;
  framesWritten = 0;
  /** Where the last frame ends in the file, ms. */
  end = 0;
  #order = new ReorderBuffer();
  #depacketizer;
  /** Frames that have not been written. */
  #frames = [];
  /** One could not be written: pictures that refer to it are not written either. */
  #isBroken = false;

  /** @param event the first packet */
  constructor({ stream, codec, receivedAt, time }) {
    this.stream = stream;
    this.arrival = { receivedAt, time };
    this.timeline = new Timeline(codec.clockRate);
    this.#depacketizer = stream.kind === 'audio' ? new OpusDepacketizer() : new Vp8Depacketizer();
  }

  get kind() {
    return this.stream.kind;
  }

  /** When its first frame was made, ms on the sender's clock; `undefined` before there is one. */
  get start() {
    const [first] = this.#frames;
    return first && this.timeline.at(first.timestamp);
  }

  get hasFrames() {
    return this.#frames.length > 0;
  }

  push(event) {
    this.#order.push(event);
  }

  /** Makes frames of what is in order, and of what need not be waited for any more. @returns whether a keyframe is needed to go on */
  drain(now) {
    this.#order.handleTimeout(now);
    this.#takeFrames();
    if (this.kind === 'audio') return false;
    this.#depacketizer.handleTimeout(now);
    return this.#depacketizer.keyframeWish();
  }

  /** No packet comes any more: makes frames of all that there is. */
  finish() {
    this.isOver = true;
    this.#order.flush();
    this.#takeFrames();
    if (this.kind === 'video') this.#depacketizer.flush();
    this.#poll();
  }

  /**
   * Writes frames, but for the last one: how long that lasts is known by the next.
   * @param origin where the file begins on the sender's clock, ms
   */
  write(file, origin) {
    while (this.#frames.length > (this.isOver ? 0 : 1)) {
      const frame = this.#frames.shift();
      if (frame.isKeyframe) this.#isBroken = false;
      if (this.#isBroken) continue;
      const { timeline } = this;
      const time = Math.max(timeline.at(frame.timestamp) - origin, this.end);
      const [next] = this.#frames;
      const until = next ? timeline.at(next.timestamp) - origin : time + LAST_DURATION;
      const isWritten = file.add(this.kind, frame, time, Math.max(0, until - time));
      this.end = time;
      if (isWritten) this.framesWritten++;
      else this.#isBroken = true;
    }
  }

  #takeFrames() {
    for (let packet = this.#order.poll(); packet !== undefined; packet = this.#order.poll()) {
      this.#depacketizer.push(packet);
      this.#poll();
    }
    this.#poll();
  }

  #poll() {
    for (let frame = this.#depacketizer.poll(); frame !== undefined; frame = this.#depacketizer.poll())
      this.#frames.push(frame);
  }
}
