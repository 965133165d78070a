/** WebM files of Opus and VP8, written by mediabunny: what a recording knows of the format. */
import {
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  FilePathTarget,
  Output,
  WebMOutputFormat,
} from 'mediabunny';

/** What waits to be written, at the most: a disk that is slower than this loses frames and says so. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** A file that is being written. Frames of each kind come in the order of their times. */
export class WebmFile {
  /** Frames that the disk was too slow for. */
  framesDropped = 0;
  kinds;
  #output;
  /** By kind. */
  #sources = new Map();
  #waitingBytes = 0;
  /** What is written, one after the other. */
  #written;

  /** @param kinds `audio`, `video`, or both */
  constructor(path, kinds) {
    this.kinds = kinds;
    this.#output = new Output({ format: new WebMOutputFormat(), target: new FilePathTarget(path) });
    if (kinds.includes('video')) {
      const source = new EncodedVideoPacketSource('vp8');
      this.#output.addVideoTrack(source);
      this.#sources.set('video', source);
    }
    if (kinds.includes('audio')) {
      const source = new EncodedAudioPacketSource('opus');
      this.#output.addAudioTrack(source);
      this.#sources.set('audio', source);
    }
    this.#written = this.#output.start();
  }

  /**
   * The first frame of video is a keyframe. What goes wrong comes out of `finish`.
   * @param time, duration milliseconds
   * @returns false: it is left out
   */
  add(kind, frame, time, duration) {
    const { data, isKeyframe } = frame;
    if (this.#waitingBytes + data.length > MAX_WAITING_BYTES) {
      this.framesDropped++;
      return false;
    }
    const packet = new EncodedPacket(data, isKeyframe ? 'key' : 'delta', time / 1000, duration / 1000);
    const decoderConfig = configOf(kind, frame);
    const source = this.#sources.get(kind);
    this.#waitingBytes += data.length;
    this.#written = this.#written.then(async () => {
      await source.add(packet, decoderConfig && { decoderConfig });
      this.#waitingBytes -= data.length;
    });
    this.#written.catch(() => undefined);
    return true;
  }

  /** No more of this kind comes: the rest need not be laid between frames of it. */
  close(kind) {
    const source = this.#sources.get(kind);
    if (source === undefined) return;
    this.#sources.delete(kind);
    this.#written = this.#written.then(() => source.close());
    this.#written.catch(() => undefined);
  }

  /** Resolves once all is on the disk. */
  async finish() {
    await this.#written;
    await this.#output.finalize();
  }
}

/** What a player has to know of the frames from this one on. */
function configOf(kind, { isKeyframe, width, height }) {
  if (kind === 'audio') return { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 };
  return isKeyframe ? { codec: 'vp8', codedWidth: width, codedHeight: height } : undefined;
}
