/* global setInterval, clearInterval */
/**
 * Recorder: the audio and the video of one connection, put in order, made into frames, laid on one clock, and written to a file.
 *
 *   rtp ─▶ ReorderBuffer ─▶ OpusDepacketizer │ Vp8Depacketizer ─▶ frames ─▶ Timeline ─▶ WebmFile
 *                                                        wait until both clocks are known, or for HOLD
 */
import { Track } from './track.mjs';
import { WebmFile } from './webm.mjs';

/** How long frames wait for the sender reports that lay audio and video on one clock, ms. Browsers send the first within 5 s. */
const HOLD = 6000;
/** How often it is looked for packets that have been waited for long enough, ms. */
const DRAIN_EVERY = 50;

/** One recording. */
export class Recorder {
  #rtc;
  #path;
  /** By kind: of each the first stream is recorded. @type {Map<string, Track>} */
  #tracks = new Map();
  /** Is there once frames are written. @type {WebmFile | undefined} */
  #file;
  /** When the first packet came, ms. */
  #began;
  /** What the sender's clock is ahead of this one, ms, by its first report. */
  #ahead = 0;
  /** Where the file begins on the sender's clock, ms. */
  #origin = 0;
  #timer;

  constructor(rtc, path) {
    this.#rtc = rtc;
    this.#path = path;
    this.#timer = setInterval(() => this.#drain(performance.now()), DRAIN_EVERY);
  }

  /** What happens on the connection. */
  handleEvent(event) {
    if (event.type === 'rtp') {
      const { stream, receivedAt } = event;
      if (!this.#tracks.has(stream.kind)) this.#tracks.set(stream.kind, new Track(event));
      this.#began ??= receivedAt;
      this.#trackOf(stream)?.push(event);
      this.#drain(receivedAt);
    } else if (event.type === 'senderreport') {
      this.#ahead ||= event.ntpTime - performance.now();
      this.#trackOf(event.stream)?.timeline.set(event.time, event.ntpTime);
    } else if (event.type === 'rtpstreamend') {
      this.#trackOf(event.stream)?.finish();
    }
  }

  /** Completes the file, if there is one. @returns what is in it: seconds, frames by kind, and frames that the disk was too slow for */
  async finish() {
    clearInterval(this.#timer);
    for (const track of this.#tracks.values()) track.finish();
    this.#write(Infinity);
    await this.#file?.finish();
    const frames = (kind) => this.#tracks.get(kind)?.framesWritten ?? 0;
    return {
      duration: Math.max(0, ...[...this.#tracks.values()].map(({ end }) => end)) / 1000,
      frames: { audio: frames('audio'), video: frames('video') },
      dropped: this.#file?.framesDropped ?? 0,
    };
  }

  #trackOf(stream) {
    const track = this.#tracks.get(stream.kind);
    return track?.stream === stream ? track : undefined;
  }

  #drain(now) {
    for (const track of this.#tracks.values())
      if (track.drain(now)) this.#rtc.requestKeyframe(track.stream.mediaId, track.stream.rid);
    this.#write(now);
  }

  #write(now) {
    this.#file ??= this.#begin(now);
    if (this.#file === undefined) return;
    for (const track of this.#tracks.values()) {
      if (!this.#file.kinds.includes(track.kind)) continue;
      track.write(this.#file, this.#origin);
      // The other one goes on alone.
      if (track.isOver) this.#file.close(track.kind);
    }
  }

  /** The file, once it is known which tracks there are, and where each is in time. */
  #begin(now) {
    const tracks = [...this.#tracks.values()].filter(({ hasFrames }) => hasFrames);
    if (tracks.length === 0) return undefined;
    const awaited = this.#rtc.media.filter(({ currentDirection }) => currentDirection === 'recvonly').length;
    const isKnown = tracks.length >= awaited && tracks.every(({ timeline }) => timeline.isKnown);
    if (!isKnown && now < this.#began + HOLD) return undefined;
    // Without a report it was sent when it came.
    for (const { timeline, arrival } of tracks)
      if (!timeline.isKnown) timeline.set(arrival.time, arrival.receivedAt + this.#ahead);
    this.#origin = Math.min(...tracks.map(({ start }) => start));
    return new WebmFile(
      this.#path,
      tracks.map(({ kind }) => kind),
    );
  }
}
