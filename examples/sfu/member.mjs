/**
 * A member of a room: one browser, its connection, and the negotiation of what goes over it.
 *
 *   the page offers     its camera and microphone ──▶ tracks, for everybody else
 *   this end offers     a media for each track of everybody else ──▶ subscriptions
 *
 * Both offer whenever they like, and `PerfectNegotiator` keeps them from harm: this end is the polite one.
 */
import { randomUUID } from 'node:crypto';
import { PerfectNegotiator, Rtc } from 'sansrtc';
import { rtpMedia } from 'sansrtc/media';
import { Subscription } from './subscription.mjs';
import { Track } from './track.mjs';

/** What a member may send at once: camera, microphone, and the same of a screen. */
const MAX_TRACKS = 4;

/** One codec of each kind, so that whatever comes from one can go to all. Every browser has these, and VP8 with simulcast. */
const CODECS = {
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
    {
      mimeType: 'video/VP8',
      clockRate: 90_000,
      rtcpFeedback: ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'],
      rtx: true,
    },
  ],
};

export class Member {
  id = randomUUID();
  name;
  rtc;
  /** Tells the page. */
  tell;
  /** What it sends, by the ids of its media. @type {Map<number, Track>} */
  tracks = new Map();
  /** What it gets, by the ids of its media. @type {Map<number, Subscription>} */
  subscriptions = new Map();
  #room;
  #negotiator;
  #onLeave;
  #isShownTheRoom = false;
  #hasLeft = false;

  constructor({ name, room, driver, certificate, crypto, tell, onLeave }) {
    this.name = name;
    this.tell = tell;
    this.#room = room;
    this.#onLeave = onLeave;
    this.rtc = new Rtc({ certificate, crypto, codecs: CODECS, media: rtpMedia() });
    driver.add(this.rtc, (event) => this.#onEvent(event));
    this.#negotiator = new PerfectNegotiator(this.rtc, {
      polite: true,
      onOffer: (offer) => this.#chooseOf(offer),
    });
    this.tell({ welcome: this.id });
    room.enter(this);
  }

  /** Takes what the page says: `{ signal }`, or `{ watch: <member>, rid }`, where no rid is no picture. What is neither is nothing. */
  hear({ signal, watch, rid }) {
    if (signal !== undefined) {
      for (const refusal of this.#negotiator.handleSignal(signal)) this.tell({ refused: refusal.message });
      this.#tellSignals();
    }
    if (watch === undefined) return;
    for (const subscription of this.subscriptions.values()) {
      if (subscription.track.publisher.id === watch) subscription.choose(rid ?? undefined);
    }
  }

  /** The page has gone, or the connection has ended. */
  leave() {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    for (const track of this.tracks.values()) track.end();
    for (const subscription of this.subscriptions.values())
      subscription.track.subscriptions.delete(subscription);
    this.#room.leave(this);
    this.rtc.close();
    this.#onLeave();
  }

  // --- what it gets ---

  subscribe(track) {
    if (this.rtc.connectionState === 'closed') return;
    const { kind, publisher } = track;
    const media = this.#negotiator.draft.addMedia(kind, { direction: 'sendonly', streams: [publisher.id] });
    const subscription = new Subscription(track, media, this);
    track.subscriptions.add(subscription);
    this.subscriptions.set(media.id, subscription);
    this.#negotiate();
  }

  unsubscribe({ media }) {
    if (this.#hasLeft || !this.subscriptions.delete(media.id)) return;
    if (!media.stopped) this.#negotiator.draft.stop(media);
    this.#negotiate();
  }

  // --- the connection ---

  #onEvent(event) {
    switch (event.type) {
      case 'rtp':
        this.tracks.get(event.stream.mediaId)?.forward(event);
        return;
      case 'rtpstreamstart':
      case 'rtpstreamresume':
        this.tracks.get(event.stream.mediaId)?.streamComes(event.stream);
        return;
      case 'rtpstreampause':
      case 'rtpstreamend':
        this.tracks.get(event.stream.mediaId)?.streamGoes(event.stream);
        return;
      case 'senderreport':
        this.tracks.get(event.stream.mediaId)?.report(event);
        return;
      case 'keyframerequest':
        this.subscriptions.get(event.mediaId)?.passKeyframeRequest();
        return;
      case 'mediaadded':
        this.#publish(event.media);
        break;
      case 'mediachanged':
        this.#onMediaChanged(event.media);
        break;
      case 'closed':
        this.leave();
        break;
    }
    this.#negotiator.handleEvent(event);
    this.#tellSignals();
  }

  /** What a page offers is received, as far as it may send more; what it is sent stays as it is. */
  #chooseOf(offer) {
    let room = MAX_TRACKS - this.tracks.size;
    for (const media of offer.media) {
      if (media.media !== undefined) continue;
      if (room > 0) media.direction = 'recvonly';
      else media.reject();
      room--;
    }
  }

  #publish(media) {
    const track = new Track(this, media);
    this.tracks.set(media.id, track);
    // The first offer is the page's: once it is answered there is something to add to.
    if (!this.#isShownTheRoom) this.#room.showTo(this);
    this.#isShownTheRoom = true;
    this.#room.publish(track);
  }

  #onMediaChanged(media) {
    this.subscriptions.get(media.id)?.begin();
    const track = this.tracks.get(media.id);
    if (track === undefined || !media.stopped) return;
    this.tracks.delete(media.id);
    track.end();
  }

  #negotiate() {
    this.#negotiator.negotiate();
    this.#tellSignals();
  }

  #tellSignals() {
    if (this.#hasLeft) return;
    for (
      let signal = this.#negotiator.pollSignal();
      signal !== undefined;
      signal = this.#negotiator.pollSignal()
    )
      this.tell({ signal });
  }
}
