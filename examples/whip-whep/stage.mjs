/**
 * Stage: one publisher, and whoever watches. Packets are passed on as they come, and never decoded: a viewer is sent the numbers of a
 * stream of its own, so that nobody notices when the publisher is another one than before.
 *
 *   publisher ──rtp──▶ Viewer: SourceSwitch ──▶ sender     a viewer begins, and begins anew, with a keyframe
 *   publisher ◀──requestKeyframe── Stage ◀──keyframerequest── viewer
 */
import { SourceSwitch } from 'sansrtc/media';
import { isKeyframe } from 'sansrtc/rtp';

const MAX_VIEWERS = 1000;

/** The same for all, so that what one sends all can take. */
export function codecsFor(video) {
  const rtcpFeedback = ['nack', 'nack pli', 'ccm fir', 'transport-cc'];
  return {
    audio: [
      {
        mimeType: 'audio/opus',
        clockRate: 48_000,
        channels: 2,
        sdpFmtpLine: 'minptime=10;useinbandfec=1',
        rtcpFeedback: ['transport-cc'],
      },
    ],
    video: [
      { mimeType: `video/${video}`, clockRate: 90_000, sdpFmtpLine: FMTP[video], rtcpFeedback, rtx: true },
    ],
  };
}

const FMTP = {
  VP8: undefined,
  VP9: 'profile-id=0',
  H264: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  AV1: 'level-idx=5;profile=0;tier=0',
};

export const VIDEO_CODECS = Object.keys(FMTP);

/** One publisher, any number of viewers. */
export class Stage {
  /** @type {import('sansrtc').Rtc | undefined} */
  #publisher;
  /** The publisher's streams that are passed on, by kind. @type {Map<string, import('sansrtc/media').RtpStream>} */
  #streams = new Map();
  /** @type {Map<import('sansrtc').Rtc, Viewer>} */
  #viewers = new Map();

  get isTaken() {
    return this.#publisher !== undefined;
  }

  get isFull() {
    return this.#viewers.size >= MAX_VIEWERS;
  }

  /** What the stage is doing, for people. */
  get state() {
    const streams = [...this.#streams.values()].map(({ kind, ssrc }) => ({ kind, ssrc }));
    return { isLive: this.isTaken, streams, viewers: this.#viewers.size };
  }

  setPublisher(rtc) {
    this.#publisher = rtc;
  }

  /** What happens to the publisher. */
  handlePublisherEvent(rtc, event) {
    if (rtc !== this.#publisher) return;
    switch (event.type) {
      case 'rtp':
        if (this.#streams.get(event.stream.kind) !== event.stream) return;
        for (const viewer of this.#viewers.values()) viewer.forward(event);
        return;
      case 'senderreport':
        for (const viewer of this.#viewers.values()) viewer.report(event);
        return;
      case 'rtpstreamstart':
        this.#streams.set(event.stream.kind, event.stream);
        this.#requestKeyframe();
        return;
      case 'rtpstreamend':
        if (this.#streams.get(event.stream.kind) === event.stream) this.#streams.delete(event.stream.kind);
        return;
      case 'closed':
        this.#publisher = undefined;
        this.#streams.clear();
        return;
    }
  }

  addViewer(rtc) {
    this.#viewers.set(rtc, new Viewer(rtc));
  }

  /** What happens to a viewer. */
  handleViewerEvent(rtc, event) {
    switch (event.type) {
      case 'connectionstatechange':
        // Who comes late has missed the keyframe that all the rest is made of.
        if (event.state === 'connected') this.#requestKeyframe();
        return;
      case 'keyframerequest':
        this.#requestKeyframe();
        return;
      case 'closed':
        this.#viewers.delete(rtc);
        return;
    }
  }

  /** However many ask, the publisher is asked no more often than the library finds right. */
  #requestKeyframe() {
    const video = this.#streams.get('video');
    if (video !== undefined) this.#publisher?.requestKeyframe(video.mediaId, video.rid);
  }
}

/** One viewer: what it is sent, of whichever stream the publisher has now. */
class Viewer {
  #outputs = new Map();

  constructor(rtc) {
    for (const media of rtc.media) {
      if (media.currentDirection !== 'sendonly') continue;
      const source = new SourceSwitch({ codecs: media.parameters.send.codecs });
      this.#outputs.set(media.kind, { sender: media.sender(), source });
    }
  }

  forward(event) {
    const { stream, codec, packet } = event;
    const output = this.#outputs.get(stream.kind);
    if (output === undefined || !output.sender.isWritable) return;
    const { sender, source } = output;
    if (source.selected !== stream) {
      // Nothing can be made of what comes before a keyframe.
      if (stream.kind === 'video' && !isKeyframe(codec.mimeType, packet.payload)) return;
      source.select(stream);
    }
    const outgoing = source.forward(event);
    // What there is no room for is lost, as if on the way: the viewer asks for it again, or for a keyframe.
    if (outgoing !== undefined) sender.write(outgoing);
  }

  report(event) {
    this.#outputs.get(event.stream.kind)?.source.handleSenderReport(event);
  }
}
