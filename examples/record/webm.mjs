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
  #output;
  /** By kind. */
  #sources = new Map();
  #waitingBytes = 0;
  /** What is written, one after the other. */
  #written;

  /** @param kinds `audio`, `video`, or both */
  constructor(path, kinds) {
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

  /** @param time, duration milliseconds. Rejections come out of `finish`. */
  addAudio(data, time, duration) {
    const decoderConfig = { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 };
    this.#add('audio', data, 'key', time, duration, decoderConfig);
  }

  /** The first one is a keyframe. */
  addVideo(data, time, duration, isKeyframe) {
    const size = isKeyframe ? vp8Size(data) : undefined;
    this.#add('video', data, isKeyframe ? 'key' : 'delta', time, duration, size && { codec: 'vp8', ...size });
  }

  /** Resolves once all is on the disk. */
  async finish() {
    await this.#written;
    await this.#output.finalize();
  }

  #add(kind, data, type, time, duration, decoderConfig) {
    if (this.#waitingBytes + data.length > MAX_WAITING_BYTES) {
      this.framesDropped++;
      return;
    }
    const packet = new EncodedPacket(data, type, time / 1000, duration / 1000);
    this.#waitingBytes += data.length;
    this.#written = this.#written.then(async () => {
      await this.#sources.get(kind).add(packet, decoderConfig && { decoderConfig });
      this.#waitingBytes -= data.length;
    });
    // It is told by `finish`; until then it is nobody's.
    this.#written.catch(() => undefined);
  }
}

/** The size that a keyframe says (RFC 6386 §9.1): 14 bits each, behind the start code. */
function vp8Size(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return { codedWidth: view.getUint16(6, true) & 0x3fff, codedHeight: view.getUint16(8, true) & 0x3fff };
}
